"""How long whoever waits will wait: the rules of the turns, played forward over what is left of each work."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar
from weakref import WeakKeyDictionary

from demo.visitors.fairness import Fairness, Work

_ANEW_AFTER_S = 2.0  # forty who watch ask a hundred times a second
_ROUND_TO = ((10, 1), (60, 5), (300, 10))  # below so many seconds, to multiples of so many

Key = TypeVar("Key", bound=Hashable)


class Outlook:
    """The last forecast, which holds for a second, or until work comes or goes."""

    def __init__(self, fairness: Fairness) -> None:
        self._fairness = fairness
        self._foreseen_at = float("-inf")
        self._ends = WeakKeyDictionary[
            Hashable, float
        ]()  # a work that has ended, and its head, are kept by nobody here

    def foresee(
        self, works: Mapping[Key, Work], expect_left_s: Callable[[Key], float], now: float
    ) -> Mapping[Key, float]:
        """Return in how many seconds each work will be done.

        Args:
            works: All that wait or run.
            expect_left_s: Returns how many seconds a work still needs for itself.
            now: The time by the account's clock.
        """
        if set(self._ends) != set(works) or now - self._foreseen_at > _ANEW_AFTER_S:
            needs = [expect_left_s(each) for each in works]
            times = self._fairness.forecast(list(works.values()), needs, now)
            self._foreseen_at, self._ends = now, WeakKeyDictionary(zip(works, times, strict=True))
        return {each: self._ends[each] for each in works}


def round_seconds(seconds: float) -> int:
    """Return seconds as they are said: the more, the rounder, so that they are not said anew all the time."""
    for limit, step in _ROUND_TO:
        if seconds < limit:
            return max(1, round(seconds / step) * step)
    return round(seconds / 60) * 60
