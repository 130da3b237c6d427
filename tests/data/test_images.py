"""Untrusted bytes become one upright RGB picture or one named error."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from demo.data.errors import ImageBytesExceeded, ImageDamaged, ImageError, ImageTooLarge, NotAnImage
from demo.data.images import pack_image, pack_jpeg, read_image
from demo.settings import Settings
from tests.attacks import chunk, exif_bomb, make_png, with_exif
from tests.pictures import FORMATS, encode, noise, png

Pixels = NDArray[Any]  # (H, W, 3), 0 to 255

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
    return make_png((width, height), 8, 2, b"")


def gradient(num_channels: int, size: tuple[int, int] = (64, 48)) -> Pixels:
    """Return pixels (H, W, C) of which each channel runs another way, smoothly enough for JPEG."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    return np.stack([3 * x, 4 * y, 2 * x + y, 250 - 3 * x][:num_channels], axis=-1).astype(np.uint8)


def on_white(colours: Pixels, opacity: Pixels) -> Pixels:
    """Lay colours on white, by hand; opacity is 0 to 1."""
    return np.broadcast_to(255 + opacity * (colours.astype(float) - 255), (*colours.shape[:2], 3))


def turned(upright: Pixels, orientation: int) -> Pixels:
    """Return pixels as a camera stores them: EXIF says where their first row and column belong."""
    ways = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }
    return np.ascontiguousarray(ways[orientation])


def save(pixels: Pixels, image_format: str, *, mode: str = "RGB", **options: Any) -> bytes:
    """Encode pixels as nearly as a format can."""
    nearest: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "MPO": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True, "exact": True},
        "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    }
    buffer = io.BytesIO()
    Image.frombytes(mode, pixels.shape[1::-1], pixels.tobytes()).save(
        buffer, image_format, **{**nearest.get(image_format, {}), **options}
    )
    return buffer.getvalue()


def odd_pictures() -> Iterator[tuple[str, bytes, Pixels]]:
    """Yield pictures that are odd and valid: what they are, their bytes, and what they show, worked out by hand."""
    yield from turned_pictures()
    yield from png_pictures()
    grey, colours, four = gradient(1), gradient(3), gradient(4)
    white = np.ones((48, 64, 1))
    yield "LA", save(gradient(2), "PNG", mode="LA"), on_white(grey, gradient(2)[..., 1:] / 255)
    for image_format in ("PNG", "WEBP"):
        yield f"RGBA {image_format}", save(four, image_format, mode="RGBA"), on_white(colours, four[..., 3:] / 255)
    yield "grey JPEG", save(grey, "JPEG", mode="L"), on_white(grey, white)
    inks = np.kron(np.random.default_rng(0).integers(0, 256, (3, 4, 4)), np.ones((16, 16, 1))).astype(np.uint8)
    lights = np.ascontiguousarray(inks[..., :3])  # plain blocks, which JPEG hardly changes
    yield "progressive JPEG", save(lights, "JPEG", progressive=True), lights
    yield "MPO", save(lights, "MPO", save_all=True, append_images=[noise(0)]), lights
    printed = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255
    yield "CMYK JPEG, inverted as Adobe does", save(inks, "JPEG", mode="CMYK"), printed
    bits = (gradient(1) > 100) * np.uint8(255)
    for image_format in ("PNG", "BMP", "GIF"):
        content = encode(Image.fromarray(bits[..., 0]).convert("1"), image_format)
        yield f"1 bit {image_format}", content, on_white(bits, white)
    moves: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (64, 48), "blue")], "duration": 100}
    for image_format in ("PNG", "WEBP", "AVIF"):
        yield f"animated {image_format}", save(colours, image_format, **moves), colours
    places = np.kron(np.arange(12).reshape(3, 4, 1), np.ones((16, 16, 1), int))
    colours = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
    image, buffer = Image.fromarray(places[..., 0].astype(np.uint8)), io.BytesIO()
    image.putpalette(colours.tobytes())
    image.save(buffer, "GIF", transparency=5, **moves)
    yield "animated GIF with a transparent colour", buffer.getvalue(), on_white(colours[places[..., 0]], places != 5)


def turned_pictures() -> Iterator[tuple[str, bytes, Pixels]]:
    upright = np.asarray(four_corners())
    for orientation in STORED:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        for image_format in ("PNG", "JPEG", "WEBP", "AVIF"):
            content = save(turned(upright, orientation), image_format, exif=exif)
            yield f"orientation {orientation} {image_format}", content, upright


def png_pictures() -> Iterator[tuple[str, bytes, Pixels]]:
    """Yield a PNG of each depth, with a transparent colour that stands in its corner and without."""
    draw = np.random.default_rng(2)
    for colour, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8))):
        for depth in depths:
            bytes_of_row = 32 * depth * CHANNELS[colour] // 8
            pixels = b"".join(b"\0" + draw.bytes(bytes_of_row) for _ in range(32))
            palette = chunk(b"PLTE", draw.bytes(3 * 2**depth)) if colour == 3 else b""
            plain = make_png((32, 32), depth, colour, pixels, before=palette)
            first = read_samples(
                np.frombuffer(pixels[1 : bytes_of_row + 1], np.uint8)[None], 32, depth, CHANNELS[colour]
            )
            key = draw.bytes(2**depth - 1) if colour == 3 else struct.pack(f">{CHANNELS[colour]}H", *first[0, 0])
            for what, content in (
                ("", plain),
                (" with tRNS", make_png((32, 32), depth, colour, pixels, before=palette + chunk(b"tRNS", key))),
            ):
                yield f"PNG of type {colour} in {depth} bits{what}", content, decode_png(content)


CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG's colour types
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def decode_png(content: bytes) -> Pixels:
    """Decode a valid PNG as its specification says, on white, and as it is stored: without its gamma.

    Source:
        https://www.w3.org/TR/png-3/
    """
    chunks = read_chunks(content)
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    channels, data = CHANNELS[colour], zlib.decompress(chunks[b"IDAT"])
    samples = np.zeros((height, width, channels), int)
    for x, y, dx, dy in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = len(range(x, width, dx)), len(range(y, height, dy))
        if columns and rows:
            bytes_of_row = -(-columns * channels * depth // 8)
            lines = unfilter(data, rows, bytes_of_row, max(1, channels * depth // 8))
            samples[y::dy, x::dx] = read_samples(lines, columns, depth, channels)
            data = data[rows * (bytes_of_row + 1) :]
    return on_white(*paint(samples, chunks, 2**depth - 1, colour))


def paint(samples: Pixels, chunks: dict[bytes, bytes], full: int, colour: int) -> tuple[Pixels, Pixels]:
    """Return colours, 0 to 255, and opacity, 0 to 1."""
    key = chunks.get(b"tRNS")
    if colour == 3:
        opacity = np.pad(np.frombuffer(key or b"", np.uint8), (0, 256 - len(key or b"")), constant_values=255)
        return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[samples[..., 0]], opacity[samples] / 255
    if colour in (4, 6):
        return samples[..., :-1] * 255 / full, samples[..., -1:] / full
    hidden = np.frombuffer(key, ">u2") if key else np.array([-1])
    return samples * 255 / full, (samples != hidden).any(axis=2, keepdims=True)


def read_chunks(content: bytes) -> dict[bytes, bytes]:
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        chunks[kind] = chunks.get(kind, b"") + content[place + 8 : place + 8 + size]
        place += 12 + size
    return chunks


def unfilter(data: bytes, num_rows: int, bytes_of_row: int, step: int) -> Pixels:
    """Add to each byte what its row's filter guessed from those to its left and above."""
    above, rows = bytes(bytes_of_row), []
    for start in range(0, num_rows * (bytes_of_row + 1), bytes_of_row + 1):
        row = bytearray(data[start + 1 : start + 1 + bytes_of_row])
        for x in range(bytes_of_row):
            left, corner = (row[x - step], above[x - step]) if x >= step else (0, 0)
            gradient = left + above[x] - corner
            paeth = min((left, above[x], corner), key=lambda near, guess=gradient: abs(guess - near))  # type: ignore[misc]
            row[x] = (row[x] + (0, left, above[x], (left + above[x]) // 2, paeth)[data[start]]) % 256
        rows.append(above := bytes(row))
    return np.frombuffer(b"".join(rows), np.uint8).reshape(num_rows, bytes_of_row)


def read_samples(rows: Pixels, width: int, depth: int, channels: int) -> Pixels:
    """Take rows of bytes apart into samples (H, W, C)."""
    bits = np.unpackbits(rows, axis=1).reshape(len(rows), -1, depth)
    samples = bits @ (1 << np.arange(depth)[::-1])
    return samples[:, : width * channels].reshape(len(rows), width, channels)


def worst_difference(content: bytes, expected: Pixels, settings: Settings) -> float:
    """Return by how much what is read is off, at most, of 255."""
    found = np.asarray(read_image(content, settings)).astype(float)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max())


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


ODD = list(odd_pictures())


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


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_nothing_of_what_a_file_tells_goes_on(image_format: str, settings: Settings) -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    exif.get_ifd(0x8825)[1] = "at home"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "at home")
    extras = {"exif": exif, "icc_profile": b"at home", "comment": b"at home", "pnginfo": text, "xmp": b"at home"}
    buffer = io.BytesIO()
    noise(0).save(buffer, image_format, **extras)
    assert b"at home" in buffer.getvalue()
    read = read_image(buffer.getvalue(), settings)
    assert b"at home" not in pack_image(read) + pack_jpeg(read)
    assert read.info == {}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_of_exif_data_that_are_a_bomb_only_the_orientation_is_read(image_format: str, settings: Settings) -> None:
    """AVIF says in another place how it is turned."""
    read = read_image(with_exif(image_format, exif_bomb(1_000, 60_000, orientation=3)), settings)
    straight = read_image(with_exif(image_format, exif_bomb(1_000, 60_000)), settings)
    assert np.array_equal(np.asarray(read), turned(np.asarray(straight), 1 if image_format == "AVIF" else 3))


@pytest.mark.parametrize(
    "exif",
    [
        b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHIHH", ORIENTATION, 3, 1, 3, 0),
        b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHII", ORIENTATION, 4, 1, 3),
        b"II*\0\x08\0\0\0\2\0" + struct.pack("<HHII", 0x8769, 2, 9, 9) + struct.pack("<HHIHH", ORIENTATION, 3, 1, 3, 0),
    ],
    ids=["big-endian", "a long number", "a directory that is no number"],
)
def test_an_orientation_is_found_however_it_is_written(exif: bytes, settings: Settings) -> None:
    expected = turned(np.asarray(noise(0, (16, 16))), 3)
    assert worst_difference(with_exif("PNG", exif), expected, settings) == 0
    raw = PngImagePlugin.PngInfo()
    raw.add_text("Raw profile type exif", f"\nexif\n{len(exif)}\n{exif.hex()}")
    assert worst_difference(save(turned(expected, 3), "PNG", pnginfo=raw), expected, settings) == 0


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"II*\0", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff\x12\1", b"??*\0" * 9]
)
def test_exif_data_that_cannot_be_read_are_ignored(exif: bytes, settings: Settings) -> None:
    content = png()
    place = content.index(b"IDAT") - 4
    content = content[:place] + chunk(b"eXIf", exif) + content[place:]
    assert read_image(content, settings).tobytes() == read_image(png(), settings).tobytes()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_in_xmp_counts_where_exif_says_none(image_format: str, settings: Settings) -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    upright = np.asarray(four_corners())
    content = save(turned(upright, 3), image_format, xmp=xmp, pnginfo=text)
    assert worst_difference(content, upright, settings) <= 2


def test_a_picture_in_many_small_parts_is_read(settings: Settings) -> None:
    pixels = b"".join(b"\0" + row.tobytes() for row in np.asarray(noise(8, (300, 300))))
    packed, head = zlib.compress(pixels), make_png((300, 300), 8, 2, b"")
    start = head.index(b"IDAT") - 4
    parts = b"".join(chunk(b"IDAT", packed[place : place + 64]) for place in range(0, len(packed), 64))
    assert len(parts) // 76 > 4_000
    read = read_image(head[:start] + parts + chunk(b"IEND", b""), settings)
    assert read.tobytes() == noise(8, (300, 300)).tobytes()


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


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0"])
def test_what_only_begins_as_a_picture_is_damaged(content: bytes, settings: Settings) -> None:
    with pytest.raises(ImageDamaged, match=r'"holiday \{1\}.png" is damaged'):
        read_image(content, settings, name="holiday {1}.png")


@pytest.mark.parametrize("image_format", ["PPM", "ICO", "TGA", "PDF", "JPEG2000"])
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


@pytest.mark.parametrize(("content", "expected"), [each[1:] for each in ODD], ids=[each[0] for each in ODD])
def test_odd_pictures_show_what_they_are(content: bytes, expected: Pixels, settings: Settings) -> None:
    assert worst_difference(content, expected, settings) <= 2


# Names in this set begin with x where the file is broken on purpose.
@pytest.mark.filterwarnings("ignore")
def test_the_png_suite_is_read(shared_data: Path, settings: Settings) -> None:
    paths = sorted((shared_data / "bad_inputs" / "images" / "pngsuite").iterdir())
    good = [path for path in paths if not path.name.startswith("png__x")]
    broken = [path for path in paths if path.name.startswith("png__x")]
    assert len(good) > 100
    for path in good:
        assert worst_difference(path.read_bytes(), decode_png(path.read_bytes()), settings) <= 2, path.name
    # One has only a wrong checksum, over which Pillow looks away.
    assert [outcome(path, settings) for path in broken].count("error") >= len(broken) - 1


@pytest.mark.filterwarnings("ignore")
def test_odd_and_hostile_pictures_give_a_picture_or_a_named_error(shared_data: Path, settings: Settings) -> None:
    folder = shared_data / "bad_inputs" / "images"
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name != "pngsuite")
    small = replace(settings, max_image_pixels=4_000_000)  # bounds what a hostile file can take
    assert {outcome(path, small) for path in paths} == {"picture", "error"}
