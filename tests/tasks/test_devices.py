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
from PIL import Image
from torch.optim.optimizer import register_optimizer_step_post_hook

from demo.data.dataset import Dataset, read_dataset
from demo.models.backbone import Backbone, load_backbone
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
from demo.tasks.race import Finish, RacePoint, race
from demo.tasks.residual import switch_off, view_block
from tests.pictures import MakeZip, colour_folders, noise
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
    from tests.pictures import write_zip

    return read_dataset(write_zip(tmp_path_factory.mktemp("devices") / "colours.zip", colour_folders(6)), settings)


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


def assert_alike(found: NDArray[Any], expected: NDArray[Any], backbone: Backbone) -> None:
    """Compare with the CPU's numbers; a GPU adds up in another order, and rounds in its convolutions."""
    tolerance = 1e-5 if backbone.device.type == NAME else 0.02
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * float(np.abs(expected).max()))


@pytest.mark.parametrize(
    "recipe",
    [
        lesson_recipe(Trains.LAST_STAGE, epochs=1),
        replace(lesson_recipe(Trains.LAST_STAGE, epochs=2), head=HeadConfig(1, 16, 0.5), patience=1),
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
    tensors, wanted = ({**each.head.module.state_dict(), **each.head.tuned} for each in (found, expected))
    assert {tensor.device.type for tensor in tensors.values()} == {"cpu"}
    assert list(tensors) == list(wanted)
    for name, tensor in tensors.items():
        assert_alike(tensor.numpy(), wanted[name].numpy(), elsewhere)
    assert_alike(found.features.values, expected.features.values, elsewhere)
    assert elsewhere.for_head(found.head).device == elsewhere.device


def test_all_contenders_of_a_race_are_trained_on_the_networks_device(
    embedded: Backbone, elsewhere: Backbone, dataset: Dataset, settings: Settings
) -> None:
    """Else their seconds could not be compared."""
    short = replace(settings, race_s=0.0)
    devices, accuracies = dict[str, set[str]](), list[float]()
    with watching_steps() as steps:
        for step in race(elsewhere, dataset, short):
            if isinstance(step, RacePoint):
                accuracies.append(step.val_accuracy)
            elif isinstance(step, Finish):
                devices[step.contender] = set(steps)
                steps.clear()
    assert devices == dict.fromkeys(devices, {elsewhere.device.type})
    assert len(devices) == 4
    expected = [step.val_accuracy for step in race(embedded, dataset, short) if isinstance(step, RacePoint)]
    if elsewhere.device.type == NAME:
        assert accuracies == expected


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
        assert_alike(ours, expected, elsewhere)


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
