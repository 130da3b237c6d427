"""Statistics of activations, stage by stage, for one network and picture or for two of them side by side.

A side is a network and a picture: two pictures with one network, or one picture before and after fine-tuning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.errors import check_range
from demo.models.backbone import Backbone
from demo.models.zoo import Stage, StageLabel
from demo.tasks.activations import StageActivation, capture_stages

NUM_LARGEST = 8
NUM_BINS = 24
_MAX_SIDES, _MAX_BINS = 2, 200


@dataclass(frozen=True)
class ChannelStrength:
    """One channel, and the mean over its positions."""

    channel_idx: int
    strength: float


@dataclass(frozen=True, eq=False)
class StageStatistics:
    """One stage's activation (C, H, W) for one picture, in numbers.

    `mean` and `std` are over all numbers, `zero_share` is the share of those that are exactly 0, and `silent_share`
    the share of channels that are 0 everywhere, 0 to 1. A channel that is silent on one picture need not be dead.
    `largest` are the channels with the largest mean, the strongest first. `counts` (B,) are the channels whose mean
    lies in each bin of the comparison.
    """

    num_channels: int
    mean: float
    std: float
    zero_share: float
    silent_share: float
    largest: tuple[ChannelStrength, ...]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StageComparison:
    """One stage of each side, in their order, and the edges (B + 1,) that their histograms of channel means share."""

    label: StageLabel
    stages: tuple[Stage, ...]
    edges: NDArray[np.float64]
    sides: tuple[StageStatistics, ...]


def compare_stages(
    sides: Sequence[tuple[Backbone, Image.Image]], *, num_bins: int = NUM_BINS
) -> tuple[StageComparison, ...]:
    """Run one or two sides and sum up the activations of their low, middle and high stages.

    Args:
        sides: Networks, which are left unchanged, and RGB pictures of any size; for a network before and after
            fine-tuning the shared one and what its `for_head` returns, with one picture.
        num_bins: B, bins of each histogram.

    Returns:
        One comparison for each stage, from low to high.

    Raises:
        OptionOutOfRange: If there are no sides or more than two, or no bins.

    Source:
        Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901, for looking at channels one by one; Glorot et al.
        2011, https://proceedings.mlr.press/v15/glorot11a.html, for the zeros that a ReLU leaves.
    """
    check_range("sides", len(sides), 1, _MAX_SIDES)
    check_range("num_bins", num_bins, 1, _MAX_BINS)
    captured = [capture_stages(backbone, picture).stages for backbone, picture in sides]
    columns = zip(StageLabel, zip(*captured, strict=True), strict=True)
    return tuple(_compare(label, activations, num_bins=num_bins) for label, activations in columns)


def _compare(label: StageLabel, activations: tuple[StageActivation, ...], *, num_bins: int) -> StageComparison:
    means = [each.values.mean(axis=(1, 2), dtype=np.float64) for each in activations]  # (C,) each
    edges = np.histogram_bin_edges(np.concatenate(means), num_bins)
    counts = [np.histogram(each, edges)[0] for each in means]
    stages = tuple(each.stage for each in activations)
    return StageComparison(label, stages, edges, tuple(map(_sum_up, activations, counts)))


def _sum_up(activation: StageActivation, counts: NDArray[np.int64]) -> StageStatistics:
    strengths = activation.values.mean(axis=(1, 2), dtype=np.float64)  # (C,)
    return StageStatistics(
        num_channels=len(strengths),
        mean=float(activation.values.mean(dtype=np.float64)),
        std=float(activation.values.std(dtype=np.float64)),
        zero_share=activation.zero_share,
        silent_share=float(activation.silent.mean()),
        largest=tuple(ChannelStrength(int(idx), float(strengths[idx])) for idx in activation.strongest(NUM_LARGEST)),
        counts=counts,
    )
