"""The first layer's kernels as colour tiles, each with its map on the photograph."""

from typing import Any

import gradio as gr
import numpy as np

from demo.figures import draw_sheet, draw_signed
from demo.tasks.kernels import FirstLayer, show_kernels
from demo.ui.handlers import bind_slow
from demo.ui.inside.panel import DRAW, Paper, build_panel, draw_figures, draw_shown, look_into, say_no_photo
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.inside import KernelWords
from demo.words.language import Words

PAPER = Paper("Krizhevsky et al. 2012", "https://papers.nips.cc/paper/4824")
_SHEET_TILE_PX, _LARGE_PX = 36, 224


def draw_kernels(rooms: Rooms, ref: Ref, shown: int | None, number: float) -> list[Any]:
    """Return, as HTML, all kernels with their maps, and one of them large; and the slider that chooses it."""
    session = rooms.sessions.find(ref)
    with look_into(rooms, session, shown) as look:
        if look is None:
            return [gr.skip() if shown is None else say_no_photo(rooms.words), gr.skip()]
        layer = show_kernels(look.backbone, look.photo)
    chosen = min(max(1, int(number)), len(layer.tiles))
    return [
        _draw_layer(rooms.words, layer, chosen),
        gr.Slider(maximum=len(layer.tiles), value=chosen),
    ]


def build_kernels(rooms: Rooms, ref: gr.State) -> gr.State:
    """Lay out the panel and wire it; return its state."""
    words = rooms.words.inside.kernels
    with build_panel(rooms, ref, words, PAPER, elem_id="kernels-panel") as (_, shown):
        number = gr.Slider(1, 64, value=1, step=1, label=words.kernel, elem_id="kernel")
        drawn = gr.HTML("", padding=False, elem_id="kernels")
        gr.on(
            [shown.change, number.release],
            bind_slow(rooms, draw_kernels),
            [ref, shown, number],
            [drawn, number],
            **{**DRAW, "preprocess": True},  # gradio checks the number
        )
    return shown


def _draw_layer(words: Words, layer: FirstLayer, chosen: int) -> str:
    kernel_words: KernelWords = words.inside.kernels
    facts = kernel_words.layer.format(
        name=layer.name, count=len(layer.tiles), side=layer.kernel_px, stride=layer.stride
    )
    values = layer.maps[chosen - 1]
    tiles = draw_sheet(layer.tiles, side_px=_SHEET_TILE_PX)
    maps = draw_sheet([draw_signed(each, _SHEET_TILE_PX) for each in layer.maps], side_px=_SHEET_TILE_PX)
    tile = draw_sheet(layer.tiles[chosen - 1 : chosen], side_px=_LARGE_PX)
    map_caption = kernel_words.map_caption.format(largest=float(np.abs(values).max()))
    figures = [
        draw_shown(tiles, kernel_words.tiles, kernel_words.tiles_alt),
        draw_shown(maps, kernel_words.maps, kernel_words.maps_alt),
        draw_shown(tile, kernel_words.tile_caption.format(number=chosen), kernel_words.tile_alt.format(number=chosen)),
        draw_shown(draw_signed(values, _LARGE_PX), map_caption, kernel_words.map_alt.format(number=chosen)),
    ]
    return f'<p class="shape">{facts}</p>{draw_figures(figures)}'
