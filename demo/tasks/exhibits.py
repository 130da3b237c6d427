"""What a network makes of one picture at a glance, and of each example once for everybody."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.samples import EXAMPLES, Example, read_example
from demo.models.backbone import Backbone
from demo.models.batching import Answers
from demo.models.head import Head
from demo.settings import Settings
from demo.tasks.activations import StageActivations, capture_transformed
from demo.tasks.predict import Prediction, predict, rank


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network makes of one picture: the best classes and the three stages."""

    prediction: Prediction
    activations: StageActivations


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One example, the features (1, D) and logits (1, K) that a network gives it, and ImageNet's best classes."""

    example: Example
    answers: Answers
    prediction: Prediction

    @property
    def is_right(self) -> bool | None:
        """Whether the best class is a right one; None where ImageNet has no class for the example."""
        right = self.example.class_idxs
        return self.prediction.top[0].class_idx in right if right else None


def see(backbone: Backbone, picture: Image.Image, *, head: Head | None = None) -> Seen:
    """Return what a network, with a visitor's head or ImageNet's classifier, makes of one RGB picture."""
    said = predict(backbone, picture, head=head)
    return Seen(said, capture_transformed(backbone, said.transformed))


class Exhibits:
    """What networks make of the examples. They are nobody's data, so each network is asked once about each.

    Layers trained with a head make a network of their own (`Backbone.for_head`); what it says is gone when it is.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Backbone, dict[str, Any]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, backbone: Backbone, example: Example, settings: Settings) -> Exhibit:
        """Return what a network says of an example."""
        exhibit: Exhibit = self._once(backbone, example.name, lambda: _ask(backbone, example, settings))
        return exhibit

    def see(self, backbone: Backbone, example: Example, settings: Settings, *, head: Head | None = None) -> Seen:
        """Return what `see` does of an example."""
        exhibit = self.of(backbone, example, settings)
        said = exhibit.prediction
        if head is not None:
            said = rank(backbone.spec, said.transformed, exhibit.answers, head=head, seconds=said.seconds)
        stages = self._once(
            backbone, f"{example.name}'s stages", lambda: capture_transformed(backbone, exhibit.prediction.transformed)
        )
        return Seen(said, stages)

    def all(self, backbone: Backbone, settings: Settings) -> tuple[Exhibit, ...]:
        """Return what a network says of all examples, in their order."""
        return tuple(self.of(backbone, each, settings) for each in EXAMPLES)

    def features(self, backbone: Backbone, settings: Settings) -> NDArray[np.float32]:
        """Return the features (n, D) of all n examples, in their order."""
        return np.stack([each.answers.features[0].numpy() for each in self.all(backbone, settings)])

    def _once(self, backbone: Backbone, name: str, compute: Callable[[], Any]) -> Any:
        with self._lock:
            found = self._known.get(backbone, {}).get(name)
        if found is None:  # two who ask at once both compute it, and get the same
            found = compute()
            with self._lock:
                self._known.setdefault(backbone, {})[name] = found
        return found


def _ask(backbone: Backbone, example: Example, settings: Settings) -> Exhibit:
    picture, start = read_example(example, settings), time.perf_counter()
    transformed = backbone.transform(picture)
    answers = backbone.answer(transformed[None])
    seconds = time.perf_counter() - start
    return Exhibit(example, answers, rank(backbone.spec, transformed, answers, head=None, seconds=seconds))
