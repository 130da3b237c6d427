"""The table of backbones; the networks have random weights here, so that every row can be looked into."""

import re
from dataclasses import dataclass

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from demo.errors import UnknownBackbone
from demo.models.backbone import Backbone, Outputs, _open_timm, _open_torchvision
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec, StageLabel, WheelFile, find_spec

SIDE_PX = 224

CHANNELS = {
    "efficientnet_lite0": [24, 112, 1280],
    "resnet18": [64, 256, 512],
    "resnet34": [64, 256, 512],
    "resnet50": [256, 1024, 2048],
    "resnet101": [256, 1024, 2048],
    "resnet152": [256, 1024, 2048],
}


@dataclass(frozen=True, eq=False)
class Untrained:
    """A row's network with random weights, a batch, and what comes out of the opened network."""

    spec: BackboneSpec
    network: nn.Module
    batch: Tensor
    outputs: Outputs


@pytest.fixture(scope="module", params=ZOO)
def untrained(request: pytest.FixtureRequest) -> Untrained:
    spec = ZOO[request.param]
    network = spec.build().eval().requires_grad_(False)
    open_network = _open_timm if spec.library == "timm" else _open_torchvision
    backbone = Backbone(spec, network, torch.device("cpu"), open_network(network, spec))
    batch = torch.randn((1, 3, SIDE_PX, SIDE_PX), generator=torch.Generator().manual_seed(0))
    return Untrained(spec, network, batch, backbone._forward(batch))


def test_the_stages_have_the_shapes_of_their_papers(untrained: Untrained) -> None:
    channels = [stage.shape[1] for stage in untrained.outputs.stages.values()]
    assert channels == CHANNELS[untrained.spec.name]
    assert [stage.stride for stage in untrained.spec.stages] == [4, 16, 32]


def test_the_stages_have_the_strides_of_the_table(untrained: Untrained) -> None:
    sides = {label: tuple(stage.shape[2:]) for label, stage in untrained.outputs.stages.items()}
    assert sides == {stage.label: (SIDE_PX // stage.stride,) * 2 for stage in untrained.spec.stages}
    assert list(sides) == [StageLabel.LOW, StageLabel.MIDDLE, StageLabel.HIGH]


def test_the_stages_and_logits_are_what_the_modules_give(untrained: Untrained) -> None:
    given: dict[StageLabel, Tensor] = {}
    hooks = [
        untrained.network.get_submodule(stage.module).register_forward_hook(
            lambda _module, _inputs, output, label=stage.label: given.__setitem__(label, output.clone())
        )
        for stage in untrained.spec.stages
    ]
    logits = untrained.network(untrained.batch)
    for hook in hooks:
        hook.remove()
    torch.testing.assert_close(untrained.outputs.stages, given, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(untrained.outputs.logits, logits, rtol=1e-5, atol=1e-5)


def test_the_pooled_high_stage_is_the_features(untrained: Untrained) -> None:
    assert untrained.outputs.features.shape == (1, untrained.spec.num_features)
    pooled = untrained.outputs.stages[StageLabel.HIGH].mean(dim=(2, 3))
    torch.testing.assert_close(pooled, untrained.outputs.features, rtol=1e-4, atol=1e-4)


def test_features_through_the_last_layer_are_the_logits(untrained: Untrained) -> None:
    assert untrained.outputs.logits.shape == (1, 1000)
    last = [module for module in untrained.network.modules() if isinstance(module, nn.Linear)][-1]
    logits = last(untrained.outputs.features)
    torch.testing.assert_close(logits, untrained.outputs.logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_a_row_has_1000_named_classes(spec: BackboneSpec) -> None:
    assert len(spec.class_names) == 1000
    assert all(spec.class_names)
    assert (spec.class_names[0], spec.class_names[282], spec.class_names[999]) == (
        "tench",
        "tiger cat",
        "toilet tissue",
    )


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_a_row_tells_its_year_and_its_paper(spec: BackboneSpec) -> None:
    assert spec.display_name
    assert 2012 <= spec.year <= 2026
    assert re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{5}", spec.paper)


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_a_file_name_ends_in_a_hash(spec: BackboneSpec) -> None:
    found = re.fullmatch(r"[a-z0-9-]+-([0-9a-f]{8})\.pth", spec.file_name)
    assert found
    if isinstance(spec.weights, WheelFile):
        assert len(spec.weights.sha256) == 64
        assert spec.weights.sha256.startswith(found[1])


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_a_row_gives_its_network_squares_of_224_px(spec: BackboneSpec) -> None:
    assert spec.build_transforms()(Image.new("RGB", (300, 400))).shape == (3, SIDE_PX, SIDE_PX)


def test_every_row_is_found_by_its_name() -> None:
    assert {name: find_spec(name).name for name in ZOO} == {name: name for name in ZOO}
    assert EMBEDDED in ZOO
    assert len({spec.display_name for spec in ZOO.values()}) == len(ZOO)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownBackbone, match="resnet19") as raised:
        find_spec("resnet19")
    assert [name for name in ZOO if name not in str(raised.value)] == []
