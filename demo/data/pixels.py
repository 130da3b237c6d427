"""What decoding pictures will cost, told by their first bytes, before any of them is decoded.

A megabyte of zip can hold thousands of megapixels, which take minutes; the sizes stand in the headers. Pillow is not
asked, for of some formats it reads the whole file to tell a size.
"""

import re
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from demo.data.kinds import Kind, find_kind, read_tag
from demo.data.layouts.errors import PixelsExceeded
from demo.settings import MEGABYTE, Settings

HEAD_BYTES = 65_536  # in which the size of a picture stands, but for a JPEG with very much metadata before it

# A JPEG is decoded at a fraction of its size, one whose scans refine each other is not; CPU time, measured: a plain
# photograph up to 6 ms for a million pixels, a progressive one 15, an even PNG 6, an even plain JPEG half of one.
_PLAIN_JPEG_SHARE = 4
_SIZES = re.compile(rb"ispe.{4}(.{4})(.{4})", re.DOTALL)  # of HEIC and AVIF: of the whole, its tiles, its thumbnail
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257

Size = tuple[int, int]


class PixelBudget:
    """How many pixels may still be decoded in one reading, whatever its pictures came in."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._left = settings, float(settings.max_decoded_pixels)

    def foresee(self, heads: Iterable[bytes]) -> None:
        """Look whether pictures are within the budget, by their first HEAD_BYTES; nothing is spent.

        Raises:
            PixelsExceeded: If they are not; what comes after that is not looked at.
        """
        left = self._left
        for head in heads:
            left -= count_pixels(head, self._settings)
            self._check(left)

    def foresee_files(self, sources: Iterable[Path | bytes]) -> None:
        """Likewise for files, or what they hold."""
        self.foresee(read_head(each) for each in sources)

    def spend(self, content: bytes) -> None:
        """Spend what decoding a picture costs.

        Raises:
            PixelsExceeded: If that is more than is left.
        """
        self._left -= count_pixels(content, self._settings)
        self._check(self._left)

    def _check(self, left: float) -> None:
        if left < 0:
            raise PixelsExceeded(limit=self._settings.max_decoded_pixels / MEGABYTE)


def read_head(source: Path | bytes) -> bytes:
    """Return the first HEAD_BYTES of a file; nothing of one that is not there."""
    if isinstance(source, bytes):
        return source[:HEAD_BYTES]
    with suppress(OSError), source.open("rb") as file:
        return file.read(HEAD_BYTES)
    return b""


def count_pixels(content: bytes, settings: Settings) -> float:
    """Return how many pixels a picture takes to decode: those of a plain JPEG count a quarter.

    Args:
        content: The picture, or its first HEAD_BYTES.
        settings: Limits on one picture; one that is too large is not decoded and costs nothing.

    Returns:
        The number; 0 for what is no picture, or does not say its size.
    """
    kind = find_kind(content)
    with suppress(struct.error, IndexError):
        width, height = _READERS[kind](content) if kind in _READERS else (0, 0)
        if width * height <= settings.max_image_pixels and max(width, height) <= settings.max_image_side_px:
            return width * height / (_PLAIN_JPEG_SHARE if _is_plain_jpeg(kind, content) else 1)
    return 0.0


def _read_jpeg(content: bytes) -> Size:
    at = _find_frame(content)
    height, width = struct.unpack_from(">HH", content, at + 5)
    return width, height


def _find_frame(content: bytes) -> int:
    """Return where a JPEG's frame header stands (ITU-T T.81, B.2.2); past the end if it is not there."""
    at = 2
    while at < len(content):
        marker = content[at + 1]
        if content[at] != 0xFF or marker == 0xFF:  # what fills up the space before a marker
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # those are tables
            return at
        else:
            has_no_length = marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD9
            at += 2 if has_no_length else 2 + int(struct.unpack_from(">H", content, at + 2)[0])
    return at


def _is_plain_jpeg(kind: Kind, content: bytes) -> bool:
    return kind is Kind.JPEG and content[_find_frame(content) + 1] in (0xC0, 0xC1)


def _read_webp(content: bytes) -> Size:
    """Read the size of a WebP (RFC 9649): its canvas, or that of its one picture."""
    match content[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF


def _read_bmp(content: bytes) -> Size:
    is_old = struct.unpack_from("<I", content, 14)[0] == 12
    width, height = struct.unpack_from("<HH" if is_old else "<ii", content, 18)
    return abs(width), abs(height)


def _read_boxes(content: bytes) -> Size:
    sizes = [(int.from_bytes(width, "big"), int.from_bytes(height, "big")) for width, height in _SIZES.findall(content)]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


_READERS: dict[Kind, Callable[[bytes], Size]] = {
    Kind.JPEG: _read_jpeg,
    Kind.PNG: lambda content: struct.unpack_from(">II", content, 16),
    Kind.GIF: lambda content: struct.unpack_from("<HH", content, 6),
    Kind.WEBP: _read_webp,
    Kind.BMP: _read_bmp,
    Kind.HEIC: _read_boxes,
    Kind.AVIF: _read_boxes,
    Kind.TIFF: lambda content: (read_tag(content, _TIFF_WIDTH) or 0, read_tag(content, _TIFF_HEIGHT) or 0),
}
