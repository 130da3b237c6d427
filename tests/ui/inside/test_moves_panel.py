"""The moved picture as a visitor sees it: two plots with their numbers, and what the network saw."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.data.samples import find_example
from demo.models.backbone import Backbone
from demo.tasks.moves import LARGEST, NEUTRAL, Move, move_picture
from demo.ui.inside.moves import NUM_STEPS, MoveOutputs, choose_steps, judge
from demo.ui.parts.errors import UnknownChoice
from demo.words.language import CHINESE, ENGLISH
from tests.served import Server
from tests.ui.inside.test_inside import alt_texts
from tests.ui.inside.test_residual_panel import cells
from tests.visitor import Markup, Refused, Visit, Visitor, fill

CAT = find_example("cat").path
WORDS = ENGLISH.inside.moves
STAGES = list(WORDS.stages.values())


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    visitor = Visitor(server.url)
    visitor.call("choose_photo", visitor.upload(CAT))
    yield visitor
    visitor.close()


def curves(plot: dict[str, Any]) -> dict[str, list[list[float]]]:
    """Return the points of a plot, by the name of their curve."""
    found: dict[str, list[list[float]]] = {}
    for x, y, name in plot["value"]["data"]:
        found.setdefault(name, []).append([x, y])
    return found


@pytest.mark.parametrize("move", list(Move))
@pytest.mark.parametrize("percent", [1, 30, 100])
def test_steps_reach_as_far_as_the_slider_says(move: Move, percent: float) -> None:
    steps = choose_steps(move, percent)
    assert len(steps) == NUM_STEPS
    assert steps[NUM_STEPS // 2] == pytest.approx(NEUTRAL[move])
    share = (steps[-1] - NEUTRAL[move]) / (LARGEST[move] - NEUTRAL[move])
    assert share == pytest.approx(percent / 100)


def test_it_is_said_whether_the_features_stayed(embedded: Backbone, cat: Image.Image) -> None:
    said = []
    for percent in (30, 100):
        moved = move_picture(embedded, cat, Move.SCALE, choose_steps(Move.SCALE, percent))
        numbers = {"features": min(moved.features), "low": min(moved.stages[0].unmoved)}
        kind = "kept" if numbers["features"] >= 0.8 else "lost"
        assert judge(WORDS, moved) == WORDS.verdicts[kind].format(**numbers)
        said.append(kind)
    assert said == ["kept", "lost"]


def test_both_plots_say_what_their_tables_say(visitor: Visitor, embedded: Backbone, cat: Image.Image) -> None:
    drawn = fill(MoveOutputs, visitor.call("draw_moves", "turn", 50))
    likewise, unmoved = curves(drawn.likewise.plot), curves(drawn.unmoved.plot)
    expected = move_picture(embedded, cat, Move.TURN, choose_steps(Move.TURN, 50))
    assert expected.top.class_name in drawn.top
    assert list(likewise) == STAGES
    assert list(unmoved) == [*STAGES, WORDS.features, WORDS.probability]
    for name, stage in zip(STAGES, expected.stages, strict=True):
        np.testing.assert_allclose([y for _, y in likewise[name]], stage.moved, atol=1e-3)
        np.testing.assert_allclose([y for _, y in unmoved[name]], stage.unmoved, atol=1e-3)
    np.testing.assert_allclose([y for _, y in unmoved[WORDS.features]], expected.features, atol=1e-3)
    np.testing.assert_allclose([y for _, y in unmoved[WORDS.probability]], expected.probabilities, atol=1e-3)
    for chart in (drawn.likewise, drawn.unmoved):
        assert chart.plot["visible"] is True
        header, *rows = cells(chart.table)
        assert header == [WORDS.moves["turn"], *curves(chart.plot)]
        assert [row[0] for row in rows] == [WORDS.steps["turn"].format(step=step) for step in expected.steps]
        columns = list(zip(*(row[1:] for row in rows), strict=True))
        for column, points in zip(columns, curves(chart.plot).values(), strict=True):
            assert list(column) == [f"{y:.3f}" for _, y in points]
            assert [x for x, _ in points] == pytest.approx(np.linspace(-50, 50, NUM_STEPS))
    assert alt_texts(drawn.pictures) == [
        WORDS.picture_alt.format(move=WORDS.moves["turn"], step=WORDS.steps["turn"].format(step=step))
        for step in expected.steps
    ]
    assert len(Markup(drawn.pictures).values("download")) == NUM_STEPS


@pytest.mark.parametrize("move", ["spin", "", None, 7, ["shift"], {"a": 1}])
def test_an_unknown_move_is_refused(visitor: Visitor, move: Any) -> None:
    with pytest.raises(Refused) as refused:
        visitor.call("draw_moves", move, 30)
    error = UnknownChoice(option=WORDS.move, value=str(move), known=", ".join(Move))
    assert str(refused.value) == ENGLISH.explain(error)


@pytest.mark.parametrize("reach", [0, -1, 101, 1e30, float("nan"), float("inf"), None, "30", True, [30]])
def test_a_reach_out_of_range_is_refused(visitor: Visitor, reach: Any) -> None:
    with pytest.raises(Refused, match=r"it must be (from 1 to 100|a number)\."):
        visitor.call("draw_moves", "shift", reach)


def test_without_a_photograph_one_is_asked_for(visit: Visit) -> None:
    drawn = fill(MoveOutputs, visit().without_photo().call("draw_moves", "shift", 30))
    assert ENGLISH.photo.missing in drawn.top
    assert drawn.pictures == ""
    for chart in (drawn.likewise, drawn.unmoved):
        assert (chart.plot["visible"], chart.table) == (False, "")


@pytest.mark.slow
def test_the_panel_speaks_chinese(visit: Visit) -> None:
    visitor = visit(language="zh")
    visitor.call("choose_photo", visitor.upload(CAT))
    outputs = fill(MoveOutputs, visitor.call("draw_moves", "scale", 100))
    likewise = outputs.likewise
    assert "虎纹猫 (tiger cat)" in outputs.top
    assert list(curves(likewise.plot)) == list(CHINESE.inside.moves.stages.values())
    assert [row[0] for row in cells(likewise.table)][::4] == ["缩放", "× 0.84", "× 1.68"]
