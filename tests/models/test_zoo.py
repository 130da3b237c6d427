"""The table of backbones; the networks have random weights here, so that every row can be looked into."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torchinfo
from PIL import Image
from torch import Tensor, fx, nn
from torch.nn import functional
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor

from demo.models.backbone import Backbone, Outputs
from demo.models.batching import set_num_threads
from demo.models.errors import UnknownBackbone
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec, StageLabel, WheelFile, find_spec
from tests.conftest import names_to_try

# Channels and side of the low, middle and high stage, at the size of the weights' own transforms.
SHAPES = {
    "alexnet": [(64, 55), (192, 27), (256, 13)],
    "googlenet": [(192, 56), (832, 14), (1024, 7)],
    "inception_v3": [(192, 71), (768, 17), (2048, 8)],
    "resnet18": [(64, 56), (256, 14), (512, 7)],
    "resnet34": [(64, 56), (256, 14), (512, 7)],
    "resnet50": [(256, 56), (1024, 14), (2048, 7)],
    "resnet101": [(256, 56), (1024, 14), (2048, 7)],
    "resnet152": [(256, 56), (1024, 14), (2048, 7)],
    "densenet121": [(256, 56), (1024, 14), (1024, 7)],
    "efficientnet_lite0": [(144, 56), (672, 14), (1280, 7)],
}
# Theoretical receptive fields that Araujo et al. 2019 give, https://distill.pub/2019/computing-receptive-fields
PUBLISHED_FIELDS = {"inception_v3": 1311}


@dataclass(frozen=True, eq=False)
class Untrained:
    """A row's network with random weights, a batch, and what comes out of the opened network."""

    spec: BackboneSpec
    network: nn.Module
    backbone: Backbone
    batch: Tensor
    outputs: Outputs


@pytest.fixture(scope="module", params=names_to_try(ZOO, slow=["resnet34", "resnet101", "resnet152"]))
def untrained(request: pytest.FixtureRequest) -> Untrained:
    spec = ZOO[request.param]
    network = spec.build().eval().requires_grad_(False)
    backbone = Backbone(spec, network, torch.device("cpu"))
    side = side_px(spec)
    batch = torch.randn((1, 3, side, side), generator=torch.Generator().manual_seed(0))
    return Untrained(spec, network, backbone, batch, backbone.run_transformed(batch))


def receptive_fields(spec: BackboneSpec, network: nn.Module) -> list[int]:
    """Follow kernel sizes and strides through a network, along the path on which the field grows most."""
    if spec.library == "timm":  # one path, and shortcuts that only shorten it
        return sequential_fields(spec, network)
    graph_module = create_feature_extractor(network, {stage.module: stage.label.value for stage in spec.stages})
    fields: dict[fx.Node, tuple[int, int]] = {}  # node -> field and stride, in pixels
    for node in graph_module.graph.nodes:
        before = [fields[each] for each in node.all_input_nodes]
        field, stride = max((each[0] for each in before), default=1), max((each[1] for each in before), default=1)
        kernel, step = window(node, graph_module)
        fields[node] = field + (kernel - 1) * stride, stride * step
    (output,) = [node for node in graph_module.graph.nodes if node.op == "output"]
    found = {label: fields[node][0] for label, node in output.args[0].items()}
    return [found[stage.label.value] for stage in spec.stages]


def window(node: fx.Node, graph_module: nn.Module) -> tuple[int, int]:
    """Return kernel size and stride of a node, along one axis; both are 1 where it looks at single cells."""
    if node.op == "call_module":
        module = graph_module.get_submodule(str(node.target))
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            return first(module.kernel_size), first(module.stride)
    elif node.op == "call_function" and node.target in (functional.avg_pool2d, functional.max_pool2d):
        arguments = dict(zip(("kernel_size", "stride"), node.args[1:], strict=False)) | node.kwargs
        return first(arguments["kernel_size"]), first(arguments.get("stride") or arguments["kernel_size"])
    return 1, 1


def first(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple) else size)


def sequential_fields(spec: BackboneSpec, network: nn.Module) -> list[int]:
    field, stride, found = 1, 1, dict[str, int]()
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            field += (first(module.kernel_size) - 1) * stride
            stride *= first(module.stride)
        found |= {stage.module: field for stage in spec.stages if f"{name}.".startswith(f"{stage.module}.")}
    return [found[stage.module] for stage in spec.stages]


def side_px(spec: BackboneSpec) -> int:
    return int(spec.build_transforms().crop_size[0])


def test_the_stages_have_the_shapes_of_their_papers(untrained: Untrained) -> None:
    shapes = [tuple(stage.shape[1:]) for stage in untrained.outputs.stages.values()]
    assert shapes == [(channels, side, side) for channels, side in SHAPES[untrained.spec.name]]
    assert list(untrained.outputs.stages) == [StageLabel.LOW, StageLabel.MIDDLE, StageLabel.HIGH]


def test_the_stages_have_the_strides_of_the_table(untrained: Untrained) -> None:
    # Without padding at the borders a side may come out up to two cells short.
    for stage, (_, side) in zip(untrained.spec.stages, SHAPES[untrained.spec.name], strict=True):
        assert 0 <= side_px(untrained.spec) // stage.stride - side <= 4, stage
        assert round(side_px(untrained.spec) / side / stage.stride) == 1, stage


def test_no_stage_shows_a_negative_value(untrained: Untrained) -> None:
    assert all(stage.min() >= 0 for stage in untrained.outputs.stages.values())


def test_what_is_shown_of_the_middle_stage_lies_below_what_is_trained_with_the_last(untrained: Untrained) -> None:
    shown = untrained.backbone.subgraph(None, StageLabel.MIDDLE).parameters()
    trained = {id(each) for each in untrained.backbone.subgraph(StageLabel.MIDDLE).parameters()}
    assert trained
    assert not trained & {id(each) for each in shown}


def test_the_stages_and_logits_are_what_the_modules_give(untrained: Untrained) -> None:
    given: dict[StageLabel, Tensor] = {}
    modules = dict(untrained.network.named_modules())  # DenseNet's last ReLU is a function
    hooks = [
        untrained.network.get_submodule(stage.module).register_forward_hook(
            lambda _module, _inputs, output, label=stage.label: given.__setitem__(label, output.clone())
        )
        for stage in untrained.spec.stages
        if stage.module in modules
    ]
    with set_num_threads(untrained.backbone.plan.num_threads):
        logits = untrained.network(untrained.batch.to(memory_format=torch.channels_last))  # as the backbone does
    for hook in hooks:
        hook.remove()
    assert given
    for label, stage in given.items():
        torch.testing.assert_close(untrained.outputs.stages[label], stage, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(untrained.outputs.logits, logits, rtol=1e-5, atol=1e-5)


def test_the_pooled_high_stage_is_the_features(untrained: Untrained) -> None:
    assert untrained.outputs.features.shape == (1, untrained.spec.num_features)
    if untrained.spec.name == "alexnet":
        pytest.skip("AlexNet has two more fully connected layers in between")
    pooled = untrained.outputs.stages[StageLabel.HIGH].mean(dim=(2, 3))
    torch.testing.assert_close(pooled, untrained.outputs.features, rtol=1e-4, atol=1e-4)


def test_features_through_the_last_layer_are_the_logits(untrained: Untrained) -> None:
    assert untrained.outputs.logits.shape == (1, 1000)
    last = [module for module in untrained.network.modules() if isinstance(module, nn.Linear)][-1]
    logits = last(untrained.outputs.features)
    torch.testing.assert_close(logits, untrained.outputs.logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3])
def test_the_packed_network_answers_as_the_network_does(untrained: Untrained, count: int) -> None:
    """Alone and together pictures go through networks that were packed for that."""
    batch = torch.cat([untrained.batch * scale for scale in (1.0, 0.5, -1.0)[:count]])
    outputs, answers = untrained.backbone.run_transformed(batch), untrained.backbone.answer(batch)
    # Probabilities of random weights are too steep a measure: a hundred-thousandth of a logit shows in them.
    for answer, output in ((answers.features, outputs.features), (answers.logits, outputs.logits)):
        torch.testing.assert_close(answer, output, rtol=1e-3, atol=1e-4 * float(output.abs().max()))


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
    assert re.fullmatch(r"https://(arxiv\.org/abs/\d{4}\.\d{4,5}|papers\.nips\.cc/paper/[\w-]+)", spec.paper)


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_a_file_name_ends_in_a_hash(spec: BackboneSpec) -> None:
    found = re.fullmatch(r"[a-z0-9_-]+-([0-9a-f]{8})\.pth", spec.file_name)
    assert found
    if isinstance(spec.weights, WheelFile):
        assert len(spec.weights.sha256) == 64
        assert spec.weights.sha256.startswith(found[1])


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_a_row_gives_its_network_squares(spec: BackboneSpec) -> None:
    side = side_px(spec)
    assert side == (299 if spec.name == "inception_v3" else 224)
    assert spec.build_transforms()(Image.new("RGB", (300, 400))).shape == (3, side, side)


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_the_facts_are_those_that_torchinfo_counts(spec: BackboneSpec) -> None:
    """Of the network that answers: auxiliary classifiers, which only training uses, are not built."""
    with torch.device("meta"):  # shapes are enough to count
        network = spec.build().eval()
    counted = torchinfo.summary(network, (1, 3, side_px(spec), side_px(spec)), device="meta", verbose=0)
    assert spec.facts.num_parameters == counted.total_params
    assert spec.facts.gflops == pytest.approx(counted.total_mult_adds / 1e9, rel=0.02)
    # Four bytes for each number, and what only training uses.
    assert spec.facts.file_megabytes * 1.06e6 > 4 * counted.total_params
    assert 0.5 < spec.facts.top1 < 0.8


@pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
def test_a_row_says_what_torchvision_says_of_its_weights(spec: BackboneSpec) -> None:
    """The table is read before torchvision is imported, so it repeats what the metadata says."""
    if isinstance(spec.weights, WheelFile):
        assert list(spec.class_names) == models.ResNet50_Weights.IMAGENET1K_V1.meta["categories"]
        return
    weights, facts = models.get_weight(spec.weights.name), spec.facts
    assert spec.weights.url == weights.url
    assert list(spec.class_names) == weights.meta["categories"]
    assert facts.gflops == weights.meta["_ops"]
    assert facts.top1 == pytest.approx(weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100)
    assert facts.file_megabytes == weights.meta["_file_size"]
    # Inception's weights count those of its auxiliary classifier too, which only training uses.
    with torch.device("meta"):
        everything = models.get_model(spec.name, init_weights=False) if spec.name == "inception_v3" else spec.build()
    left_out = [each.numel() for name, each in everything.named_parameters() if name.startswith(spec.training_only)]
    assert weights.meta["num_params"] - facts.num_parameters == sum(left_out)


def test_the_receptive_fields_are_those_of_the_graph(untrained: Untrained) -> None:
    spec = untrained.spec
    assert [stage.receptive_field_px for stage in spec.stages] == receptive_fields(spec, untrained.network)
    assert spec.stages[-1].receptive_field_px == PUBLISHED_FIELDS.get(spec.name, spec.stages[-1].receptive_field_px)


def test_every_row_is_found_by_its_name() -> None:
    assert {name: find_spec(name).name for name in ZOO} == {name: name for name in ZOO}
    assert EMBEDDED in ZOO
    assert len({spec.display_name for spec in ZOO.values()}) == len(ZOO)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownBackbone, match="resnet19") as raised:
        find_spec("resnet19")
    assert [name for name in ZOO if name not in str(raised.value)] == []
    no_names: list[Any] = [["resnet18"], {}, None, 7]
    for each in no_names:
        with pytest.raises(UnknownBackbone):
            find_spec(each)
