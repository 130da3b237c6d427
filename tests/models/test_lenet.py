"""LeNet-5: its shape, what it is given, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from demo.data.dataset import make_dataset
from demo.data.starters import read_starter
from demo.models.backbone import Backbone
from demo.models.lenet import LeNet5, lenet_input
from demo.models.untrained import sample_weights
from demo.settings import Settings
from demo.tasks.race import Contender, Finish, race
from tests.pictures import noise


def lenet(num_classes: int = 10, seed: int = 0) -> LeNet5:
    return LeNet5(num_classes, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("num_classes", "num_pictures"), [(2, 1), (10, 3), (20, 16)])
def test_pictures_become_logits(num_classes: int, num_pictures: int) -> None:
    pictures = torch.randn((num_pictures, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    logits = lenet(num_classes)(pictures)
    assert logits.shape == (num_pictures, num_classes)
    assert logits.isfinite().all()
    assert logits.requires_grad


def test_the_maps_have_the_sizes_of_the_paper() -> None:
    """Layers C1, S2, C3, S4 of figure 2: six maps of 28, then 14; sixteen of 10, then 5."""
    shapes, activation = [], torch.zeros(1, 3, 32, 32)
    for layer in lenet().features:
        activation = layer(activation)
        if not isinstance(layer, nn.ReLU):
            shapes.append(tuple(activation.shape[1:]))
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]


@pytest.mark.parametrize("num_classes", [2, 10])
def test_the_parameters_are_counted_by_hand(num_classes: int) -> None:
    """Each output has its weights and one bias. For ten digits in one colour it would be the 61,706 of the books."""
    convolutions = 6 * (3 * 5 * 5 + 1) + 16 * (6 * 5 * 5 + 1)
    layers = 120 * (16 * 5 * 5 + 1) + 84 * (120 + 1) + num_classes * (84 + 1)
    count = sum(parameter.numel() for parameter in lenet(num_classes).parameters())
    assert count == convolutions + layers
    if num_classes == 10:
        assert count == 62_006 == 61_706 + 6 * 2 * 5 * 5  # two colours more


def test_the_same_seed_gives_the_same_network() -> None:
    first, second, other = (lenet(seed=seed).state_dict() for seed in (3, 3, 4))
    torch.testing.assert_close(dict(first), dict(second), rtol=0, atol=0)
    weights = [name for name in first if name.endswith("weight")]
    assert len(weights) == 5
    assert not any(torch.equal(first[name], other[name]) for name in weights)


def test_a_new_network_leaves_the_global_seed_alone() -> None:
    before = torch.get_rng_state()
    lenet()(torch.zeros(1, 3, 32, 32))
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_are_drawn_as_wide_as_he_et_al_say() -> None:
    """The variance is two over the number of inputs, so that rectified activations neither fade nor grow."""
    for module in lenet().modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            expected = (2 / module.weight[0].numel()) ** 0.5
            spread = 4 / module.weight.numel() ** 0.5  # of a sample's own deviation, generously
            assert float(module.weight.detach().std()) == pytest.approx(expected, rel=spread)
            assert module.bias is not None
            assert not module.bias.any()


def test_drawing_forgets_everything_that_was_learned() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 4, 2))
    fresh: dict[str, Tensor] = {}
    for value in (5.0, -3.0):
        for tensor in network.state_dict().values():
            tensor.fill_(value)
        sample_weights(network, torch.Generator().manual_seed(0))
        assert not any((tensor == value).all() for tensor in network.state_dict().values())
        fresh = fresh or {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.testing.assert_close(dict(network.state_dict()), fresh, rtol=0, atol=0)


@pytest.mark.parametrize("size", [(64, 64), (32, 32), (300, 20), (8, 8)])
def test_a_picture_of_any_size_becomes_32_pixels_a_side(size: tuple[int, int]) -> None:
    pixels = lenet_input(noise(0, size))
    assert (pixels.shape, pixels.dtype) == ((3, 32, 32), torch.float32)
    assert -1 <= float(pixels.min()) < float(pixels.max()) <= 1


def test_black_is_minus_one_and_white_is_one() -> None:
    for colour, value in (("black", -1.0), ("white", 1.0)):
        assert torch.equal(lenet_input(Image.new("RGB", (40, 50), colour)), torch.full((3, 32, 32), value))


def test_colours_and_places_stay_where_they_are() -> None:
    picture = noise(1, (32, 32))
    pixels = lenet_input(picture).permute(1, 2, 0).numpy()  # (H, W, 3)
    np.testing.assert_allclose((pixels + 1) / 2 * 255, np.asarray(picture), atol=1e-3)


def test_all_of_a_long_picture_is_squeezed_in() -> None:
    picture = Image.new("RGB", (320, 32), "black")
    picture.paste("white", (288, 0, 320, 32))  # the last tenth
    pixels = lenet_input(picture)
    assert float(pixels[:, :, -2:].mean()) > 0.9
    assert float(pixels[:, :, :28].max()) == -1.0


@pytest.mark.slow
def test_it_learns_the_digits_in_the_setting_of_the_race(embedded: Backbone, settings: Settings) -> None:
    """At least 0.9 of those that it was not trained on: 72 of 80."""
    dataset = make_dataset(read_starter("digits", settings), settings)
    race_of_one = race(embedded, dataset, replace(settings, race_s=600.0))
    finish = next(step for step in race_of_one if isinstance(step, Finish))
    race_of_one.close()
    assert (finish.contender, finish.accuracy.count, finish.num_trained) == (Contender.SCRATCH, 80, 62_006)
    assert finish.accuracy.correct >= 72
