"""What the tests of all floors share. It imports no more than the ground floors: their tests begin within a second."""

import ipaddress
import os
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from demo.data.samples import find_example, read_example
from demo.settings import Settings
from tests.pictures import MakeZip, write_zip

PROJECT = Path(__file__).resolve().parents[1]

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
    sys.addaudithook(_watch_connections)
    # Each process of the tests has ports of its own: two that look for a free one at once may find the same.
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["GRADIO_SERVER_PORT"] = str(7860 + 200 * int(worker.removeprefix("gw")))


@pytest.fixture(autouse=True)
def stay_offline(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail any test, or the fixtures made for it, in which this process looked for another machine."""
    yield
    hosts = [_outside.pop() for _ in range(len(_outside))]
    if request.node.get_closest_marker("network") is None:
        assert not hosts, f"connections to the outside: {hosts}"


@pytest.fixture(scope="session")
def settings() -> Settings:
    # The only network whose weights are everywhere, and no key in a file beside them.
    return Settings(backbone="efficientnet_lite0", seal_key="known to these tests alone")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real photographs; it is no part of the project."""
    folder = Path(os.environ.get("DEMO_SHARED_DATA") or PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set DEMO_SHARED_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def cat(settings: Settings) -> Image.Image:
    return read_example(find_example("cat"), settings)


@pytest.fixture
def make_zip(tmp_path: Path) -> MakeZip:
    """Write a zip of paths to contents and return where it lies."""

    def write(files: Mapping[str, bytes]) -> Path:
        return write_zip(tmp_path / f"upload{len(list(tmp_path.iterdir()))}.zip", files)

    return write


def names_to_try(names: Iterable[str], *, slow: Container[str]) -> list[Any]:
    """Return names for `parametrize`, of which some are tried in the slow run alone."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in slow)) for name in names]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Any]:
    """One page for all tests of this process that visit it: a second one would lead uploads to another folder."""
    from tests.served import serve  # the first test that visits imports the page, and no other

    yield from serve(tmp_path_factory.mktemp("uploads"), settings)
