"""Values as they come from the page, or from a program that plays it: each is what it should be, or refused."""

import base64
import math
from contextlib import suppress
from enum import StrEnum
from typing import Any, TypeVar

from demo.data.errors import ImageBytesExceeded, NoImage, NotAnImage
from demo.settings import MEGABYTE, Settings
from demo.ui.parts.errors import OptionNotNumber, OptionNotWhole, UnknownChoice

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
    """Return a number, which may be NaN or infinite; one that is too large for a float is infinite.

    Raises:
        OptionNotNumber: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = f'"{value[:_MAX_LENGTH]}"' if isinstance(value, str) else str(value)[:_MAX_LENGTH]
        raise OptionNotNumber(option=option, value=shown)
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value > 0 or -1)


def parse_whole(option: str, value: Any) -> int:
    """Return a whole number.

    Raises:
        OptionNotNumber: If it is no number.
        OptionNotWhole: If it is no whole one.
    """
    number = parse_number(option, value)
    if not math.isfinite(number) or number % 1:
        raise OptionNotWhole(option=option, value=number)
    return int(number)


def streamed_bytes(payload: dict[str, Any] | None, settings: Settings) -> bytes:
    """Return one encoded picture of a camera's stream, which the browser sends as a data URL.

    Raises:
        NoImage: If there is none.
        ImageBytesExceeded, NotAnImage: If it is too large, or no data URL of a picture.
    """
    url = str((payload or {}).get("url") or "")
    kind, _, encoded = url.partition(",")
    if not url:
        raise NoImage()
    if len(encoded) > 4 * settings.max_image_bytes / 3 + 4:
        megabytes = len(encoded) * 3 / 4 / MEGABYTE
        raise ImageBytesExceeded(name="camera", megabytes=megabytes, limit=settings.max_image_bytes / MEGABYTE)
    if not kind.startswith("data:image/") or not kind.endswith(";base64"):
        raise NotAnImage(name="camera")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise NotAnImage(name="camera") from error


def read_event(event: Any, name: str) -> str:
    """Return what a `gr.EventData` holds under a name, as text; "None" where it holds nothing, or has no names."""
    with suppress(TypeError):  # of a program's event, which may hold anything
        return str(getattr(event, name, None))
    return str(None)
