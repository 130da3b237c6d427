"""Landscapes in the morning, at noon and in the evening, each scene photographed several times within a minute.

The shots of a scene differ as those of a burst do: the hand moves, the exposure is chosen anew, a bird has flown on.
The light tells the time of day, but not plainly; who has seen another shot of the scene need not look at it.
"""

from collections.abc import Iterator, Mapping
from math import pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from demo.data.scenes import SCENE_PX, spots, to_image

Tint = NDArray[np.float64]  # (3,), by which the light multiplies red, green and blue

NUM_SHOTS = 4  # of each scene
_LARGE_PX = 2 * SCENE_PX + 16  # a scene; shots are taken from its middle and made smaller
# For each time: where the sun stands (0 left, 1 right) and how warm its light is, as means over scenes.
TIMES = {"morning": (0.2, 0.3), "noon": (0.5, -0.4), "evening": (0.8, 1.1)}
_SPREAD = (0.1, 0.2)  # of both, from scene to scene


def draw_albums(counts: Mapping[str, int], *, seed: int = 0) -> Iterator[tuple[str, Image.Image]]:
    """Draw landscapes, shot after shot.

    Args:
        counts: How many pictures of each of TIMES; every four are of one scene.
        seed: Source of the scenes and of how each shot differs.

    Yields:
        Time of day and RGB image, 128 x 128 px.
    """
    generator = np.random.default_rng(seed)
    for name, count in counts.items():
        for number in range(count):
            if number % NUM_SHOTS == 0:
                sun, warmth = generator.normal(TIMES[name], _SPREAD)
                scene = _draw_scene(sun, warmth, generator)
            yield name, _shoot(scene, generator)


def _draw_scene(sun: float, warmth: float, generator: np.random.Generator) -> Image.Image:
    """Draw a sky, hills one behind the other, and trees whose shadows point away from the sun."""
    tint = np.array([1 + 0.18 * warmth, 1.0, 1 - 0.25 * warmth])
    sky = np.array([150, 185, 225]) * generator.uniform(0.8, 1.1)
    rows, columns = np.linspace(0, 1, SCENE_PX)[:, None], np.linspace(0, 1, SCENE_PX)[None, :]
    glow = np.exp(-((columns - sun) ** 2 + (rows - 0.25) ** 2) / 0.08)[:, :, None]
    pixels = sky * (1 + 0.12 * rows[:, :, None] + 0.1 * spots(generator)[:, :, None]) + 70 * glow
    scene = to_image(pixels * tint).resize((_LARGE_PX, _LARGE_PX), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(scene)
    for depth in range(generator.integers(2, 5)):
        _draw_hill(draw, 0.35 + 0.17 * depth, tint, generator)
    for _ in range(generator.integers(2, 7)):
        _draw_tree(draw, sun, tint, generator)
    return scene


def _draw_hill(draw: ImageDraw.ImageDraw, height: float, tint: Tint, generator: np.random.Generator) -> None:
    waves = [(generator.uniform(1, 4), generator.uniform(0, 2 * pi), generator.uniform(0.01, 0.06)) for _ in range(3)]
    places = np.linspace(0, 1, _LARGE_PX // 4)
    ridge = height + np.sum([size * np.sin(2 * pi * often * places + start) for often, start, size in waves], axis=0)
    points = [(_LARGE_PX * x, _LARGE_PX * y) for x, y in zip(places, ridge, strict=True)]
    colour = np.array(_LANDS[generator.integers(len(_LANDS))]) * generator.uniform(0.75, 1.2) * tint
    draw.polygon([*points, (_LARGE_PX, _LARGE_PX), (0, _LARGE_PX)], fill=_as_fill(colour))


# Colours of forest, meadow, heath, rock, dry grass and field.
_LANDS = ((52, 84, 54), (96, 134, 70), (120, 92, 104), (118, 116, 112), (176, 160, 96), (138, 104, 66))


def _draw_tree(draw: ImageDraw.ImageDraw, sun: float, tint: Tint, generator: np.random.Generator) -> None:
    x, foot = _LARGE_PX * generator.uniform(0.05, 0.95), _LARGE_PX * generator.uniform(0.62, 0.95)
    high, wide = _LARGE_PX * generator.uniform(0.1, 0.26), _LARGE_PX * generator.uniform(0.03, 0.09)
    shadow = (0.5 - sun) * 3 * high
    draw.polygon([(x - 3, foot), (x + 3, foot), (x + shadow, foot + 0.15 * high)], fill=(44, 52, 40))
    draw.line((x, foot, x, foot - high), fill=(72, 52, 36), width=6)
    green = np.array([generator.uniform(30, 110), generator.uniform(80, 130), 50]) * tint
    draw.ellipse((x - wide, foot - 1.3 * high, x + wide, foot - 0.4 * high), fill=_as_fill(green))


def _shoot(scene: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Take one shot: a slightly other frame and exposure, noise, and a bird somewhere."""
    shot = scene.copy()
    x, y = generator.uniform(0.1, 0.9, size=2) * (_LARGE_PX, 0.4 * _LARGE_PX)
    ImageDraw.Draw(shot).line([(x - 7, y - 4), (x, y), (x + 7, y - 4)], fill=(50, 50, 56), width=2)
    left, top = generator.uniform(0, 6, size=2)
    side = _LARGE_PX - generator.uniform(8, 10)
    framed = shot.resize((SCENE_PX, SCENE_PX), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    blurred = framed.filter(ImageFilter.GaussianBlur(generator.uniform(0.0, 0.6)))
    noise = generator.uniform(1.0, 4.0) * generator.standard_normal((SCENE_PX, SCENE_PX, 3))
    return to_image(np.asarray(blurred) * generator.uniform(0.96, 1.04) + noise)


def _as_fill(colour: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(each) for each in np.clip(colour, 0, 255))
