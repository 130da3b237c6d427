"""Shapes half hidden behind leaves: classes that are alike, some of them rare. The same seed gives the same pixels."""

from collections.abc import Iterator, Mapping
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from demo.data.scenes import SCENE_PX, draw_background, photograph

_DRAWN_PX = 4 * SCENE_PX  # drawn at this size and made smaller, which smooths the edges
_NUM_LEAVES = (1, 4)  # at least, and below
_RIM, _RIM_PX = (245, 245, 240), 14

# How many corners each shape has; 0 is a circle.
SHAPES = {"circle": 0, "triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6, "octagon": 8}


def draw_shapes(counts: Mapping[str, int], *, seed: int = 0) -> Iterator[tuple[str, Image.Image]]:
    """Draw shapes in scenes of their own, each behind some leaves.

    Args:
        counts: How many of each of SHAPES.
        seed: Source of place, size, tilt, colours, leaves, background and noise.

    Yields:
        Name of the shape and RGB image, 128 x 128 px.
    """
    generator = np.random.default_rng(seed)
    for name, count in counts.items():
        for _ in range(count):
            yield name, _draw_scene(SHAPES[name], generator)


def _draw_scene(num_corners: int, generator: np.random.Generator) -> Image.Image:
    scene = draw_background(generator)
    layer = Image.new("RGBA", (_DRAWN_PX, _DRAWN_PX))
    draw = ImageDraw.Draw(layer)
    middle, radius = _DRAWN_PX * generator.uniform(0.4, 0.6, size=2), _DRAWN_PX * generator.uniform(0.3, 0.4)
    corners = _outline(num_corners or 72, middle, radius, generator)
    draw.polygon(corners, fill=tuple(int(each) for each in generator.uniform(30, 240, size=3)))
    draw.line([*corners, *corners[:2]], fill=_RIM, width=_RIM_PX, joint="curve")
    for _ in range(generator.integers(*_NUM_LEAVES)):
        _draw_leaf(draw, middle, radius, generator)
    small = layer.resize(scene.size, Image.Resampling.BOX)
    scene.paste(small, mask=small.getchannel("A"))
    return photograph(scene.filter(ImageFilter.GaussianBlur(generator.uniform(0.0, 0.6))), generator)


def _outline(
    num_corners: int, middle: NDArray[np.float64], radius: float, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """Return the corners of a regular polygon that stands on a side, tilted by a few degrees."""
    first = pi / 2 + pi / num_corners + generator.normal(0, 0.08)
    angles = [first + 2 * pi * corner / num_corners for corner in range(num_corners)]
    return [(middle[0] + radius * cos(angle), middle[1] + radius * sin(angle)) for angle in angles]


def _draw_leaf(
    draw: ImageDraw.ImageDraw, middle: NDArray[np.float64], radius: float, generator: np.random.Generator
) -> None:
    """Draw a pointed leaf with its vein across the rim of the shape, where its corners are."""
    angle = generator.uniform(0, 2 * pi)
    x, y = middle + radius * generator.uniform(0.6, 1.0) * np.array([cos(angle), sin(angle)])
    long, wide, turn = radius * generator.uniform(0.4, 0.8), generator.uniform(0.25, 0.4), generator.uniform(0, pi)
    green = np.array([generator.uniform(40, 110), generator.uniform(90, 150), generator.uniform(25, 70)])
    along = np.linspace(-1, 1, 17)
    halves = [(each, side * wide * (1 - each**2)) for side in (1, -1) for each in along[::side]]
    turned = [
        (x + long * (u * cos(turn) - v * sin(turn)), y + long * (u * sin(turn) + v * cos(turn))) for u, v in halves
    ]
    draw.polygon(turned, fill=tuple(int(each) for each in green))
    draw.line((turned[0], turned[16]), fill=tuple(int(0.7 * each) for each in green), width=5)
