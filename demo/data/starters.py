"""Starter sets that need no network: ready collections for visitors without pictures of their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.collection import Collection, Picture, PictureClass, read_picture
from demo.data.duplicates import find_twins, fingerprint
from demo.data.images import pack_image, pack_jpeg
from demo.data.samples import ASSETS
from demo.data.signs import SIGNS, draw_scenes
from demo.data.store import PictureStore
from demo.settings import Settings

DIGIT_PX = 64
_INK_LEVELS = 16  # value of full ink in the scans; 0 is paper


@dataclass(frozen=True)
class Starter:
    """One starter set: the names of its classes, the number of pictures in each, and their licence.

    `draw` takes the number of pictures for each class and a seed, and yields class names and encoded pictures.
    """

    class_names: tuple[str, ...]
    pictures_per_class: int
    licence: str
    draw: Callable[[int, int], Iterator[tuple[str, bytes]]]


def read_starter(name: str, settings: Settings, *, seed: int = 0) -> Collection:
    """Make a starter set's pictures and read them by the same function as a visitor's.

    Args:
        name: One of STARTERS.
        settings: Limits on pictures; each class has fewer if they allow fewer.
        seed: Source of the choice of digits and of the scenes of signs; the same seed gives the same pictures.

    Returns:
        The collection; its source is the name.
    """
    starter = STARTERS[name]
    num_each = min(starter.pictures_per_class, settings.max_pictures // len(starter.class_names))
    store = PictureStore()
    classes: dict[str, list[Picture]] = {class_name: [] for class_name in starter.class_names}
    for class_name, content in starter.draw(num_each, seed):
        path = f"{class_name}/{len(classes[class_name]) + 1:02}"
        classes[class_name].append(read_picture(content, store, settings, path=path))
    made = tuple(PictureClass(class_name, tuple(pictures)) for class_name, pictures in classes.items())
    return Collection(made, source=name, store=store)


def _draw_digits(num_each: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Choose scans of each digit without near-duplicates, which many of the 178 zeros are."""
    scans, digits = _read_scans()
    generator = np.random.default_rng(seed)
    for digit in range(10):
        chosen: list[bytes] = []
        for idx in generator.permutation(np.flatnonzero(digits == digit)):
            if len(chosen) == num_each:
                break
            image = _enlarge(scans[idx])
            fingerprints = [*chosen, fingerprint(image)]
            if not any(find_twins(fingerprints, [len(chosen)], range(len(chosen)))):
                chosen = fingerprints
                yield str(digit), pack_image(image)


def _enlarge(scan: NDArray[np.float64]) -> Image.Image:
    """Draw a scan smoothly, as dark ink on white paper; RGB, 64 x 64 px."""
    paper = np.rint(255.0 * (1.0 - scan / _INK_LEVELS)).astype(np.uint8)  # (8, 8)
    return Image.fromarray(paper).resize((DIGIT_PX, DIGIT_PX), Image.Resampling.BICUBIC).convert("RGB")


def _read_scans() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read the scans of digits; demo/assets/README.md names their source.

    Returns:
        Scans, float64 (1797, 8, 8), from 0 for paper to 16 for ink, and the digits that they show, (1797,).
    """
    table = np.loadtxt(ASSETS / "digits.csv.gz", delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)


def _draw_signs(num_each: int, seed: int) -> Iterator[tuple[str, bytes]]:
    return ((name, pack_jpeg(scene, quality=92)) for name, scene in draw_scenes(num_each, seed=seed))


STARTERS = {
    # Alpaydin & Kaynak 1998, https://doi.org/10.24432/C50P49
    "digits": Starter(tuple("0123456789"), 40, "E. Alpaydin, C. Kaynak, UCI (CC BY 4.0)", _draw_digits),
    "signs": Starter(tuple(SIGNS), 30, "drawn by this program", _draw_signs),
}
