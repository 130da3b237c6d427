"""Two experiments on the visitor's own pictures: the race of four ways to learn, and how few pictures are enough."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.data.dataset import Dataset
from demo.figures import curve_points
from demo.tasks.fewshot import FewShotPoint, measure_curve
from demo.tasks.lease import run_race
from demo.tasks.race import Contender, Finish, RacePoint
from demo.ui.finetune.steps import Controls, show_controls
from demo.ui.finetune.trials.lab import draw_job, start
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.chart import build_line_plot
from demo.ui.parts.markup import draw_help, draw_table
from demo.visitors.jobs import JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.finetune import ExperimentsWords
from demo.words.language import Words


class Experiment(NamedTuple):
    """What is shown of one experiment: how it goes, and its points as curves and as a table."""

    status: Any
    plot: Any
    table: Any


class Lab(NamedTuple):
    """An experiment with the buttons that start and stop it."""

    start: gr.Button
    stop: gr.Button
    shown: Experiment


@costs(Cost.LIGHT)
def start_race(rooms: Rooms, ref: Ref) -> None:
    """Begin a race; it is timed, so nothing is taken from what is known."""
    start(rooms, ref, JobKind.RACE, lambda *given, **_: run_race(*given))


@costs(Cost.LIGHT)
def start_curve(rooms: Rooms, ref: Ref) -> None:
    """Ask how few pictures are enough."""
    start(rooms, ref, JobKind.CURVE, measure_curve)


@costs(Cost.LIGHT)
async def watch_race(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Experiment, Controls]]:
    """Show how the race goes until it ends."""
    async for session in rooms.watch(ref, JobKind.RACE):
        yield show_race(rooms, session), show_controls(rooms, session)


@costs(Cost.LIGHT)
async def watch_curve(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Experiment, Controls]]:
    """Show the learning curve as it grows, until it ends."""
    async for session in rooms.watch(ref, JobKind.CURVE):
        yield show_curve(rooms, session), show_controls(rooms, session)


def show_race(rooms: Rooms, session: Session) -> Experiment:
    """Return what is shown of the session's race."""
    words, job = rooms.words.finetune.experiments, session.jobs.get(JobKind.RACE)
    points = list(job.points) if job else []
    running = [each for each in points if isinstance(each, RacePoint)]
    curves = {
        words.contenders[each]: [(point.seconds, point.val_accuracy) for point in running if point.contender is each]
        for each in Contender
    }
    plot = _fill_plot("seconds", curves) if running else gr.LinePlot(visible=False)
    finishes = [each for each in points if isinstance(each, Finish)]
    return Experiment(draw_job(rooms, job), plot, draw_finishes(words, finishes))


def show_curve(rooms: Rooms, session: Session) -> Experiment:
    """Return what is shown of the session's learning curve."""
    words, job = rooms.words.finetune.experiments, session.jobs.get(JobKind.CURVE)
    points: list[FewShotPoint] = list(job.points) if job else []
    most = _most_pictures(session.pictures.dataset)
    curves = {
        name: [(each.pictures_per_class or most, getattr(each, value)) for each in points]
        for name, value in zip(words.curve_bands, ("highest", "mean", "lowest"), strict=True)
    }
    plot = _fill_plot("pictures", curves) if points else gr.LinePlot(visible=False)
    return Experiment(draw_job(rooms, job), plot, draw_few(words, points))


def draw_finishes(words: ExperimentsWords, finishes: list[Finish]) -> str:
    """Return what each contender ended with, as a table."""
    shows_balanced = any(each.accuracy.balanced is not None for each in finishes)
    rows = [
        (
            words.contenders[each.contender],
            f"{each.accuracy.correct}/{each.accuracy.count}",
            f"{100 * each.accuracy.share:.1f}%",
            *([f"{100 * (each.accuracy.balanced or 0):.1f}%"] if shows_balanced else []),
            f"{each.seconds:.1f}",
            f"{each.num_trained:,}",
            each.epochs,
        )
        for each in finishes
    ]
    columns = list(words.race_columns)
    columns[3:3] = [words.balanced_column] if shows_balanced else []
    return draw_table(columns, rows, css_class="counts") if rows else ""


def draw_few(words: ExperimentsWords, points: list[FewShotPoint]) -> str:
    """Return the learning curve as a table."""
    shows_balanced = any(each.balanced for each in points)
    rows = [
        (
            words.all_pictures if each.pictures_per_class is None else each.pictures_per_class,
            f"{100 * each.mean:.1f}%",
            *([f"{100 * np.mean(each.balanced):.1f}%"] if shows_balanced else []),
            f"{100 * each.lowest:.1f}–{100 * each.highest:.1f}%",
            each.num_repeats,
        )
        for each in points
    ]
    columns = list(words.curve_columns)
    columns[2:2] = [words.balanced_column] if shows_balanced else []
    return draw_table(columns, rows, css_class="counts") if rows else ""


def build_experiments(words: Words) -> tuple[Lab, Lab]:
    """Lay out both experiments."""
    ours = words.finetune.experiments
    with gr.Accordion(ours.race, open=True, elem_id="race-panel"):
        gr.HTML(draw_help(words.finetune.explain, ours.race_help), padding=False)
        axes, names = ("seconds", ours.seconds_axis), [ours.contenders[each] for each in Contender]
        race = _build(words, ours.start_race, "race", axes, names)
    with gr.Accordion(ours.few, open=False, elem_id="few-panel"):
        gr.HTML(draw_help(words.finetune.explain, ours.few_help), padding=False)
        few = _build(words, ours.start_few, "few", ("pictures", ours.pictures_axis), ours.curve_bands)
    return race, few


def wire_experiments(rooms: Rooms, ref: gr.State, race: Lab, few: Lab, controls: Controls) -> None:
    """Let both experiments be started and watched."""
    for lab, begin, watch in ((race, start_race, watch_race), (few, start_curve, watch_curve)):
        begun = listen(rooms, lab.start.click, begin, ref, None)
        listen(rooms, begun.success, watch, ref, [lab.shown, controls], reveals=lab.shown.status)


def _build(words: Words, label: str, elem_id: str, axes: tuple[str, str], names: Sequence[str]) -> Lab:
    with gr.Row():
        begin = gr.Button(label, variant="primary", interactive=False, elem_id=f"start-{elem_id}")
        stop = gr.Button(words.finetune.training.stop, interactive=False, elem_id=f"stop-{elem_id}")
    status = gr.HTML("", padding=False, elem_id=f"{elem_id}-status")
    plot = build_line_plot(
        names,
        x=axes[0],
        y="accuracy",
        x_title=axes[1],
        y_title=words.finetune.training.accuracy_axis,
        y_lim=[0, 1],
        height=280,
        elem_id=f"{elem_id}-plot",
    )
    table = gr.HTML("", padding=False, elem_id=f"{elem_id}-table")
    return Lab(begin, stop, Experiment(status, plot, table))


def _fill_plot(x: str, curves: Any) -> gr.LinePlot:
    return gr.LinePlot(value=curve_points(x, "accuracy", curves), visible=True)


def _most_pictures(dataset: Dataset | None) -> int:
    """Return how many training pictures the largest class has."""
    return max(dataset.training_counts) if dataset else 1
