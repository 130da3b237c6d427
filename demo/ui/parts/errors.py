"""What can be wrong with the values of a form."""

from demo.errors import OptionError
from demo.sentences import Plural


class OptionNotWhole(OptionError):
    """A number has to be a whole one."""

    option: str
    value: float
    message = "{option} is {value}; it must be a whole number."


class NumberOfNetworks(OptionError):
    """Too few or too many networks are to be compared."""

    count: int
    low: int
    high: int
    message = Plural(
        one="{count} network is chosen; choose {low} to {high}.",
        other="{count} networks are chosen; choose {low} to {high}.",
    )


class TooManyInBatch(OptionError):
    """There are too many pictures in a batch."""

    count: int
    limit: int
    message = "There are {count} pictures; at most {limit} are read at once. Choose fewer."


class OptionNotNumber(OptionError):
    """A value has to be a number."""

    option: str
    value: str
    message = "{option} is {value}; it must be a number."


class UnknownChoice(OptionError):
    """A choice is not among those that there are."""

    option: str
    value: str
    known: str
    message = "{option} is {value}; choose one of: {known}."
