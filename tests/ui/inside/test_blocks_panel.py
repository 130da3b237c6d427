"""Blocks without weights as a visitor sees them: five drawings with their shapes, and what they cost."""

import re

import pytest

from demo.tasks.block_designs import DesignKind, design_blocks
from demo.ui.inside.labs.blocks import SIDES, WIDTHS, draw_designs
from demo.words.language import CHINESE, ENGLISH, Words
from tests.ui.inside.test_residual_panel import cells
from tests.visitor import Markup, Refused, Visit

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


@LANGUAGES
@pytest.mark.parametrize("width", WIDTHS)
def test_each_design_is_drawn_with_its_shapes_and_counted(words: Words, width: int) -> None:
    designs = design_blocks(width, SIDES[1])
    drawn = draw_designs(words.inside, designs)
    header, *rows = cells(drawn)
    assert tuple(header) == words.inside.blocks.columns
    assert [row[0] for row in rows] == list(words.inside.blocks.names.values())
    assert [row[3] for row in rows] == [f"{each.num_weights:,}" for each in designs]
    labels = [label for label in Markup(drawn).values("aria-label") if "×" in label]
    assert len(labels) == len(designs)
    for label, each in zip(labels, designs, strict=True):
        assert f"{width} × 28 × 28" in label
        assert f"{each.num_out} × 28 × 28" in label


def test_all_boxes_of_a_drawing_lie_in_it() -> None:
    for width in WIDTHS:
        for drawing in re.findall(r"<svg.*?</svg>", draw_designs(ENGLISH.inside, design_blocks(width, SIDES[0]))):
            ((right, bottom),) = re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawing)
            for box in re.findall(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', drawing):
                x, y, wide, high = map(int, box)
                assert x + wide <= int(right)
                assert y + high <= int(bottom)


@LANGUAGES
def test_every_design_has_a_name_and_an_idea(words: Words) -> None:
    assert list(words.inside.blocks.names) == list(words.inside.blocks.ideas) == list(DesignKind)


def test_the_page_draws_them_without_a_photograph_and_refuses_what_is_not_on_offer(visit: Visit) -> None:
    (drawn,) = visit().call("draw_blocks", 256, 56)
    assert "1,179,648" in drawn
    assert "69,632" in drawn
    assert "16.9" in drawn
    for values in ((3, 56), (256, "<b>"), (256, 10**9)):
        with pytest.raises(Refused):
            visit().call("draw_blocks", *values)
