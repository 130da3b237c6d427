"""What the page says while the server cannot be reached, and when it was started anew."""

import re

import pytest

from demo.words.language import CHINESE, ENGLISH
from tests.browser.conftest import OpenPage
from tests.browser.test_walk import wait_for


def test_a_connection_that_is_lost_is_said_at_the_top_until_it_is_back(open_page: OpenPage) -> None:
    page = open_page("/zh")
    for path in ("**/app_id", "**/queue/join*"):
        page.route(path, lambda route: route.abort())
    page.click("#example-cat")
    wait_for(page, "#connection[role=alert]", CHINESE.notice.away)
    page.unroute("**/app_id")
    page.wait_for_selector("#connection", state="detached")


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
