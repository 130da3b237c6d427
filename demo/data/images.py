"""Untrusted bytes -> one upright RGB image."""

import io
import re
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from demo.data.errors import ImageBytesExceeded, ImageDamaged, ImageError, ImageTooLarge, NotAnImage
from demo.settings import MEGABYTE, Settings

# An allow-list: Pillow registers over forty readers, and most of its past holes were in the rare ones.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif")
THUMBNAIL_SIDE_PX = 96  # length of a thumbnail's short side

# Pillow reads metadata chunk by chunk, and joins some of it again at each chunk: a file of nothing but chunks takes
# minutes. A phone's photograph takes some hundred reads, a PNG of 15 MB in small chunks 15,000.
_MAX_HEADER_READS = 10_000
_MAX_READS = 200_000
_MAX_SCANS = 50  # a progressive JPEG has about ten scans; each one passes over all pixels again

_SCAN_STARTS = tuple(b"\xff\xda\0%c%c" % (6 + 2 * number, number) for number in range(1, 5))  # by number of components
_JPEG_EXIF = re.compile(rb"\xff\xe1..Exif\0\0", re.DOTALL)
_AVIF_EXIF = re.compile(rb"(infe.{8,10}?)Exif", re.DOTALL)
_XMP_ORIENTATION = re.compile(r'tiff:Orientation(?:="|>)([0-9])')
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# A picture of 50 million pixels takes up to 1 GB while it is decoded.
_decoding = threading.BoundedSemaphore(2)


def read_image(source: Path | bytes, settings: Settings, *, name: str = "") -> Image.Image:
    """Decode one untrusted picture within the limits.

    Args:
        source: The file, or its bytes. The format is read from the bytes, never from the name.
        settings: Limits on bytes, pixels and sides, and the size that is kept.
        name: Name of the picture in errors; a path's own by default.

    Returns:
        RGB image, upright by its EXIF orientation, transparency on white, the first frame of an animation,
        without metadata, shrunk to `photo_short_side_px` and `photo_long_side_px`; never enlarged.

    Raises:
        ImageError: One of its kinds, with the name and what to do.
    """
    name = name or (source.name if isinstance(source, Path) else "")
    num_bytes = source.stat().st_size if isinstance(source, Path) else len(source)
    if num_bytes > settings.max_image_bytes:
        raise ImageBytesExceeded(name=name, megabytes=num_bytes / MEGABYTE, limit=settings.max_image_bytes / MEGABYTE)
    content = source.read_bytes() if isinstance(source, Path) else source
    with _decoding, _one_sentence(name, settings):
        _check_scans(content, name)
        file = _MeteredFile(_hide_metadata(content))
        with Image.open(file, formats=FORMATS) as image:
            _check_size(image, settings, name)
            file.reads_left = _MAX_READS
            orientation = _find_orientation(content, image)
            # A JPEG can be decoded at a fraction of its size, which takes a tenth of the time for a phone's photograph.
            image.draft("RGB", _fit(image.size, settings))
            image.load()
            _scale_transparent_colour(image, content[24:25])
            rgb = _to_rgb(image)
        size = _fit(rgb.size, settings)
        # Pillow's bilinear filter is as wide as the scale, so it does not alias, in a third of the time of Lanczos.
        kept = rgb.copy() if size == rgb.size else rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        if orientation in _UPRIGHT:
            kept = kept.transpose(_UPRIGHT[orientation])
        kept.info = {}  # drops EXIF data and the colour profile
        return kept


def pack_image(image: Image.Image) -> bytes:
    """Encode an image without loss, to keep it: Pillow takes four bytes for each pixel of a decoded one."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def unpack_image(packed: bytes) -> Image.Image:
    """Decode what `pack_image` returned."""
    return Image.open(io.BytesIO(packed), formats=["PNG"]).convert("RGB")


def shrink(image: Image.Image, short_side_px: int = THUMBNAIL_SIDE_PX) -> Image.Image:
    """Return an image whose short side is at most that long; never enlarged."""
    scale = min(1.0, short_side_px / min(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def pack_jpeg(image: Image.Image, *, quality: int = 80) -> bytes:
    """Encode an image as a JPEG; at the usual quality a thumbnail has about 4 kB."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


class _MeteredFile(io.BytesIO):
    """A file in memory that raises OSError after `reads_left` reads."""

    reads_left = _MAX_HEADER_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise OSError("the file is in too many pieces")
        return super().read(size)


def _check_scans(content: bytes, name: str) -> None:
    if content.startswith(b"\xff\xd8") and sum(content.count(start) for start in _SCAN_STARTS) > _MAX_SCANS:
        raise ImageDamaged(name=name)


def _hide_metadata(content: bytes) -> bytes:
    """Rename the metadata that Pillow would parse on opening a file, without changing any byte's place.

    The entries of an EXIF directory may share their bytes: a megabyte of EXIF data can then take a gigabyte.
    """
    if content.startswith(b"\xff\xd8"):
        return content.replace(b"Exif\0\0", b"-xif\0\0").replace(b"MPF\0", b"-PF\0")
    return _AVIF_EXIF.sub(rb"\1-xif", content) if content[4:8] == b"ftyp" else content


def _find_orientation(content: bytes, image: Image.Image) -> int:
    """Return the orientation, 1 to 8, from EXIF data or, if they have none, from XMP; 0 if neither has one."""
    exif = image.info.get("exif", b"")
    if content.startswith(b"\xff\xd8") and (segment := _JPEG_EXIF.search(content)):
        exif = content[segment.start() + 4 :]
    elif "Raw profile type exif" in image.info:  # ImageMagick stores EXIF data in a PNG like this
        exif = _from_hexadecimal(str(image.info["Raw profile type exif"]))
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or ""
    said = _XMP_ORIENTATION.search(xmp.decode("latin-1") if isinstance(xmp, bytes) else str(xmp))
    return _read_orientation(exif) or (int(said[1]) if said else 0)


def _from_hexadecimal(profile: str) -> bytes:
    with suppress(ValueError):
        return bytes.fromhex("".join(profile.split("\n")[3:]))
    return b""


def _read_orientation(exif: bytes) -> int:
    """Read the orientation from the first directory of EXIF data, in the layout of TIFF 6.0, section 2."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2], "<")
    with suppress(struct.error):
        (start,) = struct.unpack_from(f"{order}L", tiff, 4)
        (num_entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(num_entries):
            place = start + 2 + 12 * number
            tag, kind = struct.unpack_from(f"{order}HH", tiff, place)
            if tag == _ORIENTATION:
                return int(struct.unpack_from(f"{order}{'L' if kind == 4 else 'H'}", tiff, place + 8)[0])
    return 0


@contextmanager
def _one_sentence(name: str, settings: Settings) -> Iterator[None]:
    """Turn every exception of Pillow into an ImageError; hostile files raise far more than OSError."""
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # Pillow raises this before it tells the size
        raise _too_large(name, f"> {2 * (Image.MAX_IMAGE_PIXELS or 0):,}", settings) from error
    except UnidentifiedImageError as error:
        raise NotAnImage(name=name) from error
    except Exception as error:
        raise ImageDamaged(name=name) from error


def _check_size(image: Image.Image, settings: Settings, name: str) -> None:
    width, height = image.size
    too_many = width * height > settings.max_image_pixels
    if too_many or max(width, height) > settings.max_image_side_px:
        raise _too_large(name, f"{width} x {height}", settings)


def _too_large(name: str, size: str, settings: Settings) -> ImageTooLarge:
    return ImageTooLarge(name=name, size=size, limit=settings.max_image_pixels / 1e6, side=settings.max_image_side_px)


def _fit(size: tuple[int, int], settings: Settings) -> tuple[int, int]:
    """Return the size, in pixels, at which a picture is kept; networks' transforms resize by the short side."""
    scale = min(1.0, settings.photo_short_side_px / min(size), settings.photo_long_side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _scale_transparent_colour(image: Image.Image, bit_depth: bytes) -> None:
    """Scale the transparent colour of a PNG to 8 bits; Pillow scales the pixels but not this colour."""
    colour = image.info.get("transparency")
    if image.format == "PNG" and image.mode == "RGB" and bit_depth == b"\x10" and colour:
        image.info["transparency"] = tuple(value >> 8 for value in colour)
    elif image.format == "PNG" and image.mode == "L" and bit_depth in (b"\2", b"\4") and colour is not None:
        full = 2 ** bit_depth[0] - 1
        image.info["transparency"] = (colour & full) * 255 // full


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own convert would clip at 255
        grey = np.asarray(image).astype(np.float32)
        if "transparency" in image.info:
            grey[grey == image.info["transparency"]] = 65_535.0  # transparent pixels become white
        grey /= 257.0  # 65535 -> 255
        return Image.fromarray(np.clip(np.round(grey), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
