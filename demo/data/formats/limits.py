"""How many pixels a picture may have, and how many are kept of it."""

from demo.data.errors import ImageTooLarge
from demo.settings import Settings


def check_size(size: tuple[int, int], settings: Settings, name: str) -> None:
    """Raise ImageTooLarge if a picture has too many pixels, or too many on a side."""
    if size[0] * size[1] > settings.max_image_pixels or max(size) > settings.max_image_side_px:
        raise too_large(f"{size[0]} x {size[1]}", settings, name)


def too_large(size: str, settings: Settings, name: str) -> ImageTooLarge:
    """Return the error that says what too large a picture has, and what it may have."""
    return ImageTooLarge(name=name, size=size, limit=settings.max_image_pixels / 1e6, side=settings.max_image_side_px)


def fit(size: tuple[int, int], settings: Settings) -> tuple[int, int]:
    """Return the size, in pixels, at which a picture is kept; networks' transforms resize by the short side."""
    scale = min(1.0, settings.photo_short_side_px / min(size), settings.photo_long_side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
