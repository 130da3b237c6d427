"""What can go wrong in front of a visitor.

    DemoError
    ├── UploadError
    │   ├── ImageError          NoImage  NotAnImage  ImageBytesExceeded  ImageTooLarge  ImageDamaged
    │   ├── ArchiveError        NoArchive  NotAZip  ArchiveBytesExceeded  TooManyEntries  UnpackedBytesExceeded
    │   │                       ArchiveEncrypted  ArchiveDamaged  ReadingTooLong
    │   ├── EntryError          EntryDamaged  EntryUnsupported  EntryMethodUnknown  EntryInflated  EntryTooLarge
    │   │                       EntryNotAnImage  EntryOutsideClass  EntryLeftOut
    │   ├── CollectionError     ClassNameEmpty  ClassNameTooLong  ClassNameTaken  UnknownClass  UnknownPicture
    │   │                       CollectionBytesExceeded  StorageFull
    │   ├── DatasetError        NoDataset  NoPictures  NothingUsable  TooFewClasses  TooManyClasses  ClassTooSmall
    │   │                       ClassWithoutTraining  TooManyPictures
    │   └── HeadFileError       NoHeadFile  NotAHeadFile  HeadFileTooLarge  HeadFileDamaged  HeadFormatUnknown
    │                           HeadBackboneUnknown  HeadWeightsDiffer  HeadClassCount  HeadClassName
    │                           HeadTensorMissing  HeadTensorUnknown  HeadTensorDiffers  HeadTooManyTuned
    │                           HeadValuesWrong
    ├── WeightsError            WeightsMissing  WeightsDamaged
    │   └── SourceError         SourceAbsent  ChecksumWrong  CacheUnwritable  HubOffline  DownloadUnreachable
    │                           DownloadRefused  DownloadStalled  DownloadCut
    ├── RequestError            RequestTooLarge  UploadTooSlow  UploadUnreadable  TooManyUploads  DiskFull  UploadGone
    │                           AddressRefused  BodyUnreadable  TooManyPending  QueueFull
    ├── OptionError             UnknownBackbone  OptionOutOfRange  OptionNotWhole  NumberOfNetworks
    │                           TooManyInBatch  RidgeIsLinear  TooManyTrained  OptionNotNumber  UnknownChoice
    │                           NoHead  UnknownBlock  SettingWrong  GradioDiffers
    └── SessionError            SessionExpired  TrainingRunning  TrainingStopped

Each class carries one English sentence that says what was wrong, with the value, and what to do. The page's
translations of the same sentences are in `demo/ui/text.py`; a test compares the two.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

logger = logging.getLogger("demo")


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


def forget_origin(error: Exception) -> None:
    """Take off an error that is kept what it came from: tracebacks hold frames, and those hold all that was at hand."""
    error.__traceback__ = error.__cause__ = error.__context__ = None


def log_unexpected(error: BaseException, place: str) -> None:
    """Log an error of the program: its kind, and where it came from.

    What it says is left out, with those that it came from: it may be the name of a visitor's file or class.
    """
    frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    logger.error("unexpected %s in %s\n%s", type(error).__name__, place, frames)


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


class ReadingTooLong(ArchiveError):
    """The pictures of an archive take too long to decode."""

    message = "The {count} pictures read so far took {limit:.0f} s, as long as one zip may take. Save them smaller."


class EntryError(UploadError):
    """One file of an archive is left out; the others go on."""


class EntryDamaged(EntryError):
    """One file of an archive cannot be unpacked."""

    message = "it is damaged inside the zip"


class EntryUnsupported(EntryError):
    """One file of an archive is a link or a device."""

    message = "it is a link or a device and no file"


class EntryMethodUnknown(EntryError):
    """One file of an archive is packed by a method that is not read; a method without a name has a number."""

    message = "it is packed by the method {method}; only plain zip (Deflate) is read"


class EntryInflated(EntryError):
    """One file of an archive unpacks to more than any picture does."""

    message = "it would unpack to more than {ratio} times its size, which no picture does"


class EntryTooLarge(EntryError):
    """One file of an archive is larger than a picture may be."""

    message = "it is larger than {limit:.0f} MB"


class EntryNotAnImage(EntryError):
    """One file of an archive does not have a picture's name."""

    message = "it is not a JPEG, PNG, WebP, GIF, BMP or AVIF picture"


class EntryOutsideClass(EntryError):
    """One picture of an archive lies in no class folder."""

    message = "it is not in a class folder"


class EntryLeftOut(EntryError):
    """One file of an archive is left out; `reason` is the error that says why."""

    message = "{path}: {reason}"


class CollectionError(UploadError):
    """What a visitor has gathered cannot be changed in that way."""


class ClassNameEmpty(CollectionError):
    """A class's name has no letter that can be seen."""

    message = "The class has no name yet. Write one, such as cat."


class ClassNameTooLong(CollectionError):
    """A class's name does not fit the page."""

    message = 'The name "{class_name}" has {count} characters; at most {limit} fit. Shorten it.'


class ClassNameTaken(CollectionError):
    """Two classes would have the same name, but for capitals."""

    message = 'There is a class "{class_name}" already. Choose another name.'


class UnknownClass(CollectionError):
    """There is no class of that name; the page that was used is older than the last change."""

    message = 'There is no class "{class_name}". Reload the page to see the classes that there are.'


class UnknownPicture(CollectionError):
    """There is no picture at that place; the page that was used is older than the last change."""

    message = 'Class "{class_name}" has {count} picture(s) and no number {number}. Reload the page to see them.'


class CollectionBytesExceeded(CollectionError):
    """All pictures together are too large."""

    message = "The pictures have more than {limit:.0f} MB together. Add fewer or smaller ones, or remove some."


class StorageFull(CollectionError):
    """The disk that keeps the pictures has no room."""

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

    message = (
        "None of the {count} file(s) in the zip can be used. Put a folder of pictures for each class into it. "
        "What is wrong: {reasons}"
    )


class TooFewClasses(DatasetError):
    """There are not enough classes to tell apart."""

    message = (
        "There are {count} class(es) to tell apart ({names}); at least {limit} are needed. "
        "Add a folder or a class, or switch one on."
    )


class TooManyClasses(DatasetError):
    """There are more classes than the page can show."""

    message = "That makes {count} classes; at most {limit} can be used. Leave some out."


class ClassTooSmall(DatasetError):
    """A class has too few pictures to learn and to check."""

    message = 'Class "{class_name}" has {count} picture(s); each class needs at least {limit}. Add some.'


class ClassWithoutTraining(DatasetError):
    """A class has pictures to check but none to learn from."""

    message = 'Class "{class_name}" has no picture in the training folder. Add some there.'


class TooManyPictures(DatasetError):
    """There are more pictures than the machine can take."""

    message = "There are more pictures than the {limit} that can be used. Leave some out."


class HeadFileError(UploadError):
    """A saved head cannot be used."""


class NoHeadFile(HeadFileError):
    """There is no saved head at all."""

    message = "There is no saved head yet. Choose a zip that was exported here, or the head.safetensors in it."


class NotAHeadFile(HeadFileError):
    """The file is neither an export nor the head of one."""

    message = "This file is no saved head. Choose a zip that was exported here, or the head.safetensors in it."


class HeadFileTooLarge(HeadFileError):
    """The file of a head is larger than any head."""

    message = (
        "The file has {megabytes:.1f} MB; a saved head may have at most {limit:.0f} MB here. Choose one with fewer "
        "layers of its own."
    )


class HeadFileDamaged(HeadFileError):
    """A part of a saved head is not as it was written."""

    message = "The saved head is damaged or was changed (its {part} cannot be used). Export it again."


class HeadFormatUnknown(HeadFileError):
    """A head was saved in another format."""

    message = 'The saved head has the format "{found}"; format {known} is read here. Train and export it again.'


class HeadBackboneUnknown(HeadFileError):
    """A head belongs to a network that is not in the table."""

    message = 'The saved head belongs to a network "{name}"; known here are: {known}. Choose a head of one of them.'


class HeadWeightsDiffer(HeadFileError):
    """A head was trained on the features of other weights."""

    message = (
        "The saved head was trained on other weights of {backbone} ({found}) than those used here ({expected}). "
        "Train it again."
    )


class HeadClassCount(HeadFileError):
    """A head has too few or too many classes."""

    message = "The saved head has {count} class(es); it must have {low} to {high}. Choose another one."


class HeadClassName(HeadFileError):
    """A head has a class name that no class can have here."""

    message = (
        'The saved head names a class "{name}"; names must differ, and have 1 to {limit} visible characters. '
        "Rename the class and export the head again."
    )


class HeadTensorMissing(HeadFileError):
    """A tensor is not there."""

    message = 'The saved head lacks the tensor "{name}". Export it again.'


class HeadTensorUnknown(HeadFileError):
    """There is a tensor that the network and its head do not have."""

    message = 'The saved head has a tensor "{name}" that does not belong to it. Export it again.'


class HeadTensorDiffers(HeadFileError):
    """A tensor has another type or shape than the network and its head need."""

    message = 'The tensor "{name}" of the saved head is {found}; it must be {expected}. Export it again.'


class HeadTooManyTuned(HeadFileError):
    """A head comes with more trained layers than there is room for."""

    message = (
        "The saved head brings {millions:.1f} million parameters; at most {limit:.0f} million are possible here. "
        "Choose one with fewer layers of its own."
    )


class HeadValuesWrong(HeadFileError):
    """A tensor has numbers that no training leaves behind."""

    message = (
        'The tensor "{name}" of the saved head has values that are not finite or impossibly large. Train it again.'
    )


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

    message = "{option} is {value}; it must be from {low} to {high}."


class OptionNotWhole(OptionError):
    """A number has to be a whole one."""

    message = "{option} is {value}; it must be a whole number."


class SettingWrong(OptionError):
    """An environment variable says what is not possible here; whoever starts the demo is told, in one line."""

    message = "{variable} is {value!r}; it must be {possible}."


class GradioDiffers(OptionError):
    """The installed gradio has other insides than those that the page relies on."""

    message = "gradio {version} {difference}; use {tried}."


class RidgeIsLinear(OptionError):
    """The closed form exists for one linear layer only."""

    message = (
        "The closed-form recipe solves one linear layer on features that stay as they are. Train only the head, "
        "without hidden layers, or choose another recipe."
    )


class TooManyTrained(OptionError):
    """A visitor's private copy of what is trained would be too large."""

    message = (
        "Training that much of {backbone} needs {millions:.1f} million parameters of your own; at most {limit:.0f} "
        "million are possible here. Train less of it, or choose a smaller network."
    )


class NumberOfNetworks(OptionError):
    """Too few or too many networks are to be compared."""

    message = "{count} network(s) are chosen; choose {low} to {high}."


class TooManyInBatch(OptionError):
    """There are too many pictures in a batch."""

    message = "There are {count} pictures; at most {limit} are read at once. Choose fewer."


class OptionNotNumber(OptionError):
    """A value has to be a number."""

    message = "{option} is {value}; it must be a number."


def check_range(option: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside its range; NaN is in no range.

    Raises:
        OptionOutOfRange: If it is not from `low` to `high`.
    """
    if not low <= value <= high:
        raise OptionOutOfRange(option=option, value=value, low=low, high=high)


class UnknownChoice(OptionError):
    """A choice is not among those that there are."""

    message = "{option} is {value}; choose one of: {known}."


class UnknownBlock(OptionError):
    """A network has no block with a shortcut of that name."""

    message = '{backbone} has no block "{name}" with a shortcut. Choose one of: {known}.'


class NoHead(OptionError):
    """There is no head that was trained here."""

    message = "There is no head that was trained in this session. Train one first."


class RequestError(DemoError):
    """What was sent to the server is refused before anybody looks at what it holds."""


class RequestTooLarge(RequestError):
    """A request has too many bytes."""

    message = "More than {limit:.0f} MB came at once. Send fewer or smaller files at a time."


class UploadTooSlow(RequestError):
    """An upload has stalled, or would take for ever."""

    message = "The upload was too slow and has been given up. Try again with a better connection or smaller files."


class UploadUnreadable(RequestError):
    """An upload is no form of files, or has too many of them."""

    message = "The upload could not be read. Send at most {limit} files at a time, as a form of files."


class TooManyUploads(RequestError):
    """Too many uploads are under way."""

    message = "{count} uploads are under way. Please try again in a few seconds."


class DiskFull(RequestError):
    """There is no room for uploads."""

    message = "There is no room for uploads just now. Please try again in some minutes."


class UploadGone(RequestError):
    """An upload has been read, or was left unread for too long."""

    message = '"{name}" is no longer here: an upload is deleted once it was read. Please upload it again.'


class AddressRefused(RequestError):
    """A file is given by its address on the web."""

    message = "Files are not fetched from addresses ({address}). Download the file and upload it."


class BodyUnreadable(RequestError):
    """What was sent is no JSON that can be read."""

    message = "The request is no JSON that can be read."


class TooManyPending(RequestError):
    """One visitor has too many requests open."""

    message = "{count} of your requests are still being answered. Wait for them before you ask again."


class QueueFull(RequestError):
    """All visitors together have too many requests open."""

    message = "{count} requests of all visitors are waiting. Please try again in about {seconds:.0f} s."


class SessionError(DemoError):
    """The visitor's session cannot do that now."""


class SessionExpired(SessionError):
    """The session is gone: forgotten by its visitor, idle for too long, or the server began anew."""

    message = "This session has ended, and everything in it is gone. Reload the page to begin anew."


class TrainingRunning(SessionError):
    """A training is already under way in this session."""

    message = "A training is already running. Wait for its end or press Stop."


class TrainingStopped(SessionError):
    """A training was stopped before its end."""

    message = "The training was stopped. The model in use is the same as before."
