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
from demo.ui.handlers import LIGHT, bind
from demo.ui.parts.markup import draw_status, draw_table
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

_WATCH_EVERY_S = 0.4


class Experiments(NamedTuple):
    """What `watch_race` and `watch_curve` fill, and what both of them do: the buttons of `show_buttons`."""

    race: list[Any]
    curve: list[Any]
    buttons: list[Any]


def start_race(rooms: Rooms, ref: Ref) -> None:
    """Put a race into the line of trainings."""
    session = rooms.sessions.find(ref)
    dataset, name = session.pictures.find_dataset(), session.state.backbone_name

    def steps() -> Generator[Any, None, None]:
        with rooms.backbones.lend(name) as backbone:
            yield from race(backbone, dataset, rooms.settings)

    _submit(rooms, session, Job(steps, kind=JobKind.RACE))


def start_curve(rooms: Rooms, ref: Ref) -> None:
    """Put the question of how few pictures are enough into the line of trainings."""
    session = rooms.sessions.find(ref)
    dataset, name, cache = session.pictures.find_dataset(), session.state.backbone_name, session.cache

    def steps() -> Generator[Any, None, None]:
        with rooms.backbones.lend(name) as backbone:
            yield from measure_curve(backbone, dataset, rooms.settings, cache)

    _submit(rooms, session, Job(steps, kind=JobKind.CURVE))


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


async def watch_race(rooms: Rooms, ref: Ref) -> AsyncIterator[list[Any]]:
    """Show how the race goes until it ends; only looks, so it may be closed at any time."""
    async for update in _watch(rooms, ref, JobKind.RACE):
        yield update


async def watch_curve(rooms: Rooms, ref: Ref) -> AsyncIterator[list[Any]]:
    """Show the learning curve as it grows; only looks, so it may be closed at any time."""
    async for update in _watch(rooms, ref, JobKind.CURVE):
        yield update


def show_race(rooms: Rooms, session: Session) -> list[Any]:
    """Return status, curve and table of the race."""
    words, job = rooms.words, session.jobs.get(JobKind.RACE)
    points = list(job.points) if job else []
    running = [each for each in points if isinstance(each, RacePoint)]
    # The plot settles its colours by what it is first given: those that have not run yet stand there without a place.
    curves: dict[str, list[tuple[float | None, float | None]]] = {
        words.finetune.experiments.contenders[contender]: [
            (each.seconds, each.val_accuracy) for each in running if each.contender is contender
        ]
        or [(None, None)]
        for contender in Contender
    }
    plot: Any = gr.LinePlot(visible=False)
    if running:
        plot = gr.LinePlot(value=curve_points("seconds", "accuracy", curves), visible=True)
    finishes = [each for each in points if isinstance(each, Finish)]
    return [_draw_status(rooms, job), plot, draw_finishes(words, finishes)]


def show_curve(rooms: Rooms, session: Session) -> list[Any]:
    """Return status, curve and table of the learning curve."""
    words, job = rooms.words, session.jobs.get(JobKind.CURVE)
    points: list[FewShotPoint] = list(job.points) if job else []
    most = _most_pictures(session.pictures.dataset)
    curves = {
        name: [(each.pictures_per_class or most, getattr(each, value)) for each in points]
        for name, value in zip(words.finetune.experiments.curve_bands, ("highest", "mean", "lowest"), strict=True)
    }
    plot = (
        gr.LinePlot(value=curve_points("pictures", "accuracy", curves), visible=True)
        if points
        else gr.LinePlot(visible=False)
    )
    return [_draw_status(rooms, job), plot, draw_few(words, points)]


def show_buttons(session: Session) -> list[Any]:
    """Return Train, Stop and both experiments' buttons: what runs can be stopped, and nothing runs beside it."""
    start = gr.Button(interactive=session.pictures.dataset is not None and not session.is_training)
    return [start, gr.Button(interactive=session.is_training), start, start]


def draw_finishes(words: Words, finishes: list[Finish]) -> str:
    """Return what each contender ended with, as a table."""
    rows = [
        (
            words.finetune.experiments.contenders[each.contender],
            f"{each.accuracy.correct}/{each.accuracy.count}",
            f"{100 * each.accuracy.share:.1f}%",
            f"{each.seconds:.1f}",
            f"{each.num_trained:,}",
            each.epochs,
        )
        for each in finishes
    ]
    return draw_table(words.finetune.experiments.race_columns, rows, css_class="counts") if rows else ""


def draw_few(words: Words, points: list[FewShotPoint]) -> str:
    """Return the learning curve as a table."""
    rows = [
        (
            words.finetune.experiments.all_pictures if each.pictures_per_class is None else each.pictures_per_class,
            f"{100 * each.mean:.1f}%",
            f"{100 * each.lowest:.1f}–{100 * each.highest:.1f}%",
            each.num_repeats,
        )
        for each in points
    ]
    return draw_table(words.finetune.experiments.curve_columns, rows, css_class="counts") if rows else ""


def build_experiments(rooms: Rooms, ref: gr.State, train: gr.Button, stop: gr.Button) -> Experiments:
    """Lay out both experiments and wire them."""
    words = rooms.words
    with gr.Accordion(words.finetune.experiments.race, open=False, elem_id="race-panel"):
        gr.HTML(f'<p class="help">{words.finetune.experiments.race_help}</p>', padding=False)
        start_race_button, *race_parts = _build(
            words, words.finetune.experiments.start_race, "race", "seconds", words.finetune.experiments.seconds_axis
        )
    with gr.Accordion(words.finetune.experiments.few, open=False, elem_id="few-panel"):
        gr.HTML(f'<p class="help">{words.finetune.experiments.few_help}</p>', padding=False)
        start_curve_button, *curve_parts = _build(
            words, words.finetune.experiments.start_few, "few", "pictures", words.finetune.experiments.pictures_axis
        )
    buttons = [train, stop, start_race_button, start_curve_button]
    for button, parts, start, watch in (
        (start_race_button, race_parts, start_race, watch_race),
        (start_curve_button, curve_parts, start_curve, watch_curve),
    ):
        watched = [*parts, *buttons]
        button.click(bind(rooms, start), ref, None, **LIGHT).success(bind(rooms, watch), ref, watched, **LIGHT)
    return Experiments(race_parts, curve_parts, buttons)


def _build(words: Words, label: str, elem_id: str, x: str, x_title: str) -> list[Any]:
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
    table = gr.HTML("", padding=False, elem_id=f"{elem_id}-table")
    return [start, status, plot, table]


def _submit(rooms: Rooms, session: Session, job: Job) -> None:
    session.begin(job)
    rooms.line.submit(job)


async def _watch(rooms: Rooms, ref: Ref, kind: JobKind) -> AsyncIterator[list[Any]]:
    session, shown = rooms.sessions.find(ref), None
    show = show_race if kind is JobKind.RACE else show_curve
    while (job := session.jobs.get(kind)) and job.is_running:
        seen = (rooms.line.num_ahead(job), job.progress, len(job.points))
        if seen != shown:
            shown = seen
            yield [*show(rooms, session), *show_buttons(session)]
        await asyncio.sleep(_WATCH_EVERY_S)
        rooms.sessions.find(ref)
    yield [*show(rooms, session), *show_buttons(session)]


def _draw_status(rooms: Rooms, job: Job | None) -> str:
    words = rooms.words
    if job is None:
        return ""
    if job.error is not None:
        return draw_status(words.explain(job.error), kind="failed")
    if not job.is_running:
        return draw_status(words.finetune.experiments.done, kind="trained")
    if rooms.line.num_ahead(job):
        return draw_status(rooms.describe_wait(job))
    if isinstance(job.progress, FeatureProgress):
        return draw_status(words.finetune.training.reading.format(done=job.progress.done, total=job.progress.total))
    return draw_status(words.finetune.experiments.running)


def _most_pictures(dataset: Dataset | None) -> int:
    counts = [each.get(Split.TRAIN.value, 0) for each in dataset.counts.values()] if dataset else []
    return max(counts, default=1)
