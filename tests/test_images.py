"""Untrusted bytes become one upright RGB picture or one named error."""

import io
import struct
import warnings
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from demo.data.images import FORMATS, read_image
from demo.errors import ImageBytesExceeded, ImageDamaged, ImageError, ImageTooLarge, NotAnImage
from demo.settings import Settings
from tests.conftest import encode, noise, png

ORIENTATION = 0x0112
WHITE = (255, 255, 255)
# How a camera stores an upright picture under each orientation.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def four_corners(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Return a picture with another colour in each quarter, so that no turn of it looks like another."""
    image = Image.new("RGB", size, "red")
    middle = (size[0] // 2, size[1] // 2)
    image.paste("green", (middle[0], 0, size[0], middle[1]))
    image.paste("blue", (0, middle[1], middle[0], size[1]))
    image.paste("yellow", (*middle, *size))
    return image


def stored(upright: Image.Image, orientation: int, image_format: str) -> bytes:
    method = STORED[orientation]
    turned = upright if method is None else upright.transpose(method)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    buffer = io.BytesIO()
    turned.save(buffer, image_format, exif=exif)
    return buffer.getvalue()


def header_only_png(width: int, height: int) -> bytes:
    """Return a PNG of which nothing but the size can be read."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


def colour_at(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


def outcome(source: Path | bytes, settings: Settings) -> str:
    try:
        image = read_image(source, settings)
    except ImageError as error:
        assert str(error)
        return "error"
    assert image.mode == "RGB"
    assert min(image.size) >= 1
    return "picture"


@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_gives_the_same_upright_picture(orientation: int, settings: Settings) -> None:
    upright = four_corners()
    assert read_image(stored(upright, orientation, "PNG"), settings).tobytes() == upright.tobytes()


@pytest.mark.parametrize("orientation", STORED)
def test_large_photographs_are_upright_too(orientation: int, settings: Settings) -> None:
    upright = four_corners((2400, 1600))
    read = read_image(stored(upright, orientation, "JPEG"), settings)
    expected = np.asarray(upright.resize(read.size)).astype(int)
    assert read.size == (768, 512)
    assert np.abs(np.asarray(read).astype(int) - expected).mean() < 3


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int, settings: Settings) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    buffer = io.BytesIO()
    four_corners().save(buffer, "PNG", exif=exif)
    assert read_image(buffer.getvalue(), settings).tobytes() == four_corners().tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(mode: str, settings: Settings) -> None:
    black, clear, half = (0, 0, 0, 255), (0, 0, 0, 0), (0, 0, 0, 128)
    image = Image.new("RGBA", (3, 1))
    for x, pixel in enumerate((black, clear, half)):
        image.putpixel((x, 0), pixel)
    read = read_image(encode(image.convert(mode)), settings)
    assert [colour_at(read, x, 0) for x in range(3)] == [(0, 0, 0), WHITE, (127, 127, 127)]


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_laid_on_white(image_format: str, settings: Settings) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    buffer = io.BytesIO()
    image.save(buffer, image_format, transparency=1)
    read = read_image(buffer.getvalue(), settings)
    assert [colour_at(read, 0, 0), colour_at(read, 1, 0)] == [(255, 0, 0), WHITE]


def test_a_palette_with_an_opacity_for_each_entry_is_laid_on_white(settings: Settings) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=bytes([255, 128]))
    assert colour_at(read_image(buffer.getvalue(), settings), 1, 0) == (127, 127, 255)


@pytest.mark.parametrize(("mode", "key"), [("L", 40), ("RGB", (40, 40, 40)), ("I;16", 40 * 257)])
def test_a_transparent_colour_is_laid_on_white(mode: str, key: int | tuple[int, int, int], settings: Settings) -> None:
    image = Image.new(mode, (2, 1), key)
    image.putpixel((1, 0), (90 * 257) if mode == "I;16" else 90 if mode == "L" else (90, 90, 90))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=key)
    read = read_image(buffer.getvalue(), settings)
    assert [colour_at(read, 0, 0), colour_at(read, 1, 0)] == [WHITE, (90, 90, 90)]


def test_sixteen_bit_grey_is_scaled_to_eight(settings: Settings) -> None:
    values = np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16)
    read = np.asarray(read_image(encode(Image.fromarray(values)), settings))
    assert read[0].tolist() == [[0, 0, 0], [1, 1, 1], [128, 128, 128], [255, 255, 255]]


def test_cmyk_becomes_rgb(settings: Settings) -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    read = read_image(encode(red, "JPEG"), settings)
    assert read.mode == "RGB"
    assert np.allclose(np.asarray(read), (255, 0, 0), atol=3)


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_a_white_picture_is_white_in_every_mode(mode: str, settings: Settings) -> None:
    read = read_image(encode(Image.new("RGB", (4, 4), "white").convert(mode)), settings)
    assert read.mode == "RGB"
    assert (np.asarray(read) == 255).all()


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(image_format: str, settings: Settings) -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    buffer = io.BytesIO()
    first.save(buffer, image_format, save_all=True, append_images=[second], duration=100)
    with Image.open(io.BytesIO(buffer.getvalue())) as animation:
        assert getattr(animation, "n_frames", 1) == 2
    assert np.allclose(np.asarray(read_image(buffer.getvalue(), settings)), (255, 0, 0), atol=3)


def test_no_metadata_is_left(settings: Settings) -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    exif.get_ifd(0x8825)[1] = "N"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "somebody")
    extras: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": b"somebody"},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": b"somebody"},
    }
    for image_format, extra in extras.items():
        buffer = io.BytesIO()
        noise(0).save(buffer, image_format, exif=exif, icc_profile=b"profile", **extra)
        with Image.open(io.BytesIO(buffer.getvalue())) as untouched:
            assert untouched.getexif()
        read = read_image(buffer.getvalue(), settings)
        assert read.info == {}
        assert not read.getexif()


@pytest.mark.parametrize("image_format", FORMATS)
def test_every_format_is_read(image_format: str, settings: Settings) -> None:
    image = Image.new("RGB", (32, 24), (200, 30, 60))
    read = read_image(encode(image, image_format), settings)
    assert (read.mode, read.size) == ("RGB", (32, 24))
    assert np.allclose(np.asarray(read), (200, 30, 60), atol=4)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3000, 2000), (768, 512)),
        ((2000, 3000), (512, 768)),
        ((1600, 1600), (512, 512)),
        ((4000, 100), (1024, 26)),
        ((100, 4000), (26, 1024)),
        ((5000, 1), (1024, 1)),
    ],
)
def test_large_pictures_shrink_to_the_limits_in_their_shape(
    size: tuple[int, int], expected: tuple[int, int], image_format: str, settings: Settings
) -> None:
    read = read_image(encode(Image.new("RGB", size, "green"), image_format), settings)
    assert abs(read.width - expected[0]) <= 1
    assert abs(read.height - expected[1]) <= 1
    assert min(read.size) <= settings.photo_short_side_px
    assert max(read.size) <= settings.photo_long_side_px


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 7), (512, 512), (1024, 512), (640, 480)])
def test_pictures_within_the_limits_keep_their_size_and_pixels(size: tuple[int, int], settings: Settings) -> None:
    image = noise(1, size)
    assert read_image(encode(image), settings).size == size
    assert read_image(encode(image), settings).tobytes() == image.tobytes()


def test_a_path_and_its_bytes_give_the_same(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encode(noise(2)))
    assert read_image(path, settings).tobytes() == read_image(path.read_bytes(), settings).tobytes()


def test_the_type_comes_from_the_bytes(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(encode(noise(3), "JPEG"))
    assert read_image(path, settings).size == (64, 64)
    assert read_image(png(), settings, name="picture.gif").size == (32, 24)


def test_a_path_is_called_by_its_last_part(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encode(noise(4))[:2000])
    with pytest.raises(ImageDamaged, match=r'^"photo\.png"'):
        read_image(path, settings)


@pytest.mark.parametrize("as_path", [True, False])
def test_too_many_bytes_are_refused(as_path: bool, tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "big.png"
    path.write_bytes(b"\0" * 1_600_000)
    with pytest.raises(ImageBytesExceeded, match=r'"big.png" has 1.6 MB; .* at most 1 MB'):
        read_image(path if as_path else path.read_bytes(), replace(settings, max_image_bytes=1_000_000), name="big.png")


def test_the_limits_themselves_are_allowed(settings: Settings) -> None:
    content = png(size=(30, 20))
    tight = replace(settings, max_image_bytes=len(content), max_image_pixels=600, max_image_side_px=30)
    assert read_image(content, tight).size == (30, 20)


@pytest.mark.parametrize("tight", [Settings(max_image_pixels=599), Settings(max_image_side_px=29)])
def test_one_more_than_the_limits_is_too_large(tight: Settings) -> None:
    with pytest.raises(ImageTooLarge, match="30 x 20"):
        read_image(png(size=(30, 20)), tight)


# Pillow has limits of its own: it warns from 89 million pixels and refuses from 179 million.
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(8000, 7000), (20_001, 1), (1, 20_001), (12_000, 9_000), (60_000, 60_000)])
def test_too_many_pixels_are_refused_by_the_header_alone(size: tuple[int, int], settings: Settings) -> None:
    with pytest.raises(ImageTooLarge, match=r"poster.png.*at most 50 million pixels"):
        read_image(header_only_png(*size), settings, name="poster.png")


def test_a_header_without_pixels_is_damaged(settings: Settings) -> None:
    with pytest.raises(ImageDamaged):
        read_image(header_only_png(8, 8), settings)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"just a text",
        b"<html><body>404</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
    ],
)
def test_what_is_no_picture_is_refused_by_name(content: bytes, settings: Settings) -> None:
    with pytest.raises(NotAnImage, match=r'"holiday \{1\}.png" is not a picture'):
        read_image(content, settings, name="holiday {1}.png")


@pytest.mark.parametrize("image_format", ["TIFF", "PPM", "ICO", "TGA", "PDF", "JPEG2000"])
def test_other_formats_are_refused_even_if_pillow_knows_them(image_format: str, settings: Settings) -> None:
    with pytest.raises(NotAnImage):
        read_image(encode(noise(5), image_format), settings)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("image_format", FORMATS)
def test_a_picture_that_is_cut_off_is_damaged(image_format: str, share: float, settings: Settings) -> None:
    content = encode(noise(6), image_format)
    with pytest.raises((ImageDamaged, NotAnImage), match=r"cut\.bin"):
        read_image(content[: int(len(content) * share)], settings, name="cut.bin")


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_common_pictures_that_are_cut_off_are_told_from_other_files(image_format: str, settings: Settings) -> None:
    content = encode(noise(6), image_format)
    with pytest.raises(ImageDamaged, match=r'"half" is damaged or cut off'):
        read_image(content[: len(content) // 2], settings, name="half")


@pytest.mark.parametrize("image_format", FORMATS)
def test_changed_bytes_give_a_picture_or_a_named_error(image_format: str, settings: Settings) -> None:
    content = encode(noise(7, (16, 16)), image_format)
    generator = np.random.default_rng(0)
    outcomes = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for position in range(0, len(content), max(1, len(content) // 150)):
            changed = bytearray(content)
            changed[position] ^= int(generator.integers(1, 256))
            outcomes.add(outcome(bytes(changed), settings))
    assert outcomes <= {"picture", "error"}
    assert len(outcomes) == 2


# Names in this set begin with x where the file is broken on purpose.
@pytest.mark.filterwarnings("ignore")
def test_the_png_suite_is_read(shared_data: Path, settings: Settings) -> None:
    paths = sorted((shared_data / "bad_inputs" / "images" / "pngsuite").iterdir())
    good = [path for path in paths if not path.name.startswith("png__x")]
    broken = [path for path in paths if path.name.startswith("png__x")]
    assert len(good) > 100
    for path in good:
        with Image.open(path) as image:
            assert read_image(path, settings).size == image.size, path.name
    # One has only a wrong checksum, over which Pillow looks away.
    assert [outcome(path, settings) for path in broken].count("error") >= len(broken) - 1


@pytest.mark.filterwarnings("ignore")
def test_odd_and_hostile_pictures_give_a_picture_or_a_named_error(shared_data: Path, settings: Settings) -> None:
    folder = shared_data / "bad_inputs" / "images"
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name != "pngsuite")
    small = replace(settings, max_image_pixels=4_000_000)  # bounds what a hostile file can take
    assert {outcome(path, small) for path in paths} == {"picture", "error"}
