"""What the browser makes of files before it sends them: smaller pictures that show the same, zips that say the same."""

import base64
import io
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.data.errors import ImageError
from demo.data.images import read_image
from demo.settings import MEGABYTE, Settings
from demo.ui.server.scripts import shrinker_script
from tests.pictures import encode, noise

# The script of the worker works in a page too, where a browser has no canvas for a worker.
MAKE_READY = """async ([encoded, isArchive, limits]) => {
  const read = async (each) => (await fetch(`data:application/octet-stream;base64,${each}`)).blob();
  const files = await Promise.all(encoded.map(read));
  const ready = await demo.makeReady({files, isArchive, limits}, () => null);
  const encode = (blob) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
    reader.readAsDataURL(blob);
  });
  return await Promise.all(ready.map((each, number) => each === files[number] ? null : encode(each)));
}"""
SMALL = 1_000  # bytes of a limit under which every picture has to be drawn anew


pytestmark = [pytest.mark.slow, pytest.mark.ways]


@dataclass(frozen=True)
class Limits:
    """What the script is told; named as there."""

    archiveBytes: int = 30 * MEGABYTE  # noqa: N815
    requestBytes: int = 64 * MEGABYTE  # noqa: N815
    pictures: int = 500
    entries: int = 2_000
    pixels: int = 50_000_000
    sidePx: int = 20_000  # noqa: N815
    lightBytes: int = 200_000  # noqa: N815
    inflatedBytes: int = 64 * MEGABYTE  # noqa: N815


class Browser:
    """A page that makes files ready."""

    def __init__(self, page: Any) -> None:
        self._page = page
        page.set_content("<!doctype html>")
        page.add_script_tag(content=f"window.demo = {{}}; {shrinker_script()}")

    def make_ready(self, *files: bytes, is_archive: bool = False, limits: Limits = Limits()) -> list[bytes | None]:
        """Return what is sent of each file; None where it is sent as it is."""
        encoded = [base64.b64encode(each).decode() for each in files]
        ready = self._page.evaluate(MAKE_READY, [encoded, is_archive, asdict(limits)])
        return [None if each is None else base64.b64decode(each) for each in ready]

    def zip(self, content: bytes, limits: Limits = Limits()) -> bytes | None:
        return self.make_ready(content, is_archive=True, limits=limits)[0]


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Iterator[Browser]:
    page = chromium.new_page()
    yield Browser(page)
    page.close()


def scene(size: tuple[int, int] = (1200, 900)) -> Image.Image:
    """Return a picture on which one can see where it was turned, with enough detail to be heavy."""
    rough = np.asarray(noise(1, (32, 24)).resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    fine = np.asarray(noise(2, size)).astype(np.int16)
    return Image.fromarray(np.clip(rough + fine // 4 - 32, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, orientation: int = 0, quality: int = 92) -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    image.save(buffer, "JPEG", quality=quality, **({"exif": exif} if orientation else {}))
    return buffer.getvalue()


def as_16_bits() -> bytes:
    """Return a PNG of 12 bits in 16, as microscopes write it."""
    return encode(Image.fromarray(np.random.default_rng(3).integers(0, 4096, (800, 900), dtype=np.uint16)))


def see_through() -> Image.Image:
    image = scene().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def with_frames(image_format: str) -> bytes:
    buffer = io.BytesIO()
    scene().save(buffer, image_format, save_all=True, append_images=[Image.new("RGB", (1200, 900), "red")])
    return buffer.getvalue()


def differs_by(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures when seen from afar, of 255."""
    first, second = (np.asarray(each.resize((64, 64), Image.Resampling.BOX), dtype=float) for each in (one, other))
    return float(np.abs(first - second).mean())


HEAVY = jpeg(scene())
SMALLER: Mapping[str, bytes] = {
    **{f"EXIF {number}": jpeg(scene(), number) for number in range(1, 9)},
    "PNG": encode(scene()),
    "PNG that is seen through": encode(see_through()),
    "WebP": encode(scene(), "WEBP"),
    "GIF with frames": with_frames("GIF"),
    "BMP": encode(scene(), "BMP"),
    "AVIF": encode(noise(7, (1200, 900)), "AVIF"),
    "CMYK": jpeg(scene().convert("CMYK")),
    "grey": jpeg(scene().convert("L")),
    "heavy though not large": encode(scene((700, 500))),
    "narrow": jpeg(scene((6000, 1500)).crop((0, 600, 6000, 900))),
}
AS_THEY_ARE: Mapping[str, bytes] = {
    "light": jpeg(scene((400, 300))),
    "12 of 16 bits": as_16_bits(),
    "cut JPEG": HEAVY[: len(HEAVY) * 2 // 3],
    "cut PNG": encode(scene())[:-60_000],
    "animated PNG": with_frames("PNG"),
    "BMP of 32 bits": encode(see_through(), "BMP"),
    "TIFF": encode(scene(), "TIFF"),
    "nothing": b"",
    "zeros": bytes(400_000),
    "text": b"label,file\n" * 50_000,
    "turned by XMP alone": HEAVY[:2]
    + b"\xff\xe1"
    + struct.pack(">H", 40)
    + b'<tiff:Orientation="6">'.ljust(38)
    + HEAVY[2:],
    "more pixels than are read": encode(Image.new("L", (20_000, 3_000))) + bytes(300_000),
}


@pytest.mark.parametrize("name", SMALLER)
def test_a_heavy_picture_becomes_light_and_the_server_sees_the_same(browser: Browser, name: str) -> None:
    content = SMALLER[name]
    (smaller,) = browser.make_ready(content)
    assert smaller is not None
    assert len(smaller) < min(200_000, len(content))
    before, after = (read_image(each, Settings()) for each in (content, smaller))
    assert before.size == after.size
    assert differs_by(before, after) < 2
    with Image.open(io.BytesIO(smaller)) as image:
        assert max(image.size) <= 1024
        assert (image.mode == "RGBA") == (name == "PNG that is seen through")


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_what_is_light_odd_or_broken_is_sent_bit_for_bit(browser: Browser, name: str) -> None:
    assert browser.make_ready(AS_THEY_ARE[name]) == [None]


def test_a_browser_that_paints_noise_over_what_is_read_sends_what_it_was_given(chromium: Any) -> None:
    page = chromium.new_page()
    browser = Browser(page)
    page.evaluate("""() => {
      const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
      OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...place) {
        const pixels = read.apply(this, place);
        crypto.getRandomValues(pixels.data.subarray(0, 1024));
        return pixels;
      };
    }""")
    assert browser.make_ready(HEAVY) == [None]
    page.close()


def make_zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def raw_names(content: bytes) -> list[tuple[bytes, int, bytes]]:
    """Return the names' bytes, the flag that says UTF-8, and the extra fields but for zip64's, of all entries."""
    end = content.rfind(b"PK\5\6")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        at, names = archive.start_dir, []
    while at < end and content[at : at + 4] == b"PK\1\2":
        name, extra, note = struct.unpack_from("<3H", content, at + 28)
        field = content[at + 46 + name : at + 46 + name + extra]
        kept, place = b"", 0
        while place + 4 <= len(field):
            kind, size = struct.unpack_from("<2H", field, place)
            kept += field[place : place + 4 + size] if kind != 1 else b""
            place += 4 + size
        names.append((content[at + 46 : at + 46 + name], struct.unpack_from("<H", content, at + 8)[0] & 0x800, kept))
        at += 46 + name + extra + note
    return names


def is_picture(content: bytes) -> bool:
    try:
        read_image(content, Settings())
    except Exception:
        return False
    return True


def check_same(before: bytes, after: bytes) -> int:
    """Check that a zip that was written anew says the same; return how many of its pictures are others."""
    assert raw_names(after) == raw_names(before)
    num_drawn = 0
    with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
        assert new.testzip() is None
        for was, now in zip(old.infolist(), new.infolist(), strict=True):
            assert (was.date_time, was.external_attr, was.create_system) == (
                now.date_time,
                now.external_attr,
                now.create_system,
            )
            if was.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                assert was.compress_type == now.compress_type
                continue
            content, ours = old.read(was), new.read(now)
            if content != ours:
                num_drawn += 1
                assert is_picture(content)
                assert differs_by(read_image(content, Settings()), read_image(ours, Settings())) < 4
    return num_drawn


def test_a_zip_keeps_all_but_the_weight_of_its_pictures(browser: Browser) -> None:
    files = {
        "train/cat/1.jpg": HEAVY,
        "train/cat/IMG_2.HEIC": HEAVY,  # phones do that
        "train/cat/no suffix": HEAVY,
        "val/猫/3.png": encode(see_through()),
        "light.jpg": AS_THEY_ARE["light"],
        "cut.jpg": AS_THEY_ARE["cut JPEG"],
        "labels.csv": b"file,label\n" * 30_000,
        "empty/": b"",
        "a/b/notes.json": b"{}",
    }
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        before = make_zip(files, method)
        after = browser.zip(before)
        assert after is not None
        assert check_same(before, after) == 4
        assert len(after) < 1_500_000 + len(AS_THEY_ARE["cut JPEG"])


def test_a_zip_that_fits_and_is_light_is_sent_bit_for_bit(browser: Browser) -> None:
    light = make_zip({f"{name}/{number}.jpg": AS_THEY_ARE["light"] for name in "ab" for number in range(20)})
    assert browser.zip(light) is None
    limit = len(light) // 2
    smaller = browser.zip(light, Limits(archiveBytes=limit))  # one that does not fit is made to
    assert smaller is not None
    assert check_same(light, smaller) == 40
    assert len(smaller) <= limit


def test_zips_in_a_zip_are_made_smaller_and_of_videos_the_beginning_is_sent(browser: Browser) -> None:
    video = b"\0\0\0\x18ftypqt  " + np.random.default_rng(4).bytes(900_000)
    cats, dogs = make_zip({"1.jpg": HEAVY}), make_zip({"2.jpg": HEAVY})
    before = make_zip({"cat.zip": cats, "dog.zip": dogs, "IMG_1.MOV": video})
    after = browser.zip(before)
    assert after is not None
    with zipfile.ZipFile(io.BytesIO(after)) as archive:
        assert archive.namelist() == ["cat.zip", "dog.zip", "IMG_1.MOV"]
        assert archive.read("IMG_1.MOV") == video[:64_000]
        assert check_same(cats, archive.read("cat.zip")) == 1


def drawn(browser: Browser, sizes: Mapping[str, int], limits: Limits = Limits()) -> tuple[Counter[str], bytes]:
    """Return how many pictures of each folder are sent, and the zip's comment."""
    pixel = encode(Image.new("RGB", (8, 8)))
    files = {f"{folder}/{number:05}.png": pixel for folder, size in sizes.items() for number in range(size)}
    before = make_zip({**files, "labels.csv": b"file,label", **{f"{folder}/": b"" for folder in sizes}})
    after = browser.zip(before, limits)
    assert after == browser.zip(before, limits)  # always the same ones
    assert after is not None
    with zipfile.ZipFile(io.BytesIO(after)) as archive:
        assert "labels.csv" in archive.namelist()
        folders = Counter(name.rpartition("/")[0] for name in archive.namelist() if name.endswith(".png"))
        return folders, archive.comment


def test_of_more_pictures_than_are_used_as_many_of_each_class_are_sent(browser: Browser) -> None:
    assert drawn(browser, {"a": 251, "b": 251}) == ({"a": 250, "b": 250}, b"drawn 500 of 502")
    folders, comment = drawn(browser, {"rare": 30, "cat": 900, "dog": 2_000})
    assert folders == {"rare": 30, "cat": 235, "dog": 235}
    assert comment == b"drawn 500 of 2930"


def test_a_class_keeps_the_shares_of_its_splits(browser: Browser) -> None:
    folders, comment = drawn(browser, {"train/Cat": 1_600, "val/cat ": 400, "train/dog": 2_400, "val/dog": 600})
    assert folders == {"train/Cat": 200, "val/cat ": 50, "train/dog": 200, "val/dog": 50}
    assert comment == b"drawn 500 of 5000"


def test_several_zips_are_one_set(browser: Browser) -> None:
    pixel = encode(Image.new("RGB", (8, 8)))
    parts = [make_zip({f"set/{name}/{number}.png": pixel for number in range(400)}) for name in ("cat", "dog")]
    ready = browser.make_ready(*parts, is_archive=True)
    for each in ready:
        assert each is not None
        with zipfile.ZipFile(io.BytesIO(each)) as archive:
            assert archive.comment == b"drawn 250 of 400"
            assert len(archive.namelist()) == 250


def test_no_zip_of_people_or_of_attackers_says_something_else_afterwards(browser: Browser, shared_data: Path) -> None:
    num_others = 0
    for path in sorted([*shared_data.glob("reports/*.zip"), *shared_data.glob("bad_inputs/zips/*/*.zip")]):
        before = path.read_bytes()
        after = browser.zip(before, Limits(pictures=3, entries=6))
        if after is None:
            continue
        num_others += 1
        assert set(raw_names(after)) <= set(raw_names(before)), path.name
        with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
            assert re.fullmatch(rb"drawn 3 of \d+", new.comment)
            assert len(new.infolist()) <= 6
            contents = {(each.orig_filename, each.CRC) for each in old.infolist()}
            assert {(each.orig_filename, each.CRC) for each in new.infolist()} <= contents
            assert path.parent.name != "reports" or new.testzip() is None
    assert num_others > 40


def alike(one: Image.Image, other: Image.Image) -> float:
    """Return the correlation of two pictures in grey: browsers follow colour profiles, the server does not."""
    first, second = (np.asarray(each.convert("L").resize((32, 32)), dtype=float).ravel() for each in (one, other))
    return float(np.corrcoef(first, second)[0, 1]) if first.std() > 4 else 1.0


def test_no_picture_of_people_or_of_attackers_shows_something_else_afterwards(
    browser: Browser, shared_data: Path
) -> None:
    paths = [*shared_data.glob("reports/pictures/*"), *shared_data.glob("bad_inputs/images/*/*")]
    num_others, wrong = 0, []
    for path in sorted(paths):
        before = path.read_bytes()
        (after,) = browser.make_ready(before, limits=replace(Limits(), requestBytes=SMALL))
        if after is None:
            continue
        num_others += 1
        with suppress(ImageError):  # where only the browser can read it, it is a picture now
            likeness = alike(read_image(before, Settings()), read_image(after, Settings()))
            wrong += [(path.name, likeness)] if likeness < 0.8 else []
    assert num_others > 100
    assert wrong == []
