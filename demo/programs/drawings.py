"""Values -> pictures for a notebook, by matplotlib without a window."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.figures import COLOUR_MAP
from demo.tasks.fit import EpochResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Families that have Chinese letters, on Linux, Windows and Macs; matplotlib's own has none.
_FAMILIES = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB")
_INCHES = (7.0, 2.8)
_DPI = 100


def to_png(image: Image.Image) -> bytes:
    """Encode a picture as a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def draw_bars(picture: Image.Image, shares: Mapping[str, float]) -> Image.Image:
    """Draw a picture beside a bar for each share, 0 to 1, the first on top."""

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        left.imshow(np.asarray(picture))
        left.axis("off")
        right.barh(range(len(shares)), list(shares.values()))
        right.set_yticks(range(len(shares)), list(shares))
        right.invert_yaxis()
        right.set_xlim(0, 1)
        for place, share in enumerate(shares.values()):
            right.text(min(share + 0.02, 0.85), place, f"{share:.1%}", va="center")

    return _draw(draw)


def draw_curves(epochs: Sequence[EpochResult]) -> Image.Image:
    """Draw loss and accuracy of training and validation by epoch."""

    def draw(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        numbers = [each.epoch for each in epochs]
        for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            for split, label in (("train", "training"), ("val", "validation")):
                axes.plot(numbers, [getattr(each, f"{split}_{name}") for each in epochs], marker=".", label=label)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylabel(name)
            axes.legend()

    return _draw(draw)


def draw_confusion(counts: NDArray[np.int64], class_names: Sequence[str]) -> Image.Image:
    """Draw a confusion matrix (K, K): a row for each true class, a column for each answer."""

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        axes.imshow(counts, cmap=COLOUR_MAP)
        places = range(len(class_names))
        axes.set_xticks(places, class_names, rotation=45, ha="right")
        axes.set_yticks(places, class_names)
        axes.set_xlabel("answer")
        axes.set_ylabel("true class")
        dark = counts < counts.max() / 2
        for row, column in np.ndindex(counts.shape):
            colour = "white" if dark[row, column] else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour)

    side = 2.5 + 0.5 * len(class_names)
    return _draw(draw, inches=(side, side))


def _draw(draw: "Callable[[Figure], None]", *, inches: tuple[float, float] = _INCHES) -> Image.Image:
    from matplotlib.figure import (
        Figure,
    )  # not at the top: the import takes half a second, which a command can do without

    figure = Figure(figsize=inches, dpi=_DPI, layout="constrained")
    draw(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")
