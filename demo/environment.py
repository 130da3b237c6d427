"""What environment variables say, each wrong one told in a sentence."""

import math
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from demo.errors import SettingWrong

_MAX_SECRET = 200  # characters
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


def read_secret(environment: Mapping[str, str], variable: str, least: int) -> str:
    """Return a text of at least so many characters that nobody is to guess; empty if it is not set."""
    secret = environment.get(variable, "").strip()
    if secret and not (least <= len(secret) <= _MAX_SECRET and secret.isprintable()):
        # What was given is not repeated: whoever reads the log may not be meant to know it.
        possible = f"{least} to {_MAX_SECRET} letters, digits and signs that nobody guesses, or unset"
        raise SettingWrong(variable=variable, value="***", possible=possible)
    return secret


def read_address(environment: Mapping[str, str], variable: str) -> str:
    """Return the address of a server, without a slash at its end; empty if it is not set."""
    value = environment.get(variable, "").strip()
    with suppress(ValueError):  # a port that is none
        parts = urlsplit(value)
        has_host = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        if not value or (has_host and parts.username is None and parts.path in ("", "/") and not parts.query):
            return value.rstrip("/")
    raise SettingWrong(variable=variable, value=value, possible="an address such as http://10.0.0.5:8000")


def is_on(environment: Mapping[str, str], variable: str) -> bool:
    """Return whether a switch is on; it is off unless set."""
    value = environment.get(variable) or _OFF[0]
    if value.lower() not in _ON + _OFF:
        raise SettingWrong(variable=variable, value=value, possible=f"{', '.join(_ON)} or {', '.join(_OFF)}")
    return value.lower() in _ON
