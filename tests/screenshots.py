"""Take pictures of the page, for eyes to judge: `python -m tests.screenshots [folder]`.

Every tab and every tab within it, with everything unfolded, after a visitor has chosen a photograph and trained a head;
in both languages, light and dark, on a laptop, a phone and a projector. The files are named
`LANGUAGE-SCREEN-TAB-THEME.png`; `opened` is the page as it opens.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import find_chromium
from tests.browser.everything import TABS, show_each, show_theme, teach, unfold
from tests.conftest import PROJECT

LANGUAGES = {"en": "/", "zh": "/zh"}
SCREENS = {
    "laptop": ({"width": 1280, "height": 800}, ""),
    "phone": ({"width": 375, "height": 812}, ""),
    "projector": ({"width": 1920, "height": 1080}, "?view=projector"),
}
WAIT_MS = 60_000


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with serve() as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for language, path in LANGUAGES.items():
            for screen, (viewport, query) in SCREENS.items():
                context = browser.new_context(viewport=viewport, locale=language, reduced_motion="reduce")
                page = context.new_page()
                page.set_default_timeout(WAIT_MS)
                page.goto(url + path + query)
                page.wait_for_function("sessionStorage.getItem('demo-token')")
                for name in walk(page):
                    for theme in ("light", "dark"):
                        show_theme(page, theme)
                        shoot(page, folder / f"{language}-{screen}-{name}-{theme}.png")
                    show_theme(page, "light")
                context.close()
        browser.close()


@contextmanager
def serve() -> Iterator[str]:
    """Run the page in a process of its own, on a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if not any(b"Running on" in line for line in process.stdout):
            raise RuntimeError("the page did not open")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def walk(page: Any) -> Iterator[str]:
    """Go through everything that the page shows, and yield a name wherever there is something to see."""
    page.wait_for_timeout(2_000)
    yield "opened"
    teach(page)
    for tab in TABS:
        for shown, _ in show_each(page, tab):
            unfold(page)
            see_pictures(page)
            yield shown


def see_pictures(page: Any) -> None:
    """Scroll through what is shown: pictures load when they come into view."""
    for top in range(0, page.evaluate("document.body.scrollHeight"), 700):
        page.evaluate("(top) => window.scrollTo(0, top)", top)
        page.wait_for_timeout(50)


def shoot(page: Any, path: Path) -> None:
    page.mouse.move(0, 0)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=path, full_page=True, animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
