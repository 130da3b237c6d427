"""Untrusted bytes -> one upright RGB image."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from demo.data.errors import ImageBytesExceeded, ImageDamaged, ImageError, NotAnImage
from demo.data.formats.apart import APART, decode_apart
from demo.data.formats.common import decode_here
from demo.data.formats.limits import fit, too_large
from demo.data.formats.tones import Note, look_for_nothing, to_rgb
from demo.data.kinds import Kind, describe, find_kind
from demo.settings import MEGABYTE, Settings

THUMBNAIL_SIDE_PX = 96  # length of a thumbnail's short side

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


@dataclass(frozen=True)
class Decoded:
    """One picture that was read, what it was stored as, and what a visitor ought to know of it."""

    image: Image.Image
    kind: Kind
    notes: tuple[Note, ...] = ()


def read_image(source: Path | bytes, settings: Settings, *, name: str | None = None) -> Image.Image:
    """Return the image of `decode_image` alone."""
    return decode_image(source, settings, name=name).image


def decode_image(source: Path | bytes, settings: Settings, *, name: str | None = None) -> Decoded:
    """Decode one untrusted picture within the limits.

    Args:
        source: The file, or its bytes. The format is read from the bytes, never from the name.
        settings: Limits on bytes, pixels and sides, and the size that is kept.
        name: Name of the picture in errors, empty where a report names it already; a path's own by default.

    Returns:
        RGB image, upright by its EXIF orientation, transparency on white unless it could not be seen there, dark
        16-bit values stretched, the first frame of an animation, the first page of a TIFF, without metadata, shrunk
        to `photo_short_side_px` and `photo_long_side_px`; never enlarged. Notes are in the order of `Note`.

    Raises:
        ImageError: One of its kinds, with the name and what to do.
    """
    if name is None:
        name = source.name if isinstance(source, Path) else ""
    num_bytes = source.stat().st_size if isinstance(source, Path) else len(source)
    if num_bytes > settings.max_image_bytes:
        raise ImageBytesExceeded(name=name, megabytes=num_bytes / MEGABYTE, limit=settings.max_image_bytes / MEGABYTE)
    content = source.read_bytes() if isinstance(source, Path) else source
    kind = find_kind(content)
    if not kind.is_picture:
        raise NotAnImage(name=name, what=describe(kind))
    with _decoding, _one_sentence(name, settings):
        loaded = (decode_apart if kind in APART else decode_here)(content, kind, settings, name=name)
        rgb, notes = to_rgb(loaded.image, loaded.low)
        kept = _keep(rgb, loaded.orientation, settings)
    if loaded.is_cut:
        notes.add(Note.CUT)
    if Note.TRANSPARENT not in notes:
        notes |= look_for_nothing(kept)
    return Decoded(kept, kind, tuple(each for each in Note if each in notes))


def _keep(rgb: Image.Image, orientation: int, settings: Settings) -> Image.Image:
    """Return a picture at the size that is kept, upright."""
    size = fit(rgb.size, settings)
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


@contextmanager
def _one_sentence(name: str, settings: Settings) -> Iterator[None]:
    """Turn every exception of Pillow into an ImageError; hostile files raise far more than OSError."""
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # Pillow raises this before it tells the size
        raise too_large(f"> {2 * (Image.MAX_IMAGE_PIXELS or 0):,}", settings, name) from error
    except Exception as error:
        raise ImageDamaged(name=name) from error
