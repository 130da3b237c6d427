"""Where the evidence for a class lies: the same map as Grad-CAM by hooks on a copy, and nobody is changed."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from demo.data.samples import find_example, read_example
from demo.models.backbone import Backbone
from demo.models.head import Head, build_head
from demo.models.lenet import draw_weights
from demo.models.recipe import HeadConfig
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.cam import map_classes
from tests.conftest import noise, summary
from tests.test_backbone import assert_frozen, hooks

Map = NDArray[np.float32]
CLASSES = [0, 2, 3]  # of the four that the heads here know


@dataclass(frozen=True, eq=False)
class Case:
    """A network, and a head on it, or none for its own 1000 classes."""

    backbone: Backbone
    head: Head | None


def build(config: HeadConfig, backbone_name: str = EMBEDDED, **more: Any) -> Head:
    """Return a head that was not trained: its parameters still ask for gradients."""
    module = build_head(ZOO[backbone_name].num_features, 4, config, generator=torch.Generator().manual_seed(7))
    return Head(module.eval(), tuple("abcd"), backbone_name, summary(), **more)


def untrained(name: str) -> Backbone:
    network = ZOO[name].build().eval().requires_grad_(False)
    draw_weights(network, torch.Generator().manual_seed(0))
    return Backbone(ZOO[name], network, torch.device("cpu"), is_private=True)


def imagenet(embedded: Backbone) -> Case:
    return Case(embedded, None)


def linear(embedded: Backbone) -> Case:
    return Case(embedded, build(HeadConfig()))


def hidden_layers(embedded: Backbone) -> Case:
    return Case(embedded, build(HeadConfig(2, 64, dropout=0.5)))


def private(embedded: Backbone) -> Case:
    """A head whose training changed the last convolution and its norm."""
    generator = torch.Generator().manual_seed(3)
    tuned = {
        name: tensor * (0.75 + 0.5 * torch.rand(tensor.shape, generator=generator))
        for name, tensor in embedded.network.state_dict().items()
        if name.startswith(("conv_head.", "bn2.")) and tensor.is_floating_point()
    }
    head = build(HeadConfig(1, 64), tuned=tuned)
    return Case(embedded.for_head(head), head)


def resnet(_: Backbone) -> Case:
    return Case(untrained("resnet18"), build(HeadConfig(1, 64), "resnet18"))


def alexnet(_: Backbone) -> Case:
    """A network with fully connected layers between its last stage and its features."""
    return Case(untrained("alexnet"), None)


CASES = (imagenet, linear, hidden_layers, private, resnet, alexnet)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.__name__)
def case(request: pytest.FixtureRequest, embedded: Backbone) -> Case:
    found: Case = request.param(embedded)
    return found


def grad_cam(case: Case, picture: Image.Image, class_idx: int) -> Map:
    """Compute Grad-CAM as its paper does: the network as it is, with hooks on a copy of it."""
    spec, kept = case.backbone.spec, dict[str, Tensor]()
    network = copy.deepcopy(case.backbone.network)
    network.get_submodule(spec.stages[-1].module).register_forward_hook(
        lambda _module, _inputs, output: kept.__setitem__("maps", output)
    )
    network.get_submodule(spec.logits).register_forward_pre_hook(
        lambda _module, inputs: kept.__setitem__("features", inputs[0])
    )
    batch = case.backbone.transform(picture)[None].to(memory_format=torch.channels_last)  # as the backbone does
    logits = network(batch.requires_grad_(True))
    if case.head is not None:
        logits = copy.deepcopy(case.head.module)(kept["features"])
    (gradients,) = torch.autograd.grad(logits[0, class_idx], kept["maps"])
    _, num_maps, height, width = gradients.shape
    evidence = np.zeros((height, width))
    for number in range(num_maps):
        weight = float(gradients[0, number].double().sum()) / (height * width)
        evidence += weight * kept["maps"][0, number].detach().double().numpy()
    return np.maximum(evidence, 0).astype(np.float32)


def assert_equal(found: Map, expected: Map) -> None:
    """Compare two maps to a hundred-thousandth of the largest value; for the networks here all are below 1."""
    assert expected.max() < 1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(expected.max()) + 1e-9)


def test_the_map_is_that_of_grad_cam_with_hooks(case: Case, cat: Image.Image) -> None:
    found = map_classes(case.backbone, cat, CLASSES, head=case.head)
    expected = [grad_cam(case, cat, idx) for idx in CLASSES]
    for each, reference in zip(found, expected, strict=True):
        assert_equal(each, reference)
        assert each.dtype == np.float32
        assert each.min() >= 0
    assert sum(reference.max() > 1e-4 for reference in expected) >= 2  # or zeros would do
    assert not np.allclose(expected[0], expected[1], atol=1e-4)


def test_a_map_is_as_large_as_the_high_stage(case: Case) -> None:
    picture = noise(4, (120, 90))
    stage = case.backbone.run([picture]).stages[StageLabel.HIGH]
    (found,) = map_classes(case.backbone, picture, [1], head=case.head)
    assert found.shape == tuple(stage.shape[2:])


def test_classes_together_have_the_maps_that_each_has_alone(embedded: Backbone, cat: Image.Image) -> None:
    head = hidden_layers(embedded).head
    together = map_classes(embedded, cat, [2, 0, 2], head=head)
    assert len(together) == 3
    for each, idx in zip(together, [2, 0, 2], strict=True):
        (alone,) = map_classes(embedded, cat, [idx], head=head)
        assert_equal(each, alone)
    assert not np.allclose(together[0], together[1], atol=1e-4)
    assert map_classes(embedded, cat, [], head=head) == []


def test_a_map_leaves_network_and_head_as_they_were(case: Case, cat: Image.Image) -> None:
    modules = [case.backbone.network, *([case.head.module] if case.head else [])]
    before = [copy.deepcopy(dict(module.state_dict())) for module in modules]
    asked = [[parameter.requires_grad for parameter in module.parameters()] for module in modules]
    answers = case.backbone.run([cat])
    map_classes(case.backbone, cat, CLASSES, head=case.head)
    for module, tensors, gradients in zip(modules, before, asked, strict=True):
        torch.testing.assert_close(dict(module.state_dict()), tensors, rtol=0, atol=0)
        assert hooks(module) == []
        assert [parameter.requires_grad for parameter in module.parameters()] == gradients
        assert all(parameter.grad is None for parameter in module.parameters())
    assert_frozen(case.backbone.network)
    assert torch.is_grad_enabled()
    assert torch.equal(case.backbone.run([cat]).logits, answers.logits)


def test_with_pooled_features_and_one_layer_it_is_the_class_activation_map(
    embedded: Backbone, cat: Image.Image
) -> None:
    """The weights of the class are those of the maps: Zhou et al. 2016, https://arxiv.org/abs/1512.04150."""
    stage = embedded.run([cat]).stages[StageLabel.HIGH][0]  # (C, H, W)
    weights = embedded.network.get_parameter("classifier.weight")
    for idx, found in zip((281, 285, 7), map_classes(embedded, cat, (281, 285, 7)), strict=True):
        expected = torch.einsum("c,chw->hw", weights[idx], stage).clamp(min=0) / 49
        assert_equal(found, expected.numpy())


@pytest.mark.parametrize(("name", "class_name", "times"), [("cat", "cat", 1.3), ("coffee", "espresso", 5)])
def test_the_evidence_lies_in_the_middle_of_a_picture_and_not_in_its_corners(
    embedded: Backbone, settings: Settings, name: str, class_name: str, times: float
) -> None:
    picture = read_example(find_example(name), settings)
    top = int(embedded.run([picture]).logits[0].argmax())
    assert class_name in embedded.spec.class_names[top]
    (found,) = map_classes(embedded, picture, [top])
    assert found[2:5, 2:5].mean() > times * found[::6, ::6].mean()  # of seven by seven cells


@pytest.mark.parametrize(("left", "top"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_the_evidence_lies_where_the_object_is(embedded: Backbone, settings: Settings, left: int, top: int) -> None:
    """A small cup in one quarter of a white picture."""
    picture = Image.new("RGB", (256, 256), "white")
    picture.paste(read_example(find_example("coffee"), settings).resize((112, 112)), (16 + 112 * left, 16 + 112 * top))
    (found,) = map_classes(embedded, picture, [embedded.spec.class_names.index("espresso")])
    quarters = {(x, y): float(found[4 * y : 4 * y + 3, 4 * x : 4 * x + 3].sum()) for x in (0, 1) for y in (0, 1)}
    there = quarters.pop((left, top))
    assert there > 10 * max(quarters.values())


def test_a_private_network_has_maps_of_its_own(embedded: Backbone, cat: Image.Image) -> None:
    case = private(embedded)
    assert case.backbone is not embedded
    own, shared = (map_classes(each, cat, CLASSES, head=case.head) for each in (case.backbone, embedded))
    assert not any(np.allclose(*each, rtol=0.01, atol=1e-4) for each in zip(own, shared, strict=True))


def test_dropout_of_a_head_is_off(embedded: Backbone, cat: Image.Image) -> None:
    head = hidden_layers(embedded).head
    first, second = (map_classes(embedded, cat, [1], head=head)[0] for _ in range(2))
    assert_equal(first, second)
    assert head is not None
    assert any(isinstance(module, nn.Dropout) and module.p == 0.5 for module in head.module.modules())
