"""One picture and its classes -> where in the picture the evidence for each class lies, at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.errors import check_range
from demo.models.backbone import Backbone, draw_transformed
from demo.models.batching import set_num_threads
from demo.models.graph import LOGITS, end_of
from demo.models.head import Head
from demo.models.late import Tensor, torch
from demo.models.zoo import StageLabel


class Method(StrEnum):
    """How a class weighs the feature maps of a stage.

    Grad-CAM gives each feature map one weight, the mean of its gradient. That suits the high stage, where a map stands
    for the same thing all over the picture. LayerCAM gives each cell of each map a weight of its own, its gradient
    where that is positive. That also suits lower stages, where the same edge matters in one place and not in another.
    """

    GRAD_CAM = "grad_cam"
    LAYER_CAM = "layer_cam"


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Where the evidence for one class lies, as one stage sees it.

    `values` are float32 (H, W) of the stage, none negative, in units of the class's logit; `probability` is what the
    network gives the class, 0 to 1.
    """

    class_idx: int
    probability: float
    stage: StageLabel
    method: Method
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """The class maps of one picture, class by class, and the picture as the network sees it."""

    network_input: Image.Image
    maps: tuple[ClassMap, ...]

    def of(self, class_idx: int, stage: StageLabel, method: Method) -> ClassMap:
        """Return one of the maps; KeyError if it was not asked for."""
        return {(each.class_idx, each.stage, each.method): each for each in self.maps}[class_idx, stage, method]


class _ForwardPass(NamedTuple):
    """One forward pass with its gradient graph: stages (1, C, H, W), the lowest a leaf; logits (1, K)."""

    activations: dict[StageLabel, Tensor]
    logits: Tensor


# The maps of each class: LayerCAM at every stage, and Grad-CAM at the high one.
_MAPS = (*((stage, Method.LAYER_CAM) for stage in StageLabel), (StageLabel.HIGH, Method.GRAD_CAM))


def map_stages(
    backbone: Backbone,
    picture: Image.Image,
    class_idxs: Sequence[int] | None = None,
    *,
    head: Head | None = None,
) -> ClassMaps:
    """Weigh the feature maps of every stage by their effect on a class's logit.

    It takes one forward pass, and for each class one backward pass down to the low stage. Gradients are taken with
    respect to the stages' outputs alone; no parameter gets a gradient and no hook is set.

    Args:
        backbone: Network that the head belongs to (`Backbone.for_head`); left unchanged.
        picture: RGB image of any size; it goes through the weights' own transforms.
        class_idxs: Classes to map; the most probable one unless given.
        head: Whose classes; ImageNet's unless given.

    Returns:
        For each class LayerCAM of the low, middle and high stage and Grad-CAM of the high one. ResNet-50 at 224 px:
        low (56, 56), middle (14, 14), high (7, 7).

    Raises:
        OptionOutOfRange: If there is no class of such an index.

    Source:
        LayerCAM: Jiang et al. 2021, https://ieeexplore.ieee.org/document/9462463
        Grad-CAM: Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391
    """
    check_classes(backbone, class_idxs or (), head)
    transformed = backbone.transform(picture)  # (3, H, W)
    with set_num_threads(backbone.plan.num_threads), torch.enable_grad():
        forward = _run_forward(backbone, transformed, tuple(StageLabel), head)
        if class_idxs is None:
            class_idxs = [int(forward.logits[0].argmax())]
        maps = tuple(each for idx in class_idxs for each in _map_class(forward, idx))
    return ClassMaps(draw_transformed(backbone.spec, transformed), maps)


def map_classes(
    backbone: Backbone, picture: Image.Image, class_idxs: Sequence[int], *, head: Head | None = None
) -> list[NDArray[np.float32]]:
    """Weigh the high stage's feature maps by their effect on a class's logit: Grad-CAM.

    The gradient is taken with respect to the stage's output alone; no parameter gets a gradient and no hook is set.

    Args:
        backbone: Network that the head belongs to (`Backbone.for_head`); left unchanged.
        picture: RGB image of any size.
        class_idxs: Classes to map.
        head: Whose classes; ImageNet's unless given.

    Returns:
        For each class float32 (H, W) of the high stage, none negative: where the evidence for the class lies.

    Raises:
        OptionOutOfRange: If there is no class of such an index.

    Source:
        Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391
    """
    check_classes(backbone, class_idxs, head)
    with set_num_threads(backbone.plan.num_threads), torch.enable_grad():
        forward = _run_forward(backbone, backbone.transform(picture), (StageLabel.HIGH,), head)
        return [_weigh(forward, _find_gradients(forward, idx), StageLabel.HIGH, Method.GRAD_CAM) for idx in class_idxs]


def check_classes(backbone: Backbone, class_idxs: Sequence[int], head: Head | None) -> None:
    """Refuse the index of a class that neither the head nor, without a head, the network has.

    Raises:
        OptionOutOfRange: If there is no class of such an index.
    """
    last = len(head.class_names if head else backbone.spec.class_names) - 1
    for idx in class_idxs:
        check_range("class_idx", idx, 0, last)


def _run_forward(
    backbone: Backbone, transformed: Tensor, stages: Sequence[StageLabel], head: Head | None
) -> _ForwardPass:
    """Run a transformed picture (3, H, W) through the network, stage by stage, with gradients from the first one on."""
    batch = transformed[None].to(backbone.device, memory_format=torch.channels_last)  # (1, 3, H, W)
    with torch.no_grad():
        activation = backbone.subgraph(None, end_of(stages[0]))(batch)
    activations = {stages[0]: activation.requires_grad_(True)}
    for below, stage in pairwise(stages):
        activations[stage] = backbone.subgraph(below, end_of(stage))(activations[below])
    if head is None:
        logits = backbone.subgraph(stages[-1], LOGITS)(activations[stages[-1]])
    else:
        logits = head.module(backbone.subgraph(stages[-1])(activations[stages[-1]]).cpu())  # (1, K)
    return _ForwardPass(activations, logits)


def _find_gradients(forward: _ForwardPass, class_idx: int) -> dict[StageLabel, Tensor]:
    """Return the gradient of a class's logit with respect to each stage's output (1, C, H, W)."""
    gradients = torch.autograd.grad(forward.logits[0, class_idx], list(forward.activations.values()), retain_graph=True)
    return dict(zip(forward.activations, gradients, strict=True))


def _map_class(forward: _ForwardPass, class_idx: int) -> list[ClassMap]:
    gradients = _find_gradients(forward, class_idx)
    probability = float(torch.softmax(forward.logits[0].detach(), dim=0)[class_idx])
    return [
        ClassMap(class_idx, probability, stage, method, _weigh(forward, gradients, stage, method))
        for stage, method in _MAPS
    ]


def _weigh(
    forward: _ForwardPass, gradients: dict[StageLabel, Tensor], stage: StageLabel, method: Method
) -> NDArray[np.float32]:
    """Return the weighted sum of a stage's feature maps; evidence against the class is clipped at 0."""
    activation, gradient = forward.activations[stage].detach(), gradients[stage]  # (1, C, H, W) each
    weights = gradient.clamp(min=0) if method is Method.LAYER_CAM else gradient.mean(dim=(2, 3), keepdim=True)
    evidence: NDArray[np.float32] = (weights * activation).sum(dim=1)[0].clamp(min=0).cpu().numpy()
    return evidence
