"""One picture, moved step by step -> how far activations move with it, and how little the answer changes.

A convolution is equivariant to shifts: its output shifts with the picture, up to strides and borders. It is not
equivariant to turns and scales. Pooling over all positions then drops where a thing was: features and probabilities
are nearly invariant, as far as training has made them so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from demo.errors import check_range
from demo.models.backbone import Backbone, draw_transformed
from demo.models.batching import set_num_threads
from demo.models.head import Head
from demo.models.late import Tensor, functional, torch
from demo.models.plan import MAX_BATCH
from demo.models.zoo import Stage, StageLabel
from demo.system import num_cores
from demo.tasks.predict import ClassProbability

MAX_STEPS = 15


class Move(StrEnum):
    """What is done to a picture.

    `SHIFT` to the right, in parts of the picture's side; `TURN` counterclockwise, in degrees; `SCALE` about the
    middle, as a factor: above 1 all grows larger.
    """

    SHIFT = "shift"
    TURN = "turn"
    SCALE = "scale"


NEUTRAL = {Move.SHIFT: 0.0, Move.TURN: 0.0, Move.SCALE: 1.0}
LARGEST = {Move.SHIFT: 0.5, Move.TURN: 180.0, Move.SCALE: 2.0}  # at least half of each side stays visible


@dataclass(frozen=True)
class StageCurve:
    """Cosine similarities (-1 to 1) of a stage's activation after each step to its activation at rest.

    `moved` compares with the activation at rest moved likewise (equivariance), `unmoved` with the activation at rest
    as it is; both over the cells that show a part of the picture that was in it at rest, and without each channel's
    mean at rest.
    """

    stage: Stage
    moved: tuple[float, ...]
    unmoved: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class MoveCurves:
    """Activations, features and answer for one picture while it is moved.

    `steps` are in the unit of `move`, and `pictures` what the network saw at each. `top` is the best class at rest.
    `features` are cosine similarities of the features to those at rest, -1 to 1; `probabilities` are those of `top`,
    0 to 1.
    """

    move: Move
    steps: tuple[float, ...]
    pictures: tuple[Image.Image, ...]
    top: ClassProbability
    stages: tuple[StageCurve, ...]
    features: tuple[float, ...]
    probabilities: tuple[float, ...]


def spread_steps(move: Move, reach: float, *, count: int = 11) -> tuple[float, ...]:
    """Return steps from `reach` one way to `reach` the other way; if their number is odd, the middle one is neutral.

    Args:
        move: What is done.
        reach: The largest step, in the move's unit; for a scale the largest factor, and its inverse is the smallest.
        count: How many, 1 to MAX_STEPS.

    Raises:
        OptionOutOfRange: If `reach` lies beyond NEUTRAL and LARGEST, or there are too few or too many.
    """
    check_range(move.value, reach, NEUTRAL[move], LARGEST[move])
    check_range("steps", count, 1, MAX_STEPS)
    directions = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
    steps = reach**directions if move is Move.SCALE else reach * directions
    return tuple(float(step) for step in steps)


def move_picture(
    backbone: Backbone, picture: Image.Image, move: Move, steps: Sequence[float], *, head: Head | None = None
) -> MoveCurves:
    """Move a picture step by step and compare what a network makes of it with what it made of it at rest.

    Args:
        backbone: Network to ask; left unchanged.
        picture: RGB image of any size.
        move: What is done.
        steps: How far, in the move's unit; 1 to MAX_STEPS of them.
        head: A visitor's head to answer in place of ImageNet's classifier.

    Raises:
        OptionOutOfRange: If a step is larger than LARGEST, or there are too few or too many.

    Source:
        Lenc & Vedaldi 2015, https://arxiv.org/abs/1411.5908; Zeiler & Fergus 2014, their figure 5,
        https://arxiv.org/abs/1311.2901; of shifts by less than a stride: Zhang 2019, https://arxiv.org/abs/1904.11486
    """
    check_range("steps", len(steps), 1, MAX_STEPS)
    for step in steps:
        check_range(move.value, step, *_bounds(move))
    square = backbone.transform(picture)[None]  # (1, 3, S, S)
    pictures, results = list[Image.Image](), list[_StepResult]()
    with set_num_threads(num_cores()), torch.inference_mode():
        rest = _see(backbone, square, head)
        for first in range(0, len(steps), MAX_BATCH):
            chunk = steps[first : first + MAX_BATCH]
            batch = torch.cat([_move(square, move, step, mode="bicubic", beyond="reflection") for step in chunk])
            pictures += [draw_transformed(backbone.spec, each) for each in batch]
            results += _compare(rest, _see(backbone, batch, head), move, chunk)
    return MoveCurves(
        move,
        tuple(steps),
        tuple(pictures),
        rest.name_best(head.class_names if head else backbone.spec.class_names),
        tuple(map(_build_curve, backbone.spec.stages, zip(*(each.stages for each in results), strict=True))),
        tuple(each.features for each in results),
        tuple(each.probability for each in results),
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a network computes for n pictures: stages (n, C, H, W), features (n, D), probabilities (n, K)."""

    stages: dict[StageLabel, Tensor]
    features: Tensor
    probabilities: Tensor

    @property
    def best(self) -> int:
        """The class that the first picture is taken for."""
        return int(self.probabilities[0].argmax())

    def name_best(self, class_names: Sequence[str]) -> ClassProbability:
        """Return that class with its probability."""
        return ClassProbability(self.best, class_names[self.best], float(self.probabilities[0, self.best]))


@dataclass(frozen=True)
class _StepResult:
    """The comparison with the picture at rest at one step; for each stage the similarity moved and unmoved."""

    stages: tuple[tuple[float, float], ...]
    features: float
    probability: float


def _bounds(move: Move) -> tuple[float, float]:
    largest = LARGEST[move]
    return (1 / largest if move is Move.SCALE else -largest), largest


def _see(backbone: Backbone, batch: Tensor, head: Head | None) -> _Seen:
    outputs = backbone.run_transformed(batch)
    logits = head.logits(outputs.features) if head else outputs.logits
    return _Seen(outputs.stages, outputs.features, logits.softmax(dim=1))


def _compare(rest: _Seen, now: _Seen, move: Move, steps: Sequence[float]) -> list[_StepResult]:
    return [
        _StepResult(
            tuple(_liken(rest.stages[label], now.stages[label][[row]], move, step) for label in StageLabel),
            _cosine(rest.features[0], now.features[row]),
            float(now.probabilities[row, rest.best]),
        )
        for row, step in enumerate(steps)
    ]


def _liken(rest: Tensor, now: Tensor, move: Move, step: float) -> tuple[float, float]:
    """Return how like a stage's activation at rest, moved likewise and unmoved, its activation (1, C, H, W) now is.

    The activation at rest is moved with its cells as pixels, each in the middle of its part of the picture. What a
    channel gives on the mean over all places is taken off both: it says nothing of where, and moves with anything.
    """
    mean = rest.mean(dim=(2, 3), keepdim=True)
    rest, now = rest - mean, now - mean
    # The margin for rounding keeps all cells visible when the picture is turned by a right angle.
    visible = (_grid(move, step, rest).abs() <= 1 + 1e-5).all(dim=3)[0]  # (H, W)
    moved = _move(rest, move, step, mode="bilinear", beyond="border")
    return _cosine(moved[..., visible], now[..., visible]), _cosine(rest[..., visible], now[..., visible])


def _build_curve(stage: Stage, similarities: tuple[tuple[float, float], ...]) -> StageCurve:
    moved, unmoved = zip(*similarities, strict=True)
    return StageCurve(stage, moved, unmoved)


def _cosine(first: Tensor, second: Tensor) -> float:
    """Return the cosine of the angle between two tensors of one shape; 0 where one of them is all 0."""
    first, second = first.flatten().double(), second.flatten().double()
    lengths = float(first.norm() * second.norm())
    return max(-1.0, min(1.0, float(first @ second) / lengths)) if lengths else 0.0  # rounding puts some just beyond


def _move(values: Tensor, move: Move, step: float, *, mode: str, beyond: str) -> Tensor:
    """Move pixels or cells (1, C, H, W); what lies beyond the edges is their reflection, or the cell at the border.

    Of a picture it is the square that the network sees, so that nothing enters that was not in it at rest. A plain
    colour beyond the edges of a picture would bring in edges that low stages answer strongly. Turns, scales and
    parts of pixels resample the picture, which takes a little of its sharpness.
    """
    source = values
    if move is Move.SCALE and step < 1:  # several pixels become one, which should be their mean
        size = [max(1, round(side * step)) for side in values.shape[2:]]
        source = functional.interpolate(values, size, mode=mode, antialias=True)
    return functional.grid_sample(source, _grid(move, step, values), mode, beyond, align_corners=False)


def _grid(move: Move, step: float, values: Tensor) -> Tensor:
    """Return where each cell of moved values (1, C, H, W) comes from: (1, H, W, 2), from -1 to 1 over the square."""
    shift = 2 * step if move is Move.SHIFT else 0.0
    angle = math.radians(step) if move is Move.TURN else 0.0
    factor = step if move is Move.SCALE else 1.0
    cos, sin = math.cos(angle) / factor, math.sin(angle) / factor
    matrix = torch.tensor([[[cos, -sin, -shift], [sin, cos, 0.0]]])
    return functional.affine_grid(matrix, [1, 1, *values.shape[2:]], align_corners=False)
