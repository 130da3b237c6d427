"""A visitor puts right how the files were read: answers questions, gives folders their roles, joins and renames."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from demo.data.collection import Collection, join_classes, rename_class
from demo.data.folders import read_again, remove_source, reread
from demo.data.reading import ANSWERS, Answer, Choices, Doubt, Reading, Role
from demo.settings import Settings
from demo.ui.finetune.gather.picks import find_marked
from demo.ui.finetune.gather.right_markup import list_places
from demo.ui.finetune.gather.shown import Gathered, edit_pictures
from demo.ui.handlers import Cost, costs
from demo.ui.parts.errors import NothingToJoin, PageOutdated, UnknownChoice
from demo.ui.parts.values import parse_choice, read_event
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref

_MAX_LENGTH = 2_000  # of what a script tells: all classes may be ticked


@costs(Cost.READ)
def put_right(rooms: Rooms, ref: Ref, event: gr.EventData) -> Gathered:
    """Change what a control of the reading says; the rest of the reading stays as it is."""
    pick, value = (read_event(event, name)[:_MAX_LENGTH] for name in ("pick", "value"))
    return edit_pictures(rooms, ref, partial(_change, pick=pick, value=value, settings=rooms.settings))


def _change(collection: Collection, *, pick: str, value: str, settings: Settings) -> Collection:
    act, _, marked = pick.partition("-")
    names = [each.name for each in collection.classes]
    if act == "name":
        return rename_class(collection, _find(names, marked), new_name=value)
    if act == "join":
        ticked = [_find(names, each) for each in value.split()]
        if len(ticked) < 2:
            raise NothingToJoin()
        return join_classes(collection, ticked)
    reading = collection.reading
    if reading is None:
        raise PageOutdated()
    if act == "reset":
        return read_again(collection, settings)
    if act == "source":
        return remove_source(collection, _find(reading.sources, marked), settings)
    return reread(collection, _choose(reading, act, marked, value), settings)


def parse_answer(doubt: Any, answer: Any) -> tuple[Doubt, Answer]:
    """Return a question and an answer that there is to it.

    Raises:
        UnknownChoice: If there is no such question, or no such answer to it.
    """
    asked = parse_choice("answers", Doubt, doubt)
    known = ANSWERS[asked]
    if answer not in known:
        raise UnknownChoice(option=f"answers.{asked}", value=str(answer)[:20], known=", ".join(known))
    return asked, Answer(answer)


def _choose(reading: Reading, act: str, marked: str, value: str) -> Choices:
    """Return what is chosen once a control has said something."""
    choices = reading.choices
    match act:
        case "role":
            paths = [each.path for each in reading.folders]
            return choices.assign(_find(paths, marked), parse_choice("roles", Role, value))
        case "labels":
            return replace(choices, labels=_find(list_places(reading), value))
        case "answer":
            doubt, _, answer = marked.partition("-")
            return choices.answer(*parse_answer(doubt, answer))
        case "ask":
            taken_back = parse_choice("answers", Doubt, marked)
            return replace(
                choices, answers={each: said for each, said in choices.answers.items() if each != taken_back}
            )
    raise PageOutdated()


def _find(names: Iterable[str], marked: str) -> str:
    found = find_marked(names, marked)
    if found is None:
        raise PageOutdated()
    return found
