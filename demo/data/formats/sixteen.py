"""Colours in 16 bits: Pillow keeps the high bytes, which say too little where a file holds 12 bits or fewer."""

import sys
from typing import Any

from PIL import Image, ImageFile

_NATIVE = "L" if sys.byteorder == "little" else "B"
_OTHER = {"L": "B", "B": "L", "N": {"L": "B", "B": "L"}[_NATIVE]}
_LITTLE = 16  # of 256 steps, which is 12 bits of 16


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Say whether an opened picture that is not loaded yet stores its colours in 16 bits."""
    return bool(image.tile) and all(";16" in _raw_mode(each.args) for each in image.tile) and "RGB" in image.mode


def is_dark(image: Image.Image) -> bool:
    """Say whether the high bytes of a loaded picture use no more than a sixteenth of their range."""
    colours = image.getextrema()[:3]
    return all(isinstance(each, tuple) and each[1] < _LITTLE for each in colours)


def take_low_bytes(image: ImageFile.ImageFile) -> None:
    """Let an opened picture load the low byte of each sample in place of the high one."""
    image.tile = [each._replace(args=_swap(each.args)) for each in image.tile]


def _raw_mode(args: Any) -> str:
    return str(args[0] if isinstance(args, tuple) else args)


def _swap(args: Any) -> Any:
    mode = _raw_mode(args)
    swapped = mode[:-1] + _OTHER[mode[-1]]
    return (swapped, *args[1:]) if isinstance(args, tuple) else swapped
