"""How sure a network is of the example pictures, beside whether it is right."""

import threading
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from demo.data.samples import EXAMPLES, Example, read_example
from demo.models.backbone import Backbone
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.predict import ClassProbability, predict


@dataclass(frozen=True)
class Sureness:
    """How many of `count` photographs of known class a network got right, and the mean of its highest probability."""

    backbone_name: str
    count: int
    right: int
    mean: float
    measured_on: str  # year, month, day


# By tests/benchmarks/truth.py.
MEASURED = Sureness(EMBEDDED, count=111, right=99, mean=0.733, measured_on="2026-11-26")


@dataclass(frozen=True)
class ExampleAnswer:
    """One example, and the class of ImageNet that a network finds most probable."""

    example: Example
    best: ClassProbability

    @property
    def is_right(self) -> bool | None:
        """Whether the class is a right one; None where ImageNet has no class for the example."""
        return self.best.class_idx in self.example.class_idxs if self.example.class_idxs else None


class ExampleAnswers:
    """What networks say of the examples. They are nobody's data, so each network is asked once."""

    def __init__(self) -> None:
        self._answers: WeakKeyDictionary[Backbone, tuple[ExampleAnswer, ...]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, backbone: Backbone, settings: Settings) -> tuple[ExampleAnswer, ...]:
        """Return a network's answers, in the order of the examples."""
        with self._lock:
            answers = self._answers.get(backbone)
        if answers is None:  # two who ask at once both compute them, and get the same
            answers = tuple(
                ExampleAnswer(each, predict(backbone, read_example(each, settings), top_k=1).top[0])
                for each in EXAMPLES
            )
            with self._lock:
                self._answers[backbone] = answers
        return answers
