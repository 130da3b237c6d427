"""Classes of pictures -> samples, split for training, validation and test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from demo.data.collection import Picture, PictureClass, Split
from demo.data.errors import ClassTooSmall, ClassWithoutTraining

HELD_OUT_SHARE = 0.2  # share of a class for validation, and again for the test
MIN_PICTURES_FOR_TEST = 10  # a class with fewer pictures is not split for a test


@dataclass(frozen=True)
class Sample:
    """One picture with its class index and split; it stays encoded, and on disk until it is read."""

    picture: Picture
    class_idx: int
    split: Split

    @property
    def path(self) -> str:
        """The label of the picture in reports and errors."""
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
    """The splits that folders dictate, over all classes together, and whether a test is split off at random."""

    dictated: frozenset[Split]
    splits_test: bool

    def parts(self, pictures: Sequence[Picture]) -> list[Split]:
        """Return the splits that are chosen at random from the training pictures of one class."""
        is_free = all(picture.split is None for picture in pictures)
        splits_test = self.splits_test or (
            is_free and Split.TEST in self.dictated and len(pictures) >= MIN_PICTURES_FOR_TEST
        )
        parts = [Split.VALIDATION] if is_free or Split.VALIDATION not in self.dictated else []
        return [*parts, *([Split.TEST] if splits_test else [])]


def split_classes(
    classes: Sequence[PictureClass], groups: Sequence[int], *, seed: int = 0
) -> tuple[list[Sample], tuple[str, ...]]:
    """Assign each picture to a split.

    Splits that folders name are kept. If no folder names one, a fifth of each class is chosen at random for validation
    and, if every class has at least 10 pictures, another fifth for the test. If folders name splits but not validation,
    it is chosen from each class's training pictures. A class without split folders, among classes with them, is split
    as if it were alone, into the splits that the others have.

    Near-duplicates of a class go to the same split, except those that folders place; the largest group is for
    training. A class with too few groups to fill every split is split picture by picture.

    Args:
        classes: Names and pictures.
        groups: Group of near-duplicates of each picture, over all classes.
        seed: Source of the random choice.

    Returns:
        The samples, in the order of the classes and their pictures, and the names of classes that were split
        picture by picture although they have near-duplicates.

    Raises:
        ClassTooSmall: If a class has only one picture for training and for the splits chosen from it.
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
    return _Plan(dictated, splits_test=are_large and not dictated)


def _split_class(
    each: PictureClass, groups: Sequence[int], parts: Sequence[Split], generator: np.random.Generator
) -> tuple[list[Split], bool]:
    """Return the split of each picture, and whether near-duplicates were split picture by picture."""
    splits = [picture.split or Split.TRAIN for picture in each.pictures]
    idxs = [idx for idx, split in enumerate(splits) if split is Split.TRAIN]
    if not idxs:
        raise ClassWithoutTraining(class_name=each.name)
    if not parts:
        return splits, False
    if len(idxs) < 2:  # one picture is for training, one for checking
        raise ClassTooSmall(class_name=each.name, count=len(idxs), limit=2)
    order = [int(idx) for idx in generator.permutation(idxs)]
    bundles = _bundle(order, groups)
    has_too_few = len(bundles) <= len(parts)
    if has_too_few:
        bundles = [[idx] for idx in order]
    for idx, split in _choose(bundles, parts):
        splits[idx] = split
    return splits, has_too_few


def _bundle(order: Iterable[int], groups: Sequence[int]) -> list[list[int]]:
    """Return the pictures of each group together, in the order of the groups' first pictures."""
    bundles: dict[int, list[int]] = {}
    for idx in order:
        bundles.setdefault(groups[idx], []).append(idx)
    return list(bundles.values())


def _choose(bundles: Sequence[list[int]], parts: Sequence[Split]) -> Iterable[tuple[int, Split]]:
    """Choose whole bundles for each part, to come as near to its share as possible; the largest stays for training."""
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
