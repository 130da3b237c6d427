"""The common formats, which Pillow decodes in this process: JPEG, PNG, WebP, GIF, BMP and AVIF."""

import io
import re
from contextlib import suppress

from PIL import Image, ImageFile

from demo.data.errors import ImageDamaged, ImageError
from demo.data.formats.cut import has_one_scan, is_little_missing, with_endings
from demo.data.formats.limits import check_size, fit
from demo.data.formats.loaded import Loaded
from demo.data.formats.sixteen import is_dark, is_deep, take_low_bytes
from demo.data.kinds import Kind, read_tag
from demo.settings import Settings

# Pillow reads metadata chunk by chunk, and joins some of it again at each chunk: a file of nothing but chunks takes
# minutes. A phone's photograph takes some hundred reads, a PNG of 15 MB in small chunks 15,000.
_MAX_HEADER_READS = 10_000
_MAX_READS = 200_000
_MAX_SCANS = 50  # a progressive JPEG has about ten scans; each one passes over all pixels again

_SCAN_STARTS = tuple(b"\xff\xda\0%c%c" % (6 + 2 * number, number) for number in range(1, 5))  # by number of components
_SCAN = 0xDA
# Tables, frames, scans, restarts, applications' data and comments: each of these has a length after its marker.
_PLAIN_SEGMENTS = tuple(bytes([each]) for each in (0xC0, 0xC1, 0xC2, 0xC4, _SCAN, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE))
_JPEG_EXIF = re.compile(rb"\xff\xe1..Exif\0\0", re.DOTALL)
_AVIF_EXIF = re.compile(rb"(infe.{8,10}?)Exif", re.DOTALL)
_XMP_ORIENTATION = re.compile(r'tiff:Orientation(?:="|>)([0-9])')
_ORIENTATION = 0x0112


def decode_here(content: bytes, kind: Kind, settings: Settings, *, name: str) -> Loaded:
    """Decode one untrusted picture within the limits, the first frame of an animation.

    Args:
        content: The file.
        kind: Its format; no other reader of Pillow's sees it.
        settings: Limits on pixels and sides, and the size that is kept: a JPEG may come smaller than it is stored.
        name: Name of the picture in errors.

    Returns:
        The picture, not turned upright yet.

    Raises:
        ImageTooLarge: If its header says too many pixels.
        Exception: Of any kind, if it cannot be decoded.
    """
    _check_scans(content, name)
    try:
        return _load(content, kind, settings, name)
    except (ImageError, MemoryError):
        raise
    except Exception:
        if kind is not Kind.JPEG or not has_one_scan(content):
            raise
        loaded, other = (_load(each, kind, settings, name) for each in with_endings(content))
        if not is_little_missing(loaded.image, other.image):
            raise
        return Loaded(loaded.image, orientation=loaded.orientation, is_cut=True)


def _load(content: bytes, kind: Kind, settings: Settings, name: str) -> Loaded:
    hidden = _hide_metadata(content)
    image = _open(hidden, kind, settings, name)
    orientation, deep = _find_orientation(content, image), kind is Kind.PNG and is_deep(image)
    # A JPEG can be decoded at a fraction of its size, which takes a tenth of the time for a phone's photograph.
    image.draft("RGB", fit(image.size, settings))
    image.load()
    low = None
    if deep and is_dark(image):
        low = _open(hidden, kind, settings, name)
        take_low_bytes(low)
        low.load()
    else:
        _scale_transparent_colour(image, content[24:25])
    return Loaded(image, low, orientation)


def _open(content: bytes, kind: Kind, settings: Settings, name: str) -> ImageFile.ImageFile:
    file = _MeteredFile(content)
    image = Image.open(file, formats=[kind.value])
    check_size(image.size, settings, name)
    file.reads_left = _MAX_READS
    return image


class _MeteredFile(io.BytesIO):
    """A file in memory that raises OSError after `reads_left` reads."""

    reads_left = _MAX_HEADER_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise OSError("the file is in too many pieces")
        return super().read(size)


def _check_scans(content: bytes, name: str) -> None:
    # What all of them begin with is counted first: each count passes over the whole file.
    may_be = content.startswith(b"\xff\xd8") and content.count(_SCAN_STARTS[0][:3]) > _MAX_SCANS
    if may_be and sum(content.count(start) for start in _SCAN_STARTS) > _MAX_SCANS:
        raise ImageDamaged(name=name)


def _hide_metadata(content: bytes) -> bytes:
    """Rename the metadata that Pillow would parse on opening a file, without changing any byte's place.

    The entries of an EXIF directory may share their bytes: a megabyte of EXIF data can then take a gigabyte.
    """
    if content.startswith(b"\xff\xd8"):
        end = _find_pixels(content)  # beyond are nine tenths of a photograph, and none of its metadata
        return content[:end].replace(b"Exif\0\0", b"-xif\0\0").replace(b"MPF\0", b"-PF\0") + content[end:]
    return _AVIF_EXIF.sub(rb"\1-xif", content) if content[4:8] == b"ftyp" else content


def _find_pixels(content: bytes) -> int:
    """Return where the header of a JPEG ends, at its first scan; the file's end if anything of the header is odd."""
    place = 2
    while content[place : place + 1] == b"\xff" and content[place + 1 : place + 2] in _PLAIN_SEGMENTS:
        if content[place + 1] == _SCAN:
            return place
        place += 2 + int.from_bytes(content[place + 2 : place + 4])
    return len(content)


def _find_orientation(content: bytes, image: Image.Image) -> int:
    """Return the orientation, 1 to 8, from EXIF data or, if they have none, from XMP; 0 if neither has one."""
    exif = image.info.get("exif", b"")
    is_jpeg = content.startswith(b"\xff\xd8")
    if is_jpeg and (segment := _JPEG_EXIF.search(content, 0, _find_pixels(content))):
        exif = content[segment.start() + 4 :]
    elif "Raw profile type exif" in image.info:  # ImageMagick stores EXIF data in a PNG like this
        exif = _from_hexadecimal(str(image.info["Raw profile type exif"]))
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or ""
    said = _XMP_ORIENTATION.search(xmp.decode("latin-1") if isinstance(xmp, bytes) else str(xmp))
    return read_tag(exif.removeprefix(b"Exif\0\0"), _ORIENTATION) or (int(said[1]) if said else 0)


def _from_hexadecimal(profile: str) -> bytes:
    with suppress(ValueError):
        return bytes.fromhex("".join(profile.split("\n")[3:]))
    return b""


def _scale_transparent_colour(image: Image.Image, bit_depth: bytes) -> None:
    """Scale the transparent colour of a PNG to 8 bits; Pillow scales the pixels but not this colour."""
    colour = image.info.get("transparency")
    if image.format == "PNG" and image.mode == "RGB" and bit_depth == b"\x10" and colour:
        image.info["transparency"] = tuple(value >> 8 for value in colour)
    elif image.format == "PNG" and image.mode == "L" and bit_depth in (b"\2", b"\4") and colour is not None:
        full = 2 ** bit_depth[0] - 1
        image.info["transparency"] = (colour & full) * 255 // full
