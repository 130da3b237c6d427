"""Do the numbers tell the truth: accuracy with its interval, a head's temperature, the network's own sureness.

The sets are zips of class folders in `sets/` beside hymenoptera.zip, or hymenoptera.zip alone. Each training takes some
pictures of a class; those that are in no split of it are the pool on which the truth is measured.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from demo.data.collection import Collection, Picture
from demo.data.dataset import Split, make_dataset
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.models.backbone import Backbone, load_backbone
from demo.models.head import Head
from demo.models.recipe import Optimizer, Recipe
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from demo.tasks.calibration import calibrate, log_likelihood, reliability
from demo.tasks.evaluate import Scores, measure, softmax
from demo.tasks.features import PLAIN, FeatureCache, Features, choose_views, extract_features
from demo.tasks.finetune import score
from demo.tasks.sureness import MEASURED
from tests.benchmarks.training import finish

NUM_SPLITS = 30
NUM_FITS = 10
CHOSEN = 60  # pictures of a class that accuracies are measured with
FEW = (20, 60)  # pictures of a class that temperatures are measured with
NUM_PERFECT = 60  # validation pictures that are all right
RECIPES = {
    "default": Recipe(),
    "ridge": Recipe(optimizer=Optimizer.RIDGE),
    "early stopping": Recipe(patience=3),
}

SETTINGS = replace(Settings(), max_pictures=5_000)

Rows = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Study:
    """One set: its pictures, and the features of all of them."""

    name: str
    backbone: Backbone
    collection: Collection
    cache: FeatureCache

    @staticmethod
    def of(archive: Path, backbone: Backbone) -> "Study":
        """Read a set and look at each of its pictures, plain and mirrored."""
        read = read_collection(archive, SETTINGS)
        classes = tuple(
            replace(each, pictures=tuple(replace(one, split=None) for one in each.pictures)) for each in read.classes
        )
        study = Study(archive.stem, backbone, replace(read, classes=classes), FeatureCache())
        dataset = make_dataset(study.collection, SETTINGS)
        everything = replace(dataset, samples=tuple(replace(each, split=Split.TRAIN) for each in dataset.samples))
        for _ in extract_features(backbone, everything, SETTINGS, views=choose_views(Recipe()), cache=study.cache):
            pass
        return study

    def train(self, recipe: Recipe, *, count: int, seed: int, classes: Sequence[int] = ()) -> "Trial":
        """Train on `count` pictures of each class, or of some classes alone, split as the page splits them."""
        generator, chosen, pool, truths = np.random.default_rng(seed), [], list[Picture](), list[int]()
        wanted = [self.collection.classes[each] for each in classes] or self.collection.classes
        for class_idx, each in enumerate(wanted):
            order = [each.pictures[place] for place in generator.permutation(len(each.pictures))]
            chosen.append(replace(each, pictures=tuple(order[:count])))
            pool += order[count:]
            truths += [class_idx] * len(order[count:])
        dataset = make_dataset(replace(self.collection, classes=tuple(chosen)), SETTINGS, seed=seed)
        tuned = finish(self.backbone, dataset, replace(recipe, seed=seed), self.cache)
        rows = self.cache.rows(self.backbone.spec.name)
        values = np.stack([rows[PLAIN, each.stored.digest] for each in pool])
        return Trial(tuned.head, tuned.features, values, np.array(truths))


@dataclass(frozen=True)
class Trial:
    """One training, and the pool: features (n, D) and class indices (n,)."""

    head: Head
    features: Features
    pool: NDArray[np.float32]
    pool_idxs: NDArray[np.int64]

    def score(self, split: Split) -> Scores:
        """Return what the head says of a split."""
        return score(self.head, self.features, split)

    @property
    def is_all_right(self) -> bool:
        """Whether every validation picture is right."""
        found = measure(self.score(Split.VALIDATION))
        return found.correct == found.count

    @property
    def pool_logits(self) -> NDArray[np.float32]:
        """What the head says of the pool, (n, K)."""
        logits: NDArray[np.float32] = self.head.logits(torch.from_numpy(self.pool)).numpy()
        return logits

    @property
    def truth(self) -> float:
        """The accuracy on the pool, each class weighing the same, as it does in the splits."""
        right = self.pool_logits.argmax(axis=1) == self.pool_idxs
        return float(np.mean([right[self.pool_idxs == idx].mean() for idx in np.unique(self.pool_idxs)]))

    def judge(self, temperature: float) -> tuple[float, float]:
        """Return negative log-likelihood (nats a picture) and calibration error (points) on all that is unseen."""
        test = self.score(Split.TEST)
        logits = np.concatenate([test.logits, self.pool_logits]).astype(np.float64)
        truths = np.concatenate([test.class_idxs, self.pool_idxs])
        error = reliability(logits, truths, temperature=temperature).calibration_error
        return -log_likelihood(logits / temperature, truths) / len(truths), 100 * error

    @property
    def temperature(self) -> float:
        """The temperature that the page would name."""
        found = calibrate(self.head, self.features)
        return found.temperature if found else 1.0


def studies(data: Path) -> Iterator[Study]:
    """Read the sets that there are."""
    backbone = load_backbone(ZOO[EMBEDDED])
    for archive in sorted((data / "sets").glob("*.zip")) or [data / "hymenoptera.zip"]:
        yield Study.of(archive, backbone)


def intervals(study: Study) -> Rows:
    """Train with reseeded splits: does the reported interval hold the accuracy on the pool?"""
    rows = []
    for name, recipe in RECIPES.items():
        trials = [study.train(recipe, count=CHOSEN, seed=seed) for seed in range(NUM_SPLITS)]
        for split in (Split.VALIDATION, Split.TEST):
            found = [measure(each.score(split)) for each in trials]
            pairs = list(zip(found, trials, strict=True))
            holds = sum(accuracy.low <= trial.truth <= accuracy.high for accuracy, trial in pairs)
            flattery = 100 * np.array([accuracy.share - trial.truth for accuracy, trial in pairs])
            spread = flattery.std(ddof=1) / NUM_SPLITS**0.5
            check = f"{study.name}, {name}: intervals of {split.value} ({found[0].count}) that hold the truth"
            measured = f"{holds} of {NUM_SPLITS}; reported less true {flattery.mean():+.1f} ± {spread:.1f} points"
            rows.append((check, f"27 of {NUM_SPLITS}", measured))
    return rows


def temperatures(study: Study) -> Rows:
    """Fit temperatures from few pictures: are unseen pictures better off?"""
    rows = []
    for count in FEW:
        trials = [study.train(Recipe(), count=count, seed=seed) for seed in range(NUM_FITS)]
        rows.append(_compare(f"{study.name}, {count} pictures a class", "-", trials))
    return rows


def perfect(study: Study) -> Rows:
    """Fit temperatures where all validation pictures are right: are unseen pictures not worse off?"""
    num_classes = len(study.collection.classes)
    groups = chain(combinations(range(num_classes), 2), combinations(range(num_classes), 3))
    cases = [(group, seed) for group in groups for seed in range(60 if num_classes == 2 else 1)]
    trials = (
        study.train(Recipe(), count=5 * NUM_PERFECT // len(group), seed=seed, classes=group) for group, seed in cases
    )
    found = list(islice((each for each in trials if each.is_all_right), NUM_FITS))
    check = f"{study.name}, validation all right"
    return [_compare(check, "not worse in 9 fits of 10", found)] if found else [(check, "-", "no such fit")]


def _compare(check: str, promised: str, trials: Sequence[Trial]) -> tuple[str, str, str]:
    temperatures = [each.temperature for each in trials]
    before = np.array([each.judge(1.0) for each in trials])
    after = np.array([each.judge(one) for each, one in zip(trials, temperatures, strict=True)])
    not_worse = int((after[:, 0] <= before[:, 0] + 1e-9).sum())
    (loss, error), (new_loss, new_error) = before.mean(axis=0), after.mean(axis=0)
    measured = (
        f"likelihood not worse in {not_worse} of {len(trials)}; T {min(temperatures):.2f} to {max(temperatures):.2f}; "
        f"NLL {loss:.3f} > {new_loss:.3f}, calibration error {error:.1f} > {new_error:.1f} points"
    )
    return f"{check}: unseen pictures, without > with temperature", promised, measured


def sureness(data: Path) -> Rows:
    """Ask the embedded network about photographs of known class: how sure is it, how often is it right?"""
    backbone, folder = load_backbone(ZOO[EMBEDDED]), data / "imagenet_samples"
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    pictures = [backbone.transform(read_image(folder / each["file"], SETTINGS)) for each in labels]
    logits = np.concatenate([backbone.answer(picture[np.newaxis]).logits.numpy() for picture in pictures])
    truths = np.array([int(each["class_index"]) for each in labels])
    measured = reliability(logits, truths)
    accuracy = measure(Scores(np.arange(len(truths)), truths, logits, logits, backbone.spec.class_names))
    mean = softmax(logits).max(axis=1).mean()
    said = (
        f"{accuracy.correct} of {accuracy.count} ({accuracy.low:.1%} to {accuracy.high:.1%}), "
        f"mean sureness {mean:.1%}, calibration error {100 * measured.calibration_error:.1f} points"
    )
    page = f"{MEASURED.right} of {MEASURED.count}, mean sureness {MEASURED.mean:.1%} (on the page)"
    return [("imagenet_samples, the embedded network: right, and how sure", page, said)]


def all_sets(data: Path) -> Rows:
    """Take each set through all three questions."""
    return [row for study in studies(data) for ask in (intervals, temperatures, perfect) for row in ask(study)]


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (sureness, all_sets)
