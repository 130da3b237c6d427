"""Example pictures that need no network; demo/assets/README.md names where each comes from."""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageOps

from demo.data.images import read_image
from demo.settings import Settings

ASSETS = Path(__file__).parents[1] / "assets"


@dataclass(frozen=True)
class Example:
    """One example picture: its name, its file among the assets and its licence.

    `class_idxs` are ImageNet's classes that are right for it; there is none where ImageNet has no word for it.
    """

    name: str
    file: str
    licence: str
    class_idxs: tuple[int, ...] = ()

    @property
    def path(self) -> Path:
        """The file among the assets."""
        return ASSETS / self.file


# Those that the networks have a word for come first, the surest first.
EXAMPLES = (
    Example("coffee", "coffee.png", "CC0", (967,)),
    Example("photographer", "camera.png", "CC0", (872,)),
    Example("cat", "chelsea.png", "CC0", (281, 282)),
    Example("palace", "china.jpg", "CC BY 2.0", (698,)),
    Example("rocket", "rocket.jpg", "public domain (SpaceX)"),
    Example("flower", "flower.jpg", "CC BY 2.0"),
    Example("astronaut", "astronaut.png", "public domain (NASA)"),
)


def find_example(name: str) -> Example:
    """Return an example by its name; StopIteration if there is none."""
    return next(example for example in EXAMPLES if example.name == name)


def read_example(example: Example, settings: Settings) -> Image.Image:
    """Read an example picture by the same function as a visitor's; it is decoded once."""
    return _read(example, settings).copy()


@cache
def _read(example: Example, settings: Settings) -> Image.Image:
    return read_image(example.path, settings)


def read_thumbnail(example: Example, side_px: int = 96) -> bytes:
    """Return an example as a small square JPEG for the row of choices."""
    with Image.open(example.path) as image:
        image.draft("RGB", (side_px, side_px))
        square = ImageOps.fit(image.convert("RGB"), (side_px, side_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    square.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()
