"""Too many pixels are refused by the headers of the pictures, before any is decoded."""

import io
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from demo.data.collection import Collection, PictureClass, add_pictures
from demo.data.folders import read_collection
from demo.data.layouts.errors import PixelsExceeded
from demo.data.pixels import HEAD_BYTES, PixelBudget, count_pixels
from demo.settings import PUBLIC_LIMITS, Settings
from tests.attacks import jpeg_of, jpeg_with, make_png, png_of_one_bit, segment
from tests.pictures import MakeZip, encode, noise

PUBLIC = replace(Settings(), **PUBLIC_LIMITS)
PHONE = (4032, 3024)


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "BMP", "TIFF", "AVIF", "WEBP"])
def test_the_size_is_told_by_the_first_bytes(image_format: str, settings: Settings) -> None:
    content = encode(noise(0, (48, 32)), image_format)
    assert count_pixels(content, settings) == 48 * 32


def test_a_plain_jpeg_counts_a_quarter(settings: Settings) -> None:
    plain = encode(noise(0, (48, 32)), "JPEG")
    after_metadata = plain[:2] + segment(0xE1, bytes(9_000)) + b"\xff\xff\xff" + plain[3:]
    assert count_pixels(plain, settings) == count_pixels(after_metadata, settings) == 48 * 32 / 4
    assert count_pixels(plain.replace(b"\xff\xc0", b"\xff\xc2", 1), settings) == 48 * 32


def test_what_will_not_be_decoded_costs_nothing(settings: Settings) -> None:
    for content in (
        b"",
        b"hello",
        make_png((60_000, 60_000), 8, 6, b""),
        jpeg_of(65_500, 65_500),
        b"\xff\xd8\xff",
        b"BM",
        b"II*\0",
    ):
        assert count_pixels(content, settings) == 0


def test_pillow_tells_the_same_sizes_of_odd_pictures(shared_data: Path) -> None:
    settings, num_alike, differing = replace(Settings(), max_image_pixels=10**10, max_image_side_px=10**6), 0, []
    for path in sorted(each for each in (shared_data / "bad_inputs" / "images").rglob("*") if each.is_file()):
        content = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                image = Image.open(io.BytesIO(content), formats=["PNG", "GIF", "BMP", "WEBP", "JPEG"])
            except Exception:
                assert count_pixels(content, settings) >= 0  # never an error of its own
                continue
        counted = count_pixels(content[:HEAD_BYTES], settings)
        pixels = image.width * image.height
        if counted in (pixels, pixels / 4):
            num_alike += 1
        else:
            differing.append((path.name, image.size, counted))
    assert num_alike > 400
    assert len(differing) < num_alike / 50, differing


def test_a_small_zip_of_huge_pictures_is_refused_before_one_is_decoded(
    make_zip: MakeZip, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = png_of_one_bit(6_000)
    path = make_zip({f"{name}/{number}.png": huge + bytes([number]) for name in "ab" for number in range(100)})
    assert path.stat().st_size < 2_000_000
    monkeypatch.setattr("demo.data.collection.decode_image", None)  # to decode one would fail
    for settings in (Settings(), PUBLIC):
        start = time.thread_time()
        with pytest.raises(PixelsExceeded, match="Save them smaller"):
            read_collection(path, settings)
        assert time.thread_time() - start < 1.0
    with pytest.raises(PixelsExceeded):
        add_pictures(
            Collection((PictureClass("a"),)), "a", files=[(f"{n}.png", huge) for n in range(200)], settings=PUBLIC
        )


def test_what_takes_the_place_of_no_pictures_is_counted_too(make_zip: MakeZip, settings: Settings) -> None:
    """What the headers of the first draw have not told is counted picture by picture."""
    damaged = {f"{name}/a{number}.png": b"\x89PNG\r\n\x1a\n" for name in "ab" for number in range(4)}
    good = {f"{name}/{number}.png": encode(noise(number, (64, 64)), "PNG") for name in "ab" for number in range(4)}
    small = replace(settings, max_pictures=4, max_decoded_pixels=64 * 64 * 4)
    read_collection(make_zip(good), replace(small, max_decoded_pixels=64 * 64 * 10))
    with pytest.raises(PixelsExceeded):
        read_collection(make_zip(damaged | good), replace(small, max_decoded_pixels=64 * 64 * 3))


def test_five_hundred_photographs_of_a_phone_are_within_every_budget() -> None:
    head = jpeg_with(segment(0xE1, bytes(20_000)))
    at = head.index(b"\xff\xc0")
    phone = head[: at + 5] + PHONE[1].to_bytes(2, "big") + PHONE[0].to_bytes(2, "big") + head[at + 9 :]
    for settings in (Settings(), PUBLIC):
        assert count_pixels(phone, settings) == PHONE[0] * PHONE[1] / 4
        PixelBudget(settings).foresee([phone] * 500)
        with pytest.raises(PixelsExceeded):
            PixelBudget(settings).foresee([phone] * 1_000)
