"""A zip of class folders -> a collection."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from demo.data.archives import Entry, iter_archive
from demo.data.collection import (
    MAX_CLASS_NAME_LENGTH,
    Collection,
    Picture,
    PictureClass,
    Skipped,
    Split,
    check_room,
    number_apart,
    read_picture,
)
from demo.data.errors import (
    EntryError,
    EntryLeftOut,
    EntryNotAnImage,
    EntryOutsideClass,
    ImageError,
    NoPictures,
    NothingUsable,
    ReadingTooLong,
)
from demo.data.images import SUFFIXES
from demo.data.store import PictureStore
from demo.settings import Settings

_NUM_NAMED = 3  # files that an error names if no file of an archive can be used
_SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training", "训练", "训练集"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "验证", "验证集"), Split.VALIDATION),
    **dict.fromkeys(("test", "testing", "测试", "测试集"), Split.TEST),
}


@dataclass(frozen=True)
class _Filed:
    """One picture and the folders that it lies in, without those that were recognised as outer or split folders."""

    folders: tuple[str, ...]
    picture: Picture


def read_collection(path: Path, settings: Settings, *, name: str = "") -> Collection:
    """Read a zip of class folders.

    Outer folders are skipped, and `train`, `val` and `test` folders become the splits of their pictures. The pictures
    are decoded one after the other, and written to the collection's store.

    Args:
        path: The uploaded zip.
        settings: Limits on the archive and its pictures.
        name: Name of the zip; its own by default.

    Returns:
        The classes in the order of their folders' names; unusable files are in `skipped`.

    Raises:
        ArchiveError: If the archive as a whole cannot be read, or not in time.
        NoPictures, NothingUsable, TooManyPictures: If it holds none, none that can be used, or too many.
        CollectionBytesExceeded, StorageFull: If there is no room for them.
    """
    store = PictureStore()
    filed, skipped = _usable_pictures(iter_archive(path, settings, name=name), store, settings)
    filed, outside = _assign_folders(filed)
    skipped += [Skipped(each.picture.path, EntryOutsideClass()) for each in outside]
    return Collection(tuple(_make_classes(filed)), tuple(skipped), name or path.name, store)


def _usable_pictures(
    entries: Iterable[Entry], store: PictureStore, settings: Settings
) -> tuple[list[_Filed], list[Skipped]]:
    filed: list[_Filed] = []
    skipped: list[Skipped] = []
    deadline = time.monotonic() + settings.max_reading_s
    for entry in entries:
        if time.monotonic() > deadline:  # other visitors wait to have their zips read
            raise ReadingTooLong(count=len(filed) + len(skipped), limit=settings.max_reading_s)
        try:
            if isinstance(entry.content, EntryError):
                raise entry.content
            if not entry.name.lower().endswith(SUFFIXES):
                raise EntryNotAnImage()
            picture = read_picture(entry.content, store, settings, path=entry.path)
        except (EntryError, ImageError) as reason:
            skipped.append(Skipped(entry.path, reason))
        else:
            filed.append(_Filed(entry.folders, picture))
            check_room(len(filed), store.num_bytes, settings)
    if skipped and not filed:
        named = [EntryLeftOut(path=each.path, reason=each.reason) for each in skipped[:_NUM_NAMED]]
        raise NothingUsable(count=len(skipped), reasons=named)
    if not filed:
        raise NoPictures()
    return filed, skipped


def _assign_folders(filed: Sequence[_Filed]) -> tuple[list[_Filed], list[_Filed]]:
    """Remove outer and split folders from the paths; return the pictures in class folders and those in none."""
    filed = _drop_outer_folders(filed)
    tops = {each.folders[0].lower() for each in filed if each.folders}
    splits = {_SPLIT_FOLDERS[top] for top in tops & _SPLIT_FOLDERS.keys()}
    if tops <= _SPLIT_FOLDERS.keys() or splits >= {Split.TRAIN, Split.VALIDATION}:
        filed = [_enter_split(each) for each in filed]
    inside = [each for each in filed if each.folders]
    return inside, [each for each in filed if not each.folders]


def _enter_split(each: _Filed) -> _Filed:
    """Turn a picture's first folder into its split; a picture beside the split folders is in no class."""
    split = _SPLIT_FOLDERS.get(each.folders[0].lower()) if each.folders else None
    return _Filed(each.folders[1:] if split else (), replace(each.picture, split=split))


def _drop_outer_folders(filed: Sequence[_Filed]) -> list[_Filed]:
    """Drop leading folders that all pictures share, as long as a folder is left for the class."""
    filed = list(filed)
    while True:
        firsts = {each.folders[0] for each in filed if each.folders}
        if len(firsts) != 1 or not any(len(each.folders) > 1 for each in filed):
            return filed
        filed = [replace(each, folders=each.folders[1:]) for each in filed]


def _make_classes(filed: Iterable[_Filed]) -> list[PictureClass]:
    """Make a class of each folder; long names are shortened, and names that become equal are numbered."""
    by_folder: dict[str, list[Picture]] = {}
    for each in filed:
        by_folder.setdefault(each.folders[0], []).append(each.picture)
    taken: set[str] = set()
    classes = []
    for folder in sorted(by_folder):
        name = number_apart(folder, taken, max_length=MAX_CLASS_NAME_LENGTH)
        taken.add(name.casefold())
        classes.append(PictureClass(name, tuple(by_folder[folder])))
    return classes
