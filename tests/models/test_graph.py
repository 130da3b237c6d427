"""A network that is opened, cut and copied: its parts compute what it does, and nobody changes it."""

import copy
import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import torch
from PIL import Image
from torch import Tensor, fx, nn

from demo.models.backbone import Backbone, load_backbone
from demo.models.batching import set_num_threads
from demo.models.graph import FEATURES, LOGITS, copy_sharing_memory, cut_graph, end_of, open_graph, replace_module
from demo.models.head import Head
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec, StageLabel
from tests.models.test_backbone import assert_frozen, hooks
from tests.networks import summary
from tests.pictures import noise

SIDE_PX = 96  # the smallest that leaves Inception's last stage a cell
HIGH = "bn2"  # the last layer of the embedded network before it pools


@dataclass(frozen=True, eq=False)
class Opened:
    """A row's network with random weights, as it was before it was opened, and what comes out of it."""

    spec: BackboneSpec
    network: nn.Module
    before: dict[str, Tensor]
    graph: fx.GraphModule
    batch: Tensor
    outputs: dict[str, Tensor]


FAMILIES = [name for name in ZOO if name not in ("resnet34", "resnet101", "resnet152")]  # they have the same blocks


@pytest.fixture(scope="module", params=FAMILIES)
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    spec = ZOO[request.param]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = spec.build().eval().requires_grad_(False)
    before = copy.deepcopy(dict(network.state_dict()))
    batch = torch.randn((2, 3, SIDE_PX, SIDE_PX), generator=torch.Generator().manual_seed(0))
    with set_num_threads(1):
        graph = open_graph(network, spec)
        yield Opened(spec, network, before, graph, batch, graph(batch))


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert list(first) == list(second)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def assert_as_before(opened: Opened) -> None:
    assert_same(opened.network.state_dict(), opened.before)
    assert hooks(opened.network) == []
    assert_frozen(opened.network)


def where(tensor: Tensor) -> int:
    """Return where the numbers of a tensor lie."""
    return tensor.untyped_storage().data_ptr()


def small_network() -> nn.Sequential:
    """Return a network with buffers, and with a layer that stands in it twice."""
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.BatchNorm1d(4), nn.Sequential(nn.ReLU(), layer)).eval()


@pytest.mark.parametrize("start", StageLabel)
def test_a_part_from_a_stage_gives_the_features_and_logits_of_the_network(opened: Opened, start: StageLabel) -> None:
    activation = opened.outputs[end_of(start)]
    for end in (FEATURES, LOGITS):
        assert torch.equal(cut_graph(opened.graph, start, end)(activation), opened.outputs[end])
    turned = cut_graph(opened.graph, start)(activation.flip(0))
    assert torch.equal(turned, opened.outputs[FEATURES].flip(0))
    assert not torch.equal(turned, opened.outputs[FEATURES])


@pytest.mark.parametrize("label", StageLabel)
def test_a_part_from_the_picture_gives_a_stage(opened: Opened, label: StageLabel) -> None:
    for end in (label.value, end_of(label)):
        assert torch.equal(cut_graph(opened.graph, None, end)(opened.batch), opened.outputs[end])


def test_a_part_between_two_stages_gives_the_second(opened: Opened) -> None:
    for end in (StageLabel.MIDDLE.value, end_of(StageLabel.MIDDLE)):
        part = cut_graph(opened.graph, StageLabel.LOW, end)
        assert torch.equal(part(opened.outputs[end_of(StageLabel.LOW)]), opened.outputs[end])


def test_two_parts_share_out_the_tensors_of_the_network(opened: Opened) -> None:
    """So that tensors trained in a part are found again in the network, by their names."""
    lower = cut_graph(opened.graph, None, end_of(StageLabel.MIDDLE)).state_dict()
    upper = cut_graph(opened.graph, StageLabel.MIDDLE, LOGITS).state_dict()
    assert lower
    assert upper
    assert not lower.keys() & upper.keys()
    assert lower.keys() | upper.keys() == opened.before.keys()
    assert cut_graph(opened.graph, StageLabel.MIDDLE).state_dict().keys() < upper.keys()


def test_a_part_calls_the_modules_of_the_network(opened: Opened) -> None:
    part = cut_graph(opened.graph, StageLabel.MIDDLE)
    theirs = [name for name, module in opened.network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    ours = [name for name, module in part.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert ours
    assert set(ours) < set(theirs)
    assert all(part.get_submodule(name) is opened.network.get_submodule(name) for name in ours)


def test_cutting_leaves_the_opened_network_as_it_was(opened: Opened) -> None:
    code, names = opened.graph.code, list(opened.graph.state_dict())
    for start in (None, *StageLabel):
        cut_graph(opened.graph, start)
    assert (opened.graph.code, list(opened.graph.state_dict())) == (code, names)
    assert_same(opened.graph(opened.batch), opened.outputs)


def test_opening_cutting_and_copying_leave_the_network_as_it_was(opened: Opened) -> None:
    """The counters of its batch norms included: tracing once counted a batch."""
    assert_as_before(opened)
    cut_graph(opened.graph, StageLabel.MIDDLE)(opened.outputs[end_of(StageLabel.MIDDLE)])
    twin = copy_sharing_memory(opened.network)
    outputs = open_graph(twin, opened.spec)(opened.batch)
    twin.train().requires_grad_(True).register_forward_hook(lambda *_: None)
    assert_as_before(opened)
    assert_same(outputs, opened.outputs)


def test_a_copy_shares_the_memory_and_has_modules_of_its_own(opened: Opened) -> None:
    twin = copy_sharing_memory(opened.network)
    tensors, ours = opened.network.state_dict(), twin.state_dict()
    assert list(ours) == list(tensors)
    assert [name for name in tensors if where(ours[name]) != where(tensors[name])] == []
    modules, parameters = set(opened.network.modules()), set(opened.network.parameters())
    assert not modules & set(twin.modules())
    assert not parameters & set(twin.parameters())
    assert [type(module) for module in twin.modules()] == [type(module) for module in opened.network.modules()]


def test_what_is_written_into_a_copy_is_seen_and_what_is_replaced_is_not() -> None:
    network = small_network()
    before = copy.deepcopy(network.state_dict())
    twin = copy_sharing_memory(network)
    replace_module(twin, "1", nn.Identity())
    twin.get_submodule("0").weight = nn.Parameter(torch.zeros(4, 4))
    assert_same(network.state_dict(), before)
    other = copy_sharing_memory(network)
    with torch.no_grad():
        other.get_parameter("0.bias").fill_(7.0)
        other.get_buffer("1.running_mean").fill_(5.0)
    assert network.get_parameter("0.bias").tolist() == [7.0] * 4
    assert network.get_buffer("1.running_mean").tolist() == [5.0] * 4


def test_a_layer_that_stands_twice_in_a_network_does_so_in_its_copy() -> None:
    network = small_network()
    twin = copy_sharing_memory(network)
    assert twin.get_submodule("0") is twin.get_submodule("2.1")
    assert twin.get_submodule("0") is not network.get_submodule("0")
    batch = torch.randn((3, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(twin(batch), network(batch))


def test_a_copy_has_no_gradients_and_gives_none_back() -> None:
    network = small_network()
    network(torch.ones(2, 4)).sum().backward()
    gradient = network.get_parameter("0.weight").grad
    assert gradient is not None
    kept = gradient.clone()
    twin = copy_sharing_memory(network)
    assert [parameter.requires_grad for parameter in twin.parameters()] == [False] * 4
    assert all(parameter.grad is None for parameter in twin.parameters())
    twin.requires_grad_(True)(torch.ones(2, 4)).sum().backward()
    assert twin.get_parameter("0.weight").grad is not None
    assert torch.equal(gradient, kept)


@pytest.mark.parametrize("name", ["0", "2", "2.1"])
def test_a_module_is_replaced_by_its_name(name: str) -> None:
    network = small_network()
    others = {each: module for each, module in network.named_modules(remove_duplicate=False) if each != name}
    new = nn.Identity()
    replace_module(network, name, new)
    assert network.get_submodule(name) is new
    for each, module in others.items():
        if not each.startswith(f"{name}."):
            assert network.get_submodule(each) is module


def test_a_module_in_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute"):
        replace_module(small_network(), "5.1", nn.Identity())


def tuned_head(backbone: Backbone, *, scale: float = 1.5, beginnings: tuple[str, ...] = ("conv_head.", HIGH)) -> Head:
    """Return a head whose training, let us say, scaled the last layers of the network."""
    tensors = backbone.network.state_dict()
    names = [name for name in tensors if name.startswith(beginnings) and tensors[name].is_floating_point()]
    tuned = {name: (tensors[name] * scale).contiguous() for name in names}
    return Head(nn.Linear(1280, 2), ("a", "b"), backbone.spec.name, summary(), tuned)


def test_a_head_without_layers_of_its_own_belongs_to_the_shared_network(embedded: Backbone) -> None:
    assert embedded.for_head(None) is embedded
    assert embedded.for_head(Head(nn.Linear(1280, 2), ("a", "b"), EMBEDDED, summary())) is embedded


def test_a_private_network_shares_all_but_the_layers_of_its_head(embedded: Backbone) -> None:
    head = tuned_head(embedded, beginnings=("blocks.6.", "conv_head.", HIGH))
    private = embedded.for_head(head)
    assert private.is_private
    assert not embedded.is_private
    shared, own = embedded.network.state_dict(), private.network.state_dict()
    assert list(own) == list(shared)
    assert {name for name in shared if where(own[name]) != where(shared[name])} == set(head.tuned)
    for name, tensor in head.tuned.items():
        assert torch.equal(own[name], tensor)
    assert_frozen(private.network)
    assert hooks(private.network) == []


def test_a_private_network_computes_with_the_layers_of_its_head(embedded: Backbone, cat: Image.Image) -> None:
    head = tuned_head(embedded)
    network = copy.deepcopy(embedded.network)
    network.load_state_dict({**embedded.network.state_dict(), **head.tuned})
    batch = embedded.transform(cat)[None]  # (1, 3, 224, 224)
    private = embedded.for_head(head)
    torch.testing.assert_close(private.run([cat]).logits, network(batch), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(private.answer(batch).logits, network(batch), rtol=1e-5, atol=1e-5)
    assert torch.equal(private.run([cat]).stages[StageLabel.MIDDLE], embedded.run([cat]).stages[StageLabel.MIDDLE])
    assert not torch.allclose(private.run([cat]).features, embedded.run([cat]).features, rtol=0.1)


def test_a_private_network_leaves_the_shared_one_as_it_was(embedded: Backbone, cat: Image.Image) -> None:
    batch = torch.stack([embedded.transform(picture) for picture in (cat, noise(1))])
    before = copy.deepcopy(dict(embedded.network.state_dict()))
    first = [embedded.features(batch), *embedded.run([cat])[1:], *embedded.answer(batch[:1])]
    private = embedded.for_head(tuned_head(embedded, beginnings=("blocks.", "conv_head.", HIGH)))
    private.run([cat])
    private.answer(batch)
    second = [embedded.features(batch), *embedded.run([cat])[1:], *embedded.answer(batch[:1])]
    assert [torch.equal(*each) for each in zip(first, second, strict=True)] == [True] * 5
    assert_same(embedded.network.state_dict(), before)
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)


def test_a_private_network_is_opened_once_for_all_who_ask(embedded: Backbone) -> None:
    head, start = tuned_head(embedded), threading.Barrier(4, timeout=120)

    def ask() -> Backbone:
        start.wait()
        return embedded.for_head(head)

    with ThreadPoolExecutor(4) as pool:
        found = [each.result() for each in [pool.submit(ask) for _ in range(4)]]
    assert all(each is embedded.for_head(head) for each in found)
    assert embedded.for_head(tuned_head(embedded)) is not found[0]


def test_a_private_network_is_gone_with_its_head(embedded: Backbone) -> None:
    heads = [tuned_head(embedded) for _ in range(2)]
    gone, stays = (weakref.ref(embedded.for_head(head)) for head in heads)
    tensor = weakref.ref(heads[0].tuned["conv_head.weight"])
    gc.collect()
    assert gone() is not None  # as long as the head is there
    del heads[0]
    gc.collect()  # an opened network refers to itself
    assert gone() is None
    assert tensor() is None
    assert stays() is embedded.for_head(heads[0])


def test_the_networks_of_its_heads_do_not_keep_a_backbone() -> None:
    backbone = load_backbone(ZOO[EMBEDDED])
    head = tuned_head(backbone)
    backbone.for_head(head)
    gone = weakref.ref(backbone)
    del backbone
    gc.collect()
    assert gone() is None
    assert head.tuned


def test_a_network_answers_while_others_are_traced(embedded: Backbone, cat: Image.Image) -> None:
    """Of torch's own tracer, two at once or one beside a network that runs, both go wrong."""
    batch = embedded.transform(cat)[None]
    expected = embedded.run_transformed(batch).logits

    def trace() -> None:
        for _ in range(3):
            open_graph(copy_sharing_memory(embedded.network), embedded.spec)

    with ThreadPoolExecutor() as pool:
        tracers = [pool.submit(trace) for _ in range(2)]
        answers = [embedded.run_transformed(batch).logits]
        while not all(each.done() for each in tracers):
            answers.append(embedded.run_transformed(batch).logits)
        for each in tracers:
            each.result()
    for logits in answers:
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
