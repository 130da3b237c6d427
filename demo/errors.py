"""What can go wrong in front of a visitor.

    DemoError
    ├── UploadError
    │   ├── ImageError          NoImage  NotAnImage  ImageBytesExceeded  ImageTooLarge  ImageDamaged
    │   ├── ArchiveError        NoArchive  NotAZip  ArchiveBytesExceeded  TooManyEntries  UnpackedBytesExceeded
    │   │                       ArchiveEncrypted  ArchiveDamaged
    │   ├── EntryError          EntryDamaged  EntryUnsupported  EntryTooLarge  EntryNotAnImage
    │   │                       EntryOutsideClass
    │   └── DatasetError        NoDataset  NoPictures  TooFewClasses  TooManyClasses  ClassTooSmall
    │                           ClassWithoutTraining  TooManyPictures
    ├── WeightsError            WeightsMissing  WeightsDamaged
    ├── OptionError             UnknownBackbone  OptionOutOfRange
    └── SessionError            SessionExpired  TrainingRunning  TrainingStopped

Each class carries one English sentence that says what was wrong, with the value, and what to do. The page's
translations of the same sentences are in `demo/ui/text.py`; a test compares the two.
"""

from typing import Any, ClassVar


class DemoError(Exception):
    """An error whose message is fit for a visitor; `values` fill the placeholders of `message`."""

    message: ClassVar[str] = ""

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(self.message.format(**values))


class UploadError(DemoError):
    """What a visitor brought cannot be used."""


class ImageError(UploadError):
    """A picture cannot be used."""


class NoImage(ImageError):
    """There is no picture at all."""

    message = "There is no picture yet. Upload one, take one with the camera, or choose an example."


class NotAnImage(ImageError):
    """The bytes are in none of the formats that are read."""

    message = '"{name}" is not a picture that can be read here. Use JPEG, PNG, WebP, GIF, BMP or AVIF.'


class ImageBytesExceeded(ImageError):
    """The file of a picture is too large."""

    message = '"{name}" has {megabytes:.1f} MB; a picture may have at most {limit:.0f} MB. Save it smaller.'


class ImageTooLarge(ImageError):
    """A picture has too many pixels."""

    message = (
        '"{name}" has {size} pixels; at most {limit:.0f} million pixels and {side} on a side are read. Make it smaller.'
    )


class ImageDamaged(ImageError):
    """A picture's header is good but its pixels cannot be decoded."""

    message = '"{name}" is damaged or cut off and cannot be decoded. Save it again or choose another picture.'


class ArchiveError(UploadError):
    """An archive cannot be used as a whole."""


class NoArchive(ArchiveError):
    """There is no archive at all."""

    message = "There is no zip file yet. Upload one that holds a folder of pictures for each class."


class NotAZip(ArchiveError):
    """The file is no zip archive."""

    message = '"{name}" is not a zip file{kind}. Please pack the class folders as a .zip.'


class ArchiveBytesExceeded(ArchiveError):
    """The file of an archive is too large."""

    message = '"{name}" has {megabytes:.1f} MB; a zip may have at most {limit:.0f} MB. Use fewer or smaller pictures.'


class TooManyEntries(ArchiveError):
    """An archive lists too many entries."""

    message = "The zip lists {count} entries; at most {limit} are read. Use fewer pictures."


class UnpackedBytesExceeded(ArchiveError):
    """An archive would unpack to too much."""

    message = "The zip unpacks to more than {limit:.0f} MB. Use fewer or smaller pictures."


class ArchiveEncrypted(ArchiveError):
    """An archive needs a password."""

    message = "The zip is protected by a password. Make one without a password."


class ArchiveDamaged(ArchiveError):
    """An archive's directory is broken."""

    message = "The zip is damaged and cannot be read. Make it again."


class EntryError(UploadError):
    """One file of an archive is left out; the others go on."""


class EntryDamaged(EntryError):
    """One file of an archive cannot be unpacked."""

    message = "it is damaged inside the zip"


class EntryUnsupported(EntryError):
    """One file of an archive is a link, a device, or packed by an unusual method."""

    message = "it is a link or is packed in an unusual way"


class EntryTooLarge(EntryError):
    """One file of an archive is larger than a picture may be."""

    message = "it is larger than {limit:.0f} MB"


class EntryNotAnImage(EntryError):
    """One file of an archive does not have a picture's name."""

    message = "it is not a JPEG, PNG, WebP, GIF, BMP or AVIF picture"


class EntryOutsideClass(EntryError):
    """One picture of an archive lies in no class folder."""

    message = "it is not in a class folder"


class DatasetError(UploadError):
    """The pictures do not make a dataset."""


class NoDataset(DatasetError):
    """Training was asked for before there was a dataset."""

    message = "There are no pictures to learn from yet. Upload a zip of class folders first."


class NoPictures(DatasetError):
    """An archive holds no picture that can be used."""

    message = "The zip holds no picture that can be used. Put a folder of pictures for each class into it."


class TooFewClasses(DatasetError):
    """There are not enough classes to tell apart."""

    message = (
        "The zip has {count} class folder(s) with pictures ({names}); at least {limit} are needed. "
        "Make one folder for each class."
    )


class TooManyClasses(DatasetError):
    """There are more classes than the page can show."""

    message = "The zip has {count} classes; at most {limit} are used. Leave some out."


class ClassTooSmall(DatasetError):
    """A class has too few pictures to learn and to check."""

    message = 'Class "{class_name}" has {count} picture(s); each class needs at least {limit}. Add some.'


class ClassWithoutTraining(DatasetError):
    """A class has pictures to check but none to learn from."""

    message = 'Class "{class_name}" has no picture in the training folder. Add some there.'


class TooManyPictures(DatasetError):
    """There are more pictures than the machine can take."""

    message = "The zip has more pictures than the {limit} that can be used. Leave some out."


class WeightsError(DemoError):
    """A backbone's weights cannot be used."""


class WeightsMissing(WeightsError):
    """The file with a backbone's weights is not on this machine."""

    message = "The weights of {backbone} ({file}) are not on this machine, so it cannot be used yet."


class WeightsDamaged(WeightsError):
    """The file with a backbone's weights is not what its authors published."""

    message = "The weights of {backbone} ({file}) are damaged: their checksum is wrong. Delete the file."


class OptionError(DemoError):
    """A choice is not among those that exist."""


class UnknownBackbone(OptionError):
    """There is no backbone of that name."""

    message = 'There is no backbone "{name}". Choose one of: {known}.'


class OptionOutOfRange(OptionError):
    """A number is outside its range."""

    message = "{option} is {value}; it must be a whole number from {low} to {high}."


class SessionError(DemoError):
    """The visitor's session cannot do that now."""


class SessionExpired(SessionError):
    """The session was idle for too long and is gone."""

    message = "This session has ended after a time without use, and its pictures and head are gone. Reload the page."


class TrainingRunning(SessionError):
    """A training is already under way in this session."""

    message = "A training is already running. Wait for its end or press Stop."


class TrainingStopped(SessionError):
    """A training was stopped before its end."""

    message = "The training was stopped. The model in use is the same as before."
