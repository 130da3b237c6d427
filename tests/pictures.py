"""Pictures, folders and zips that the tests make themselves."""

import base64
import io
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from demo.data.formats.apart import APART
from demo.data.kinds import PICTURES

# Formats that are read and that Pillow can write.
COMMON = [each.value for each in PICTURES if each not in APART]
FORMATS = [*COMMON, "TIFF"]

MakeZip = Callable[[Mapping[str, bytes]], Path]


def png(colour: str | tuple[int, int, int] = "red", size: tuple[int, int] = (32, 24)) -> bytes:
    """Return one plain picture as PNG bytes."""
    return encode(Image.new("RGB", size, colour))


def noise(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Return a picture of coloured noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encode(image: Image.Image, image_format: str = "PNG") -> bytes:
    """Return an image's bytes in a format."""
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


def smooth(seed: int, size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    """Return a picture of soft colours, which codecs with losses hardly change."""
    few = np.random.default_rng(seed).integers(40, 216, (3, 4, len(mode)), dtype=np.uint8)
    return Image.fromarray(few.squeeze()).resize(size, Image.Resampling.BICUBIC)


def heic(image: Image.Image, **options: Any) -> bytes:
    """Return an image as HEIC, nearly without loss unless `quality` says otherwise."""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, **{"quality": 95, "chroma": 444, **options})
    return buffer.getvalue()


def tiff(pixels: NDArray[np.uint16], order: Literal["<", ">"] = "<", *, tags: Mapping[int, int] | None = None) -> bytes:
    """Return colours (H, W, 3) in 16 bits as a TIFF, which Pillow cannot write, in either order of bytes."""
    height, width, _ = pixels.shape
    data, known = pixels.astype(f"{order}u2").tobytes(), {256: width, 257: height, 259: 1, 262: 2, 277: 3, 278: height}
    start = 8 + 2 + 12 * (len(known) + 3 + len(tags or {})) + 4
    entries = known | {258: start, 273: start + 6, 279: len(data)} | dict(tags or {})
    directory = struct.pack(f"{order}H", len(entries))
    for tag, value in sorted(entries.items()):
        directory += struct.pack(f"{order}HHL", tag, 3 if tag == 258 else 4, 3 if tag == 258 else 1)
        directory += struct.pack(f"{order}L", value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    return head + directory + bytes(4) + struct.pack(f"{order}3H", 16, 16, 16) + data


def data_url(content: bytes) -> str:
    """Return content as programs write it into a call."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def colour_folders(num_pictures: int = 6) -> dict[str, bytes]:
    """Return the files of a dataset that anything can learn: reddish and bluish pictures."""
    return {
        f"{name}/{number}.png": png((200 * is_red + number, 20, 200 * (1 - is_red) + number))
        for name, is_red in (("red", 1), ("blue", 0))
        for number in range(num_pictures)
    }


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write a zip of paths to contents; for fixtures that outlive a test, where `make_zip` does not."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def files_below(folder: Path) -> set[Path]:
    """Return the files in a folder of uploads, but for its lock, while others may delete from it."""
    return {Path(where, name) for where, _, names in os.walk(folder) for name in names if name != ".lock"}
