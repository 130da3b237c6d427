"""One picture -> feature maps of the low, middle and high stages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.errors import check_range
from demo.models.backbone import Backbone, draw_transformed
from demo.models.batching import set_num_threads
from demo.models.late import Tensor, torch
from demo.models.zoo import Stage, StageLabel


class Measure(StrEnum):
    """The measure by which channels are ranked, over the values of a channel's map.

    `MEAN` is their mean, `PEAK` the largest, `SPREAD` their standard deviation, and `AREA` the share of the map above
    half of the largest.
    """

    MEAN = "mean"
    PEAK = "peak"
    SPREAD = "spread"
    AREA = "area"

    def of(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the strength (C,) of each channel of feature maps (C, H, W), none negative."""
        strengths: NDArray[np.float32]
        if self is Measure.MEAN:
            strengths = values.mean(axis=(1, 2))
        elif self is Measure.PEAK:
            strengths = values.max(axis=(1, 2))
        elif self is Measure.SPREAD:
            strengths = values.std(axis=(1, 2))
        else:
            strengths = (values > values.max(axis=(1, 2), keepdims=True) / 2).mean(axis=(1, 2))
        return strengths


def mean_activation(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean activation (H, W) of feature maps (C, H, W), none negative: the mean over channels."""
    mean: NDArray[np.float32] = values.mean(axis=0)
    return mean


def rank_channels(values: NDArray[np.float32], num_maps: int, measure: Measure = Measure.MEAN) -> NDArray[np.intp]:
    """Return which of feature maps (C, H, W) a measure ranks highest, the strongest first."""
    return np.argsort(-measure.of(values), kind="stable")[:num_maps]


@dataclass(frozen=True, eq=False)
class StageActivation:
    """What one stage shows of one picture: float32 feature maps (C, H, W), after a ReLU, so that none is negative."""

    stage: Stage
    values: NDArray[np.float32]

    @property
    def mean(self) -> NDArray[np.float32]:
        """The mean activation (H, W), by `mean_activation`."""
        return mean_activation(self.values)

    def strongest(self, num_maps: int, measure: Measure = Measure.MEAN) -> NDArray[np.intp]:
        """Return the indices of the channels that a measure ranks highest, the strongest first."""
        return rank_channels(self.values, num_maps, measure)

    @property
    def zero_share(self) -> float:
        """The share of its numbers that are exactly 0, 0 to 1."""
        return float((self.values == 0).mean())

    @property
    def silent(self) -> NDArray[np.bool_]:
        """Which channels (C,) are silent: all 0. A channel that is silent on one picture need not be dead."""
        silent: NDArray[np.bool_] = (self.values == 0).all(axis=(1, 2))
        return silent


@dataclass(frozen=True, eq=False)
class Resolution:
    """The last activation float32 (C, H, W) of one resolution, and the name of the block or layer that computes it."""

    name: str
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class StageActivations:
    """The three stages of one forward pass, and the picture as the network sees it."""

    backbone_name: str
    network_input: Image.Image
    stages: tuple[StageActivation, ...]

    def of(self, label: StageLabel) -> StageActivation:
        """Return the stage of a label."""
        return next(each for each in self.stages if each.stage.label is label)


def capture_stages(backbone: Backbone, picture: Image.Image) -> StageActivations:
    """Run one picture through a backbone and keep what is looked at of each stage of the zoo's table.

    Args:
        backbone: Network to look into; left unchanged.
        picture: RGB image of any size; it goes through the weights' own transforms.

    Returns:
        Low, middle and high stage. ResNet-50 at 224 px: low (256, 56, 56), high (2048, 7, 7).

    Source:
        Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901
    """
    return capture_transformed(backbone, backbone.transform(picture))


def capture_transformed(backbone: Backbone, transformed: Tensor) -> StageActivations:
    """Return what `capture_stages` does of what `Backbone.transform` returned, float32 (3, H, W)."""
    outputs = backbone.run_transformed(transformed[None])
    stages = tuple(StageActivation(stage, outputs.stages[stage.label][0].numpy()) for stage in backbone.spec.stages)
    return StageActivations(backbone.spec.name, draw_transformed(backbone.spec, transformed), stages)


def field_centre(stage: Stage, place: tuple[int, int]) -> tuple[int, int]:
    """Return the pixel (x, y) of the network's input in the middle of the receptive field of one cell.

    Args:
        stage: Row of the zoo's table.
        place: Row and column of the cell in the stage's maps.
    """
    row, column = (stage.first_centre_px + each * stage.stride for each in place)
    return column, row


def field_box(
    stage: Stage, place: tuple[int, int], map_size: tuple[int, int], input_size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return the part of the network's input that one cell of a stage can depend on at all.

    Args:
        stage: Row of the zoo's table.
        place: Row and column of the cell.
        map_size: Rows and columns of the stage's maps.
        input_size: Width and height of the network's input in pixels, as of `network_input`.

    Returns:
        Left, top, right, bottom in pixels, right and bottom excluded as in Pillow, clipped to the picture. The fields
        of high stages often cover all of it.

    Raises:
        OptionOutOfRange: If the maps have no such cell.

    Source:
        Araujo et al. 2019, https://distill.pub/2019/computing-receptive-fields
    """
    for each, side in zip(place, map_size, strict=True):
        check_range("place", each, 0, side - 1)
    (x, y), (width, height), reach = field_centre(stage, place), input_size, stage.receptive_field_px // 2
    return max(0, x - reach), max(0, y - reach), min(width, x + reach + 1), min(height, y + reach + 1)


def check_channel(channel_idx: int, num_channels: int) -> None:
    """Check that a stage has a channel of an index.

    Raises:
        OptionOutOfRange: If there is no channel of such an index.
    """
    check_range("channel_idx", channel_idx, 0, num_channels - 1)


def capture_resolutions(backbone: Backbone, picture: Image.Image) -> tuple[Resolution, ...]:
    """Run one picture through a backbone and keep the last activation of each resolution, from fine to coarse.

    Where a block ends without a ReLU it is what the next layers make of it up to their first ReLU.

    Args:
        backbone: Network to look into; left unchanged.
        picture: RGB image of any size; it goes through the weights' own transforms.

    Returns:
        Activations with more than one cell. ResNet-50 at 224 px: 112, 56, 28, 14 and 7 cells on a side.
    """
    from demo.tasks.watcher import Watcher

    watcher = Watcher(backbone.subgraph(None), backbone.network)
    batch = backbone.transform(picture)[None].to(backbone.device, memory_format=torch.channels_last)
    with set_num_threads(backbone.plan.num_threads), torch.inference_mode():
        watcher.run(batch)
    return tuple(Resolution(name, each[0].cpu().numpy()) for name, each in watcher.last.values())
