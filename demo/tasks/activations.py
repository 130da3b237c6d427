"""One picture -> feature maps of the low, middle and high stages."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.models.backbone import Backbone
from demo.models.zoo import Stage


@dataclass(frozen=True, eq=False)
class StageActivation:
    """What one stage makes of one picture: float32 feature maps (C, H, W), as the stage gives them."""

    stage: Stage
    values: NDArray[np.float32]

    @property
    def mean(self) -> NDArray[np.float32]:
        """The mean activation (H, W): the mean over channels of the magnitude.

        After a ReLU the magnitude is the value itself. The inverted residual blocks of EfficientNet end without
        one (Sandler et al. 2018, https://arxiv.org/abs/1801.04381), and a plain mean would cancel out.
        """
        mean: NDArray[np.float32] = np.abs(self.values).mean(axis=0)
        return mean

    def strongest(self, num_maps: int) -> NDArray[np.intp]:
        """Return the indices of the channels with the largest mean magnitude, the strongest first."""
        strength = np.abs(self.values).mean(axis=(1, 2))  # (C,)
        return np.argsort(-strength, kind="stable")[:num_maps]


@dataclass(frozen=True, eq=False)
class StageActivations:
    """The three stages of one forward pass, and the picture as the network sees it."""

    backbone_name: str
    network_input: Image.Image
    stages: tuple[StageActivation, ...]


def capture_stages(backbone: Backbone, picture: Image.Image) -> StageActivations:
    """Run one picture through a backbone and keep the output of each stage of the zoo's table.

    Args:
        backbone: Network to look into; left unchanged.
        picture: RGB image of any size; it goes through the weights' own transforms.

    Returns:
        Low, middle and high stage. ResNet-50 at 224 px: low (256, 56, 56), high (2048, 7, 7).

    Source:
        Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901
    """
    outputs = backbone.run([picture])
    stages = tuple(StageActivation(stage, outputs.stages[stage.label][0].numpy()) for stage in backbone.spec.stages)
    return StageActivations(backbone.spec.name, backbone.draw_input(picture), stages)
