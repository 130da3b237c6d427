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
    """Return the path of the one that DEMO_CHROMIUM names, or of Debian's: its shell takes half of the time."""
    return os.environ.get("DEMO_CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start Debian's Chromium; where it is not installed the walks are skipped.

    It ends with the file: an event loop that runs on would keep later tests of this process from having their own.
    """
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium: apt-get install chromium-headless-shell, or set DEMO_CHROMIUM to its path")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield browser
        browser.close()


class Browsers:
    """Browsers of visitors who have never been here: nothing is in them but what any visitor is sent alike.

    To fetch that anew for each test takes most of a page's load.
    """

    def __init__(self, chromium: Any, url: str) -> None:
        self._chromium, self._url = chromium, url
        self._free: dict[str, list[Any]] = {}

    def take(self, **options: Any) -> Any:
        """Return a browser, which is one of playwright's contexts, that nobody else uses meanwhile."""
        free = self._free.get(str(sorted(options.items())))
        return free.pop() if free else self._chromium.new_context(**options)

    def give_back(self, browser: Any, **options: Any) -> None:
        """Close all pages of a browser, and let it forget what they have left in it."""
        page, *others = browser.pages or [browser.new_page()]
        for each in others:
            each.close()
        page.unroute_all(behavior="ignoreErrors")
        page.goto("about:blank")
        browser.clear_cookies()
        page.context.new_cdp_session(page).send(
            "Storage.clearDataForOrigin", {"origin": self._url, "storageTypes": "all"}
        )
        page.close()
        self._free.setdefault(str(sorted(options.items())), []).append(browser)


@pytest.fixture(scope="module")
def browsers(chromium: Any, server: Server) -> Browsers:
    return Browsers(chromium, server.url)


@pytest.fixture
def open_page(browsers: Browsers, server: Server) -> Iterator[OpenPage]:
    """Open the page in a browser of its own; at the end, nothing may have been asked of another machine."""
    taken: list[tuple[Any, dict[str, Any]]] = []
    hosts: set[str] = set()
    stopped: list[str] = []  # what the page's own content-security policy did not let through

    def note(message: Any) -> None:
        if "Content Security Policy" in message.text:
            stopped.append(message.text)

    def open_one(path: str = "/", viewport: dict[str, int] = WIDE, **options: Any) -> Any:
        options |= {"viewport": viewport}
        taken.append((browsers.take(**options), options))
        page = taken[-1][0].new_page()
        page.set_default_timeout(60_000)  # another walk may need both cores meanwhile
        page.on("console", note)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname or ""))
        page.goto(server.url + path)
        page.wait_for_function("sessionStorage.getItem('demo-token')")
        page.wait_for_function("!document.documentElement.classList.contains('first')")
        return page

    yield open_one
    for browser, options in taken:
        browsers.give_back(browser, **options)
    assert hosts <= {"127.0.0.1", "localhost", ""}, f"requests to other machines: {hosts}"
    assert not stopped


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures of the page go: the folder that README shows, if DEMO_SCREENSHOTS names it."""
    folder = Path(os.environ.get("DEMO_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
