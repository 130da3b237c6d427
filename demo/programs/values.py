"""What comes of a call: values that print as one line, and draw themselves in a notebook."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.collection import Skipped
from demo.figures import draw_overlay
from demo.models.head import Head
from demo.programs.drawings import draw_bars, draw_confusion, draw_curves, to_png
from demo.tasks.cam import ClassMap
from demo.tasks.evaluate import Accuracy, Scores, confuse, measure, per_class
from demo.tasks.fit import EpochResult
from demo.tasks.predict import ClassProbability, Prediction


class _Drawn(ABC):
    """A value that a notebook shows as a picture."""

    @abstractmethod
    def draw(self) -> Image.Image:
        """Return the picture."""

    def _repr_png_(self) -> bytes:
        """Return the picture as IPython asks for it."""
        return to_png(self.draw())


@dataclass(frozen=True, eq=False, repr=False)
class Answer(_Drawn):
    """What a network, or a head of one's own on it, sees in a picture."""

    picture: Image.Image
    prediction: Prediction

    @property
    def top(self) -> tuple[ClassProbability, ...]:
        """The best classes, the best first."""
        return self.prediction.top

    def to_dict(self) -> dict[str, Any]:
        """Return it as the API's /predict does."""
        return {
            "backbone": self.prediction.backbone_name,
            "seconds": self.prediction.seconds,
            "predictions": [
                {"class_index": each.class_idx, "class_name": each.class_name, "probability": each.probability}
                for each in self.top
            ],
        }

    def draw(self) -> Image.Image:
        """Draw the picture beside a bar for each class."""
        return draw_bars(self.picture, {each.class_name: each.probability for each in self.top})

    def __repr__(self) -> str:
        listed = ", ".join(f"{each.class_name} {each.probability:.1%}" for each in self.top)
        return f"{listed} ({self.prediction.backbone_name})"


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(_Drawn):
    """Where the evidence for a class lies in a picture; `network_input` is the picture as the network sees it."""

    class_name: str
    class_map: ClassMap
    network_input: Image.Image

    def to_dict(self) -> dict[str, Any]:
        """Return the map's numbers, in units of the class's logit."""
        return {
            "class_name": self.class_name,
            "probability": self.class_map.probability,
            "stage": self.class_map.stage.value,
            "method": self.class_map.method.value,
            "values": self.class_map.values.tolist(),
        }

    def draw(self) -> Image.Image:
        """Draw the map on the picture."""
        return draw_overlay(self.class_map.values, self.network_input)

    def __repr__(self) -> str:
        of = self.class_map
        return f"{self.class_name} {of.probability:.1%} ({of.method.value} of the {of.stage.value} stage)"


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(_Drawn):
    """What a head says of labelled pictures; `skipped` are files that could not be used."""

    scores: Scores
    skipped: Sequence[Skipped] = ()

    @cached_property
    def accuracy(self) -> Accuracy:
        """How many are right, with a 95% interval."""
        return measure(self.scores)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (K, K): rows are the true classes, columns the answers."""
        return confuse(self.scores)

    def to_dict(self) -> dict[str, Any]:
        """Return the accuracy, and that of each class."""
        classes = {
            name: asdict(each) for name, each in zip(self.scores.class_names, per_class(self.scores), strict=True)
        }
        skipped = [{"name": each.path, "reason": str(each.reason)} for each in self.skipped]
        return {**asdict(self.accuracy), "classes": classes, "confusion": self.confusion.tolist(), "skipped": skipped}

    def draw(self) -> Image.Image:
        """Draw the confusion matrix."""
        return draw_confusion(self.confusion, self.scores.class_names)

    def __repr__(self) -> str:
        return describe(self.accuracy)


@dataclass(frozen=True, eq=False, repr=False)
class Training(_Drawn):
    """How a head was trained: its epochs, and what it says of the pictures that it did not learn from."""

    head: Head
    counts: dict[str, dict[str, int]]
    epochs: tuple[EpochResult, ...]
    validation: Evaluation
    test: Evaluation | None
    skipped: Sequence[Skipped] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and accuracies."""
        return {
            "classes": list(self.head.class_names),
            "backbone": self.head.backbone_name,
            "counts": self.counts,
            "epochs": [asdict(each) for each in self.epochs],
            "validation": self.validation.to_dict(),
            "test": self.test.to_dict() if self.test else None,
            "skipped": [{"name": each.path, "reason": str(each.reason)} for each in self.skipped],
            "seconds": self.head.summary.seconds,
        }

    def draw(self) -> Image.Image:
        """Draw loss and accuracy by epoch."""
        return draw_curves(self.epochs)

    def __repr__(self) -> str:
        held_out = f"test {self.test!r}" if self.test else f"validation {self.validation!r}"
        return f"{', '.join(self.head.class_names)} on {self.head.backbone_name}: {held_out}"


def describe(accuracy: Accuracy) -> str:
    """Return an accuracy as one line."""
    interval = f"95% interval {accuracy.low:.1%} to {accuracy.high:.1%}"
    return f"{accuracy.correct} of {accuracy.count} right ({accuracy.share:.1%}, {interval})"
