"""Pictures -> features: the views of a picture, what is kept for the next time, and how the work ends."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate, product

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from demo.data.collection import Collection, Picture, add_class, add_pictures, remove_class, rename_class
from demo.data.dataset import Dataset, Sample, Split, make_dataset
from demo.data.errors import ImageDamaged, NotAnImage
from demo.data.images import read_image
from demo.data.store import PictureStore
from demo.models.backbone import Backbone
from demo.models.recipe import Optimizer, Recipe
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.system import num_cores
from demo.tasks.features import (
    PLAIN,
    CommonFeatures,
    FeatureCache,
    FeatureProgress,
    Features,
    SampleView,
    View,
    choose_views,
    extract_features,
    run_views,
)
from tests.patience import wait_for
from tests.pictures import encode, noise

CHUNK = 8  # looks that are computed together, after the first
CHUNKS = (2, 2, 4, CHUNK, CHUNK)  # from the start
DIGESTS = [f"{number:08x}{'0' * 56}" for number in range(40)]
SIZES = [(64, 64), (640, 480), (100, 1000), (97, 31)]


class CountingStore(PictureStore):
    """A store that knows how many pictures were read from it."""

    def __init__(self) -> None:
        super().__init__()
        self.num_reads = 0
        self._counting = threading.Lock()

    def read(self, offset: int, num_bytes: int) -> bytes:
        with self._counting:
            self.num_reads += 1
        return super().read(offset, num_bytes)


def make(contents: Sequence[bytes], store: PictureStore | None = None, *, num_validation: int = 2) -> Dataset:
    """Return pictures of two classes in turn, the last of them for validation."""
    store = store or PictureStore()
    num_training = len(contents) - num_validation
    samples = [
        Sample(
            Picture(f"{idx}.png", store.add(content), b"", b""),
            idx % 2,
            Split.TRAIN if idx < num_training else Split.VALIDATION,
        )
        for idx, content in enumerate(contents)
    ]
    return Dataset(("even", "odd"), tuple(samples), ())


def pictures(count: int, first: int = 0) -> list[bytes]:
    return [encode(noise(first + seed, (40, 30))) for seed in range(count)]


def drain(run: Generator[FeatureProgress, None, Features]) -> tuple[list[FeatureProgress], Features]:
    steps: list[FeatureProgress] = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as end:
            return steps, end.value


def extract(
    backbone: Backbone, dataset: Dataset, *, views: Sequence[View] = (), cache: FeatureCache | None = None
) -> tuple[list[FeatureProgress], Features]:
    return drain(extract_features(backbone, dataset, Settings(), views=views, cache=cache))


def assert_nothing_runs() -> None:
    """Wait until no thread reads pictures any more; each ends what it has begun."""
    wait_for(lambda: not any(thread.name.startswith("features") for thread in threading.enumerate()))


@contextmanager
def others_ask(backbone: Backbone) -> Iterator[list[int]]:
    """Let two threads ask a backbone about pictures of their own, one and three at a time; count their answers."""
    stop, started, counts = threading.Event(), threading.Barrier(3, timeout=120), [0, 0]

    def ask(number: int) -> None:
        batch = torch.stack([backbone.transform(noise(90 + idx)) for idx in range(1 + 2 * number)])
        started.wait()
        while not stop.is_set():
            backbone.answer(batch)
            counts[number] += 1

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in asking:
        thread.start()
    started.wait()
    try:
        yield counts
    finally:
        stop.set()
        for thread in asking:
            thread.join()


@pytest.mark.parametrize("size", SIZES)
def test_a_flip_is_the_mirror_image(size: tuple[int, int]) -> None:
    picture = noise(0, size)
    mirrored = View(flip=True).show(picture, DIGESTS[0])
    np.testing.assert_array_equal(np.asarray(mirrored), np.asarray(picture)[:, ::-1])
    np.testing.assert_array_equal(np.asarray(PLAIN.show(picture, DIGESTS[0])), np.asarray(picture))


def coordinates(size: tuple[int, int]) -> Image.Image:
    """Return a picture whose every pixel tells where it is, and that it is not outside."""
    rows, columns = np.indices((size[1], size[0]))
    places = rows * size[0] + columns + 1
    return Image.fromarray(np.stack([places >> 16, places >> 8 & 255, places & 255], axis=2).astype(np.uint8))


def box_of(seen: Image.Image, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return which box of `coordinates` is seen: left, top, right, bottom; fail if it is not one whole box of it."""
    pixels = np.asarray(seen, dtype=int)
    places = (pixels[:, :, 0] << 16) + (pixels[:, :, 1] << 8) + pixels[:, :, 2] - 1
    top, left = divmod(int(places.min()), size[0])
    bottom, right = (last + 1 for last in divmod(int(places.max()), size[0]))
    expected = np.arange(top, bottom)[:, np.newaxis] * size[0] + np.arange(left, right)
    np.testing.assert_array_equal(places, expected)
    return left, top, right, bottom


@pytest.mark.parametrize("size", SIZES)
def test_a_crop_is_a_box_of_the_picture_with_at_least_half_of_its_area(size: tuple[int, int]) -> None:
    picture = coordinates(size)
    boxes = [box_of(View(crop=number).show(picture, digest), size) for number, digest in product((1, 2, 3, 4), DIGESTS)]
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        # Each side is whole pixels; what that takes away is less than one of each.
        assert (right - left + 1) * (bottom - top + 1) > 0.5 * size[0] * size[1]
        aspect = (right - left) / (bottom - top) / (size[0] / size[1])
        assert 0.7 < aspect < 1.43
    assert len(set(boxes)) > 0.9 * len(boxes)
    areas = [(right - left) * (bottom - top) / (size[0] * size[1]) for left, top, right, bottom in boxes]
    assert min(areas) < 0.6
    assert max(areas) > 0.9
    assert {left for left, *_ in boxes} != {0}
    assert {top for _, top, *_ in boxes} != {0}


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 7), (9, 1), (3, 2)])
def test_the_crop_of_a_very_small_picture_has_a_pixel_of_it(size: tuple[int, int]) -> None:
    for number, digest in product((1, 2, 3, 4), DIGESTS):
        left, top, right, bottom = box_of(View(crop=number).show(coordinates(size), digest), size)
        assert (right - left) * (bottom - top) >= 1
        assert max(right / size[0], bottom / size[1]) <= 1


def test_a_crop_is_the_same_at_any_time_and_another_for_another_number_or_picture() -> None:
    picture = noise(1, (200, 150))

    def see(number: int, digest: str) -> bytes:
        return View(crop=number).show(picture, digest).tobytes()

    assert see(1, DIGESTS[3]) == see(1, DIGESTS[3])
    crops = [see(number, digest) for number, digest in product((1, 2, 3, 4), DIGESTS[:5])]
    assert len(set(crops)) == 20
    flipped = View(flip=True, crop=1).show(picture, DIGESTS[3])
    plain = np.asarray(View(crop=1).show(picture, DIGESTS[3]))
    np.testing.assert_array_equal(np.asarray(flipped), plain[:, ::-1])


def test_the_views_of_a_recipe() -> None:
    assert choose_views(Recipe(flips=False)) == ()
    assert choose_views(Recipe(flips=True)) == (View(flip=True),)
    assert choose_views(Recipe(flips=False, crops=2)) == (View(crop=1), View(crop=2))
    every = (View(flip=True), View(crop=1), View(flip=True, crop=2), View(crop=3), View(flip=True, crop=4))
    assert choose_views(Recipe(flips=True, crops=4)) == every
    assert choose_views(Recipe(optimizer=Optimizer.RIDGE, flips=True, crops=4)) == ()
    assert PLAIN not in every


def test_the_rows_are_those_of_the_samples_in_their_order(embedded: Backbone, settings: Settings) -> None:
    contents = pictures(11)
    dataset = make(contents)
    views = (View(flip=True), View(crop=1))
    _, features = extract(embedded, dataset, views=views)
    assert (features.backbone_name, features.class_names) == (EMBEDDED, ("even", "odd"))
    assert features.values.shape == (11, 1280)
    assert features.values.dtype == np.float32
    assert features.class_idxs.tolist() == [idx % 2 for idx in range(11)]
    assert features.splits == (Split.TRAIN,) * 9 + (Split.VALIDATION,) * 2
    assert features.augmented is not None
    assert features.augmented.shape == (2, 9, 1280)
    rows = [*((content, PLAIN, row) for content, row in zip(contents, features.values, strict=True))]
    for view, of_view in zip(views, features.augmented, strict=True):
        rows += [(content, view, row) for content, row in zip(contents[:9], of_view, strict=True)]
    for number, (content, view, row) in enumerate(rows):
        digest = dataset.samples[number % 11 if number < 11 else (number - 11) % 9].digest
        seen = view.show(read_image(content, settings), digest)
        alone = embedded.run([seen]).features[0].numpy()
        np.testing.assert_allclose(row, alone, rtol=1e-3, atol=1e-3)
    others = np.abs(features.values[:, np.newaxis] - features.values).max(axis=2)
    assert others[~np.eye(11, dtype=bool)].min() > 0.1  # no two pictures could be taken for each other


def test_training_sees_all_views_and_validation_the_plain_pictures(embedded: Backbone) -> None:
    _, features = extract(embedded, make(pictures(6)), views=(View(flip=True), View(crop=1)))
    assert features.augmented is not None
    inputs, targets = features.training()
    expected = np.concatenate([features.values[:4], *features.augmented])
    np.testing.assert_array_equal(inputs.numpy(), expected)
    assert targets.tolist() == [0, 1, 0, 1] * 3
    inputs, targets = features.of(Split.VALIDATION)
    np.testing.assert_array_equal(inputs.numpy(), features.values[4:])
    assert targets.tolist() == [0, 1]
    assert [len(each) for each in features.of(Split.TEST)] == [0, 0]
    plain, plain_targets = replace(features, augmented=None).training()
    np.testing.assert_array_equal(plain.numpy(), features.values[:4])
    assert plain_targets.tolist() == [0, 1, 0, 1]


def test_progress_counts_pictures_and_is_seen_after_the_first(embedded: Backbone) -> None:
    steps, _ = extract(embedded, make(pictures(11)), views=(View(flip=True),))
    assert steps == [FeatureProgress(done, 11) for done in (0, 1, 2, 4, 8, 11)]  # of two looks each, but for two


def test_the_same_picture_in_two_places_is_looked_at_once(embedded: Backbone) -> None:
    first, second, third = pictures(3)
    store = CountingStore()
    contents = [first, second, first, third, first, second, third, first]  # also for validation
    steps, features = extract(embedded, make(contents, store), views=(View(flip=True),))
    assert steps[-1] == FeatureProgress(3, 3)
    assert store.num_reads == 3  # each once for both of its views
    for place in (2, 4, 7):
        np.testing.assert_array_equal(features.values[place], features.values[0])
    assert features.augmented is not None
    np.testing.assert_array_equal(features.augmented[0][4], features.augmented[0][0])
    assert not np.allclose(features.values[0], features.values[1], atol=0.1)


@pytest.fixture
def gathered(settings: Settings) -> Collection:
    collection = Collection(store=CountingStore())
    for number, name in enumerate(("cat", "dog")):
        collection = add_class(collection, name, settings=settings)
        files = [(f"{idx}.png", content) for idx, content in enumerate(pictures(4, 10 * number))]
        collection = add_pictures(collection, name, files=files, settings=settings)
    return collection


def test_what_is_known_is_used_when_classes_are_renamed_and_pictures_added(
    embedded: Backbone, gathered: Collection, settings: Settings
) -> None:
    cache = FeatureCache()
    steps, before = extract(embedded, make_dataset(gathered, settings), cache=cache)
    assert steps[-1] == FeatureProgress(8, 8)
    renamed = rename_class(gathered, "cat", new_name="tiger")
    steps, after = extract(embedded, make_dataset(renamed, settings), cache=cache)
    assert steps == []
    assert after.class_names == ("tiger", "dog")
    np.testing.assert_array_equal(after.values, before.values)
    files = [("new.png", content) for content in pictures(2, 30)]
    added = add_pictures(renamed, "tiger", files=files, settings=settings)
    steps, after = extract(embedded, make_dataset(added, settings), cache=cache)
    assert steps == [FeatureProgress(0, 2), FeatureProgress(2, 2)]
    np.testing.assert_array_equal(after.values[[0, 1, 2, 3, 6, 7, 8, 9]], before.values)
    without = remove_class(add_class(added, "bird", settings=settings), "bird")
    assert extract(embedded, make_dataset(without, settings), cache=cache)[0] == []


def test_more_views_of_known_pictures_are_all_that_is_computed(embedded: Backbone) -> None:
    cache, store = FeatureCache(), CountingStore()
    dataset = make(pictures(6), store)
    extract(embedded, dataset, cache=cache)
    assert store.num_reads == 6
    steps, _ = extract(embedded, dataset, views=(View(flip=True),), cache=cache)
    assert steps == [FeatureProgress(done, 4) for done in (0, 2, 4)]
    assert store.num_reads == 10
    assert extract(embedded, dataset, views=(View(flip=True),), cache=cache)[0] == []
    assert store.num_reads == 10


def test_a_picture_that_is_nobodys_is_looked_at_once_for_all_and_a_visitors_for_each(embedded: Backbone) -> None:
    common, store = CommonFeatures(), CountingStore()
    dataset = make(pictures(8), store)
    common.welcome(each.digest for each in dataset.samples[:4])
    _, first = extract(embedded, dataset, cache=FeatureCache(common))
    assert store.num_reads == 8
    steps, second = extract(embedded, dataset, cache=FeatureCache(common))
    np.testing.assert_array_equal(second.values, first.values)
    assert store.num_reads == 12
    assert steps[-1] == FeatureProgress(8, 8)
    visitors = dataset.samples[-1].digest
    assert common.find(EMBEDDED, PLAIN, visitors) is None
    assert common.find(EMBEDDED, PLAIN, dataset.samples[0].digest) is not None
    assert common.find("resnet18", PLAIN, dataset.samples[0].digest) is None


def row(value: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([value], dtype=np.float32)


def test_only_the_pictures_that_are_there_are_kept() -> None:
    cache = FeatureCache()
    for name in ("first", "second"):
        cache.rows(name).update({(view, digest): row(1.0) for view in (PLAIN, View(flip=True)) for digest in "abc"})
    cache.keep_only({"a", "c", "z"})
    for name in ("first", "second"):
        assert set(cache.rows(name)) == set(product((PLAIN, View(flip=True)), "ac"))
    cache.keep_only(set())
    assert cache.rows("first") == {}


def test_a_third_backbone_pushes_out_the_one_that_was_used_longest_ago() -> None:
    cache = FeatureCache()
    for name in ("first", "second"):
        cache.rows(name)[PLAIN, name] = row(1.0)
    cache.rows("third")
    assert cache.rows("second").keys() == {(PLAIN, "second")}  # which is used now
    assert cache.rows("first") == {}  # and pushes out the third
    assert cache.rows("second").keys() == {(PLAIN, "second")}
    cache.rows("third")
    assert cache.rows("second").keys() == {(PLAIN, "second")}


def test_rows_may_still_come_in_while_others_are_forgotten() -> None:
    """The step in progress of a training that was stopped ends while its pictures are edited already."""
    cache, stop = FeatureCache(), threading.Event()
    rows = cache.rows("network")
    rows.update({(PLAIN, str(number)): row(number) for number in range(100_000)})
    kept = {str(number) for number in range(100_000)}

    def add() -> None:
        number = 0
        while not stop.is_set():
            rows[PLAIN, f"new {number}"] = row(number)
            number += 1

    adding = threading.Thread(target=add)
    adding.start()
    try:
        cache.keep_only(kept)
    finally:
        stop.set()
        adding.join()
    assert {digest for _, digest in cache.rows("network")} == kept


@pytest.mark.slow
def test_a_run_that_is_closed_stops_soon_and_what_it_computed_is_used(embedded: Backbone) -> None:
    cache, store = FeatureCache(), CountingStore()
    num_pictures = CHUNK * (num_cores() + 6)
    dataset = make(pictures(num_pictures), store)
    run = extract_features(embedded, dataset, Settings(), cache=cache)
    assert [next(run).done for _ in range(5)] == [0, *accumulate(CHUNKS[:4])]
    run.close()
    assert_nothing_runs()
    # Four chunks came out; one for each core and one more were under way.
    num_out = sum(CHUNKS[:4])
    assert num_out <= store.num_reads <= num_out + CHUNK * (num_cores() + 1) < num_pictures
    known = dict(cache.rows(EMBEDDED))
    assert list(known) == [(PLAIN, sample.digest) for sample in dataset.samples[:num_out]]
    steps, features = extract(embedded, dataset, cache=cache)
    assert steps[0] == FeatureProgress(0, num_pictures - num_out)
    np.testing.assert_array_equal(features.values[:num_out], np.stack(list(known.values())))
    np.testing.assert_array_equal(features.values, extract(embedded, dataset)[1].values)


def test_a_run_that_nobody_keeps_stops_too(embedded: Backbone) -> None:
    store = CountingStore()
    num_pictures = CHUNK * (num_cores() + 6)
    run = extract_features(embedded, make(pictures(num_pictures), store), Settings())
    next(run), next(run)
    del run
    assert_nothing_runs()
    assert store.num_reads < num_pictures


@pytest.mark.parametrize(("bad", "error"), [(b"no picture", NotAnImage), (pictures(1)[0][:-500], ImageDamaged)])
def test_an_unreadable_picture_is_named_and_ends_the_run(
    embedded: Backbone, bad: bytes, error: type[Exception]
) -> None:
    contents = pictures(3 * CHUNK)
    contents[CHUNK - 1] = bad
    cache = FeatureCache()
    run = extract_features(embedded, make(contents), Settings(), cache=cache)
    assert [next(run).done for _ in range(3)] == [0, 2, 4]
    with pytest.raises(error, match=f'"{CHUNK - 1}.png"'):
        list(run)
    assert_nothing_runs()
    assert len(cache.rows(EMBEDDED)) == 4  # of the whole chunks before it


def test_an_error_of_the_network_comes_out_too(embedded: Backbone, settings: Settings) -> None:
    def fail(_: Tensor) -> Tensor:
        raise RuntimeError("out of memory")

    views = [SampleView(sample) for sample in make(pictures(3 * CHUNK)).samples]
    with pytest.raises(RuntimeError, match="out of memory"):
        list(run_views(views, embedded, settings, fail))
    assert_nothing_runs()


def test_looks_come_out_in_order_whichever_is_done_first(embedded: Backbone, settings: Settings) -> None:
    views = [SampleView(sample) for sample in make(pictures(5 * CHUNK + 3)).samples]
    first_chunk, others_done = threading.Lock(), threading.Semaphore(0)

    def compute(batch: Tensor) -> Tensor:
        if first_chunk.acquire(blocking=False):
            others_done.acquire(timeout=5)  # until another chunk is done
        else:
            others_done.release()
        return batch.mean(dim=(1, 2, 3))[:, None]

    found = list(run_views(views, embedded, settings, compute))
    assert [each for chunk, _, _ in found for each in chunk] == views
    assert [len(values) for _, values, _ in found] == [2, 2, 4] + [CHUNK] * 4 + [3]
    seen = [embedded.transform(each.view.show(read_image(each.sample.image_bytes, settings), "")) for each in views]
    means = torch.cat([values for _, values, _ in found]).flatten()
    torch.testing.assert_close(means, torch.stack(seen).mean(dim=(1, 2, 3)))


def test_features_are_the_same_to_the_last_bit_whatever_others_ask(embedded: Backbone) -> None:
    dataset, views = make(pictures(2 * CHUNK + 5)), (View(flip=True),)
    _, alone = extract(embedded, dataset, views=views)
    with others_ask(embedded) as counts:
        wait_for(lambda: min(counts) > 0)
        _, meanwhile = extract(embedded, dataset, views=views)
    np.testing.assert_array_equal(meanwhile.values, alone.values)
    assert alone.augmented is not None
    assert meanwhile.augmented is not None
    np.testing.assert_array_equal(meanwhile.augmented, alone.augmented)
