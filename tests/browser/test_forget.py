"""What the page says of what it holds, and that it lets go, in the browser."""

from pathlib import Path
from typing import Any

import pytest

from demo.ui.server.errors import RequestTooLarge
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_walk import open_tab, upload, wait_for
from tests.served import Server

LANGUAGES = pytest.mark.parametrize(
    ("path", "words"),
    [("/", ENGLISH), ("/zh", CHINESE)],
    ids=["English", "Chinese on a phone"],
)


def token_of(page: Any) -> str:
    token: str = page.evaluate("sessionStorage.getItem('demo-token')")
    return token


@pytest.mark.slow
@LANGUAGES
def test_everything_is_forgotten_after_a_question(
    path: str, words: Words, open_page: OpenPage, server: Server, screenshots: Path
) -> None:
    page = open_page(path, viewport=PHONE) if path == "/zh" else open_page(path)
    page.click("#example-cat")
    wait_for(page, "#answer", "tiger cat")
    token, asked = token_of(page), []

    def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.accept() if len(asked) == 2 else dialog.dismiss()

    page.on("dialog", answer)
    page.click("#promise summary")
    page.locator("#promise").scroll_into_view_if_needed()
    page.screenshot(path=screenshots / f"promise-{words.language}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.click("#forget")
    page.wait_for_timeout(500)
    wait_for(page, "#answer", "tiger cat")
    page.click("#forget")
    wait_for(page, "#notice", words.notice.anew)
    wait_for(page, "#answer", "tiger cat")  # the address names the example still, and nothing of the visitor
    page.wait_for_function(f"![{token!r}, null].includes(sessionStorage.getItem('demo-token'))")
    assert asked == [words.privacy.forget_sure] * 2
    assert server.rooms.sessions.attach(token_of(page)).is_empty
    assert token not in server.rooms.sessions._sessions


@pytest.mark.slow
def test_a_session_that_has_ended_says_so_by_itself(open_page: OpenPage, server: Server) -> None:
    page = open_page()
    wait_for(page, "#session-line", "60")
    server.rooms.sessions.end(token_of(page))
    page.evaluate("document.querySelector('#session-line [data-left]').dataset.left = 0")  # an hour has gone by
    wait_for(page, "#session-line", ENGLISH.privacy.over)


@pytest.mark.slow
def test_an_open_page_that_is_used_is_not_told_that_it_has_ended(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("document.querySelector('#session-line [data-left]').dataset.left = 0")
    page.wait_for_function("document.querySelector('#session-line [data-left]').dataset.left > 3000")
    assert ENGLISH.privacy.over not in page.inner_text("#session-line")


@pytest.mark.slow
@LANGUAGES
def test_an_upload_that_is_too_large_is_stopped_before_it_is_sent(
    path: str, words: Words, open_page: OpenPage, server: Server, tmp_path: Path
) -> None:
    page = open_page(path)
    open_tab(page, words.finetune.tab)
    open_tab(page, words.finetune.gather.classes_tab)
    page.fill("#new-class :is(input, textarea)", "large")
    page.click("#add-class")
    pictures = [tmp_path / f"{number}.png" for number in range(3)]
    for picture in pictures:
        with picture.open("wb") as file:
            file.truncate(30_000_000)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/gradio_api/upload?" in request.url else None)
    upload(page, "#class-pictures", *pictures)
    limit = server.rooms.settings.max_upload_bytes / 1e6
    wait_for(page, ".refusal", words.explain(RequestTooLarge(limit=limit)))
    assert not sent
