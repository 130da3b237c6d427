"""Pictures, folders and zips that the tests make themselves."""

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

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
