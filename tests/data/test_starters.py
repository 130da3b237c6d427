"""The starter sets: there without a network, the same for the same seed, and worth learning from."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from demo.data.albums import NUM_SHOTS
from demo.data.collection import Collection
from demo.data.dataset import Dataset, Split, make_dataset
from demo.data.duplicates import group
from demo.data.images import read_image
from demo.data.shapes import draw_shapes
from demo.data.signs import SIGNS, draw_face, draw_scenes
from demo.data.starters import DIGIT_PX, STARTERS, read_starter, swap_grounds
from demo.settings import Settings

EVERY_STARTER = pytest.mark.parametrize("name", list(STARTERS))
EVERY_SIGN = pytest.mark.parametrize("name", list(SIGNS))


@pytest.fixture(scope="module")
def collections(settings: Settings) -> dict[str, Collection]:
    return {name: read_starter(name, settings) for name in STARTERS}


@pytest.fixture(scope="module")
def datasets(collections: dict[str, Collection], settings: Settings) -> dict[str, Dataset]:
    return {name: make_dataset(collection, settings) for name, collection in collections.items()}


def contents(collection: Collection) -> list[bytes]:
    return [picture.stored.read() for picture in collection.pictures]


def pixels_of(
    dataset: Dataset, split: Split, settings: Settings, side_px: int
) -> tuple[NDArray[np.float32], list[int]]:
    """Return pictures as rows of few pixels, and their class indices."""
    samples = [sample for sample in dataset.samples if sample.split is split]
    images = [read_image(sample.image_bytes, settings).resize((side_px, side_px)) for sample in samples]
    return np.stack([np.asarray(image, np.float32).ravel() for image in images]), [each.class_idx for each in samples]


@EVERY_STARTER
def test_every_class_is_there_in_full(name: str, collections: dict[str, Collection]) -> None:
    starter, collection = STARTERS[name], collections[name]
    assert tuple(each.name for each in collection.classes) == starter.class_names
    assert {each.name: len(each.pictures) for each in collection.classes} == starter.counts
    assert collection.skipped == ()
    assert collection.source == name
    assert starter.licence.strip()


@EVERY_STARTER
def test_no_picture_stands_twice(name: str, collections: dict[str, Collection]) -> None:
    pictures = collections[name].pictures
    assert len({picture.stored.digest for picture in pictures}) == len(pictures)
    assert len({picture.path for picture in pictures}) == len(pictures)


@EVERY_STARTER
def test_the_same_seed_gives_the_same_pictures_and_another_one_others(name: str, settings: Settings) -> None:
    few = replace(settings, max_pictures=4 * len(STARTERS[name].class_names))
    assert contents(read_starter(name, few, seed=3)) == contents(read_starter(name, few, seed=3))
    assert contents(read_starter(name, few, seed=3)) != contents(read_starter(name, few, seed=4))


@EVERY_STARTER
@pytest.mark.parametrize("max_pictures", [25, 65])
def test_limits_hold(name: str, max_pictures: int, settings: Settings) -> None:
    tight = replace(settings, max_pictures=max_pictures)
    collection = read_starter(name, tight)
    assert len(collection.classes) <= tight.max_classes
    assert 2 * len(collection.classes) <= len(collection.pictures) <= tight.max_pictures
    assert collection.num_bytes < 5_000_000


@EVERY_STARTER
def test_a_starter_makes_a_dataset_with_three_splits_and_nothing_to_warn_of(
    name: str, datasets: dict[str, Dataset]
) -> None:
    report = datasets[name].report
    assert report.counts == {
        class_name: {"train": count - 2 * (count // 5), "validation": count // 5, "test": count // 5}
        for class_name, count in STARTERS[name].counts.items()
    }
    assert not (report.across_classes or report.small_classes or report.split_by_picture)
    assert report.is_imbalanced is (name == "shapes")
    if name != "albums":
        assert report.num_near_duplicates == 0


def test_shots_of_one_scene_are_found_and_kept_together(datasets: dict[str, Dataset]) -> None:
    samples, report = datasets["albums"].samples, datasets["albums"].report
    assert (report.num_near_duplicates, report.num_groups) == (len(samples), len(samples) // NUM_SHOTS)
    groups = group([sample.picture.fingerprint for sample in samples])
    assert groups == [number // NUM_SHOTS for number in range(len(samples))]
    assert len({(found, sample.split) for found, sample in zip(groups, samples, strict=True)}) == report.num_groups


def test_a_swapped_creature_is_the_same_on_the_other_ground(
    collections: dict[str, Collection], settings: Settings
) -> None:
    swapped = swap_grounds(settings)
    ant, *_, spider = collections["meadow"].pictures
    assert swapped.keys() == {picture.stored.digest for picture in collections["meadow"].pictures}
    for picture, is_green in ((ant, True), (spider, False)):
        before, after = (
            np.asarray(read_image(content, settings), np.float32)
            for content in (picture.stored.read(), swapped[picture.stored.digest])
        )
        for pixels, shows_grass in ((before, is_green), (after, not is_green)):
            red, green, _ = np.median(pixels, axis=(0, 1))
            assert bool(green > 1.2 * red) is shows_grass
        edges = [np.abs(np.diff(pixels.mean(axis=2), axis=0)) for pixels in (before, after)]
        assert np.corrcoef(*(each.ravel() for each in edges))[0, 1] > 0.5


def test_leaves_hide_some_of_a_shape() -> None:
    scenes = [np.asarray(scene, np.float32) for _, scene in draw_shapes({"circle": 12}, seed=1)]
    red, green, blue = np.moveaxis(np.stack(scenes)[:, 30:98, 30:98], -1, 0)
    leaves = ((green > 1.15 * red) & (green > 1.5 * blue)).mean(axis=(1, 2))
    assert np.median(leaves) > 0.03
    assert leaves.std() > 0.02


@EVERY_STARTER
def test_the_nearest_training_picture_often_has_the_right_class(
    name: str, datasets: dict[str, Dataset], settings: Settings
) -> None:
    known, known_idxs = pixels_of(datasets[name], Split.TRAIN, settings, 8)
    asked, asked_idxs = pixels_of(datasets[name], Split.TEST, settings, 8)
    nearest = np.square(asked[:, None] - known).sum(axis=2).argmin(axis=1)
    right = np.mean([known_idxs[near] == idx for near, idx in zip(nearest, asked_idxs, strict=True)])
    # Digits fill their picture, and the meadow is all ground; what stands in front of many things, or in a light of
    # its own, is not known by its pixels.
    chance = 1 / len(STARTERS[name].class_names)
    assert right > {"digits": 0.85, "meadow": 0.95}.get(name, 1.1 * chance)


def test_digits_are_those_of_scikit_learn(collections: dict[str, Collection]) -> None:
    from sklearn.datasets import load_digits  # takes a second, which no other test waits for

    scans = load_digits()
    theirs = {
        (int(digit), np.rint(255 - 255 * scan / 16).astype(np.uint8).tobytes())
        for digit, scan in zip(scans.target, scans.images, strict=True)
    }
    enlarged = {
        (
            digit,
            np.asarray(
                Image.frombytes("L", (8, 8), scan).resize((DIGIT_PX, DIGIT_PX), Image.Resampling.BICUBIC)
            ).tobytes(),
        )
        for digit, scan in theirs
    }
    for each in collections["digits"].classes:
        for picture in each.pictures:
            with Image.open(BytesIO(picture.stored.read())) as image:
                assert (int(each.name), image.convert("L").tobytes()) in enlarged


def test_digits_are_dark_ink_on_white_paper(collections: dict[str, Collection], settings: Settings) -> None:
    corners = [np.asarray(read_image(content, settings))[0, 0] for content in contents(collections["digits"])]
    assert np.median(corners) > 240


@EVERY_SIGN
def test_a_face_fills_its_square_and_nothing_around_it(name: str) -> None:
    face = draw_face(SIGNS[name])
    left, upper, right, lower = face.getchannel("A").getbbox() or (0, 0, 0, 0)
    assert right - left > 0.85 * face.width
    assert lower - upper > 0.8 * face.height
    assert face.getpixel((0, 0)) == (0, 0, 0, 0)


def test_faces_differ() -> None:
    faces = [np.asarray(draw_face(draw), np.float32) for draw in SIGNS.values()]
    differences = [np.abs(one - other).mean() for number, one in enumerate(faces) for other in faces[:number]]
    assert min(differences) > 15


@EVERY_SIGN
def test_scenes_of_one_sign_vary_in_place_light_and_ground(name: str) -> None:
    scenes = np.stack([np.asarray(scene, np.float32) for _, scene in draw_scenes({name: 12}, seed=1)])
    assert scenes.shape[0] == 12
    assert scenes.std(axis=0).mean() > 25  # levels, from scene to scene at one place
    assert all(scene.std() > 15 for scene in scenes)  # and from place to place in one scene
