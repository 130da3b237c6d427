"""The test of a heatmap: what is left of the probability when its hottest places are erased, or what was painted."""

import html
import re
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.errors import OptionOutOfRange
from demo.figures import curve_points, draw_overlay
from demo.models.zoo import StageLabel
from demo.tasks.cam import Method, map_stages
from demo.tasks.erase import (
    GRID,
    NUM_PLACES,
    Erased,
    Erasure,
    Part,
    compare_maps,
    erase_by_map,
    erase_cells,
    map_untrained,
)
from demo.ui.handlers import Cost, costs
from demo.ui.inside.class_maps import Choice, find_choice, judge_map, lend_for, name_choice, suggest
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, draw_numbers, needs_photo
from demo.ui.parts.chart import build_line_plot
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.markup import draw_picture, draw_status, draw_table, encode_jpeg
from demo.ui.parts.values import read_event
from demo.visitors.rooms import Rooms
from demo.words.inside import EraseWords, InsideWords

PAPER = Paper("Petsiuk et al. 2018 (RISE)", "https://arxiv.org/abs/1806.07421")
_SHARE_WITH_PICTURES = 0.2  # of the places erased; of the other shares only the numbers are drawn
_SIDE_PX = 224
_CURVES = (Part.HOTTEST, Part.RANDOM, Part.COLDEST)
_CELLS = re.compile(r"(\d{1,3}(,\d{1,3})*)?", re.ASCII)

# Cells are painted with a finger, a pen or a mouse, or chosen with the keyboard; only their numbers are sent.
_PAINT_SCRIPT = """let paints = null;
const cellAt = (event) => {
  const found = document.elementFromPoint(event.clientX, event.clientY);
  return found && element.contains(found) && found.matches('.cells input') ? found : null;
};
element.addEventListener('pointerdown', (event) => {
  const cell = cellAt(event);
  if (!cell) return;
  cell.releasePointerCapture?.(event.pointerId);
  paints = !cell.checked;
  cell.checked = paints;
});
element.addEventListener('pointermove', (event) => {
  const cell = paints === null ? null : cellAt(event);
  if (cell) cell.checked = paints;
});
addEventListener('pointerup', () => { paints = null; });
element.addEventListener('click', (event) => {
  if (event.target.matches('.cells input') && event.detail) event.preventDefault();
  if (!event.target.closest('[data-measure]')) return;
  const painted = [...element.querySelectorAll('.cells input:checked')];
  trigger('click', {cells: painted.map((each) => each.value).join(',')});
});"""


class ErasureOutputs(NamedTuple):
    """Curves, table with pictures, and the picture to paint on; then what was painted, and the control."""

    plot: Any
    drawn: Any
    canvas: Any
    painted: Any
    control: Any


def _without_photo(sentence: str) -> ErasureOutputs:
    return ErasureOutputs(gr.LinePlot(visible=False), sentence, gr.skip(), "", "")


@costs(Cost.COMPUTE)
@needs_photo(ErasureOutputs, without_photo=_without_photo)
def draw_erasure(rooms: Rooms, subject: Subject, first: str | None, kind: str) -> ErasureOutputs:
    """Erase by the map of the chosen class; what was painted and compared before belongs to another map."""
    words, photo = rooms.words, subject.photo
    method, stage = _parse_map(words.inside.erase, kind)
    choice = _choose(rooms, subject, first)
    with lend_for(rooms, subject, choice) as backbone:
        maps = map_stages(backbone, photo, [choice.class_idx], head=choice.head)
        values = maps.of(choice.class_idx, stage, method).values
        erasure = erase_by_map(backbone, photo, choice.class_idx, values, head=choice.head)
    return ErasureOutputs(
        plot=_draw_curves(words.inside.erase, erasure),
        drawn=_draw_erasure(
            words.inside, erasure, name_choice(words, subject.backbone, choice), judge_map(words, erasure)
        ),
        canvas=draw_canvas(words.inside.erase, maps.network_input),
        painted="",
        control="",
    )


@costs(Cost.COMPUTE)
@needs_photo()
def draw_control(rooms: Rooms, subject: Subject, first: str | None, kind: str) -> str:
    """Return, as HTML, the map as trained beside that of the same network with random weights."""
    words = rooms.words.inside.erase
    method, stage = _parse_map(words, kind)
    choice = _choose(rooms, subject, first)
    with lend_for(rooms, subject, choice) as backbone:
        trained, untrained = (
            ask(backbone, subject.photo, [choice.class_idx], head=choice.head) for ask in (map_stages, map_untrained)
        )
    name = name_choice(rooms.words, subject.backbone, choice)
    both = [each.of(choice.class_idx, stage, method).values for each in (trained, untrained)]
    captions = (words.trained_caption, words.untrained_caption)
    figures = [
        draw_captioned(draw_overlay(each, trained.network_input, side_px=_SIDE_PX), caption, f"{caption}: {name}")
        for each, caption in zip(both, captions, strict=True)
    ]
    return f"{draw_figures(figures)}<p>{words.agreement.format(value=compare_maps(*both))}</p>"


@costs(Cost.COMPUTE)
@needs_photo()
def erase_painted(rooms: Rooms, subject: Subject, first: str | None, event: gr.EventData) -> str:
    """Erase what was painted, the same shape elsewhere, and all but what was painted; return table and pictures."""
    words, cells = rooms.words.inside, _parse_cells(event)
    if not cells:
        return draw_status(words.erase.nothing_painted)
    choice = _choose(rooms, subject, first)
    with lend_for(rooms, subject, choice) as backbone:
        erasure = erase_cells(backbone, subject.photo, choice.class_idx, cells, head=choice.head)
    name = name_choice(rooms.words, subject.backbone, choice)
    return _draw_erasure(words, erasure, name, _judge_painted(words.erase, erasure))


def draw_canvas(words: EraseWords, network_input: Image.Image) -> str:
    """Return the picture under a grid of cells to paint, as HTML."""
    cells = "".join(
        f'<input type="checkbox" value="{cell}" aria-label="{cell // GRID + 1}, {cell % GRID + 1}">'
        for cell in range(GRID**2)
    )
    picture = draw_picture(encode_jpeg(network_input), words.paint)
    return (
        f'<p class="help">{words.paint_help}</p><div class="canvas">{picture}<div class="cells">{cells}</div></div>'
        f'<button type="button" class="measure" data-measure>{words.measure_painted}</button>'
    )


def build_erase(rooms: Rooms, ref: gr.State, first: gr.Dropdown) -> None:
    """Lay out the panel and wire it; `first` chooses the class."""
    words = rooms.words.inside.erase
    with build_panel(rooms, ref, words, PAPER, elem_id="erase-panel") as panel:
        kinds = [(name, kind) for kind, name in words.map_choices.items()]
        kind = gr.Dropdown(kinds, value=kinds[0][1], label=words.map_kind, elem_id="erase-map")
        plot = _build_plot(words)
        drawn = gr.HTML("", padding=False, elem_id="erasure")
        with gr.Accordion(words.control, open=False) as control:
            gr.HTML(f'<p class="help">{words.control_help}</p>', padding=False)
            compared = gr.HTML("", padding=False, elem_id="control")
        with gr.Accordion(words.paint, open=False):
            canvas = gr.HTML("", padding=False, js_on_load=_PAINT_SCRIPT, elem_id="canvas")
            painted = gr.HTML("", padding=False, elem_id="painted")
    outputs = ErasureOutputs(plot, drawn, canvas, painted, compared)
    panel.listen([panel.renewed, kind.input], draw_erasure, [first, kind], outputs)
    panel.listen(control.expand, draw_control, [first, kind], compared, reveals=compared)
    panel.listen(canvas.click, erase_painted, [first], painted, reveals=painted)


def _build_plot(words: EraseWords) -> gr.LinePlot:
    return build_line_plot(
        [_name_part(words, part) for part in _CURVES],
        x="share",
        y="probability",
        x_title=words.share_axis,
        y_title=words.probability_axis,
        y_lim=[0, 1],
        height=260,
        elem_id="erasure-plot",
    )


def _choose(rooms: Rooms, subject: Subject, first: str | None) -> Choice:
    """Return the class that is chosen in the panel of class maps, or the best one."""
    return find_choice(rooms.words, subject.session, first or suggest(rooms, subject)[0])


def _parse_map(words: EraseWords, kind: str) -> tuple[Method, StageLabel]:
    known = words.map_choices
    if not isinstance(kind, str) or kind not in known:
        raise UnknownChoice(option=words.map_kind, value=str(kind)[:20], known=", ".join(known))
    method, stage = kind.split()
    return Method(method), StageLabel(stage)


def _parse_cells(event: gr.EventData) -> list[int]:
    """Return the numbers of the painted cells; a program that plays the page may send anything."""
    text = read_event(event, "cells")
    cells = sorted({int(each) for each in text.split(",") if each}) if _CELLS.fullmatch(text[:2000]) else [-1]
    if any(not 0 <= cell < GRID**2 for cell in cells):
        raise OptionOutOfRange(option="cells", value=text[:20], low=0, high=GRID**2 - 1)
    return cells


def _name_part(words: EraseWords, part: Part) -> str:
    return words.parts[part.value].format(draws=NUM_PLACES)


def _draw_curves(words: EraseWords, erasure: Erasure) -> gr.LinePlot:
    points = {_name_part(words, part): [(100 * x, y) for x, y in erasure.curve(part)] for part in _CURVES}
    return gr.LinePlot(value=curve_points("share", "probability", points), visible=True)


def _draw_erasure(inside: InsideWords, erasure: Erasure, name: str, verdict: str) -> str:
    words = inside.erase
    heading = words.heading.format(name=name, percent=100 * erasure.before)
    rows = [
        (f"{100 * each.share:.0f}%", _name_part(words, each.part), f"{100 * each.probability:.1f}%")
        for each in erasure.erased
    ]
    figures = draw_figures(
        [
            _draw_erased(words, each)
            for each in erasure.erased
            if each.part in (Part.PAINTED, Part.REST) or each.share == _SHARE_WITH_PICTURES
        ]
    )
    table = draw_table(words.columns, rows, css_class="counts")
    return f"<h3>{html.escape(heading)}</h3><p>{_capitalise(verdict)}</p>{figures}{draw_numbers(inside, table)}"


def _judge_painted(words: EraseWords, erasure: Erasure) -> str:
    """Say whether what was painted matters more than the same shape elsewhere."""
    (painted, *_), (random, *_) = (
        [100 * each.probability for each in erasure.erased if each.part is part] for part in (Part.PAINTED, Part.RANDOM)
    )
    return words.painted_verdicts["better" if painted < random else "worse"].format(painted=painted, random=random)


def _capitalise(sentence: str) -> str:
    return html.escape(sentence[:1].upper() + sentence[1:])


def _draw_erased(words: EraseWords, erased: Erased) -> str:
    part, share = _name_part(words, erased.part), 100 * erased.share
    caption = words.caption.format(part=part, share=share, percent=100 * erased.probability)
    return draw_captioned(erased.picture, caption, words.alt.format(share=share, part=part))
