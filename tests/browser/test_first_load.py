"""The first load: what is seen before gradio's scripts have come, what they cost, and that nothing moves."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import PHONE, WIDE, OpenPage
from tests.served import Server

ASSETS = re.compile(r"/assets/.*\.js$")
_WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts += each.value;
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def new_page(chromium: Any) -> Iterator[Any]:
    """A page on which nothing has been opened."""
    context = chromium.new_context(viewport=WIDE, locale="en-US")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("path", "words"), [("/", ENGLISH), ("/zh", CHINESE)], ids=["en", "zh"])
def test_the_first_picture_needs_no_script_of_gradio(new_page: Any, server: Server, path: str, words: Words) -> None:
    new_page.route(ASSETS, lambda route: route.abort())
    new_page.goto(server.url + path)
    assert new_page.title() == words.page.title
    assert new_page.locator("h1:visible").inner_text() == words.page.title
    tabs = [words.predict.tab, words.finetune.tab, words.inside.tab]
    assert new_page.locator("#first-tabs button:visible").all_inner_texts() == tabs
    assert new_page.evaluate("document.documentElement.lang") == words.language


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_moves_and_little_is_sent(new_page: Any, server: Server, viewport: dict[str, int]) -> None:
    new_page.set_viewport_size(viewport)
    new_page.add_init_script(_WATCH_SHIFTS)
    asked: list[str] = []
    new_page.on("request", lambda request: asked.append(request.url))
    session, sizes = new_page.context.new_cdp_session(new_page), []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda each: sizes.append(each["encodedDataLength"]))
    new_page.goto(server.url)
    new_page.wait_for_selector("#first", state="detached")
    new_page.wait_for_timeout(1_500)
    assert new_page.evaluate("shifts") < 0.1
    requests = [url for url in asked if url.startswith("http")]
    assert all(url.startswith(server.url) for url in requests)
    assert len(requests) < 110
    assert sum(sizes) < 800_000


def test_what_is_clicked_too_early_is_done_later(new_page: Any, server: Server) -> None:
    held: list[Any] = []
    is_slow = True
    new_page.route(ASSETS, lambda route: held.append(route) if is_slow else route.continue_())
    new_page.goto(server.url, wait_until="commit")
    new_page.get_by_role("button", name=ENGLISH.inside.tab).click()
    is_slow = False
    for route in held:
        route.continue_()
    new_page.wait_for_selector("#first", state="detached")
    new_page.locator("#inside-tab-button[aria-selected=true]").wait_for()


@pytest.mark.slow
def test_a_reload_shows_only_the_frame(open_page: OpenPage) -> None:
    page = open_page()
    page.route(ASSETS, lambda route: route.abort())
    for where in (page.url, f"{page.url}?tab=inside"):
        page.goto(where)
        assert page.evaluate("getComputedStyle(document.getElementById('first-example')).display") == "none"
        assert page.locator("#first h1").is_visible()
