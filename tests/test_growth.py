"""The model of growth: held to what can be computed exactly, and to what anybody would expect."""

import math
import random
import statistics

import pytest

from tests.benchmarks.growth import Action, Crowd, Size, count_held, percentiles, size_for


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
        action = Action(1.0, walls, server=statistics.fmean(walls))
        crowd = Crowd([action], visitors, cores=2, think_s=5.0)
        crowd.play(3_000)
        expected = exact_mean(visitors, 2, 5.0, action.wall)
        assert statistics.fmean(crowd.walls[2_000:]) == pytest.approx(expected, rel=0.12)


def test_alone_a_visitor_feels_what_was_measured_alone() -> None:
    actions = [Action(0.5, (0.1, 0.2), server=0.05, client=0.02), Action(0.5, (0.4,), server=0.5, client=0.1)]
    crowd = Crowd(actions, 1, cores=2)
    felt = crowd.play(1_000)
    assert {round(wall, 6) for wall in crowd.walls} == {0.1, 0.2, 0.4}  # work after an answer keeps nobody waiting
    assert felt.p95 == pytest.approx(0.4)
    assert felt.busy == pytest.approx((0.07 + 0.6) / 2 / (15 + (0.15 + 0.4) / 2), rel=0.1)


def test_what_an_action_takes_is_work_pause_and_work_after_it() -> None:
    action = Action(1.0, (0.3,), server=0.1, client=0.05)
    assert (action.work, action.pause, action.rest) == pytest.approx((0.15, 0.15, 0))
    late = Action(1.0, (0.1,), server=0.2, client=0.05)
    assert (late.work, late.pause, late.rest) == pytest.approx((0.1, 0, 0.15))
    assert action.elsewhere().walls == pytest.approx((0.25,))
    assert action.elsewhere().client == 0


def test_more_cores_hold_more_and_what_is_held_is_on_the_edge() -> None:
    action = [Action(1.0, (0.1, 0.3), server=0.15)]
    held = [count_held(action, cores=cores, num_answers=1_000) for cores in (1, 2)]
    assert 1.7 < held[1] / held[0] < 2.6  # a pool of two is a little more than twice one
    assert held[1] < 2 * (15 + 1) / 0.15  # where the cores are busy all the time
    assert Crowd(action, held[1], cores=2).play(1_000).p95 <= 1.0
    assert Crowd(action, math.ceil(1.2 * held[1]), cores=2).play(1_000).p95 > 1.0
    assert count_held([Action(1.0, (2.0,), server=0.5)], num_answers=500) == 0


def test_pages_are_counted_by_what_one_holds_and_by_its_sessions() -> None:
    assert size_for(1_000, 80, max_sessions=200) == Size(pages=13, cores=25)
    assert size_for(1_000, 400, max_sessions=200) == Size(pages=5, cores=5)


def test_percentiles_are_those_of_the_answers() -> None:
    assert percentiles([float(each) for each in range(101)]) == pytest.approx((50, 95))
