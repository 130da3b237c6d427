"""What the tests share: settings, pictures and zips that they make themselves, and the real data where it is."""

import io
import ipaddress
import os
import sys
import threading
import zipfile
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub.constants
import numpy as np
import pytest
from PIL import Image

from demo.data.samples import EXAMPLES, read_example
from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.head import TrainingSummary
from demo.models.recipe import Recipe
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec
from demo.settings import Settings
from demo.ui.context import Context
from demo.ui.page import build_page
from demo.ui.server import launch
from demo.ui.sessions import Session
from demo.ui.training import Job
from tests.visitor import Visit, Visitor
from tests.weights_host import WeightsHost, random_checkpoint, stand_in

PROJECT = Path(__file__).resolve().parents[1]

MakeZip = Callable[[Mapping[str, bytes]], Path]


class Server(NamedTuple):
    """The page, served from this process."""

    url: str
    context: Context
    page: Any  # gradio's Blocks


_outside: list[str] = []


def _watch_connections(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if not _is_loopback(host):
            _outside.append(host)
    elif event == "socket.getaddrinfo" and not _is_loopback(str(arguments[0] or "localhost")):
        _outside.append(str(arguments[0]))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "0.0.0.0", "::")


def pytest_configure() -> None:
    # gradio's client, which plays the program on another machine here, asks the Hugging Face Hub for news.
    huggingface_hub.constants.HF_HUB_OFFLINE = True
    sys.addaudithook(_watch_connections)


@pytest.fixture(autouse=True)
def stay_offline(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail any test, or the fixtures made for it, in which this process looked for another machine."""
    yield
    hosts = [_outside.pop() for _ in range(len(_outside))]
    if request.node.get_closest_marker("network") is None:
        assert not hosts, f"connections to the outside: {hosts}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Server]:
    """One running page for all tests that visit it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        for watcher in ("finetune_tab", "experiments"):
            environment.setattr(f"demo.ui.{watcher}._WATCH_EVERY_S", 0.02)  # no test waits for the next look
        context = Context.of(settings)
        page = build_page(context)
        url = launch(page, context, wait=False, quiet=True)
        yield Server(url.rstrip("/"), context, page)
        page.close()
        assert context.arrival.over.wait(60)  # a thread that still computes when the process ends would abort it


@pytest.fixture
def visit(server: Server) -> Iterator[Visit]:
    """Open pages, each like a browser tab of its own, and close them in the end."""
    visitors: list[Visitor] = []

    def open_page(**options: Any) -> Visitor:
        visitors.append(Visitor(server.url, **options))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def session(visitor: Visitor, server: Server) -> Session:
    """What the server holds of the page that a test file calls its `visitor`."""
    return server.context.sessions.attach(visitor.token)


@pytest.fixture
def held_line(server: Server) -> Iterator[threading.Event]:
    """Keep all trainings of the page waiting until the event is set."""
    released = threading.Event()

    def hold() -> Generator[Any, None, None]:
        released.wait(30)
        yield from ()

    server.context.line.submit(Job(hold))
    yield released
    released.set()
    last = Job(hold)
    server.context.line.submit(last)
    assert last.done.wait(30)  # no training of this test is left to the next


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WeightsHost]:
    """A host of weights for an empty cache; the Hugging Face Hub is switched off."""
    host = WeightsHost()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("DEMO_WEIGHTS_DIR", raising=False)
    yield host
    host.close()


@pytest.fixture(scope="session")
def checkpoint() -> bytes:
    return random_checkpoint(ZOO["resnet18"])


@pytest.fixture
def resnet18(host: WeightsHost, checkpoint: bytes, monkeypatch: pytest.MonkeyPatch) -> BackboneSpec:
    """ResNet-18 in the table, with random weights at the host, which answers 404 until it is told otherwise."""
    spec = stand_in(host.url, checkpoint, hub_repo="timm/resnet18.tv_in1k")
    monkeypatch.setitem(ZOO, "resnet18", spec)
    return spec


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(backbone=EMBEDDED)  # the only one whose weights are everywhere


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real photographs; it is no part of the project."""
    folder = Path(os.environ.get("DEMO_SHARED_DATA") or PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set DEMO_SHARED_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def backbones() -> BackboneCache:
    return BackboneCache()


@pytest.fixture(scope="session")
def embedded(backbones: BackboneCache) -> Iterator[Backbone]:
    with backbones.lend(EMBEDDED) as backbone:
        yield backbone


@pytest.fixture(scope="session")
def cat(settings: Settings) -> Image.Image:
    return read_example(EXAMPLES[0], settings)


@pytest.fixture
def make_zip(tmp_path: Path) -> MakeZip:
    """Write a zip of paths to contents and return where it lies."""

    def write(files: Mapping[str, bytes]) -> Path:
        return write_zip(tmp_path / f"upload{len(list(tmp_path.iterdir()))}.zip", files)

    return write


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write a zip of paths to contents; for fixtures that outlive a test, where `make_zip` does not."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def summary(recipe: Recipe | None = None) -> TrainingSummary:
    """Return how a head came about, where a test needs one and not what it says."""
    recipe = recipe or Recipe()
    return TrainingSummary(recipe, recipe.epochs, recipe.epochs, 20, 1.0, 0.9, 9, 10, None, 0, 0, 3.5)


def png(colour: str | tuple[int, int, int] = "red", size: tuple[int, int] = (32, 24)) -> bytes:
    """Return one plain picture as PNG bytes."""
    return encode(Image.new("RGB", size, colour))


def names_to_try(names: Iterable[str], *, slow: Container[str]) -> list[Any]:
    """Return names for `parametrize`, of which some are tried in the slow run alone."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in slow)) for name in names]


def files_below(folder: Path) -> set[Path]:
    """Return the files in a folder of uploads, but for its lock, while others may delete from it."""
    return {Path(where, name) for where, _, names in os.walk(folder) for name in names if name != ".lock"}


def noise(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Return a picture of coloured noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encode(image: Image.Image, image_format: str = "PNG") -> bytes:
    """Return an image's bytes in a format."""
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


def colour_folders(num_pictures: int = 6) -> dict[str, bytes]:
    """Return the files of a dataset that anything can learn: reddish and bluish pictures."""
    return {
        f"{name}/{number}.png": png((200 * is_red + number, 20, 200 * (1 - is_red) + number))
        for name, is_red in (("red", 1), ("blue", 0))
        for number in range(num_pictures)
    }
