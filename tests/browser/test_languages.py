"""One language on one page, whatever the browser's; and whoever switches stays in the language chosen."""

import re
from typing import Any

import pytest

from demo.models.zoo import ZOO
from demo.ui.server.document import Document
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import OpenPage
from tests.browser.everything import settle
from tests.served import Server

CHINESE_CHARACTERS = re.compile(r"[\u4e00-\u9fff]")
GRADIOS = {  # what it says in a box for pictures, in the three languages of these browsers
    ENGLISH.language: "Drop Image Here",
    CHINESE.language: "将图像拖放到此处",
    "de": "Bild hier ablegen",
}
# All text but what the style sheet makes as small as nothing, and what says that it is in another language.
IN_SIGHT = """() => {
  const isUnseen = (each) => getComputedStyle(each).fontSize === "0px" || each.matches("[lang]:not(html, a)");
  [...document.body.querySelectorAll("*")].filter(isUnseen).forEach((each) => each.remove());
  return document.body.innerText;
}"""
ALLOWED = {"AdamW", "SGD", "CSV", "ImageNet"}  # the same in every language
FORBIDDEN = (
    "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {get() { throw 1 }})"
)


WAYS = [pytest.mark.slow, pytest.mark.ways]


@pytest.mark.parametrize(
    ("path", "words", "locale"),
    [
        ("/", ENGLISH, "zh-CN"),
        ("/zh", CHINESE, "en-US"),
        pytest.param("/", ENGLISH, "de-DE", marks=WAYS),
        pytest.param("/", ENGLISH, "en-US", marks=WAYS),
        pytest.param("/zh", CHINESE, "de-DE", marks=WAYS),
        pytest.param("/zh", CHINESE, "zh-CN", marks=WAYS),
    ],
)
def test_a_page_is_in_one_language(open_page: OpenPage, server: Server, path: str, words: Words, locale: str) -> None:
    page = open_page("/zh", locale=locale)
    if path == "/":
        switch(page, "English", server.url + "/")
    page.click(f"#predict-photo button[aria-label='{words.gradio['Remove Image']}']")
    page.get_by_text(GRADIOS[words.language]).first.wait_for()
    seen = page.evaluate(IN_SIGHT)
    assert [text for language, text in GRADIOS.items() if language != words.language and text in seen] == []
    prose = [line for line in seen.splitlines() if line.strip() not in ("", "English", "中文")]
    chinese = [line for line in prose if CHINESE_CHARACTERS.search(line)]
    english = [line for line in prose if line not in chinese and len(line.split()) > 1]
    assert (english if words is CHINESE else chinese) == []
    assert len(chinese if words is CHINESE else english) > 10


# All texts and hints in sight, but those of code and of what says that it is in another language.
TEXTS = """() => {
  const isSkipped = (each) => each.closest("[lang]:not(html), code, pre, script, style, .code_wrap, nav, a[href^=http]")
    || getComputedStyle(each).fontSize === "0px" || !each.checkVisibility({visibilityProperty: true});
  const elements = [...document.body.querySelectorAll("*")].filter((each) => !isSkipped(each));
  const texts = elements.flatMap((each) => [...each.childNodes].filter((node) => node.nodeType === 3));
  const hints = elements.flatMap((each) => [each.title, each.placeholder, each.alt]);
  return [...texts.map((node) => node.data.trim()), ...hints].filter((text) => text?.trim?.());
}"""
OPEN_ALL = """() => {
  document.querySelectorAll("details").forEach((each) => { each.open = true });
  document.querySelectorAll(".label-wrap:not(.open)").forEach((each) => each.click());
}"""
# The names of networks are the same in every language.
NAMES = {name for spec in ZOO.values() for name in (spec.name, spec.display_name)}
NAMES |= {f"{spec.year} · {spec.display_name}" for spec in ZOO.values()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "words", "locale"),
    [("/", ENGLISH, "zh-CN"), ("/zh", CHINESE, "en-US"), pytest.param("/zh", CHINESE, "de-DE", marks=pytest.mark.ways)],
)
def test_everything_in_sight_in_every_tab_is_in_one_language(
    open_page: OpenPage, server: Server, path: str, words: Words, locale: str
) -> None:
    page = open_page("/zh", locale=locale)
    if path == "/":
        switch(page, "English", server.url + "/")
    page.click("#example-cat")
    page.locator("#answer").filter(has_text="tiger cat").wait_for()
    seen: set[str] = set()
    for tab in (words.predict.tab, words.finetune.tab, words.inside.tab):
        page.get_by_role("tab", name=tab).click()
        for inner in ["zip-tab", "starters-tab", "classes-tab"] if tab == words.finetune.tab else [""]:
            if inner:
                page.click(f"#{inner}-button")
            page.evaluate(OPEN_ALL)
            settle(page)
            seen |= set(page.evaluate(TEXTS))
    seen -= NAMES | {"English", "中文"}
    chinese = {text for text in seen if CHINESE_CHARACTERS.search(text)}
    latin = {text for text in seen - chinese if re.search("[A-Za-z]{3}", text)}
    assert (latin if words is CHINESE else chinese) <= ALLOWED
    assert len(chinese if words is CHINESE else latin) > 100


def switch(page: Any, name: str, url: str | re.Pattern[str]) -> None:
    """Go to the other language by the bar above the page."""
    page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first.click()
    page.wait_for_url(url)
    page.wait_for_selector("header h1")


def visited(page: Any, url: str, expected: str) -> None:
    """Type an address, and see where it leads and that it stays there."""
    page.goto(url, wait_until="commit")
    page.wait_for_url(expected)
    page.wait_for_selector("header h1")
    assert page.url == expected


@pytest.mark.ways
@pytest.mark.slow
def test_a_first_visit_goes_to_the_browsers_language_and_a_switch_is_remembered(
    open_page: OpenPage, server: Server
) -> None:
    first = open_page("/zh", locale="zh-CN")
    first.close()  # a page that was given by its address chooses nothing
    context = first.context
    page = context.new_page()
    moves: list[str] = []
    page.on("framenavigated", lambda frame: moves.append(frame.url))
    visited(page, server.url + "/?__theme=dark#here", server.url + "/zh?__theme=dark#here")
    assert len(moves) <= 2
    switch(page, "English", re.compile(re.escape(server.url) + r"/(\?.*)?$"))
    page.reload()
    page.wait_for_selector("header h1")
    assert page.inner_text("header h1") == ENGLISH.page.title
    assert page.evaluate("({...localStorage})") == {"demo-language": "en"}
    page.close()  # a browser asks a server six things at once, and each open page one for ever
    visited(context.new_page(), server.url + "/", server.url + "/")
    assert context.cookies() == []
    context.pages[-1].close()

    again = context.new_page()
    visited(again, server.url + "/zh", server.url + "/zh")
    visited(again, server.url + "/", server.url + "/")
    switch(again, "中文", server.url + "/zh")
    again.close()
    visited(context.new_page(), server.url + "/", server.url + "/zh")


@pytest.mark.slow
def test_other_browsers_stay_on_the_english_page(open_page: OpenPage, server: Server) -> None:
    assert open_page("/", locale="de-DE").url == server.url + "/"
    page = open_page("/", locale="en-US")
    switch(page, "中文", server.url + "/zh")
    visited(page.context.new_page(), server.url + "/", server.url + "/zh")


@pytest.mark.slow
def test_nobody_is_caught_where_storage_is_forbidden(open_page: OpenPage, server: Server) -> None:
    page = open_page("/zh", locale="zh-CN").context.new_page()
    page.add_init_script(FORBIDDEN)
    visited(page, server.url + "/", server.url + "/zh")
    switch(page, "English", server.url + "/")
    page.reload()
    page.wait_for_selector("header h1")
    assert page.inner_text("header h1") == ENGLISH.page.title


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/deep/er/", "/deep/er/zh"),
        ("/deep", "/deep/zh"),
        ("//a.b/", "//a.b/zh"),
    ],
)
def test_a_page_below_another_address_goes_to_its_own_twin(
    open_page: OpenPage, server: Server, path: str, there: str
) -> None:
    page = open_page("/zh", locale="zh-CN").context.new_page()
    told = {each: document(each) for each in (path, there)}
    page.route("**/*", lambda route: route.fulfill(body=told[route.request.url.removeprefix(server.url)]))
    page.goto(server.url + path, wait_until="commit")
    page.wait_for_url(server.url + there)
    assert page.evaluate("[navigator.language, ...navigator.languages]") == ["zh-CN", "zh-CN"]


def document(path: str) -> bytes:
    """Return a document as it is served at a path."""
    body = b"<!doctype html><html><head><meta charset=utf-8></head><body></body></html>"
    return Document("").rewrite(path, body)
