"""A loaded network: its outputs, that nobody changes it, and the one copy that all share."""

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from demo.data.collection import Picture
from demo.data.dataset import Dataset, Sample, Split
from demo.data.errors import ImageError
from demo.data.store import PictureStore
from demo.models.backbone import MAX_ASPECT, Backbone, load_backbone
from demo.models.head import Head
from demo.models.recipe import Recipe
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.activations import capture_stages
from demo.tasks.finetune import fine_tune
from demo.tasks.predict import predict
from tests.networks import summary
from tests.pictures import encode, noise

PICTURES = [noise(seed, (90 + 10 * seed, 120)) for seed in range(8)]


def dataset(*contents: bytes) -> Dataset:
    """Two classes in turn; the last two pictures are for validation."""
    num_train = len(contents) - 2
    store = PictureStore()
    samples = [
        Sample(
            Picture(f"{idx}.png", store.add(content), b"", b""),
            idx % 2,
            Split.TRAIN if idx < num_train else Split.VALIDATION,
        )
        for idx, content in enumerate(contents)
    ]
    return Dataset(("even", "odd"), tuple(samples), ())


def predict_one(backbone: Backbone) -> None:
    predict(backbone, PICTURES[0])


def capture_one(backbone: Backbone) -> None:
    capture_stages(backbone, PICTURES[0])


def train(backbone: Backbone) -> None:
    pictures = dataset(*(encode(picture) for picture in PICTURES[:6]))
    assert list(fine_tune(backbone, pictures, Recipe(epochs=2), Settings()))


def fail_in_the_network(backbone: Backbone) -> None:
    with pytest.raises(RuntimeError):
        backbone.run_transformed(torch.zeros(1, 4, 224, 224))


def fail_after_the_network(backbone: Backbone) -> None:
    narrow = Head(nn.Linear(3, 2), ("a", "b"), backbone.spec.name, summary())
    with pytest.raises(RuntimeError):
        predict(backbone, PICTURES[0], head=narrow)


def fail_while_training(backbone: Backbone) -> None:
    good = [encode(picture) for picture in PICTURES]
    with pytest.raises(ImageError):
        list(fine_tune(backbone, dataset(*good, b"bad", *good), Recipe(epochs=1), Settings()))


USES = (predict_one, capture_one, train, fail_in_the_network, fail_after_the_network, fail_while_training)


def hooks(network: nn.Module) -> list[str]:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [f"{name}.{kind}" for name, module in network.named_modules() for kind in kinds if getattr(module, kind)]


def assert_frozen(network: nn.Module) -> None:
    assert [name for name, module in network.named_modules() if module.training] == []
    assert [name for name, parameter in network.named_parameters() if parameter.requires_grad] == []
    assert [name for name, parameter in network.named_parameters() if parameter.grad is not None] == []


def resized_and_cropped(picture: Image.Image) -> Image.Image:
    """Do what the weights' authors do before their network: short side to 256 px, then the middle 224 px."""
    short = min(picture.size)
    width, height = (int(256 * side / short) for side in picture.size)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    return picture.resize((width, height), Image.Resampling.BICUBIC).crop((left, top, left + 224, top + 224))


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_a_use_leaves_the_network_as_it_was(embedded: Backbone, use: Callable[[Backbone], None]) -> None:
    before = copy.deepcopy(embedded.network.state_dict())
    use(embedded)
    after = embedded.network.state_dict()
    assert list(after) == list(before)
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)


def test_the_check_for_hooks_finds_one() -> None:
    network = nn.Sequential(nn.Linear(1, 1))
    network[0].register_forward_hook(lambda *_: None)
    assert hooks(network) == ["0._forward_hooks"]


def test_the_outputs_ask_for_no_gradient(embedded: Backbone) -> None:
    outputs = embedded.run(PICTURES[:1])
    tensors = [outputs.features, outputs.logits, *outputs.stages.values()]
    assert [tensor.dtype for tensor in tensors] == [torch.float32] * 5
    assert not any(tensor.requires_grad for tensor in tensors)


def test_features_through_the_classifier_are_the_logits(embedded: Backbone, cat: Image.Image) -> None:
    outputs = embedded.run([cat, *PICTURES[:2]])
    classifier = embedded.network.get_submodule("classifier")
    torch.testing.assert_close(classifier(outputs.features.clone()), outputs.logits, rtol=1e-5, atol=1e-5)


def test_the_logits_are_those_of_the_network(embedded: Backbone, cat: Image.Image) -> None:
    batch = embedded.transform(cat)[None]  # (1, 3, 224, 224)
    torch.testing.assert_close(embedded.run([cat]).logits, embedded.network(batch), rtol=1e-5, atol=1e-5)


def test_a_batch_gives_what_each_picture_gives(embedded: Backbone) -> None:
    together = embedded.run(PICTURES)
    for idx, picture in enumerate(PICTURES):
        alone = embedded.run([picture])
        torch.testing.assert_close(alone.logits[0], together.logits[idx], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(alone.features[0], together.features[idx], rtol=1e-4, atol=1e-4)
        for label in StageLabel:
            torch.testing.assert_close(alone.stages[label][0], together.stages[label][idx], rtol=1e-4, atol=1e-4)


def test_threads_get_the_stages_of_their_own_pictures(embedded: Backbone) -> None:
    alone = [embedded.run([picture]).stages for picture in PICTURES]
    start = threading.Barrier(len(PICTURES), timeout=120)

    def run(picture: Image.Image) -> dict[StageLabel, Tensor]:
        start.wait()
        return embedded.run([picture]).stages

    with ThreadPoolExecutor(len(PICTURES)) as pool:
        together = list(pool.map(run, PICTURES))
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(alone[0][StageLabel.HIGH], alone[1][StageLabel.HIGH], rtol=1e-2, atol=1e-2)


def test_two_loads_give_the_same_answers(embedded: Backbone, cat: Image.Image) -> None:
    again = load_backbone(ZOO[EMBEDDED])
    assert_frozen(again.network)
    torch.testing.assert_close(again.run([cat]).logits, embedded.run([cat]).logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(64, 64), (300, 200), (200, 301), (224, 224), (256, 256), (1024, 130)])
def test_draw_input_shows_the_resized_and_cropped_picture(embedded: Backbone, size: tuple[int, int]) -> None:
    picture = noise(3, size)
    drawn = embedded.draw_input(picture)
    assert (drawn.mode, drawn.size) == ("RGB", (224, 224))
    difference = np.asarray(drawn, dtype=int) - np.asarray(resized_and_cropped(picture), dtype=int)
    assert np.abs(difference).max() <= 1


def test_draw_input_keeps_black_and_white(embedded: Backbone) -> None:
    for colour in ((0, 0, 0), (255, 255, 255)):
        assert embedded.draw_input(Image.new("RGB", (50, 70), colour)).getextrema() == tuple((c, c) for c in colour)


@pytest.mark.parametrize("size", [(1024, 3), (3, 1024)])
def test_a_very_long_picture_is_cut_before_it_is_enlarged(embedded: Backbone, size: tuple[int, int]) -> None:
    picture = noise(5, size)
    width, height = (min(side, 3 * MAX_ASPECT) for side in size)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    middle = picture.crop((left, top, left + width, top + height))
    assert torch.equal(embedded.transform(picture), embedded.transform(middle))
