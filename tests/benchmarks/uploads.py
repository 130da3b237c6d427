"""A phone's photographs and large zips from the browser, on a public page and a school's Wi-Fi of 10 Mbit/s.

python3 -m tests.benchmarks uploads
"""

import io
import re
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.benchmarks.page import browsing
from tests.benchmarks.throughput import serving
from tests.pictures import write_zip

WIFI = {"offline": False, "latency": 20, "downloadThroughput": 1_250_000, "uploadThroughput": 1_250_000}  # 10 Mbit/s
NUM_PHOTOS = 60
NUM_SCENES = 4  # photographs that differ; the rest are these again, with another comment
PATIENCE_MS = 300_000
SMALL_SETS = (502, 2_000, 5_000)
TRAINED = re.compile(r"(\d+) of (\d+) right")

# The longest time without a frame, and from a click to what it does, since this was run.
WATCH = """() => {
  window.longest = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    requestAnimationFrame(look);
  };
  look();
}"""

Rows = list[tuple[str, str, str]]


def photograph(seed: int, *, orientation: int = 1, size: tuple[int, int] = (4032, 3024)) -> bytes:
    """Return a JPEG like a phone's: 12 megapixels, 3 MB, detail at all scales, turned by its EXIF data."""
    random = np.random.default_rng(seed)
    pixels = np.full((size[1], size[0], 3), 128, np.float32)
    for width, contrast in ((8, 90), (32, 50), (256, 25), (1024, 12)):
        rough = random.normal(0, contrast, (3, width * size[1] // size[0] + 1, width)).astype(np.float32)
        for channel in range(3):
            pixels[..., channel] += np.asarray(Image.fromarray(rough[channel]).resize(size, Image.Resampling.BICUBIC))
    pixels += random.normal(0, 4, (size[1], size[0], 1)).astype(np.float32)  # the noise of a sensor
    image, exif, buffer = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    image.save(buffer, "JPEG", quality=88, exif=exif)
    return buffer.getvalue()


def write_photographs(folder: Path, count: int, *, scenes: int = NUM_SCENES) -> list[Path]:
    """Write so many photographs, of which no two have the same bytes."""
    made = [photograph(seed, orientation=(1, 6, 3, 8)[seed % 4]) for seed in range(scenes)]
    paths = [folder / f"IMG_{number:04}.JPG" for number in range(count)]
    for number, path in enumerate(paths):
        content = made[number % scenes]
        path.write_bytes(content[:-2] + b"\xff\xfe\0\6%04d" % number + content[-2:])  # a comment of JPEG
    return paths


def enlarge(source: Path, path: Path, *, scale: int = 2, most: int = 10_000) -> Path:
    """Write a zip with its pictures enlarged, at most so many of each folder: the tutorial's own is as heavy."""
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            folder = name.rpartition("/")[0]
            if name.endswith(".jpg") and sum(each.rpartition("/")[0] == folder for each in files) < most:
                with Image.open(archive.open(name)) as image:
                    large = image.convert("RGB").resize((scale * image.width, scale * image.height))
                buffer = io.BytesIO()
                large.save(buffer, "JPEG", quality=97)
                files[name] = buffer.getvalue()
    return write_zip(path, files)


class Sent:
    """What a page has sent as uploads since this was made."""

    def __init__(self, page: Any) -> None:
        self._requests: list[Any] = []
        page.on("request", lambda each: self._requests.append(each) if "/upload?" in each.url else None)

    def megabytes(self) -> float:
        return sum(map(self._bytes, self._requests)) / 1e6

    def _bytes(self, request: Any) -> float:
        """Return a body's bytes: the browser's header tells them, but not where requests are routed."""
        return max(float(request.all_headers().get("content-length", 0)), float(request.sizes()["requestBodySize"]))


@contextmanager
def opened(browser: Any, url: str) -> Iterator[Any]:
    """Open tab 2 in a browser of its own, behind a school's Wi-Fi."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    page.wait_for_function("!document.documentElement.classList.contains('first')")
    page.wait_for_function("sessionStorage.getItem('demo-token')")
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", WIFI)
    page.click("#finetune-tab-button")
    yield page
    context.close()


def make_class(page: Any, name: str) -> None:
    """Make a class on the page."""
    page.click("#classes-tab-button")
    page.fill("#new-class :is(input, textarea)", name)
    page.click("#add-class")
    page.locator("#switches", has_text=name).wait_for()


def photographs(_data: Path) -> Rows:
    """Add sixty photographs of a phone to a class."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("tests.benchmarks.page", "demo", DEMO_PUBLIC="1") as (url, _),
        browsing() as browser,
        opened(browser, url) as page,
    ):
        paths, sent = write_photographs(Path(folder), NUM_PHOTOS), Sent(page)
        megabytes = sum(path.stat().st_size for path in paths) / 1e6
        make_class(page, "phone")
        page.evaluate(WATCH)
        start = time.perf_counter()
        page.set_input_files("#class-pictures input[type=file]", paths)
        page.locator("#report", has_text=f"phone ({NUM_PHOTOS})").wait_for()
        took = time.perf_counter() - start
        what = f"{NUM_PHOTOS} photographs of {megabytes:.0f} MB"
        return [
            (
                f"{what}: go through",
                "yes",
                f"yes, in {took:.0f} s (as they are: {megabytes * 8 / 10:.0f} s and refused)",
            ),
            (f"{what}: bytes sent", "under 12 MB", f"{sent.megabytes():.1f} MB"),
            (f"{what}: longest time without a frame", "-", f"{page.evaluate('longest'):.0f} ms"),
        ]


def tutorial(data: Path) -> Rows:
    """Train on the tutorial's zip as heavy as it is: made smaller for a public page, and whole where it fits."""
    shared, rows, right = data / "hymenoptera.zip", Rows(), list[int]()
    with tempfile.TemporaryDirectory() as folder:
        large = enlarge(shared, Path(folder, "large.zip"))
        for path, public in ((large, "1"), (large, "0"), (shared, "1")):
            with (
                serving("tests.benchmarks.page", "demo", DEMO_PUBLIC=public) as (url, _),
                browsing() as browser,
                opened(browser, url) as page,
            ):
                if public == "0":
                    page.evaluate("demo.limits.lightBytes = Infinity")
                num_right, said = _train(page, path)
            right.append(num_right)
            where = "a public page" if public == "1" else "the larger limits"
            rows.append((f"tutorial's zip of {path.stat().st_size / 1e6:.0f} MB, {where}", "trains", said))
    differences = f"{right[0] - right[1]:+d}, beside the shared one {right[0] - right[2]:+d}"
    return [*rows, ("tutorial's zip: made smaller beside whole", "within 1 picture", differences)]


def _train(page: Any, path: Path) -> tuple[int, str]:
    """Bring a zip and train on it; return how many validation pictures are right, and what there is to say."""
    sent = Sent(page)
    page.click("#zip-tab-button")
    page.evaluate(WATCH)
    page.set_input_files("#archive input[type=file]", path)
    page.locator("#report", has_text="bees (").wait_for()
    still = page.evaluate("longest")
    page.click("#step-train-button")
    page.click("#train")
    page.locator(".status.trained").wait_for()
    page.locator("#strip", has_text=TRAINED).wait_for()
    found = TRAINED.search(page.inner_text("#strip"))
    assert found
    return int(found[1]), f"{found[0]}, {sent.megabytes():.1f} MB sent, {still:.0f} ms without a frame"


def many(_data: Path) -> Rows:
    """Bring zips with more pictures than are used."""
    rows = Rows()
    with serving("tests.benchmarks.page", "demo", DEMO_PUBLIC="1") as (url, _), browsing() as browser:
        for count in SMALL_SETS:
            with tempfile.TemporaryDirectory() as folder, opened(browser, url) as page:
                path, sent = write_many(Path(folder, "many.zip"), count), Sent(page)
                page.click("#zip-tab-button")
                page.evaluate(WATCH)
                start = time.perf_counter()
                page.set_input_files("#archive input[type=file]", path)
                page.locator("#report", has_text="b (250)").wait_for()
                took, still = time.perf_counter() - start, page.evaluate("longest")
                said = f"500 in {took:.1f} s, {sent.megabytes():.1f} MB sent, {still:.0f} ms without a frame"
                rows.append((f"zip of {count:,} pictures", "drawn down to 500", said))
    return rows


def write_many(path: Path, count: int) -> Path:
    """Write a zip of two classes with so many small pictures that differ."""
    random = np.random.default_rng(0)
    files: dict[str, bytes] = {}
    for number in range(count):
        buffer = io.BytesIO()
        Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(buffer, "JPEG")
        files[f"{'ab'[number % 2]}/{number:05}.jpg"] = buffer.getvalue()
    return write_zip(path, files)


BENCHMARKS = (photographs, tutorial, many)
