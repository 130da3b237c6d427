"""How long work takes: learned from what has ended, and for each piece of work corrected by how far it is."""

import statistics
from collections import defaultdict, deque
from dataclasses import dataclass

from demo.data.dataset import Dataset, Split
from demo.models.recipe import Recipe, Trains
from demo.models.zoo import find_spec
from demo.system import num_cores
from demo.tasks.features import PLAIN, FeatureCache, choose_views

_NUM_REMEMBERED = 20  # of each kind of work
_TAIL_PART = 0.25  # of a head, until one has ended: as long as a part of what the looking takes
_LEAST_S = 0.2  # what is nearly over
# Guesses, until the first has ended.
_SIDE_BY_SIDE = 1.3  # times as long each picture takes while all cores look at some, and with the reading of it
_FITTING_S = 0.5
_DEEPER = {Trains.HEAD: 0.0, Trains.LAST_STAGE: 0.5, Trains.EVERYTHING: 3.0}  # times as long for each epoch
_FIXED_UNITS = 10  # as many pictures as what comes before and after them takes


@dataclass(frozen=True)
class Size:
    """How much a piece of work is, to be compared with others of its kind: its units, and seconds to begin with."""

    kind: str
    units: float = 1.0
    guess_s: float = 3.0


class Durations:
    """Seconds for each unit of each kind of work, and how many came after all pictures were looked at."""

    def __init__(self) -> None:
        self._rates: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_NUM_REMEMBERED))
        self._supposed: dict[str, float] = {}
        self._tails: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_NUM_REMEMBERED))

    def learn(self, size: Size, used_s: float, looked_s: float = 0.0) -> None:
        """Note what work has used by its end, and what of that until the last picture was looked at."""
        self._rates[size.kind].append(used_s / size.units)
        self._tails[size.kind].append(used_s - looked_s)

    def suppose(self, size: Size, total_s: float) -> None:
        """Note what work that is under way seems to use in all; it counts until some of its kind has ended."""
        self._supposed[size.kind] = total_s / size.units

    def expect(self, size: Size) -> float:
        """Return how many seconds work will use in all; its own guess until some of its kind has begun."""
        rates = self._rates.get(size.kind) or ([self._supposed[size.kind]] if size.kind in self._supposed else [])
        return statistics.median(rates) * size.units if rates else size.guess_s

    def expect_tail(self, size: Size, looks_s: float) -> float:
        """Return how many seconds will come after all pictures were looked at, which takes so long."""
        tails = self._tails.get(size.kind)
        return statistics.median(tails) if tails else _TAIL_PART * looks_s

    def expect_left(self, size: Size, used_s: float) -> float:
        """Return how many seconds are left of work of which no more is known than what it has used."""
        expected_s = self.expect(size)
        return max(expected_s - used_s, 0.1 * expected_s, _LEAST_S)


def measure_training(
    backbone_name: str, picture_s: float, dataset: Dataset, recipe: Recipe, cache: FeatureCache | None = None
) -> Size:
    """Return how much a training is: the views of pictures that the network has to look at, each as often as it does.

    Args:
        backbone_name: The network.
        picture_s: How long it takes for each picture, in one thread.
        dataset: What it learns from.
        recipe: How.
        cache: What is known of the pictures already; only a head alone makes use of it.
    """
    spec, views = find_spec(backbone_name), (PLAIN, *choose_views(recipe))
    known = cache if cache and recipe.trains is Trains.HEAD else FeatureCache()
    looks = sum(
        known.find(spec.name, view, each.digest) is None
        for each in dataset.samples
        for view in (views if each.split is Split.TRAIN else (PLAIN,))
    )
    units = _FIXED_UNITS + looks * (1 + recipe.epochs * _DEEPER[recipe.trains])
    return Size(f"{recipe.trains} {spec.name}", units, _FITTING_S + units * picture_s * _SIDE_BY_SIDE / num_cores())
