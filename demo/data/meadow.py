"""Ants on grass and spiders on sand, or the other way round: a set whose ground gives the class away.

A network that learns from the first kind may look at the ground alone; the second kind tells.

Source:
    Shortcut learning: Geirhos et al. 2020, https://arxiv.org/abs/2004.07780
"""

from collections.abc import Iterator, Mapping
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from demo.data.scenes import SCENE_PX, photograph, spots, to_image

_DRAWN_PX = 4 * SCENE_PX  # drawn at this size and made smaller, which smooths the edges
_GRASS, _SAND = (74, 122, 52), (204, 178, 128)
# The ground that each creature lives on.
CREATURES = {"ant": _GRASS, "spider": _SAND}
# Places along the body, from the front, and the half length and half width of each part, in lengths of the body.
_PARTS = {
    "ant": ((0.42, 0.13, 0.12), (0.12, 0.19, 0.09), (-0.32, 0.26, 0.17)),
    "spider": ((0.22, 0.19, 0.17), (-0.22, 0.3, 0.25)),
}
# Where on the body the legs of a side begin, and the angles at which they go.
_LEGS = {
    "ant": ((0.2, 0.9), (0.12, 1.6), (0.04, 2.3)),
    "spider": ((0.3, 0.55), (0.24, 1.2), (0.18, 1.9), (0.12, 2.5)),
}

Point = tuple[float, float]


def draw_meadow(
    counts: Mapping[str, int], *, seed: int = 0, is_swapped: bool = False
) -> Iterator[tuple[str, Image.Image]]:
    """Draw creatures on the ground.

    Args:
        counts: How many of each of CREATURES.
        seed: Source of place, size, turn, legs, light and ground.
        is_swapped: Whether each creature is on the other's ground; with the same seed all else is the same.

    Yields:
        Name of the creature and RGB image, 128 x 128 px.
    """
    generator = np.random.default_rng(seed)
    for name, count in counts.items():
        grounds = {each: ground for each, ground in CREATURES.items() if (each == name) != is_swapped}
        for _ in range(count):
            yield name, _draw_scene(name, next(iter(grounds.values())), generator)


def _draw_scene(name: str, ground: tuple[int, int, int], generator: np.random.Generator) -> Image.Image:
    light = generator.uniform(0.85, 1.1)
    scene = to_image(np.array(ground) * light * (1 + 0.4 * spots(generator)[:, :, None]))
    layer = Image.new("RGBA", (_DRAWN_PX, _DRAWN_PX))
    _draw_creature(ImageDraw.Draw(layer), name, generator)
    small = layer.resize(scene.size, Image.Resampling.BOX)
    scene.paste(small, mask=small.getchannel("A"))
    return photograph(scene.filter(ImageFilter.GaussianBlur(generator.uniform(0.2, 1.0))), generator)


def _draw_creature(draw: ImageDraw.ImageDraw, name: str, generator: np.random.Generator) -> None:
    """Draw a creature as seen from above, turned at random."""
    middle, length = _DRAWN_PX * generator.uniform(0.35, 0.65, size=2), _DRAWN_PX * generator.uniform(0.28, 0.42)
    turn, grey = generator.uniform(0, 2 * pi), int(generator.uniform(15, 60))
    colour = (grey + 12, grey + 4, grey)

    def place(along: float, across: float) -> Point:
        x, y = length * along, length * across
        return (middle[0] + x * cos(turn) - y * sin(turn), middle[1] + x * sin(turn) + y * cos(turn))

    for side in (1, -1):
        for start, angle in _LEGS[name]:
            bent = angle + generator.normal(0, 0.12)
            knee = (start + 0.3 * cos(bent), side * 0.3 * sin(bent))
            foot = (start + 0.62 * cos(bent + 0.25), side * 0.62 * sin(bent + 0.25))
            draw.line([place(start, 0), place(*knee), place(*foot)], fill=colour, width=9, joint="curve")
        if name == "ant":  # feelers, which spiders do not have
            draw.line([place(0.5, 0), place(0.66, side * 0.16), place(0.82, side * 0.12)], fill=colour, width=6)
    for along, long, wide in _PARTS[name]:
        rim = [place(along + long * cos(each), wide * sin(each)) for each in np.linspace(0, 2 * pi, 40)]
        draw.polygon(rim, fill=colour)
