"""What a picture holds can be seen in it once it is RGB, and what was done for that is noted."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from demo.data.formats.tones import Note
from demo.data.images import decode_image
from demo.settings import Settings
from tests.attacks import chunk, make_png
from tests.pictures import encode, noise, smooth

CLEAR = (0, 0, 0, 0)
STEPS = np.arange(64 * 48).reshape(48, 64)


def png_of(values: np.ndarray, colour: int, before: bytes = b"") -> bytes:
    """Return values (H, W) or (H, W, C) as a PNG of 16 bits."""
    rows = values.reshape(len(values), -1).astype(">u2")
    return make_png(
        (values.shape[1], len(values)), 16, colour, b"".join(b"\0" + row.tobytes() for row in rows), before=before
    )


def icon(colour: tuple[int, int, int], background: tuple[int, int, int, int] = CLEAR) -> Image.Image:
    """Return a disc on a background that cannot be seen."""
    image = Image.new("RGBA", (64, 64), background)
    ImageDraw.Draw(image).ellipse((12, 12, 52, 52), fill=(*colour, 255))
    return image


@pytest.mark.parametrize(("bits", "notes"), [(8, (Note.STRETCHED,)), (12, (Note.STRETCHED,)), (14, ()), (16, ())])
@pytest.mark.parametrize("colour", [0, 2, 6])
def test_few_bits_in_sixteen_are_stretched(bits: int, notes: tuple[Note, ...], colour: int, settings: Settings) -> None:
    full = 2**bits - 1
    grey = np.linspace(0, full, STEPS.size).round().reshape(STEPS.shape)
    values = grey if colour == 0 else np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)
    stored = np.concatenate([values, np.full((*grey.shape, 1), 65_535)], axis=-1) if colour == 6 else values
    decoded = decode_image(png_of(stored, colour), settings)
    assert decoded.notes == notes
    expected = values * 255 / (full if notes else 65_535)
    assert np.abs(np.asarray(decoded.image) - (expected[..., None] if colour == 0 else expected)).max() <= 1


@pytest.mark.parametrize("colour", [0, 2])
def test_a_transparent_value_among_few_bits_is_the_whole_value(colour: int, settings: Settings) -> None:
    grey = np.where(STEPS % 2, 2_000, 2_001)
    values, key = (grey, b"\x07\xd0") if colour == 0 else (np.stack([grey] * 3, axis=-1), b"\x07\xd0" * 3)
    decoded = decode_image(png_of(values, colour, chunk(b"tRNS", key)), settings)
    seen = np.asarray(decoded.image)
    assert (seen[STEPS % 2 == 1] == 255).all()
    assert np.abs(seen[STEPS % 2 == 0].astype(int) - 2_001 * 255 // 4_095).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_white_on_nothing_is_put_where_it_can_be_seen(mode: str, settings: Settings) -> None:
    image = icon((255, 255, 255)) if mode != "P" else icon((255, 255, 255)).quantize(4)
    decoded = decode_image(encode(image.convert(mode)), settings)
    assert decoded.notes == (Note.BACKDROP,)
    assert (decoded.image.getpixel((32, 32)), decoded.image.getpixel((1, 1))) == ((255,) * 3, (64,) * 3)


@pytest.mark.parametrize(
    "image",
    [
        icon((0, 0, 0)),
        icon((200, 30, 60)),
        icon((0, 0, 0), (255, 255, 255, 0)),
        icon((230, 230, 120)),
        smooth(0, mode="RGBA"),
    ],
    ids=["black", "red", "black on hidden white", "pale yellow", "half transparent colours"],
)
def test_what_can_be_seen_on_white_lies_on_white(image: Image.Image, settings: Settings) -> None:
    decoded = decode_image(encode(image), settings)
    assert decoded.notes == ()
    expected = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize(
    ("image", "notes"),
    [
        (Image.new("RGBA", (64, 48), (200, 30, 60, 0)), (Note.TRANSPARENT,)),
        (noise(0).convert("RGB").point(lambda value: value // 16), (Note.BLACK,)),
        (Image.new("RGB", (64, 48), (250, 250, 250)), (Note.ONE_COLOUR,)),
        (Image.new("RGB", (64, 48), "red"), (Note.ONE_COLOUR,)),
        (noise(0).point(lambda value: value // 4), ()),
        (noise(0), ()),
    ],
    ids=["transparent", "black", "white", "red", "dark", "colours"],
)
@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_nothing_to_see_is_noted(
    image: Image.Image, notes: tuple[Note, ...], image_format: str, settings: Settings
) -> None:
    assert decode_image(encode(image, image_format), settings).notes == notes
