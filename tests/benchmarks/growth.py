"""How many visitors so many cores hold: a model of what the page does at rest, and a measured crowd beside it.

    python3 -m tests.benchmarks.growth 0.05

prints the rows of the benchmark's table, in four minutes; the number is the price of one core for an hour.

A visitor looks at an answer for a while, does the next thing and waits for it: a closed network of two stations. At the
first nobody waits for anybody (looking). The other is the page with its machine, a flow-equivalent server: how much
sooner things are done where so many are waited for is measured, and whoever waits has an even share of it. So whatever
visitors wait for each other for is in it: cores, Python's lock, a forward pass that has begun; and what they gain from
each other as well, pictures that are computed together. What each thing takes is measured while nobody else is there.

Source:
    Lazowska, Zahorjan, Graham & Sevcik, Quantitative System Performance, 1984, chapters 6 (interactive systems) and 8
    (flow-equivalent service centers).
"""

import heapq
import math
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from demo.settings import Settings
from demo.system import num_cores

THINK_S = 15.0  # the mean; how long somebody looks at an answer
GOAL_S = 1.0  # for 95 of 100 answers
CROWDS = (40, 100)  # visitors that are measured
TOLERANCE = 0.3  # of the model
TOTALS = (1_000, 10_000)
PRICE = 0.05  # of a core for an hour, where none is named: an example, and nobody's offer
_MANY = 20_000  # answers of one simulation
_WARM = 2_000  # of them, until it has forgotten how it began

Rows = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Action:
    """What one thing that visitors do takes, measured while nobody else is there; seconds.

    `walls` are those to the answer, of several times. `server` and `client` are seconds of a core, the mean of one.
    `share` is that of all that is done.
    """

    share: float
    walls: tuple[float, ...]
    server: float = 0.0
    client: float = 0.0


class Felt(NamedTuple):
    """What visitors feel: seconds to an answer, of half and of 95 of 100 of them."""

    p50: float
    p95: float


def percentiles(walls: Sequence[float]) -> tuple[float, float]:
    """Return the seconds within which half and 95 of 100 answers come."""
    cuts = statistics.quantiles(walls, n=20, method="inclusive")
    return cuts[9], cuts[18]


class Pace:
    """How fast a page works: how much more it does at a time for so many who wait than for one.

    Args:
        rates: By how many wait, that of one being 1; between two of them it is on the line, past the last it stays.
    """

    def __init__(self, rates: Mapping[int, float]) -> None:
        self._rates = sorted(rates.items())

    def __call__(self, waiting: int) -> float:
        """Return the rate where so many wait, at least one."""
        for (low, slow), (high, fast) in pairwise(self._rates):
            if waiting <= high:
                return slow + (fast - slow) * (waiting - low) / (high - low)
        return self.of_crowd

    @property
    def of_crowd(self) -> float:
        """The rate where more wait than it was measured for."""
        return self._rates[-1][1]


class Crowd:
    """Visitors of one page, played forward.

    Args:
        actions: What they do.
        visitors: How many.
        pace: The page's.
        think_s: The mean between an answer and what is done next; exponential.
        seed: Of all that is drawn.
    """

    def __init__(
        self, actions: Sequence[Action], visitors: int, pace: Pace, *, think_s: float = THINK_S, seed: int = 0
    ) -> None:
        self._actions, self._pace, self._think_s = actions, pace, think_s
        self._shares = [each.share for each in actions]
        self._random = random.Random(seed)
        self._now = 0.0
        self._done = 0.0  # what each of those who have waited since the beginning has had, in seconds of one alone
        self._waiting: list[tuple[float, float]] = []  # what `_done` is at the answer, and when it was asked for
        self._looking = [self._draw_click() for _ in range(visitors)]  # the time of the next click
        heapq.heapify(self._looking)
        self.walls: list[float] = []

    def play(self, num_answers: int = _MANY) -> Felt:
        """Go on until so many answers have come; return what was felt, but for those at the beginning."""
        while len(self.walls) < num_answers + _WARM:
            share = self._pace(len(self._waiting)) / len(self._waiting) if self._waiting else 0.0
            answered = self._now + (self._waiting[0][0] - self._done) / share if share else math.inf
            then = min(answered, self._looking[0]) if self._looking else answered
            self._done += (then - self._now) * share
            self._now = then
            if then == answered:
                self._answer()
            else:
                self._ask()
        return Felt(*percentiles(self.walls[_WARM:]))

    def _ask(self) -> None:
        asked = heapq.heappop(self._looking)
        (action,) = self._random.choices(self._actions, self._shares)
        heapq.heappush(self._waiting, (self._done + self._random.choice(action.walls), asked))

    def _answer(self) -> None:
        _, asked = heapq.heappop(self._waiting)
        self.walls.append(self._now - asked)
        heapq.heappush(self._looking, self._draw_click())

    def _draw_click(self) -> float:
        return self._now + self._random.expovariate(1 / self._think_s)


def count_held(
    actions: Sequence[Action], pace: Pace, *, think_s: float = THINK_S, goal_s: float = GOAL_S, num_answers: int = _MANY
) -> int:
    """Return how many visitors a page holds: the most of whom 95 of 100 have their answer in time, to 2%."""
    wall = sum(each.share * statistics.fmean(each.walls) for each in actions) / sum(each.share for each in actions)
    # Whose answers take the goal in the mean keep the page busy when they are so many.
    low, high = 0, math.ceil(1.5 * pace.of_crowd * (think_s + goal_s) / wall)
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        felt = Crowd(actions, middle, pace, think_s=think_s).play(num_answers)
        low, high = (middle, high) if felt.p95 <= goal_s else (low, middle)
    return low


class Size(NamedTuple):
    """How many pages, and cores for all of them together, so many visitors need."""

    pages: int
    cores: int


def size_for(visitors: int, held: int, *, max_sessions: int, cores: int) -> Size:
    """Return what visitors need, where a page on so many cores holds `held` of them, and sessions are limited."""
    cores_needed = math.ceil(cores * visitors / held)
    return Size(math.ceil(visitors / min(held, max_sessions)), cores_needed)


# ---- measured


def growth(price: float | None = None) -> Rows:
    """Measure what each thing takes, then a crowd; say what the model says of that crowd, and of larger ones."""
    from tests.benchmarks import pupils

    measured = pupils.measure(CROWDS, THINK_S)
    rows: Rows = [
        (
            f"growth: {name}, alone",
            "-",
            f"{1000 * statistics.fmean(each.walls):.0f} ms; {1000 * each.server:.0f} ms of a core, the visitor's"
            f" program {1000 * each.client:.0f}",
        )
        for name, each in measured.actions.items()
    ]
    paces = ", ".join(f"{rate:.2f} times for {count}" for count, rate in measured.rates.items())
    rows.append(("growth: what is done at a time, to one visitor who never looks", "-", paces))
    rows.append(("growth: the page at rest", "-", f"{100 * measured.at_rest:.1f}% of a core"))
    actions, pace = list(measured.actions.values()), Pace(measured.rates)
    for visitors, walls in measured.crowds.items():
        rows += _compare(visitors, Crowd(actions, visitors, pace).play(), walls)
    return rows + _foresee(actions, pace, PRICE if price is None else price)


def _compare(visitors: int, model: Felt, walls: Sequence[float]) -> Rows:
    rows = []
    for name, said, felt in zip(("p50", "p95"), model, percentiles(walls), strict=True):
        ratio = said / felt
        holds = "holds" if abs(ratio - 1) <= TOLERANCE else "FAILS"
        told = f"{holds}: {ratio:.2f} times ({1000 * said:.0f} to {1000 * felt:.0f} ms, {len(walls)} answers)"
        rows.append((f"{visitors} visitors, {name}: the model's to the measured one", f"within {TOLERANCE:.0%}", told))
    return rows


def _foresee(actions: Sequence[Action], pace: Pace, price: float) -> Rows:
    held, cores = count_held(actions, pace), num_cores()
    rows = [(f"growth: visitors that {cores} cores hold, 95% within {GOAL_S:.0f} s", "-", str(held))]
    for total in TOTALS if held else ():  # where one alone waits longer, no number of pages helps
        size = size_for(total, held, max_sessions=Settings().max_sessions, cores=cores)
        told = f"{size.pages} pages, {size.cores} cores, {size.cores * price:.2f} an hour at {price} for a core"
        rows.append((f"growth: {total:,} visitors", "-", told))
    return rows


BENCHMARKS: tuple[Callable[[], Rows], ...] = (growth,)


def main(arguments: Sequence[str]) -> None:
    """Print the rows."""
    for row in growth(float(arguments[0]) if arguments else None):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
