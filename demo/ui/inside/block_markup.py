"""A residual block as HTML: what flows in it as maps and norms, and its layers as a drawing (SVG)."""

import base64
import html
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.figures import colour
from demo.tasks.blocks import Block, Layer, Shape
from demo.tasks.residual import BlockView, Signal
from demo.ui.inside.panel import draw_captioned, draw_figures
from demo.ui.parts.markup import draw_table
from demo.words.labs import ResidualWords

_SIDE_PX = 224


def draw_view(words: ResidualWords, block: Block, view: BlockView) -> str:
    """Return what flows in a block as maps on one scale, and its norms as a table."""
    places = _list_places(block, view)
    largest = max(float(signal.magnitude.max()) for _, _, signal in places)
    figures = [
        draw_captioned(
            _draw_map(signal.magnitude, largest),
            words.map_caption.format(place=words.places[place], norm=signal.norm),
            words.map_alt.format(place=words.places[place], name=block.name),
        )
        for place, _, signal in places
    ]
    rows = [
        (words.places[place], write_shape(shape), f"{signal.norm:.4g}", f"{signal.mean_norm:.4g}")
        for place, shape, signal in places
    ]
    ratio = words.ratio_infinite if np.isinf(view.ratio) else words.ratio.format(percent=100 * view.ratio)
    return (
        f'{draw_figures(figures)}<p class="answer">{ratio}</p><p class="hint">{words.scale.format(largest=largest)}</p>'
        f"{draw_table(words.norm_columns, rows, css_class='counts one-line')}"
    )


def draw_drawing(words: ResidualWords, block: Block) -> str:
    """Return a block as a drawing (SVG) in the colour of the text, with a text alternative and a link to keep it."""
    drawing = draw_layers(words, block)
    encoded = base64.b64encode(drawing.encode()).decode()
    link = f'<a href="data:image/svg+xml;base64,{encoded}" download="{block.name}.svg">{words.save_drawing}</a>'
    return f'{drawing}<p class="hint">{words.drawing_help} {link}</p>'


def draw_layers(words: ResidualWords, block: Block) -> str:
    """Return the layers of a block as an SVG with its text alternative."""
    return _BlockDrawing(words, block).draw()


def write_shape(shape: Shape) -> str:
    """Return a shape (C, H, W) as it is read."""
    return " × ".join(map(str, shape))


def _list_places(block: Block, view: BlockView) -> list[tuple[str, Shape, Signal]]:
    """Return the places of a block that differ: name, shape, and what flows there."""
    projected = [("shortcut", block.output_shape, view.shortcut)] if block.has_projection else []
    rectified = [("output", block.output_shape, view.output)] if block.ends_in_relu else []
    return [
        ("x", block.input_shape, view.x),
        *projected,
        ("residual", block.output_shape, view.residual),
        ("total", block.output_shape, view.total),
        *rectified,
    ]


def _draw_map(values: NDArray[np.float32], largest: float) -> Image.Image:
    """Draw magnitudes (H, W) from 0 to `largest`; the cells keep their edges."""
    return Image.fromarray(colour(values, largest)).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.NEAREST)


class _LayerGroup(NamedTuple):
    """A convolution and what follows it without changing the shape."""

    layers: tuple[Layer, ...]

    @property
    def first(self) -> str:
        return self.layers[0].description

    @property
    def rest(self) -> str:
        return ", ".join(each.description for each in self.layers[1:])

    @property
    def shape(self) -> Shape:
        return self.layers[-1].shape


def _group_layers(layers: tuple[Layer, ...]) -> list[_LayerGroup]:
    groups: list[_LayerGroup] = []
    for layer in layers:
        if groups and "conv" not in layer.description:
            groups[-1] = _LayerGroup((*groups[-1].layers, layer))
        else:
            groups.append(_LayerGroup((layer,)))
    return groups


class Canvas:
    """A drawing (SVG) in the colour of the text, which needs nothing else; units are pixels."""

    SMALL, GAP = 26, 16  # how high a box of one line is, and how far boxes are apart

    def __init__(self, width: int) -> None:
        self._width = width
        self._parts: list[str] = []

    def finish(self, height: int, label: str) -> str:
        """Return the SVG with its text alternative."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width} {height}" role="img" '
            f'aria-label="{html.escape(label)}" style="width: 100%; max-width: {self._width}px; display: block" '
            f'font-size="12" font-family="system-ui, sans-serif" fill="none" stroke="currentColor">'
            f"{''.join(self._parts)}</svg>"
        )

    def box(self, sides: tuple[int, int], top: int, *lines: str, height: int = SMALL) -> int:
        """Draw a box with lines of text, from a left to a right side, and return where it ends."""
        left, right = sides
        self._parts.append(
            f'<rect x="{left}" y="{top}" width="{right - left}" height="{height}" rx="5" stroke-opacity="0.5" '
            'fill="currentColor" fill-opacity="0.06"/>'
        )
        for number, text in enumerate(lines):
            self.write((left + right) // 2, top + 17 * number + (17 if len(lines) == 1 else 16), text)
        return top + height

    def bar(self, left: int, top: int, length: int, *, height: int = 5, fill: str = "#14b8a6") -> None:
        """Draw a bar, which stands for channels."""
        self._parts.append(
            f'<rect x="{left}" y="{top}" width="{length}" height="{height}" rx="2" fill="{fill}" stroke="none"/>'
        )

    def line(self, *points: tuple[int, int]) -> None:
        """Draw a line through points (x, y)."""
        self._parts.append(f'<polyline points="{" ".join(f"{x},{y}" for x, y in points)}"/>')

    def plus(self, x: int, y: int) -> None:
        """Draw where two things are added."""
        self._parts.append(f'<circle cx="{x}" cy="{y}" r="10"/>')
        self.write(x, y + 4, "+")

    def write(self, x: int, y: int, text: str) -> None:
        """Write a line of text around x."""
        self._parts.append(
            f'<text x="{x}" y="{y}" text-anchor="middle" fill="currentColor" stroke="none">{html.escape(text)}</text>'
        )


class _BlockDrawing:
    """A block, drawn from top to bottom: F on the left, the shortcut around it on the right; units are pixels.

    A bar below each group of layers is as long as it has channels, the widest the full box.
    """

    _WIDTH, _LEFT, _RIGHT = 340, (4, 196), (212, 336)  # of all, of the boxes of F, of those on the shortcut
    _BOX = 46
    _MIDDLE, _SHORTCUT = 100, 274  # where F and the shortcut run down

    def __init__(self, words: ResidualWords, block: Block) -> None:
        self._words, self._block, self._canvas = words, block, Canvas(self._WIDTH)
        self._residual, self._projection = _group_layers(block.layers), _group_layers(block.projection)
        shapes = [block.input_shape, *(each.shape for each in (*self._residual, *self._projection))]
        self._most_channels = max(channels for channels, _, _ in shapes)

    def draw(self) -> str:
        """Return the SVG."""
        bottom = self._draw_way_through()
        return self._canvas.finish(bottom, _describe(self._words, self._block))

    def _draw_way_through(self) -> int:
        """Draw all from x down to what the block gives; return where it ends."""
        canvas, middle, gap = self._canvas, self._MIDDLE, Canvas.GAP
        y = canvas.box(self._LEFT, 2, f"x: {write_shape(self._block.input_shape)}")
        start = y - Canvas.SMALL // 2
        for group in self._residual:
            canvas.line((middle, y), (middle, y + gap))
            y = self._draw_group(y + gap, group, self._LEFT)
        sum_y = y + gap + 10
        canvas.line((middle, y), (middle, sum_y - 10))
        self._draw_shortcut(start, sum_y)
        canvas.plus(middle, sum_y)
        y = sum_y + 10
        for text in ["ReLU"] * self._block.ends_in_relu + [write_shape(self._block.output_shape)]:
            canvas.line((middle, y), (middle, y + gap))
            y = canvas.box(self._LEFT, y + gap, text)
        return y + 2

    def _draw_shortcut(self, start: int, end: int) -> None:
        """Draw the way around F, with what is on it in its middle."""
        side = self._SHORTCUT
        self._canvas.line((self._LEFT[1], start), (side, start), (side, end), (self._MIDDLE + 10, end))
        y = (start + end - len(self._projection) * (self._BOX + Canvas.GAP)) // 2
        for group in self._projection:
            y = self._draw_group(y, group, self._RIGHT) + Canvas.GAP

    def _draw_group(self, top: int, group: _LayerGroup, sides: tuple[int, int]) -> int:
        rest = " · ".join(filter(None, (group.rest, write_shape(group.shape))))
        bottom = self._canvas.box(sides, top, group.first, rest, height=self._BOX)
        length = round((sides[1] - sides[0]) * group.shape[0] / self._most_channels)
        self._canvas.bar(sides[0], bottom - 5, length)
        return bottom


def _describe(words: ResidualWords, block: Block) -> str:
    """Return what the drawing of a block shows, as a sentence."""
    residual, projection = (
        "; ".join(
            words.drawing_layer.format(
                layers=", ".join(layer.description for layer in group.layers), shape=write_shape(group.shape)
            )
            for group in _group_layers(layers)
        )
        for layers in (block.layers, block.projection)
    )
    return words.drawing_alt.format(
        name=block.name,
        input=write_shape(block.input_shape),
        layers=residual,
        shortcut=projection or words.drawing_identity,
        end=words.drawing_ends["relu" if block.ends_in_relu else "added"],
        output=write_shape(block.output_shape),
    )
