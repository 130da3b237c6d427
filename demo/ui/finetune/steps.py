"""The five steps of tab 2: their labels, what is missing before the time of one has come, the way on, what runs."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gradio as gr

from demo.models.head import TrainingSummary
from demo.tasks.fit import BatchProgress, EpochResult
from demo.ui.finetune.gather.question_markup import is_asked
from demo.ui.handlers import Cost, costs
from demo.ui.parts.markup import PICK_SCRIPT
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.finetune import StepsWords
from demo.words.language import Words


class Step(NamedTuple):
    """What a step says of itself: its label, what is missing before its time has come, and the way on."""

    tab: Any
    missing: Any
    way_on: Any


class Steps(NamedTuple):
    """The steps in their order; their elements and an address name them like this too."""

    pictures: Step
    train: Step
    wrong: Step
    experiments: Step
    keep: Step


class Buttons(NamedTuple):
    """What starts a job, and what stops it."""

    train: Any
    stop: Any
    race: Any
    stop_race: Any
    curve: Any
    stop_curve: Any
    copies: Any
    stop_copies: Any
    layers: Any
    stop_layers: Any


class Controls(NamedTuple):
    """What can be done now: the buttons, the steps, and what runs, with a way to stop it."""

    buttons: Buttons
    steps: Steps
    running: Any


class _Told(NamedTuple):
    """What a step says: behind its name, what is missing and where to get it, and the way on."""

    fact: str = ""
    missing: tuple[str, str] | None = None
    way_on: tuple[str, str] | None = None


@costs(Cost.LIGHT)
def show_steps(rooms: Rooms, ref: Ref) -> Steps:
    """Show how far the visitor has come."""
    return draw_steps(rooms.words, rooms.sessions.find(ref))


def show_controls(rooms: Rooms, session: Session) -> Controls:
    """Let a job that runs be stopped, and none be started beside it; show how far the visitor has come."""
    is_training = session.is_training
    is_there = session.pictures.dataset is not None or is_asked(session.pictures)  # what is asked, a press leads to
    start = gr.Button(interactive=is_there and not is_training)
    stop = gr.Button(interactive=is_training)
    steps = draw_steps(rooms.words, session)
    return Controls(Buttons(*(start, stop) * (len(Buttons._fields) // 2)), steps, _draw_running(rooms, session))


def draw_steps(words: Words, session: Session) -> Steps:
    """Return what the steps say of themselves."""
    ours = words.finetune.steps
    told = (
        _tell_pictures(ours, session),
        _tell_training(words, session),
        _tell_wrong(ours, session),
        _tell_experiments(words, session),
        _tell_keep(words, session),
    )
    return Steps(*(_draw(ours, name, each) for name, each in zip(Steps._fields, told, strict=True)))


def describe_progress(rooms: Rooms, job: Job) -> str:
    """Return what a job waits for, or which epoch a training is in and how long the rest will take.

    Where it was to have a lent GPU and has none, that comes first.
    """
    waits, works = rooms.describe_wait(job), job.points or isinstance(job.progress, BatchProgress)
    sentences = [
        rooms.words.explain(job.refusal) if job.refusal else "",
        waits,
        _describe_work(rooms, job) if works or not waits else "",
    ]
    return rooms.words.sentence_separator.join(filter(None, sentences))


def _describe_work(rooms: Rooms, job: Job) -> str:
    if job.kind is not JobKind.TRAINING:
        return rooms.words.finetune.experiments.running
    words, progress, last = rooms.words.finetune.training, job.progress, job.points[-1] if job.points else None
    sentences = []
    if isinstance(last, EpochResult):
        values = {"epoch": last.epoch, "num_epochs": last.num_epochs, "loss": last.train_loss}
        sentences.append(words.epoch_status.format(**values, percent=100 * last.val_accuracy))
        left = last.seconds / last.epoch * (last.num_epochs - last.epoch)
        sentences.append(words.time_left.format(seconds=left))
    if isinstance(progress, BatchProgress):
        sentences.append(words.batch_status.format(epoch=progress.epoch, done=progress.done, total=progress.total))
    return rooms.words.sentence_separator.join(sentences) or words.starting


def build_running() -> gr.HTML:
    """Lay out the line that says on every step what runs; a phone says it in its bar."""
    return gr.HTML("", padding=False, js_on_load=PICK_SCRIPT, elem_id="running")


@contextmanager
def build_step(words: StepsWords, name: str) -> Iterator[Step]:
    """Lay out a step round what is built within, which renders the way on at its place."""
    with gr.Tab(words.names[name], id=name, elem_id=f"step-{name}") as tab:
        missing = gr.HTML("", padding=False, elem_id=f"missing-{name}")
        yield Step(tab, missing, gr.HTML("", padding=False, render=False, elem_id=f"way-{name}"))


def _tell_pictures(words: StepsWords, session: Session) -> _Told:
    dataset = session.pictures.dataset
    if dataset is None:
        return _Told()
    fact = words.pictures.format(classes=len(dataset.class_names), count=len(dataset.samples))
    return _Told(fact, way_on=None if is_asked(session.pictures) else (words.to_train, "train"))


def _tell_training(all_words: Words, session: Session) -> _Told:
    words, head, missing = all_words.finetune.steps, session.state.head, None
    if _is_running(session, JobKind.TRAINING):
        return _Told(words.at_work)
    if session.is_training:
        missing = words.experimenting, "experiments"
    elif session.pictures.dataset is None and head is None and not is_asked(session.pictures):
        missing = _say_why(all_words, session), "pictures"
    if head is None:
        return _Told(missing=missing)
    correct, count = _count(head.summary)
    way_on = (words.to_wrong, "wrong") if session.results else (words.to_keep, "keep")
    return _Told(words.trained.format(correct=correct, count=count), missing, way_on)


def _say_why(words: Words, session: Session) -> str:
    """Return why nothing can be learned from the pictures, or that there are none, as HTML."""
    error = session.pictures.error
    return html.escape(words.explain(error)) if error else words.finetune.steps.no_pictures


def _tell_wrong(words: StepsWords, session: Session) -> _Told:
    if session.results is None:
        return _Told(missing=(words.brought if session.state.head else words.no_head, "train"))
    correct, count = _count(session.results.head.summary)
    return _Told(words.wrong.format(wrong=count - correct, count=count), way_on=(words.to_experiments, "experiments"))


def _tell_experiments(words: Words, session: Session) -> _Told:
    ours = words.finetune.steps
    if is_asked(session.pictures):
        return _Told(missing=(words.finetune.reading.ask.to_answer, "pictures"))
    if session.pictures.dataset is None:
        return _Told(missing=(_say_why(words, session), "pictures"))
    if _is_running(session, JobKind.TRAINING):
        return _Told(missing=(ours.busy, "train"))
    if session.is_training:
        return _Told(ours.at_work)
    done = [ours.jobs[kind] for kind, job in session.jobs.items() if kind is not JobKind.TRAINING and job.error is None]
    way_on = (ours.to_keep, "keep") if session.state.head else (ours.to_train, "train")
    return _Told(ours.tried.format(names=words.list_separator.join(done)) if done else "", way_on=way_on)


def _tell_keep(words: Words, session: Session) -> _Told:
    ours, head = words.finetune.steps, session.state.head
    if head is None:
        return _Told(missing=(ours.no_head, "train"))
    return _Told(ours.kept if session.offers.num_bytes else "", way_on=(ours.to_predict, "predict"))


def _draw(words: StepsWords, name: str, told: _Told) -> Step:
    missing = ""
    if told.missing is not None:
        sentence, where = told.missing
        missing = f'<p class="missing">{sentence} {_draw_way(words.names[where], where)}</p>'
    label = f"{words.names[name]} {told.fact}".strip()
    return Step(gr.Tab(label=label), missing, _draw_way(*told.way_on) if told.way_on else "")


def _draw_way(label: str, where: str) -> str:
    """Return a button that leads to a step, or to a tab of the page; scripts/steps.js goes there."""
    return f'<button type="button" class="next" data-to="{where}">{html.escape(label)}</button>'


def _draw_running(rooms: Rooms, session: Session) -> str:
    job = next((job for job in session.jobs.values() if job.is_running), None)
    if job is None:
        return ""
    words = rooms.words.finetune
    sentence = words.steps.running.format(name=words.steps.jobs[job.kind], progress=describe_progress(rooms, job))
    stop = f'<button type="button" data-pick="stop">{words.training.stop}</button>'
    return f"<p><span>{html.escape(sentence)}</span> {stop}</p>"


def _is_running(session: Session, kind: JobKind) -> bool:
    job = session.jobs.get(kind)
    return job is not None and job.is_running


def _count(summary: TrainingSummary) -> tuple[int, int]:
    """Return how many of how many held-out pictures are right: of the test where there is one."""
    if summary.test_accuracy is not None:
        return summary.test_correct, summary.test_count
    return summary.val_correct, summary.val_count
