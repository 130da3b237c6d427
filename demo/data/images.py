"""Untrusted bytes -> one upright RGB image."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from demo.errors import ImageBytesExceeded, ImageDamaged, ImageTooLarge, NotAnImage
from demo.settings import MEGABYTE, Settings

# An allow-list: Pillow registers over forty readers, and most of its past holes were in the rare ones.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif")
THUMBNAIL_SIDE_PX = 96  # of a picture's short side

# A picture of 50 million pixels takes up to 1 GB while it is decoded.
_decoding = threading.BoundedSemaphore(2)


def read_image(source: Path | bytes, settings: Settings, *, name: str = "") -> Image.Image:
    """Decode one untrusted picture within the limits.

    Args:
        source: The file, or its bytes. What it is comes from the bytes, never from the name.
        settings: Limits on bytes, pixels and sides, and the size that is kept.
        name: What to call the picture in an error; a path's own name unless given.

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
    with _decoding, _one_sentence(name, settings), Image.open(_open(source), formats=FORMATS) as image:
        _check_size(image, settings, name)
        # A JPEG can be decoded at a fraction of its size, which for a phone's photograph saves nine tenths.
        image.draft("RGB", _fit(image.size, settings))
        ImageOps.exif_transpose(image, in_place=True)
        rgb = _to_rgb(image)
        size = _fit(rgb.size, settings)
        # Bilinear as Pillow does it, with a filter as wide as the scale: a third of the time of Lanczos.
        kept = rgb.copy() if size == rgb.size else rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        kept.info = {}  # no EXIF, no colour profile
        return kept


def pack_image(image: Image.Image) -> bytes:
    """Encode an image without loss, to keep it: decoded, Pillow takes four bytes for each pixel."""
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


def _open(source: Path | bytes) -> Path | io.BytesIO:
    return source if isinstance(source, Path) else io.BytesIO(source)


@contextmanager
def _one_sentence(name: str, settings: Settings) -> Iterator[None]:
    """Turn whatever Pillow raises into one of ours; it raises far more than OSError on hostile files."""
    try:
        yield
    except (ImageTooLarge, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # Pillow refuses it before its size can be asked for
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
    """Return the size, in pixels, at which a picture is kept: networks look at the short side."""
    scale = min(1.0, settings.photo_short_side_px / min(size), settings.photo_long_side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own convert would clip at 255
        grey = np.asarray(image).astype(np.float32)
        if "transparency" in image.info:
            grey[grey == image.info["transparency"]] = 65_535.0  # on white
        grey /= 257.0  # 65535 -> 255
        return Image.fromarray(np.clip(np.round(grey), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
