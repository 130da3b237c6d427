"""The model of growth: held to what can be computed exactly, and to what anybody would expect."""

import math
import random
import statistics

import pytest

from tests.benchmarks.growth import Action, Crowd, Pace, Size, count_held, percentiles, size_for

TWO = Pace({1: 1.0, 2: 2.0})  # two equal cores, and nothing else to wait for


def exact_mean(visitors: int, cores: int, think_s: float, work_s: float) -> float:
    """Return the mean seconds to an answer in a closed network of a delay and equal cores.

    By the chain of how many are at work; where all share the cores evenly, only the means of the times matter.
    """
    weights = [1.0]
    for number in range(visitors):
        comes, goes = (visitors - number) / think_s, min(number + 1, cores) / work_s
        weights.append(weights[-1] * comes / goes)
    working = sum(number * weight for number, weight in enumerate(weights)) / sum(weights)
    per_s = sum(min(number, cores) / work_s * weight for number, weight in enumerate(weights)) / sum(weights)
    return working / per_s


@pytest.mark.parametrize("visitors", [1, 50, 100])
def test_the_mean_is_the_exact_one_however_the_times_are_spread(visitors: int) -> None:
    spread = random.Random(1)
    exponential = tuple(spread.expovariate(1 / 0.2) for _ in range(400))
    for walls in ((0.2,), exponential):
        action = Action(1.0, walls)
        crowd = Crowd([action], visitors, TWO, think_s=5.0)
        crowd.play(3_000)
        expected = exact_mean(visitors, 2, 5.0, statistics.fmean(walls))
        assert statistics.fmean(crowd.walls[2_000:]) == pytest.approx(expected, rel=0.12)


def test_alone_a_visitor_feels_what_was_measured_alone() -> None:
    crowd = Crowd([Action(0.5, (0.1, 0.2)), Action(0.5, (0.4,))], 1, TWO)
    assert crowd.play(1_000).p95 == pytest.approx(0.4)
    assert {round(wall, 6) for wall in crowd.walls} == {0.1, 0.2, 0.4}


def test_a_pace_is_what_was_measured_and_between_it_on_the_line() -> None:
    pace = Pace({4: 1.5, 1: 1.0, 2: 1.3})
    assert [pace(waiting) for waiting in (1, 2, 3, 4, 90)] == pytest.approx([1.0, 1.3, 1.4, 1.5, 1.5])


def test_a_faster_pace_holds_more_and_what_is_held_is_on_the_edge() -> None:
    action = [Action(1.0, (0.1, 0.2))]
    held = [count_held(action, pace, num_answers=1_000) for pace in (Pace({1: 1.0}), TWO)]
    assert held[1] > 2 * held[0]  # whoever has come last waits less for one who takes long
    assert held[1] < 2 * (15 + 1) / 0.15  # where the page is busy all the time
    assert Crowd(action, held[1], TWO).play(1_000).p95 <= 1.0
    assert Crowd(action, math.ceil(1.2 * held[1]), TWO).play(1_000).p95 > 1.0
    assert count_held([Action(1.0, (2.0,))], TWO, num_answers=500) == 0


def test_pages_are_counted_by_what_one_holds_and_by_its_sessions() -> None:
    assert size_for(1_000, 80, max_sessions=200, cores=2) == Size(pages=13, cores=25)
    assert size_for(1_000, 400, max_sessions=200, cores=2) == Size(pages=5, cores=5)


def test_percentiles_are_those_of_the_answers() -> None:
    assert percentiles([float(each) for each in range(101)]) == pytest.approx((50, 95))
