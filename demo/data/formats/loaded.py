"""What comes out of a decoder, before it is made RGB."""

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Loaded:
    """What a file holds: a picture in any mode, the low bytes of its colours where it is dark in 16 bits.

    `orientation` is the one of EXIF, 1 to 8, or 0; `is_cut` says that a little of the picture's end is missing.
    """

    image: Image.Image
    low: Image.Image | None = None
    orientation: int = 0
    is_cut: bool = False
