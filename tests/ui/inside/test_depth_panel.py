"""The depth lab as a visitor sees it: gradients at once, a training that all watch, and a verdict from its numbers."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from demo.tasks.depth import DESIGNS, NUM_STEPS, DepthEnd, DepthPoint, measure_gradients, train_depths
from demo.ui.inside.labs.depth import GradientOutputs, TrainingOutputs, say_verdict
from demo.visitors import depth_runs
from demo.words.language import CHINESE, ENGLISH, Words
from tests.served import Server
from tests.ui.inside.test_moves_panel import curves
from tests.ui.inside.test_residual_panel import cells
from tests.visitor import Refused, Visit, Visitor, fill

WORDS = ENGLISH.inside.depth
NAMES = [WORDS.kinds["residual" if each.residual else "plain"].format(depth=each.depth) for each in DESIGNS]
SHORT = 10


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    visitor = Visitor(server.url).without_photo()
    yield visitor
    visitor.close()


@pytest.fixture(autouse=True)
def short(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train for a few steps only, and let no test see what another has trained."""
    monkeypatch.setattr(depth_runs, "train_depths", lambda seed: train_depths(seed, num_steps=SHORT))
    server.rooms.depths._jobs.clear()


def ends(*errors: float) -> list[DepthEnd]:
    return [DepthEnd(design, error, 0.5, 1.0) for design, error in zip(DESIGNS, errors, strict=True)]


def test_gradients_are_there_before_anything_is_trained(visitor: Visitor) -> None:
    drawn = fill(GradientOutputs, visitor.call("draw_gradients", 1))
    shown, expected = curves(drawn.plot), measure_gradients(1)
    assert list(shown) == NAMES
    for points, gradients in zip(shown.values(), expected, strict=True):
        assert [10**power for _, power in points] == pytest.approx(gradients.norms)
        assert [block for block, _ in points] == list(range(1, gradients.design.num_blocks + 1))
    assert "5 × 10⁻¹⁶" not in drawn.said  # that is another seed's
    rows = cells(drawn.table)[1:]
    assert [row[0] for row in rows] == NAMES
    factor, power = rows[4][1].split(" × 10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    assert float(factor) * 10.0**exponent == pytest.approx(expected[4].norms[0], rel=0.05)
    assert rows[4][1] in drawn.said


@pytest.mark.slow
def test_a_training_is_watched_to_its_verdict(visitor: Visitor, server: Server) -> None:
    visitor.call("start_depth", 0)
    last = fill(TrainingOutputs, visitor.call("watch_depth", 0))
    job = server.rooms.depths.find(0)
    assert job is not None
    finished = [each for each in job.points if isinstance(each, DepthEnd)]
    assert [each.design for each in finished] == list(DESIGNS)
    assert say_verdict(WORDS, finished) in last.status
    assert "trained" in last.status
    running = [each for each in job.points if isinstance(each, DepthPoint)]
    shown = curves(last.plot)
    assert list(shown) == NAMES
    assert [point for points in shown.values() for point in points] == [[each.step, each.error] for each in running]
    header, *rows = cells(last.table)
    assert header == list(WORDS.columns)
    assert [row[:2] for row in rows] == [
        [name, f"{100 * each.train_error:.1f}%"] for name, each in zip(NAMES, finished, strict=True)
    ]
    assert (last.start["interactive"], last.stop["interactive"]) == (True, False)


@pytest.mark.slow
def test_what_has_been_trained_is_there_for_everybody(visit: Visit, server: Server) -> None:
    first, second = visit(), visit(language="zh")
    first.call("start_depth", 3)
    first.call("watch_depth", 3)
    job = server.rooms.depths.find(3)
    second.call("start_depth", 3)
    shown = fill(TrainingOutputs, second.call("watch_depth", 3))
    assert server.rooms.depths.find(3) is job
    assert [row[0] for row in cells(shown.table)[1:]] == [
        CHINESE.inside.depth.kinds["residual" if each.residual else "plain"].format(depth=each.depth)
        for each in DESIGNS
    ]


@pytest.mark.usefixtures("held_line")
def test_a_training_can_be_stopped(visitor: Visitor, server: Server) -> None:
    visitor.call("start_depth", 2)
    job = server.rooms.depths.find(2)
    assert job is not None
    assert server.rooms.scheduler.num_ahead(job) == 1
    visitor.call("stop_depth")
    stopped = fill(TrainingOutputs, visitor.call("watch_depth", 2))
    assert WORDS.stopped in stopped.status
    assert (stopped.start["interactive"], stopped.stop["interactive"]) == (True, False)
    assert not job.is_running


@pytest.mark.usefixtures("held_line")
def test_another_seed_shows_what_it_has_come_to(visitor: Visitor, server: Server) -> None:
    visitor.call("start_depth", 4)
    job = server.rooms.depths.find(4)
    assert job is not None
    other = fill(TrainingOutputs, visitor.call("choose_seed", 1))
    assert (other.status, other.table, other.plot["visible"]) == ("", "", False)
    assert other.start["interactive"] is True
    assert job.is_running  # it will be asked for again
    job.request_stop()


def test_nothing_stands_where_nothing_was_trained(visitor: Visitor) -> None:
    shown = fill(TrainingOutputs, visitor.call("watch_depth", 0))
    assert (shown.status, shown.table, shown.plot["visible"]) == ("", "", False)


@pytest.mark.parametrize("words", [ENGLISH.inside.depth, CHINESE.inside.depth], ids=["en", "zh"])
def test_the_verdict_also_says_when_it_went_the_other_way(words: Any) -> None:
    filled = {"deep": 32, "shallow": 4}
    as_paper = say_verdict(words, ends(0.004, 0.026, 0.1, 0.1, 0.558, 0.013))
    assert words.plain_grew.format(before=0.4, after=55.8, **filled) in as_paper
    assert words.residual_kept.format(before=2.6, after=1.3, **filled) in as_paper
    other = say_verdict(words, ends(0.5, 0.0, 0.1, 0.1, 0.4, 0.2))
    assert words.plain_kept.format(before=50, after=40, **filled) in other
    assert words.residual_grew.format(before=0, after=20, **filled) in other


@pytest.mark.parametrize("seed", [-1, 5, 0.5, None, "0", math.nan, math.inf, [0]])
@pytest.mark.parametrize("handler", ["draw_gradients", "start_depth", "watch_depth", "choose_seed"])
def test_a_seed_that_there_is_not_is_refused(visitor: Visitor, handler: str, seed: Any) -> None:
    with pytest.raises(Refused):
        visitor.call(handler, seed)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_the_text_says_how_many_steps_there_are(words: Words) -> None:
    assert str(NUM_STEPS) in words.inside.depth.training_help
