"""What a step of the lesson measures."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.tasks.evaluate import Accuracy
from demo.tasks.predict import ClassProbability


@dataclass(frozen=True)
class Found:
    """The numbers of a step by the names that its words fill in, and the index of the answer that they give."""

    answer: int
    numbers: Mapping[str, float | str | ClassProbability | Accuracy]
