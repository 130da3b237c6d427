"""Errors of weights, and of saved heads that are opened again."""

from collections.abc import Sequence

from demo.data.errors import UploadError
from demo.errors import DemoError, OptionError
from demo.sentences import Plural


class HeadFileError(UploadError):
    """A saved head cannot be used."""


class NoHeadFile(HeadFileError):
    """No file of a saved head was given."""

    message = "There is no saved head yet. Choose a zip that was exported here, or the head.safetensors in it."


class NotAHeadFile(HeadFileError):
    """A file is neither an export nor the head of one."""

    message = "This file is no saved head. Choose a zip that was exported here, or the head.safetensors in it."


class HeadFileTooLarge(HeadFileError):
    """The file of a head is larger than any head."""

    megabytes: float
    limit: float
    message = (
        "The file has {megabytes:.1f} MB; a saved head may have at most {limit:.0f} MB here. Choose one with fewer "
        "layers of its own."
    )


class HeadFileDamaged(HeadFileError):
    """A part of a saved head was changed since it was written."""

    part: str
    message = "The saved head is damaged or was changed (its {part} cannot be used). Export it again."


class HeadFormatUnknown(HeadFileError):
    """A head was saved in another format."""

    found: object
    known: str
    message = 'The saved head has the format "{found}"; format {known} is read here. Train and export it again.'


class HeadBackboneUnknown(HeadFileError):
    """A head belongs to a network that is not in the table."""

    name: str
    known: str
    message = 'The saved head belongs to a network "{name}"; known here are: {known}. Choose a head of one of them.'


class HeadWeightsDiffer(HeadFileError):
    """A head was trained on the features of other weights."""

    backbone: str
    found: str
    expected: str
    message = (
        "The saved head was trained on other weights of {backbone} ({found}) than those used here ({expected}). "
        "Train it again."
    )


class HeadClassCount(HeadFileError):
    """A head has too few or too many classes."""

    count: int
    low: int
    high: int
    message = Plural(
        one="The saved head has {count} class; it must have {low} to {high}. Choose another one.",
        other="The saved head has {count} classes; it must have {low} to {high}. Choose another one.",
    )


class HeadClassName(HeadFileError):
    """A head has a class name that no class can have here."""

    name: str
    limit: int
    message = (
        'The saved head names a class "{name}"; names must differ, and have 1 to {limit} visible characters. '
        "Rename the class and export the head again."
    )


class HeadTensorMissing(HeadFileError):
    """A saved head lacks a tensor that it needs."""

    name: str
    message = 'The saved head lacks the tensor "{name}". Export it again.'


class HeadTensorUnknown(HeadFileError):
    """A saved head has a tensor that neither the network nor its head has."""

    name: str
    message = 'The saved head has a tensor "{name}" that does not belong to it. Export it again.'


class HeadTensorDiffers(HeadFileError):
    """A tensor has another type or shape than the network and its head need."""

    name: str
    found: str
    expected: str
    message = 'The tensor "{name}" of the saved head is {found}; it must be {expected}. Export it again.'


class HeadTooManyTuned(HeadFileError):
    """A saved head has more trained parameters than the settings allow."""

    millions: float
    limit: float
    message = (
        "The saved head brings {millions:.1f} million parameters; at most {limit:.0f} million are possible here. "
        "Choose one with fewer layers of its own."
    )


class HeadValuesWrong(HeadFileError):
    """A tensor of a saved head has values that no training produces."""

    name: str
    message = (
        'The tensor "{name}" of the saved head has values that are not finite or impossibly large. Train it again.'
    )


class WeightsError(DemoError):
    """A backbone's weights cannot be used."""


class WeightsMissing(WeightsError):
    """A backbone's weights are in none of the places that were tried; `tried` has an error for each of them."""

    backbone: str
    tried: DemoError | Sequence[DemoError]
    message = "The weights of {backbone} could not be had. Tried: {tried}. Try again later, or choose another network."


class WeightsDamaged(WeightsError):
    """The file with a backbone's weights is not what its authors published."""

    backbone: str
    file: str
    message = "The weights of {backbone} ({file}) are damaged: their checksum is wrong. Delete the file."


class SourceError(WeightsError):
    """One of the places of a backbone's weights does not have them."""


class SourceAbsent(SourceError):
    """A place on this machine does not have the file."""

    place: str
    message = "{place}: not there"


class ChecksumWrong(SourceError):
    """A file, on this machine or from a host, is not the one that the authors published."""

    place: str
    message = "{place}: the checksum is wrong"


class CacheUnwritable(SourceError):
    """The cache has no room for a download, or may not be written."""

    place: str
    reason: str | None
    message = "{place}: cannot be written ({reason})"


class HubOffline(SourceError):
    """The environment forbids requests to the Hugging Face Hub."""

    message = "Hugging Face Hub: not asked, HF_HUB_OFFLINE is set"


class DownloadUnreachable(SourceError):
    """A host cannot be reached."""

    host: str
    message = "{host}: cannot be reached"


class DownloadRefused(SourceError):
    """A host refused to send the file."""

    host: str
    status: int
    message = "{host}: refused (status {status})"


class DownloadStalled(SourceError):
    """A host sent nothing for too long."""

    host: str
    seconds: float
    message = "{host}: sent nothing for {seconds:.0f} s"


class DownloadCut(SourceError):
    """The connection to a host ended early each time."""

    host: str
    done_mb: float
    total_mb: str
    message = "{host}: the connection ended early, after {done_mb:.1f} of {total_mb} MB"


class UnknownBackbone(OptionError):
    """There is no backbone of that name."""

    name: str
    known: str
    message = 'There is no backbone "{name}". Choose one of: {known}.'


class RidgeIsLinear(OptionError):
    """The closed form exists for one linear layer only."""

    message = (
        "The closed-form recipe solves one linear layer on features that stay as they are. Train only the head, "
        "without hidden layers, or choose another recipe."
    )
