"""What the page shows of a visitor's pictures, and how a change of them is shown."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr

from demo.data.collection import Collection
from demo.ui.finetune.gather.question_markup import draw_questions
from demo.ui.finetune.gather.report_markup import draw_report
from demo.ui.handlers import Cost, costs
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session


class Gathered(NamedTuple):
    """What is shown of the pictures.

    Their report, the class that new ones go to, which classes take part, and what is asked about them: beside the
    report, and again above the button that trains.
    """

    report: Any
    chosen: Any
    switches: Any
    questions: Any
    asked: Any


def show_collection(rooms: Rooms, session: Session, *, chosen: str = "") -> Gathered:
    """Return the report, the choices of classes and the questions."""
    collection, names = session.pictures.collection, list_classes(session)
    on = [each.name for each in collection.classes if each.is_on] if collection else []
    questions = draw_questions(rooms.words, session.pictures)
    return Gathered(
        draw_report(rooms.words, session.pictures),
        gr.Dropdown(choices=names, value=chosen if chosen in names else next(iter(names), None)),
        gr.CheckboxGroup(choices=names, value=on, visible=bool(names)),
        questions,
        questions,
    )


def replace_pictures(rooms: Rooms, ref: Ref, collection: Collection) -> Gathered:
    """Put other pictures in the place of the visitor's."""
    session = rooms.sessions.find(ref)
    session.choose_collection(collection, rooms.settings)
    return show_collection(rooms, session)


def edit_pictures(rooms: Rooms, ref: Ref, change: Callable[[Collection], Collection], *, chosen: str = "") -> Gathered:
    """Change the visitor's classes, and choose the one whose name is new, or else the one that is asked for."""
    session = rooms.sessions.find(ref)
    before = list_classes(session)
    session.edit_collection(change, rooms.settings)
    new = [name for name in list_classes(session) if name not in before]
    return show_collection(rooms, session, chosen=new[0] if new else chosen)


@costs(Cost.LIGHT)
def empty_box(_rooms: Rooms) -> None:
    """Take an upload that was refused, or has been added, off the page, so that the page shows what is in use."""


def list_classes(session: Session) -> list[str]:
    """Return the names of the visitor's classes."""
    return [each.name for each in session.pictures.collection.classes] if session.pictures.collection else []
