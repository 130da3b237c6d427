"""Two heads and the same pictures -> which is better, and whether that may be chance."""

import math
from dataclasses import dataclass
from enum import StrEnum

from demo.tasks.evaluate import Scores

_CHANCE = 0.05  # a difference is called chance unless chance makes one as large less often than this


class Verdict(StrEnum):
    """How a training of more layers did beside the head alone."""

    BETTER = "better"
    BETTER_BY_CHANCE = "better_by_chance"
    EVEN = "even"
    WORSE_BY_CHANCE = "worse_by_chance"
    WORSE = "worse"


@dataclass(frozen=True)
class Comparison:
    """A training of more layers and a head alone on the same `count` pictures.

    `deeper` and `alone` are how many each gets right; `only_deeper` and `only_alone` how many one gets right and the
    other does not.
    """

    count: int
    deeper: int
    alone: int
    only_deeper: int
    only_alone: int

    @property
    def p_value(self) -> float:
        """How often chance would make the two differ as much or more, 0 to 1: the exact two-sided sign test.

        Only the pictures on which one of them is right tell them apart, and for two that are equally good each of these
        is a coin's toss.

        Source:
            McNemar 1947, https://doi.org/10.1007/BF02295996
        """
        return sign_test(self.only_deeper, self.only_alone)

    @property
    def verdict(self) -> Verdict:
        """Which is better, and whether that may be chance."""
        return judge(self.only_deeper, self.only_alone)


def sign_test(only_one: int, only_other: int) -> float:
    """Return how often chance would part two that are equally good so unevenly or more, 0 to 1, two-sided and exact."""
    parted = only_one + only_other
    tail = sum(math.comb(parted, each) for each in range(min(only_one, only_other) + 1))
    return min(1.0, tail / 2.0 ** (parted - 1))


def judge(only_one: int, only_other: int) -> Verdict:
    """Return whether the one is better, by the pictures that only one of the two gets right."""
    if only_one == only_other:
        return Verdict.EVEN
    is_chance = sign_test(only_one, only_other) >= _CHANCE
    if only_one > only_other:
        return Verdict.BETTER_BY_CHANCE if is_chance else Verdict.BETTER
    return Verdict.WORSE_BY_CHANCE if is_chance else Verdict.WORSE


def compare(deeper: Scores, alone: Scores) -> Comparison:
    """Compare what two heads say of the same pictures."""
    ours, theirs = (each.answers == each.class_idxs for each in (deeper, alone))
    numbers = (len(ours), ours.sum(), theirs.sum(), (ours & ~theirs).sum(), (theirs & ~ours).sum())
    return Comparison(*map(int, numbers))
