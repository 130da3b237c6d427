"""What classes show raises doubts: masks, blanks, copies, and classes that are next to empty."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from demo.data.collection import Collection
from demo.data.folders import read_collection, reread
from demo.data.questions import put_question
from demo.data.reading import Answer, Choices, Doubt, Question
from demo.settings import Settings
from tests.pictures import MakeZip, encode, noise, png


def photo(seed: int) -> bytes:
    return encode(noise(seed, (9, 9)).resize((96, 96), Image.Resampling.BICUBIC), "JPEG")


def mask(seed: int) -> bytes:
    """Return a mask: an ellipse of one of three colours on black."""
    image = Image.new("RGB", (96, 96))
    colour = ("white", (128, 0, 0), (0, 128, 0))[seed % 3]
    ImageDraw.Draw(image).ellipse((10, 10 + seed % 9, 60, 80), fill=colour, outline=(224, 224, 192))
    return encode(image)


def doubts(collection: Collection) -> dict[Doubt, tuple[str, ...]]:
    assert collection.reading is not None
    return {each.doubt: each.subjects for each in collection.reading.questions}


def sizes(collection: Collection) -> dict[str, int]:
    return {each.name: len(each.pictures) for each in collection.classes}


PHOTOS = [photo(seed) for seed in range(6)]
MASKS = [mask(seed) for seed in range(6)]


REDS = [png((200, 0, each)) for each in range(3)]
BLUES = [png((each, 0, 200)) for each in range(3)]


def named(folder: str, contents: Sequence[bytes], ending: str = ".jpg") -> dict[str, bytes]:
    return {f"{folder}/{number}{ending}": content for number, content in enumerate(contents)}


ASKED: dict[str, tuple[Mapping[str, bytes], dict[Doubt, tuple[str, ...]]]] = {
    "names of masks": (
        named("JPEGImages", PHOTOS) | named("SegmentationClass", [photo(9), photo(8)]),
        {Doubt.MASKS: ("JPEGImages", "SegmentationClass")},
    ),
    "what masks look like": (
        named("street", PHOTOS) | named("a/street_m", MASKS, "_mask.png"),
        {Doubt.MASKS: ("street", "a")},
    ),
    "masks in splits": (
        named("train/x", PHOTOS)
        | named("train/y", MASKS, ".png")
        | named("val/x", [photo(9)])
        | named("val/y", [mask(9)]),
        {Doubt.MASKS: ("x", "y")},
    ),
    "drawings of other names": (named("photo", PHOTOS) | named("drawing", MASKS, "b.png"), {}),
    "two classes of numbered photographs": (
        named("a", PHOTOS) | named("b", [photo(seed) for seed in range(20, 26)]),
        {},
    ),
    "two classes of drawings": (named("a", MASKS) | named("b", [mask(seed + 9) for seed in range(6)]), {}),
    "people with masks": (named("with_mask", PHOTOS[:3]) | named("without_mask", PHOTOS[3:]), {}),
    "a black picture": (named("a", PHOTOS[:3]) | named("b", [*PHOTOS[3:], png("black")]), {Doubt.BLANK: ("b",)}),
    "colours": (named("red", REDS) | named("blue", BLUES), {}),
    "copies": (named("a", [PHOTOS[0]] * 5) | named("b", PHOTOS[1:]), {Doubt.COPIES: ("a",)}),
    "a few copies": (named("a", [PHOTOS[0]] * 4) | named("b", PHOTOS[1:]), {}),
    "next to empty": (
        named("a", [photo(100 + seed) for seed in range(51)]) | named("b", PHOTOS[:1]) | named("c", PHOTOS[1:3]),
        {Doubt.EMPTY: ("b",)},
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_likely_nonsense_is_asked_about_and_nothing_else(
    case: str, make_zip: MakeZip, settings: Settings
) -> None:
    files, expected = ASKED[case]
    assert doubts(read_collection(make_zip(files), settings)) == expected


@pytest.mark.parametrize(
    ("case", "doubt", "left"),
    [
        ("names of masks", Doubt.MASKS, {"JPEGImages": 6}),
        ("a black picture", Doubt.BLANK, {"a": 3, "b": 3}),
        ("copies", Doubt.COPIES, {"b": 5}),
        ("next to empty", Doubt.EMPTY, {"a": 51, "c": 2}),
    ],
)
def test_what_is_asked_about_can_be_left_out_or_kept(
    case: str, doubt: Doubt, left: dict[str, int], make_zip: MakeZip, settings: Settings
) -> None:
    collection = read_collection(make_zip(ASKED[case][0]), settings)
    without = reread(collection, Choices().answer(doubt, Answer.LEAVE_OUT), settings)
    assert sizes(without) == left
    assert without.reading is not None
    assert without.reading.open_questions == ()
    gone = sum(sizes(collection).values()) - sum(left.values())
    assert sum(each.num_pictures for each in without.reading.left_out) == gone == len(without.unused)
    kept = reread(without, Choices().answer(doubt, Answer.KEEP), settings)
    assert sizes(kept) == sizes(collection)


def test_masks_are_found_among_more_pictures_than_are_drawn(make_zip: MakeZip, settings: Settings) -> None:
    seeds = range(90)
    files = named("street", [photo(seed) for seed in seeds]) | named("m", [mask(seed) for seed in seeds], ".png")
    few = replace(settings, max_pictures=20)
    assert doubts(read_collection(make_zip(files), few)) == {Doubt.MASKS: ("street", "m")}


def test_real_photographs_raise_no_doubt(shared_data: Path, settings: Settings) -> None:
    assert doubts(read_collection(shared_data / "hymenoptera.zip", settings)) == {}


def test_a_question_names_a_few_of_many() -> None:
    names = tuple(f"c{number}" for number in range(9))
    assert str(put_question(Question(Doubt.COPIES, names))).startswith("c0; c1; c2; c3; c4; c5; …: all pictures are")
    assert {str(put_question(Question(doubt, ("a",)))).count("a") > 0 for doubt in Doubt} == {True}
