"""One neuron in numbers: nine products, their sum, a threshold; many of them are a convolution, and then pooling.

A simple cell answers to an edge of one orientation at one place: a convolution's kernel does that (Hubel & Wiesel 1959,
https://doi.org/10.1113/jphysiol.1959.sp006308). A complex cell keeps the orientation and gives up the exact place, as
the largest of neighbouring answers does (Hubel & Wiesel 1962, https://doi.org/10.1113/jphysiol.1962.sp006837; built as
a network by Fukushima 1980, https://doi.org/10.1007/BF00344251).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from demo.errors import check_range
from demo.models.batching import set_num_threads
from demo.models.late import Tensor, functional, torch
from demo.tasks.errors import KernelEntryMissing, KernelEntryWrong

Plane = NDArray[np.float64]

EDGE_SIDE, PHOTO_SIDE = 32, 96  # places on each side of a map; a picture has a border of one pixel more
POOLS = (2, 4, 8)
MIDDLE = EDGE_SIDE // 2  # row and column of the neuron that the drawn edge turns about
MOST_DEGREES, MOST_SHIFT_PX = 180, 12
MOST_WEIGHT, MOST_THRESHOLD = 10.0, 2.0
_STEP_DEGREES = 15
_STEEPNESS = 4.0  # of the drawn edge: from 12% to 88% within one pixel
_ROUNDING = 1e-9  # sums below it are nothing but rounding


class KernelName(StrEnum):
    """A kernel to choose; those for edges like an edge turned by 0, 90 and 45 degrees."""

    VERTICAL = "vertical"
    HORIZONTAL = "horizontal"
    DIAGONAL = "diagonal"
    BLUR = "blur"
    CENTRE = "centre"


# Sobel's kernels, divided by 4, and the like: all answer between -1 and 1 to pixels from 0 to 1.
KERNELS: dict[KernelName, tuple[float, ...]] = {
    KernelName.VERTICAL: (-0.25, 0, 0.25, -0.5, 0, 0.5, -0.25, 0, 0.25),
    KernelName.HORIZONTAL: (-0.25, -0.5, -0.25, 0, 0, 0, 0.25, 0.5, 0.25),
    KernelName.DIAGONAL: (-0.5, -0.25, 0, -0.25, 0, 0.25, 0, 0.25, 0.5),
    KernelName.BLUR: (0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1),
    KernelName.CENTRE: (-0.125, -0.125, -0.125, -0.125, 1, -0.125, -0.125, -0.125, -0.125),
}


@dataclass(frozen=True, eq=False)
class NeuronMaps:
    """What neurons with one kernel at all places answer; float64, (n, n) but where pooled.

    `picture` (n, n) holds the pixel under each neuron, 0 to 1; `sums` are before the threshold, `answers` after it and
    ReLU; `pooled` are the largest answers in squares of POOLS places.
    """

    picture: Plane
    sums: Plane
    answers: Plane
    pooled: dict[int, Plane]


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """The neuron at one place: nine pixels, weights and products (3, 3), their sum, and what it answers.

    `answer` is ReLU's of the sum less the threshold. `fires` is McCulloch and Pitts' neuron of 1943: whether the
    sum exceeds the threshold.
    """

    pixels: Plane
    weights: Plane
    products: Plane
    total: float
    threshold: float
    answer: float

    @property
    def fires(self) -> bool:
        """Whether the weighted sum exceeds the threshold."""
        return self.total - self.threshold > _ROUNDING


@dataclass(frozen=True)
class Sweep:
    """The answers of the cell in the middle to a drawn edge at each angle (degrees) or shift (px)."""

    steps: tuple[float, ...]
    answers: tuple[float, ...]


def parse_kernel(entries: Sequence[object]) -> Plane:
    """Return nine numbers, row by row, as a kernel (3, 3).

    Raises:
        KernelEntryMissing: If a field is empty, or there are fewer than nine.
        KernelEntryWrong: If one is no number, or not from -10 to 10.
    """
    weights = []
    for place, entry in enumerate([*entries, *[None] * 9][:9]):
        row, column = place // 3 + 1, place % 3 + 1
        if entry is None or entry == "":
            raise KernelEntryMissing(row=row, column=column)
        is_number = isinstance(entry, int | float) and not isinstance(entry, bool)
        if not is_number or not -MOST_WEIGHT <= entry <= MOST_WEIGHT:  # type: ignore[operator]
            raise KernelEntryWrong(row=row, column=column, value=str(entry)[:20], most=MOST_WEIGHT)
        weights.append(float(entry))  # type: ignore[arg-type]
    return np.array(weights).reshape(3, 3)


def draw_edge(degrees: float = 0.0, shift_px: float = 0.0) -> Plane:
    """Draw an edge, dark to the left and bright to the right, that begins half a pixel left of the middle neuron.

    Args:
        degrees: How far it is turned about that neuron, clockwise; 0 to 180.
        shift_px: How far it is moved towards its bright side, in pixels; 0 to 12.

    Returns:
        Pixels from 0 to 1, float64 (34, 34): a neuron has its place in the map at the pixel one further.

    Raises:
        OptionOutOfRange: If it is turned or moved further.
    """
    check_range("degrees", degrees, 0, MOST_DEGREES)
    check_range("shift_px", shift_px, 0, MOST_SHIFT_PX)
    rows, columns = np.mgrid[: EDGE_SIDE + 2, : EDGE_SIDE + 2] - float(MIDDLE + 1)
    turn = math.radians(degrees)
    across = columns * math.cos(turn) + rows * math.sin(turn) - shift_px + 0.5
    pixels: Plane = 1 / (1 + np.exp(-_STEEPNESS * across))
    return pixels


def grey(photo: Image.Image) -> Plane:
    """Return the middle square of a photograph in grey, as pixels from 0 to 1, float64 (98, 98)."""
    side = PHOTO_SIDE + 2
    fitted = ImageOps.fit(photo.convert("L"), (side, side), Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.float64) / 255


@set_num_threads(1)  # of such small maps two would only wait for each other
def map_neurons(pixels: Plane, kernel: Plane, *, threshold: float = 0.0) -> NeuronMaps:
    """Lay neurons with one kernel (3, 3) over a picture (n + 2, n + 2), one at each pixel but for its border.

    Raises:
        OptionOutOfRange: If the threshold is not from -2 to 2.
    """
    check_range("threshold", threshold, -MOST_THRESHOLD, MOST_THRESHOLD)
    sums = functional.conv2d(_batch(pixels), _batch(kernel))  # (1, 1, n, n)
    answers = functional.relu(sums - threshold)
    pooled = {side: _plane(functional.max_pool2d(answers, side)) for side in POOLS}
    return NeuronMaps(pixels[1:-1, 1:-1], _plane(sums), _plane(answers), pooled)


def show_place(pixels: Plane, kernel: Plane, row: int, column: int, *, threshold: float = 0.0) -> Arithmetic:
    """Return the arithmetic of the neuron at one place of the map, counted from 0.

    Raises:
        OptionOutOfRange: If the map has no such place.
    """
    last = len(pixels) - 3
    check_range("row", row, 0, last)
    check_range("column", column, 0, last)
    seen = pixels[row : row + 3, column : column + 3]
    products = seen * kernel
    total = float(products.sum())
    return Arithmetic(seen, kernel, products, total, threshold, max(0.0, total - threshold))


def sweep_angles(kernel: Plane, *, pool_px: int = 1, threshold: float = 0.0) -> Sweep:
    """Turn the drawn edge about the middle neuron, from 0 to 180 degrees.

    Args:
        kernel: (3, 3).
        pool_px: 1 for the neuron itself, a simple cell; one of POOLS for the largest answer of its square, a complex
            cell.
        threshold: What the sum has to exceed.
    """
    degrees = range(0, MOST_DEGREES + 1, _STEP_DEGREES)
    return Sweep(tuple(map(float, degrees)), _ask([draw_edge(each) for each in degrees], kernel, pool_px, threshold))


def sweep_shifts(kernel: Plane, *, pool_px: int = 1, degrees: float = 0.0, threshold: float = 0.0) -> Sweep:
    """Move the drawn edge, turned by so many degrees, from 0 to 12 px; other arguments as of `sweep_angles`."""
    shifts = range(MOST_SHIFT_PX + 1)
    edges = [draw_edge(degrees, each) for each in shifts]
    return Sweep(tuple(map(float, shifts)), _ask(edges, kernel, pool_px, threshold))


@set_num_threads(1)
def _ask(edges: Sequence[Plane], kernel: Plane, pool_px: int, threshold: float) -> tuple[float, ...]:
    """Return what the cell in the middle answers to each edge."""
    answers = functional.relu(functional.conv2d(_batch(np.stack(edges)), _batch(kernel)) - threshold)  # (N, 1, n, n)
    pooled = functional.max_pool2d(answers, pool_px)
    return tuple(pooled[:, 0, MIDDLE // pool_px, MIDDLE // pool_px].tolist())


def _batch(planes: Plane) -> Tensor:
    """Return planes (n, n) or (N, n, n) as what torch's convolutions take: float64 (N, 1, n, n)."""
    return torch.from_numpy(np.ascontiguousarray(planes)).reshape(-1, 1, *planes.shape[-2:])


def _plane(batch: Tensor) -> Plane:
    plane: Plane = batch[0, 0].numpy()
    return plane
