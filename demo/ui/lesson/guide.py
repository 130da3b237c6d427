"""The guided lesson beside the tabs: a question, the answer that is predicted, the numbers that come out."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any, NamedTuple

import gradio as gr

from demo.lesson.steps import STEPS
from demo.ui.handlers import Cost, costs, listen
from demo.ui.lesson.guide_markup import LETTERS, draw_found, draw_frame, draw_question
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.markup import draw_status
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.values import read_event
from demo.visitors.lesson import Lesson
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref

_LOOK_EVERY_S = 0.3
_OPEN = "open"  # asks for the lesson where it was left

# A script of the page tells what was pressed, wherever the button stands (demo/ui/scripts/lesson.js).
_SCRIPT = "demo.guide = (act, pick) => trigger(act, {pick});"


class Guide(NamedTuple):
    """The guide: components when it is built, their values when it is filled.

    `awaits` is the number of the step whose numbers are on their way, and 0 where none are.
    """

    shown: Any
    awaits: Any


@costs(Cost.LIGHT)
def choose_answer(rooms: Rooms, ref: Ref, event: gr.EventData) -> Guide:
    """Predict an answer of the step; what is chosen is not changed any more."""
    lesson = rooms.sessions.find(ref).lesson
    letters = LETTERS[: len(rooms.words.lesson.steps[lesson.step.name].options)]
    lesson.choose(letters.index(_read(rooms, event, letters)))
    return show_guide(rooms, lesson)


@costs(Cost.LIGHT)
def try_step(rooms: Rooms, ref: Ref) -> Guide:
    """Measure the step's numbers, or show those that somebody has measured before; the page is set up by a script."""
    lesson = rooms.sessions.find(ref).lesson
    if lesson.try_step():
        rooms.measure(lesson.step)
    return show_guide(rooms, lesson)


@costs(Cost.LIGHT)
def go_to_step(rooms: Rooms, ref: Ref, event: gr.EventData) -> Guide:
    """Open the lesson at a step, or where it was left, or put it away."""
    lesson = rooms.sessions.find(ref).lesson
    pick = _read(rooms, event, (_OPEN, *map(str, range(len(STEPS) + 1))))
    lesson.go(lesson.step.number if pick == _OPEN else int(pick))
    return show_guide(rooms, lesson)


@costs(Cost.LIGHT)
async def await_numbers(rooms: Rooms, ref: Ref, awaits: int) -> AsyncIterator[Guide]:
    """Show what comes out of a step as soon as it is there, unless the visitor has gone on to another one."""
    told = unchanged(Guide)
    yield told
    while awaits:
        await asyncio.sleep(_LOOK_EVERY_S)
        lesson = rooms.sessions.find(ref).lesson
        if lesson.number != awaits:
            break
        shown = show_guide(rooms, lesson)
        if shown != told:
            yield shown
        told, awaits = shown, shown.awaits


def show_guide(rooms: Rooms, lesson: Lesson) -> Guide:
    """Return the guide as a visitor's lesson is now."""
    if not lesson.is_open:
        return Guide("", 0)
    words, step = rooms.words, lesson.step
    chosen = lesson.chosen.get(step.name)
    job = rooms.findings.job_of(step) if chosen is not None and step.name in lesson.tried else None
    found = rooms.findings.of(step) if job else None
    content = draw_question(words.lesson, step, chosen, found.answer if found else None)
    if found and chosen is not None:
        content += draw_found(words, step, chosen, found)
    elif job and job.error is not None:
        content += draw_status(words.explain(job.error), kind="failed")
    elif job:
        content += f"{draw_status(rooms.describe_wait(job) or words.lesson.waiting)}<progress></progress>"
    is_awaited = job is not None and found is None and job.error is None
    return Guide(draw_frame(words.lesson, step, content), step.number * is_awaited)


def build_guide(rooms: Rooms, ref: gr.State) -> Guide:
    """Lay out the guide, which takes no room while it is put away, and wire it."""
    guide = Guide(gr.HTML("", padding=False, js_on_load=_SCRIPT, elem_id="guide"), gr.State(0))
    for trigger, handler in (
        (guide.shown.select, choose_answer),
        (guide.shown.submit, try_step),
        (guide.shown.click, go_to_step),
    ):
        listen(rooms, trigger, handler, ref, guide, trigger_mode="multiple")
    listen(rooms, guide.awaits.change, await_numbers, (ref, guide.awaits), guide, trigger_mode="multiple")
    return guide


def _read(rooms: Rooms, event: gr.EventData, known: Collection[str]) -> str:
    """Return what was picked.

    Raises:
        UnknownChoice: If it is none of the known ones.
    """
    pick = read_event(event, "pick")
    if pick not in tuple(known):  # a part of a string is in the string
        raise UnknownChoice(option=rooms.words.lesson.title, value=pick[:20], known=", ".join(known))
    return pick
