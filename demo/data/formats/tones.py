"""Pictures in any of Pillow's modes -> RGB in which what is there can be seen, and notes on what was done for that."""

from enum import StrEnum
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.bool_]

_BACKDROP = (64, 64, 64)  # for what cannot be seen on white
_WHITISH, _BLACKISH = 239, 20  # of 255: no pixel is darker, or none is lighter
_HARDLY, _HALF = 16, 128  # opacity of 255: up to the first, nothing is to be seen
_ONE_COLOUR = 3  # steps of 255 that compression makes of one colour


class Note(StrEnum):
    """What a visitor ought to know of a picture that was read."""

    STRETCHED = "stretched"
    BACKDROP = "backdrop"
    TRANSPARENT = "transparent"
    CUT = "cut"
    BLACK = "black"
    ONE_COLOUR = "one_colour"


def to_rgb(image: Image.Image, low: Image.Image | None = None) -> tuple[Image.Image, set[Note]]:
    """Return a picture in RGB, on white or, where it could not be seen there, on dark grey.

    Args:
        image: A loaded picture.
        low: The low bytes of its colours, where it has the high bytes of 16 bits that hold 12 or fewer.

    Returns:
        The picture, and STRETCHED, BACKDROP or TRANSPARENT where that was so.
    """
    is_stretched = False
    if low is not None:
        image, is_stretched = _join(image, low)
    elif image.mode[0] in "IF":
        image, is_stretched = _to_eight_bits(image)
    notes = {Note.STRETCHED} if is_stretched else set()
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image, laid = _lay(image)
        notes |= laid
    return image if image.mode == "RGB" else image.convert("RGB"), notes


def look_for_nothing(image: Image.Image) -> set[Note]:
    """Return BLACK or ONE_COLOUR where an RGB picture shows no more than that."""
    found = {Note.BLACK, Note.ONE_COLOUR}
    for each in "RGB":
        low, high = cast(tuple[int, int], image.getchannel(each).getextrema())
        found -= {Note.BLACK} if high > _BLACKISH else set()
        found -= {Note.ONE_COLOUR} if high - low > _ONE_COLOUR else set()
        if not found:  # most often after the first colour
            break
    return {Note.BLACK} if Note.BLACK in found else found


def _lay(image: Image.Image) -> tuple[Image.Image, set[Note]]:
    """Lay a picture with transparency on white, or on dark grey where nothing is darker than white."""
    rgba = image.convert("RGBA")
    opacity: Any = rgba.getchannel("A").getextrema()
    laid = _lay_on(rgba, (255, 255, 255))
    if opacity[1] <= _HARDLY:
        return laid, {Note.TRANSPARENT}
    darkest: list[Any] = [laid.getchannel(each).getextrema() for each in "RGB"]
    if opacity[0] < _HALF and all(low >= _WHITISH for low, _ in darkest):
        return _lay_on(rgba, _BACKDROP), {Note.BACKDROP}
    return laid, set()


def _lay_on(rgba: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", rgba.size, colour), rgba).convert("RGB")


def _join(high: Image.Image, low: Image.Image) -> tuple[Image.Image, bool]:
    """Return the colours of both bytes in 8 bits, and whether they were stretched."""
    values = np.asarray(high)[..., :3].astype(np.uint16) << 8 | np.asarray(low)[..., :3]
    eight, is_stretched = _scale(values)
    colours = Image.fromarray(eight)
    if high.mode == "RGBA":
        colours.putalpha(high.getchannel("A"))
    elif "transparency" in high.info:
        colours.putalpha(_opacity((values == high.info["transparency"]).all(axis=2)))
    return colours, is_stretched


def _to_eight_bits(grey: Image.Image) -> tuple[Image.Image, bool]:
    """Return a grey picture of 16 or 32 bits, or of real numbers, in 8 bits, and whether it was stretched."""
    values = np.asarray(grey)
    if values.dtype != np.uint16:
        return _from_numbers(values)
    hidden = values == grey.info.get("transparency", -1)
    eight, is_stretched = _scale(np.where(hidden, np.uint16(0), values))
    image = Image.fromarray(eight)
    if hidden.any():
        image.putalpha(_opacity(hidden))
    return image, is_stretched


def _from_numbers(values: NDArray[Any]) -> tuple[Image.Image, bool]:
    """Return 32-bit whole or real numbers as grey: from 0 to 1, 255 or 65,535 as they are, all others stretched."""
    numbers = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    lowest, highest = float(numbers.min()), float(numbers.max())
    if values.dtype.kind == "i" and lowest >= 0 and highest <= 65_535:
        eight, is_stretched = _scale(numbers.astype(np.uint16))
        return Image.fromarray(eight), is_stretched
    full = next((each for each in (1.0, 255.0) if lowest >= 0 and highest <= each), None)
    numbers = numbers * (255 / full) if full else (numbers - lowest) * (255 / max(highest - lowest, 1e-9))
    return Image.fromarray(np.round(numbers).astype(np.uint8)), full is None


def _scale(values: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], bool]:
    """Return 16-bit values in 8 bits, and whether they were stretched: if they hold 12 bits, or 8, and no more."""
    highest = int(values.max())
    full = 65_535 if highest > 4_095 or not highest else 4_095 if highest > 255 else 255
    steps = np.round(np.arange(65_536, dtype=np.float32) * (255 / full)).clip(0, 255).astype(np.uint8)
    return steps[values], full < 65_535


def _opacity(hidden: Mask) -> Image.Image:
    return Image.fromarray(np.where(hidden, np.uint8(0), np.uint8(255)))
