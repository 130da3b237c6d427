"""The depth lab: plain and residual networks, their gradients before training, and what they learn, live."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr

from demo.errors import check_range
from demo.figures import curve_points
from demo.tasks.depth import (
    DESIGNS,
    NUM_STEPS,
    SEEDS,
    DepthEnd,
    DepthPoint,
    Design,
    Gradients,
    judge,
    measure_gradients,
)
from demo.ui.handlers import Cost, costs, listen
from demo.ui.inside.panel import Paper, build_panel, draw_numbers
from demo.ui.parts.chart import build_line_plot
from demo.ui.parts.markup import draw_status, draw_table
from demo.ui.parts.values import parse_whole
from demo.visitors.errors import TrainingStopped
from demo.visitors.jobs import Job
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.depth import DepthWords

PAPER = Paper("He et al. 2015", "https://arxiv.org/abs/1512.03385")

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Curves = Mapping[str, Sequence[tuple[float, float]]]


class GradientOutputs(NamedTuple):
    """What the gradients say, their curves, and the numbers."""

    said: Any
    plot: Any
    table: Any


class TrainingOutputs(NamedTuple):
    """How the training goes, its curves and numbers, and the buttons that start and stop it."""

    status: Any
    plot: Any
    table: Any
    start: Any
    stop: Any


@costs(Cost.COMPUTE)
def draw_gradients(rooms: Rooms, seed: Any) -> GradientOutputs:
    """Draw how much gradient reaches each block; it is computed once for each seed."""
    words = rooms.words.inside
    gradients = measure_gradients(parse_seed(words.depth, seed))
    curves = {
        _name(words.depth, each.design): [(block, math.log10(norm)) for block, norm in enumerate(each.norms, 1)]
        for each in gradients
    }
    said = f'<h3>{words.depth.gradients}</h3><p class="hint">{words.depth.gradients_help}</p>'
    return GradientOutputs(
        said + f"<p>{say_gradients(words.depth, gradients)}</p>",
        _fill_plot("block", curves),
        draw_numbers(words, _draw_norms(words.depth, gradients)),
    )


@costs(Cost.LIGHT)
def start_depth(rooms: Rooms, ref: Ref, seed: Any) -> None:
    """Put the training of all networks into the line, or watch it where somebody has started it."""
    rooms.depths.start(rooms.scheduler, rooms.sessions.find(ref), parse_seed(rooms.words.inside.depth, seed))


@costs(Cost.LIGHT)
def stop_depth(rooms: Rooms, ref: Ref) -> None:
    """Watch no longer; the training ends where nobody else watches it."""
    rooms.depths.stop(rooms.sessions.find(ref))


@costs(Cost.LIGHT)
async def watch_depth(rooms: Rooms, ref: Ref, seed: Any) -> AsyncIterator[TrainingOutputs]:
    """Show the training of a seed as far as it has come, and go on while the session watches it."""
    number = parse_seed(rooms.words.inside.depth, seed)
    async for session in rooms.watch_depths(ref, number):
        yield show_training(rooms, session, number)


@costs(Cost.LIGHT)
def choose_seed(rooms: Rooms, ref: Ref, seed: Any) -> TrainingOutputs:
    """Show what another seed has come to; the training that was watched goes on."""
    session, number = rooms.sessions.find(ref), parse_seed(rooms.words.inside.depth, seed)
    rooms.depths.leave(session)
    return show_training(rooms, session, number)


def parse_seed(words: DepthWords, value: Any) -> int:
    """Return a seed.

    Raises:
        OptionError: If it is none of those that there are.
    """
    seed = parse_whole(words.seed, value)
    check_range(words.seed, seed, SEEDS[0], SEEDS[-1])
    return seed


def show_training(rooms: Rooms, session: Session, seed: int) -> TrainingOutputs:
    """Return what is shown of the training of a seed; who does not watch it sees what it has come to so far."""
    words, job = rooms.words, rooms.depths.find(seed)
    points: list[DepthPoint | DepthEnd] = list(job.points) if job else []
    running = [each for each in points if isinstance(each, DepthPoint)]
    ends = [each for each in points if isinstance(each, DepthEnd)]
    curves = {
        _name(words.inside.depth, design): [(each.step, each.error) for each in running if each.design == design]
        for design in DESIGNS
    }
    is_watching = rooms.depths.is_watching(session, seed)
    return TrainingOutputs(
        status=_draw_status(rooms, job, points) if job and (is_watching or not job.is_running) else "",
        plot=_fill_plot("step", curves) if running else gr.LinePlot(visible=False),
        table=draw_ends(words.inside.depth, ends),
        start=gr.Button(interactive=not is_watching),
        stop=gr.Button(interactive=is_watching),
    )


def say_gradients(words: DepthWords, gradients: Sequence[Gradients]) -> str:
    """Return a sentence on the first blocks of the deepest networks."""
    deepest = max(each.design.depth for each in gradients)
    first = {each.design.residual: each.norms[0] for each in gradients if each.design.depth == deepest}
    return words.gradients_said.format(depth=deepest, plain=_write(first[False]), residual=_write(first[True]))


def say_verdict(words: DepthWords, ends: Sequence[DepthEnd]) -> str:
    """Return what depth did to both kinds of networks, nothing until there is enough to compare."""
    if (verdict := judge(ends)) is None:
        return ""
    sentences = (
        (words.plain_grew if verdict.plain_grew else words.plain_kept, verdict.plain),
        (words.residual_grew if verdict.residual_grew else words.residual_kept, verdict.residual),
    )
    return " ".join(
        sentence.format(
            shallow=verdict.shallow.depth, deep=verdict.deep.depth, before=100 * errors[0], after=100 * errors[1]
        )
        for sentence, errors in sentences
    )


def draw_ends(words: DepthWords, ends: Sequence[DepthEnd]) -> str:
    """Return what each network has ended with, as a table."""
    rows = [
        (
            _name(words, each.design),
            f"{100 * each.train_error:.1f}%",
            f"{100 * each.held_out_error:.1f}%",
            f"{each.seconds:.1f}",
        )
        for each in ends
    ]
    return draw_table(words.columns, rows, css_class="counts") if rows else ""


def build_depth(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.depth
    with build_panel(rooms, ref, words, PAPER, elem_id="depth-panel") as panel:
        seed = gr.Radio(list(SEEDS), value=SEEDS[0], label=words.seed, info=words.seed_help, elem_id="depth-seed")
        gradients = _build_gradients(words)
        training = _build_training(words)
    listen(rooms, [panel.renewed, seed.input], draw_gradients, seed, gradients, show_progress_on=panel.title)
    begun = listen(rooms, training.start.click, start_depth, [ref, seed], None)
    watching = listen(rooms, begun.success, watch_depth, [ref, seed], training, reveals=training.status)
    shown = listen(rooms, panel.renewed, watch_depth, [ref, seed], training)
    listen(rooms, seed.input, choose_seed, [ref, seed], training, cancels=[watching, shown])
    listen(rooms, training.stop.click, stop_depth, ref, None)


def _build_gradients(words: DepthWords) -> GradientOutputs:
    said = gr.HTML("", padding=False, elem_id="gradients-said")
    plot = _build_plot(words, ("block", words.block_axis), words.power_axis, elem_id="gradients-plot")
    return GradientOutputs(said, plot, gr.HTML("", padding=False, elem_id="gradients-table"))


def _build_training(words: DepthWords) -> TrainingOutputs:
    gr.HTML(f'<h3>{words.training}</h3><p class="hint">{words.training_help}</p>', padding=False)
    with gr.Row():
        start = gr.Button(words.start, variant="primary", elem_id="start-depth")
        stop = gr.Button(words.stop, interactive=False, elem_id="stop-depth")
    status = gr.HTML("", padding=False, elem_id="depth-status")
    plot = _build_plot(words, ("step", words.step_axis), words.error_axis, elem_id="depth-plot", y_lim=[0, 1])
    table = gr.HTML("", padding=False, elem_id="depth-table")
    return TrainingOutputs(status, plot, table, start, stop)


def _build_plot(words: DepthWords, x: tuple[str, str], y_title: str, **options: Any) -> gr.LinePlot:
    names = [_name(words, each) for each in DESIGNS]
    return build_line_plot(names, x=x[0], y="value", x_title=x[1], y_title=y_title, height=280, **options)


def _fill_plot(x: str, curves: Curves) -> gr.LinePlot:
    return gr.LinePlot(value=curve_points(x, "value", curves), visible=True)


def _draw_norms(words: DepthWords, gradients: Sequence[Gradients]) -> str:
    rows = [(_name(words, each.design), _write(each.norms[0]), _write(each.norms[-1])) for each in gradients]
    return draw_table(words.gradient_columns, rows, css_class="counts")


def _draw_status(rooms: Rooms, job: Job, points: Sequence[DepthPoint | DepthEnd]) -> str:
    """Return what the training waits for, where it is, or what came of it."""
    words = rooms.words.inside.depth
    if job.is_running:
        return draw_status(rooms.describe_wait(job) or _describe_step(words, points))
    if isinstance(job.error, TrainingStopped):
        return draw_status(words.stopped)
    if job.error is not None:
        return draw_status(rooms.words.explain(job.error), kind="failed")
    return draw_status(say_verdict(words, [each for each in points if isinstance(each, DepthEnd)]), kind="trained")


def _describe_step(words: DepthWords, points: Sequence[DepthPoint | DepthEnd]) -> str:
    last = points[-1] if points else None
    if last is None:
        return words.starting
    step = last.step if isinstance(last, DepthPoint) else NUM_STEPS
    number = DESIGNS.index(last.design) + 1
    name = _name(words, last.design)
    return words.running.format(name=name, step=step, total=NUM_STEPS, number=number, count=len(DESIGNS))


def _name(words: DepthWords, design: Design) -> str:
    return words.kinds["residual" if design.residual else "plain"].format(depth=design.depth)


def _write(norm: float) -> str:
    """Return a small number as a multiple of a power of ten."""
    factor, power = f"{norm:.1e}".split("e")
    return f"{factor} × 10{str(int(power)).translate(_RAISED)}"
