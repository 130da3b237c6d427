"""Classes as they were read -> doubts about them, by what their pictures show."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from demo.data.collection import Picture
from demo.data.formats.tones import Note
from demo.data.layouts.errors import (
    AskBlank,
    AskCopies,
    AskEmpty,
    AskMasks,
    AskNames,
    AskNested,
    AskSplits,
    QuestionError,
)
from demo.data.listing import fold
from demo.data.reading import Doubt, Question

_NEARLY_EMPTY = 50  # times that the largest class has the pictures of one that is nearly empty
_COPIES = 5  # equal pictures that make a class of copies
_MASK_NAMES = {
    *("mask", "masks", "segmentation", "segmentations", "segmentationclass", "segmentationobject", "label", "labels"),
    *("annotation", "annotations", "annot", "gt", "groundtruth", "trimap", "trimaps", "掩码", "掩膜", "标签", "标注"),
}
_IMAGE_NAMES = {
    *("image", "images", "img", "imgs", "jpegimages", "picture", "pictures", "photo", "photos", "input", "inputs"),
    *("original", "originals", "rgb", "原图", "图片", "图像", "照片", "画像", "원본"),
}
_MASK_ENDINGS = ("mask", "segmentation", "seg", "gt", "label", "l", "annot")
_FEWEST_STEMS = 3  # pictures with a mask of the same name that are no chance
_SHARE_OF_STEMS = 0.8  # pictures that have a mask of the same name
_FEW_COLOURS = 8  # colours, of 512, that make up nearly all of a mask
_MANY_COLOURS = 12
_NEARLY_ALL = 0.95

_NUM_NAMED = 6  # subjects that a question names
_ERRORS: Mapping[Doubt, Callable[..., QuestionError]] = {
    Doubt.SPLITS: AskSplits,
    Doubt.MASKS: AskMasks,
    Doubt.NESTED: AskNested,
    Doubt.EMPTY: AskEmpty,
    Doubt.COPIES: AskCopies,
    Doubt.BLANK: AskBlank,
    Doubt.NAMES: AskNames,
}

Classes = Mapping[str, Sequence[Picture]]


def find_doubts(classes: Classes, file_names: Mapping[str, Sequence[str]]) -> list[Question]:
    """Return what is likely nonsense about classes.

    Args:
        classes: Name of each class -> its pictures, at least one.
        file_names: Name of each class -> the names of the files from which these were drawn.

    Returns:
        A question for each kind of doubt that there is.
    """
    largest = max(map(len, classes.values()), default=0)
    stems = {name: set(map(_stem, names)) for name, names in file_names.items()}
    doubts = [
        (Doubt.MASKS, tuple(_find_masks(classes, stems))),
        (Doubt.EMPTY, tuple(name for name, each in classes.items() if len(each) * _NEARLY_EMPTY < largest)),
        (Doubt.COPIES, tuple(name for name, pictures in classes.items() if _are_copies(pictures))),
        (Doubt.BLANK, tuple(_find_with_blanks(classes))),
    ]
    return [Question(doubt, subjects) for doubt, subjects in doubts if subjects]


def put_question(question: Question) -> QuestionError:
    """Return a question as an error, which has a sentence in every language."""
    named = question.subjects[:_NUM_NAMED]
    return _ERRORS[question.doubt](subjects=named if named == question.subjects else (*named, "…"))


def is_blank(picture: Picture) -> bool:
    """Say whether a picture is of one colour."""
    return Note.BLACK in picture.notes or Note.ONE_COLOUR in picture.notes


def _find_with_blanks(classes: Classes) -> Iterator[str]:
    """Yield the classes with pictures of one colour; where there is nothing else, colours are what is learned."""
    blanks = {name: [is_blank(each) for each in pictures] for name, pictures in classes.items()}
    if not all(map(all, blanks.values())):
        yield from (name for name, each in blanks.items() if any(each))


def _are_copies(pictures: Sequence[Picture]) -> bool:
    return len(pictures) >= _COPIES and len({each.stored.digest for each in pictures}) == 1


def _find_masks(classes: Classes, stems: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield a class of pictures and then the classes of their masks, if there are any."""
    colours = {name: _count_colours(pictures) for name, pictures in classes.items()}
    with_many = [name for name in classes if colours[name] >= _MANY_COLOURS]
    with_few = [name for name in classes if colours[name] <= _FEW_COLOURS]
    for name in classes:
        masks = [other for other in classes if _plain(name) in _IMAGE_NAMES and _plain(other) in _MASK_NAMES]
        if name in with_many:
            masks += [other for other in with_few if other not in masks and _have_stems(stems[name], stems[other])]
        if masks:
            yield from (name, *masks)
            return


def _have_stems(pictures: set[str], masks: set[str]) -> bool:
    shared = len(pictures & masks)
    return shared >= _FEWEST_STEMS and shared >= _SHARE_OF_STEMS * min(len(pictures), len(masks))


def _plain(name: str) -> str:
    return "".join(character for character in fold(name) if character.isalnum())


def _stem(name: str) -> str:
    """Return a file's name without its suffix, and without what tells that it is a mask."""
    stem = (name.rpartition(".")[0] or name).casefold()
    for ending in _MASK_ENDINGS:
        for joint in "_-. ":
            stem = stem.removesuffix(joint + ending)
    return stem


def _count_colours(pictures: Sequence[Picture]) -> int:
    """Return how many colours make up nearly all of a picture, in the middle one of a few."""
    counts = []
    for each in pictures[:5]:
        with Image.open(BytesIO(each.thumbnail), formats=["JPEG"]) as thumbnail:
            levels = np.asarray(thumbnail.convert("RGB")) >> 5
        found = Counter((levels.astype(np.int32) @ np.array([64, 8, 1])).ravel().tolist())
        shares = np.cumsum([count for _, count in found.most_common()]) / levels[..., 0].size
        counts.append(int(np.searchsorted(shares, _NEARLY_ALL)) + 1)
    return sorted(counts)[len(counts) // 2]
