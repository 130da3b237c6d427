"""The process that decodes one picture of a rare format; `demo/data/formats/apart.py` starts and bounds it.

It is given its limits as JSON and the picture on stdin. On stdout it writes how that ended, the size in pixels, and
planes of pixels, each behind the name of its mode and its length. It imports little, for every picture waits for it.
"""

import io
import json
import struct
import sys
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageFile, TiffImagePlugin

from demo.data.formats.sixteen import is_dark, is_deep, take_low_bytes
from demo.system import limit_process

DONE, TOO_LARGE, UNKNOWN, DAMAGED, NO_DECODER = range(5)
HEADER = struct.Struct(">BII")
PLANE = struct.Struct(">8sQ")

_SHRINKS = ("L", "LA", "RGB", "RGBA", "I", "F")
_SENT = (*_SHRINKS, "1", "I;16", "I;16B")


class SizeError(Exception):
    """A picture has too many pixels by its header; nothing of it was decoded."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Keep the size in pixels."""
        super().__init__(size)
        self.size = size


def decode(content: bytes, limits: dict[str, Any]) -> list[Image.Image]:
    """Decode the picture of a HEIC file, or the first page of a TIFF.

    Args:
        content: The file.
        limits: Its `kind`; `pixels` and `side`, which its header may not exceed; and `short` and `long`: a picture
            with more than twice those sides is made smaller by a whole factor.

    Returns:
        The picture, and beside it, where 16 bits of a colour hold 12 or fewer, one of the low bytes.

    Raises:
        SizeError: If it is too large.
        ImportError: If there is no decoder for it.
        Exception: Of any kind, if it cannot be decoded.
    """
    planes = list((_read_heic if limits["kind"] == "HEIC" else _read_tiff)(content, limits))
    return planes if len(planes) > 1 else [_shrink(_simplify(planes[0]), limits)]


def _read_heic(content: bytes, limits: dict[str, Any]) -> Iterator[Image.Image]:
    import pillow_heif

    options = pillow_heif.options
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    options.DECODE_THREADS = 1
    opened = pillow_heif.open_heif(content, convert_hdr_to_8bit=True)
    picture = opened[opened.primary_index]
    _check_size(picture.size, limits)
    yield picture.to_pillow()


def _read_tiff(content: bytes, limits: dict[str, Any]) -> Iterator[Image.Image]:
    image = _open_tiff(content)
    _check_size(image.size, limits)
    deep = is_deep(image)
    image.load()
    yield image
    if deep and is_dark(image):
        low = _open_tiff(content)
        take_low_bytes(low)
        low.load()
        yield low


def _open_tiff(content: bytes) -> ImageFile.ImageFile:
    return TiffImagePlugin.TiffImageFile(io.BytesIO(content))  # which says why it cannot, unlike Image.open


def _check_size(size: tuple[int, int], limits: dict[str, Any]) -> None:
    if size[0] * size[1] > limits["pixels"] or max(size) > limits["side"]:
        raise SizeError(size)


def _simplify(image: Image.Image) -> Image.Image:
    """Return a picture in one of the modes that are sent."""
    if image.mode in _SENT:
        return image
    return image.convert("RGBA" if image.mode in ("PA", "RGBa", "La") or "transparency" in image.info else "RGB")


def _shrink(image: Image.Image, limits: dict[str, Any]) -> Image.Image:
    """Halve a picture as often as resizing it later does anyway, so that fewer bytes travel."""
    factor = int(max(min(image.size) / limits["short"], max(image.size) / limits["long"]) / 2)
    return image.reduce(factor) if factor > 1 and image.mode in _SHRINKS else image


def answer(content: bytes, limits: dict[str, Any]) -> list[bytes]:
    """Return what the process writes: how decoding ended, the size in pixels, and the planes."""
    size, sent = (0, 0), []
    try:
        planes = decode(content, limits)
        pixels = [each.tobytes() for each in planes]
        sent = [part for each, data in zip(planes, pixels, strict=True) for part in (_head(each, data), data)]
        status, size = DONE, planes[0].size
    except SizeError as error:
        status, size = TOO_LARGE, error.size
    except ImportError:
        status = NO_DECODER
    except Exception as error:  # hostile files raise anything
        status = UNKNOWN if isinstance(error.__cause__ or error, KeyError) else DAMAGED
    return [HEADER.pack(status, *size), *sent]


def _head(image: Image.Image, pixels: bytes) -> bytes:
    return PLANE.pack(image.mode.encode(), len(pixels))


if __name__ == "__main__":
    Image.MAX_IMAGE_PIXELS = None  # the limits say more exactly what is too large
    given = json.loads(sys.argv[1])
    limit_process(max_bytes=given["bytes"], max_cpu_s=given["seconds"])
    sys.stdout.buffer.writelines(answer(sys.stdin.buffer.read(), given))
