"""Values as they come from the page, or from a program that plays it: each is what it should be, or refused."""

import math
from contextlib import suppress
from enum import StrEnum
from typing import Any, TypeVar

from demo.errors import OptionNotNumber, OptionNotWhole, UnknownChoice

Chosen = TypeVar("Chosen", bound=StrEnum)
_MAX_LENGTH = 20


def parse_choice(option: str, kind: type[Chosen], value: Any) -> Chosen:
    """Return the member of a StrEnum that was chosen.

    Raises:
        UnknownChoice: If it has no such member.
    """
    for each in kind:
        if each == value:
            return each
    raise UnknownChoice(option=option, value=str(value)[:_MAX_LENGTH], known=", ".join(kind))


def parse_number(option: str, value: Any) -> float:
    """Return a number, which may be infinite or NaN.

    Raises:
        OptionNotNumber: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OptionNotNumber(option=option, value=str(value)[:_MAX_LENGTH])
    return float(value)


def parse_whole(option: str, value: Any) -> int:
    """Return a whole number.

    Raises:
        OptionNotNumber: If it is no number.
        OptionNotWhole: If it is no whole one.
    """
    number = parse_number(option, value)
    if not math.isfinite(number) or number % 1:
        raise OptionNotWhole(option=option, value=value)
    return int(number)


def read_event(event: Any, name: str) -> str:
    """Return what a `gr.EventData` holds under a name, as text; "None" where it holds nothing, or has no names."""
    with suppress(TypeError):  # of a program's event, which may hold anything
        return str(getattr(event, name, None))
    return str(None)
