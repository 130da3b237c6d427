"""The first layer: its maps are what a hook on a copy sees, and its tiles are its weights."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from demo.models.backbone import Backbone
from demo.models.graph import replace_module
from demo.models.untrained import sample_weights
from demo.models.zoo import EMBEDDED, ZOO
from demo.tasks.kernels import FirstLayer, show_kernels
from tests.models.test_backbone import PICTURES, assert_frozen, hooks
from tests.pictures import noise

# Name, number of kernels, their side, stride, and side of the maps.
FIRST_LAYERS = {
    "alexnet": ("features.0", 64, 11, 4, 55),
    "googlenet": ("conv1.conv", 64, 7, 2, 112),
    "inception_v3": ("Conv2d_1a_3x3.conv", 32, 3, 2, 149),
    "resnet18": ("conv1", 64, 7, 2, 112),
    "densenet121": ("features.conv0", 64, 7, 2, 112),
    EMBEDDED: ("conv_stem", 32, 3, 2, 112),
}


def drawn_anew(name: str) -> Backbone:
    """Return a network whose first convolution has seeded random weights, and all above it none that count."""
    with torch.device("meta"):
        network = ZOO[name].build()
    for path, each in list(network.named_modules()):
        if isinstance(each, nn.Linear):
            replace_module(network, path, nn.Identity())
    network.to_empty(device="cpu").eval().requires_grad_(False)
    first = network.get_submodule(FIRST_LAYERS[name][0])
    sample_weights(first, torch.Generator().manual_seed(1))
    return Backbone(ZOO[name], network, torch.device("cpu"), is_private=True)


@pytest.fixture(scope="module", params=FIRST_LAYERS)
def backbone(request: pytest.FixtureRequest, embedded: Backbone) -> Backbone:
    return embedded if request.param == EMBEDDED else drawn_anew(request.param)


@pytest.fixture(scope="module")
def first_layer(embedded: Backbone, cat: Image.Image) -> FirstLayer:
    return show_kernels(embedded, cat)


def hook(backbone: Backbone, name: str, picture: Image.Image) -> NDArray[np.float32]:
    """Return what a hook on a copy of a network sees at a module, (C, H, W)."""
    network, seen = copy.deepcopy(backbone.network), list[Tensor]()
    network.get_submodule(name).register_forward_hook(lambda _module, _inputs, output: seen.append(output.clone()))
    with torch.inference_mode():
        network(backbone.transform(picture)[None].to(memory_format=torch.channels_last))
    return seen[0][0].numpy()


def test_every_network_has_a_first_layer(backbone: Backbone, cat: Image.Image) -> None:
    layer = show_kernels(backbone, cat)
    name, num_kernels, kernel_px, stride, side = FIRST_LAYERS[backbone.spec.name]
    assert (layer.name, layer.kernel_px, layer.stride) == (name, kernel_px, stride)
    assert layer.maps.shape == (num_kernels, side, side)
    assert layer.maps.dtype == np.float32
    assert [(tile.mode, tile.size) for tile in layer.tiles] == [("RGB", (kernel_px, kernel_px))] * num_kernels
    assert layer.network_input.tobytes() == backbone.draw_input(cat).tobytes()


@pytest.mark.parametrize("name", [EMBEDDED, "googlenet", "resnet18"])
def test_the_maps_are_what_a_hook_on_a_copy_sees(name: str, embedded: Backbone, cat: Image.Image) -> None:
    backbone = embedded if name == EMBEDDED else drawn_anew(name)
    layer = show_kernels(backbone, cat)
    seen = hook(backbone, layer.name, cat)
    np.testing.assert_allclose(layer.maps, seen, rtol=1e-5, atol=1e-5 * np.abs(seen).max())
    assert layer.maps.min() < 0 < layer.maps.max()


def test_a_tile_is_its_kernel_around_grey(embedded: Backbone, first_layer: FirstLayer) -> None:
    for tile, kernel in zip(first_layer.tiles, embedded.network.state_dict()["conv_stem.weight"], strict=True):
        offsets = (np.asarray(tile, dtype=float) - 127.5) / 127.5  # (k, k, 3)
        expected = kernel.permute(1, 2, 0).numpy()
        np.testing.assert_allclose(offsets, expected / np.abs(expected).max(), atol=0.6 / 127.5)
        assert np.abs(offsets).max() == 1  # each on its own scale


def test_a_kernel_without_weights_is_grey(embedded: Backbone, cat: Image.Image) -> None:
    kernels = torch.zeros_like(embedded.network.state_dict()["conv_stem.weight"])
    layer = show_kernels(embedded.open_private({"conv_stem.weight": kernels}), cat)
    assert {tile.getextrema() for tile in layer.tiles} == {((128, 128),) * 3}
    assert not layer.maps.any()


def test_all_this_leaves_the_shared_network_as_it_was(embedded: Backbone) -> None:
    before = copy.deepcopy(embedded.network.state_dict())
    answers = embedded.run(PICTURES[:1]).logits
    show_kernels(embedded, noise(3))
    after = embedded.network.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)
    assert torch.equal(embedded.run(PICTURES[:1]).logits, answers)


def test_eight_visitors_at_once_each_get_their_own(embedded: Backbone) -> None:
    start = threading.Barrier(8, timeout=120)

    def visit(picture: Image.Image) -> FirstLayer:
        start.wait()
        return show_kernels(embedded, picture)

    alone = [show_kernels(embedded, picture) for picture in PICTURES]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(visit, PICTURES))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other.maps, one.maps, rtol=1e-4, atol=1e-4)
        assert other.network_input.tobytes() == one.network_input.tobytes()
    assert not np.allclose(alone[0].maps, alone[1].maps, rtol=1e-1, atol=1e-1)
