"""Arrays -> pictures and plots: overlays, contact sheets of feature maps, points of curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

COLOUR_MAP = "viridis"  # even steps of brightness, also for colour-blind readers and grey prints
OVERLAY_OPACITY = 0.6

_TILE_PX = 168
_NO_POINT = ((None, None),)
_GAP_PX = 3


def colour(values: NDArray[np.floating[Any]], largest: float) -> NDArray[np.uint8]:
    """Colour magnitudes from 0 to `largest`.

    Args:
        values: Float array (H, W), none negative.
        largest: The value that gets the brightest colour; 0 if all values are 0.

    Returns:
        uint8 array (H, W, 3).
    """
    from matplotlib import (
        colormaps,
    )  # not at the top: the import takes half a second, which the page's start need not wait for

    scaled = values / largest if largest > 0 else np.zeros_like(values)
    coloured: NDArray[np.uint8] = colormaps[COLOUR_MAP](scaled, bytes=True)[..., :3]
    return coloured


def draw_heatmap(values: NDArray[np.floating[Any]], size: tuple[int, int]) -> Image.Image:
    """Draw magnitudes (H, W) on the scale from 0 to their largest, enlarged smoothly to (width, height) px."""
    smooth = Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return Image.fromarray(colour(np.asarray(smooth), float(values.max())))


def draw_overlay(values: NDArray[np.floating[Any]], picture: Image.Image, *, side_px: int = 448) -> Image.Image:
    """Draw magnitudes (H, W) as a heatmap on the grey picture that they belong to.

    Args:
        values: Magnitudes, none negative; the scale runs from 0 to the largest.
        picture: Square RGB picture, as the network sees it.
        side_px: Side of the result.
    """
    size = (side_px, side_px)
    grey = picture.convert("L").convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return Image.blend(grey, draw_heatmap(values, size), OVERLAY_OPACITY)


def draw_grid(maps: NDArray[np.floating[Any]], *, side_px: int = _TILE_PX) -> Image.Image:
    """Draw feature maps side by side, each on a scale of its own from 0 to its largest value, enlarged smoothly.

    Args:
        maps: Float array (N, H, W), none negative.
        side_px: Side of each map.

    Returns:
        RGB contact sheet, as square as N allows, in the order of the maps by rows.
    """
    return draw_sheet([draw_heatmap(each, (side_px, side_px)) for each in maps], side_px=side_px)


def draw_signed(values: NDArray[np.floating[Any]], side_px: int, *, largest: float | None = None) -> Image.Image:
    """Draw values (H, W) on a scale from blue over white, for 0, to orange; the cells keep their sharp edges.

    Args:
        values: Float array (H, W).
        side_px: Side of the result.
        largest: The magnitude at both ends of the scale; the largest of the values unless given.
    """
    from matplotlib import colormaps

    largest = float(np.abs(values).max()) if largest is None else largest
    scaled = 0.5 - values / (2 * largest) if largest > 0 else np.full_like(values, 0.5)  # PuOr begins with orange
    coloured = colormaps["PuOr"](scaled, bytes=True)[..., :3]
    return Image.fromarray(coloured).resize((side_px, side_px), Image.Resampling.NEAREST)


def draw_sheet(tiles: Sequence[Image.Image], *, side_px: int) -> Image.Image:
    """Put pictures into a grid, row by row and as square as their number allows, each resized to one square."""
    num_columns = max(1, int(np.ceil(np.sqrt(len(tiles)))))
    num_rows = int(np.ceil(len(tiles) / num_columns))
    pitch = side_px + _GAP_PX
    sheet = Image.new("RGB", (num_columns * pitch - _GAP_PX, max(1, num_rows * pitch - _GAP_PX)), "white")
    for idx, tile in enumerate(tiles):
        row, column = divmod(idx, num_columns)
        sheet.paste(tile.resize((side_px, side_px), Image.Resampling.NEAREST), (column * pitch, row * pitch))
    return sheet


def draw_box(picture: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """Draw the outline of a box (left, top, right, bottom), in shares of the picture's sides, white on black."""
    drawn = picture.copy()
    left, top, right, bottom = (
        round(share * (side - 1)) for share, side in zip(box, (*picture.size, *picture.size), strict=True)
    )
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="black", width=4)
    pen.rectangle((left, top, right, bottom), outline="white", width=2)
    return drawn


def join_pictures(left: Image.Image, right: Image.Image) -> Image.Image:
    """Put two pictures side by side, the right one as high as the left."""
    width = round(right.width * left.height / right.height)
    joined = Image.new("RGB", (left.width + _GAP_PX + width, left.height), "white")
    joined.paste(left, (0, 0))
    joined.paste(right.resize((width, left.height), Image.Resampling.NEAREST), (left.width + _GAP_PX, 0))
    return joined


def colour_stops(count: int = 9) -> list[str]:
    """Return the colour map from 0 to the largest value as CSS colours."""
    scale = colour(np.linspace(0.0, 1.0, count)[np.newaxis], 1.0)[0]
    return [f"rgb({red}, {green}, {blue})" for red, green, blue in scale.tolist()]


def curve_points(x: str, y: str, curves: Mapping[str, Sequence[tuple[float | None, float | None]]]) -> dict[str, Any]:
    """Return curves in the format of gradio's native line plot, without a data frame.

    Args:
        x: Name of the column with the first coordinate of each point.
        y: Name of the column with the second.
        curves: Name of each curve to its points; a point of None keeps a curve that is still empty, which a plot that
            begins without it would never draw.
    """
    return {
        "columns": [x, y, "split"],
        "data": [[*point, name] for name, points in curves.items() for point in points or _NO_POINT],
        "datatypes": {x: "quantitative", y: "quantitative", "split": "nominal"},
        "mark": "line",
    }


def scatter_points(names: Sequence[str], points: NDArray[np.floating[Any]]) -> dict[str, Any]:
    """Return named points (n, 2) in the format of gradio's native scatter plot."""
    return {
        "columns": ["x", "y", "class"],
        "data": [[float(x), float(y), name] for name, (x, y) in zip(names, points, strict=True)],
        "datatypes": {"x": "quantitative", "y": "quantitative", "class": "nominal"},
        "mark": "point",
    }
