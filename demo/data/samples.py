"""Example pictures that need no network: they lie in the wheels of scikit-image and scikit-learn."""

import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageOps

from demo.data.images import read_image
from demo.settings import Settings


@dataclass(frozen=True)
class Example:
    """One example picture: where it lies and under which licence it may be shown."""

    name: str
    package: str
    file: str
    licence: str

    @property
    def path(self) -> Path:
        """The file inside the installed package, found without importing the package."""
        spec = find_spec(self.package)
        if spec is None or spec.submodule_search_locations is None:
            raise FileNotFoundError(f"package {self.package} is not installed")
        return Path(spec.submodule_search_locations[0], self.file)


# Licences: skimage/data/README.txt and sklearn/datasets/images/README.txt in the wheels.
EXAMPLES = (
    Example("cat", "skimage", "data/chelsea.png", "CC0"),
    Example("coffee", "skimage", "data/coffee.png", "CC0"),
    Example("rocket", "skimage", "data/rocket.jpg", "CC0"),
    Example("palace", "sklearn", "datasets/images/china.jpg", "CC BY 2.0"),
    Example("flower", "sklearn", "datasets/images/flower.jpg", "CC BY 2.0"),
    Example("astronaut", "skimage", "data/astronaut.png", "public domain (NASA)"),
)


def find_example(name: str) -> Example:
    """Return an example by its name, which must be one of theirs."""
    return next(example for example in EXAMPLES if example.name == name)


def read_example(example: Example, settings: Settings) -> Image.Image:
    """Read an example picture through the same door as a visitor's."""
    return read_image(example.path, settings)


def read_thumbnail(example: Example, side_px: int = 128) -> bytes:
    """Return an example as a small square JPEG for the row of choices."""
    with Image.open(example.path) as image:
        image.draft("RGB", (side_px, side_px))
        square = ImageOps.fit(image.convert("RGB"), (side_px, side_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    square.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
