"""What the documents beside the page say: the teacher's links, the worksheet and the quiz."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class WorksheetWords:
    """The worksheet; what the steps ask is the lesson's."""

    title: str
    lead: str
    fill: tuple[str, ...]
    numbers: str
    why: str
    print: str


@dataclass(frozen=True)
class TeacherWords:
    """The page of links, and the ways between the documents.

    `names` are those of the documents, `groups` of the kinds of places, `recipes` of those in `demo.ui.papers.links`.
    """

    names: Mapping[str, str]
    title: str
    lead: str
    own_machine: str
    ways: str
    home: str
    copy: str
    copied: str
    code: str
    code_alt: str
    answer: str
    groups: Mapping[str, str]
    recipes: Mapping[str, str]
    projector: str
    worksheet: WorksheetWords


@dataclass(frozen=True)
class QuestionWords:
    """One question of the quiz; the first of its options is the right one, and they are shown in another order."""

    question: str
    options: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class QuizWords:
    """The quiz; `questions` by the names of `demo.ui.papers.quiz.QUESTIONS`."""

    title: str
    lead: str
    right: str
    wrong: str
    step: str
    progress: str
    score: str
    again: str
    questions: Mapping[str, QuestionWords]
