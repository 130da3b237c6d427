"""Gradient ascent: the channel rises, the picture is nobody else's and repeatable, and the network stays as it was."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.graph import replace_module
from demo.models.untrained import sample_weights
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.tasks.ascent import DRAW_EVERY, AscentCache, AscentStep, _leave_out_relu, ascend
from tests.models.test_backbone import PICTURES, assert_frozen, hooks

LOW, MIDDLE, HIGH = StageLabel
SILENT = 22  # of the high stage: at the start it gives 0 everywhere, and after one step still


def run_ascent(
    backbone: Backbone, stage: StageLabel = HIGH, channel_idx: int = SILENT, **options: Any
) -> list[AscentStep]:
    return list(ascend(backbone, stage, channel_idx, **({"side_px": 64, "num_steps": 4} | options)))


def last_picture(steps: list[AscentStep]) -> Image.Image:
    picture = steps[-1].picture
    assert picture is not None
    return picture


def untrained(name: str) -> Backbone:
    """Return a network with seeded random weights and no classifier."""
    with torch.device("meta"):
        network = ZOO[name].build()
    for path, each in list(network.named_modules()):
        if isinstance(each, nn.Linear):
            replace_module(network, path, nn.Identity())
    sample_weights(network.to_empty(device="cpu"), torch.Generator().manual_seed(1))
    network.eval().requires_grad_(False)
    return Backbone(ZOO[name], network.to(memory_format=torch.channels_last), torch.device("cpu"), is_private=True)


def see(backbone: Backbone, stage: StageLabel, picture: Image.Image) -> Tensor:
    """Return what a stage gives for the pixels of a picture as they are, (C, H, W)."""
    transforms = backbone.spec.build_transforms()
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (transforms.mean, transforms.std))
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255
    return backbone.run_transformed(((pixels - mean) / std)[None]).stages[stage][0]


@pytest.mark.parametrize(("stage", "channel_idx"), [(LOW, 7), (MIDDLE, 40), (HIGH, 777)])
def test_the_channel_rises(embedded: Backbone, stage: StageLabel, channel_idx: int) -> None:
    first = last_picture(run_ascent(embedded, stage, channel_idx, num_steps=1))
    steps = run_ascent(embedded, stage, channel_idx, num_steps=16)
    assert steps[-1].activation > steps[0].activation + 1
    before, after = (see(embedded, stage, each)[channel_idx].mean() for each in (first, last_picture(steps)))
    assert after > before + 1  # without moves, and as the stage gives it


def test_a_channel_that_is_silent_at_the_start_rises_too(embedded: Backbone) -> None:
    start = last_picture(run_ascent(embedded, num_steps=1))
    assert not see(embedded, HIGH, start)[SILENT].any()
    steps = run_ascent(embedded, num_steps=16)
    assert steps[0].activation < 0 < steps[-1].activation
    assert see(embedded, HIGH, last_picture(steps))[SILENT].max() > 0


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "inception_v3", "resnet18", "densenet121", EMBEDDED])
def test_no_network_is_held_back_by_its_last_relu(name: str, embedded: Backbone) -> None:
    backbone = embedded if name == EMBEDDED else untrained(name)
    batch = 0.1 * torch.randn((1, 3, 96, 96), generator=torch.Generator().manual_seed(0))
    for label in StageLabel:
        with torch.inference_mode():
            given, before = (
                backbone.subgraph(None, label)(batch),
                _leave_out_relu(backbone.subgraph(None, label))(batch),
            )
        assert before.min() < 0
        if given.min() < 0:  # it ends without one
            assert torch.equal(before, given)
        else:
            torch.testing.assert_close(before.relu().clamp(max=6 if name == EMBEDDED else torch.inf), given)


def test_a_picture_comes_every_few_steps_and_at_the_last(embedded: Backbone) -> None:
    steps = run_ascent(embedded, LOW, 0, num_steps=2 * DRAW_EVERY + 3)
    assert [step.step for step in steps] == list(range(1, 2 * DRAW_EVERY + 4))
    assert {step.num_steps for step in steps} == {2 * DRAW_EVERY + 3}
    drawn = [step.step for step in steps if step.picture]
    assert drawn == [DRAW_EVERY, 2 * DRAW_EVERY, 2 * DRAW_EVERY + 3]
    assert {(each.picture.mode, each.picture.size) for each in steps if each.picture} == {("RGB", (64, 64))}


def test_the_picture_is_coloured_and_no_noise(embedded: Backbone) -> None:
    pixels = np.asarray(last_picture(run_ascent(embedded, LOW, 0, num_steps=24)), dtype=float)
    assert pixels.std(axis=2).mean() > 5
    neighbours = np.corrcoef(pixels[:, 1:].ravel(), pixels[:, :-1].ravel())[0, 1]
    assert neighbours > 0.5  # of noise it is 0


def test_the_same_seed_gives_the_same_picture(embedded: Backbone) -> None:
    torch.manual_seed(1)
    first, state = run_ascent(embedded), torch.get_rng_state()
    torch.manual_seed(2)
    second, other = run_ascent(embedded), run_ascent(embedded, seed=1)
    assert [step.activation for step in first] == [step.activation for step in second]
    assert last_picture(first).tobytes() == last_picture(second).tobytes()
    assert last_picture(first).tobytes() != last_picture(other).tobytes()
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)  # the global one was not used


def test_it_can_be_left(embedded: Backbone) -> None:
    ascent = ascend(embedded, HIGH, SILENT, side_px=64)
    assert next(ascent).step == 1
    ascent.close()
    assert list(ascent) == []


def test_each_step_may_run_in_another_thread(embedded: Backbone) -> None:
    ascent, steps = ascend(embedded, HIGH, SILENT, side_px=64, num_steps=4), list[AscentStep]()
    for _ in range(4):
        thread = threading.Thread(target=lambda: steps.append(next(ascent)))
        thread.start()
        thread.join()
    assert [step.activation for step in steps] == [step.activation for step in run_ascent(embedded)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channel_idx": 1280}, "channel_idx is 1280; it must be from 0 to 1279"),
        ({"channel_idx": -1}, "channel_idx is -1"),
        ({"side_px": 32}, "side_px is 32; it must be from 64 to 256"),
        ({"num_steps": 0}, "num_steps is 0"),
    ],
    ids=str,
)
def test_what_is_out_of_range_is_refused(embedded: Backbone, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionOutOfRange, match=message):
        run_ascent(embedded, **options)


def test_a_private_network_is_looked_into_itself(embedded: Backbone) -> None:
    shift = embedded.network.state_dict()["bn2.bias"] + 50
    private = embedded.open_private({"bn2.bias": shift})
    own, shared = (run_ascent(each, num_steps=1)[0].activation for each in (private, embedded))
    assert own == pytest.approx(shared + 50, abs=1e-3)


def test_all_this_leaves_the_shared_network_as_it_was(embedded: Backbone) -> None:
    tensors = embedded.network.state_dict(keep_vars=True)
    before, places = copy.deepcopy(dict(tensors)), {name: id(tensor) for name, tensor in tensors.items()}
    modules = list(embedded.network.modules())
    answers = embedded.run(PICTURES[:1])
    for stage in StageLabel:
        run_ascent(embedded, stage, 0)
    next(ascend(embedded, HIGH, 0, side_px=64))  # left without a word
    with pytest.raises(OptionOutOfRange):
        run_ascent(embedded, HIGH, 9999)
    after = embedded.network.state_dict(keep_vars=True)
    assert {name: id(tensor) for name, tensor in after.items()} == places
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert list(embedded.network.modules()) == modules
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)
    again = embedded.run(PICTURES[:1])
    assert torch.equal(again.logits, answers.logits)
    assert all(torch.equal(again.stages[label], answers.stages[label]) for label in StageLabel)


def test_eight_visitors_at_once_each_get_their_own(embedded: Backbone) -> None:
    channels, start = range(0, 800, 100), threading.Barrier(8, timeout=120)

    def visit(channel_idx: int) -> list[AscentStep]:
        start.wait()
        return run_ascent(embedded, HIGH, channel_idx)

    alone = [run_ascent(embedded, HIGH, channel_idx) for channel_idx in channels]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(visit, channels))
    for one, other in zip(alone, together, strict=True):
        assert [step.activation for step in other] == pytest.approx([step.activation for step in one], rel=1e-3)
        pixels = [np.asarray(last_picture(each), dtype=int) for each in (one, other)]
        assert np.abs(pixels[0] - pixels[1]).max() <= 2
    assert last_picture(alone[0]).tobytes() != last_picture(alone[1]).tobytes()


def test_a_finished_picture_is_kept_for_all_and_a_private_networks_is_not(
    embedded: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.tasks.ascent.NUM_STEPS", 2)
    cache = AscentCache(max_pictures=2)
    first = list(cache.ascend(embedded, StageLabel.LOW, 0))
    assert [each.step for each in first] == [1, 2]
    assert list(cache.ascend(embedded, StageLabel.LOW, 0)) == first[-1:]
    for channel_idx in (1, 2):
        assert len(list(cache.ascend(embedded, StageLabel.LOW, channel_idx))) == 2
    assert len(list(cache.ascend(embedded, StageLabel.LOW, 0))) == 2  # it left for the others
    private = embedded.open_private({})
    for _ in range(2):
        assert len(list(cache.ascend(private, StageLabel.LOW, 0))) == 2


def test_a_picture_that_was_stopped_is_not_kept(embedded: Backbone) -> None:
    cache = AscentCache()
    ascending = cache.ascend(embedded, StageLabel.LOW, 0)
    assert next(ascending).step == 1
    ascending.close()
    again = cache.ascend(embedded, StageLabel.LOW, 0)
    assert next(again).step == 1
    again.close()
