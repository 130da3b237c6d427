"""A headless Chromium for the walks through the page."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.networks import backbones, checkpoint, embedded, host, resnet18
from tests.served import WATCH_EVERY_S, Server, held_line, session, visit

__all__ = [
    "Server",
    "backbones",
    "checkpoint",
    "embedded",
    "held_line",
    "host",
    "resnet18",
    "session",
    "visit",
]

LAPTOP, WIDE, PHONE = ({"width": w, "height": h} for w, h in ((1280, 800), (1280, 900), (375, 740)))

OpenPage = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Turn a skipped walk into a failed one where DEMO_BROWSER_REQUIRED is set."""
    report: Any = yield
    if report.skipped and os.environ.get("DEMO_BROWSER_REQUIRED"):
        report.outcome = "failed"
    return report


@pytest.fixture(autouse=True)
def watch_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let news of a training come as seldom as to any visitor: to draw it fifty times a second takes a core."""
    monkeypatch.setattr("demo.visitors.rooms._WATCH_EVERY_S", WATCH_EVERY_S)


def find_chromium() -> str | None:
    """Return the path of Debian's Chromium, or of the one that DEMO_CHROMIUM names."""
    return os.environ.get("DEMO_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start Debian's Chromium; where it is not installed the walks are skipped.

    It ends with the file: an event loop that runs on would keep later tests of this process from having their own.
    """
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium: apt-get install chromium, or set DEMO_CHROMIUM to its path")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, server: Server) -> Iterator[OpenPage]:
    """Open the page in a browser of its own; at the end, nothing may have been asked of another machine."""
    contexts: list[Any] = []
    hosts: set[str] = set()
    stopped: list[str] = []  # what the page's own content-security policy did not let through

    def note(message: Any) -> None:
        if "Content Security Policy" in message.text:
            stopped.append(message.text)

    def open_one(path: str = "/", viewport: dict[str, int] = WIDE, **options: Any) -> Any:
        contexts.append(chromium.new_context(viewport=viewport, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)  # another walk may need both cores meanwhile
        page.on("console", note)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname or ""))
        page.goto(server.url + path)
        page.wait_for_function("sessionStorage.getItem('demo-token')")
        page.wait_for_function("!document.documentElement.classList.contains('first')")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert hosts <= {"127.0.0.1", "localhost", ""}, f"requests to other machines: {hosts}"
    assert not stopped


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures of the page go: the folder that README shows, if DEMO_SCREENSHOTS names it."""
    folder = Path(os.environ.get("DEMO_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
