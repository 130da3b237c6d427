"""One picture -> the feature maps of three stages."""

import copy
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from demo.models.backbone import Backbone
from demo.models.batching import set_num_threads
from demo.models.graph import end_of
from demo.models.untrained import sample_weights
from demo.models.zoo import EMBEDDED, ZOO, Stage, StageLabel
from demo.tasks.activations import (
    Measure,
    StageActivation,
    StageActivations,
    capture_resolutions,
    capture_stages,
)
from tests.benchmarks.maps import read_photos
from tests.benchmarks.stages import agree_strongest
from tests.pictures import noise

STAGE = Stage(StageLabel.LOW, "layer1", 4, 35, 0)


@pytest.fixture(scope="module")
def activations(embedded: Backbone, cat: Image.Image) -> StageActivations:
    return capture_stages(embedded, cat)


def stage_of(values: list[list[list[float]]]) -> StageActivation:
    return StageActivation(STAGE, np.array(values, dtype=np.float32))


def test_there_are_three_stages_from_low_to_high(activations: StageActivations) -> None:
    assert [each.stage.label for each in activations.stages] == ["low", "middle", "high"]
    assert [each.values.shape for each in activations.stages] == [(144, 56, 56), (672, 14, 14), (1280, 7, 7)]
    assert [each.values.dtype for each in activations.stages] == [np.float32] * 3


def test_the_picture_is_kept_as_the_network_sees_it(
    activations: StageActivations, embedded: Backbone, cat: Image.Image
) -> None:
    assert activations.backbone_name == EMBEDDED
    assert activations.network_input.tobytes() == embedded.draw_input(cat).tobytes()


def test_the_stages_are_what_hooks_on_a_copy_see(
    activations: StageActivations, embedded: Backbone, cat: Image.Image
) -> None:
    private = copy.deepcopy(embedded.network)
    seen: dict[str, Tensor] = {}
    for stage in embedded.spec.stages:
        private.get_submodule(stage.module).register_forward_hook(
            lambda _module, _inputs, output, name=stage.module: seen.__setitem__(name, output.clone())
        )
    with set_num_threads(embedded.plan.num_threads):  # sums in another order differ in the sixth digit
        private(embedded.transform(cat)[None])  # (1, 3, 224, 224)
    for each in activations.stages:
        np.testing.assert_allclose(each.values, seen[each.stage.module][0].numpy(), rtol=1e-5, atol=1e-5)


def test_the_pooled_high_stage_is_the_features(
    activations: StageActivations, embedded: Backbone, cat: Image.Image
) -> None:
    pooled = activations.stages[2].values.mean(axis=(1, 2))  # (1280,)
    np.testing.assert_allclose(pooled, embedded.run([cat]).features[0].numpy(), rtol=1e-4, atol=1e-4)


def test_every_stage_is_shown_after_a_relu(activations: StageActivations) -> None:
    for each in activations.stages:
        assert each.values.min() == 0
        assert each.values.max() > 0


def test_neighbours_in_the_strongest_maps_agree_on_real_photographs(embedded: Backbone, shared_data: Path) -> None:
    """As in the benchmark, over some of its photographs; the ends of the blocks, without a ReLU, fall short."""
    found: dict[str, list[float]] = {}
    for picture in islice(read_photos(shared_data / "imagenet_samples"), 0, None, 10):
        batch = embedded.transform(picture)[None]
        for label in (StageLabel.LOW, StageLabel.MIDDLE):
            for node in (label.value, end_of(label)):
                found.setdefault(node, []).append(agree_strongest(embedded.subgraph(None, node)(batch)[0].numpy()))
    low, low_end, middle, middle_end = (float(np.mean(each)) for each in found.values())
    assert low >= 0.55 > 0.4 > low_end
    assert middle >= 0.5 > 0.4 > middle_end


def test_another_picture_has_other_stages(activations: StageActivations, embedded: Backbone) -> None:
    for one, other in zip(activations.stages, capture_stages(embedded, noise(0)).stages, strict=True):
        assert not np.allclose(one.values, other.values, rtol=1e-2, atol=1e-2)


def test_the_mean_is_a_map(activations: StageActivations) -> None:
    for each in activations.stages:
        assert each.mean.shape == each.values.shape[1:]
        assert each.mean.min() >= 0
        assert each.mean.max() > 0
    np.testing.assert_array_equal(stage_of([[[1.0, 2.0]], [[1.0, 4.0]]]).mean, [[1.0, 3.0]])


def test_the_strongest_channels_come_first(activations: StageActivations) -> None:
    for each in activations.stages:
        strongest = each.strongest(16)
        strength: NDArray[np.float32] = each.values.mean(axis=(1, 2))
        assert len(strongest) == len(set(strongest.tolist())) == 16
        assert (np.diff(strength[strongest]) <= 0).all()
        assert strength[strongest].min() >= np.delete(strength, strongest).max()


def test_channels_of_equal_strength_keep_their_order() -> None:
    assert stage_of([[[2.0]], [[1.0]], [[1.0]], [[1.0]]]).strongest(4).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("num_maps", "expected"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_there_are_no_more_channels_than_the_stage_has(num_maps: int, expected: int) -> None:
    assert len(stage_of([[[1.0]], [[2.0]]]).strongest(num_maps)) == expected


def test_what_is_kept_is_the_visitors_own(embedded: Backbone, cat: Image.Image) -> None:
    first = capture_stages(embedded, cat)
    for each in first.stages:
        each.values.fill(np.nan)
    again = capture_stages(embedded, cat)
    assert all(np.isfinite(each.values).all() for each in again.stages)
    assert torch.isfinite(embedded.run([cat]).logits).all()


@pytest.mark.parametrize(
    ("measure", "strongest"), [(Measure.MEAN, 0), (Measure.PEAK, 1), (Measure.SPREAD, 1), (Measure.AREA, 2)]
)
def test_each_measure_has_a_winner_of_its_own(measure: Measure, strongest: int) -> None:
    stage = stage_of([[[5.0, 5.0, 5.0, 2.0]], [[9.0, 0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0, 1.0]]])
    assert stage.strongest(1, measure).tolist() == [strongest]


def test_a_channel_is_silent_that_is_0_everywhere() -> None:
    stage = stage_of([[[0.0, 0.0]], [[0.0, 1e-6]], [[8.0, 0.0]]])
    assert stage.silent.tolist() == [True, False, False]
    assert stage.zero_share == pytest.approx(4 / 6)


def test_where_all_is_0_all_channels_are_silent() -> None:
    assert stage_of([[[0.0]], [[0.0]]]).silent.all()


# In each network, what gives the last activation of each resolution.
RESOLUTIONS = {
    "alexnet": ["features.1", "features.4", "features.11", "avgpool"],
    "googlenet": ["conv1", "conv3", "inception3b", "inception4e", "inception5b"],
    "resnet18": ["relu", "layer1.1", "layer2.1", "layer3.1", "layer4.1"],
    "densenet121": [
        f"features.{name}" for name in ("relu0", *(f"transition{each}.relu" for each in (1, 2, 3)), "norm5")
    ],
}


@pytest.mark.parametrize("name", RESOLUTIONS)
def test_each_resolution_is_shown_once_and_in_full(name: str, cat: Image.Image) -> None:
    network = ZOO[name].build().eval().requires_grad_(False)
    sample_weights(network, torch.Generator().manual_seed(0))
    backbone = Backbone(ZOO[name], network, torch.device("cpu"), is_private=True)
    found = capture_resolutions(backbone, cat)
    assert [each.name for each in found] == RESOLUTIONS[name]
    sides = [each.values.shape[1] for each in found]
    assert sides == sorted(sides, reverse=True)
    assert all(each.values.min() >= 0 for each in found)


def test_the_coarsest_resolution_is_the_high_stage(
    activations: StageActivations, embedded: Backbone, cat: Image.Image
) -> None:
    found = capture_resolutions(embedded, cat)
    assert [each.name for each in found] == [*(f"blocks.{number}.0.bn1" for number in (1, 2, 3, 5)), "bn2"]
    for each, stage in ((found[1], activations.stages[0]), (found[-1], activations.stages[2])):
        np.testing.assert_allclose(each.values, stage.values, rtol=1e-4, atol=1e-4)
