"""A head that outlives the server in its visitor's browser, and a page that outlives its connection."""

import re
from collections import OrderedDict
from typing import Any

import pytest

from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import PHONE, WIDE, OpenPage
from tests.browser.test_forget import token_of
from tests.browser.test_walk import wait_for
from tests.heads import light_head
from tests.served import Server

NUMBER = "JSON.parse(sessionStorage.getItem('demo-keepsake'))?.number"
STORED = """() => new Promise((resolve) => {
  indexedDB.open("demo", 1).onsuccess = ({target}) => {
    const counting = target.result.transaction("heads").objectStore("heads").count();
    counting.onsuccess = () => { target.result.close(); resolve(counting.result); };
  };
})"""


def give_head(page: Any, server: Server) -> Session:
    """Give a page's session a head as a training does, and wait until the browser has its copy."""
    session = server.rooms.sessions.attach(token_of(page))
    session.change_state(lambda state: state.with_head(light_head(("ant", "<b>蜜蜂</b>"))))
    page.evaluate("demo.resume()")
    page.wait_for_function(NUMBER)
    return session


def start_anew(page: Any, server: Server) -> None:
    """Let the page find that the server was killed and started anew."""
    server.rooms.sessions.end(token_of(page))
    server.rooms.keepsakes._newest = OrderedDict()
    page.route(re.compile("/app_id$"), lambda route: route.fulfill(json={"app_id": 1}), times=1)
    page.evaluate("demo.lookForServer()")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "viewport", "words"), [("/", WIDE, ENGLISH), ("/zh", PHONE, CHINESE)], ids=["wide", "Chinese on a phone"]
)
def test_a_head_comes_back_with_one_click_after_the_server_was_started_anew(
    path: str, viewport: dict[str, int], words: Words, open_page: OpenPage, server: Server
) -> None:
    page = open_page(path, viewport=viewport)
    give_head(page, server)
    start_anew(page, server)
    wait_for(page, "#offer .notice[role=status]", words.notice.anew_but)
    names = f"ant{words.list_separator}<b>蜜蜂</b>"
    assert words.notice.kept.format(names=names) in page.inner_text("#offer")
    assert page.locator("#notice").is_hidden()
    assert page.locator("#offer").bounding_box()["y"] < page.locator("[role=tablist]").first.bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    neighbour = page.context.new_page()  # the next pupil at the same computer
    neighbour.goto(server.url + path)
    neighbour.wait_for_function("sessionStorage.getItem('demo-token')")
    neighbour.wait_for_selector("#offer", state="attached")
    assert neighbour.locator("#offer").is_hidden()
    neighbour.close()
    page.get_by_role("button", name=words.notice.bring).click()
    wait_for(page, "#offer", words.notice.back.format(names=names))
    wait_for(page, "#strip", "蜜蜂")
    page.wait_for_function(f"{NUMBER} === 2")
    page.reload()
    wait_for(page, "#strip", "蜜蜂")
    assert page.locator("#offer").is_hidden()


@pytest.mark.slow
def test_an_event_of_a_session_that_has_expired_begins_a_new_one_with_the_offer(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page()
    give_head(page, server)
    server.rooms.sessions.end(token_of(page))
    page.click("#example-dog" if page.locator("#example-dog").count() else "#example-cat")
    wait_for(page, "#offer", ENGLISH.notice.anew_but)
    assert page.evaluate(STORED) == 1
    page.get_by_role("button", name=ENGLISH.notice.decline).click()
    page.wait_for_selector("#offer .offer", state="detached")
    page.wait_for_function("sessionStorage.getItem('demo-keepsake') === null")
    assert page.evaluate(STORED) == 0
    page.reload()
    page.wait_for_function("!document.documentElement.classList.contains('first')")
    assert page.locator("#offer").is_hidden()


@pytest.mark.slow
def test_a_computer_that_slept_goes_on_where_it_was(open_page: OpenPage, server: Server) -> None:
    page = open_page()
    session = give_head(page, server)
    page.evaluate("window.isTheSame = true")
    server.rooms.sessions.close_page(next(iter(session.presence.open)))  # its connection was cut meanwhile
    server.page.app.state_holder.forget(next(iter(session.presence.closed)))
    page.evaluate("{ const now = Date.now; Date.now = () => now() + 7_200_000 }")
    with page.expect_response(re.compile("/app_id$")):  # within twenty seconds
        pass
    page.click("#example-cat")
    wait_for(page, "#answer", "ant")
    assert session.presence.open
    assert page.evaluate("window.isTheSame")
    assert ENGLISH.notice.anew not in page.inner_text("body")


@pytest.mark.slow
def test_what_is_forgotten_leaves_the_browser_too(open_page: OpenPage, server: Server) -> None:
    page = open_page()
    give_head(page, server)
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#forget")
    wait_for(page, "#notice", ENGLISH.notice.anew)
    assert page.locator("#offer").is_hidden()
    assert page.evaluate("sessionStorage.getItem('demo-keepsake')") is None
    assert page.evaluate(STORED) == 0
