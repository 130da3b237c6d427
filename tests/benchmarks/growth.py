"""How many visitors so many cores hold: a model of what the page does at rest, and a measured crowd beside it.

    python3 -m tests.benchmarks.growth 0.05

prints the rows of the benchmark's table, in four minutes; the number is the price of one core for an hour.

A visitor looks at an answer for a while, does the next thing and waits for it: a closed network of two stations. At the
first nobody waits for anybody (looking, and the server's own pauses). The other is the machine's cores, which whoever
is at work shares evenly, each with one core at most. What each thing takes of them is measured while nobody else is
there, and what the visitor's own program takes as well, for in the measured crowd it runs on the same cores.

Source:
    Lazowska, Zahorjan, Graham & Sevcik, Quantitative System Performance, 1984, chapter 6 (interactive systems).
"""

import heapq
import math
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from demo.settings import Settings
from demo.system import num_cores

THINK_S = 15.0  # the mean; how long somebody looks at an answer
GOAL_S = 1.0  # for 95 of 100 answers
CROWDS = (40, 100)  # visitors that are measured
TOLERANCE = 0.3  # of the model
PAGE_CORES = 2  # of one page, as the model is checked
TOTALS = (1_000, 10_000)
PRICE = 0.05  # of a core for an hour, where none is named: an example, and nobody's offer
_MANY = 20_000  # answers of one simulation
_WARM = 2_000  # of them, until it has forgotten how it began

Rows = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Action:
    """What one thing that visitors do takes, measured while nobody else is there; seconds.

    `walls` are those from the first byte to the answer, of several times. `server` and `client` are seconds of a core,
    the mean of one: what they are longer than the answer takes is work after it. `share` is that of all that is done.
    """

    share: float
    walls: tuple[float, ...]
    server: float
    client: float = 0.0

    @property
    def wall(self) -> float:
        """The mean until the answer."""
        return statistics.fmean(self.walls)

    @property
    def work(self) -> float:
        """What of it is work, on one core."""
        return min(self.wall, self.server + self.client)

    @property
    def pause(self) -> float:
        """What of it is no work."""
        return self.wall - self.work

    @property
    def rest(self) -> float:
        """Work that is done after the answer."""
        return self.server + self.client - self.work

    def elsewhere(self) -> "Action":
        """Return the same for a visitor whose program runs on another machine."""
        return replace(self, walls=tuple(max(0.001, each - self.client) for each in self.walls), client=0.0)


class Felt(NamedTuple):
    """What visitors feel: seconds to an answer, of half and of 95 of 100 of them; and the cores that are busy."""

    p50: float
    p95: float
    busy: float


def percentiles(walls: Sequence[float]) -> tuple[float, float]:
    """Return the seconds within which half and 95 of 100 answers come."""
    cuts = statistics.quantiles(walls, n=20, method="inclusive")
    return cuts[9], cuts[18]


class Crowd:
    """Visitors of one machine, played forward.

    Args:
        actions: What they do.
        visitors: How many.
        cores: Those of the machine.
        think_s: The mean between an answer and what is done next; exponential.
        seed: Of all that is drawn.
    """

    def __init__(
        self, actions: Sequence[Action], visitors: int, *, cores: float, think_s: float = THINK_S, seed: int = 0
    ) -> None:
        self._actions, self._cores, self._think_s = actions, cores, think_s
        self._random = random.Random(seed)
        self._now = 0.0
        self._done = 0.0  # work that each of those who are at it since the beginning has had
        self._used = 0.0  # work of all cores
        self._working: list[tuple[float, int, float, float]] = []  # when done, number, time of the click, work after it
        self._waiting = [(self._draw_pause(), number, -1.0, 0.0, 0.0) for number in range(visitors)]
        heapq.heapify(self._waiting)
        self._count = visitors
        self.walls: list[float] = []

    def play(self, num_answers: int = _MANY) -> Felt:
        """Go on until so many answers have come; return what was felt, but for those at the beginning."""
        while len(self.walls) < num_answers + _WARM:
            ends = self._when_done()
            if self._waiting and self._waiting[0][0] <= ends:
                self._move_to(self._waiting[0][0])
                self._begin(heapq.heappop(self._waiting))
            else:
                self._move_to(ends)
                self._end(heapq.heappop(self._working))
        return Felt(*percentiles(self.walls[_WARM:]), self._used / self._now)

    @property
    def _speed(self) -> float:
        """The share of a core that each has who is at work."""
        return min(1.0, self._cores / len(self._working)) if self._working else 1.0

    def _when_done(self) -> float:
        return self._now + (self._working[0][0] - self._done) / self._speed if self._working else math.inf

    def _move_to(self, time: float) -> None:
        work = (time - self._now) * self._speed
        self._done += work
        self._used += work * len(self._working)
        self._now = time

    def _begin(self, waited: tuple[float, int, float, float, float]) -> None:
        """Let somebody who has looked long enough do something, or go on with what was paused."""
        _, _, clicked, work, rest = waited
        if clicked >= 0:
            self._work(work, clicked, rest)
            return
        (action,) = self._random.choices(self._actions, [each.share for each in self._actions])
        scale = self._random.choice(action.walls) / action.wall
        paused = self._now + scale * action.pause
        self._wait(paused, self._now, scale * action.work, action.rest)

    def _end(self, worked: tuple[float, int, float, float]) -> None:
        """Give an answer; whoever has it looks at it, while the page may still work."""
        _, _, clicked, rest = worked
        if clicked < 0:
            return
        self.walls.append(self._now - clicked)
        if rest:
            self._work(rest, -1.0, 0.0)
        self._wait(self._now + self._draw_pause(), -1.0, 0.0, 0.0)

    def _work(self, work: float, clicked: float, rest: float) -> None:
        self._count += 1
        heapq.heappush(self._working, (self._done + work, self._count, clicked, rest))

    def _wait(self, until: float, clicked: float, work: float, rest: float) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (until, self._count, clicked, work, rest))

    def _draw_pause(self) -> float:
        return self._random.expovariate(1 / self._think_s)


def count_held(
    actions: Sequence[Action],
    *,
    cores: float = PAGE_CORES,
    think_s: float = THINK_S,
    goal_s: float = GOAL_S,
    num_answers: int = _MANY,
) -> int:
    """Return how many visitors a machine holds: the most of whom 95 of 100 have their answer in time, to 2%."""
    work = sum(each.share * (each.work + each.rest) for each in actions) / sum(each.share for each in actions)
    # Whose answers take the goal in the mean keep all cores busy when they are so many.
    low, high = 0, math.ceil(1.5 * cores * (think_s + goal_s) / work)
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        felt = Crowd(actions, middle, cores=cores, think_s=think_s).play(num_answers)
        low, high = (middle, high) if felt.p95 <= goal_s else (low, middle)
    return low


class Size(NamedTuple):
    """How many pages, and cores for all of them together, so many visitors need."""

    pages: int
    cores: int


def size_for(visitors: int, held: int, *, max_sessions: int, cores: int = PAGE_CORES) -> Size:
    """Return what visitors need, where a page on so many cores holds `held` of them, and sessions are limited."""
    cores_needed = math.ceil(cores * visitors / held)
    return Size(math.ceil(visitors / min(held, max_sessions)), cores_needed)


# ---- measured


def growth(price: float | None = None) -> Rows:
    """Measure what each thing takes, then a crowd; say what the model says of that crowd, and of larger ones."""
    from tests.benchmarks import pupils

    measured = pupils.measure(CROWDS, THINK_S)
    actions = measured.actions
    rows: Rows = [
        (
            f"growth: {name}, alone",
            "-",
            f"{1000 * each.wall:.0f} ms; {1000 * each.server:.0f} ms of a core, the visitor's program"
            f" {1000 * each.client:.0f}",
        )
        for name, each in actions.items()
    ]
    rows.append(("growth: the page at rest", "-", f"{100 * measured.at_rest:.1f}% of a core"))
    for visitors, felt in measured.crowds.items():
        model = Crowd(list(actions.values()), visitors, cores=num_cores() - measured.at_rest).play()
        rows += _compare(visitors, model, felt.walls)
        busy = f"{model.busy + measured.at_rest:.2f} to {felt.busy:.2f}"
        rows.append((f"{visitors} visitors, busy cores: the model's to the measured ones", "-", busy))
    program = {"the program alone": [replace(actions["program"], share=1.0)]}
    everything = {"all kinds of clicks": list(actions.values()), **program}
    for what, kinds in everything.items():
        rows += _foresee(
            what, [each.elsewhere() for each in kinds], measured.at_rest, PRICE if price is None else price
        )
    return rows


def _compare(visitors: int, model: Felt, walls: Sequence[float]) -> Rows:
    rows = []
    for name, said, felt in zip(("p50", "p95"), model, percentiles(walls), strict=False):
        ratio = said / felt
        holds = "holds" if abs(ratio - 1) <= TOLERANCE else "FAILS"
        told = f"{holds}: {ratio:.2f} times ({1000 * said:.0f} to {1000 * felt:.0f} ms, {len(walls)} answers)"
        rows.append((f"{visitors} visitors, {name}: the model's to the measured one", f"within {TOLERANCE:.0%}", told))
    return rows


def _foresee(what: str, actions: Sequence[Action], at_rest: float, price: float) -> Rows:
    held = count_held(actions, cores=PAGE_CORES - at_rest)
    rows = [(f"{what}: visitors that {PAGE_CORES} cores hold, 95% within {GOAL_S:.0f} s", "-", str(held))]
    for total in TOTALS if held else ():  # where one alone waits longer, no number of pages helps
        size = size_for(total, held, max_sessions=Settings().max_sessions)
        told = f"{size.pages} pages, {size.cores} cores, {size.cores * price:.2f} an hour at {price} for a core"
        rows.append((f"{what}: {total:,} visitors", "-", told))
    return rows


BENCHMARKS: tuple[Callable[[], Rows], ...] = (growth,)


def main(arguments: Sequence[str]) -> None:
    """Print the rows."""
    for row in growth(float(arguments[0]) if arguments else None):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
