"""A backbone's like with random weights: one for the race and for the heatmap's control, on the backbone's device."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from demo.data.collection import Picture
from demo.data.dataset import Dataset, Sample, Split
from demo.data.store import PictureStore
from demo.models.backbone import Backbone
from demo.models.untrained import open_untrained
from demo.settings import Settings
from demo.tasks import erase, race
from tests.pictures import encode, noise

Open = Callable[[Backbone, Image.Image, int], Backbone]

PICTURE = noise(3, (48, 40))


def open_alone(backbone: Backbone, picture: Image.Image, seed: int) -> Backbone:
    return open_untrained(backbone, [picture], torch.Generator().manual_seed(seed))


def open_for_race(backbone: Backbone, picture: Image.Image, seed: int) -> Backbone:
    """Open the race's, whose only training picture it is; one that is held out is no part of it."""
    store, samples = PictureStore(), list[Sample]()
    for each, split in ((picture, Split.TRAIN), (noise(4), Split.VALIDATION)):
        samples.append(Sample(Picture(f"{split}.png", store.add(encode(each)), b"", b""), 0, split))
    return race.open_random(backbone, Dataset(("a", "b"), tuple(samples), ()), Settings(), seed=seed)


def open_for_map(backbone: Backbone, picture: Image.Image, seed: int) -> Backbone:
    """Catch the control that a heatmap asks."""
    asked: list[Backbone] = []
    with pytest.MonkeyPatch.context() as watched:
        watched.setattr(erase, "map_stages", lambda backbone, *_, **__: asked.append(backbone))
        erase.map_untrained(backbone, picture, [0], seed=seed)
    return asked[0]


def test_the_race_and_the_heatmap_have_the_same_network_for_the_same_seed(embedded: Backbone) -> None:
    ways: list[Open] = [open_alone, open_for_race, open_for_map]
    opened = [way(embedded, PICTURE, 5).network.state_dict() for way in ways]
    for one, other in pairwise(opened):
        torch.testing.assert_close(dict(other), dict(one), rtol=0, atol=0)
    other_seed = open_alone(embedded, PICTURE, 6).network.state_dict()
    assert not torch.equal(other_seed["conv_head.weight"], opened[0]["conv_head.weight"])


def test_its_norms_know_the_pictures_that_they_were_given(embedded: Backbone) -> None:
    network = open_untrained(embedded, [PICTURE, noise(4)], torch.Generator().manual_seed(5)).network
    seen = torch.stack([embedded.transform(each) for each in (PICTURE, noise(4))])
    with torch.no_grad():
        maps = network.get_submodule("conv_stem")(seen)
    np.testing.assert_allclose(network.get_buffer("bn1.running_mean"), maps.mean((0, 2, 3)), atol=1e-5)
    np.testing.assert_allclose(network.get_buffer("bn1.running_var"), maps.var((0, 2, 3)), rtol=1e-4)
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize("way", [open_alone, open_for_race, open_for_map])
def test_it_is_on_the_device_of_the_backbone(embedded: Backbone, way: Open) -> None:
    """A device without numbers refuses a picture that stays on the CPU, as a GPU does."""
    elsewhere = torch.device("meta")
    with elsewhere:
        network = embedded.spec.build().eval().requires_grad_(False)
    backbone = replace(embedded, network=network, device=elsewhere, is_private=True)
    opened = way(backbone, PICTURE, 0)
    assert opened.device == elsewhere
    assert {each.device for each in opened.network.state_dict().values()} == {elsewhere}
    assert opened.network is not network
