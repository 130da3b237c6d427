"""Starter sets that need no network: ready collections for visitors without pictures of their own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.albums import NUM_SHOTS, TIMES, draw_albums
from demo.data.collection import Collection, Picture, PictureClass, read_picture
from demo.data.duplicates import find_twins, fingerprint
from demo.data.images import pack_image, pack_jpeg
from demo.data.meadow import CREATURES, draw_meadow
from demo.data.samples import ASSETS
from demo.data.shapes import SHAPES, draw_shapes
from demo.data.signs import SIGNS, draw_scenes
from demo.data.store import PictureStore
from demo.settings import Settings

DIGIT_PX = 64
_FEWEST = 2  # pictures of a class, of which one is learned from
INK_LEVELS = 16  # value of full ink in the scans; 0 is paper


class _Draw(Protocol):
    """Draws pictures of classes; the same seed gives the same ones."""

    def __call__(self, counts: Mapping[str, int], *, seed: int) -> Iterator[tuple[str, Image.Image]]:
        """Yield class names and pictures, as many of each class as are counted."""


@dataclass(frozen=True)
class Starter:
    """One starter set: the number of pictures of each class, and their licence.

    `draw` takes the number of pictures of each class and a seed, and yields class names and encoded pictures.
    """

    counts: Mapping[str, int]
    licence: str
    draw: Callable[[Mapping[str, int], int], Iterator[tuple[str, bytes]]]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in their order."""
        return tuple(self.counts)

    def counts_within(self, max_pictures: int) -> dict[str, int]:
        """Return how many pictures of each class there are where no more than so many are allowed in all."""
        total = sum(self.counts.values())
        allowed = min(total, max_pictures)
        return {name: max(_FEWEST, count * allowed // total) for name, count in self.counts.items()}


def read_starter(name: str, settings: Settings, *, seed: int = 0) -> Collection:
    """Make a starter set's pictures and read them by the same function as a visitor's.

    Args:
        name: One of STARTERS.
        settings: Limits on pictures; each class has fewer if they allow fewer.
        seed: Source of the choice of digits and of what is drawn; the same seed gives the same pictures.

    Returns:
        The collection; its source is the name.
    """
    starter = STARTERS[name]
    store = PictureStore()
    classes: dict[str, list[Picture]] = {class_name: [] for class_name in starter.class_names}
    drawn = starter.draw(starter.counts_within(settings.max_pictures), seed)
    for number, (class_name, content) in enumerate(drawn, start=1):
        classes[class_name].append(read_picture(content, store, settings, path=f"{number:03}"))
    made = tuple(PictureClass(class_name, tuple(pictures)) for class_name, pictures in classes.items())
    return Collection(made, source=name, store=store)


def swap_grounds(settings: Settings, *, seed: int = 0) -> dict[str, bytes]:
    """Return for each picture of the meadow, by its SHA-256 in hexadecimal, the same creature on the other's ground.

    Args:
        settings: Limits on pictures, as for `read_starter`.
        seed: That of the pictures.
    """
    counts = STARTERS["meadow"].counts_within(settings.max_pictures)
    plain, swapped = (_drawn(partial(draw_meadow, is_swapped=each))(counts, seed) for each in (False, True))
    return {sha256(one).hexdigest(): other for (_, one), (_, other) in zip(plain, swapped, strict=True)}


def translate_names(class_names: Sequence[str], translations: Mapping[str, str]) -> tuple[str, ...]:
    """Return class names in another language; unchanged where two of them would be the same."""
    translated = tuple(translations.get(name, name) for name in class_names)
    return translated if len({name.casefold() for name in translated}) == len(translated) else tuple(class_names)


def translate_starter(collection: Collection, translations: Mapping[str, str]) -> Collection:
    """Return a starter set with its class names in another language; a collection of a visitor's own is unchanged."""
    if collection.source not in STARTERS:
        return collection
    names = translate_names([each.name for each in collection.classes], translations)
    classes = tuple(replace(each, name=name) for each, name in zip(collection.classes, names, strict=True))
    return replace(collection, classes=classes)


def _draw_digits(counts: Mapping[str, int], seed: int) -> Iterator[tuple[str, bytes]]:
    """Choose scans of each digit without near-duplicates, which many of the 178 zeros are."""
    scans, digits = read_scans()
    generator = np.random.default_rng(seed)
    for digit, count in counts.items():
        chosen: list[bytes] = []
        for idx in generator.permutation(np.flatnonzero(digits == int(digit))):
            if len(chosen) == count:
                break
            image = _enlarge(scans[idx])
            fingerprints = [*chosen, fingerprint(image)]
            if not any(find_twins(fingerprints, [len(chosen)], range(len(chosen)))):
                chosen = fingerprints
                yield digit, pack_image(image)


def _enlarge(scan: NDArray[np.float64]) -> Image.Image:
    """Draw a scan smoothly, as dark ink on white paper; RGB, 64 x 64 px."""
    paper = np.rint(255.0 * (1.0 - scan / INK_LEVELS)).astype(np.uint8)  # (8, 8)
    return Image.fromarray(paper).resize((DIGIT_PX, DIGIT_PX), Image.Resampling.BICUBIC).convert("RGB")


def read_scans() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read the scans of digits; demo/assets/README.md names their source.

    Returns:
        Scans, float64 (1797, 8, 8), from 0 for paper to 16 for ink, and the digits that they show, (1797,).
    """
    table = np.loadtxt(ASSETS / "digits.csv.gz", delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)


def _drawn(draw: _Draw) -> Callable[[Mapping[str, int], int], Iterator[tuple[str, bytes]]]:
    """Return what yields the pictures of a drawing as files of a camera."""
    return lambda counts, seed: ((name, pack_jpeg(scene, quality=92)) for name, scene in draw(counts, seed=seed))


_OURS = "drawn by this program"
STARTERS = {
    # Alpaydin & Kaynak 1998, https://doi.org/10.24432/C50P49
    "digits": Starter(dict.fromkeys("0123456789", 40), "E. Alpaydin, C. Kaynak, UCI (CC BY 4.0)", _draw_digits),
    "signs": Starter(dict.fromkeys(SIGNS, 30), _OURS, _drawn(draw_scenes)),
    "shapes": Starter(dict.fromkeys(SHAPES, 35) | {"octagon": 10}, _OURS, _drawn(draw_shapes)),
    "meadow": Starter(dict.fromkeys(CREATURES, 40), _OURS, _drawn(draw_meadow)),
    "albums": Starter(dict.fromkeys(TIMES, 10 * NUM_SHOTS), _OURS, _drawn(draw_albums)),
}
