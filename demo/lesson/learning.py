"""What the steps measure by training: on starter sets and scans of digits, which are nobody's data."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from typing import Any, TypeVar

from demo.data.dataset import Dataset, make_dataset
from demo.data.starters import STARTERS, read_starter
from demo.lesson.found import Found
from demo.models.backbone import Backbone
from demo.models.recipe import Optimizer, Recipe
from demo.settings import Settings
from demo.tasks.copies import CopiesResult, measure_copies
from demo.tasks.customers import Outcome, sum_up
from demo.tasks.depth import DEPTHS, DepthEnd, Design, judge, train_depths
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.layers import LayersPoint, judge_layers
from demo.tasks.layers import measure_layers as compare_layers
from demo.tasks.race import Contender, Finish, race
from demo.tasks.swap import judge_swapped

Ended = TypeVar("Ended")

_ALIKE = 0.05  # a difference of two shares below which they are called about the same
_CUSTOMERS = ("digits", "signs")
_CUSTOMERS_PER_CLASS = 12


def measure_depth(_: Backbone, __: Settings) -> Found:
    """Train the shallowest and the deepest networks of both kinds on the digits."""
    designs = [Design(depth, residual) for residual in (False, True) for depth in (DEPTHS[0], DEPTHS[-1])]
    verdict = judge([each for each in train_depths(designs=designs) if isinstance(each, DepthEnd)])
    assert verdict is not None, "both kinds have ended at two depths"
    (shallow, deep), residual = verdict.plain, verdict.residual
    answer = 1 if abs(deep - shallow) < _ALIKE else 2 if deep > shallow else 0
    numbers: dict[str, float] = {"shallow": verdict.shallow.depth, "deep": verdict.deep.depth}
    numbers |= {"plain_shallow": shallow, "plain_deep": deep}
    return Found(answer, {**numbers, "residual_shallow": residual[0], "residual_deep": residual[1]})


def measure_race(backbone: Backbone, settings: Settings) -> Found:
    """Let the race's first three contenders learn a set of drawings."""
    finished = dict[Contender, Finish]()
    with closing(race(backbone, _read("shapes", settings), settings)) as running:
        for each in running:
            if isinstance(each, Finish):
                finished[each.contender] = each
            if Contender.PRETRAINED in finished:
                break
    runners = [finished[each].accuracy for each in (Contender.SCRATCH, Contender.RANDOM, Contender.PRETRAINED)]
    best = max(range(len(runners)), key=lambda place: runners[place].correct)
    return Found(best, dict(zip(("scratch", "random", "pretrained"), runners, strict=True)))


def measure_layers(backbone: Backbone, settings: Settings) -> Found:
    """Train heads with zero to three hidden layers, with the true labels and with shuffled ones."""
    heads = compare_layers(backbone, _read("shapes", settings), settings)
    points = [each for each in heads if isinstance(each, LayersPoint)]
    linear, best, _ = judge_layers(points)
    strange = next(each for each in points if each.is_shuffled and each.hidden_layers == best.hidden_layers)
    learned = strange.train.share
    return Found(
        2 if learned > 0.8 else 1 if learned > 0.4 else 0,
        {
            "layers": best.hidden_layers,
            "linear": linear.val,
            "deep": best.val,
            "learned": learned,
            "unseen": strange.val.share,
            "chance": strange.chance,
        },
    )


def measure_instead(backbone: Backbone, settings: Settings) -> Found:
    """Exchange the grounds of a set whose grounds give the class away; and deal near-copies over a split."""
    dataset = _read("meadow", settings)
    tuned = _last_of(FineTuned, fine_tune(backbone, dataset, Recipe(), settings))
    swapped = judge_swapped(tuned.head, backbone, dataset, tuned.features, settings)
    copies = _last_of(CopiesResult, measure_copies(backbone, _read("albums", settings), settings))
    share = swapped.after.share
    return Found(
        0 if share > 0.8 else 2 if share < 0.3 else 1,
        {
            "same": swapped.before,
            "swapped": swapped.after,
            "mixed": swapped.mixed,
            "leaky": copies.by_chance.mean,
            "honest": copies.together.mean,
        },
    )


def measure_customers(backbone: Backbone, settings: Settings) -> Found:
    """Train a head for each of two customers, and compare the network's numbers before and after."""
    before = {name: each.clone() for name, each in backbone.network.state_dict().items()}
    first, second = (_serve(backbone, name, settings) for name in _CUSTOMERS)
    after = backbone.network.state_dict()
    changed = sum(int((after[name] != each).sum()) for name, each in before.items())
    numbers: dict[str, float] = {"shared": first.num_shared, "own": first.num_own, "changed": changed}
    numbers |= {"share": first.num_own / first.num_shared}
    numbers |= {"first_right": first.correct, "first_count": first.count}
    numbers |= {"second_right": second.correct, "second_count": second.count}
    return Found(2 if not changed else 1 if changed < first.num_shared / 2 else 0, numbers)


def _serve(backbone: Backbone, name: str, settings: Settings) -> Outcome:
    """Train a customer's head in closed form on a few pictures of each class of a starter set."""
    count = _CUSTOMERS_PER_CLASS * len(STARTERS[name].class_names)
    dataset = _read(name, replace(settings, max_pictures=min(settings.max_pictures, count)))
    tuned = _last_of(FineTuned, fine_tune(backbone, dataset, Recipe(optimizer=Optimizer.RIDGE), settings))
    return sum_up(backbone, tuned.head, dataset)


def _last_of(kind: type[Ended], running: Iterable[Any]) -> Ended:
    """Run a stream to its end; return the last of what it yields that is of a kind."""
    *_, last = (each for each in running if isinstance(each, kind))
    return last


def _read(name: str, settings: Settings) -> Dataset:
    return make_dataset(read_starter(name, settings), settings)
