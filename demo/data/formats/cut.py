"""JPEGs of which the last bytes did not arrive: browsers show them, and so does this page if nearly all is there."""

import numpy as np
from PIL import Image

# A decoder goes on over an early end. What it makes of the rest depends on how the file ends, and the rows that were
# there do not: where two endings make a difference, the picture is missing.
_END = b"\xff\xd9"
_ENDINGS = (_END, bytes(range(1, 251)) + _END)

_MAX_MISSING = 0.1  # of the rows
_SEQUENTIAL = (0xC0, 0xC1)  # frames that are stored from top to bottom
_RESTARTS, _SCAN = 0xDD, 0xDA


def has_one_scan(jpeg: bytes) -> bool:
    """Say whether a JPEG is stored in a single pass from top to bottom, as most photographs are.

    With restarts, the decoder would leave out all that follows the first one that is missing, whatever the ending.
    """
    place, num_components = 2, 0
    while place + 10 <= len(jpeg) and jpeg[place] == 0xFF:
        marker, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if marker == _SCAN:
            return 0 < num_components == jpeg[place + 4]
        if marker == _RESTARTS:
            return False
        if marker in _SEQUENTIAL:
            num_components = jpeg[place + 9]
        place += 2 + length
    return False


def with_endings(jpeg: bytes) -> tuple[bytes, bytes]:
    """Return a JPEG with each of two endings; a byte of 255 at its end was the first of two."""
    whole = jpeg + b"\0" if jpeg.endswith(b"\xff") else jpeg
    return whole + _ENDINGS[0], whole + _ENDINGS[1]


def is_little_missing(image: Image.Image, other: Image.Image) -> bool:
    """Say whether a picture is nearly whole, by what it is with one ending and with another."""
    differ = np.asarray(image) != np.asarray(other)
    rows = np.flatnonzero(differ.reshape(len(differ), -1).any(axis=1))
    missing = len(differ) - int(rows[0]) if len(rows) else 0
    return missing <= _MAX_MISSING * len(differ)
