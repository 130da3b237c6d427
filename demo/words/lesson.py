"""What the guided lesson says: the frame of all its steps, and each step."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StepWords:
    """One step: its question with the answers to choose from, and what is said once one is chosen.

    `found` are lines that the numbers of the step fill in; `why` and `own` are shown with them and not before.
    """

    title: str
    question: str
    options: tuple[str, ...]
    found: tuple[str, ...]
    why: str
    own: str


@dataclass(frozen=True)
class LessonWords:
    """The guided lesson beside the tabs; `steps` by the names of `demo.lesson.steps.STEPS`."""

    start: str
    start_help: str
    title: str
    minutes: str
    way: str
    close: str
    before: str
    after: str
    choose: str
    try_it: str
    try_first: str
    try_again: str
    takes_set: str
    waiting: str
    prediction: str
    as_predicted: str
    not_as_predicted: str
    unusual: str
    numbers: str
    why: str
    sources: str
    own: str
    over: str
    steps: Mapping[str, StepWords]
