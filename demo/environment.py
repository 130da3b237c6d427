"""What environment variables say, each wrong one told in a sentence."""

import math
from collections.abc import Mapping
from contextlib import suppress

from demo.errors import SettingWrong

_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def read_choice(environment: Mapping[str, str], variable: str, choices: tuple[str, ...]) -> str:
    """Return the choice that a variable names, or the first one if it is not set.

    Raises:
        SettingWrong: If it names another one, as do the other functions here.
    """
    value = environment.get(variable) or choices[0]
    if value not in choices:
        possible = " or ".join([", ".join(choices[:-1]), choices[-1]])
        raise SettingWrong(variable=variable, value=value, possible=possible)
    return value


def read_gigabytes(environment: Mapping[str, str], variable: str, default_bytes: int) -> int:
    """Return a number of bytes that a variable gives in gigabytes."""
    value = environment.get(variable)
    if not value:
        return default_bytes
    with suppress(ValueError):
        gigabytes = float(value)
        if 0 < gigabytes < math.inf:
            return int(gigabytes * 10**9)
    raise SettingWrong(variable=variable, value=value, possible="a number of gigabytes above 0")


def read_whole(environment: Mapping[str, str], variable: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number that a variable gives."""
    value = environment.get(variable) or str(default)
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        raise SettingWrong(variable=variable, value=value, possible=f"a whole number from {low} to {high}")
    return int(value)


def read_words(environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """Return the words of a variable that lists some, between commas or spaces."""
    return tuple(environment.get(variable, "").replace(",", " ").split())


def is_on(environment: Mapping[str, str], variable: str) -> bool:
    """Return whether a switch is on; it is off unless set."""
    value = environment.get(variable) or _OFF[0]
    if value.lower() not in _ON + _OFF:
        raise SettingWrong(variable=variable, value=value, possible=f"{', '.join(_ON)} or {', '.join(_OFF)}")
    return value.lower() in _ON
