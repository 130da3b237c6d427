"""Errors of tasks."""

from demo.errors import DemoError, OptionError


class TooManyTrained(OptionError):
    """A visitor's private copy of the trained layers would be too large."""

    backbone: str
    millions: float
    limit: float
    message = (
        "Training that much of {backbone} needs {millions:.1f} million parameters of your own; at most {limit:.0f} "
        "million are possible here. Train less of it, or choose a smaller network."
    )


class NotLent(DemoError):
    """What was to compute elsewhere was not to be had, or was lost: all begins anew, here."""


class EngineAway(NotLent):
    """The machine that computes for the page does not answer."""

    message = (
        "The machine that otherwise computes for this page does not answer just now. This runs here, which may take "
        "longer."
    )


class GpuNotLent(NotLent):
    """The GPU that is lent for a training, a race or an ascent was not to be had, or was taken away too early."""

    message = (
        "The GPU that Hugging Face lends was not to be had, or was taken back: none was free, or the seconds of today "
        "are used up. This runs on the processor, which takes longer."
    )


class UnknownBlock(OptionError):
    """A network has no block with a shortcut of that name."""

    backbone: str
    name: str
    known: str
    message = '{backbone} has no block "{name}" with a shortcut. Choose one of: {known}.'


class NotInTimm(OptionError):
    """The folder for the Hub needs an architecture of timm's."""

    backbone: str
    message = "timm has no {backbone}, so there is no Hugging Face folder of it. Take the zip or the ONNX file."


class HeadNotLinear(OptionError):
    """The networks of timm end in one linear layer."""

    message = (
        "timm's networks end in one linear layer, and this head has hidden layers. Take the zip or the ONNX file, or "
        "train a head without hidden layers."
    )


class OnnxFailed(DemoError):
    """torch's exporter could not write an ONNX file."""

    reason: str
    message = "torch could not write this network as ONNX ({reason}). Take the zip or the Hugging Face folder."


class NothingToSwap(DemoError):
    """None of the pictures can be drawn on the other ground."""

    message = "Only creatures of the starter set can change places, and none of these pictures is one. Take it anew."


class HubError(DemoError):
    """The Hugging Face Hub has not taken a model."""


class HubTokenMissing(HubError):
    """No token was given, or a text that cannot be one."""

    message = "There is no token yet. Make one with the right to write at huggingface.co/settings/tokens."


class HubTokenRefused(HubError):
    """The Hub does not know the token."""

    message = "The Hub does not accept this token (401). Copy it anew from huggingface.co/settings/tokens."


class HubNotAllowed(HubError):
    """The token's rights do not reach."""

    name: str
    message = 'This token may not write to "{name}" (403). Make one with the right to write, or choose another owner.'


class HubNameWrong(HubError):
    """A name cannot be a repository's."""

    name: str
    message = (
        '"{name}" cannot be the name of a repository. Use Latin letters, digits, "-", "_" and ".", with the owner\'s '
        "name and a slash before it if you like."
    )


class HubNameTaken(HubError):
    """The repository exists; it is not changed."""

    name: str
    message = 'The repository "{name}" exists already and was not changed. Choose another name.'


class HubFailed(HubError):
    """The Hub cannot be reached, or did not do it."""

    reason: str
    message = (
        "The model did not reach the Hub ({reason}). Try again later with another name, or make the folder here and "
        "upload it yourself."
    )


class KernelEntryMissing(OptionError):
    """A field of a kernel is empty."""

    row: int
    column: int
    message = "Row {row}, column {column} of the kernel is empty. Write a number in each of the nine fields; 0 is one."


class KernelEntryWrong(OptionError):
    """An entry of a kernel is no number, or too large."""

    row: int
    column: int
    value: str
    most: float
    message = (
        'Row {row}, column {column} of the kernel says "{value}". Write a number from -{most:.0f} to {most:.0f}, such '
        "as -1 or 0.25."
    )
