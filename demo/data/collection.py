"""A visitor's collection of classes of pictures, as immutable values: each edit returns a new one."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from demo.data.duplicates import fingerprint
from demo.data.errors import (
    ClassNameEmpty,
    ClassNameTaken,
    ClassNameTooLong,
    CollectionBytesExceeded,
    ImageError,
    TooManyClasses,
    TooManyPictures,
    UnknownClass,
    UploadError,
)
from demo.data.formats.apart import APART
from demo.data.formats.tones import Note
from demo.data.images import decode_image, pack_image, pack_jpeg, shrink
from demo.data.labels.labels import LabelsFound
from demo.data.listing import ListedFile
from demo.data.names import clean_name
from demo.data.pixels import PixelBudget
from demo.data.reading import Reading
from demo.data.store import PictureStore, StoredPicture
from demo.errors import forget_origin
from demo.pace import rest
from demo.settings import MEGABYTE, Settings

MAX_CLASS_NAME_LENGTH = 40


class Split(StrEnum):
    """The use of a picture: to learn from, to choose a model by, or to test it."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class Picture:
    """One picture that was decoded once, so that it can be decoded again.

    `path` is only a label for reports; `thumbnail` is a JPEG; `split` is what the picture's folder names, if any;
    `notes` are what a visitor ought to know of how it was read; `origin` is the file of a zip that it was.
    """

    path: str
    stored: StoredPicture
    thumbnail: bytes
    fingerprint: bytes
    split: Split | None = None
    notes: tuple[Note, ...] = ()
    origin: ListedFile | None = None


@dataclass(frozen=True)
class PictureClass:
    """A class's name and pictures; a class that is off is kept but not learned."""

    name: str
    pictures: tuple[Picture, ...] = ()
    is_on: bool = True


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and the reason; `source` is the zip that it was in, if any."""

    path: str
    reason: UploadError
    source: str = ""

    def __post_init__(self) -> None:
        forget_origin(self.reason)


@dataclass(frozen=True)
class Listing:
    """What is known of a visitor's zips beside the pictures that are kept, so that they can be laid out again.

    Attributes:
        unread: Files that are believed to be pictures, and were not drawn.
        labels: The tables of labels among the files.
        kept_back: Name of a zip -> pictures that the visitor's browser had and did not send.
    """

    unread: tuple[ListedFile, ...] = ()
    labels: LabelsFound = field(default_factory=LabelsFound)
    kept_back: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Collection:
    """A visitor's classes in the order of the page; `source` is the name of a zip or a starter set, or empty.

    Attributes:
        reading: How the files of zips became these classes; None where the visitor made them on the page.
        unused: Pictures of the zips that are in no class; another reading may want them.
        listing: What the zips have beside the pictures that are kept.
    """

    classes: tuple[PictureClass, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    source: str = ""
    reading: Reading | None = None
    unused: tuple[Picture, ...] = ()
    listing: Listing = field(default_factory=Listing)
    store: PictureStore = field(default_factory=PictureStore, compare=False, repr=False)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures of all classes, including those that are off."""
        return tuple(picture for each in self.classes for picture in each.pictures)

    @property
    def num_bytes(self) -> int:
        """The bytes of all pictures together, as they were uploaded."""
        return sum(picture.stored.num_bytes for picture in (*self.pictures, *self.unused))

    @property
    def num_listed(self) -> int:
        """The number of files of zips that are known by name and not kept, and of labels in tables."""
        labels = sum(len(column) for each in self.listing.labels.labellings for column in each.labels.values())
        return len(self.listing.unread) + len(self.skipped) + labels


def read_picture(
    source: Path | bytes, store: PictureStore, settings: Settings, *, path: str, split: Split | None = None
) -> Picture:
    """Decode one untrusted picture to check it, and store its bytes; those of rare formats as a PNG of what is kept.

    Args:
        source: The file, or its bytes.
        store: Store of the encoded picture.
        settings: Limits on the picture.
        path: Label of the picture in reports; errors leave it to them.
        split: The split that its folder names.

    Returns:
        The picture, with its thumbnail, fingerprint and notes.

    Raises:
        ImageError: One of its kinds, if it cannot be decoded within the limits.
        StorageFull: If there is no room for it.
    """
    rest()
    decoded = decode_image(source, settings, name="")
    small = shrink(decoded.image)
    if decoded.kind in APART:  # which takes a process; a picture is decoded again for each training
        content = pack_image(decoded.image)
    else:
        content = source if isinstance(source, bytes) else source.read_bytes()
    return Picture(path, store.add(content), pack_jpeg(small), fingerprint(small), split, decoded.notes)


def check_room(num_pictures: int, num_bytes: int, settings: Settings) -> None:
    """Raise TooManyPictures or CollectionBytesExceeded if a visitor's pictures exceed the settings' limits."""
    if num_pictures > settings.max_pictures:
        raise TooManyPictures(limit=settings.max_pictures)
    if num_bytes > settings.max_unpacked_bytes:
        raise CollectionBytesExceeded(limit=settings.max_unpacked_bytes / MEGABYTE)


def find_class(collection: Collection, name: str) -> PictureClass:
    """Return a class by its name, or raise UnknownClass."""
    for each in collection.classes:
        if each.name == name:
            return each
    raise UnknownClass(class_name=name)


def add_class(collection: Collection, name: str, *, settings: Settings) -> Collection:
    """Add an empty class at the end.

    Raises:
        ClassNameEmpty, ClassNameTooLong, ClassNameTaken: If the name, once cleaned, cannot be used.
        TooManyClasses: If there are as many as the page can show.
    """
    name = _check_name(name, [each.name for each in collection.classes])
    if len(collection.classes) >= settings.max_classes:
        raise TooManyClasses(count=len(collection.classes) + 1, limit=settings.max_classes)
    return replace(collection, classes=(*collection.classes, PictureClass(name)))


def rename_class(collection: Collection, name: str, *, new_name: str) -> Collection:
    """Give a class another name; it may differ from the old one in capitals alone.

    Raises:
        UnknownClass: If there is no class of the old name.
        ClassNameEmpty, ClassNameTooLong, ClassNameTaken: If the new name, once cleaned, cannot be used.
    """
    old = find_class(collection, name)
    new_name = _check_name(new_name, [each.name for each in collection.classes if each is not old])
    return _put(collection, replace(old, name=new_name), old)


def remove_class(collection: Collection, name: str) -> Collection:
    """Remove a class and its pictures, or raise UnknownClass."""
    gone = find_class(collection, name)
    # The folders of a zip mean what they meant before, though one of them is empty now.
    unread = (*collection.listing.unread, *(each.origin for each in gone.pictures if each.origin))
    kept = tuple(each for each in collection.classes if each is not gone)
    return replace(collection, classes=kept, listing=replace(collection.listing, unread=unread))


def join_classes(collection: Collection, names: Sequence[str], *, new_name: str = "") -> Collection:
    """Make one class of several, in the place of the first.

    Args:
        collection: Collection to start from; left unchanged.
        names: Names of the classes; one that stands twice counts once.
        new_name: Name of the class that they make; that of the first by default.

    Raises:
        UnknownClass: If there is no class of one of the names.
        ClassNameEmpty, ClassNameTooLong, ClassNameTaken: If the new name, once cleaned, cannot be used.
    """
    first, *others = [find_class(collection, name) for name in dict.fromkeys(names)]
    left = [each.name for each in collection.classes if each not in (first, *others)]
    pictures = tuple(picture for each in (first, *others) for picture in each.pictures)
    joined = replace(first, name=_check_name(new_name or first.name, left), pictures=pictures)
    classes = tuple(joined if each is first else each for each in collection.classes if each not in others)
    return replace(collection, classes=classes)


def switch_class(collection: Collection, name: str, *, is_on: bool) -> Collection:
    """Switch a class on, or off so that it is kept but not learned; raise UnknownClass if there is none."""
    old = find_class(collection, name)
    return _put(collection, replace(old, is_on=is_on), old)


def add_pictures(
    collection: Collection, class_name: str, *, files: Iterable[tuple[str, Path | bytes]], settings: Settings
) -> Collection:
    """Read pictures into a class; pictures that cannot be used are in `skipped`, with the reasons.

    Args:
        collection: Collection to start from; left unchanged, but its store grows.
        class_name: The class that they belong to.
        files: For each picture a name for reports, and the file or its bytes.
        settings: Limits on each picture and on all together.

    Returns:
        The collection with the pictures at the end of their class.

    Raises:
        UnknownClass: If there is no such class.
        PixelsExceeded: If they would take too long to decode, by their headers; then none is decoded.
        TooManyPictures, CollectionBytesExceeded: If there would be too many; then none is added.
        StorageFull: If the disk has no room for them.
    """
    if collection.store.num_bytes > 2 * settings.max_unpacked_bytes:
        collection = without_gaps(collection)
    old = find_class(collection, class_name)
    files = list(files)
    PixelBudget(settings).foresee_files(source for _, source in files)
    labels = {picture.path.casefold() for picture in collection.pictures}
    num_pictures, num_bytes = len(collection.pictures), collection.num_bytes
    pictures: list[Picture] = []
    skipped: list[Skipped] = []
    for name, source in files:
        label = number_apart(clean_name(name.replace("\\", "/").rpartition("/")[2]) or class_name, labels)
        try:
            picture = read_picture(source, collection.store, settings, path=label)
        except ImageError as reason:
            skipped.append(Skipped(label, reason))
            continue
        pictures.append(picture)
        labels.add(label.casefold())
        num_bytes += picture.stored.num_bytes
        check_room(num_pictures + len(pictures), num_bytes, settings)
    added = _put(collection, replace(old, pictures=(*old.pictures, *pictures)), old)
    return replace(added, skipped=(*collection.skipped, *skipped))


def number_apart(name: str, taken: Container[str], *, max_length: int | None = None) -> str:
    """Shorten a name, and number it if its casefolded form is taken: "cat", "Cat~2", "cat~3"."""
    numbered, number = name[:max_length], 1
    while numbered.casefold() in taken:
        number += 1
        ending = f"~{number}"
        numbered = (name if max_length is None else name[: max_length - len(ending)]) + ending
    return numbered


def _check_name(name: str, others: Iterable[str]) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise ClassNameEmpty()
    if len(cleaned) > MAX_CLASS_NAME_LENGTH:
        raise ClassNameTooLong(class_name=cleaned, count=len(cleaned), limit=MAX_CLASS_NAME_LENGTH)
    if taken := [other for other in others if other.casefold() == cleaned.casefold()]:
        raise ClassNameTaken(class_name=taken[0])
    return cleaned


def _put(collection: Collection, new: PictureClass, old: PictureClass) -> Collection:
    return replace(collection, classes=tuple(new if each is old else each for each in collection.classes))


def without_gaps(collection: Collection) -> Collection:
    """Copy the pictures to a new store: pictures that were removed still take space in the old one."""
    store = PictureStore()

    def copy(picture: Picture) -> Picture:
        return replace(picture, stored=store.add(picture.stored.read()))

    classes = tuple(replace(each, pictures=tuple(map(copy, each.pictures))) for each in collection.classes)
    return replace(collection, classes=classes, unused=tuple(map(copy, collection.unused)), store=store)
