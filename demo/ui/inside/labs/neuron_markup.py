"""Pieces of HTML of the neuron's panel: its numbers, and the maps with the place that is looked at."""

import html

import numpy as np
from PIL import Image

from demo.figures import colour, draw_signed
from demo.tasks.neuron import Arithmetic, NeuronMaps, Plane
from demo.ui.parts.markup import draw_png, encode_png
from demo.words.neuron import NeuronWords

# A click on a map sends the place in it, as shares of its height and width.
PLACE_SCRIPT = """element.addEventListener('click', (event) => {
  const map = event.target.closest('.places');
  if (!map) return;
  const {left, top, width, height} = map.getBoundingClientRect();
  trigger('click', {place: `${(event.clientY - top) / height} ${(event.clientX - left) / width}`});
});"""


def draw_arithmetic(words: NeuronWords, shown: Arithmetic, *, row: int, column: int) -> str:
    """Return the nine products of the neuron in a row and column (from 1), their sum, and its answer."""
    tables = [
        _draw_nine(words.nine[name], values)
        for name, values in (("pixels", shown.pixels), ("weights", shown.weights), ("products", shown.products))
    ]
    sentences = (
        words.total.format(total=_draw_number(shown.total)),
        words.answer.format(threshold=_draw_number(shown.threshold), answer=_draw_number(shown.answer)),
        words.fires.format(fires=f"<b>{int(shown.fires)}</b>"),
    )
    heading = words.place.format(row=row, column=column)
    nine = '<span aria-hidden="true">{}</span>'.join(tables).format("×", "=")
    return f'<h3>{heading}</h3><div class="nines">{nine}</div><p aria-live="polite">{" ".join(sentences)}</p>'


def draw_maps(words: NeuronWords, maps: NeuronMaps, *, row: int, column: int, largest: float) -> str:
    """Return the picture and the maps, in each the place (from 0) that is looked at.

    Args:
        words: The panel's words.
        maps: The picture, and what the neurons answer.
        row: Of the neuron.
        column: Of the neuron.
        largest: The end of the scale of all maps; it begins at 0, and at its negative for the sums.
    """
    grey = Image.fromarray(np.rint(255 * maps.picture).astype(np.uint8))
    side = len(maps.picture)
    pieces = [(grey, words.captions["picture"], (row - 1, column - 1, 3, side))]
    sums = draw_signed(maps.sums, side, largest=largest)
    pieces.append((sums, _name(words, words.captions["sums"], maps.sums), (row, column, 1, side)))
    answers = _colour(maps.answers, largest)
    pieces.append((answers, _name(words, words.captions["answers"], maps.answers), (row, column, 1, side)))
    for pool, values in maps.pooled.items():
        caption = _name(words, words.pooled.format(side=pool), values)
        pieces.append((_colour(values, largest), caption, (row // pool, column // pool, 1, side // pool)))
    figures = "".join(_draw_places(picture, caption, *box) for picture, caption, box in pieces)
    return f'<h3>{words.maps}</h3><p class="hint">{words.maps_help}</p><div class="neuron-maps">{figures}</div>'


def _draw_places(picture: Image.Image, caption: str, row: int, column: int, size: int, side: int) -> str:
    """Return a map whose places can be clicked, with a square round some of them."""
    box = f"top:{row / side:.3%};left:{column / side:.3%};width:{size / side:.3%}"
    image = draw_png(encode_png(picture), caption)
    return (
        f'<figure><div class="places">{image}<i style="{box}"></i></div>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _draw_nine(caption: str, values: Plane) -> str:
    rows = "".join(f"<tr>{''.join(f'<td>{_draw_number(each)}</td>' for each in row)}</tr>" for row in values.tolist())
    return f'<table class="nine"><caption>{caption}</caption><tbody>{rows}</tbody></table>'


def _draw_number(value: float) -> str:
    """Return a number to three decimals; the element knows all of them."""
    shown = f"{value:.3f}".rstrip("0").rstrip(".")
    return f'<data value="{value!r}">{"0" if shown == "-0" else shown.replace("-", "−")}</data>'


def _name(words: NeuronWords, caption: str, values: Plane) -> str:
    return words.largest.format(caption=caption, largest=float(values.max()) + 0.0)


def _colour(values: Plane, largest: float) -> Image.Image:
    return Image.fromarray(colour(values, largest))
