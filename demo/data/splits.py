"""Classes of pictures -> samples: which to learn from, which to choose by, which to test with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from demo.data.collection import Picture, PictureClass, Split
from demo.data.errors import ClassTooSmall, ClassWithoutTraining

HELD_OUT_SHARE = 0.2  # for validation, and again for the test
MIN_PICTURES_FOR_TEST = 10  # in each class


@dataclass(frozen=True)
class Sample:
    """One picture with its class index and split; still encoded, and on disk until it is asked for."""

    picture: Picture
    class_idx: int
    split: Split

    @property
    def path(self) -> str:
        """What to call the picture in reports and errors."""
        return self.picture.path

    @property
    def image_bytes(self) -> bytes:
        """The encoded picture, read from the store at each call."""
        return self.picture.stored.read()

    @property
    def digest(self) -> str:
        """The SHA-256 of the encoded picture, in hexadecimal."""
        return self.picture.stored.digest

    @property
    def thumbnail(self) -> bytes:
        """The picture as a small JPEG."""
        return self.picture.thumbnail


@dataclass(frozen=True)
class _Plan:
    """What the folders of all classes together leave to be drawn."""

    dictated: frozenset[Split]
    draws_test: bool

    def parts(self, pictures: Sequence[Picture]) -> list[Split]:
        """Return the splits that are to be drawn from the training pictures of one class."""
        is_free = all(picture.split is None for picture in pictures)
        draws_test = self.draws_test or (
            is_free and Split.TEST in self.dictated and len(pictures) >= MIN_PICTURES_FOR_TEST
        )
        parts = [Split.VALIDATION] if is_free or Split.VALIDATION not in self.dictated else []
        return [*parts, *([Split.TEST] if draws_test else [])]


def split_classes(
    classes: Sequence[PictureClass], groups: Sequence[int], *, seed: int = 0
) -> tuple[list[Sample], tuple[str, ...]]:
    """Settle what each picture is for.

    Folders that say so are respected. Where none does, a fifth of each class is drawn for validation, and, if every
    class has at least 10 pictures, another fifth for the test. Where folders name splits and none for validation, it
    is drawn from each class's training pictures. A class without any folder, among classes with such folders, is
    drawn from as if it stood alone, for the splits that the others have.

    Near-duplicates of a class are drawn together, as far as they lie in what is drawn from; the largest group is
    learned from. A class with too few groups to fill every split is drawn from picture by picture.

    Args:
        classes: Names and pictures.
        groups: Group of near-duplicates of each picture, through all classes.
        seed: Of the draw.

    Returns:
        The samples, in the order of the classes and their pictures, and the names of classes that were drawn from
        picture by picture although they have near-duplicates.

    Raises:
        ClassTooSmall: If a class has only one picture to learn from and to draw from.
        ClassWithoutTraining: If a class has no picture to learn from.
    """
    plan = _make_plan(classes)
    generator = np.random.default_rng(seed)
    samples: list[Sample] = []
    by_picture = []
    for class_idx, each in enumerate(classes):
        splits, was_by_picture = _split_class(each, groups[len(samples) :], plan.parts(each.pictures), generator)
        samples += [Sample(one, class_idx, split) for one, split in zip(each.pictures, splits, strict=True)]
        by_picture += [each.name] if was_by_picture else []
    return samples, tuple(by_picture)


def _make_plan(classes: Sequence[PictureClass]) -> _Plan:
    dictated = frozenset(picture.split for each in classes for picture in each.pictures if picture.split)
    are_large = all(len(each.pictures) >= MIN_PICTURES_FOR_TEST for each in classes)
    return _Plan(dictated, draws_test=are_large and not dictated)


def _split_class(
    each: PictureClass, groups: Sequence[int], parts: Sequence[Split], generator: np.random.Generator
) -> tuple[list[Split], bool]:
    """Return the split of each picture, and whether near-duplicates had to be parted."""
    splits = [picture.split or Split.TRAIN for picture in each.pictures]
    idxs = [idx for idx, split in enumerate(splits) if split is Split.TRAIN]
    if not idxs:
        raise ClassWithoutTraining(class_name=each.name)
    if not parts:
        return splits, False
    if len(idxs) < 2:  # one to learn from, one to check
        raise ClassTooSmall(class_name=each.name, count=len(idxs), limit=2)
    order = [int(idx) for idx in generator.permutation(idxs)]
    bundles = _bundle(order, groups)
    has_too_few = len(bundles) <= len(parts)
    if has_too_few:
        bundles = [[idx] for idx in order]
    for idx, split in _draw(bundles, parts):
        splits[idx] = split
    return splits, has_too_few


def _bundle(order: Iterable[int], groups: Sequence[int]) -> list[list[int]]:
    """Put the pictures of one group together, in the order of the first of each."""
    bundles: dict[int, list[int]] = {}
    for idx in order:
        bundles.setdefault(groups[idx], []).append(idx)
    return list(bundles.values())


def _draw(bundles: Sequence[list[int]], parts: Sequence[Split]) -> Iterable[tuple[int, Split]]:
    """Take whole bundles for each part, as near to its share as they come; the largest one is not among them."""
    share = max(1, round(HELD_OUT_SHARE * sum(map(len, bundles))))
    kept = max(range(len(bundles)), key=lambda idx: (len(bundles[idx]), idx))
    left = [bundle for idx, bundle in enumerate(bundles) if idx != kept]
    for part, num_later in zip(parts, reversed(range(len(parts))), strict=True):
        taken: list[int] = []
        for bundle in list(left):
            comes_nearer = len(bundle) < 2 * (share - len(taken))
            if comes_nearer and len(left) > num_later:
                taken += bundle
                left.remove(bundle)
        if not taken:  # every bundle is far larger than the share
            taken = min(left, key=len)
            left.remove(taken)
        yield from ((idx, part) for idx in taken)
