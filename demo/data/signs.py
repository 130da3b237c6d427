"""Synthetic scenes with road signs: the same seed gives the same pixels."""

from collections.abc import Callable, Iterator, Mapping
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from demo.data.scenes import SCENE_PX, draw_background, photograph, to_image

_FACE_PX = 256
_DRAWN_PX = 2 * _FACE_PX  # signs are drawn at this size and halved, which smooths the edges
_MIDDLE = _DRAWN_PX / 2
_RED, _BLUE, _YELLOW, _WHITE, _BLACK = "#c1121f", "#1d4ea8", "#f7c600", "#f4f4f0", "#1a1a1a"

Points = list[tuple[float, float]]


def draw_scenes(counts: Mapping[str, int], *, seed: int = 0) -> Iterator[tuple[str, Image.Image]]:
    """Draw signs in scenes of their own.

    Args:
        counts: How many of each of SIGNS.
        seed: Source of place, size, perspective, tilt, light, background, blur and noise.

    Yields:
        Name of the sign and RGB image, 128 x 128 px.
    """
    generator = np.random.default_rng(seed)
    for name, count in counts.items():
        face = draw_face(SIGNS[name])
        for _ in range(count):
            yield name, _draw_scene(face, generator)


def draw_face(draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    """Draw one sign as seen from straight ahead; RGBA, 256 x 256 px, transparent around it."""
    face = Image.new("RGBA", (_DRAWN_PX, _DRAWN_PX))
    draw(ImageDraw.Draw(face))
    return face.resize((_FACE_PX, _FACE_PX), Image.Resampling.BOX)


def _draw_stop(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(_regular(8, 250, turn=pi / 8), fill=_WHITE)
    draw.polygon(_regular(8, 232, turn=pi / 8), fill=_RED)
    _write(draw, "STOP", size_px=150)


def _draw_yield(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(_regular(3, 290, turn=pi / 2, drop=-60), fill=_RED)
    draw.polygon(_regular(3, 170, turn=pi / 2, drop=-60), fill=_WHITE)


def _draw_no_entry(draw: ImageDraw.ImageDraw) -> None:
    _disc(draw, 250, _WHITE)
    _disc(draw, 236, _RED)
    draw.rounded_rectangle((_MIDDLE - 165, _MIDDLE - 42, _MIDDLE + 165, _MIDDLE + 42), radius=10, fill=_WHITE)


def _draw_speed_limit(draw: ImageDraw.ImageDraw) -> None:
    _disc(draw, 250, _RED)
    _disc(draw, 190, _WHITE)
    _write(draw, "50", size_px=230, colour=_BLACK)


def _draw_priority_road(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(_regular(4, 255), fill=_BLACK)
    draw.polygon(_regular(4, 246), fill=_WHITE)
    draw.polygon(_regular(4, 172), fill=_BLACK)
    draw.polygon(_regular(4, 164), fill=_YELLOW)


def _draw_roundabout(draw: ImageDraw.ImageDraw) -> None:
    _disc(draw, 250, _WHITE)
    _disc(draw, 238, _BLUE)
    radius, width = 150, 44
    box = (_MIDDLE - radius, _MIDDLE - radius, _MIDDLE + radius, _MIDDLE + radius)
    for third in range(3):
        start = third * 2 * pi / 3
        draw.arc(box, start * 180 / pi, start * 180 / pi + 70, fill=_WHITE, width=width)
        draw.polygon(_arrow_head(radius - width / 2, start), fill=_WHITE)


SIGNS: dict[str, Callable[[ImageDraw.ImageDraw], None]] = {
    "stop": _draw_stop,
    "yield": _draw_yield,
    "no_entry": _draw_no_entry,
    "speed_limit": _draw_speed_limit,
    "priority_road": _draw_priority_road,
    "roundabout": _draw_roundabout,
}


def _regular(num_corners: int, radius: float, *, turn: float = 0.0, drop: float = 0.0) -> Points:
    """Return the corners of a regular polygon around the middle, lowered by `drop` px."""
    angles = [turn + 2 * pi * corner / num_corners for corner in range(num_corners)]
    return [(_MIDDLE + radius * cos(angle), _MIDDLE + drop + radius * sin(angle)) for angle in angles]


def _arrow_head(radius: float, angle: float) -> Points:
    """Return a triangle on a circle, pointing against the clock."""
    corners = ((radius - 58, angle), (radius + 58, angle), (radius, angle - 0.52))
    return [(_MIDDLE + r * cos(a), _MIDDLE + r * sin(a)) for r, a in corners]


def _disc(draw: ImageDraw.ImageDraw, radius: float, colour: str) -> None:
    draw.ellipse((_MIDDLE - radius, _MIDDLE - radius, _MIDDLE + radius, _MIDDLE + radius), fill=colour)


def _write(draw: ImageDraw.ImageDraw, text: str, *, size_px: int, colour: str = _WHITE) -> None:
    """Write in Pillow's own font, made bold by a stroke."""
    font = ImageFont.load_default(size_px)
    stroke_px = size_px // 26
    draw.text((_MIDDLE, _MIDDLE), text, fill=colour, font=font, anchor="mm", stroke_width=stroke_px, stroke_fill=colour)


def _draw_scene(face: Image.Image, generator: np.random.Generator) -> Image.Image:
    scene = draw_background(generator)
    side_px = SCENE_PX * generator.uniform(0.16, 0.7)
    middle = SCENE_PX * generator.uniform(0.42, 0.58, size=2)
    _draw_pole(scene, middle, side_px, generator)
    placed = _place(face, _corners(middle, side_px, generator))
    scene.paste(_light(placed, generator), mask=placed.getchannel("A"))
    blurred = scene.filter(ImageFilter.GaussianBlur(generator.uniform(0.0, 1.3)))
    return photograph(blurred, generator)


def _draw_pole(scene: Image.Image, middle: NDArray[np.float64], side_px: float, generator: np.random.Generator) -> None:
    width, lean, grey = side_px * 0.04, generator.normal(0.0, 4.0), int(generator.integers(95, 190))
    (x, y), foot = middle, middle[0] + lean
    corners = [(x - width, y), (x + width, y), (foot + width, SCENE_PX), (foot - width, SCENE_PX)]
    ImageDraw.Draw(scene).polygon(corners, fill=(grey, grey, grey))


def _corners(middle: NDArray[np.float64], side_px: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the corners of a tilted sign in the scene, (4, 2), clockwise from the upper left."""
    angle = generator.normal(0.0, 0.11)
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side_px / 2
    square[:, 0] *= generator.uniform(0.72, 1.0)  # a sign that is seen from the side looks narrower
    corners: NDArray[np.float64] = square @ turn.T + middle + generator.normal(0.0, 0.05 * side_px, size=(4, 2))
    return corners


def _place(face: Image.Image, corners: NDArray[np.float64]) -> Image.Image:
    """Warp a face to its corners; RGBA of the scene's size.

    Source:
        The eight coefficients of Image.transform(PERSPECTIVE), which map the scene back to the face:
        https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.transform
    """
    side = float(_FACE_PX)
    rows, targets = [], []
    for (x, y), (u, v) in zip(corners, [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    coefficients = np.linalg.solve(np.array(rows), np.array(targets))
    size = (SCENE_PX, SCENE_PX)
    return face.transform(size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC)


def _light(placed: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Return the sign's colours faded by weather and lit from one side."""
    pixels = np.asarray(placed.convert("RGB"), dtype=np.float64)
    slope = np.linspace(-1.0, 1.0, SCENE_PX)
    across, down = generator.normal(0.0, 0.13, size=2)
    light = generator.uniform(0.75, 1.05) + across * slope[None, :] + down * slope[:, None]
    fading = generator.uniform(0.0, 0.2)
    return to_image(((1 - fading) * pixels + fading * 150) * light[:, :, None])
