"""Errors of tasks."""

from demo.errors import OptionError


class TooManyTrained(OptionError):
    """A visitor's private copy of the trained layers would be too large."""

    backbone: str
    millions: float
    limit: float
    message = (
        "Training that much of {backbone} needs {millions:.1f} million parameters of your own; at most {limit:.0f} "
        "million are possible here. Train less of it, or choose a smaller network."
    )


class UnknownBlock(OptionError):
    """A network has no block with a shortcut of that name."""

    backbone: str
    name: str
    known: str
    message = '{backbone} has no block "{name}" with a shortcut. Choose one of: {known}.'
