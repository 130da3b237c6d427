"""One picture and one class -> where in the picture the evidence for the class lies."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from demo.models.backbone import Backbone
from demo.models.batching import num_cores, threads
from demo.models.graph import LOGITS
from demo.models.head import Head
from demo.models.zoo import StageLabel


def map_classes(
    backbone: Backbone, picture: Image.Image, class_idxs: Sequence[int], *, head: Head | None = None
) -> list[NDArray[np.float32]]:
    """Weigh the high stage's feature maps by what each does for a class: Grad-CAM.

    The gradient is taken with respect to the stage's output alone; no parameter gets one and no hook is set.

    Args:
        backbone: Network that the head belongs to (`Backbone.for_head`); left unchanged.
        picture: RGB image of any size.
        class_idxs: Classes to map.
        head: Whose classes; ImageNet's unless given.

    Returns:
        For each class float32 (H, W) of the high stage, none negative: where the evidence for the class lies.

    Source:
        Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391
    """
    high = backbone.run([picture]).stages[StageLabel.HIGH].clone()  # (1, C, H, W), out of inference mode
    activation = high.to(backbone.device).requires_grad_(True)
    with threads(num_cores()), torch.enable_grad():
        if head is None:
            logits = backbone.part(StageLabel.HIGH, LOGITS)(activation)
        else:
            logits = head.module(backbone.part(StageLabel.HIGH)(activation).cpu())  # (1, K)
        return [_weigh(activation, logits[0, idx]) for idx in class_idxs]


def _weigh(activation: torch.Tensor, logit: torch.Tensor) -> NDArray[np.float32]:
    (gradient,) = torch.autograd.grad(logit, activation, retain_graph=True)
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # (1, C, 1, 1)
    evidence: NDArray[np.float32] = (weights * activation).sum(dim=1)[0].clamp(min=0).detach().cpu().numpy()
    return evidence
