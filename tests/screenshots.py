"""Take pictures of the page, for eyes to judge: `python -m tests.screenshots [folder]`.

All tabs, in both languages, on a wide window and on a phone, before and after a visitor did something there. The files
are named `LANGUAGE-WIDTH-TAB.png`.
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

from tests.browser.conftest import PHONE, WIDE, find_chromium
from tests.conftest import PROJECT

LANGUAGES = {"en": "/", "zh": "/zh"}
WAIT_MS, TRAINING_MS = 60_000, 300_000


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with serve() as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for language, path in LANGUAGES.items():
            for viewport in (WIDE, PHONE):
                page = browser.new_context(viewport=viewport, locale=language).new_page()
                page.goto(url + path)
                page.wait_for_function("sessionStorage.getItem('demo-token')")
                for name in walk(page):
                    shoot(page, folder / f"{language}-{viewport['width']}-{name}.png")
                page.context.close()
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
    """Do on each tab what a visitor does first, and yield a name wherever there is something to see."""
    page.set_default_timeout(WAIT_MS)
    yield "predict-before"
    page.click("#example-cat")
    page.wait_for_selector("#network-input img")
    yield "predict"
    page.click("#inside-tab-button")
    for label in ("low", "middle", "high"):  # pictures load when they come into view
        page.locator(f"#grid-{label}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#grid-{label} img")
    yield "inside"
    page.click("#finetune-tab-button")
    yield "finetune-before"
    if not page.locator("#starters-tab-button").count():  # a phone's last tabs are behind a button
        page.click("#finetune-tab .overflow-menu > button")
        page.locator("#finetune-tab .overflow-dropdown button").last.click()
    else:
        page.click("#starters-tab-button")
    page.click("#starter-signs")
    page.wait_for_selector("#train:not([disabled])")
    page.click("#train")
    page.wait_for_selector("#confusion [data-pick]", timeout=TRAINING_MS)
    yield "finetune"


def shoot(page: Any, path: Path) -> None:
    page.mouse.move(0, 0)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=path, full_page=True, animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
