"""Two experiments on the visitor's own pictures: the race of four ways to learn, and how few pictures are enough."""

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.data.dataset import Dataset, Split
from demo.figures import curve_points
from demo.settings import Settings
from demo.tasks.features import FeatureCache, FeatureProgress, extract_features
from demo.tasks.fewshot import FewShotPoint, LabelledFeatures, learning_curve
from demo.tasks.race import Contender, Finish, RacePoint, race
from demo.ui.context import LIGHT, Context
from demo.ui.markup import draw_status, draw_table
from demo.ui.sessions import Ref, Session
from demo.ui.text import Words
from demo.ui.training import Job, JobKind

_WATCH_EVERY_S = 0.4


class Experiments(NamedTuple):
    """What `watch_race` and `watch_curve` fill, and what both of them do: the buttons of `show_buttons`."""

    race: list[Any]
    curve: list[Any]
    buttons: list[Any]


def start_race(context: Context, ref: Ref) -> None:
    """Put a race into the line of trainings."""
    session = context.sessions.find(ref)
    dataset, name = session.find_dataset(), session.state.backbone_name

    def steps() -> Generator[Any, None, None]:
        with context.backbones.lend(name) as backbone:
            yield from race(backbone, dataset, context.settings)

    _submit(context, session, Job(steps, kind=JobKind.RACE))


def start_curve(context: Context, ref: Ref) -> None:
    """Put the question of how few pictures are enough into the line of trainings."""
    session = context.sessions.find(ref)
    dataset, name, cache = session.find_dataset(), session.state.backbone_name, session.cache

    def steps() -> Generator[Any, None, None]:
        with context.backbones.lend(name) as backbone:
            yield from measure_curve(backbone, dataset, context.settings, cache)

    _submit(context, session, Job(steps, kind=JobKind.CURVE))


def measure_curve(
    backbone: Any, dataset: Dataset, settings: Settings, cache: FeatureCache
) -> Generator[FeatureProgress | FewShotPoint, None, None]:
    """Compute the features that are missing, then the accuracy for each number of pictures in a class."""
    features = yield from extract_features(backbone, dataset, settings, cache=cache)
    training, held_out = (
        LabelledFeatures(*(np.asarray(each) for each in features.of(split)))
        for split in (Split.TRAIN, Split.VALIDATION)
    )
    yield from learning_curve(training, held_out, len(dataset.class_names))


async def watch_race(context: Context, ref: Ref) -> AsyncIterator[list[Any]]:
    """Show how the race goes until it ends; only looks, so it may be closed at any time."""
    async for update in _watch(context, ref, JobKind.RACE):
        yield update


async def watch_curve(context: Context, ref: Ref) -> AsyncIterator[list[Any]]:
    """Show the learning curve as it grows; only looks, so it may be closed at any time."""
    async for update in _watch(context, ref, JobKind.CURVE):
        yield update


def show_race(context: Context, session: Session) -> list[Any]:
    """Return status, curve and table of the race."""
    words, job = context.words, session.jobs.get(JobKind.RACE)
    points = list(job.points) if job else []
    running = [each for each in points if isinstance(each, RacePoint)]
    # The plot settles its colours by what it is first given: those that have not run yet stand there without a place.
    curves: dict[str, list[tuple[float | None, float | None]]] = {
        words.contenders[contender]: [
            (each.seconds, each.val_accuracy) for each in running if each.contender is contender
        ]
        or [(None, None)]
        for contender in Contender
    }
    plot: Any = gr.LinePlot(visible=False)
    if running:
        plot = gr.LinePlot(value=curve_points("seconds", "accuracy", curves), visible=True)
    finishes = [each for each in points if isinstance(each, Finish)]
    return [_draw_status(context, job), plot, draw_finishes(words, finishes)]


def show_curve(context: Context, session: Session) -> list[Any]:
    """Return status, curve and table of the learning curve."""
    words, job = context.words, session.jobs.get(JobKind.CURVE)
    points: list[FewShotPoint] = list(job.points) if job else []
    most = _most_pictures(session.dataset)
    curves = {
        name: [(each.pictures_per_class or most, getattr(each, value)) for each in points]
        for name, value in zip(words.curve_bands, ("highest", "mean", "lowest"), strict=True)
    }
    plot = (
        gr.LinePlot(value=curve_points("pictures", "accuracy", curves), visible=True)
        if points
        else gr.LinePlot(visible=False)
    )
    return [_draw_status(context, job), plot, draw_few(words, points)]


def show_buttons(session: Session) -> list[Any]:
    """Return Train, Stop and both experiments' buttons: what runs can be stopped, and nothing runs beside it."""
    start = gr.Button(interactive=session.dataset is not None and not session.is_training)
    return [start, gr.Button(interactive=session.is_training), start, start]


def draw_finishes(words: Words, finishes: list[Finish]) -> str:
    """Return what each contender ended with, as a table."""
    rows = [
        (
            words.contenders[each.contender],
            f"{each.correct}/{each.count}",
            f"{100 * each.correct / max(1, each.count):.1f}%",
            f"{each.seconds:.1f}",
            f"{each.num_trained:,}",
            each.epochs,
        )
        for each in finishes
    ]
    return draw_table(words.race_columns, rows, css_class="counts") if rows else ""


def draw_few(words: Words, points: list[FewShotPoint]) -> str:
    """Return the learning curve as a table."""
    rows = [
        (
            words.all_pictures if each.pictures_per_class is None else each.pictures_per_class,
            f"{100 * each.mean:.1f}%",
            f"{100 * each.lowest:.1f}–{100 * each.highest:.1f}%",
            each.num_draws,
        )
        for each in points
    ]
    return draw_table(words.curve_columns, rows, css_class="counts") if rows else ""


def build_experiments(context: Context, ref: gr.State, train: gr.Button, stop: gr.Button) -> Experiments:
    """Lay out both experiments and wire them."""
    words = context.words
    with gr.Accordion(words.race, open=False, elem_id="race-panel"):
        gr.HTML(f'<p class="help">{words.race_help}</p>', padding=False)
        start_race_button, *race_parts = _build(words, words.start_race, "race", "seconds", words.seconds_axis)
    with gr.Accordion(words.few, open=False, elem_id="few-panel"):
        gr.HTML(f'<p class="help">{words.few_help}</p>', padding=False)
        start_curve_button, *curve_parts = _build(words, words.start_few, "few", "pictures", words.pictures_axis)
    buttons = [train, stop, start_race_button, start_curve_button]
    for button, parts, start, watch in (
        (start_race_button, race_parts, start_race, watch_race),
        (start_curve_button, curve_parts, start_curve, watch_curve),
    ):
        watched = [*parts, *buttons]
        button.click(context.bind(start), ref, None, **LIGHT).success(context.bind(watch), ref, watched, **LIGHT)
    return Experiments(race_parts, curve_parts, buttons)


def _build(words: Words, label: str, elem_id: str, x: str, x_title: str) -> list[Any]:
    start = gr.Button(label, interactive=False, elem_id=f"start-{elem_id}")
    status = gr.HTML("", padding=False, elem_id=f"{elem_id}-status")
    plot = gr.LinePlot(
        x=x,
        y="accuracy",
        color="split",
        x_title=x_title,
        y_title=words.accuracy_axis,
        color_title=" ",
        y_lim=[0, 1],
        height=280,
        visible=False,
        elem_id=f"{elem_id}-plot",
    )
    table = gr.HTML("", padding=False, elem_id=f"{elem_id}-table")
    return [start, status, plot, table]


def _submit(context: Context, session: Session, job: Job) -> None:
    session.begin(job)
    context.line.submit(job)


async def _watch(context: Context, ref: Ref, kind: JobKind) -> AsyncIterator[list[Any]]:
    session, shown = context.sessions.find(ref), None
    show = show_race if kind is JobKind.RACE else show_curve
    while (job := session.jobs.get(kind)) and job.is_running:
        seen = (context.line.num_ahead(job), job.progress, len(job.points))
        if seen != shown:
            shown = seen
            yield [*show(context, session), *show_buttons(session)]
        await asyncio.sleep(_WATCH_EVERY_S)
        context.sessions.find(ref)
    yield [*show(context, session), *show_buttons(session)]


def _draw_status(context: Context, job: Job | None) -> str:
    words = context.words
    if job is None:
        return ""
    if job.error is not None:
        return draw_status(words.explain(job.error), kind="failed")
    if not job.is_running:
        return draw_status(words.experiment_done, kind="trained")
    if context.line.num_ahead(job):
        return draw_status(context.describe_wait(job))
    if isinstance(job.progress, FeatureProgress):
        return draw_status(words.reading.format(done=job.progress.done, total=job.progress.total))
    return draw_status(words.experiment_running)


def _most_pictures(dataset: Dataset | None) -> int:
    counts = [each.get(Split.TRAIN.value, 0) for each in dataset.counts.values()] if dataset else []
    return max(counts, default=1)
