"""First bytes -> what a file is; its name says nothing."""

import re
import struct
from contextlib import suppress
from enum import StrEnum

from demo.data.formats.errors import (
    IsArchive,
    IsDocument,
    IsDrawing,
    IsEmpty,
    IsOtherPicture,
    IsRaw,
    IsSequence,
    IsText,
    IsUnknown,
    IsVideo,
    IsWebPage,
    WhatItIs,
)

_HEAD = 4096  # bytes in which web pages and drawings say what they are


class Kind(StrEnum):
    """What a file is. The first ones are the pictures that are read, by Pillow's names."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    AVIF = "AVIF"
    HEIC = "HEIC"
    TIFF = "TIFF"

    EMPTY = "empty"
    SEQUENCE = "HEIC sequence"
    SVG = "SVG"
    WEB_PAGE = "web page"
    RAW = "raw photograph"
    JPEG_XL = "JPEG XL"
    JPEG_2000 = "JPEG 2000"
    PHOTOSHOP = "Photoshop"
    VIDEO = "video"
    PDF = "PDF"
    OFFICE = "Office"
    ARCHIVE = "archive"
    TEXT = "text"
    UNKNOWN = "unknown"

    @property
    def is_picture(self) -> bool:
        """Whether files of this kind are read."""
        return self in PICTURES


PICTURES = (Kind.JPEG, Kind.PNG, Kind.WEBP, Kind.GIF, Kind.BMP, Kind.AVIF, Kind.HEIC, Kind.TIFF)

_STARTS = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"BM", Kind.BMP),
    (b"\xff\x0a", Kind.JPEG_XL),
    (b"\0\0\0\x0cJXL ", Kind.JPEG_XL),
    (b"\0\0\0\x0cjP  ", Kind.JPEG_2000),
    (b"\xff\x4f\xff\x51", Kind.JPEG_2000),
    (b"8BPS", Kind.PHOTOSHOP),
    (b"%PDF", Kind.PDF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.OFFICE),
    (b"Rar!", Kind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"\x1f\x8b", Kind.ARCHIVE),
    (b"IIU\0", Kind.RAW),
    (b"IIRO", Kind.RAW),
    (b"IIRS", Kind.RAW),
    (b"MMOR", Kind.RAW),
    (b"FUJIFILMCCD-RAW", Kind.RAW),
    (b"FOVb", Kind.RAW),
    (b"\x1a\x45\xdf\xa3", Kind.VIDEO),  # Matroska and WebM
    (b"\0\0\1\xba", Kind.VIDEO),
    (b"FLV\1", Kind.VIDEO),
)
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_OFFICE = (b"[Content_Types].xml", b"word/", b"xl/", b"ppt/", b"mimetypeapplication/vnd.oasis")
_STILL_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"}
_SEQUENCE_BRANDS = {b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"}
_WEB_PAGE = re.compile(rb"<!doctype html|<html|<head|<body|<script", re.IGNORECASE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))

_SAID: dict[Kind, type[WhatItIs]] = {
    Kind.EMPTY: IsEmpty,
    Kind.SEQUENCE: IsSequence,
    Kind.SVG: IsDrawing,
    Kind.WEB_PAGE: IsWebPage,
    Kind.RAW: IsRaw,
    Kind.VIDEO: IsVideo,
    Kind.ARCHIVE: IsArchive,
    Kind.TEXT: IsText,
}

_NEW_SUBFILE_TYPE, _DNG_VERSION = 254, 50_706


def find_kind(content: bytes) -> Kind:
    """Return what a file is.

    Args:
        content: Its bytes, or the first 4 kB of them; of a raw photograph whose directory lies further back, the
            first ones may look like a TIFF.

    Returns:
        The kind. That a file begins as a picture does not say that it can be decoded.
    """
    if not content.strip(b"\0"):
        return Kind.EMPTY
    if content[4:8] == b"ftyp":
        return _find_by_brand(content)
    if content.startswith(_TIFF_STARTS):
        return Kind.RAW if _is_raw(content) else Kind.TIFF
    if content.startswith(b"RIFF"):
        return {b"WEBP": Kind.WEBP, b"AVI ": Kind.VIDEO}.get(content[8:12], Kind.UNKNOWN)
    if content.startswith(b"PK"):
        return Kind.OFFICE if any(each in content[:_HEAD] for each in _OFFICE) else Kind.ARCHIVE
    if content[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime before it had brands
        return Kind.VIDEO
    return next((kind for start, kind in _STARTS if content.startswith(start)), None) or _find_text(content[:_HEAD])


def describe(kind: Kind) -> WhatItIs:
    """Return what to say of a file that is no picture which is read."""
    match kind:
        case Kind.PDF | Kind.OFFICE:
            return IsDocument(format=kind.value)
        case Kind.JPEG_XL | Kind.JPEG_2000 | Kind.PHOTOSHOP:
            return IsOtherPicture(format=kind.value)
    return _SAID.get(kind, IsUnknown)()


def read_tag(tiff: bytes, wanted: int) -> int | None:
    """Return the first number of a tag of a TIFF's first directory, as TIFF 6.0, section 2, lays it out."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2], "<")
    with suppress(struct.error):
        (start,) = struct.unpack_from(f"{order}L", tiff, 4)
        (num_entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(num_entries):
            place = start + 2 + 12 * number
            tag, kind = struct.unpack_from(f"{order}HH", tiff, place)
            if tag == wanted:
                return int(struct.unpack_from(f"{order}{'L' if kind == 4 else 'H'}", tiff, place + 8)[0])
    return None


def _find_by_brand(content: bytes) -> Kind:
    """Return which of the many formats of boxes a file is in: pictures, photographs, videos."""
    length = max(16, min(int.from_bytes(content[:4], "big"), 1024))
    brands = {content[8:12], *(content[place : place + 4] for place in range(16, length, 4))}
    if brands & {b"avif", b"avis"}:
        return Kind.AVIF
    if brands & _STILL_BRANDS:
        return Kind.HEIC
    if brands & _SEQUENCE_BRANDS:
        return Kind.SEQUENCE
    return Kind.RAW if b"crx " in brands else Kind.VIDEO


def _is_raw(tiff: bytes) -> bool:
    """Say whether a TIFF's first picture is but a small copy, as it is in the raw photographs of most cameras."""
    is_small = (read_tag(tiff, _NEW_SUBFILE_TYPE) or 0) & 1
    return bool(is_small) or tiff[8:10] == b"CR" or read_tag(tiff, _DNG_VERSION) is not None


def _find_text(head: bytes) -> Kind:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Kind.TEXT
    if head.translate(None, _CONTROLS) != head:
        return Kind.UNKNOWN
    if _WEB_PAGE.search(head):
        return Kind.WEB_PAGE
    return Kind.SVG if b"<svg" in head else Kind.TEXT
