"""The first layer's kernels as colour tiles, each with its map on the photograph."""

from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.figures import draw_sheet, draw_signed
from demo.tasks.kernels import FirstLayer, show_kernels
from demo.ui.handlers import Cost, costs
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, needs_photo
from demo.ui.parts.outputs import unchanged
from demo.visitors.rooms import Rooms
from demo.words.inside import KernelWords

PAPER = Paper("Krizhevsky et al. 2012", "https://papers.nips.cc/paper/4824")
_SHEET_TILE_PX, _LARGE_PX = 36, 224


class KernelOutputs(NamedTuple):
    """All kernels with their maps and one of them large, and the slider that chooses it."""

    drawn: Any
    number: Any


@costs(Cost.COMPUTE)
@needs_photo(KernelOutputs, without_photo=lambda sentence: unchanged(KernelOutputs)._replace(drawn=sentence))
def draw_kernels(rooms: Rooms, subject: Subject, number: float) -> KernelOutputs:
    """Draw the kernels; a number beyond the last kernel of this network chooses the last."""
    layer = show_kernels(subject.backbone, subject.photo)
    chosen = min(max(1, int(number)), len(layer.tiles))
    drawn = _draw_layer(rooms.words.inside.kernels, layer, chosen)
    return KernelOutputs(drawn, gr.Slider(maximum=len(layer.tiles), value=chosen))


def build_kernels(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.kernels
    with build_panel(rooms, ref, words, PAPER, elem_id="kernels-panel") as panel:
        number = gr.Slider(1, 64, value=1, step=1, label=words.kernel, elem_id="kernel")
        drawn = gr.HTML("", padding=False, elem_id="kernels")
        outputs = KernelOutputs(drawn, number)
        triggers = [panel.renewed, number.release]
        panel.listen(triggers, draw_kernels, [number], outputs, preprocess=True)  # gradio checks the number


def _draw_layer(words: KernelWords, layer: FirstLayer, chosen: int) -> str:
    facts = words.layer.format(name=layer.name, count=len(layer.tiles), side=layer.kernel_px, stride=layer.stride)
    values = layer.maps[chosen - 1]
    tiles = draw_sheet(layer.tiles, side_px=_SHEET_TILE_PX)
    maps = draw_sheet([draw_signed(each, _SHEET_TILE_PX) for each in layer.maps], side_px=_SHEET_TILE_PX)
    tile = draw_sheet(layer.tiles[chosen - 1 : chosen], side_px=_LARGE_PX)
    map_caption = words.map_caption.format(largest=float(np.abs(values).max()))
    figures = [
        draw_captioned(tiles, words.tiles, words.tiles_alt),
        draw_captioned(maps, words.maps, words.maps_alt),
        draw_captioned(tile, words.tile_caption.format(number=chosen), words.tile_alt.format(number=chosen)),
        draw_captioned(draw_signed(values, _LARGE_PX), map_caption, words.map_alt.format(number=chosen)),
    ]
    return f'<p class="shape">{facts}</p>{draw_figures(figures)}'
