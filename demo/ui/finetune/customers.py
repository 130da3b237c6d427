"""The panel of the lesson's two customers: it shows step by step what `demo.visitors.customers` tells."""

from collections.abc import Generator
from contextlib import closing
from typing import Any, NamedTuple

import gradio as gr

from demo.ui.finetune.customers_markup import draw_events
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_help, draw_status
from demo.ui.parts.outputs import unchanged
from demo.visitors.customers import Asking, Bringing, Departure, Event, Leaving, Step, Training, tell
from demo.visitors.jobs import Job
from demo.visitors.rooms import Rooms


class CustomersPanel(NamedTuple):
    """The panel: components when it is built, their values when it is filled."""

    start: Any
    status: Any
    story: Any


@costs(Cost.LIGHT)
def open_door(rooms: Rooms) -> CustomersPanel:
    """Say that it begins; other visitors may come first."""
    return CustomersPanel(gr.Button(interactive=False), draw_status(rooms.words.finetune.customers.opening), "")


@costs(Cost.COMPUTE)
def let_customers_in(rooms: Rooms) -> Generator[CustomersPanel, None, None]:
    """Show step by step what happens to two customers; their sessions end with this stream, however it ends."""
    words = rooms.words.finetune.customers
    status, events = draw_status(words.opening), list[Event]()
    with closing(tell(rooms)) as story:
        for each in story:
            if isinstance(each, Step):
                status = draw_status(_describe(rooms, each))
            else:
                events.append(each)
            yield CustomersPanel(gr.skip(), status, draw_events(rooms.words, events))
    is_clean = all(each.is_clean for each in events if isinstance(each, Departure))
    status = draw_status(words.done, kind="trained") if is_clean else draw_status(words.crossed, kind="failed")
    yield CustomersPanel(gr.Button(interactive=True), status, draw_events(rooms.words, events))


@costs(Cost.LIGHT)
def close_door(_: Rooms) -> CustomersPanel:
    """Let the visitor try again after an error, which a toast has told; what was shown before it stays."""
    return unchanged(CustomersPanel)._replace(start=gr.Button(interactive=True), status="")


def build_customers(rooms: Rooms) -> None:
    """Lay out the panel and wire it; it has nothing to do with the visitor's own session."""
    words = rooms.words.finetune.customers
    with gr.Accordion(words.title, open=False, elem_id="customers-panel"):
        gr.HTML(draw_help(rooms.words.finetune.explain, words.help), padding=False)
        start = gr.Button(words.let_in, elem_id="let-customers-in")
        status = gr.HTML("", padding=False, elem_id="customers-status")
        story = gr.HTML("", padding=False, elem_id="customers-story")
    panel = CustomersPanel(start, status, story)
    opening = listen(rooms, start.click, open_door, None, panel, reveals=status)
    # The story waits in a line of its own: it takes half a minute, and would hold up the others' computations.
    line = {"concurrency_id": "customers", "concurrency_limit": 1}
    telling = listen(rooms, opening.then, let_customers_in, None, panel, show_progress="hidden", **line)
    listen(rooms, telling.failure, close_door, None, panel)


def _describe(rooms: Rooms, step: Step) -> str:
    words = rooms.words.finetune.customers
    match step:
        case Bringing(customer, starter):
            pictures = rooms.words.finetune.gather.starters[starter]
            return words.bringing.format(customer=words.names[customer], pictures=pictures)
        case Training(customer, job):
            sentence = words.training.format(customer=words.names[customer])
            return f"{sentence} {_describe_progress(rooms, job)}" if job else sentence
        case Asking():
            return words.asking
        case Leaving(customer):
            return words.leaving.format(customer=words.names[customer])


def _describe_progress(rooms: Rooms, job: Job) -> str:
    return rooms.describe_wait(job) or rooms.words.finetune.training.starting
