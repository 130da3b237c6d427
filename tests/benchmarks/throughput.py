"""Sixteen visitors of `/predict` at once, against the plainest gradio app for the same network.

    python3 -m tests.benchmarks.throughput plain resnet50 7861

is one such app, and `demo` in the place of `plain` is the demo's own page; the benchmark starts both.
"""

import hashlib
import http.client
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
import torch
from PIL import Image, ImageOps

from demo.data.samples import EXAMPLES
from demo.models.weights import has_weights
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec
from demo.settings import MEGABYTE, Settings
from tests.conftest import PROJECT
from tests.opened import free_port
from tests.pictures import encode

NUM_VISITORS = 16
PHOTOS = {"picture from the web, 1000 x 750": (1000, 750), "phone's photograph, 4000 x 3000": (4000, 3000)}
PHONE_MEGABYTES = 3, 5  # of a file of the latter
REQUESTS_EACH = 4  # of each visitor in one round


class Comparison(NamedTuple):
    """A network and a precision of the demo, and what is promised of the plain app's for each of the photographs.

    `times` is how many times the throughput at least, `part` which part of one visitor's latency at most.
    """

    backbone: str
    precision: str
    times: tuple[float, float]
    part: tuple[float, float]


COMPARISONS = (
    Comparison(EMBEDDED, "float32", (2.5, 4.0), (0.65, 0.35)),
    Comparison("resnet50", "float32", (1.9, 2.5), (0.7, 0.5)),
    Comparison("resnet50", "bfloat16", (3.0, 4.0), (0.7, 0.5)),
)


@dataclass(frozen=True)
class RandomWeights:
    """In the place of torchvision's weights enum, where its file cannot be had: seeded random numbers."""

    url: str


class Visitor:
    """A program that uploads a photograph and asks `/predict` about it, one request after the other."""

    def __init__(self, url: str, *options: Any) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=300)
        self._options = options

    def ask(self, photo: bytes) -> float:
        """Return the seconds from the first byte of the upload to the answer."""
        self._connection.close()  # the server ends those that rest; the next request opens it again
        start = time.perf_counter()
        boundary = b"--photo\r\n"
        disposition = b'Content-Disposition: form-data; name="files"; filename="photo.jpg"\r\n\r\n'
        form = boundary + disposition + photo + b"\r\n--photo--\r\n"
        (path,) = json.loads(self._send("/upload", form, "multipart/form-data; boundary=photo"))
        image = {"path": path, "orig_name": "photo.jpg", "meta": {"_type": "gradio.FileData"}}
        data = json.dumps({"data": [image, *self._options]}).encode()
        event_id = json.loads(self._send("/call/predict", data, "application/json"))["event_id"]
        answer = self._send(f"/call/predict/{event_id}")
        assert b"event: complete" in answer, answer
        return time.perf_counter() - start

    def _send(self, path: str, body: bytes | None = None, content_type: str = "") -> bytes:
        headers = {"Content-Type": content_type} if body else {}
        self._connection.request("POST" if body else "GET", f"/gradio_api{path}", body, headers)
        with self._connection.getresponse() as response:
            content = response.read()
        assert response.status == 200, content
        return content


def throughput(rounds: int = 5) -> list[tuple[str, str, str]]:
    """Let the same visitors ask the demo and the plain app in turn."""
    return [row for comparison in COMPARISONS for row in _compare(comparison, rounds)]


def _compare(comparison: Comparison, rounds: int) -> list[tuple[str, str, str]]:
    spec = ZOO[comparison.backbone]
    rows = []
    with ExitStack() as stack:
        home = stack.enter_context(random_weights(spec))
        urls = [stack.enter_context(_serving(kind, comparison, home)) for kind in ("plain", "demo")]
        plain, demo = (
            [Visitor(url, *options) for _ in range(NUM_VISITORS)]
            for url, options in zip(urls, ((), ("", 5)), strict=True)
        )
        for place, (what, size) in enumerate(PHOTOS.items()):
            photos = draw_photos(size)
            for visitors in (plain, demo):
                _crowd(visitors, photos, 1)
            crowds = [[_crowd(visitors, photos, REQUESTS_EACH) for visitors in (plain, demo)] for _ in range(rounds)]
            alone = [[visitors[0].ask(photo) for visitors in (plain, demo)] for photo in photos * rounds]
            what = f"{spec.display_name}, {comparison.precision}, a {what}"
            rows += _rows(what, comparison.times[place], comparison.part[place], crowds, alone)
    return rows


def _rows(
    what: str, promised_times: float, promised_part: float, crowds: list[list[float]], alone: list[list[float]]
) -> list[tuple[str, str, str]]:
    times = statistics.median(demo / plain for plain, demo in crowds)
    plain_rate, demo_rate = (statistics.median(side) for side in zip(*crowds, strict=True))
    plain_s, demo_s = (statistics.median(side) for side in zip(*alone, strict=True))
    return [
        (
            f"{what}: throughput of {NUM_VISITORS} visitors to the plain app's",
            f"{promised_times} times",
            f"{times:.2f} times ({demo_rate:.1f} to {plain_rate:.1f} a second)",
        ),
        (
            f"{what}: latency of one visitor to the plain app's",
            f"{promised_part} times",
            f"{demo_s / plain_s:.2f} times ({1000 * demo_s:.0f} to {1000 * plain_s:.0f} ms)",
        ),
    ]


def _crowd(visitors: list[Visitor], photos: list[bytes], requests_each: int) -> float:
    """Let all visitors ask at once, each again as soon as it has its answer; return answers in a second."""
    with ThreadPoolExecutor(len(visitors)) as pool:
        start = time.perf_counter()
        list(pool.map(lambda visitor: [visitor.ask(photos[i % len(photos)]) for i in range(requests_each)], visitors))
        return len(visitors) * requests_each / (time.perf_counter() - start)


def draw_photos(size: tuple[int, int]) -> list[bytes]:
    """Return the example pictures as JPEG files of a size; those of a phone's size have the noise of its sensor."""
    photos = []
    for example in EXAMPLES:
        with Image.open(example.path) as picture:
            fitted = ImageOps.fit(picture.convert("RGB"), size)
        photos.append(_as_phone(fitted) if size == (4000, 3000) else encode(fitted, "JPEG"))
    return photos


def _as_phone(picture: Image.Image) -> bytes:
    """Return a picture as a phone's file, of so many megabytes: what was enlarged has no detail that takes bytes."""
    pixels, generator = np.asarray(picture, dtype=np.float32), np.random.default_rng(0)
    grain = generator.normal(size=(*pixels.shape[:2], 1)).astype(np.float32)
    for strength in np.arange(1.0, 20.0, 1.0):
        noisy = Image.fromarray((pixels + strength * grain).clip(0, 255).astype(np.uint8))
        content = encode(noisy, "JPEG")
        if len(content) / MEGABYTE > sum(PHONE_MEGABYTES) / 2:
            break
    low, high = PHONE_MEGABYTES
    assert low <= len(content) / MEGABYTE <= high, f"a phone's photograph of {len(content):,} bytes"
    return content


@contextmanager
def random_weights(spec: BackboneSpec) -> Iterator[Path | None]:
    """Where a network's file cannot be had, yield a home for torch with one of random numbers; else None."""
    if has_weights(spec):
        yield None
        return
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "hub", "checkpoints")
        folder.mkdir(parents=True)
        torch.manual_seed(0)
        buffer = io.BytesIO()
        torch.save(spec.build().state_dict(), buffer)
        digits = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
        (folder / f"{spec.name}-{digits}.pth").write_bytes(buffer.getvalue())
        yield Path(home)


@contextmanager
def _serving(kind: str, comparison: Comparison, home: Path | None) -> Iterator[str]:
    """Run one of the two apps; yield its address once it answers."""
    environment = {"DEMO_PRECISION": comparison.precision}
    if home is not None:
        environment["TORCH_HOME"] = str(home)
    with serving("tests.benchmarks.throughput", kind, comparison.backbone, **environment) as (url, _):
        yield url


@contextmanager
def serving(module: str, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a module, told a free port last, in a process of its own; yield its address once it answers, and it."""
    port = free_port()
    environment = {**os.environ, **environment, "GRADIO_ANALYTICS_ENABLED": "False"}
    command = [sys.executable, "-m", module, *arguments, str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None and not _listens(port):
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def serve(kind: str, backbone: str, port: int) -> None:
    """Serve one of the two apps until the process ends."""
    for checkpoint in Path(torch.hub.get_dir(), "checkpoints").glob(f"{backbone}-*.pth"):
        if not has_weights(ZOO[backbone]):
            weights: Any = RandomWeights(f"https://example.org/{checkpoint.name}")
            ZOO[backbone] = replace(ZOO[backbone], weights=weights)
    (serve_plain if kind == "plain" else serve_demo)(ZOO[backbone], port)


def serve_plain(spec: BackboneSpec, port: int) -> None:
    """Serve the plainest app for a network: as a tutorial writes it."""

    network, transforms = load_plain(spec), spec.build_transforms()

    def classify(picture: Image.Image) -> dict[str, float]:
        with torch.inference_mode():
            probabilities = torch.softmax(network(transforms(picture)[None])[0], dim=0)
        return dict(zip(spec.class_names, probabilities.tolist(), strict=True))

    app = gr.Interface(classify, gr.Image(type="pil"), gr.Label(num_top_classes=5), api_name="predict")
    app.launch(server_port=port)


def load_plain(spec: BackboneSpec) -> torch.nn.Module:
    """Return the network as its library builds it, with the same weights."""
    from demo.models.weights import load_weights

    network = spec.build()
    tensors = load_weights(spec).values()
    network.load_state_dict(dict(zip(network.state_dict(), tensors, strict=True)))
    return network.eval()


def serve_demo(spec: BackboneSpec, port: int) -> None:
    """Serve the demo's page."""
    from demo.ui.page import build_page
    from demo.ui.server.launch import launch
    from demo.visitors.rooms import Rooms

    rooms = Rooms.of(replace(Settings.from_environment(), backbone=spec.name))
    launch(build_page(rooms), rooms, server_port=port)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))


BENCHMARKS = (throughput,)
