"""Class folders -> samples, split and report."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from demo.data.archives import Entry, read_archive
from demo.data.images import SUFFIXES, read_image
from demo.errors import (
    ClassTooSmall,
    ClassWithoutTraining,
    EntryNotAnImage,
    EntryOutsideClass,
    NoPictures,
    TooFewClasses,
    TooManyClasses,
    TooManyPictures,
    UploadError,
)
from demo.settings import Settings

VALIDATION_SHARE = 0.2
MAX_CLASS_NAME_LENGTH = 40
_SPLIT_SEED = 0


class Split(StrEnum):
    """What a sample is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


_SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training", "训练", "训练集"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "验证", "验证集"), Split.VALIDATION),
    **dict.fromkeys(("test", "testing", "测试", "测试集"), Split.TEST),
}


@dataclass(frozen=True)
class Sample:
    """One picture, still encoded, with its class index and split."""

    path: str
    image_bytes: bytes
    class_idx: int
    split: Split


@dataclass(frozen=True)
class Skipped:
    """One file that is left out, and why."""

    path: str
    reason: UploadError


@dataclass(frozen=True, eq=False)
class Dataset:
    """A visitor's pictures by class. Every sample was decoded once, so it can be decoded again."""

    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The number of samples: class name -> split -> count; splits without any sample are left out."""
        counted = Counter((sample.class_idx, sample.split) for sample in self.samples)
        return {
            name: {split.value: counted[idx, split] for split in Split if counted[idx, split]}
            for idx, name in enumerate(self.class_names)
        }


@dataclass(frozen=True)
class _Picture:
    """One picture before class indices and splits are settled."""

    path: str
    folders: tuple[str, ...]
    image_bytes: bytes
    split: Split | None = None


def read_dataset(path: Path, settings: Settings, *, name: str = "") -> Dataset:
    """Read a zip of class folders.

    An outer folder is looked through, `train`, `val` and `test` folders are respected, and where there is no
    validation folder a fifth of each class's training pictures, drawn with a fixed seed, is held out.

    Args:
        path: The uploaded zip.
        settings: Limits on the archive, its pictures and its classes.
        name: What to call the zip in an error.

    Returns:
        The dataset. Classes are in the order of their names; unusable files are in `skipped`.

    Raises:
        ArchiveError: If the archive as a whole cannot be read.
        DatasetError: If the pictures in it do not make a dataset.
    """
    entries = read_archive(path, settings, name=name)
    pictures, skipped = _usable_pictures(entries, settings)
    pictures, outside = _assign_folders(pictures)
    skipped += [Skipped(picture.path, EntryOutsideClass()) for picture in outside]
    class_names = _check_classes(pictures, settings)
    return Dataset(tuple(class_names.values()), tuple(_to_samples(pictures, class_names)), tuple(skipped))


def _usable_pictures(entries: Iterable[Entry], settings: Settings) -> tuple[list[_Picture], list[Skipped]]:
    pictures: list[_Picture] = []
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            if isinstance(entry.content, UploadError):
                raise entry.content
            if not entry.name.lower().endswith(SUFFIXES):
                raise EntryNotAnImage()
            read_image(entry.content, settings, name=entry.name)
        except UploadError as reason:
            skipped.append(Skipped(entry.path, reason))
        else:
            pictures.append(_Picture(entry.path, entry.folders, entry.content))
            _check_count(len(pictures), settings)
    if not pictures:
        raise NoPictures()
    return pictures, skipped


def _check_count(num_pictures: int, settings: Settings) -> None:
    if num_pictures > settings.max_pictures:
        raise TooManyPictures(limit=settings.max_pictures)


def _assign_folders(pictures: Sequence[_Picture]) -> tuple[list[_Picture], list[_Picture]]:
    """Look through outer and split folders; return the pictures in class folders and those in none."""
    pictures = _drop_outer_folders(pictures)
    tops = {picture.folders[0].lower() for picture in pictures if picture.folders}
    splits = {_SPLIT_FOLDERS[top] for top in tops & _SPLIT_FOLDERS.keys()}
    if tops <= _SPLIT_FOLDERS.keys() or splits >= {Split.TRAIN, Split.VALIDATION}:
        pictures = [_enter_split(picture) for picture in pictures]
    inside = [picture for picture in pictures if picture.folders]
    return inside, [picture for picture in pictures if not picture.folders]


def _enter_split(picture: _Picture) -> _Picture:
    """Take the split's folder off a picture's path; beside the splits' folders there are no classes."""
    split = _SPLIT_FOLDERS.get(picture.folders[0].lower()) if picture.folders else None
    return replace(picture, folders=picture.folders[1:] if split else (), split=split)


def _drop_outer_folders(pictures: Sequence[_Picture]) -> list[_Picture]:
    """Drop leading folders that all pictures share, as long as a folder is left to be the class."""
    pictures = list(pictures)
    while True:
        firsts = {picture.folders[0] for picture in pictures if picture.folders}
        if len(firsts) != 1 or not any(len(picture.folders) > 1 for picture in pictures):
            return pictures
        pictures = [replace(picture, folders=picture.folders[1:]) for picture in pictures]


def _class_folder(picture: _Picture) -> str:
    return picture.folders[0]


def _check_classes(pictures: Sequence[_Picture], settings: Settings) -> dict[str, str]:
    """Return each class folder's class name, in the order of the folders' names."""
    counts = Counter(_class_folder(picture) for picture in pictures)
    names = _name_classes(sorted(counts))
    if len(names) < settings.min_classes:
        listed = ", ".join(names.values()) or "-"
        raise TooFewClasses(count=len(names), names=listed, limit=settings.min_classes)
    if len(names) > settings.max_classes:
        raise TooManyClasses(count=len(names), limit=settings.max_classes)
    for folder, name in names.items():
        if counts[folder] < settings.min_pictures_per_class:
            raise ClassTooSmall(class_name=name, count=counts[folder], limit=settings.min_pictures_per_class)
    return names


def _name_classes(folders: Iterable[str]) -> dict[str, str]:
    """Shorten long folder names to class names, and number those that would become the same."""
    names: dict[str, str] = {}
    for folder in folders:
        name, number = folder[:MAX_CLASS_NAME_LENGTH], 1
        while name in names.values():
            number += 1
            ending = f"~{number}"
            name = folder[: MAX_CLASS_NAME_LENGTH - len(ending)] + ending
        names[folder] = name
    return names


def _to_samples(pictures: Sequence[_Picture], class_names: dict[str, str]) -> list[Sample]:
    splits, folders = _split(pictures), list(class_names)
    samples = [
        Sample(picture.path, picture.image_bytes, folders.index(_class_folder(picture)), split)
        for picture, split in zip(pictures, splits, strict=True)
    ]
    trained = {sample.class_idx for sample in samples if sample.split is Split.TRAIN}
    for idx, name in enumerate(class_names.values()):
        if idx not in trained:
            raise ClassWithoutTraining(class_name=name)
    return samples


def _split(pictures: Sequence[_Picture]) -> list[Split]:
    """Keep the splits that the folders name; hold out validation pictures where no folder does."""
    splits = [picture.split or Split.TRAIN for picture in pictures]
    if Split.VALIDATION in splits:
        return splits
    generator = np.random.default_rng(_SPLIT_SEED)
    by_class: dict[str, list[int]] = {}
    for idx, picture in enumerate(pictures):
        if splits[idx] is Split.TRAIN:
            by_class.setdefault(_class_folder(picture), []).append(idx)
    for name, idxs in sorted(by_class.items()):
        if len(idxs) < 2:  # one to learn from, one to check
            raise ClassTooSmall(class_name=name, count=len(idxs), limit=2)
        for idx in generator.permutation(idxs)[: max(1, round(VALIDATION_SHARE * len(idxs)))]:
            splits[idx] = Split.VALIDATION
    return splits
