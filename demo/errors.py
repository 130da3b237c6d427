"""What can go wrong in front of a visitor: what all errors share, and the checks that all floors use.

Every other error stands in the `errors.py` of the floor that raises it.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, dataclass_transform

from demo.sentences import Sentence

logger = logging.getLogger("demo")


@dataclass_transform(kw_only_default=True, eq_default=False)
class DemoError(Exception):
    """An error whose sentence is fit for a visitor.

    A subclass declares a typed field for each value, and its English sentence with the fields in braces. It says what
    was wrong, with the value, and what to do. The other languages' sentences are in `demo/words/`, by the class's name.
    """

    message: ClassVar[Sentence] = ""

    def __init_subclass__(cls) -> None:
        """Make a dataclass of each subclass: its fields are given by name."""
        super().__init_subclass__()
        dataclass(kw_only=True, eq=False, repr=False)(cls)

    @property
    def values(self) -> dict[str, Any]:
        """What fills the sentence, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]

    def __str__(self) -> str:
        return explain(self, lambda error: error.message, separator="; ")


def explain(error: DemoError, find_message: Callable[[DemoError], Sentence], *, separator: str) -> str:
    """Return the sentence of an error in one language; errors among its values, alone or in lists, are explained too.

    In a list they stand without their full stops.

    Args:
        error: What to explain.
        find_message: Gives the sentence of an error, with its fields in braces.
        separator: What stands between the errors of a list.
    """

    def put_in_words(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return separator.join(str(put_in_words(each)).rstrip(".。") for each in value)
        return explain(value, find_message, separator=separator) if isinstance(value, DemoError) else value

    return find_message(error).format(**{name: put_in_words(value) for name, value in error.values.items()})


def find_leaves() -> dict[str, type[DemoError]]:
    """Return the errors of this program that can be raised, by name; groups of errors are left out."""
    classes: list[type[DemoError]] = [DemoError]
    for each in classes:
        classes += each.__subclasses__()
    return {
        each.__name__: each for each in classes if not each.__subclasses__() and each.__module__.startswith("demo.")
    }


def forget_origin(error: Exception) -> None:
    """Take off an error that is kept what it came from: tracebacks hold frames, and those hold all that was at hand."""
    error.__traceback__ = error.__cause__ = error.__context__ = None


def log_unexpected(error: BaseException, place: str) -> None:
    """Log an error of the program: its kind, and where it came from.

    What it says is left out, with those that it came from: it may be the name of a visitor's file or class.
    """
    frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    logger.error("unexpected %s in %s\n%s", type(error).__name__, place, frames)


class OptionError(DemoError):
    """A choice is not among those that exist."""


class OptionOutOfRange(OptionError):
    """A number is outside its range."""

    option: str
    value: float | str
    low: float
    high: float
    message = "{option} is {value}; it must be from {low} to {high}."


class StartError(DemoError):
    """The demo cannot start; whoever starts it is told in one line."""


class SettingWrong(StartError):
    """An environment variable says what is not possible here; whoever starts the demo is told, in one line."""

    variable: str
    value: str
    possible: str
    message = "{variable} is {value!r}; it must be {possible}."


def check_range(option: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside its range; NaN is in no range.

    Raises:
        OptionOutOfRange: If it is not from `low` to `high`.
    """
    if not low <= value <= high:
        raise OptionOutOfRange(option=option, value=value, low=low, high=high)
