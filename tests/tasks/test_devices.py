"""What a network computes, it computes on its device, and gives what the CPU gives.

Where there is no GPU a device that is none stands in: `tests/second_device.py`.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.optim.optimizer import register_optimizer_step_post_hook

from demo.data.dataset import Dataset, read_dataset
from demo.models.backbone import Backbone, load_backbone
from demo.models.head import seeded_dropout
from demo.models.recipe import HeadConfig, Recipe, Trains, lesson_recipe
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.activations import capture_resolutions, capture_stages
from demo.tasks.ascent import ascend
from demo.tasks.blocks import list_blocks
from demo.tasks.cam import ClassMaps, map_stages
from demo.tasks.erase import map_untrained
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.kernels import show_kernels
from demo.tasks.moves import Move, move_picture
from demo.tasks.race import Contender, Finish, race
from demo.tasks.residual import switch_off, view_block
from tests.pictures import encode, noise, write_zip
from tests.second_device import NAME, calls, open_second_device

PICTURE = noise(3, (250, 240))


@pytest.fixture(scope="module", params=[NAME, pytest.param("cuda", marks=pytest.mark.gpu)])
def elsewhere(request: pytest.FixtureRequest) -> Backbone:
    """The embedded network on another device than the CPU."""
    if request.param == NAME:
        open_second_device()
    elif not torch.cuda.is_available():
        pytest.skip("no GPU here")
    return load_backbone(ZOO[EMBEDDED], request.param)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Dataset:
    """Dark and bright noise; plain colours would leave norms that learn nothing but rounding to divide by."""
    files = {
        f"{name}/{number}.png": encode(
            noise(number + added, (48, 40)).point(lambda level, added=added: level // 4 + added)
        )
        for name, added in (("dark", 0), ("bright", 192))
        for number in range(6)
    }
    return read_dataset(write_zip(tmp_path_factory.mktemp("devices") / "noise.zip", files), settings)


@contextmanager
def watching_steps() -> Iterator[list[str]]:
    """Give the device of each step of each optimizer, as they are made."""
    devices: list[str] = []

    def note(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        devices.extend({each.device.type for group in optimizer.param_groups for each in group["params"]})

    handle = register_optimizer_step_post_hook(note)
    try:
        yield devices
    finally:
        handle.remove()


def assert_alike(found: NDArray[Any], expected: NDArray[Any], *, tolerance: float) -> None:
    """Compare with the CPU's numbers, but for their rounding."""
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * float(np.abs(expected).max()))


def tolerance_of(backbone: Backbone) -> float:
    """Return what rounding may make of a number: a GPU adds up in another order, and its convolutions round more."""
    return 1e-5 if backbone.device.type == NAME else 0.02


@pytest.mark.parametrize(
    "recipe",
    [
        lesson_recipe(Trains.LAST_STAGE, epochs=1),
        pytest.param(
            replace(lesson_recipe(Trains.LAST_STAGE, epochs=2), head=HeadConfig(1, 16, 0.5), patience=1),
            marks=pytest.mark.slow,
        ),
        pytest.param(lesson_recipe(Trains.EVERYTHING, epochs=1), marks=pytest.mark.slow),
    ],
    ids=["last stage", "dropout and early stopping", "everything"],
)
def test_deeper_layers_are_trained_on_the_networks_device(
    embedded: Backbone, elsewhere: Backbone, dataset: Dataset, settings: Settings, recipe: Recipe
) -> None:
    with watching_steps() as devices:
        *_, found = fine_tune(elsewhere, dataset, recipe, settings)
    assert isinstance(found, FineTuned)
    assert set(devices) == {elsewhere.device.type}
    *_, expected = fine_tune(embedded, dataset, recipe, settings)
    assert isinstance(expected, FineTuned)
    # Norms that learn from four plain pictures enlarge what is rounded.
    tolerance = max(tolerance_of(elsewhere), 0.02 if recipe.trains is Trains.EVERYTHING else 0)
    tensors, wanted = ({**each.head.module.state_dict(), **each.head.tuned} for each in (found, expected))
    assert {tensor.device.type for tensor in tensors.values()} == {"cpu"}
    assert list(tensors) == list(wanted)
    for name, tensor in tensors.items():
        assert_alike(tensor.numpy(), wanted[name].numpy(), tolerance=tolerance)
    assert_alike(found.features.values, expected.features.values, tolerance=10 * tolerance)
    assert elsewhere.for_head(found.head).device == elsewhere.device


@pytest.mark.slow
def test_all_contenders_of_a_race_are_trained_on_the_networks_device(
    elsewhere: Backbone, dataset: Dataset, settings: Settings
) -> None:
    """Else their seconds could not be compared."""
    devices = dict[Contender, set[str]]()
    with watching_steps() as steps:
        for step in race(elsewhere, dataset, replace(settings, race_s=0.0)):
            if isinstance(step, Finish):
                devices[step.contender] = set(steps)
                steps.clear()
    assert devices == {each: {elsewhere.device.type} for each in Contender}


def test_the_same_activations_are_dropped_on_each_device(elsewhere: Backbone) -> None:
    activation = torch.ones(4, 16)
    first, second = (
        seeded_dropout(0.5, torch.Generator().manual_seed(1))(activation.to(device)).cpu()
        for device in (torch.device("cpu"), elsewhere.device)
    )
    assert torch.equal(first, second)
    assert set(first.unique().tolist()) == {0, 2}


def read_maps(maps: ClassMaps) -> list[NDArray[Any]]:
    return [each.values for each in maps.maps]


def view_last_block(backbone: Backbone) -> list[NDArray[Any]]:
    view = view_block(backbone, list_blocks(backbone)[-1].name, PICTURE)
    return [view.residual.magnitude, view.total.magnitude, np.array([view.ratio])]


def answer_without_a_block(backbone: Backbone) -> list[NDArray[Any]]:
    blocks = [each.name for each in list_blocks(backbone)]
    crippled = switch_off(backbone, shortcuts=blocks[:1], blocks=blocks[1:2])
    return [crippled.features(backbone.transform(PICTURE)[None]).numpy()]


def climb(backbone: Backbone) -> list[NDArray[Any]]:
    steps = list(ascend(backbone, StageLabel.LOW, 0, side_px=64, num_steps=2))
    return [np.array([step.activation for step in steps])]


def turn(backbone: Backbone) -> list[NDArray[Any]]:
    curves = move_picture(backbone, PICTURE, Move.TURN, [0.0, 30.0])
    return [np.array([*curves.features, *(each for stage in curves.stages for each in stage.moved)])]


VIEWS: dict[str, Callable[[Backbone], list[NDArray[Any]]]] = {
    "stages": lambda backbone: [each.values for each in capture_stages(backbone, PICTURE).stages],
    "resolutions": lambda backbone: [each.values for each in capture_resolutions(backbone, PICTURE)],
    "class maps": lambda backbone: read_maps(map_stages(backbone, PICTURE, [1])),
    "random control": lambda backbone: read_maps(map_untrained(backbone, PICTURE, [1])),
    "ascent": climb,
    "kernels": lambda backbone: [show_kernels(backbone, PICTURE).maps],
    "moves": turn,
    "residual lab": view_last_block,
    "without a block": answer_without_a_block,
}


@pytest.mark.parametrize("name", VIEWS)
def test_looking_inside_is_computed_on_the_networks_device(embedded: Backbone, elsewhere: Backbone, name: str) -> None:
    before = calls["aten::convolution"]
    found = VIEWS[name](elsewhere)
    if elsewhere.device.type == NAME:
        assert calls["aten::convolution"] > before
    for ours, expected in itertools.zip_longest(found, VIEWS[name](embedded)):
        assert np.isfinite(ours).all()
        assert_alike(ours, expected, tolerance=tolerance_of(elsewhere))


def test_the_device_that_stands_in_refuses_what_a_gpu_refuses() -> None:
    device = open_second_device()
    tensor = torch.ones(3).to(device)
    assert math.isclose(float((tensor + 1).sum()), 6)
    with pytest.raises(RuntimeError, match="on the same device"):
        tensor + torch.ones(3)
    with pytest.raises(RuntimeError, match="a generator of cpu"):
        tensor.bernoulli_(0.5, generator=torch.Generator())
    with pytest.raises(TypeError, match="to host memory first"):
        tensor.numpy()
