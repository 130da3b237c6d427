"""One neuron: its arithmetic at one place, the map of many, and simple and complex cells on an edge that moves."""

import re
from enum import StrEnum
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.data.samples import EXAMPLES, read_example
from demo.figures import curve_points
from demo.tasks.neuron import (
    EDGE_SIDE,
    KERNELS,
    MIDDLE,
    MOST_DEGREES,
    MOST_SHIFT_PX,
    MOST_THRESHOLD,
    KernelName,
    Plane,
    Sweep,
    draw_edge,
    grey,
    map_neurons,
    parse_kernel,
    show_place,
    sweep_angles,
    sweep_shifts,
)
from demo.ui.handlers import Cost, costs, listen
from demo.ui.inside.labs.neuron_markup import PLACE_SCRIPT, draw_arithmetic, draw_maps
from demo.ui.inside.panel import Paper, build_panel
from demo.ui.parts.chart import build_line_plot
from demo.ui.parts.errors import OptionNotNumber
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.values import parse_choice, parse_number, parse_whole, read_event
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.neuron import NeuronWords

PAPER = Paper("Hubel & Wiesel 1962", "https://doi.org/10.1113/jphysiol.1962.sp006837")
SAID_SHIFT_PX = 4
_OWN = "own"
_POOLS = (1, 4, 8)  # of which curves are drawn
_PLACE = re.compile(r"([01](?:\.\d+)?) ([01](?:\.\d+)?)", re.ASCII)


class Source(StrEnum):
    """The picture that the neurons see."""

    EDGE = "edge"
    PHOTO = "photo"


class Weights(NamedTuple):
    """The nine fields of a kernel, row by row."""

    top_left: Any
    top: Any
    top_right: Any
    left: Any
    middle: Any
    right: Any
    bottom_left: Any
    bottom: Any
    bottom_right: Any


class Place(NamedTuple):
    """Where the neuron is, counted from 1."""

    row: Any
    column: Any


class Controls(NamedTuple):
    """All that can be set."""

    weights: Weights
    source: Any
    degrees: Any
    shift: Any
    threshold: Any
    place: Place


class Chart(NamedTuple):
    """What a plot shows, and says in a sentence, and the plot."""

    said: Any
    plot: Any


class NeuronOutputs(NamedTuple):
    """The kernel's name and fields and the place, as far as they change, and all that is drawn."""

    kernel: Any
    weights: Weights
    place: Place
    arithmetic: Any
    maps: Any
    angles: Chart
    shifts: Chart


@costs(Cost.COMPUTE)
def draw_neuron(rooms: Rooms, ref: Ref, *values: Any) -> NeuronOutputs:
    """Draw what the controls say."""
    return _draw(rooms, rooms.sessions.find(ref), _group(values))


@costs(Cost.COMPUTE)
def write_weights(rooms: Rooms, ref: Ref, *values: Any) -> NeuronOutputs:
    """Draw with the weights as they are written; a field that is empty for the moment is waited for."""
    controls = _group(values)
    if None in controls.weights:
        return unchanged(NeuronOutputs)
    return _draw(rooms, rooms.sessions.find(ref), controls)


@costs(Cost.LIGHT)
def check_weights(_rooms: Rooms, *weights: Any) -> None:
    """Say what is wrong with a kernel when a field is left."""
    parse_kernel(weights)


@costs(Cost.COMPUTE)
def choose_kernel(rooms: Rooms, ref: Ref, name: Any, *values: Any) -> NeuronOutputs:
    """Write a kernel into the nine fields; who chooses their own writes it there."""
    if name == _OWN:
        return unchanged(NeuronOutputs)
    weights = Weights(*KERNELS[parse_choice(rooms.words.inside.neuron.kernel, KernelName, name)])
    drawn = _draw(rooms, rooms.sessions.find(ref), _group(values)._replace(weights=weights))
    return drawn._replace(kernel=gr.skip(), weights=weights)


@costs(Cost.COMPUTE)
def choose_source(rooms: Rooms, ref: Ref, *values: Any) -> NeuronOutputs:
    """Look at another picture, at the neuron in its middle."""
    controls, session = _group(values), rooms.sessions.find(ref)
    side = len(_see(rooms, session, controls)) - 2
    middle = Place(side // 2 + 1, side // 2 + 1)
    drawn = _draw(rooms, session, controls._replace(place=middle))
    return drawn._replace(place=Place(*(gr.Slider(maximum=side, value=each) for each in middle)))


@costs(Cost.COMPUTE)
def choose_place(rooms: Rooms, ref: Ref, event: gr.EventData, *values: Any) -> NeuronOutputs:
    """Look at the neuron at the place that was clicked."""
    controls, session = _group(values), rooms.sessions.find(ref)
    side = len(_see(rooms, session, controls)) - 2
    place = Place(*(min(int(share * side), side - 1) + 1 for share in _parse_shares(event)))
    return _draw(rooms, session, controls._replace(place=place))._replace(place=place)


def build_neuron(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.neuron
    with build_panel(rooms, ref, words, PAPER, elem_id="neuron-panel") as panel:
        with gr.Row():
            with gr.Column(min_width=260):
                names = [(words.kernels[each], each) for each in (*KERNELS, _OWN)]
                kernel = gr.Dropdown(names, value=KernelName.VERTICAL, label=words.kernel, elem_id="neuron-kernel")
                weights = _build_weights(words)
                sources = [(words.pictures[each], each.value) for each in Source]
                source = gr.Radio(sources, value=Source.EDGE.value, label=words.picture, elem_id="neuron-picture")
            with gr.Column(min_width=260):
                controls = _build_controls(words, weights, source)
        arithmetic = gr.HTML("", padding=False, elem_id="neuron-arithmetic")
        maps = gr.HTML("", padding=False, js_on_load=PLACE_SCRIPT, elem_id="neuron-maps")
        with gr.Row():
            angles = _build_chart(words, words.angle_axis, elem_id="neuron-angles")
            shifts = _build_chart(words, words.shift_axis, elem_id="neuron-shifts")
    outputs = NeuronOutputs(kernel, weights, controls.place, arithmetic, maps, angles, shifts)
    moved = [each.input for each in (controls.degrees, controls.shift, controls.threshold, *controls.place)]
    drawing = panel.listen([panel.renewed, *moved], draw_neuron, [controls], outputs)
    writing = panel.listen([each.input for each in weights], write_weights, [controls], outputs)
    listen(rooms, [event for each in weights for event in (each.submit, each.blur)], check_weights, weights, None)
    for trigger, handler, inputs in (
        (kernel.input, choose_kernel, [kernel, controls]),
        (controls.source.input, choose_source, [controls]),
        (maps.click, choose_place, [controls]),
    ):
        panel.listen(trigger, handler, inputs, outputs, cancels=[drawing, writing])  # which must not arrive later


def _build_weights(words: NeuronWords) -> Weights:
    with gr.Row(elem_id="neuron-weights"):
        return Weights(
            *(
                gr.Number(
                    weight,
                    label=words.weight.format(row=place // 3 + 1, column=place % 3 + 1),
                    show_label=False,
                    container=False,
                    min_width=0,
                    step=0.05,
                )
                for place, weight in enumerate(KERNELS[KernelName.VERTICAL])
            )
        )


def _build_controls(words: NeuronWords, weights: Weights, source: gr.Radio) -> Controls:
    degrees = gr.Slider(0, MOST_DEGREES, value=0, step=5, label=words.degrees, elem_id="neuron-degrees")
    shift = gr.Slider(0, MOST_SHIFT_PX, value=0, step=1, label=words.shift, elem_id="neuron-shift")
    threshold = gr.Slider(
        -MOST_THRESHOLD, MOST_THRESHOLD, value=0, step=0.05, label=words.threshold, elem_id="neuron-threshold"
    )
    with gr.Row():
        place = Place(
            *(
                gr.Slider(1, EDGE_SIDE, value=MIDDLE + 1, step=1, label=label, min_width=120, elem_id=elem_id)
                for label, elem_id in ((words.row, "neuron-row"), (words.column, "neuron-column"))
            )
        )
    return Controls(weights, source, degrees, shift, threshold, place)


def _build_chart(words: NeuronWords, axis: str, *, elem_id: str) -> Chart:
    with gr.Column(min_width=300):
        said = gr.HTML("", padding=False, elem_id=f"{elem_id}-said")
        plot = build_line_plot(
            _name_curves(words),
            x="step",
            y="answer",
            x_title=axis,
            y_title=words.answer_axis,
            height=260,
            elem_id=f"{elem_id}-plot",
        )
    return Chart(said, plot)


def _group(values: tuple[Any, ...]) -> Controls:
    """Return what the page sends, which is flat, as the groups that it is."""
    source, degrees, shift, threshold, *place = values[len(Weights._fields) :]
    return Controls(Weights(*values[: len(Weights._fields)]), source, degrees, shift, threshold, Place(*place))


def _parse_shares(event: gr.EventData) -> tuple[float, float]:
    """Return where in a map was clicked, as shares of height and width; a program may send anything."""
    text = read_event(event, "place")[:80]
    if not (found := _PLACE.fullmatch(text)):
        raise OptionNotNumber(option="place", value=text[:20])
    return float(found[1]), float(found[2])


def _see(rooms: Rooms, session: Session, controls: Controls) -> Plane:
    """Return the picture that the neurons see; where there is no photograph, the first example stands for it."""
    words = rooms.words.inside.neuron
    if parse_choice(words.picture, Source, controls.source) is Source.PHOTO:
        return grey(session.photos.photo or read_example(EXAMPLES[0], rooms.settings))
    return draw_edge(parse_number(words.degrees, controls.degrees), parse_number(words.shift, controls.shift))


def _draw(rooms: Rooms, session: Session, controls: Controls) -> NeuronOutputs:
    words, pixels = rooms.words.inside.neuron, _see(rooms, session, controls)
    kernel, threshold = parse_kernel(controls.weights), parse_number(words.threshold, controls.threshold)
    degrees = parse_number(words.degrees, controls.degrees)
    row, column = (
        parse_whole(name, each) for name, each in zip((words.row, words.column), controls.place, strict=True)
    )
    maps = map_neurons(pixels, kernel, threshold=threshold)
    shown = show_place(pixels, kernel, row - 1, column - 1, threshold=threshold)
    is_edge = controls.source == Source.EDGE  # all edges have one scale, so that a weaker answer is paler
    largest = max(kernel.clip(0).sum(), -kernel.clip(max=0).sum()) if is_edge else np.abs(maps.sums).max()
    angles = [sweep_angles(kernel, pool_px=each, threshold=threshold) for each in _POOLS]
    shifts = [sweep_shifts(kernel, pool_px=each, degrees=degrees, threshold=threshold) for each in _POOLS]
    return NeuronOutputs(
        kernel=next((name for name, each in KERNELS.items() if each == tuple(kernel.flat)), _OWN),
        weights=unchanged(Weights),
        place=unchanged(Place),
        arithmetic=draw_arithmetic(words, shown, row=row, column=column),
        maps=draw_maps(words, maps, row=row - 1, column=column - 1, largest=float(largest)),
        angles=Chart(_say_angles(words, angles[0]), _fill_plot(words, angles)),
        shifts=Chart(_say_shifts(words, shifts), _fill_plot(words, shifts)),
    )


def _name_curves(words: NeuronWords) -> list[str]:
    return [words.one_place if each == 1 else words.over.format(side=each) for each in _POOLS]


def _fill_plot(words: NeuronWords, sweeps: list[Sweep]) -> gr.LinePlot:
    points = {
        name: list(zip(each.steps, each.answers, strict=True))
        for name, each in zip(_name_curves(words), sweeps, strict=True)
    }
    top = max(1.0, *(max(each.answers) for each in sweeps))
    return gr.LinePlot(value=curve_points("step", "answer", points), y_lim=[0, top], visible=True)


def _say_angles(words: NeuronWords, sweep: Sweep) -> str:
    answers = np.round(sweep.answers, 6)  # what is left of rounding is no answer
    best, worst = int(answers.argmax()), int(answers.argmin())
    said = words.angles_said.format(
        best=sweep.steps[best], most=answers[best], worst=sweep.steps[worst], least=answers[worst]
    )
    return _draw_said(words.angles, words.angles_help, said)


def _say_shifts(words: NeuronWords, sweeps: list[Sweep]) -> str:
    simple, four, eight = (each.answers[SAID_SHIFT_PX] for each in sweeps)
    said = words.shifts_said.format(shift=SAID_SHIFT_PX, simple=simple, four=four, eight=eight)
    return _draw_said(words.shifts, words.shifts_help, said)


def _draw_said(title: str, explanation: str, said: str) -> str:
    return f'<h3>{title}</h3><p class="hint">{explanation}</p><p>{said}</p>'
