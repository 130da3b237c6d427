"""Blocks drawn without weights: what each is made of, and what it costs at a width and a side."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from demo.tasks.block_designs import BlockDesign, count_saving, design_blocks
from demo.ui.handlers import Cost, costs
from demo.ui.inside.labs.block_drawings import draw_design
from demo.ui.inside.panel import Paper, build_panel
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.markup import draw_table
from demo.ui.parts.values import parse_whole
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.inside import InsideWords
from demo.words.labs import BlockWords

PAPER = Paper("He et al. 2015", "https://arxiv.org/abs/1512.03385")
WIDTHS, SIDES = (64, 128, 256, 512), (56, 28, 14, 7)  # channels and cells, as in a ResNet's stages
_WIDTH, _SIDE = 256, 56


@costs(Cost.LIGHT)
def draw_blocks(rooms: Rooms, _: Ref, width: Any, side: Any) -> str:
    """Draw and count the blocks for a width and a side."""
    words = rooms.words.inside
    chosen = (
        parse_one_of(words.blocks.width, WIDTHS, width),
        parse_one_of(words.blocks.side, SIDES, side),
    )
    return draw_designs(words, design_blocks(*chosen))


def parse_one_of(option: str, known: Sequence[int], value: Any) -> int:
    """Return a whole number that is on offer.

    Raises:
        OptionError: If it is no whole number, or not one of these.
    """
    number = parse_whole(option, value)
    if number not in known:
        raise UnknownChoice(option=option, value=str(number), known=", ".join(map(str, known)))
    return number


def draw_designs(inside: InsideWords, designs: Sequence[BlockDesign]) -> str:
    """Return what a bottleneck saves, each design as a drawing, and all of them counted as a table."""
    words = inside.blocks
    drawn = "".join(
        f"<section><h3>{name}</h3><p>{words.ideas[each.kind]}</p>{draw_design(inside, each)}</section>"
        for name, each in zip(words.names.values(), designs, strict=True)
    )
    return (
        f'<p class="answer">{write_saving(words, designs[0].width)}</p>{_draw_counts(words, designs)}'
        f'<div class="designs">{drawn}</div><p class="hint">{words.counted}</p>'
    )


def write_saving(words: BlockWords, width: int) -> str:
    """Return what a bottleneck saves at a width, and how wide it may be for the same cost."""
    saving, wide = count_saving(width), 4 * width
    return words.saving.format(
        width=width,
        basic=saving.basic,
        bottleneck=saving.bottleneck,
        ratio=saving.ratio,
        wide=wide,
        wide_bottleneck=count_saving(wide).bottleneck,
    )


def build_blocks(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.blocks
    with build_panel(rooms, ref, words, PAPER, elem_id="blocks-panel") as panel:
        with gr.Row():
            width = gr.Radio(list(WIDTHS), value=_WIDTH, label=words.width, min_width=200, elem_id="block-width")
            side = gr.Radio(list(SIDES), value=_SIDE, label=words.side, min_width=200, elem_id="block-side")
        drawn = gr.HTML("", padding=False, elem_id="designs")
    panel.listen([panel.renewed, width.input, side.input], draw_blocks, [width, side], drawn)


def _draw_counts(words: BlockWords, designs: Sequence[BlockDesign]) -> str:
    basic = designs[0].num_weights
    rows = [
        (
            words.names[each.kind],
            each.width,
            each.num_out,
            f"{each.num_weights:,}",
            f"{each.num_multiply_adds:,}",
            f"{100 * each.num_weights / basic:.0f}%",
        )
        for each in designs
    ]
    return draw_table(words.columns, rows, css_class="counts one-line")
