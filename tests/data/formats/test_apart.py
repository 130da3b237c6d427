"""HEIC and TIFF come out as they were put in, or end with a sentence; what is hostile ends a process that is apart."""

import io
import random
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from demo.data.errors import ImageDamaged, ImageTooLarge, NotAnImage
from demo.data.formats import apart, worker
from demo.data.formats.apart import decode_apart, narrow_heic
from demo.data.formats.errors import IsOddKind, IsUndecoded
from demo.data.formats.tones import Note
from demo.data.images import decode_image, read_image
from demo.data.kinds import Kind
from demo.settings import Settings
from tests.conftest import PROJECT
from tests.data.test_images import ORIENTATION, STORED, four_corners
from tests.pictures import encode, heic, noise, smooth, tiff

LIMITS = {"pixels": 50_000_000, "side": 20_000, "short": 512, "long": 1024}
MEGABYTES_APART = 1_000  # what a process apart may take
MEASURED = """
import sys, time
from contextlib import suppress
from demo.data.images import read_image
from demo.errors import DemoError
from demo.settings import Settings

content, begin, kilobytes = sys.stdin.buffer.read(), time.perf_counter(), 0
try:
    read_image(content, Settings(), name="attack")
except DemoError as error:
    print(error)
print(time.perf_counter() - begin)
with suppress(ImportError):  # Windows has none
    import resource
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(kilobytes)
"""


def difference(content: bytes, expected: Image.Image, settings: Settings) -> float:
    """Return by how much what is read is off, at most, of 255."""
    read = read_image(content, settings)
    assert read.size == expected.size
    return float(np.abs(np.asarray(read).astype(float) - np.asarray(expected.convert("RGB"))).max())


def deep_heic(image: Image.Image, bits: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return an image as HEIC with 10 or 12 bits for each colour."""
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
    values = np.asarray(image).astype(np.uint16) * 257
    buffer = io.BytesIO()
    deep = pillow_heif.from_bytes(mode="RGB;16", size=image.size, data=values.tobytes())
    deep.save(buffer, quality=95, chroma=444)
    return buffer.getvalue()


def outcome(content: bytes, kind: str) -> int:
    """Decode in this process, as the process apart does; return how that ended."""
    status: int = worker.HEADER.unpack(worker.answer(content, {"kind": kind, **LIMITS})[0])[0]
    return status


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_every_depth_of_heic_is_read(bits: int, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    content = heic(smooth(0)) if bits == 8 else deep_heic(smooth(0), bits, monkeypatch)
    opened = pillow_heif.open_heif(content, convert_hdr_to_8bit=False)
    assert opened.info["bit_depth"] == bits
    assert difference(content, smooth(0), settings) <= 3


@pytest.mark.parametrize("orientation", STORED)
def test_a_heic_is_turned_once(orientation: int, settings: Settings) -> None:
    """Phones write the orientation twice: for the decoder, and as EXIF data, which are not to be followed."""
    method, exif = STORED[orientation], Image.Exif()
    stored = smooth(1) if method is None else smooth(1).transpose(method)
    exif[ORIENTATION] = orientation
    content = heic(stored, exif=exif.tobytes())
    assert any(struct.pack(f"{each}HHIH", ORIENTATION, 3, 1, orientation) in content for each in "<>")
    assert (b"irot" in content or b"imir" in content) == (orientation > 1)
    assert difference(content, smooth(1), settings) <= 3


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (smooth(2), {"thumbnails": [32]}),
        (smooth(3, (320, 200)), {"tile_size": 64}),
        (smooth(3, (300, 190)), {"tile_size": 64, "thumbnails": [64]}),
        (smooth(4, mode="L"), {}),
        (smooth(5, (65, 33)), {}),
    ],
    ids=["thumbnail", "grid", "grid that is cut to size, with a thumbnail", "grey", "odd sides"],
)
def test_a_heic_in_any_form_is_read(image: Image.Image, options: dict[str, Any], settings: Settings) -> None:
    assert difference(heic(image, **options), image, settings) <= 3


def test_a_transparent_heic_lies_on_white(settings: Settings) -> None:
    image = smooth(6)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    expected = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    assert difference(heic(image), expected, settings) <= 3


def test_a_large_heic_is_made_smaller_like_any_other(settings: Settings) -> None:
    image = smooth(7, (1300, 1100))
    assert difference(heic(image, quality=70, chroma=420), read_image(encode(image), settings), settings) <= 3


def test_a_real_one_is_the_reference(shared_data: Path, settings: Settings) -> None:
    path = shared_data / "reports" / "pictures" / "real.heic"
    assert difference(path.read_bytes(), pillow_heif.open_heif(path).to_pillow(), settings) <= 3


def test_what_a_heic_holds_beside_its_picture_is_hidden_from_the_decoder(settings: Settings) -> None:
    content = heic(smooth(8), exif=b"Exif\0\0II*\0" + bytes(60)) + struct.pack(">I4s", 24, b"moov") + bytes(16)
    narrow = narrow_heic(content)
    assert narrow is not None
    assert len(narrow) == len(content)
    assert [narrow.count(each) for each in (b"moov", b"Exif\0", b"none")] == [0, 1, 1]  # its data stay, without a name
    assert difference(content, smooth(8), settings) <= 3


def test_heif_files_that_are_coded_in_another_way_are_named(settings: Settings) -> None:
    with pytest.raises(NotAnImage, match="a HEIC picture of a rare kind"):
        read_image(heic(smooth(8)).replace(b"hvc1", b"unci"), settings)


@pytest.mark.parametrize("options", [{}, {"tile_size": 64}, {"thumbnails": [32]}])
def test_a_heic_that_is_cut_anywhere_is_refused(options: dict[str, Any]) -> None:
    content = heic(smooth(9, (100, 70)), quality=40, **options)
    assert outcome(narrow_heic(content) or b"", "HEIC") == worker.DONE
    for length in range(len(content)):
        assert outcome(narrow_heic(content[:length]) or b"", "HEIC") != worker.DONE, length


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_that_is_cut_anywhere_is_refused(compression: str | None) -> None:
    buffer = io.BytesIO()
    noise(10, (20, 16)).save(buffer, "TIFF", compression=compression)
    content = buffer.getvalue()
    assert outcome(content, "TIFF") == worker.DONE
    assert {outcome(content[:length], "TIFF") for length in range(len(content))} <= {worker.DAMAGED, worker.UNKNOWN}


@pytest.mark.parametrize("kind", [Kind.HEIC, Kind.TIFF])
def test_spoilt_bytes_end_with_a_picture_or_a_status(kind: Kind) -> None:
    draw = random.Random(17)
    seeds = [encode(noise(0, (24, 16)).convert(mode), "TIFF") for mode in ("RGB", "L", "P", "1")]
    if kind is Kind.HEIC:
        seeds = [heic(smooth(0)), heic(smooth(1), thumbnails=[32]), heic(smooth(2, (200, 140)), tile_size=64)]
    ends = {worker.DONE, worker.TOO_LARGE, worker.UNKNOWN, worker.DAMAGED}
    slowest = 0.0
    for _ in range(500):
        content = bytearray(draw.choice(seeds))
        for _ in range(draw.choice([1, 2, 8])):
            place = draw.randrange(draw.choice([len(content), 900]) % len(content) or 1)
            content[place : place + draw.choice([1, 4])] = draw.choice(
                [b"\0\0\0\0", b"\xff\xff\xff\xff", draw.randbytes(1)]
            )
        begin = time.perf_counter()
        assert outcome(narrow_heic(bytes(content)) or b"" if kind is Kind.HEIC else bytes(content), kind) in ends
        slowest = max(slowest, time.perf_counter() - begin)
    assert slowest < 5


def huge(content: bytes, size: tuple[int, int]) -> bytes:
    """Let a HEIC declare another size."""
    place = content.index(b"ispe") + 8
    return content[:place] + struct.pack(">II", *size) + content[place + 8 :]


def heic_of_items(number: int) -> bytes:
    """Return a HEIC with thousands of coded pictures, of which none is anywhere."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    items = b"".join(box(b"infe", struct.pack(">IHH4sB", 0x02000000, each, 0, b"hvc1", 0)) for each in range(1, number))
    parts = box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + box(b"pitm", struct.pack(">IH", 0, 1))
    parts += box(b"iinf", struct.pack(">IH", 0, number - 1) + items)
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"meta", bytes(4) + parts)


def tiff_of_entries(number: int, value: int) -> bytes:
    """Return a TIFF with a directory of many entries that all point to the same megabyte."""
    entries = b"".join(struct.pack("<HHLL", 300 + each, 1, value, 8) for each in range(number))
    size = [struct.pack("<HHLL", tag, 4, 1, 64) for tag in (256, 257)]
    return b"II*\0" + struct.pack("<LH", 8, number + 2) + b"".join(size) + entries + bytes(1_000_000)


HOSTILE = {
    "HEIC of 100,000 x 100,000": lambda: huge(heic(smooth(0)), (100_000, 100_000)),
    "HEIC of 2^32 - 1": lambda: huge(heic(smooth(0)), (2**32 - 1, 2**32 - 1)),
    "grid of 100,000 x 100,000": lambda: huge(heic(smooth(0, (200, 140)), tile_size=64), (100_000, 100_000)),
    "HEIC of 60,000 items": lambda: heic_of_items(60_000),
    "TIFF of 4,000 entries with the same bytes": lambda: tiff_of_entries(4_000, 900_000),
    "TIFF with an entry of 2^31 bytes": lambda: tiff_of_entries(10, 2**31),
    "TIFF of 100,000 x 100,000": lambda: tiff(np.zeros((2, 2, 3), np.uint16), tags={256: 100_000, 257: 100_000}),
    "TIFF of a compression that is not known": lambda: tiff(np.zeros((2, 2, 3), np.uint16), tags={259: 34_712}),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_is_hostile_gets_a_sentence_within_the_bounds(make: Callable[[], bytes]) -> None:
    told = subprocess.run([sys.executable, "-c", MEASURED], input=make(), capture_output=True, cwd=PROJECT, check=True)
    sentence, seconds, kilobytes = told.stdout.decode().splitlines()
    assert sentence.startswith('"attack" ')
    assert float(seconds) < 20
    assert float(kilobytes) < 1_000 * MEGABYTES_APART


def test_the_limits_hold_for_what_is_decoded_apart() -> None:
    tight = Settings(max_image_pixels=599)
    for content in (heic(smooth(0, (30, 20))), encode(smooth(0, (30, 20)), "TIFF")):
        with pytest.raises(ImageTooLarge, match="30 x 20"):
            read_image(content, tight)
        assert read_image(content, replace(tight, max_image_pixels=600)).size == (30, 20)


@pytest.mark.parametrize(("name", "value"), [("_MAX_BYTES", 10_000_000), ("_MAX_S", 0)])
def test_a_process_that_is_ended_has_found_the_picture_damaged(
    name: str, value: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, name, value)
    with pytest.raises(ImageDamaged):
        read_image(encode(smooth(0, (2400, 2000)), "TIFF"), settings)


def test_without_the_package_a_heic_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    answer = b"".join(worker.answer(b"", {"kind": "HEIC", **LIMITS}))
    monkeypatch.setattr(apart, "_ask", lambda *_: answer)
    with pytest.raises(NotAnImage, match="no decoder for those") as refused:
        decode_apart(heic(smooth(0)), Kind.HEIC, settings, name="a.heic")
    assert isinstance(refused.value.what, IsUndecoded)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_tiffs_in_every_mode_are_read(mode: str, compression: str | None, settings: Settings) -> None:
    image, buffer = smooth(11).convert(mode), io.BytesIO()
    image.save(buffer, "TIFF", compression=compression)
    assert difference(buffer.getvalue(), image, settings) <= 3


@pytest.mark.parametrize("orientation", STORED)
def test_a_tiff_is_turned_once(orientation: int, settings: Settings) -> None:
    method, buffer = STORED[orientation], io.BytesIO()
    stored = four_corners() if method is None else four_corners().transpose(method)
    stored.save(buffer, "TIFF", tiffinfo={ORIENTATION: orientation})
    assert difference(buffer.getvalue(), four_corners(), settings) == 0


def test_the_first_page_of_a_tiff_is_read(settings: Settings) -> None:
    buffer = io.BytesIO()
    smooth(12).save(buffer, "TIFF", save_all=True, append_images=[noise(each) for each in range(20)])
    assert difference(buffer.getvalue(), smooth(12), settings) == 0


@pytest.mark.parametrize("order", ["<", ">"])
def test_twelve_bits_of_colour_in_a_tiff_are_stretched(order: Literal["<", ">"], settings: Settings) -> None:
    values = np.asarray(smooth(13)).astype(np.uint16)
    full, dark = tiff(values * 257, order), tiff(values * 16, order)
    assert (decode_image(full, settings).notes, decode_image(dark, settings).notes) == ((), (Note.STRETCHED,))
    assert difference(full, smooth(13), settings) <= 1
    assert difference(dark, smooth(13), settings) <= 1


@pytest.mark.parametrize(
    ("values", "notes"),
    [
        (np.linspace(0, 1, 600), ()),
        (np.linspace(0, 255, 600), ()),
        (np.linspace(-1e4, 3e6, 600), (Note.STRETCHED,)),
        (np.full(600, np.nan), (Note.BLACK,)),
    ],
    ids=["to 1", "to 255", "beyond", "no numbers"],
)
def test_real_numbers_in_a_tiff_are_shown(values: Any, notes: tuple[Note, ...], settings: Settings) -> None:
    decoded = decode_image(encode(Image.fromarray(values.reshape(20, 30).astype(np.float32)), "TIFF"), settings)
    assert decoded.notes == notes
    expected = np.zeros(600) if Note.BLACK in notes else np.linspace(0, 255, 600)
    assert np.abs(np.asarray(decoded.image)[..., 0].ravel() - expected).max() <= 1


def test_a_rare_kind_of_tiff_is_named(settings: Settings) -> None:
    with pytest.raises(NotAnImage) as refused:
        read_image(tiff(np.zeros((2, 2, 3), np.uint16), tags={259: 34_712}), settings)
    assert isinstance(refused.value.what, IsOddKind)
