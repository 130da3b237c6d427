"""How a network is best asked on this machine: in how many threads, for how many pictures; found by trying."""

import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAX_BATCH = 8  # pictures in one forward pass
MEASURING_S = 0.5  # after which a measurement begins nothing larger
_REPEATS = 3  # timed passes of a kind, after one that is not: its memory and its steps are made at the first
_DOUBLING_SAVES = 0.4  # share of the time that twice as many threads have to save, for they take others' cores
_FASTER_BY = 0.03  # share of the time for each picture that a larger batch has to save, for it makes others wait

# Until it is measured: on two cores a picture takes so long, and so much for each 10^9 multiply-adds.
_GUESSED_S, _GUESSED_S_PER_GFLOP = 0.008, 0.02
_GFLOPS_FOR_THREADS = 1.0  # smaller networks spend the time that threads save on waiting for each other

_NUM_WATCHED = 5  # latest passes of one picture that are compared with the plan
_OFF_BY = 1.6  # times as fast or as slow as planned
_ANEW_AFTER_S = 30.0

Timings = Mapping[tuple[int, int], float]  # (pictures, threads) to the seconds of one pass


@dataclass(frozen=True)
class Plan:
    """How a network is asked, and how long that takes.

    `num_threads` are those of a pass that has the machine for itself, `max_batch` the pictures that wait together and
    share a pass. `alone_s` is the time of one picture in `num_threads`, `picture_s` that of each of `max_batch` in one.
    """

    num_threads: int
    max_batch: int = MAX_BATCH
    alone_s: float = 0.0
    picture_s: float = 0.0
    is_measured: bool = False


def guess_plan(gflops: float, num_cores: int) -> Plan:
    """Return the plan of a network that was not measured yet, by its 10^9 multiply-adds for one picture."""
    seconds = _GUESSED_S + gflops * _GUESSED_S_PER_GFLOP
    num_threads = num_cores if gflops >= _GFLOPS_FOR_THREADS else 1
    return Plan(num_threads, MAX_BATCH, seconds / num_threads, seconds)


def choose_plan(timings: Timings) -> Plan:
    """Return the plan that measured seconds of passes speak for.

    Args:
        timings: At least those of one picture in one thread.
    """
    alone = {threads: seconds for (pictures, threads), seconds in timings.items() if pictures == 1}
    num_threads, *candidates = sorted(alone)
    for more in candidates:
        if not is_worth_it(alone[num_threads], alone[more]):
            break
        num_threads = more
    each = {pictures: seconds / pictures for (pictures, threads), seconds in timings.items() if threads == 1}
    max_batch = min(size for size in each if each[size] <= (1 + _FASTER_BY) * min(each.values()))
    return Plan(num_threads, max_batch, alone[num_threads], each[max_batch], is_measured=True)


def is_worth_it(fewer_s: float, more_s: float) -> bool:
    """Say whether twice as many threads save enough of a picture's time to take the cores of others for it."""
    return more_s <= (1 - _DOUBLING_SAVES) * fewer_s


def measure_plan(
    run: Callable[[int, int], object], num_cores: int, clock: Callable[[], float] = time.perf_counter
) -> Plan:
    """Try a network for about half a second, and choose its plan.

    Args:
        run: Asks the network once about so many pictures in so many threads.
        num_cores: The most threads that are tried.
        clock: Seconds.
    """
    timings: dict[tuple[int, int], float] = {}
    end = clock() + MEASURING_S

    def measure(pictures: int, threads: int) -> float:
        run(pictures, threads)
        seconds: list[float] = []
        while len(seconds) < _REPEATS and (not seconds or clock() < end):
            start = clock()
            run(pictures, threads)
            seconds.append(clock() - start)
        timings[pictures, threads] = statistics.median(seconds)  # not the least: beside neighbours luck is no plan
        return timings[pictures, threads]

    fewer_s, threads, pictures = measure(1, 1), 1, 2
    while threads < num_cores:
        threads = min(2 * threads, num_cores)
        more_s = measure(1, threads)
        if not is_worth_it(fewer_s, more_s):
            break
        fewer_s = more_s
    while pictures <= MAX_BATCH and clock() < end:
        measure(pictures, 1)
        pictures *= 2
    return choose_plan(timings)


class Watch:
    """Compares passes with their plan, and says when it has to be measured anew: cores became busy, or free again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with a plan that was just made."""
        self._clock, self._since = clock, clock()
        self._recent: deque[float] = deque(maxlen=_NUM_WATCHED)

    def note(self, plan: Plan, seconds: float) -> bool:
        """Note how long one picture alone took in the plan's threads; return whether the plan is off.

        After a True, nothing is off for half a minute.
        """
        self._recent.append(seconds)
        now, median = self._clock(), statistics.median(list(self._recent))  # two may note at once
        is_off = not plan.alone_s / _OFF_BY <= median <= plan.alone_s * _OFF_BY
        if not (plan.is_measured and is_off and len(self._recent) == _NUM_WATCHED):
            return False
        if now - self._since < _ANEW_AFTER_S:
            return False
        self._since = now
        self._recent.clear()
        return True
