"""Zips of class folders -> a collection: all that they list is laid out before any of it is read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from demo.data.arrangement import Kept, arrange, draw_files
from demo.data.collection import (
    Collection,
    Listing,
    Picture,
    Skipped,
    check_room,
    number_apart,
    read_picture,
    without_gaps,
)
from demo.data.drawing import draw_evenly, shuffle_files
from demo.data.errors import (
    EntryError,
    EntryLeftOut,
    EntryNotAnImage,
    EntryOutsideClass,
    ImageError,
    NoPictures,
    NothingUsable,
    ReadingTooLong,
    TooManyPictures,
    UploadError,
)
from demo.data.labels.labels import MAX_TABLE_BYTES, MAX_TABLES_BYTES, LabelsFound, find_labels, may_have_labels
from demo.data.layouts.layout import Layout
from demo.data.listing import ListedFile, may_be_picture
from demo.data.names import clean_name
from demo.data.pixels import HEAD_BYTES, PixelBudget
from demo.data.reading import Choices
from demo.data.sources import Sources, open_sources
from demo.data.starters import STARTERS
from demo.pace import working_s
from demo.settings import Settings

_NUM_NAMED = 3  # files that an error names if no file of an archive can be used
_MAX_ROUNDS = 4  # layouts: files that turn out to be no pictures may change what the others are
_UNUSED_SHARE = 10  # of as many pictures as can be used, one more is kept for another reading


def read_collection(
    paths: Path | Sequence[tuple[Path, str]], settings: Settings, *, name: str = "", choices: Choices | None = None
) -> Collection:
    """Read one zip, or several as one.

    What the zips list is laid out first, and then as many pictures as can be used are drawn, evenly, and decoded one
    after the other. What turns out to be no picture is replaced by the next one of its class.

    Args:
        paths: The uploaded zip, or several with their names; for whoever runs the program also a folder.
        settings: Limits on archives and their pictures.
        name: Name of the one zip; its own by default.
        choices: What the visitor has put right already.

    Returns:
        The classes in natural order of their names; what may be nonsense is in `reading.questions`.

    Raises:
        ArchiveError: If an archive as a whole cannot be read, not in time, or has too many pixels.
        NoPictures, NothingUsable: If there is none, or none that can be used.
        TooManyPictures: If the visitor's own leave no room.
        CollectionBytesExceeded, StorageFull: If there is no room for their bytes.
    """
    sources = [(paths, name or paths.name)] if isinstance(paths, Path) else paths
    return _read(Kept(), sources, choices or Choices(), settings)


def add_archives(collection: Collection | None, files: Sequence[tuple[Path, str]], settings: Settings) -> Collection:
    """Add zips to what a visitor has: one of the same name as before replaces that one, others join.

    All is laid out again, by the choices that the visitor has made. Classes of the page stay; a starter set does not.

    Args:
        collection: What there is, if anything; left unchanged, but its store grows.
        files: The uploaded zips and their names.
        settings: Limits on archives and their pictures.

    Returns:
        The collection.

    Raises:
        The errors of `read_collection`.
    """
    is_starter = collection is not None and collection.source in STARTERS and collection.reading is None
    if collection is None or is_starter:
        return read_collection(files, settings)
    if collection.store.num_bytes > 2 * settings.max_unpacked_bytes:
        collection = without_gaps(collection)
    kept = _keep(collection, without={_clean_source(name) for _, name in files})
    return _read(kept, files, _choices_of(collection), settings)


def remove_source(collection: Collection, name: str, settings: Settings) -> Collection:
    """Remove a zip's pictures, and lay out the others again."""
    kept = _keep(collection, without={name})
    if kept.sources:
        return arrange(kept, _choices_of(collection), settings)
    return Collection(classes=kept.own, skipped=kept.skipped, store=kept.store)


def reread(collection: Collection, choices: Choices, settings: Settings) -> Collection:
    """Lay the pictures of zips out again as a visitor wants it; no file is read.

    Args:
        collection: What was read from zips; left unchanged.
        choices: All that the visitor has put right.
        settings: Limits on pictures.

    Returns:
        The collection; classes that were renamed, joined or switched off stay so.
    """
    return arrange(_keep(collection), choices, settings)


def read_again(collection: Collection, settings: Settings) -> Collection:
    """Lay the pictures of zips out as at first: whatever the visitor has put right, renamed or joined is undone.

    The pictures of classes that were removed are gone; classes of the page stay.
    """
    return arrange(replace(_keep(collection), names={}, off=frozenset()), Choices(), settings)


def _choices_of(collection: Collection) -> Choices:
    return collection.reading.choices if collection.reading else Choices()


def _keep(collection: Collection, *, without: Iterable[str] = ()) -> Kept:
    """Take apart a collection: what is from zips, but for some of them, and what the visitor has done to it."""
    without = frozenset(without)
    pictures = {each.origin: each for each in (*collection.pictures, *collection.unused) if each.origin}
    own = [
        replace(each, pictures=tuple(one for one in each.pictures if one.origin is None))
        for each in collection.classes
        if not each.pictures or any(one.origin is None for one in each.pictures)
    ]
    listing = collection.listing
    kept = Kept(
        sources=collection.reading.sources if collection.reading else (),
        pictures=pictures,
        listing=listing,
        skipped=tuple(each for each in collection.skipped if not isinstance(each.reason, EntryOutsideClass)),
        own=tuple(own),
        off=frozenset(each.name for each in collection.classes if not each.is_on),
        store=collection.store,
    )
    return replace(
        kept,
        names=_find_names(collection, kept),
        sources=tuple(each for each in kept.sources if each not in without),
        pictures={file: one for file, one in pictures.items() if file.source not in without},
        listing=replace(
            listing,
            unread=tuple(file for file in listing.unread if file.source not in without),
            kept_back={name: count for name, count in listing.kept_back.items() if name not in without},
        ),
        skipped=tuple(each for each in kept.skipped if each.source not in without),
    )


def _find_names(collection: Collection, kept: Kept) -> Mapping[str, str]:
    """Return what the visitor has called each class, by what its folder or its label called it."""
    now = {one.origin: each.name for each in collection.classes for one in each.pictures if one.origin}
    layout = kept.find_structure(_choices_of(collection)).layout
    return {
        name: called
        for name, placed in layout.classes.items()
        if (called := next((now[file] for file, _ in placed if file in now), None))
    }


def _read(kept: Kept, named: Sequence[tuple[Path, str]], choices: Choices, settings: Settings) -> Collection:
    taken: set[str] = set()
    numbered = []
    for path, name in named:
        numbered.append((path, number_apart(_clean_source(name), taken)))
        taken.add(numbered[-1][1].casefold())
    with open_sources(numbered, settings) as sources:
        return arrange(_Reader(sources, kept, settings).read(choices), choices, settings)


def _clean_source(name: str) -> str:
    return clean_name(name) or "zip"


class _Reader:
    """Reads what is drawn of open zips, and notes what is no picture."""

    def __init__(self, sources: Sources, kept: Kept, settings: Settings) -> None:
        self._sources, self._kept, self._settings = sources, kept, settings
        self._pixels = PixelBudget(settings)
        self._deadline = working_s() + settings.max_reading_s
        self._pictures: dict[ListedFile, Picture] = dict(kept.pictures)
        self._failed: dict[ListedFile, UploadError] = {}
        self._num_bytes = sum(one.stored.num_bytes for one in kept.pictures.values())
        self._candidates = dict.fromkeys(file for file in sources.files if may_be_picture(file.name))

    def read(self, choices: Choices) -> Kept:
        """Read pictures, as many as can be used and some of those that are left out."""
        labels, used = self._read_labels()
        limit = self._settings.max_pictures - self._kept.num_own
        if limit < 1:
            raise TooManyPictures(limit=self._settings.max_pictures)
        layout = Layout()
        for _ in range(_MAX_ROUNDS):
            num_failed = len(self._failed)
            layout = self._gather(labels).find_structure(choices).layout
            usable = dict.fromkeys((*self._pictures, *self._unread()))
            for share, files in self._foresee(list(draw_files(layout, usable, limit))):
                self._read_share(files, share)
            if len(self._failed) == num_failed:
                break
        self._read_unused(layout, limit)
        self._check_usable(used)
        return self._gather(labels, used)

    def _unread(self) -> list[ListedFile]:
        return [file for file in self._candidates if file not in self._pictures and file not in self._failed]

    def _gather(self, labels: LabelsFound, used: Iterable[str] = ()) -> Kept:
        listing, names = self._kept.listing, self._sources.names
        kept_back = {**listing.kept_back, **self._sources.kept_back}
        return replace(
            self._kept,
            sources=(*self._kept.sources, *names),
            pictures=self._pictures,
            listing=Listing((*listing.unread, *self._unread()), labels, kept_back),
            skipped=(*self._kept.skipped, *self._list_skipped(frozenset(used))),
        )

    def _list_skipped(self, used: frozenset[str]) -> list[Skipped]:
        """List the files that are no pictures, in the order of the zips; tables of labels that are used are none."""
        no_image = EntryNotAnImage()
        others = {
            file: no_image for file in self._sources.files if file not in self._candidates and file.path not in used
        }
        reasons: dict[ListedFile, UploadError] = {**others, **self._failed, **self._sources.refused}
        in_order = sorted(reasons, key=lambda file: file.number)
        return [Skipped(file.path, reasons[file], file.source) for file in in_order]

    def _read_labels(self) -> tuple[LabelsFound, frozenset[str]]:
        """Read the tables of labels; return them, with those of earlier zips, and the paths of the files used."""
        tables: list[tuple[str, bytes]] = []
        left_bytes = MAX_TABLES_BYTES
        for file in self._sources.files:
            if file not in self._candidates and may_have_labels(file.name):
                self._check_time()
                content = self._sources.read(file, min(MAX_TABLE_BYTES, left_bytes))
                if isinstance(content, bytes):
                    tables.append((file.path, content))
                    left_bytes -= len(content)
        paths = [file.path for file in (*self._pictures, *self._kept.listing.unread, *self._candidates)]
        found, before = find_labels(tables, paths), self._kept.listing.labels
        keys = {each.table.key() for each in found.labellings}
        labellings = (*found.labellings, *(each for each in before.labellings if each.table.key() not in keys))
        used = frozenset(path for each in found.labellings for path in each.files)
        return LabelsFound(labellings, (*found.refused, *before.refused)), used

    def _foresee(self, drawn: list[tuple[int, list[ListedFile]]]) -> list[tuple[int, list[ListedFile]]]:
        """Return what is drawn; refuse what would take too long before any of it is decoded."""
        unread = (file for share, files in drawn for file in files[:share] if file not in self._pictures)
        self._pixels.foresee(self._sources.peek(file, HEAD_BYTES) for file in unread if file not in self._failed)
        return drawn

    def _read_share(self, files: Sequence[ListedFile], share: int) -> None:
        """Read files until so many of them are pictures."""
        num_pictures = 0
        for file in files:
            if num_pictures >= share:
                return
            if file not in self._pictures and file not in self._failed:
                self._read_picture(file)
            num_pictures += file in self._pictures

    def _read_picture(self, file: ListedFile) -> None:
        self._check_time()
        settings, store = self._settings, self._kept.store
        try:
            content = self._sources.read(file, settings.max_image_bytes)
            if isinstance(content, EntryError):
                raise content
            self._pixels.spend(content)
            picture = read_picture(content, store, settings, path=file.path)
        except (EntryError, ImageError) as reason:
            self._failed[file] = reason
        else:
            self._pictures[file] = replace(picture, origin=file)
            self._num_bytes += picture.stored.num_bytes
            check_room(0, self._num_bytes, settings)

    def _read_unused(self, layout: Layout, limit: int) -> None:
        """Read some of the pictures that are left out, evenly by folder: the visitor may want them yet."""
        by_folder: dict[str, list[ListedFile]] = defaultdict(list)
        for file in (*layout.loose, *layout.unused):
            if file in self._candidates:
                by_folder["/".join(file.folders)].append(file)
        room = max(limit // _UNUSED_SHARE, limit - layout.num_used)
        counts = {folder: {"": len(files)} for folder, files in by_folder.items()}
        for (folder, _), share in draw_evenly(counts, room).items():
            self._read_share(shuffle_files(by_folder[folder]), share)

    def _check_time(self) -> None:
        if working_s() > self._deadline:  # other visitors wait to have their zips read
            count = len(self._pictures) - len(self._kept.pictures) + len(self._failed)
            raise ReadingTooLong(count=count, limit=self._settings.max_reading_s)

    def _check_usable(self, used: frozenset[str]) -> None:
        if len(self._pictures) > len(self._kept.pictures):
            return
        skipped = self._list_skipped(used)
        if skipped:
            named = [EntryLeftOut(path=each.path, reason=each.reason) for each in skipped[:_NUM_NAMED]]
            raise NothingUsable(count=len(skipped), reasons=named)
        raise NoPictures()
