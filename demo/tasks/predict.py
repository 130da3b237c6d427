"""One picture -> the top-k classes, by ImageNet's classifier or a visitor's head."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PIL import Image

from demo.errors import check_range
from demo.models.backbone import Backbone, draw_transformed
from demo.models.batching import Answers
from demo.models.head import Head
from demo.models.late import Tensor, torch
from demo.models.zoo import BackboneSpec, find_spec

MAX_TOP_K = 20


@dataclass(frozen=True)
class ClassProbability:
    """One class and the probability that the network gives it, 0 to 1."""

    class_idx: int
    class_name: str
    probability: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """The best classes of one picture, the best first, and the network that named them.

    `transformed` is the network's input, float32 (3, H, W); `seconds` is the time of transforms and forward pass.
    """

    backbone_name: str
    own_classes: bool
    top: tuple[ClassProbability, ...]
    transformed: Tensor
    seconds: float

    @property
    def network_input(self) -> Image.Image:
        """The picture as the network sees it."""
        return draw_transformed(find_spec(self.backbone_name), self.transformed)


def predict(backbone: Backbone, picture: Image.Image, *, head: Head | None = None, top_k: int = 5) -> Prediction:
    """Predict the classes of one picture.

    Args:
        backbone: Network to ask; left unchanged.
        picture: RGB image of any size.
        head: A visitor's head to answer in place of ImageNet's classifier.
        top_k: Number of classes; fewer if there are fewer classes.

    Raises:
        OptionOutOfRange: If `top_k` is not from 1 to MAX_TOP_K.
    """
    start = time.perf_counter()
    transformed = backbone.transform(picture)  # (3, H, W)
    answers = backbone.answer(transformed[None])
    return rank(backbone.spec, transformed, answers, head=head, top_k=top_k, seconds=time.perf_counter() - start)


def rank(
    spec: BackboneSpec, transformed: Tensor, answers: Answers, *, head: Head | None, seconds: float, top_k: int = 5
) -> Prediction:
    """Return the best classes of one picture whose features and logits are known.

    Args:
        spec: Row of the zoo's table of the network that answered.
        transformed: Its input, float32 (3, H, W).
        answers: Its features (1, D) and logits (1, K).
        head: A visitor's head to answer in place of ImageNet's classifier.
        seconds: Time that the answers took.
        top_k: Number of classes; fewer if there are fewer classes.

    Raises:
        OptionOutOfRange: If `top_k` is not from 1 to MAX_TOP_K.
    """
    check_range("top_k", top_k, 1, MAX_TOP_K)
    logits = head.logits(answers.features) if head else answers.logits  # (1, K)
    probabilities = torch.softmax(logits[0], dim=0)  # (K,)
    class_names = head.class_names if head else spec.class_names
    best = torch.topk(probabilities, min(top_k, len(class_names)))
    top = tuple(
        ClassProbability(idx, class_names[idx], value)
        for value, idx in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    )
    return Prediction(spec.name, head is not None, top, transformed, seconds)
