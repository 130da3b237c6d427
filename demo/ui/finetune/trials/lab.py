"""What trials and experiments share: how one begins and goes; and a fold with its buttons and what came out."""

from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, NamedTuple

import gradio as gr

from demo.models.hardware import IS_LENT
from demo.ui.finetune.steps import Controls, describe_progress, show_controls
from demo.ui.handlers import listen
from demo.ui.parts.markup import draw_help, draw_status
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words
from demo.words.trials import TrialWords

# Looks at a dataset with a network, and yields progress and points.
Measure = Callable[..., Generator[Any, None, None]]
Draw = Callable[[Words, list[Any]], str]


class Trial(NamedTuple):
    """What is shown of a trial: how it goes, and what has come out so far."""

    status: Any
    found: Any


class TrialLab(NamedTuple):
    """A trial with the buttons that start and stop it."""

    start: gr.Button
    stop: gr.Button
    shown: Trial


def start(rooms: Rooms, ref: Ref, kind: JobKind, measure: Measure) -> None:
    """Begin a trial on the session's pictures."""
    session = rooms.sessions.find(ref)
    dataset, name, cache = session.pictures.find_dataset(), session.state.backbone_name, session.cache

    def steps() -> Generator[Any, None, None]:
        with rooms.backbones.lend(name) as backbone:
            yield from measure(backbone, dataset, rooms.settings, cache=cache)

    is_race = kind is JobKind.RACE
    rooms.submit(session, Job(steps, kind=kind, is_large=is_race, is_lent=IS_LENT and is_race))


async def watch(rooms: Rooms, ref: Ref, kind: JobKind, draw: Draw) -> AsyncIterator[tuple[Trial, Controls]]:
    """Show how a trial goes until it ends."""
    async for session in rooms.watch(ref, kind):
        yield show(rooms, session, kind, draw), show_controls(rooms, session)


def show(rooms: Rooms, session: Session, kind: JobKind, draw: Draw) -> Trial:
    """Return what is shown of the session's trial of a kind, and what it is; a first document does not carry that."""
    words, job = rooms.words.finetune, session.jobs.get(kind)
    found = draw(rooms.words, list(job.points)) if job and job.points else ""
    return Trial(draw_job(rooms, job), found + draw_help(words.explain, getattr(words, kind.value).help))


def draw_job(rooms: Rooms, job: Job | None) -> str:
    """Return how a job goes, or how it has ended; "" where there is none."""
    if job is None:
        return ""
    if job.error is not None:
        return draw_status(rooms.words.explain(job.error), kind="failed")
    if not job.is_running:
        return draw_status(rooms.words.finetune.experiments.done, kind="trained")
    return draw_status(describe_progress(rooms, job))


def build_trial(words: Words, ours: TrialWords, elem_id: str) -> TrialLab:
    """Lay out a trial in a fold."""
    with gr.Accordion(ours.title, open=False, elem_id=f"{elem_id}-panel"):
        with gr.Row():
            begin = gr.Button(ours.start, variant="primary", interactive=False, elem_id=f"start-{elem_id}")
            stop = gr.Button(words.finetune.training.stop, interactive=False, elem_id=f"stop-{elem_id}")
        status = gr.HTML("", padding=False, elem_id=f"{elem_id}-status")
        found = gr.HTML("", padding=False, elem_id=f"{elem_id}-found")
    return TrialLab(begin, stop, Trial(status, found))


def wire_trial(
    rooms: Rooms, ref: gr.State, lab: TrialLab, start: Callable[..., Any], watch: Callable[..., Any], controls: Controls
) -> None:
    """Let a trial be started and watched."""
    begun = listen(rooms, lab.start.click, start, ref, None)
    listen(rooms, begun.success, watch, ref, [lab.shown, controls])  # right below the button
