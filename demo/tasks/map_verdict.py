"""The curves of an erased picture -> whether the heatmap held here, by the numbers."""

from dataclasses import dataclass
from enum import StrEnum

from demo.tasks.erase import Erasure, Part

_SMALLEST = 0.05  # of a probability before: the class is not there to be erased
_MARGIN = 0.1  # of the probability before: parts that differ by less are called equal


class MapVerdict(StrEnum):
    """How a map did: it holds, only its hottest places count, all count alike, it fails, or nothing can be said."""

    HOLDS = "holds"
    HOT_ONLY = "hot_only"
    EVEN = "even"
    FAILS = "fails"
    ABSENT = "absent"


@dataclass(frozen=True)
class MapTest:
    """What is left of a class's probability, 0 to 1, in the mean over the erased shares, for each part."""

    before: float
    hottest: float
    random: float
    coldest: float

    @staticmethod
    def of(erasure: Erasure) -> "MapTest":
        """Sum up the curves of `erase_by_map`."""
        parts = (Part.HOTTEST, Part.RANDOM, Part.COLDEST)
        left = {part: [each.probability for each in erasure.erased if each.part is part] for part in parts}
        hottest, random, coldest = (sum(left[part]) / len(left[part]) for part in parts)
        return MapTest(erasure.before, hottest, random, coldest)

    @property
    def verdict(self) -> MapVerdict:
        """Whether the probability falls as the map says: further than by chance where it is hot, less where cold."""
        margin = _MARGIN * self.before
        if self.before < _SMALLEST:
            return MapVerdict.ABSENT
        if self.hottest > self.random + margin:
            return MapVerdict.FAILS
        if self.hottest > self.random - margin:
            return MapVerdict.EVEN
        return MapVerdict.HOLDS if self.coldest > self.random + margin else MapVerdict.HOT_ONLY
