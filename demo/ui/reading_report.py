"""How a zip was read, as the API tells it; what a program puts right of it, and the questions that it has to answer."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypedDict

from demo.data.collection import Collection
from demo.data.questions import put_question
from demo.data.reading import Choices, Question, Reading, Role
from demo.ui.finetune.gather.put_right import parse_answer
from demo.ui.finetune.gather.report_markup import describe_notes
from demo.ui.finetune.gather.right_markup import list_places
from demo.ui.parts.errors import OptionNotObject, QuestionsAsked, UnknownChoice
from demo.ui.parts.values import parse_choice
from demo.words.language import Words

_SHOWN_LENGTH = 40
_MAX_LENGTH = 2_000  # of a path
_MAX_KNOWN = 12
_ANSWERS_EXAMPLE, _ROLES_EXAMPLE = '{"masks": "leave_out"}', '{"seg_pred": "out"}'
_SPLITS = (Role.TRAIN, Role.VALIDATION, Role.TEST)


class ReadFolder(TypedDict):
    """A folder, what it was taken for, and the number of pictures in and below it."""

    folder: str
    role: str
    pictures: int


class ReadClass(TypedDict):
    """A class, its pictures by split, and the spellings and inner folders that it was made of, where there are several.

    `split` is empty for pictures whose folder names none.
    """

    name: str
    pictures: int
    splits: dict[str, int]
    spellings: list[str]
    folders: list[str]


class LeftOutFolder(TypedDict):
    """A folder whose pictures are not used, why, and one of them."""

    folder: str
    reason: str
    pictures: int
    example: str


class ReadTable(TypedDict):
    """A table of labels: what `labels` says to use one of its columns, and the pictures that it names."""

    path: str
    columns: dict[str, str]
    pictures: int


class ReadQuestion(TypedDict):
    """A question, what it is about, the answers that there are, and the one that was given."""

    name: str
    question: str
    subjects: list[str]
    answers: dict[str, str]
    answer: str | None


class ReadingReport(TypedDict):
    """How the files of a zip were read; `labels` says where the classes stand, `drawn_of` from how many were drawn."""

    sources: list[str]
    labels: str
    splits: dict[str, list[str]]
    classes: list[ReadClass]
    folders: list[ReadFolder]
    outer: list[str]
    left_out: list[LeftOutFolder]
    tables: list[ReadTable]
    twins: int
    drawn_of: int
    notes: list[str]
    questions: list[ReadQuestion]


def report_reading(words: Words, collection: Collection) -> ReadingReport:
    """Return how the files of a collection were read, as values that JSON has."""
    reading = collection.reading or Reading()
    spellings = {each.class_name: list(each.spellings) for each in reading.joined}
    return {
        "sources": list(reading.sources),
        "labels": reading.labels,
        "splits": {
            role.value: paths
            for role in _SPLITS
            if (paths := [each.path for each in reading.folders if each.role is role])
        },
        "classes": [
            {
                "name": each.name,
                "pictures": len(each.pictures),
                "splits": dict(Counter(picture.split.value if picture.split else "" for picture in each.pictures)),
                "spellings": spellings.get(each.name, []),
                "folders": list(reading.flattened.get(each.name, ())),
            }
            for each in collection.classes
        ],
        "folders": [
            {"folder": each.path, "role": each.role.value, "pictures": each.num_pictures} for each in reading.folders
        ],
        "outer": list(reading.outer),
        "left_out": [
            {
                "folder": each.folder,
                "reason": words.explain(each.reason),
                "pictures": each.num_pictures,
                "example": each.example,
            }
            for each in reading.left_out
        ],
        "tables": [
            {
                "path": each.path,
                "columns": {column: each.key(column) for column in each.columns},
                "pictures": each.num_pictures,
            }
            for each in reading.tables
        ],
        "twins": reading.num_twins,
        "drawn_of": reading.drawn_of,
        "notes": describe_notes(words, collection),
        "questions": [_report_question(words, reading, each) for each in reading.questions],
    }


def parse_choices(answers: Any, roles: Any, labels: Any) -> Choices:
    """Return what a program puts right: answers by question, roles by folder, and where the classes stand.

    Raises:
        OptionNotObject: If the answers or the roles are no JSON object.
        UnknownChoice: If there is no such question, no such answer to it, or no such role.
    """
    choices = Choices(labels=str(labels or "")[:_MAX_LENGTH])
    for doubt, answer in _parse_object("answers", answers, _ANSWERS_EXAMPLE).items():
        choices = choices.answer(*parse_answer(doubt, answer))
    for folder, role in _parse_object("roles", roles, _ROLES_EXAMPLE).items():
        choices = choices.assign(str(folder)[:_MAX_LENGTH], parse_choice("roles", Role, role))
    return choices


def check_reading(words: Words, collection: Collection) -> None:
    """Refuse a collection of which something is asked, or that has nothing of what was put right.

    Raises:
        QuestionsAsked: If something is asked: with each question, and how it is answered.
        UnknownChoice: If there is no such folder, or no such place of labels.
    """
    reading = collection.reading
    if reading is None:
        return
    choices, paths = reading.choices, [each.path for each in reading.folders]
    for folder in choices.roles:
        if not any(f"{path}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{path}/") for path in paths):
            raise UnknownChoice(option="roles", value=folder[:_SHOWN_LENGTH], known=", ".join(paths[:_MAX_KNOWN]))
    if choices.labels and choices.labels not in (places := list(list_places(reading))):
        value, known = choices.labels[:_SHOWN_LENGTH], ", ".join(places[:_MAX_KNOWN])
        raise UnknownChoice(option="labels", value=value, known=known)
    if asked := reading.open_questions:
        likeliest = {each.doubt.value: each.answers[0].value for each in asked}
        raise QuestionsAsked(questions=[_ask(words, each) for each in asked], example=json.dumps(likeliest))


def _ask(words: Words, question: Question) -> str:
    """Return a question with its name, and what can be said to it."""
    answers = [f"{answer} = {label}" for answer, label in _name_answers(words, question).items()]
    return f"{question.doubt}: {words.explain(put_question(question))} [{words.list_separator.join(answers)}]"


def _report_question(words: Words, reading: Reading, question: Question) -> ReadQuestion:
    said = reading.choices.answers.get(question.doubt)
    return {
        "name": question.doubt.value,
        "question": words.explain(put_question(question)),
        "subjects": list(question.subjects),
        "answers": _name_answers(words, question),
        "answer": said.value if said else None,
    }


def _name_answers(words: Words, question: Question) -> dict[str, str]:
    labels = words.finetune.reading.ask.answers[question.doubt]
    return {answer.value: labels[answer] for answer in question.answers}


def _parse_object(option: str, value: Any, example: str) -> Mapping[str, Any]:
    if value in (None, ""):
        return {}
    if not isinstance(value, Mapping):
        raise OptionNotObject(option=option, value=str(value)[:_SHOWN_LENGTH], example=example)
    return value
