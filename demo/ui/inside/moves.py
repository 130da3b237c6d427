"""The picture shifted, turned or scaled: which activations move along, and what stays the same."""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from demo.errors import check_range
from demo.figures import curve_points
from demo.models.zoo import StageLabel
from demo.tasks.moves import LARGEST, NEUTRAL, Move, MoveCurves, move_picture, spread_steps
from demo.ui.handlers import Cost, costs
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, draw_numbers, needs_photo
from demo.ui.parts.chart import build_line_plot
from demo.ui.parts.markup import draw_table
from demo.ui.parts.values import parse_choice, parse_number
from demo.visitors.rooms import Rooms
from demo.words.inside import InsideWords
from demo.words.labs import MoveWords

PAPER = Paper("Lenc & Vedaldi 2015", "https://arxiv.org/abs/1411.5908")
NUM_STEPS = 9
_REACH = 30  # percent
_THUMBNAIL_PX = 128
_ALIKE = 0.8  # a cosine similarity from which on features are called unchanged

Curves = dict[str, tuple[float, ...]]


class Chart(NamedTuple):
    """A plot, and the table of its numbers."""

    plot: Any
    table: Any


class MoveOutputs(NamedTuple):
    """The class that is followed, a chart for each of the two questions, and what the network saw."""

    top: Any
    likewise: Chart
    unmoved: Chart
    pictures: Any


def _without_photo(sentence: str) -> MoveOutputs:
    hidden = Chart(gr.LinePlot(visible=False), "")
    return MoveOutputs(sentence, hidden, hidden, "")


@costs(Cost.COMPUTE)
@needs_photo(MoveOutputs, without_photo=_without_photo)
def draw_moves(rooms: Rooms, subject: Subject, move: Any, reach: Any) -> MoveOutputs:
    """Move the photograph both ways, and compare what the network makes of it with what it makes of it at rest."""
    words = rooms.words.inside
    kind, percent = parse_choice(words.moves.move, Move, move), parse_percent(words.moves, reach)
    curves = move_picture(subject.backbone, subject.photo, kind, choose_steps(kind, percent), head=subject.head)
    return draw_curves(words, curves, percent, followed=subject.name_class(rooms.words, curves.top))


def parse_percent(words: MoveWords, value: Any) -> float:
    """Return how far to go, in percent of the largest move.

    Raises:
        OptionError: If it is no number, or not from 1 to 100.
    """
    percent = parse_number(words.reach, value)
    check_range(words.reach, percent, 1, 100)
    return percent


def choose_steps(move: Move, percent: float) -> tuple[float, ...]:
    """Return steps both ways to a share of the largest move, in the move's unit; the middle one moves nothing."""
    reach = NEUTRAL[move] + percent / 100 * (LARGEST[move] - NEUTRAL[move])
    return spread_steps(move, reach, count=NUM_STEPS)


def draw_curves(inside: InsideWords, curves: MoveCurves, percent: float, *, followed: str) -> MoveOutputs:
    """Draw the curves of all stages, and beside those at rest the features' and the followed class's probability."""
    words = inside.moves
    likewise: Curves = {words.stages[each.stage.label]: each.moved for each in curves.stages}
    unmoved: Curves = {words.stages[each.stage.label]: each.unmoved for each in curves.stages}
    unmoved |= {words.features: curves.features, words.probability: curves.probabilities}
    top = words.top.format(name=followed, percent=100 * curves.top.probability)
    return MoveOutputs(
        top=f'<p class="answer">{html.escape(top)}</p><p>{judge(words, curves)}</p>',
        likewise=Chart(_draw_plot(likewise, percent), _draw_numbers(inside, curves, likewise)),
        unmoved=Chart(_draw_plot(unmoved, percent), _draw_numbers(inside, curves, unmoved)),
        pictures=draw_pictures(words, curves),
    )


def judge(words: MoveWords, curves: MoveCurves) -> str:
    """Return in a sentence whether the features stayed what they were, beside the low stage."""
    features, low = min(curves.features), next(each for each in curves.stages if each.stage.label is StageLabel.LOW)
    verdict = words.verdicts["kept" if features >= _ALIKE else "lost"]
    return verdict.format(features=features, low=min(low.unmoved))


def draw_pictures(words: MoveWords, curves: MoveCurves) -> str:
    """Return what the network saw at each step."""
    figures, size = [], (_THUMBNAIL_PX, _THUMBNAIL_PX)
    for picture, step in zip(curves.pictures, _name_steps(words, curves), strict=True):
        alt_text = words.picture_alt.format(move=words.moves[curves.move], step=step)
        figures.append(draw_captioned(picture.resize(size, Image.Resampling.LANCZOS), step, alt_text))
    return f"<h3>{words.pictures}</h3>{draw_figures(figures, size='square')}"


def build_moves(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.moves
    with build_panel(rooms, ref, words, PAPER, elem_id="moves-panel") as panel:
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
        stages = [words.stages[label] for label in StageLabel]
        at_rest = [*stages, words.features, words.probability]
        with gr.Row():
            likewise = _build_chart(words, words.likewise, words.likewise_help, stages, elem_id="likewise")
            unmoved = _build_chart(words, words.unmoved, words.unmoved_help, at_rest, elem_id="unmoved")
        pictures = gr.HTML("", padding=False, elem_id="moved-pictures")
    outputs = MoveOutputs(top, likewise, unmoved, pictures)
    panel.listen([panel.renewed, move.input, reach.release], draw_moves, [move, reach], outputs)


def _build_chart(words: MoveWords, title: str, explanation: str, names: Sequence[str], *, elem_id: str) -> Chart:
    with gr.Column(min_width=300):
        gr.HTML(f'<h3>{title}</h3><p class="hint">{explanation}</p>', padding=False)
        plot = build_line_plot(
            names,
            x="step",
            y="value",
            x_title=words.step_axis,
            y_title=words.similarity_axis,
            y_lim=[-0.2, 1],  # without the mean of each channel a similarity may be a little below 0
            height=300,
            buttons=["fullscreen", "export"],
            elem_id=f"{elem_id}-plot",
        )
        table = gr.HTML("", padding=False, elem_id=f"{elem_id}-table")
    return Chart(plot, table)


def _draw_plot(curves: Curves, percent: float) -> gr.LinePlot:
    places = np.linspace(-percent, percent, NUM_STEPS).tolist()
    points = {name: list(zip(places, values, strict=True)) for name, values in curves.items()}
    return gr.LinePlot(value=curve_points("step", "value", points), visible=True)


def _draw_numbers(inside: InsideWords, moved: MoveCurves, curves: Curves) -> str:
    words = inside.moves
    header = (words.moves[moved.move], *curves)
    rows = [
        (step, *(f"{value:.3f}" for value in values))
        for step, *values in zip(_name_steps(words, moved), *curves.values(), strict=True)
    ]
    return draw_numbers(inside, draw_table(header, rows, css_class="counts one-line"))


def _name_steps(words: MoveWords, curves: MoveCurves) -> list[str]:
    return [words.steps[curves.move].format(step=step) for step in curves.steps]
