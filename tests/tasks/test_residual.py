"""Blocks with a shortcut: what they add is what hooks on a copy see, and views without them change nobody."""

import copy
import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from demo.data.errors import ImageError
from demo.data.samples import find_example, read_example
from demo.errors import DemoError, OptionError
from demo.models.backbone import Backbone
from demo.models.head import Head, build_head
from demo.models.untrained import sample_weights
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.blocks import Block, BlockKind, Layer, list_blocks
from demo.tasks.errors import UnknownBlock
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureProgress
from demo.tasks.predict import predict
from demo.tasks.residual import BlockView, Signal, measure_without, switch_off, try_block, view_block
from tests.models.test_backbone import PICTURES, assert_frozen, dataset, hooks
from tests.networks import summary
from tests.pictures import encode, noise

EMBEDDED_BLOCKS = [f"blocks.{each}" for each in ("1.1", "2.1", "3.1", "3.2", "4.1", "4.2", "5.1", "5.2", "5.3")]
RESNET18_BLOCKS = [f"layer{stage}.{number}" for stage in (1, 2, 3, 4) for number in (0, 1)]
# Of each kind: with the identity, with a projection that only widens, and with one that strides.
CASES = [
    ("resnet18", "layer1.0"),
    ("resnet18", "layer2.0"),
    ("resnet50", "layer1.0"),
    ("resnet50", "layer4.0"),
    (EMBEDDED, "blocks.1.1"),
    (EMBEDDED, "blocks.5.3"),
]


def untrained(name: str) -> Backbone:
    """Return a network with seeded random weights; its norms have statistics and factors of their own."""
    generator = torch.Generator().manual_seed(5)
    network = ZOO[name].build().eval().requires_grad_(False)
    sample_weights(network, generator)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                assert tensor is not None
                tensor.add_(0.3 * torch.rand(tensor.shape, generator=generator))
    return Backbone(ZOO[name], network.to(memory_format=torch.channels_last), torch.device("cpu"), is_private=True)


@pytest.fixture(scope="module")
def resnet() -> Backbone:
    return untrained("resnet18")


@pytest.fixture(scope="module")
def networks(embedded: Backbone, resnet: Backbone) -> dict[str, Backbone]:
    return {EMBEDDED: embedded, "resnet18": resnet, "resnet50": untrained("resnet50")}


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest, networks: dict[str, Backbone]) -> tuple[Backbone, str]:
    name, block = request.param
    return networks[name], block


def last_norm(network: nn.Module, block: str) -> nn.BatchNorm2d:
    """Return the norm that ends F."""
    norms = [
        module
        for name, module in network.get_submodule(block).named_modules()
        if isinstance(module, nn.BatchNorm2d) and "downsample" not in name
    ]
    return norms[-1]


def hook(backbone: Backbone, block: str, picture: Image.Image) -> dict[str, Tensor]:
    """Return what hooks on a copy of a network see at a block, each (C, H, W)."""
    network, seen = copy.deepcopy(backbone.network), dict[str, Tensor]()
    module = network.get_submodule(block)

    def keep(name: str, values: Tensor) -> None:
        seen[name] = values[0].clone()  # ResNet adds in place

    module.register_forward_pre_hook(lambda _, inputs: keep("x", inputs[0]))
    module.register_forward_hook(lambda _module, _inputs, output: keep("output", output))
    last_norm(network, block).register_forward_hook(lambda _module, _inputs, output: keep("residual", output))
    if getattr(module, "downsample", None) is not None:
        module.get_submodule("downsample").register_forward_hook(lambda _m, _i, output: keep("shortcut", output))
    with torch.inference_mode():
        network(backbone.transform(picture)[None].to(memory_format=torch.channels_last))
    seen.setdefault("shortcut", seen["x"])
    return seen


def assert_is_sum_of(signal: Signal, values: Tensor) -> None:
    """Compare a summary with what it sums up, within a hundred-thousandth of the largest."""
    numbers = values.double().numpy()
    magnitude = np.abs(numbers).mean(axis=0)
    np.testing.assert_allclose(signal.magnitude, magnitude, rtol=1e-5, atol=1e-5 * magnitude.max())
    assert signal.magnitude.dtype == np.float32
    assert signal.norm == pytest.approx(np.sqrt((numbers**2).sum()), rel=1e-5)
    assert signal.mean_norm == pytest.approx(np.sqrt((numbers**2).sum(axis=0)).mean(), rel=1e-5)


def logits(backbone: Backbone, picture: Image.Image) -> Tensor:
    return backbone.run([picture]).logits[0]


def run_network(backbone: Backbone, network: nn.Module, picture: Image.Image) -> Tensor:
    """Return the logits (K,) that an altered copy of a backbone's network gives."""
    with torch.inference_mode():
        answers: Tensor = network(backbone.transform(picture)[None].to(memory_format=torch.channels_last))
    return answers[0]


def assert_close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def where(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def test_the_blocks_of_the_embedded_network_keep_their_shape(embedded: Backbone) -> None:
    blocks = list_blocks(embedded)
    assert [block.name for block in blocks] == EMBEDDED_BLOCKS
    assert {block.kind for block in blocks} == {BlockKind.INVERTED}
    assert not any(block.has_projection or block.ends_in_relu for block in blocks)
    assert all(block.input_shape == block.output_shape for block in blocks)
    assert blocks[1] == Block(
        "blocks.2.1",
        BlockKind.INVERTED,
        (40, 28, 28),
        (
            Layer("1×1 conv", (240, 28, 28)),
            Layer("BN + ReLU6", (240, 28, 28)),
            Layer("5×5 depthwise conv", (240, 28, 28)),
            Layer("BN + ReLU6", (240, 28, 28)),
            Layer("1×1 conv", (40, 28, 28)),
            Layer("BN", (40, 28, 28)),
        ),
        (),
    )


def test_a_bottleneck_narrows_and_its_projection_strides(networks: dict[str, Backbone]) -> None:
    blocks = {block.name: block for block in list_blocks(networks["resnet50"])}
    assert len(blocks) == 3 + 4 + 6 + 3
    assert [name for name, block in blocks.items() if block.has_projection] == [
        f"layer{each}.0" for each in (1, 2, 3, 4)
    ]
    assert {block.kind for block in blocks.values()} == {BlockKind.BOTTLENECK}
    strides = blocks["layer2.0"]
    assert strides.input_shape == (256, 56, 56)
    assert [(layer.description, layer.shape) for layer in strides.layers] == [
        ("1×1 conv", (128, 56, 56)),
        ("BN", (128, 56, 56)),
        ("ReLU", (128, 56, 56)),
        ("3×3 conv, stride 2", (128, 28, 28)),
        ("BN", (128, 28, 28)),
        ("ReLU", (128, 28, 28)),
        ("1×1 conv", (512, 28, 28)),
        ("BN", (512, 28, 28)),
    ]
    assert strides.projection == (Layer("1×1 conv, stride 2", (512, 28, 28)), Layer("BN", (512, 28, 28)))
    assert strides.ends_in_relu


def test_a_basic_block_has_two_convolutions(resnet: Backbone) -> None:
    blocks = list_blocks(resnet)
    assert [block.name for block in blocks] == RESNET18_BLOCKS
    assert {block.kind for block in blocks} == {BlockKind.BASIC}
    assert [layer.description for layer in blocks[0].layers] == ["3×3 conv", "BN", "ReLU", "3×3 conv", "BN"]
    assert [block.name for block in blocks if block.has_projection] == ["layer2.0", "layer3.0", "layer4.0"]


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "inception_v3", "densenet121"])
def test_networks_that_add_no_shortcut_have_no_block(name: str) -> None:
    spec = ZOO[name]
    backbone = Backbone(spec, spec.build().eval().requires_grad_(False), torch.device("cpu"), is_private=True)
    assert list_blocks(backbone) == ()
    with pytest.raises(UnknownBlock, match=spec.display_name.replace("(", r"\(").replace(")", r"\)")):
        switch_off(backbone, blocks=["features.0"])


def test_the_shapes_are_those_that_flow(case: tuple[Backbone, str], cat: Image.Image) -> None:
    backbone, name = case
    block = {each.name: each for each in list_blocks(backbone)}[name]
    seen = hook(backbone, name, cat)
    assert block.input_shape == seen["x"].shape
    assert block.output_shape == seen["residual"].shape == seen["output"].shape


def test_x_and_what_the_block_adds_make_its_output(case: tuple[Backbone, str], cat: Image.Image) -> None:
    backbone, name = case
    seen = hook(backbone, name, cat)
    total = seen["shortcut"] + seen["residual"]
    assert_close(seen["output"], functional.relu(total) if backbone.spec.library == "torchvision" else total)
    view = view_block(backbone, name, cat)
    assert view.name == name
    for place, values in (seen | {"total": total}).items():
        assert_is_sum_of(getattr(view, place), values)
    assert view.ratio == pytest.approx(float(seen["residual"].norm() / seen["shortcut"].norm()), rel=1e-4)
    assert seen["residual"].abs().max() > 0


def test_without_anything_to_add_to_the_ratio_is_infinite() -> None:
    nothing, something = (Signal(np.zeros((1, 1), np.float32), norm, norm) for norm in (0.0, 2.0))
    assert BlockView("b", nothing, nothing, something, something, something).ratio == float("inf")
    assert BlockView("b", something, something, nothing, something, something).ratio == 0


@pytest.mark.parametrize("name", [EMBEDDED, "resnet18"])
def test_with_nothing_switched_off_all_is_the_same(networks: dict[str, Backbone], name: str, cat: Image.Image) -> None:
    view = switch_off(networks[name])
    expected, found = networks[name].run([cat]), view.run([cat])
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.features, expected.features)
    assert all(torch.equal(found.stages[label], expected.stages[label]) for label in StageLabel)
    assert predict(view, cat).top[0].class_idx == int(expected.logits.argmax())


@pytest.mark.parametrize(
    ("name", "stage", "number"), [("resnet18", "layer1", 1), ("resnet50", "layer3", 2), (EMBEDDED, "blocks.3", 1)]
)
def test_a_block_that_is_off_is_as_if_it_were_not_there(
    networks: dict[str, Backbone], name: str, stage: str, number: int, cat: Image.Image
) -> None:
    backbone = networks[name]
    network = copy.deepcopy(backbone.network)
    del network.get_submodule(stage)[number]  # type: ignore[operator]
    expected = run_network(backbone, network, cat)
    assert_close(logits(switch_off(backbone, blocks=[f"{stage}.{number}"]), cat), expected)
    assert not torch.allclose(expected, logits(backbone, cat), rtol=1e-2)


def test_a_block_that_is_off_adds_nothing(case: tuple[Backbone, str], cat: Image.Image) -> None:
    """Where shapes change the projection is left, and the ReLU after it."""
    backbone, name = case
    network = copy.deepcopy(backbone.network)
    norm = last_norm(network, name)
    norm.weight.zero_()
    norm.bias.zero_()
    assert_close(logits(switch_off(backbone, blocks=[name]), cat), run_network(backbone, network, cat))


class Plain(nn.Module):
    """A block of a ResNet as a plain network would have it."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        x = self.block.bn2(self.block.conv2(functional.relu(self.block.bn1(self.block.conv1(x)))))
        if hasattr(self.block, "conv3"):
            x = self.block.bn3(self.block.conv3(functional.relu(x)))
        return functional.relu(x)


def plain(block: nn.Module) -> nn.Module:
    return Plain(block) if hasattr(block, "relu") else nn.Sequential(*block.children())


def test_without_its_shortcut_a_block_is_that_of_a_plain_network(case: tuple[Backbone, str], cat: Image.Image) -> None:
    backbone, name = case
    network = copy.deepcopy(backbone.network)
    parent, _, number = name.rpartition(".")
    setattr(network.get_submodule(parent), number, plain(network.get_submodule(name)))
    found = logits(switch_off(backbone, shortcuts=[name]), cat)
    assert_close(found, run_network(backbone, network, cat))
    assert not torch.allclose(found, logits(backbone, cat), rtol=1e-2)


def test_several_are_off_at_once(resnet: Backbone, cat: Image.Image) -> None:
    network: Any = copy.deepcopy(resnet.network)
    network.layer3[1] = Plain(network.layer3[1])
    network.layer4[0] = Plain(network.layer4[0])
    del network.layer1[:]
    view = switch_off(resnet, shortcuts={"layer3.1", "layer4.0"}, blocks=("layer1.1", "layer1.0"))
    assert_close(logits(view, cat), run_network(resnet, network, cat))
    assert view.run([cat]).stages[StageLabel.LOW].shape == (1, 64, 56, 56)  # the stage is there, though empty


@pytest.mark.parametrize(
    ("name", "block"), [("resnet18", "layer1.1"), ("resnet18", "layer3.0"), (EMBEDDED, "blocks.4.2")]
)
def test_nothing_leads_through_a_block_without_layers_and_shortcut(
    networks: dict[str, Backbone], name: str, block: str, cat: Image.Image
) -> None:
    view = switch_off(networks[name], shortcuts=[block], blocks=[block])
    assert_close(logits(view, noise(2)), logits(view, cat))
    assert not torch.allclose(logits(networks[name], noise(2)), logits(networks[name], cat), rtol=1e-2)


@pytest.mark.parametrize("name", [EMBEDDED, "resnet18"])
def test_all_shortcuts_and_all_blocks_can_be_off(networks: dict[str, Backbone], name: str, cat: Image.Image) -> None:
    backbone = networks[name]
    names = [block.name for block in list_blocks(backbone)]
    views = [switch_off(backbone, shortcuts=names), switch_off(backbone, blocks=names)]
    assert all(torch.isfinite(logits(view, cat)).all() for view in views)
    assert [list_blocks(view) for view in views] == [(), ()]


def test_what_is_off_is_no_block_of_the_view(resnet: Backbone, cat: Image.Image) -> None:
    view = switch_off(resnet, shortcuts=["layer1.0", "layer2.0"], blocks=["layer1.1", "layer3.0"])
    left = [name for name in RESNET18_BLOCKS if name not in ("layer1.0", "layer2.0", "layer1.1", "layer3.0")]
    assert [block.name for block in list_blocks(view)] == left
    assert_is_sum_of(view_block(view, "layer2.1", cat).residual, hook(view, "layer2.1", cat)["residual"])
    with pytest.raises(UnknownBlock, match=r"layer2\.0"):
        switch_off(view, blocks=["layer2.0"])
    both = switch_off(switch_off(resnet, blocks=["layer1.1"]), shortcuts=["layer4.1"])
    assert torch.equal(logits(both, cat), logits(switch_off(resnet, blocks=["layer1.1"], shortcuts=["layer4.1"]), cat))


@pytest.mark.parametrize("name", ["", "blocks.1.0", "blocks", "layer1.0", "blocks.3.1.conv_pw"])
@pytest.mark.parametrize(
    "use",
    [
        lambda backbone, name, picture: view_block(backbone, name, picture),
        lambda backbone, name, _: switch_off(backbone, shortcuts=["blocks.3.1", name]),
        lambda backbone, name, _: switch_off(backbone, blocks={name}),
    ],
    ids=["view_block", "shortcuts", "blocks"],
)
def test_an_unknown_block_is_answered_with_the_known_ones(
    embedded: Backbone, name: str, use: Callable[..., Any], cat: Image.Image
) -> None:
    with pytest.raises(UnknownBlock) as raised:
        use(embedded, name, cat)
    assert isinstance(raised.value, OptionError)
    assert all(each in str(raised.value) for each in (*EMBEDDED_BLOCKS, f'"{name}"', "EfficientNet-Lite0"))


def test_without_a_block_a_cat_stays_one_and_without_a_shortcut_it_does_not(
    embedded: Backbone, cat: Image.Image
) -> None:
    """Veit et al. 2016: each shortcut is a way around its block, but nothing is a way around a missing shortcut."""
    best = int(logits(embedded, cat).argmax())

    def rank(view: Backbone) -> int:
        answers = logits(view, cat)
        return int((answers > answers[best]).sum()) + 1

    assert max(rank(switch_off(embedded, blocks=[name])) for name in EMBEDDED_BLOCKS) <= 2
    assert min(rank(switch_off(embedded, shortcuts=[name])) for name in EMBEDDED_BLOCKS) > 5


def test_a_view_shares_the_memory_of_the_network_and_none_of_its_modules(embedded: Backbone) -> None:
    view = switch_off(embedded, shortcuts=["blocks.1.1"], blocks=["blocks.5.2"])
    assert view.is_private
    shared, own = embedded.network.state_dict(), view.network.state_dict()
    assert own.keys() == {name for name in shared if not name.startswith("blocks.5.2.")}
    assert [name for name in own if where(own[name]) != where(shared[name])] == []
    assert not set(view.network.modules()) & set(embedded.network.modules())


def test_a_view_is_gone_when_nobody_holds_it(embedded: Backbone, cat: Image.Image) -> None:
    view = switch_off(embedded, shortcuts=["blocks.1.1"])
    predict(view, cat)
    assert list_blocks(view)
    view_block(view, "blocks.2.1", cat)
    gone = weakref.ref(view), weakref.ref(view.network)
    del view
    gc.collect()  # an opened network refers to itself
    assert [each() for each in gone] == [None, None]


def tuned_head(backbone: Backbone) -> Head:
    """Return a head whose training, let us say, changed a block."""
    tuned = {
        name: (tensor * 1.5).contiguous()
        for name, tensor in backbone.network.state_dict().items()
        if name.startswith("blocks.5.3.") and tensor.is_floating_point()
    }
    return Head(nn.Linear(1280, 2), ("a", "b"), backbone.spec.name, summary(), tuned)


def test_the_private_network_of_a_head_has_blocks_and_views_too(embedded: Backbone, cat: Image.Image) -> None:
    head = tuned_head(embedded)
    private = embedded.for_head(head)
    assert list_blocks(private) == list_blocks(embedded)
    assert_is_sum_of(view_block(private, "blocks.5.3", cat).residual, hook(private, "blocks.5.3", cat)["residual"])
    assert view_block(private, "blocks.5.3", cat).ratio != view_block(embedded, "blocks.5.3", cat).ratio
    view = switch_off(private, shortcuts=["blocks.2.1"])
    own, theirs = view.network.state_dict(), private.network.state_dict()
    assert [name for name in theirs if where(own[name]) != where(theirs[name])] == []
    assert all(torch.equal(own[name], tensor) for name, tensor in head.tuned.items())
    without = [switch_off(each, blocks=["blocks.5.3"]) for each in (private, embedded)]
    assert torch.equal(*(logits(each, cat) for each in without))  # the block was all that differed


def fail(backbone: Backbone, picture: Image.Image) -> None:
    """Do all that goes wrong: in the choice, in the network, and in what is read."""
    for broken in (lambda: view_block(backbone, "none", picture), lambda: switch_off(backbone, blocks=["none"])):
        with pytest.raises(DemoError):
            broken()
    with pytest.raises(RuntimeError):
        switch_off(backbone, blocks=["blocks.1.1"]).run_transformed(torch.zeros(1, 4, 224, 224))
    good = [encode(each) for each in PICTURES[:2]]
    with pytest.raises(ImageError):
        list(measure_without(backbone, dataset(*good, b"bad", b"bad"), linear_head(), Settings()))


def test_all_this_leaves_the_shared_network_as_it_was(embedded: Backbone, cat: Image.Image) -> None:
    tensors = embedded.network.state_dict(keep_vars=True)
    before, places = copy.deepcopy(dict(tensors)), {name: id(tensor) for name, tensor in tensors.items()}
    modules = list(embedded.network.modules())
    batch = embedded.transform(cat)[None]
    answers = [embedded.run([cat]).logits, embedded.features(batch)]
    for name in EMBEDDED_BLOCKS[::3]:
        view_block(embedded, name, cat)
        predict(switch_off(embedded, shortcuts=[name]), cat)
        switch_off(embedded, blocks=[name]).network.train().requires_grad_(True)
    list_blocks(switch_off(embedded))
    fail(embedded, cat)
    after = embedded.network.state_dict(keep_vars=True)
    assert {name: id(tensor) for name, tensor in after.items()} == places
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert {tensor.device.type for tensor in after.values()} == {"cpu"}
    assert list(embedded.network.modules()) == modules
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)
    again = [embedded.run([cat]).logits, embedded.features(batch)]
    assert [torch.equal(*each) for each in zip(answers, again, strict=True)] == [True, True]


@dataclass(frozen=True, eq=False)
class Visit:
    """What a visitor sees: one block, and the logits of a view of the visitor's own."""

    view: BlockView
    logits: Tensor


@pytest.mark.slow
def test_eight_visitors_at_once_each_get_their_own(embedded: Backbone) -> None:
    choices = list(
        zip(EMBEDDED_BLOCKS, PICTURES, [switch_off(embedded, blocks=[each]) for each in EMBEDDED_BLOCKS], strict=False)
    )
    assert len(choices) == 8
    start = threading.Barrier(8, timeout=120)

    def visit(name: str, picture: Image.Image, view: Backbone) -> Visit:
        return Visit(view_block(embedded, name, picture), logits(view, picture))

    def visit_with_others(*choice: Any) -> Visit:
        start.wait()
        return visit(*choice)

    alone = [visit(*choice) for choice in choices]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(visit_with_others, *zip(*choices, strict=True)))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(other.logits, one.logits, rtol=1e-4, atol=1e-4)
        assert other.view.name == one.view.name
        for place in ("x", "residual", "output"):
            expected = getattr(one.view, place).magnitude
            np.testing.assert_allclose(
                getattr(other.view, place).magnitude, expected, rtol=1e-3, atol=1e-4 * expected.max()
            )
    assert not torch.allclose(alone[0].logits, alone[1].logits, rtol=1e-1)


def linear_head() -> Head:
    module = build_head(1280, 2, generator=torch.Generator().manual_seed(1)).eval().requires_grad_(False)
    return Head(module, ("even", "odd"), EMBEDDED, summary())


@pytest.mark.parametrize("off", [{}, {"blocks": EMBEDDED_BLOCKS}, {"shortcuts": ["blocks.3.1"]}], ids=str)
def test_accuracy_is_measured_again_on_the_validation_pictures(embedded: Backbone, off: dict[str, Any]) -> None:
    pictures = [PICTURES[0], *PICTURES[:2]]
    view, head = switch_off(embedded, **off), linear_head()
    steps = list(measure_without(view, dataset(*map(encode, pictures)), head, Settings()))
    found = steps.pop()
    assert steps == [FeatureProgress(0, 2), FeatureProgress(2, 2)]
    answers = head.logits(view.run(pictures[1:]).features).argmax(dim=1)
    expected = int((answers == torch.tensor([1, 0])).sum())  # the class of a picture is its place, even or odd
    assert isinstance(found, Accuracy)
    assert (found.correct, found.count) == (expected, 2)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_a_measurement_can_be_left(embedded: Backbone) -> None:
    measuring = measure_without(embedded, dataset(*map(encode, PICTURES)), linear_head(), Settings())
    assert next(measuring) == FeatureProgress(0, 2)
    measuring.close()


def test_without_a_shortcut_the_answer_to_coffee_ends_and_without_a_block_it_stays(embedded: Backbone) -> None:
    coffee = read_example(find_example("coffee"), Settings())
    whole = predict(embedded, coffee).top[0]
    for name in EMBEDDED_BLOCKS:
        trial = try_block(embedded, name, coffee)
        assert trial.whole.class_name == whole.class_name == "espresso"
        assert trial.whole.probability == pytest.approx(whole.probability, abs=1e-5)
        assert abs(trial.block_off.probability - whole.probability) < 0.05
        assert trial.shortcut_off.probability < 0.05
        assert trial.difference > 0.8
        assert trial.shortcut_off.best.probability >= trial.shortcut_off.probability


@pytest.mark.parametrize("head", [None, linear_head()], ids=["imagenet", "own"])
def test_a_trial_asks_the_views_that_switch_off_gives(embedded: Backbone, cat: Image.Image, head: Head | None) -> None:
    trial = try_block(embedded, "blocks.4.1", cat, head=head)
    views = (switch_off(embedded, blocks=["blocks.4.1"]), switch_off(embedded, shortcuts=["blocks.4.1"]))
    for answer, view in zip((trial.block_off, trial.shortcut_off), views, strict=True):
        top = predict(view, cat, head=head).top[0]
        assert (answer.best.class_idx, answer.best.class_name) == (top.class_idx, top.class_name)
        assert answer.best.probability == pytest.approx(top.probability, abs=1e-6)
    with pytest.raises(UnknownBlock):
        try_block(embedded, "blocks.0.0", cat)
