"""Charts that a colour-blind reader can tell apart: seven colours, each with a dash and a shape, and whole legends."""

import html
from collections.abc import Iterable, Iterator
from typing import Any

import gradio as gr

# Okabe and Ito's, with a brown in place of their yellow, which a white page swallows:
# https://jfly.uni-koeln.de/color/. A test holds their distances for those who lack red or green cones.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f552f")
_DASHES = ("none", "9 4", "2 4", "12 4 2 4", "5 5", "16 5", "2 2 8 2")
_SHAPES = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
    "M-3.5,-3.5h7v7h-7z",
    "M0,-5l4.5,8h-9z",
    "M0,-5l5,5l-5,5l-5,-5z",
    "M-1.5,-5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z",
    "M0,5l4.5,-8h-9z",
    "M-4.5,-4.5h3l1.5,2.5l1.5,-2.5h3l-3,4.5l3,4.5h-3l-1.5,-2.5l-1.5,2.5h-3l3,-4.5z",
)
_MOST = 21  # of the names in one chart, each has a look of its own


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return the colour of each name; those that look alike differ in blue by one, for the style sheet to know them."""
    return {name: _colour(place) for place, name in enumerate(names)}


def draw_legend(names: Iterable[str], *, points: bool = False) -> str:
    """Return a legend as HTML, whose names wrap where gradio's would be cut; of lines, or of points."""
    items = "".join(f"<li>{_draw_mark(place, points)}{html.escape(name)}</li>" for place, name in enumerate(names))
    return f'<ul class="legend">{items}</ul>'


def build_line_plot(names: Iterable[str], **options: Any) -> gr.LinePlot:
    """Lay out curves, hidden until there are some, with their legend below; the options are those of `gr.LinePlot`."""
    kept = tuple(names)
    plot = gr.LinePlot(
        color="split",
        color_map=colours(kept),
        colors_in_legend=[],
        visible=False,
        elem_classes="charted",
        **options,
    )
    gr.HTML(draw_legend(kept), padding=False, elem_classes="legend-of-chart")
    return plot


def chart_rules() -> Iterator[str]:
    """Yield the CSS by which each colour of a chart has its dash and its shape."""
    for place in range(_MOST):
        colour = _colour(place)
        yield f'.mark-line path[stroke="{colour}"] {{ stroke-dasharray: {_dash(place)}; }}'
        yield f'.mark-symbol path[stroke="{colour}"] {{ d: path("{_shape(place)}"); fill: {colour}; }}'


def _draw_mark(place: int, points: bool) -> str:
    colour = _colour(place)
    if points:
        mark = f'<path d="{_shape(place)}" fill="{colour}"/>'
        return f'<svg class="point" viewBox="-6 -6 12 12" aria-hidden="true">{mark}</svg>'
    line = f'<line x2="40" y1="4" y2="4" stroke="{colour}" stroke-width="3" stroke-dasharray="{_dash(place)}"/>'
    return f'<svg viewBox="0 0 40 8" aria-hidden="true">{line}</svg>'


def _colour(place: int) -> str:
    turn, place = divmod(place % _MOST, len(PALETTE))
    return f"#{int(PALETTE[place][1:], 16) + turn:06x}"


def _dash(place: int) -> str:
    return _DASHES[(place + place // len(PALETTE)) % len(_DASHES)]


def _shape(place: int) -> str:
    return _SHAPES[(place + place // len(PALETTE)) % len(_SHAPES)]
