"""JPEGs that lack a few bytes are read, those that lack a part of the picture are not."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.data.errors import ImageDamaged
from demo.data.formats.tones import Note
from demo.data.images import decode_image
from demo.data.samples import EXAMPLES
from demo.settings import Settings
from tests.pictures import encode, noise, smooth

IMAGES = {
    "photograph": Image.open(EXAMPLES[0].path).convert("RGB").resize((320, 240)),
    "noise": noise(0, (200, 150)),
    "soft colours": smooth(1, (240, 320)),
    "one colour": Image.new("RGB", (160, 240), (120, 60, 30)),
    "large": noise(2, (48, 36)).resize((1600, 1200)),
}


def jpeg(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"restart_marker_blocks": 8}, {"optimize": True}])
def test_what_is_read_of_a_cut_picture_is_nearly_all_of_it(
    image: Image.Image, options: dict[str, Any], settings: Settings
) -> None:
    """However much is cut off, what is read differs from the whole in its last rows alone."""
    content = jpeg(image, **options)
    whole = np.asarray(decode_image(content, settings).image).astype(int)
    lengths = np.linspace(len(content) // 10, len(content) - 1, 60).astype(int)
    num_read = 0
    for length in lengths:
        try:
            decoded = decode_image(content[:length], settings)
        except ImageDamaged:
            continue
        num_read += 1
        is_whole = Note.CUT not in decoded.notes  # of some, only the sign that they end is missing
        rows = len(whole) if is_whole else int(0.89 * len(whole))
        assert np.abs(np.asarray(decoded.image)[:rows].astype(int) - whole[:rows]).max() <= 1, length
    assert num_read >= ("restart_marker_blocks" not in options)


@pytest.mark.parametrize("lost", [1, 2, 3, 20])
def test_a_few_bytes_less_are_noted(lost: int, settings: Settings) -> None:
    assert decode_image(jpeg(IMAGES["photograph"])[:-lost], settings).notes == (Note.CUT,)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.85])
@pytest.mark.parametrize("name", ["photograph", "noise", "large"])
def test_half_pictures_are_refused(name: str, share: float, settings: Settings) -> None:
    content = jpeg(IMAGES[name])
    with pytest.raises(ImageDamaged):
        decode_image(content[: int(share * len(content))], settings)


def test_pictures_that_come_in_passes_are_refused_as_soon_as_one_is_cut(settings: Settings) -> None:
    content = jpeg(IMAGES["photograph"], progressive=True)
    with pytest.raises(ImageDamaged):
        decode_image(content[:-20], settings)


def test_other_formats_are_not_mended(settings: Settings) -> None:
    with pytest.raises(ImageDamaged):
        decode_image(encode(IMAGES["photograph"])[:-60], settings)
