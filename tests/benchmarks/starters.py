"""How right is the default recipe on the starter sets, and what do swapped colours and near-copies come to?"""

from collections.abc import Callable
from dataclasses import replace

from demo.data.dataset import Dataset, make_dataset
from demo.data.starters import STARTERS, read_starter
from demo.models.backbone import Backbone, load_backbone
from demo.models.recipe import Recipe
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from demo.tasks.copies import CopiesResult, measure_copies
from demo.tasks.features import FeatureCache
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.swap import judge_swapped

NUM_SEEDS = 3
# What the default recipe should come to on validation and test pictures together, in percent, in the mean over seeds.
AIMS = {"digits": "70 to 95", "signs": "90 to 99.9", "shapes": "75 to 92", "meadow": "99 to 100", "albums": "50 to 80"}

Rows = list[tuple[str, str, str]]


def train(backbone: Backbone, dataset: Dataset, seed: int, cache: FeatureCache) -> FineTuned:
    """Train by the default recipe."""
    *_, last = fine_tune(backbone, dataset, replace(Recipe(), seed=seed), Settings(), cache=cache)
    assert isinstance(last, FineTuned)
    return last


def default_recipe() -> Rows:
    """Train on each set in three random splits; count the sets on which nothing is wrong in any of them."""
    backbone, rows, num_perfect = load_backbone(ZOO[EMBEDDED]), Rows(), 0
    for name in STARTERS:
        collection, cache, shares, said = read_starter(name, Settings()), FeatureCache(), list[float](), list[str]()
        for seed in range(NUM_SEEDS):
            dataset = make_dataset(collection, Settings(), seed=seed)
            tuned = train(backbone, dataset, seed, cache)
            summary = tuned.head.summary
            right, count = summary.val_correct + summary.test_correct, summary.val_count + summary.test_count
            shares.append(right / count)
            said.append(f"{summary.val_correct}+{summary.test_correct} of {count}")
            if name == "meadow":
                found = judge_swapped(tuned.head, backbone, dataset, tuned.features, Settings())
                after, mixed = found.after.correct, found.mixed.correct
                said[-1] += f" (swapped {after}, both grounds {mixed} of {found.after.count})"
        num_perfect += min(shares) == 1
        mean = 100 * sum(shares) / len(shares)
        rows.append((f"{name}: held-out pictures right", f"{AIMS[name]}%", f"{mean:.0f}%: {', '.join(said)}"))
    return [*rows, ("sets on which the default recipe is right everywhere", "at most one", str(num_perfect))]


def copies() -> Rows:
    """Deal the albums by chance, and with shots of one scene together."""
    backbone, settings = load_backbone(ZOO[EMBEDDED]), Settings()
    *_, found = measure_copies(backbone, make_dataset(read_starter("albums", settings), settings), settings)
    assert isinstance(found, CopiesResult)
    measured = f"{100 * found.by_chance.mean:.0f}% and {100 * found.together.mean:.0f}%"
    return [("albums: dealt by chance, and copies kept together", "over 97% and under 80%", measured)]


BENCHMARKS: tuple[Callable[[], Rows], ...] = (default_recipe, copies)
