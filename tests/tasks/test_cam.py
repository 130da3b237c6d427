"""Where the evidence for a class lies: the maps of hooks on a copy and of torchcam, and nobody is changed."""

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from demo.data.samples import find_example, read_example
from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.batching import set_num_threads
from demo.models.head import Head, build_head
from demo.models.recipe import HeadConfig
from demo.models.untrained import sample_weights
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.activations import capture_stages
from demo.tasks.cam import ClassMaps, Method, map_classes, map_stages
from demo.tasks.predict import predict
from tests.models.test_backbone import PICTURES, assert_frozen, hooks
from tests.networks import summary
from tests.pictures import noise

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
    sample_weights(network, torch.Generator().manual_seed(0))
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


@pytest.fixture(autouse=True)
def in_as_many_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compute what is compared in as many threads as the network: sums in another order differ in the sixth digit."""
    name = next((each for each in ("case", "backbone", "embedded") if each in request.fixturenames), None)
    found = request.getfixturevalue(name) if name else None
    network: Backbone | None = getattr(found, "backbone", found)
    with set_num_threads(network.plan.num_threads) if network else nullcontext():
        yield


@dataclass(frozen=True, eq=False)
class Copy:
    """A copy of a network after one forward pass: stages (1, C, H, W), from low to high, and logits (1, K)."""

    stages: list[Tensor]
    logits: Tensor


def run_copy(case: Case, network: nn.Module, picture: Image.Image, modules: Sequence[str] = ()) -> Copy:
    """Run one picture through a copy of a network with hooks on it, at the ends of the stages or other modules."""
    spec, kept, features = case.backbone.spec, dict[str, Tensor](), list[Tensor]()
    for label, name in zip(StageLabel, modules or [stage.end for stage in spec.stages], strict=True):
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, label=label: kept.__setitem__(label, output)
        )
    network.get_submodule(spec.logits).register_forward_pre_hook(lambda _module, inputs: features.append(inputs[0]))
    batch = case.backbone.transform(picture)[None].to(memory_format=torch.channels_last)  # as the backbone does
    logits = network(batch.requires_grad_(True))
    if case.head is not None:
        logits = copy.deepcopy(case.head.module)(features[0])
    return Copy([kept[label] for label in StageLabel], logits)


def weigh(activation: Tensor, gradient: Tensor, method: Method) -> Map:
    """Sum feature maps (1, C, H, W) as the papers of Grad-CAM and LayerCAM write it, one after the other."""
    evidence = np.zeros(activation.shape[2:])
    for values, slope in zip(activation[0].detach().double().numpy(), gradient[0].double().numpy(), strict=True):
        evidence += values * (np.maximum(slope, 0) if method is Method.LAYER_CAM else slope.mean())
    return np.maximum(evidence, 0).astype(np.float32)


def map_by_hooks(case: Case, picture: Image.Image, class_idxs: Iterable[int]) -> dict[tuple[int, str, str], Map]:
    """Return the maps of every stage by both methods, from hooks on a copy of the network."""
    seen = run_copy(case, copy.deepcopy(case.backbone.network), picture)
    maps = {}
    for idx in class_idxs:
        gradients = torch.autograd.grad(seen.logits[0, idx], seen.stages, retain_graph=True)
        for (label, activation, gradient), method in product(
            zip(StageLabel, seen.stages, gradients, strict=True), Method
        ):
            maps[idx, label.value, method.value] = weigh(activation, gradient, method)
    return maps


def map_by_torchcam(case: Case, picture: Image.Image, class_idxs: Iterable[int]) -> dict[tuple[int, str, str], Map]:
    """Return the maps of every stage by both methods, from torchcam on a copy of the network."""
    methods = pytest.importorskip("torchcam.methods")
    modules = [stage.end for stage in case.backbone.spec.stages]
    maps = {}
    for method, extractor in ((Method.GRAD_CAM, methods.GradCAM), (Method.LAYER_CAM, methods.LayerCAM)):
        network = copy.deepcopy(case.backbone.network)
        with extractor(network, modules) as cam:
            logits = run_copy(case, network, picture).logits
            for idx in class_idxs:
                found = cam(idx, logits, normalized=False, retain_graph=True)
                for label, each in zip(StageLabel, found, strict=True):
                    maps[idx, label.value, method.value] = each[0].numpy()
    return maps


def assert_equal(found: Map, expected: Map) -> None:
    """Compare two maps to a hundred-thousandth of the largest value; for the networks here all are below 1."""
    assert expected.max() < 1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(expected.max()) + 1e-9)


def assert_close(found: Map, expected: Map) -> None:
    """Compare what may be of any size to a hundred-thousandth of the largest value."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(np.abs(expected).max()) + 1e-9)


def index(maps: ClassMaps) -> dict[tuple[int, str, str], Map]:
    return {(each.class_idx, each.stage.value, each.method.value): each.values for each in maps.maps}


def at_once(use: Callable[[Any], Any], choices: Iterable[Any]) -> list[Any]:
    """Let one visitor for each choice do the same at the same moment."""
    choices = list(choices)
    start = threading.Barrier(len(choices), timeout=120)

    def wait_and_use(choice: Any) -> Any:
        start.wait()
        return use(choice)

    with ThreadPoolExecutor(len(choices)) as pool:
        return list(pool.map(wait_and_use, choices))


@pytest.mark.parametrize("reference", [map_by_hooks, map_by_torchcam], ids=lambda each: each.__name__)
def test_the_maps_of_all_stages_are_those_of(
    reference: Callable[..., dict[tuple[int, str, str], Map]],
    case: Case,
    cat: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both methods at every stage, though Grad-CAM is shown at the high one only."""
    monkeypatch.setattr("demo.tasks.cam._MAPS", tuple(product(StageLabel, Method)))
    found = index(map_stages(case.backbone, cat, CLASSES[:2], head=case.head))
    expected = reference(case, cat, CLASSES[:2])
    assert set(found) == set(expected)
    assert len(found) == 12
    for key, each in found.items():
        assert_close(each, expected[key])
        assert each.dtype == np.float32
        assert each.min() >= 0
    assert sum(each.max() > 1e-5 for each in expected.values()) >= 10  # or zeros would do


def test_the_stages_are_those_of_hooks_and_torchcam(case: Case, cat: Image.Image) -> None:
    methods = pytest.importorskip("torchcam.methods")
    network = copy.deepcopy(case.backbone.network)
    modules = [stage.module for stage in case.backbone.spec.stages]
    with methods.LayerCAM(network, modules) as cam:
        seen = run_copy(case, network, cat, modules)
        theirs = [each[0].numpy() for each in cam.hook_a]
    for found, hooked, other in zip(capture_stages(case.backbone, cat).stages, seen.stages, theirs, strict=True):
        assert_close(found.values, hooked[0].detach().numpy())
        assert_close(found.values, other)
        assert np.abs(other).max() > 0.1


def test_the_ladder_of_a_class(case: Case, cat: Image.Image) -> None:
    found = map_stages(case.backbone, cat, [2, 1], head=case.head)
    ladder = [
        (StageLabel.LOW, Method.LAYER_CAM),
        (StageLabel.MIDDLE, Method.LAYER_CAM),
        (StageLabel.HIGH, Method.LAYER_CAM),
        (StageLabel.HIGH, Method.GRAD_CAM),
    ]
    assert [(each.class_idx, each.stage, each.method) for each in found.maps] == [
        (idx, *step) for idx in (2, 1) for step in ladder
    ]
    outputs = case.backbone.run([cat])
    logits = case.head.logits(outputs.features) if case.head else outputs.logits
    for each in found.maps:
        assert each.values.shape == outputs.stages[each.stage].shape[2:]
        assert each.probability == pytest.approx(float(logits.softmax(dim=1)[0, each.class_idx]), rel=1e-3)
    assert np.array_equal(np.asarray(found.network_input), np.asarray(case.backbone.draw_input(cat)))
    for idx, alone in zip((2, 1), map_classes(case.backbone, cat, (2, 1), head=case.head), strict=True):
        assert_close(found.of(idx, StageLabel.HIGH, Method.GRAD_CAM).values, alone)


@pytest.mark.parametrize("case", [imagenet, hidden_layers], indirect=True, ids=lambda case: case.__name__)
def test_without_a_class_it_is_the_most_probable_one(case: Case, cat: Image.Image) -> None:
    best = predict(case.backbone, cat, head=case.head).top[0]
    found = map_stages(case.backbone, cat, head=case.head)
    assert {each.class_idx for each in found.maps} == {best.class_idx}
    assert found.maps[0].probability == pytest.approx(best.probability, rel=1e-3)
    assert map_stages(case.backbone, cat, [], head=case.head).maps == ()
    with pytest.raises(KeyError):
        found.of(best.class_idx, StageLabel.LOW, Method.GRAD_CAM)


@pytest.mark.parametrize("case", [imagenet, hidden_layers], indirect=True, ids=lambda case: case.__name__)
@pytest.mark.parametrize("ask", [map_stages, map_classes], ids=lambda ask: ask.__name__)
def test_a_class_that_there_is_not_is_refused(ask: Callable[..., Any], case: Case, cat: Image.Image) -> None:
    count = 4 if case.head else 1000
    for idx in (-1, count):
        with pytest.raises(OptionOutOfRange, match=f"from 0 to {count - 1}"):
            ask(case.backbone, cat, [0, idx], head=case.head)
    assert ask(case.backbone, cat, [count - 1], head=case.head)


def test_eight_visitors_at_once_each_get_their_own_maps(embedded: Backbone) -> None:
    def ask(picture: Image.Image) -> ClassMaps:
        return map_stages(embedded, picture, [5, 7])

    alone = [ask(picture) for picture in PICTURES]
    for one, other, picture in zip(alone, at_once(ask, PICTURES), PICTURES, strict=True):
        assert np.array_equal(np.asarray(other.network_input), np.asarray(embedded.draw_input(picture)))
        for key, values in index(one).items():
            np.testing.assert_allclose(index(other)[key], values, rtol=0, atol=1e-3 * values.max() + 1e-9)
    first, second = (index(each)[5, "low", "layer_cam"] for each in alone[:2])
    assert np.abs(first - second).max() > 0.1 * first.max()


def test_the_map_is_that_of_grad_cam_with_hooks(case: Case, cat: Image.Image) -> None:
    found = map_classes(case.backbone, cat, CLASSES, head=case.head)
    maps = map_by_hooks(case, cat, CLASSES)
    expected = [maps[idx, StageLabel.HIGH.value, Method.GRAD_CAM.value] for idx in CLASSES]
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
    map_stages(case.backbone, cat, CLASSES, head=case.head)
    for broken in ([-1], [1000]):
        with pytest.raises(OptionOutOfRange):
            map_stages(case.backbone, cat, broken, head=case.head)
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
