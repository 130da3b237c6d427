"""The test of a heatmap: what is left of the probability when its hottest places are erased, or what was painted."""

import html
import re
from typing import Any

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
from demo.ui.handlers import bind_slow
from demo.ui.inside.class_maps import Choice, find_choice, lend_for, name_choice, suggest
from demo.ui.inside.panel import DRAW, Look, Paper, build_panel, draw_figures, draw_shown, look_into, say_no_photo
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.markup import draw_picture, draw_status, draw_table, encode_jpeg
from demo.ui.parts.values import read_event
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

PAPER = Paper("Petsiuk et al. 2018 (RISE)", "https://arxiv.org/abs/1806.07421")
_SHOWN_SHARE = 0.2  # whose pictures are shown
_SIDE_PX = 224
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


def draw_erasure(rooms: Rooms, ref: Ref, shown: int | None, first: str | None, kind: str) -> list[Any]:
    """Erase by the map of the chosen class; return curves, table and pictures, and the picture to paint on.

    What was painted and compared before belongs to another map.
    """
    session, words = rooms.sessions.find(ref), rooms.words
    method, stage = _parse_map(words, kind)
    with look_into(rooms, session, shown) as look:
        if look is None:
            return [gr.LinePlot(visible=False), gr.skip() if shown is None else say_no_photo(words), gr.skip(), "", ""]
        choice = _choose(rooms, session, look, first)
        with lend_for(rooms, session, look, choice) as backbone:
            maps = map_stages(backbone, look.photo, [choice.class_idx], head=choice.head)
            values = maps.of(choice.class_idx, stage, method).values
            erasure = erase_by_map(backbone, look.photo, choice.class_idx, values, head=choice.head)
        name = name_choice(words, look.backbone, choice)
    parts = (Part.HOTTEST, Part.RANDOM, Part.COLDEST)
    points = {_name_part(words, part): [(100 * x, y) for x, y in erasure.curve(part)] for part in parts}
    plot = gr.LinePlot(value=curve_points("share", "probability", points), visible=True)
    return [plot, _draw_erasure(words, erasure, name), draw_canvas(words, maps.network_input), "", ""]


def draw_control(rooms: Rooms, ref: Ref, shown: int | None, first: str | None, kind: str) -> Any:
    """Return, as HTML, the map as trained beside that of the same network with random weights."""
    session, words = rooms.sessions.find(ref), rooms.words
    method, stage = _parse_map(words, kind)
    with look_into(rooms, session, shown) as look:
        if look is None:
            return gr.skip()
        choice = _choose(rooms, session, look, first)
        with lend_for(rooms, session, look, choice) as backbone:
            trained, untrained = (
                ask(backbone, look.photo, [choice.class_idx], head=choice.head) for ask in (map_stages, map_untrained)
            )
        name = name_choice(words, look.backbone, choice)
    both = [each.of(choice.class_idx, stage, method).values for each in (trained, untrained)]
    erase = words.inside.erase
    captions = (erase.trained_caption, erase.untrained_caption)
    figures = [
        draw_shown(draw_overlay(each, trained.network_input, side_px=_SIDE_PX), caption, f"{caption}: {name}")
        for each, caption in zip(both, captions, strict=True)
    ]
    return f"{draw_figures(figures)}<p>{erase.agreement.format(value=compare_maps(*both))}</p>"


def measure_painted(rooms: Rooms, ref: Ref, shown: int | None, first: str | None, event: gr.EventData) -> Any:
    """Erase what was painted, the same shape elsewhere, and all but what was painted; return table and pictures."""
    session, words = rooms.sessions.find(ref), rooms.words
    cells = _parse_cells(event)
    if not cells:
        return draw_status(words.inside.erase.nothing_painted)
    with look_into(rooms, session, shown) as look:
        if look is None:
            return gr.skip()
        choice = _choose(rooms, session, look, first)
        with lend_for(rooms, session, look, choice) as backbone:
            erasure = erase_cells(backbone, look.photo, choice.class_idx, cells, head=choice.head)
        return _draw_erasure(words, erasure, name_choice(words, look.backbone, choice))


def draw_canvas(words: Words, network_input: Image.Image) -> str:
    """Return the picture under a grid of cells to paint, as HTML."""
    erase = words.inside.erase
    cells = "".join(
        f'<input type="checkbox" value="{cell}" aria-label="{cell // GRID + 1}, {cell % GRID + 1}">'
        for cell in range(GRID**2)
    )
    picture = draw_picture(encode_jpeg(network_input), erase.paint)
    return (
        f'<p class="help">{erase.paint_help}</p><div class="canvas">{picture}<div class="cells">{cells}</div></div>'
        f'<button type="button" class="measure" data-measure>{erase.measure_painted}</button>'
    )


def build_erase(rooms: Rooms, ref: gr.State, first: gr.Dropdown) -> gr.State:
    """Lay out the panel and wire it; `first` chooses the class."""
    words = rooms.words.inside.erase
    with build_panel(rooms, ref, words, PAPER, elem_id="erase-panel") as (_, shown):
        kinds = [(name, kind) for kind, name in words.map_choices.items()]
        kind = gr.Dropdown(kinds, value=kinds[0][1], label=words.map_kind, elem_id="erase-map")
        plot = _build_plot(rooms.words)
        drawn = gr.HTML("", padding=False, elem_id="erasure")
        with gr.Accordion(words.control, open=False) as control:
            gr.HTML(f'<p class="help">{words.control_help}</p>', padding=False)
            compared = gr.HTML("", padding=False, elem_id="control")
        with gr.Accordion(words.paint, open=False):
            canvas = gr.HTML("", padding=False, js_on_load=_PAINT_SCRIPT, elem_id="canvas")
            painted = gr.HTML("", padding=False, elem_id="painted")
    asked = [ref, shown, first, kind]
    gr.on(
        [shown.change, first.input, kind.input],
        bind_slow(rooms, draw_erasure),
        asked,
        [plot, drawn, canvas, painted, compared],
        **DRAW,
    )
    control.expand(bind_slow(rooms, draw_control), asked, compared, **DRAW)
    canvas.click(bind_slow(rooms, measure_painted), [ref, shown, first], painted, **DRAW)
    return shown


def _build_plot(words: Words) -> gr.LinePlot:
    erase = words.inside.erase
    return gr.LinePlot(
        x="share",
        y="probability",
        color="split",
        x_title=erase.share_axis,
        y_title=erase.probability_axis,
        color_title=" ",
        y_lim=[0, 1],
        height=260,
        visible=False,
        elem_id="erasure-plot",
    )


def _choose(rooms: Rooms, session: Session, look: Look, first: str | None) -> Choice:
    """Return the class that was chosen in the panel of class maps, or the best one."""
    return find_choice(rooms.words, session, first or suggest(rooms, session, look)[0])


def _parse_map(words: Words, kind: str) -> tuple[Method, StageLabel]:
    known = words.inside.erase.map_choices
    if kind not in known:
        raise UnknownChoice(option=words.inside.erase.map_kind, value=str(kind)[:20], known=", ".join(known))
    method, stage = kind.split()
    return Method(method), StageLabel(stage)


def _parse_cells(event: gr.EventData) -> list[int]:
    """Return the numbers of the painted cells; whoever calls by hand may send anything."""
    text = read_event(event, "cells")
    cells = sorted({int(each) for each in text.split(",") if each}) if _CELLS.fullmatch(text[:2000]) else [-1]
    if any(not 0 <= cell < GRID**2 for cell in cells):
        raise OptionOutOfRange(option="cells", value=text[:20], low=0, high=GRID**2 - 1)
    return cells


def _name_part(words: Words, part: Part) -> str:
    return words.inside.erase.parts[part.value].format(draws=NUM_PLACES)


def _draw_erasure(words: Words, erasure: Erasure, name: str) -> str:
    erase = words.inside.erase
    heading = erase.heading.format(name=name, percent=100 * erasure.before)
    rows = [
        (f"{100 * each.share:.0f}%", _name_part(words, each.part), f"{100 * each.probability:.1f}%")
        for each in erasure.erased
    ]
    shown = [each for each in erasure.erased if each.part in (Part.PAINTED, Part.REST) or each.share == _SHOWN_SHARE]
    figures = draw_figures([_draw_erased(words, each) for each in shown])
    table = draw_table(erase.columns, rows, css_class="counts")
    return f"<h4>{html.escape(heading)}</h4>{figures}{table}"


def _draw_erased(words: Words, erased: Erased) -> str:
    part, share = _name_part(words, erased.part), 100 * erased.share
    caption = words.inside.erase.caption.format(part=part, share=share, percent=100 * erased.probability)
    return draw_shown(erased.picture, caption, words.inside.erase.alt.format(share=share, part=part))
