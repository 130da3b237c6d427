"""What the page says while the server cannot be reached, and when it was started anew."""

import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from demo.ui.server.errors import ServerEnding
from demo.words.language import CHINESE, ENGLISH
from tests.browser.conftest import OpenPage
from tests.browser.test_walk import wait_for
from tests.opened import opened


def test_a_connection_that_is_lost_is_said_at_the_top_until_it_is_back(open_page: OpenPage) -> None:
    page = open_page("/zh")
    for path in ("**/app_id", "**/queue/join*"):
        page.route(path, lambda route: route.abort())
    page.click("#example-cat")
    wait_for(page, "#connection[role=alert]", CHINESE.notice.away)
    page.unroute("**/app_id")
    page.wait_for_selector("#connection", state="detached")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process that is sent a signal")
def test_a_server_that_is_being_stopped_says_so_on_every_page(chromium: Any, tmp_path: Path) -> None:
    with opened(tmp_path) as server:
        context = chromium.new_context()
        pages = [(context.new_page(), words) for words in (ENGLISH, CHINESE)]
        for page, words in pages:
            page.goto(f"{server.url}/{'zh' if words is CHINESE else ''}")
            page.wait_for_function("sessionStorage.getItem('demo-token')")
        server.process.send_signal(signal.SIGTERM)
        for page, words in pages:
            wait_for(page, "#connection[role=alert]", words.explain(ServerEnding()))
        assert server.process.wait(30) == 0
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/app_id")):
            pass  # it has looked for the server, which is gone
        assert page.locator("#connection").inner_text() == words.explain(ServerEnding()), "and goes on to"
        context.close()


@pytest.mark.slow
def test_a_wifi_that_is_gone_is_said_too(open_page: OpenPage) -> None:
    page = open_page()
    page.context.set_offline(True)
    wait_for(page, "#connection", ENGLISH.notice.away)
    page.context.set_offline(False)
    page.wait_for_selector("#connection", state="detached")


@pytest.mark.slow
def test_a_server_that_was_started_anew_is_said_at_the_top_with_what_was_lost(open_page: OpenPage) -> None:
    page = open_page()
    assert page.locator("#notice").is_hidden()
    page.evaluate("sessionStorage.setItem('demo-token', 'of a server before')")
    page.route(re.compile("/app_id$"), lambda route: route.fulfill(json={"app_id": 1}), times=1)
    page.evaluate("demo.lookForServer()")
    wait_for(page, "#notice .notice[role=status]", ENGLISH.notice.anew)
    assert page.locator("#notice").bounding_box()["y"] < page.locator("[role=tablist]").first.bounding_box()["y"]
    page.get_by_role("button", name=ENGLISH.notice.put_away).click()
    assert page.locator("#notice").is_hidden()
