"""Patches: the strongest of many pictures, cut where the network looked; and what a cell can depend on at all."""

import copy
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from demo.data.errors import ImageError, NotAnImage
from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.graph import replace_module
from demo.models.plan import MAX_BATCH
from demo.models.zoo import EMBEDDED, ZOO, Stage, StageLabel
from demo.settings import Settings
from demo.tasks.activations import field_box, field_centre
from demo.tasks.patches import Candidate, Patch, PatchProgress, PeakCache, find_patches
from tests.models.test_backbone import PICTURES, assert_frozen, hooks

LOW, MIDDLE, HIGH = StageLabel
STAGES = {stage.label: stage for stage in ZOO[EMBEDDED].stages}


def candidate(idx: int, picture: Image.Image, read: Callable[[], Image.Image] | None = None) -> Candidate:
    return Candidate(f"picture {idx}", f"digest {idx}", read or (lambda: picture))


CANDIDATES = [candidate(idx, picture) for idx, picture in enumerate(PICTURES)]


def find(
    backbone: Backbone, stage: StageLabel, channel_idx: int, pictures: Sequence[Candidate], **options: Any
) -> tuple[list[PatchProgress], tuple[Patch, ...]]:
    """Run the search to its end and return what it yields, the patches apart."""
    settings = options.pop("settings", Settings())
    steps = list(find_patches(backbone, stage, channel_idx, pictures, settings, **({"cache": PeakCache()} | options)))
    patches = steps.pop()
    assert isinstance(patches, tuple)
    return [step for step in steps if isinstance(step, PatchProgress)], patches


@pytest.fixture(scope="module")
def cache(embedded: Backbone) -> PeakCache:
    """Return a cache that knows all candidates."""
    cache = PeakCache()
    find(embedded, LOW, 0, CANDIDATES, cache=cache)
    return cache


@pytest.fixture(scope="module")
def activations(embedded: Backbone) -> dict[StageLabel, Tensor]:
    return embedded.run(PICTURES).stages


@pytest.mark.parametrize(("stage", "channel_idx"), [(LOW, 3), (LOW, 20), (MIDDLE, 7), (HIGH, 500)])
def test_the_strongest_come_first(
    embedded: Backbone, cache: PeakCache, activations: dict[StageLabel, Tensor], stage: StageLabel, channel_idx: int
) -> None:
    progress, patches = find(embedded, stage, channel_idx, CANDIDATES, cache=cache)
    maps = activations[stage][:, channel_idx]  # (8, H, W)
    maxima = maps.amax(dim=(1, 2)).tolist()
    order = sorted((idx for idx in range(8) if maxima[idx] > 0), key=lambda idx: -maxima[idx])
    assert progress == []  # all was known
    assert [patch.name for patch in patches] == [f"picture {idx}" for idx in order]
    for idx, patch in zip(order, patches, strict=True):
        assert patch.value == pytest.approx(maxima[idx], rel=1e-4)
        _, height, width = maps.shape
        place = divmod(int(maps[idx].argmax()), width)
        assert patch.box == field_box(STAGES[stage], place, (height, width), (224, 224))
        assert patch.centre == field_centre(STAGES[stage], place)
        seen = embedded.draw_input(PICTURES[idx]).crop(patch.box)
        assert (patch.picture.mode, patch.picture.size) == ("RGB", seen.size)
        assert patch.picture.tobytes() == seen.tobytes()


def test_a_patch_excites_the_channel_alone(embedded: Backbone, cache: PeakCache) -> None:
    """What is outside the box does not count: with all of it grey the position still says the same."""
    patch = find(embedded, LOW, 3, CANDIDATES, cache=cache)[1][0]
    row, column = ((centre - 3) // 4 for centre in reversed(patch.centre))
    picture = Image.new("RGB", (224, 224), "grey")
    picture.paste(patch.picture, patch.box[:2])
    transforms = embedded.spec.build_transforms()
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (transforms.mean, transforms.std))
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255
    maps = embedded.run_transformed(((pixels - mean) / std)[None]).stages[LOW]
    assert float(maps[0, 3, row, column]) == pytest.approx(patch.value, rel=0.02)  # pixels are rounded


def test_not_more_come_than_are_asked_for(embedded: Backbone, cache: PeakCache) -> None:
    all_of_them = find(embedded, LOW, 3, CANDIDATES, cache=cache)[1]
    names = [patch.name for patch in find(embedded, LOW, 3, CANDIDATES, cache=cache, count=2)[1]]
    assert names == [patch.name for patch in all_of_them[:2]]


def test_a_silent_picture_gives_no_patch(embedded: Backbone, activations: dict[StageLabel, Tensor]) -> None:
    loud = activations[HIGH].amax(dim=(2, 3)) > 0  # (8, C)
    channel_idx = int((loud.sum(dim=0) == 3).nonzero()[0])
    patches = find(embedded, HIGH, channel_idx, CANDIDATES)[1]
    assert {patch.name for patch in patches} == {f"picture {idx}" for idx in range(8) if loud[idx, channel_idx]}
    assert all(patch.value > 0 for patch in patches)
    silent = next(idx for idx in range(8) if not loud[idx, channel_idx])
    assert find(embedded, HIGH, channel_idx, [CANDIDATES[silent]])[1] == ()


def test_equally_strong_ones_stay_in_order(embedded: Backbone) -> None:
    pictures = [candidate(idx, PICTURES[0]) for idx in range(3)]
    names = [patch.name for patch in find(embedded, LOW, 3, pictures)[1]]
    assert names == ["picture 0", "picture 1", "picture 2"]


def test_the_same_picture_counts_once(embedded: Backbone) -> None:
    twice = [CANDIDATES[1], CANDIDATES[0], Candidate("again", "digest 1", lambda: PICTURES[1])]
    progress, patches = find(embedded, LOW, 3, twice)
    assert progress[-1] == PatchProgress(2, 2)
    assert {patch.name for patch in patches} == {"picture 0", "picture 1"}


def test_without_pictures_there_are_no_patches(embedded: Backbone) -> None:
    assert find(embedded, LOW, 3, []) == ([], ())


@pytest.mark.parametrize(("settings", "done"), [(Settings(), [0, 8, 9]), (Settings(max_batch=4), [0, 4, 8, 9])])
def test_the_pictures_are_looked_at_in_batches(embedded: Backbone, settings: Settings, done: list[int]) -> None:
    assert MAX_BATCH == 8
    read = list[int]()

    def read_one(idx: int) -> Image.Image:
        read.append(idx)
        return PICTURES[idx % 8]

    pictures = [candidate(idx, PICTURES[0], partial(read_one, idx)) for idx in range(9)]
    search = find_patches(embedded, LOW, 3, pictures, settings, cache=PeakCache(), count=2)
    assert next(search) == PatchProgress(0, 9)
    assert read == []  # decoded only when needed
    assert next(search) == PatchProgress(done[1], 9)
    assert read == list(range(done[1]))
    rest = list(search)
    assert rest[:-1] == [PatchProgress(each, 9) for each in done[2:]]
    assert len(read) == 9 + 2  # those that are cut are read again


def test_a_search_that_was_left_keeps_what_it_found(embedded: Backbone) -> None:
    cache, pictures = PeakCache(), [candidate(idx, PICTURES[idx % 8]) for idx in range(9)]
    search = find_patches(embedded, LOW, 3, pictures, Settings(), cache=cache)
    assert [next(search), next(search)] == [PatchProgress(0, 9), PatchProgress(8, 9)]
    search.close()
    assert find(embedded, MIDDLE, 3, pictures, cache=cache)[0] == [PatchProgress(0, 1), PatchProgress(1, 1)]


def test_the_cache_is_small_and_forgets(embedded: Backbone, activations: dict[StageLabel, Tensor]) -> None:
    cache = PeakCache()
    find(embedded, LOW, 3, CANDIDATES[:2], cache=cache)
    peaks = cache.find(EMBEDDED, "digest 1")
    assert peaks
    for label, found in peaks.items():
        maps = activations[label][1].flatten(1)  # (C, H x W)
        assert (found.maxima.dtype, found.places.dtype) == (np.dtype(np.float32), np.dtype(np.int32))
        assert found.maxima.shape == found.places.shape == (len(maps),)
        np.testing.assert_allclose(found.maxima, maps.amax(dim=1), rtol=1e-3, atol=1e-3)
        assert found.map_size == tuple(activations[label].shape[2:])
    cache.keep_only({"digest 1"})
    assert (cache.find(EMBEDDED, "digest 0"), cache.find(EMBEDDED, "digest 1")) == (None, peaks)
    for name in ("resnet18", "alexnet"):
        cache.add(name, "digest 0", peaks)
    assert cache.find(EMBEDDED, "digest 1") is None  # the longest unused of three networks
    assert cache.find("resnet18", "digest 0")


def test_a_private_network_neither_reads_nor_writes_the_cache(embedded: Backbone) -> None:
    cache = PeakCache()
    shared = find(embedded, HIGH, 5, CANDIDATES[:2], cache=cache)[1]
    known = cache.find(EMBEDDED, "digest 0")
    shift = embedded.network.state_dict()["bn2.bias"] + 99  # beyond the 6 of its ReLU6
    private = embedded.open_private({"bn2.bias": shift})
    progress, own = find(private, HIGH, 5, CANDIDATES[:3], cache=cache)
    assert progress == [PatchProgress(0, 3), PatchProgress(3, 3)]
    assert [patch.value for patch in own] == [6, 6, 6]
    assert 6 not in {patch.value for patch in shared}
    assert cache.find(EMBEDDED, "digest 0") is known
    assert cache.find(EMBEDDED, "digest 2") is None


@pytest.mark.parametrize(("stage", "channel_idx"), [(LOW, 144), (HIGH, 1280), (MIDDLE, -1)])
def test_a_channel_that_is_not_there_is_refused(
    embedded: Backbone, cache: PeakCache, stage: StageLabel, channel_idx: int
) -> None:
    for known in (cache, PeakCache()):
        with pytest.raises(OptionOutOfRange, match=f"channel_idx is {channel_idx}"):
            find(embedded, stage, channel_idx, CANDIDATES[:1], cache=known)


def test_a_picture_that_cannot_be_read_is_named(embedded: Backbone) -> None:
    def fail() -> Image.Image:
        raise NotAnImage(name="broken.png")

    with pytest.raises(ImageError, match=r"broken\.png"):
        find(embedded, LOW, 0, [CANDIDATES[0], candidate(9, PICTURES[0], fail)])


def test_all_this_leaves_the_shared_network_as_it_was(embedded: Backbone) -> None:
    before = copy.deepcopy(embedded.network.state_dict())
    answers = embedded.run(PICTURES[:1]).logits
    find(embedded, HIGH, 5, CANDIDATES[:2])
    with pytest.raises(OptionOutOfRange):
        find(embedded, HIGH, 9999, CANDIDATES[:1])
    after = embedded.network.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)
    assert torch.equal(embedded.run(PICTURES[:1]).logits, answers)


def test_eight_visitors_at_once_each_get_their_own(embedded: Backbone, cache: PeakCache) -> None:
    own, start = PeakCache(), threading.Barrier(8, timeout=120)

    def visit(idx: int) -> tuple[Patch, ...]:
        start.wait()
        return find(embedded, LOW, 3, [CANDIDATES[idx]], cache=own)[1]  # one cache, as in one visitor's two pages

    alone = [find(embedded, LOW, 3, [each], cache=cache)[1] for each in CANDIDATES]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(visit, range(8)))
    for (one,), (other,) in zip(alone, together, strict=True):
        assert other.name == one.name
        assert other.value == pytest.approx(one.value, rel=1e-4)
        assert other.picture.tobytes() == one.picture.tobytes()
    assert [own.find(EMBEDDED, each.digest) is None for each in CANDIDATES] == [False] * 8


def hollow(name: str) -> Backbone:
    """Return a network whose numbers are all 0: what is not a number spreads in it as far as it can."""
    with torch.device("meta"):
        network = ZOO[name].build()
    for path, each in list(network.named_modules()):
        if isinstance(each, nn.Linear):
            replace_module(network, path, nn.Identity())
    network.to_empty(device="cpu").eval().requires_grad_(False)
    for tensor in network.state_dict().values():
        tensor.zero_()
    return Backbone(ZOO[name], network, torch.device("cpu"), is_private=True)


def spread(backbone: Backbone, stage: Stage, width: int, columns: Sequence[int]) -> Tensor:
    """Return which columns of a stage's maps each column of a strip depends on, bool (N, W)."""
    height = 80 if backbone.spec.name == "inception_v3" else 32  # it takes none that are lower
    strip = torch.zeros(len(columns), 3, height, width)
    for row, column in enumerate(columns):
        if 0 <= column < width:
            strip[row, ..., column] = torch.nan
    with torch.inference_mode():
        maps: Tensor = backbone.subgraph(None, stage.label.value)(strip)
    return maps.isnan().any(dim=1).any(dim=1)


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "inception_v3", "resnet18", "densenet121", EMBEDDED])
def test_a_box_is_what_a_cell_can_depend_on(name: str) -> None:
    backbone = hollow(name)
    for stage in backbone.spec.stages:
        width = 64 * (stage.receptive_field_px // 128 + 2)
        num_columns = spread(backbone, stage, width, [0]).shape[1]
        _, _, right, _ = field_box(stage, (0, 0), (1, num_columns), (width, 32))
        left, *_ = field_box(stage, (0, num_columns - 1), (1, num_columns), (width, 32))
        assert left > 0
        assert right < width
        inside = spread(backbone, stage, width, [right - 1, right, left, left - 1])
        assert inside[:, 0].tolist()[:2] == [True, False], stage
        assert inside[:, -1].tolist()[2:] == [True, False], stage


def test_a_gradient_ends_at_the_box(embedded: Backbone, cat: Image.Image) -> None:
    pixels = embedded.transform(cat)[None].requires_grad_(True)
    with torch.enable_grad():
        activation = embedded.subgraph(None, "low")(pixels)[0, :, 30, 25].abs().sum()
    (gradient,) = torch.autograd.grad(activation, pixels)
    rows, columns = gradient[0].abs().sum(dim=0).nonzero().unbind(1)
    found = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
    assert found == field_box(STAGES[LOW], (30, 25), (56, 56), (224, 224))


def test_a_box_ends_with_the_picture() -> None:
    assert field_box(STAGES[LOW], (0, 55), (56, 56), (224, 200)) == (214, 0, 224, 13)
    assert field_box(STAGES[HIGH], (3, 3), (7, 7), (224, 224)) == (0, 0, 224, 224)
    assert field_centre(STAGES[LOW], (0, 55)) == (223, 3)


@pytest.mark.parametrize(("place", "value"), [((56, 0), 56), ((0, -1), -1)])
def test_a_place_beside_the_maps_is_refused(place: tuple[int, int], value: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"place is {value}; it must be from 0 to 55"):
        field_box(STAGES[LOW], place, (56, 56), (224, 224))


def test_every_stage_of_the_table_has_a_centre() -> None:
    assert all(min(field_centre(stage, (0, 0))) >= 0 for spec in ZOO.values() for stage in spec.stages)
