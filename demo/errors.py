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
    │   └── SourceError         SourceAbsent  ChecksumWrong  CacheUnwritable  HubOffline  DownloadUnreachable
    │                           DownloadRefused  DownloadStalled  DownloadCut
    ├── OptionError             UnknownBackbone  OptionOutOfRange  NumberOfNetworks  TooManyInBatch
    └── SessionError            SessionExpired  TrainingRunning  TrainingStopped

Each class carries one English sentence that says what was wrong, with the value, and what to do. The page's
translations of the same sentences are in `demo/ui/text.py`; a test compares the two.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar


class DemoError(Exception):
    """An error whose message is fit for a visitor; `values` fill the placeholders of `message`."""

    message: ClassVar[str] = ""

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(fill_message(self.message, values))


def fill_message(
    message: str, values: Mapping[str, Any], explain: Callable[[DemoError], str] = str, separator: str = "; "
) -> str:
    """Fill the placeholders of a sentence; errors among the values, alone or in lists, are put in words first.

    Args:
        message: Sentence with placeholders.
        values: What goes into them, by name.
        explain: Puts an error in words; in English unless given.
        separator: What stands between the errors of a list.
    """

    def put_in_words(value: Any) -> Any:
        if isinstance(value, list):
            return separator.join(str(put_in_words(each)) for each in value)
        return explain(value) if isinstance(value, DemoError) else value

    return message.format(**{name: put_in_words(value) for name, value in values.items()})


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
    """A backbone's weights are in none of the places that were asked; `tried` has an error for each of them."""

    message = "The weights of {backbone} could not be had. Tried: {tried}. Try again later, or choose another network."


class WeightsDamaged(WeightsError):
    """The file with a backbone's weights is not what its authors published."""

    message = "The weights of {backbone} ({file}) are damaged: their checksum is wrong. Delete the file."


class SourceError(WeightsError):
    """One of the places where weights may be had does not have them."""


class SourceAbsent(SourceError):
    """A place on this machine does not have the file."""

    message = "{place}: not there"


class ChecksumWrong(SourceError):
    """A file, or what a host sent, is not what the authors published."""

    message = "{place}: the checksum is wrong"


class CacheUnwritable(SourceError):
    """There is no room or no permission to keep a download."""

    message = "{place}: cannot be written ({reason})"


class HubOffline(SourceError):
    """The Hugging Face Hub is not asked because the environment says so."""

    message = "Hugging Face Hub: not asked, HF_HUB_OFFLINE is set"


class DownloadUnreachable(SourceError):
    """There is no connection to a host."""

    message = "{host}: cannot be reached"


class DownloadRefused(SourceError):
    """A host answered that it will not send the file."""

    message = "{host}: refused (status {status})"


class DownloadStalled(SourceError):
    """A host sent nothing for too long."""

    message = "{host}: sent nothing for {seconds:.0f} s"


class DownloadCut(SourceError):
    """The connection to a host ended early each time."""

    message = "{host}: the connection ended early, after {done_mb:.1f} of {total_mb} MB"


class OptionError(DemoError):
    """A choice is not among those that exist."""


class UnknownBackbone(OptionError):
    """There is no backbone of that name."""

    message = 'There is no backbone "{name}". Choose one of: {known}.'


class OptionOutOfRange(OptionError):
    """A number is outside its range."""

    message = "{option} is {value}; it must be a whole number from {low} to {high}."


class NumberOfNetworks(OptionError):
    """Too few or too many networks are to be compared."""

    message = "{count} network(s) are chosen; choose {low} to {high}."


class TooManyInBatch(OptionError):
    """There are too many pictures in a batch."""

    message = "There are {count} pictures; at most {limit} are read at once. Choose fewer."


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
