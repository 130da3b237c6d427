"""What all drawn scenes share: a background, smooth noise, and what a camera adds."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SCENE_PX = 128


def draw_background(generator: np.random.Generator) -> Image.Image:
    """Draw a sky that fades into trees, a wall or a road, with spots of every size."""
    sky = generator.uniform(175, 245) * np.array([generator.uniform(0.6, 0.95), generator.uniform(0.84, 0.97), 1.0])
    ground = np.array(_GROUNDS[generator.integers(len(_GROUNDS))]) * generator.uniform(0.7, 1.3)
    rows = np.linspace(0.0, 1.0, SCENE_PX)[:, None]
    horizon, softness = generator.uniform(0.05, 0.9), generator.uniform(0.02, 0.15)
    cover = spots(generator)  # (H, W), about -1 to 1
    share = 1.0 / (1.0 + np.exp(-(rows + 0.25 * cover - horizon) / softness))[:, :, None]  # of the ground in each pixel
    sky_part = sky + 14 * cover[:, :, None] + 30 * rows[:, :, None]
    ground_part = ground * (1.0 + 0.55 * spots(generator)[:, :, None])
    return to_image((1 - share) * sky_part + share * ground_part)


# Colours of leaves, a meadow, dry grass, asphalt, bricks and concrete.
_GROUNDS = ((58, 92, 44), (70, 104, 60), (146, 134, 84), (104, 104, 108), (134, 88, 72), (168, 164, 156))


def spots(generator: np.random.Generator) -> NDArray[np.float32]:
    """Return smooth noise, float32 (128, 128), the sum of coarse and fine grids."""
    total = np.zeros((SCENE_PX, SCENE_PX), dtype=np.float32)
    for cells, weight in ((4, 0.5), (12, 0.35), (40, 0.3)):
        grid = Image.fromarray(generator.uniform(-weight, weight, (cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((SCENE_PX, SCENE_PX), Image.Resampling.BICUBIC))
    return total


def photograph(scene: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Add the exposure, colour cast and noise of a camera."""
    cast = generator.uniform(0.65, 1.2) * generator.uniform(0.94, 1.06, size=3)
    noise = generator.uniform(1.0, 9.0) * generator.standard_normal((SCENE_PX, SCENE_PX, 3), dtype=np.float32)
    return to_image(np.asarray(scene) * cast + noise)


def to_image(pixels: NDArray[np.floating]) -> Image.Image:
    """Return levels (H, W, 3) as an RGB image, rounded and kept within 0 to 255."""
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
