"""The picture shifted, turned or scaled: which activations move along, and what stays the same."""

import html
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from demo.errors import check_range
from demo.figures import curve_points
from demo.tasks.moves import LARGEST, NEUTRAL, Move, MoveCurves, move_picture, spread_steps
from demo.ui.handlers import bind_slow
from demo.ui.inside.panel import DRAW, Paper, build_panel, draw_shown, look_into, say_no_photo
from demo.ui.parts.markup import draw_table
from demo.ui.parts.values import parse_choice, parse_number
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words

PAPER = Paper("Lenc & Vedaldi 2015", "https://arxiv.org/abs/1411.5908")
NUM_STEPS = 9
_REACH = 30  # percent
_THUMBNAIL_PX = 128

Curves = dict[str, tuple[float, ...]]


def draw_moves(rooms: Rooms, ref: Ref, shown: int | None, move: Any, reach: Any) -> list[Any]:
    """Move the photograph; return a sentence, the two plots each with its table, and what the network saw."""
    session, words = rooms.sessions.find(ref), rooms.words
    kind = parse_choice(words.inside.moves.move, Move, move)
    percent = parse_percent(words, reach)
    with look_into(rooms, session, shown) as look:
        if look is None:
            return [gr.skip()] * 6 if shown is None else [say_no_photo(words), *_hide_plots(), ""]
        curves = move_picture(look.backbone, look.photo, kind, choose_steps(kind, percent), head=look.head)
    return draw_curves(words, curves, percent)


def parse_percent(words: Words, value: Any) -> float:
    """Return how far to go, in percent of the largest move.

    Raises:
        OptionError: If it is no number, or not from 1 to 100.
    """
    percent = parse_number(words.inside.moves.reach, value)
    check_range(words.inside.moves.reach, percent, 1, 100)
    return percent


def choose_steps(move: Move, percent: float) -> tuple[float, ...]:
    """Return steps both ways to a share of the largest move, in the move's unit; the middle one moves nothing."""
    reach = NEUTRAL[move] + percent / 100 * (LARGEST[move] - NEUTRAL[move])
    return spread_steps(move, reach, count=NUM_STEPS)


def draw_curves(words: Words, curves: MoveCurves, percent: float) -> list[Any]:
    """Return a sentence, for each of the two questions a plot and its table, and the moved pictures."""
    move_words = words.inside.moves
    likewise: Curves = {move_words.stages[each.stage.label]: each.moved for each in curves.stages}
    unmoved: Curves = {move_words.stages[each.stage.label]: each.unmoved for each in curves.stages}
    unmoved |= {move_words.features: curves.features, move_words.probability: curves.probabilities}
    top = move_words.top.format(name=curves.top.class_name, percent=100 * curves.top.probability)
    drawn = [
        part for each in (likewise, unmoved) for part in (_draw_plot(each, percent), _draw_numbers(words, curves, each))
    ]
    return [f'<p class="answer">{html.escape(top)}</p>', *drawn, draw_pictures(words, curves)]


def draw_pictures(words: Words, curves: MoveCurves) -> str:
    """Return what the network saw at each step."""
    move_words, size = words.inside.moves, (_THUMBNAIL_PX, _THUMBNAIL_PX)
    figures = ""
    for picture, step in zip(curves.pictures, _name_steps(words, curves), strict=True):
        alt_text = move_words.picture_alt.format(move=move_words.moves[curves.move], step=step)
        figures += draw_shown(picture.resize(size, Image.Resampling.LANCZOS), step, alt_text)
    return f'<h4>{move_words.pictures}</h4><div class="figures square">{figures}</div>'


def build_moves(rooms: Rooms, ref: gr.State) -> gr.State:
    """Lay out the panel and wire it; return its state."""
    words = rooms.words.inside.moves
    with build_panel(rooms, ref, words, PAPER, elem_id="moves-panel") as (_, shown):
        with gr.Row():
            move = gr.Radio(
                [(words.moves[each], each.value) for each in Move],
                value=Move.SHIFT.value,
                label=words.move,
                min_width=200,
                elem_id="move",
            )
            reach = gr.Slider(
                1, 100, value=_REACH, step=1, label=words.reach, info=words.reach_help, min_width=240, elem_id="reach"
            )
        top = gr.HTML("", padding=False, elem_id="moved-top")
        with gr.Row():
            likewise = _build_plot(rooms.words, words.likewise, words.likewise_help, elem_id="likewise")
            unmoved = _build_plot(rooms.words, words.unmoved, words.unmoved_help, elem_id="unmoved")
        pictures = gr.HTML("", padding=False, elem_id="moved-pictures")
        gr.on(
            [shown.change, move.input, reach.release],
            bind_slow(rooms, draw_moves),
            [ref, shown, move, reach],
            [top, *likewise, *unmoved, pictures],
            **DRAW,
        )
    return shown


def _build_plot(words: Words, title: str, explanation: str, *, elem_id: str) -> list[Any]:
    with gr.Column(min_width=300):
        gr.HTML(f'<h4>{title}</h4><p class="hint">{explanation}</p>', padding=False)
        plot = gr.LinePlot(
            x="step",
            y="value",
            color="split",
            x_title=words.inside.moves.step_axis,
            y_title=words.inside.moves.similarity_axis,
            color_title=" ",
            y_lim=[-0.2, 1],  # where a stage ends without a ReLU, a similarity may be a little below 0
            height=300,
            visible=False,
            buttons=["fullscreen", "export"],
            elem_id=f"{elem_id}-plot",
        )
        table = gr.HTML("", padding=False, elem_id=f"{elem_id}-table")
    return [plot, table]


def _hide_plots() -> list[Any]:
    return [gr.LinePlot(visible=False), ""] * 2


def _draw_plot(curves: Curves, percent: float) -> Any:
    places = np.linspace(-percent, percent, NUM_STEPS).tolist()
    points = {name: list(zip(places, values, strict=True)) for name, values in curves.items()}
    return gr.LinePlot(value=curve_points("step", "value", points), visible=True)


def _draw_numbers(words: Words, moved: MoveCurves, curves: Curves) -> str:
    header = (words.inside.moves.moves[moved.move], *curves)
    rows = [
        (step, *(f"{value:.3f}" for value in values))
        for step, *values in zip(_name_steps(words, moved), *curves.values(), strict=True)
    ]
    return draw_table(header, rows, css_class="counts one-line")


def _name_steps(words: Words, curves: MoveCurves) -> list[str]:
    return [words.inside.moves.steps[curves.move].format(step=step) for step in curves.steps]
