"""Near-duplicates: found after what a burst or another program does to a picture, and nowhere else."""

import itertools
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from demo.data.collection import Picture
from demo.data.duplicates import find_twins, fingerprint, group
from demo.data.folders import read_collection
from demo.data.images import read_image, shrink
from demo.settings import Settings
from tests.pictures import noise

CHANGES = ("cropped by 1%", "cropped by 3%", "JPEG", "half", "lighter", "darker", "blurred", "all at once")


def scene(seed: int) -> Image.Image:
    return noise(seed, (6, 6)).resize((96, 96), Image.Resampling.BICUBIC)


def plain(*colour: int) -> bytes:
    return fingerprint(Image.new("RGB", (32, 24), colour))


def crop(image: Image.Image, share: float) -> Image.Image:
    across, down = (max(1, round(share * side)) for side in image.size)
    return image.crop((across // 2, down // 2, image.width - across + across // 2, image.height - down + down // 2))


def as_jpeg(image: Image.Image) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Image.open(buffer)


def changed(image: Image.Image, change: str) -> Image.Image:
    """Return the picture as another shot or another program would have it."""
    if change.startswith("cropped"):
        return crop(image, int(change[-2]) / 100)
    if change == "JPEG":
        return as_jpeg(image)
    if change == "half":
        return image.reduce(2)
    if change in ("lighter", "darker"):
        return ImageEnhance.Brightness(image).enhance(1.05 if change == "lighter" else 0.95)
    if change == "blurred":
        return image.filter(ImageFilter.GaussianBlur(2))
    return as_jpeg(changed(crop(image, 0.03), "darker").filter(ImageFilter.GaussianBlur(1)))


@pytest.fixture(scope="module")
def photographs(shared_data: Path, settings: Settings) -> list[Image.Image]:
    paths = sorted((shared_data / "imagenet_samples").glob("*.JPEG"))
    return [shrink(read_image(path, settings), 224) for path in paths]


@pytest.fixture(scope="module")
def insects(shared_data: Path, settings: Settings) -> tuple[Picture, ...]:
    return read_collection(shared_data / "hymenoptera.zip", settings).pictures


def test_unlike_photographs_are_never_near(photographs: list[Image.Image], insects: tuple[Picture, ...]) -> None:
    assert len(photographs) >= 100
    fingerprints = [fingerprint(image) for image in photographs] + [picture.fingerprint for picture in insects]
    assert len(set(group(fingerprints))) == len(fingerprints) > 500


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_near_its_photograph(change: str, photographs: list[Image.Image]) -> None:
    count = len(photographs)
    fingerprints = [fingerprint(image) for image in photographs]
    fingerprints += [fingerprint(changed(image, change)) for image in photographs]
    found = list(find_twins(fingerprints, range(count, 2 * count), range(count)))
    assert all(copy - count == original for copy, original in found)
    assert len(found) >= 0.97 * count


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_scene_is_in_the_group_of_the_first(change: str) -> None:
    scenes = [scene(seed) for seed in range(20)]
    images = [*scenes, *(changed(each, change) for each in scenes)]
    assert group([fingerprint(image) for image in images]) == [*range(20), *range(20)]


def test_groups_are_numbered_in_the_order_of_their_first_pictures() -> None:
    first, second, third = (fingerprint(scene(seed)) for seed in range(3))
    assert group([first, second, first, third, second]) == [0, 1, 0, 2, 1]
    assert group([first]) == [0]
    assert group([]) == []


def test_groups_do_not_depend_on_the_order() -> None:
    fingerprints = [plain(level, 0, 0) for level in range(0, 255, 5)] + [fingerprint(scene(seed)) for seed in range(40)]
    order = np.random.default_rng(0).permutation(len(fingerprints))
    groups, shuffled = group(fingerprints), group([fingerprints[idx] for idx in order])
    for one, other in itertools.combinations(range(len(order)), 2):
        assert (shuffled[one] == shuffled[other]) == (groups[order[one]] == groups[order[other]])


def test_groups_are_transitive_through_blocks() -> None:
    steps = [plain(level, level, level) for level in range(0, 250, 10)]
    far = [fingerprint(scene(seed)) for seed in range(600)]
    groups = group([*steps[::2], *far, *steps[1::2]])
    ends = len(steps[::2])
    assert len({*groups[:ends], *groups[ends + 600 :]}) == 1
    assert not any(find_twins([steps[0], steps[-1]], [0], [1]))


def test_plain_pictures_are_near_when_their_colours_are() -> None:
    assert group([plain(200, 20, 0), plain(209, 29, 9), plain(0, 20, 200), plain(0, 0, 0), plain(255, 255, 255)]) == [
        0, 0, 1, 2, 3,
    ]  # fmt: skip


def test_a_plain_picture_is_not_near_one_with_edges_of_the_same_mean() -> None:
    halves = Image.new("RGB", (96, 96), (60, 60, 60))
    halves.paste((140, 140, 140), (48, 0, 96, 96))
    assert group([plain(100, 100, 100), fingerprint(halves), fingerprint(halves.rotate(90))]) == [0, 1, 2]


@pytest.mark.parametrize(("levels", "are_near"), [(15, True), (18, False)])
def test_plain_pictures_are_near_up_to_sixteen_levels_in_each_channel(levels: int, are_near: bool) -> None:
    fingerprints = [plain(100, 100, 100), plain(*[100 + levels] * 3)]
    assert group(fingerprints) == [0, int(not are_near)]
    assert bool(list(find_twins(fingerprints, [0], [1]))) is are_near


@pytest.mark.parametrize(("levels", "are_near"), [(75, True), (82, False)])
def test_pictures_of_one_pattern_are_near_up_to_a_thirtieth_of_their_edges(levels: int, are_near: bool) -> None:
    """Stripes of 60 levels around grey, and the same of more: a quarter more is near, a third more is not."""

    def stripes(around: int) -> bytes:
        pixels = np.full((6, 6, 3), 128 - around, dtype=np.uint8)
        pixels[:, ::2] += np.uint8(2 * around)
        return pixels.tobytes()

    fingerprints = [stripes(60), stripes(levels)]
    assert group(fingerprints) == [0, int(not are_near)]
    assert bool(list(find_twins(fingerprints, [0], [1]))) is are_near


def test_the_twin_is_the_nearest() -> None:
    fingerprints = [plain(100, 0, 0), plain(110, 0, 0), plain(104, 0, 0), plain(200, 0, 0)]
    assert list(find_twins(fingerprints, [0, 3], [1, 2])) == [(0, 2)]
    assert list(find_twins(fingerprints, [], [1])) == list(find_twins(fingerprints, [1], [])) == []


@pytest.mark.parametrize("are_alike", [False, True])
def test_five_thousand_pictures_are_grouped(are_alike: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5000, 108), dtype=np.uint8)
    fingerprints = [plain(100 + number % 30, 0, 0) if are_alike else pixels[number].tobytes() for number in range(5000)]
    groups = group(fingerprints)
    assert len(set(groups)) == (1 if are_alike else 5000)


def test_a_fingerprint_hardly_depends_on_the_size() -> None:
    small, large = fingerprint(scene(1)), fingerprint(scene(1).resize((700, 700), Image.Resampling.BICUBIC))
    assert len(small) == len(large) == 108
    assert max(abs(one - other) for one, other in zip(small, large, strict=True)) < 12
