"""Two experiments on the visitor's own pictures: the race of four ways to learn, and how few pictures are enough."""

from collections.abc import AsyncIterator, Generator
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.data.dataset import Dataset
from demo.figures import curve_points
from demo.tasks.fewshot import FewShotPoint, measure_curve
from demo.tasks.race import Contender, Finish, RacePoint, race
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_status, draw_table
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.finetune import ExperimentsWords
from demo.words.language import Words


class Experiment(NamedTuple):
    """What is shown of one experiment: how it goes, and its points as curves and as a table."""

    status: Any
    plot: Any
    table: Any


class Buttons(NamedTuple):
    """What starts a job, and what stops it."""

    train: Any
    stop: Any
    race: Any
    curve: Any


class Experiments(NamedTuple):
    """What the watchers of both experiments fill."""

    race: Experiment
    curve: Experiment
    buttons: Buttons


@costs(Cost.LIGHT)
def start_race(rooms: Rooms, ref: Ref) -> None:
    """Put a race into the line of trainings."""
    session = rooms.sessions.find(ref)
    dataset, name = session.pictures.find_dataset(), session.state.backbone_name

    def steps() -> Generator[Any, None, None]:
        with rooms.backbones.lend(name) as backbone:
            yield from race(backbone, dataset, rooms.settings)

    rooms.submit(session, Job(steps, kind=JobKind.RACE))


@costs(Cost.LIGHT)
def start_curve(rooms: Rooms, ref: Ref) -> None:
    """Put the question of how few pictures are enough into the line of trainings."""
    session = rooms.sessions.find(ref)
    dataset, name, cache = session.pictures.find_dataset(), session.state.backbone_name, session.cache

    def steps() -> Generator[Any, None, None]:
        with rooms.backbones.lend(name) as backbone:
            yield from measure_curve(backbone, dataset, rooms.settings, cache=cache)

    rooms.submit(session, Job(steps, kind=JobKind.CURVE))


@costs(Cost.LIGHT)
async def watch_race(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Experiment, Buttons]]:
    """Show how the race goes until it ends."""
    async for session in rooms.watch(ref, JobKind.RACE):
        yield show_race(rooms, session), show_buttons(session)


@costs(Cost.LIGHT)
async def watch_curve(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Experiment, Buttons]]:
    """Show the learning curve as it grows, until it ends."""
    async for session in rooms.watch(ref, JobKind.CURVE):
        yield show_curve(rooms, session), show_buttons(session)


def show_race(rooms: Rooms, session: Session) -> Experiment:
    """Return what is shown of the session's race."""
    words, job = rooms.words.finetune.experiments, session.jobs.get(JobKind.RACE)
    points = list(job.points) if job else []
    running = [each for each in points if isinstance(each, RacePoint)]
    # The plot settles its colours by what it is first given: contenders that have not run yet have an empty point.
    by_contender = {each: [point for point in running if point.contender is each] for each in Contender}
    curves: dict[str, list[tuple[float | None, float | None]]] = {
        words.contenders[each]: [(point.seconds, point.val_accuracy) for point in theirs] or [(None, None)]
        for each, theirs in by_contender.items()
    }
    plot = _fill_plot("seconds", curves) if running else gr.LinePlot(visible=False)
    finishes = [each for each in points if isinstance(each, Finish)]
    return Experiment(_draw_status(rooms, job), plot, draw_finishes(words, finishes))


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
    return Experiment(_draw_status(rooms, job), plot, draw_few(words, points))


def show_buttons(session: Session) -> Buttons:
    """Let a job that runs be stopped, and none be started beside it."""
    is_training = session.is_training
    start = gr.Button(interactive=session.pictures.dataset is not None and not is_training)
    return Buttons(train=start, stop=gr.Button(interactive=is_training), race=start, curve=start)


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


def build_experiments(rooms: Rooms, ref: gr.State, train: gr.Button, stop: gr.Button) -> Experiments:
    """Lay out both experiments and wire them."""
    words = rooms.words.finetune.experiments
    with gr.Accordion(words.race, open=False, elem_id="race-panel"):
        gr.HTML(f'<p class="help">{words.race_help}</p>', padding=False)
        race_button, race_shown = _build(rooms.words, words.start_race, "race", "seconds", words.seconds_axis)
    with gr.Accordion(words.few, open=False, elem_id="few-panel"):
        gr.HTML(f'<p class="help">{words.few_help}</p>', padding=False)
        curve_button, curve_shown = _build(rooms.words, words.start_few, "few", "pictures", words.pictures_axis)
    buttons = Buttons(train, stop, race_button, curve_button)
    for button, start, watch, shown in (
        (race_button, start_race, watch_race, race_shown),
        (curve_button, start_curve, watch_curve, curve_shown),
    ):
        begun = listen(rooms, button.click, start, ref, None)
        listen(rooms, begun.success, watch, ref, [shown, buttons])
    return Experiments(race_shown, curve_shown, buttons)


def _build(words: Words, label: str, elem_id: str, x: str, x_title: str) -> tuple[gr.Button, Experiment]:
    start = gr.Button(label, interactive=False, elem_id=f"start-{elem_id}")
    status = gr.HTML("", padding=False, elem_id=f"{elem_id}-status")
    plot = gr.LinePlot(
        x=x,
        y="accuracy",
        color="split",
        x_title=x_title,
        y_title=words.finetune.training.accuracy_axis,
        color_title=" ",
        y_lim=[0, 1],
        height=280,
        visible=False,
        elem_id=f"{elem_id}-plot",
    )
    return start, Experiment(status, plot, gr.HTML("", padding=False, elem_id=f"{elem_id}-table"))


def _fill_plot(x: str, curves: Any) -> gr.LinePlot:
    return gr.LinePlot(value=curve_points(x, "accuracy", curves), visible=True)


def _draw_status(rooms: Rooms, job: Job | None) -> str:
    words = rooms.words.finetune.experiments
    if job is None:
        return ""
    if job.error is not None:
        return draw_status(rooms.words.explain(job.error), kind="failed")
    if not job.is_running:
        return draw_status(words.done, kind="trained")
    return draw_status(rooms.describe_wait(job) or words.running)


def _most_pictures(dataset: Dataset | None) -> int:
    """Return how many training pictures the largest class has."""
    return max(dataset.training_counts) if dataset else 1
