"""Errors of pictures, archives and datasets."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from demo.data.formats.errors import FileMeant, FileNamed, IsUnknown
from demo.errors import DemoError
from demo.sentences import Plural


class UploadError(DemoError):
    """A visitor's upload cannot be used."""


class ImageError(UploadError):
    """A picture cannot be used. Its `name` is empty where a report names the file before it says this."""

    @property
    def values(self) -> dict[str, Any]:
        """What fills the sentence, by name."""
        found = super().values
        if "name" in found:
            found["name"] = FileNamed(name=found["name"]) if found["name"] else FileMeant()
        return found


class NoImage(ImageError):
    """No picture was given."""

    message = "There is no picture yet. Upload one, take one with the camera, or choose an example."


class NotAnImage(ImageError):
    """A file is in none of the picture formats that are read; `what` says which file it is."""

    name: str
    what: DemoError = field(default_factory=IsUnknown)
    message = "{name} is {what}."


class ImageBytesExceeded(ImageError):
    """The file of a picture is too large."""

    name: str
    megabytes: float
    limit: float
    message = "{name} has {megabytes:.1f} MB; a picture may have at most {limit:.0f} MB. Save it smaller."


class ImageTooLarge(ImageError):
    """A picture has too many pixels."""

    name: str
    size: str
    limit: float
    side: int
    message = (
        "{name} has {size} pixels; at most {limit:.0f} million pixels and {side} on a side are read. Make it smaller."
    )


class ImageDamaged(ImageError):
    """A picture's header is good but its pixels cannot be decoded."""

    name: str
    message = "{name} is damaged or cut off and cannot be decoded. Save it again or choose another picture."


class ArchiveError(UploadError):
    """An archive cannot be used as a whole."""


class NoArchive(ArchiveError):
    """No archive was given."""

    message = "There is no zip file yet. Upload one that holds a folder of pictures for each class."


class NotAZip(ArchiveError):
    """A file is no zip archive."""

    name: str
    kind: str
    message = '"{name}" is not a zip file{kind}. Please pack the class folders as a .zip.'


class ArchiveBytesExceeded(ArchiveError):
    """The file of an archive is too large."""

    name: str
    megabytes: float
    limit: float
    message = '"{name}" has {megabytes:.1f} MB; a zip may have at most {limit:.0f} MB. Use fewer or smaller pictures.'


class TooManyEntries(ArchiveError):
    """An archive, or all that are read together, list too many entries."""

    count: int
    limit: int
    message = "The zip lists {count} entries; at most {limit} are read. Use fewer pictures."


class UnpackedBytesExceeded(ArchiveError):
    """An archive would unpack to more bytes than the limit."""

    limit: float
    message = "The zip unpacks to more than {limit:.0f} MB. Use fewer or smaller pictures."


class ArchiveEncrypted(ArchiveError):
    """An archive needs a password."""

    message = "The zip is protected by a password. Make one without a password."


class ArchiveDamaged(ArchiveError):
    """An archive's directory is broken."""

    message = "The zip is damaged and cannot be read. Make it again."


class ReadingTooLong(ArchiveError):
    """The pictures of an archive take too long to decode."""

    count: int
    limit: float
    message = Plural(
        one="The one picture read so far took {limit:.0f} s, as long as one zip may take. Save them smaller.",
        other="The {count} pictures read so far took {limit:.0f} s, as long as one zip may take. Save them smaller.",
    )


class EntryError(UploadError):
    """One file of an archive is left out; the others are read."""


class EntryDamaged(EntryError):
    """One file of an archive cannot be unpacked."""

    message = "it is damaged inside the zip"


class EntryUnsupported(EntryError):
    """One file of an archive is a link or a device."""

    message = "it is a link or a device and no file"


class EntryMethodUnknown(EntryError):
    """One file of an archive is packed by a method that is not read; `method` is its name, or else its number."""

    method: str | int
    message = "it is packed by the method {method}; only plain zip (Deflate) is read"


class EntryInflated(EntryError):
    """One file of an archive unpacks to more than any picture does."""

    ratio: int
    message = "it would unpack to more than {ratio} times its size, which no picture does"


class EntryTooLarge(EntryError):
    """One file of an archive is larger than a picture may be."""

    limit: float
    message = "it is larger than {limit:.0f} MB"


class EntryNotAnImage(EntryError):
    """One file of an archive has the name of another kind of file, and was not read."""

    message = "it is no picture, by the ending of its name"


class EntryOutsideClass(EntryError):
    """One picture of an archive lies in no class folder."""

    message = "it is not in a class folder"


class EntryLeftOut(EntryError):
    """One file of an archive is left out; `reason` is the error that says why."""

    path: str
    reason: DemoError
    message = "{path}: {reason}"


class CollectionError(UploadError):
    """A visitor's collection cannot be changed in that way."""


class ClassNameEmpty(CollectionError):
    """A class's name has no visible character."""

    message = "The class has no name yet. Write one, such as cat."


class ClassNameTooLong(CollectionError):
    """A class's name does not fit the page."""

    class_name: str
    count: int
    limit: int
    message = 'The name "{class_name}" has {count} characters; at most {limit} fit. Shorten it.'


class ClassNameTaken(CollectionError):
    """Two classes would have names that differ in capitals alone."""

    class_name: str
    message = 'There is a class "{class_name}" already. Choose another name.'


class UnknownClass(CollectionError):
    """No class has that name: the page is older than the last change."""

    class_name: str
    message = 'There is no class "{class_name}". Reload the page to see the classes that there are.'


class CollectionBytesExceeded(CollectionError):
    """A visitor's pictures together are too large."""

    limit: float
    message = "The pictures have more than {limit:.0f} MB together. Add fewer or smaller ones, or remove some."


class StorageFull(CollectionError):
    """The disk that keeps the pictures has no room."""

    megabytes: float
    message = (
        "The disk of this server has no room for another {megabytes:.1f} MB. "
        "Remove what you do not need, or try again later."
    )


class DatasetError(UploadError):
    """The pictures do not make a dataset."""


class NoDataset(DatasetError):
    """Training was asked for before there was a dataset."""

    message = (
        "There are no pictures to learn from yet. Upload a zip of class folders, add pictures to classes of your own, "
        "or take a starter set."
    )


class NoPictures(DatasetError):
    """An archive holds no picture that can be used."""

    message = "The zip holds no picture that can be used. Put a folder of pictures for each class into it."


class NothingUsable(DatasetError):
    """An archive holds files, and each of them is left out."""

    count: int
    reasons: Sequence[DemoError]
    message = Plural(
        one="The file in the zip cannot be used. Put a folder of pictures for each class into it. "
        "What is wrong: {reasons}",
        other="None of the {count} files in the zip can be used. Put a folder of pictures for each class into it. "
        "What is wrong: {reasons}",
    )


class TooFewClasses(DatasetError):
    """A dataset has too few classes to tell apart."""

    count: int
    names: str
    limit: int
    message = Plural(
        one="There is {count} class to tell apart ({names}); at least {limit} are needed. "
        "Add a folder or a class, or switch one on.",
        other="There are {count} classes to tell apart ({names}); at least {limit} are needed. "
        "Add a folder or a class, or switch one on.",
    )


class TooManyClasses(DatasetError):
    """A dataset has more classes than the page can show."""

    count: int
    limit: int
    message = "That makes {count} classes; at most {limit} can be used. Leave some out."


class ClassTooSmall(DatasetError):
    """A class has too few pictures to learn and to check."""

    class_name: str
    count: int
    limit: int
    message = Plural(
        one='Class "{class_name}" has {count} picture; each class needs at least {limit}. Add some.',
        other='Class "{class_name}" has {count} pictures; each class needs at least {limit}. Add some.',
    )


class ClassWithoutTraining(DatasetError):
    """A class has pictures to check but none to learn from."""

    class_name: str
    message = 'Class "{class_name}" has no picture in the training folder. Add some there.'


class TooManyPictures(DatasetError):
    """A visitor has more pictures than the settings allow."""

    limit: int
    message = "There are more pictures than the {limit} that can be used. Leave some out."
