"""The classes of gradio's own that the style sheet names: each is there, and does what it is named for."""

from pathlib import Path
from typing import Any

import pytest

from demo.ui.server.assets import STYLED
from tests.browser.conftest import PHONE, OpenPage
from tests.conftest import names_to_try
from tests.served import Server

# Where a rule shows: the element, the property, and its value.
EFFECTS = {
    "gradio-container": (".gradio-container", "maxWidth", "1180px"),
    "fillable": (".fillable", "paddingLeft", "12px"),
    "nav-holder": (".nav-holder", "display", "none"),
    "tab-container": (".tab-container button", "paddingLeft", "4.8px"),
    "html-container": ("#strip.html-container, #strip .html-container", "padding", "0px"),
    "label-wrap": (".label-wrap > span:first-child", "textAlign", "start"),
    "toast-title": (".toast-title", "fontSize", "0px"),
    "meta-text": (".meta-text", "fontSize", "0px"),
    "meta-text-center": (".meta-text-center", "fontSize", "0px"),
}


def takes_effect(page: Any, name: str) -> None:
    """Wait until a class looks as it is styled: gradio loads its own style sheets after the page's."""
    selector, attribute, value = EFFECTS[name]
    script = "([selector, attribute, value]) => getComputedStyle(document.querySelector(selector))[attribute] === value"
    page.wait_for_selector(selector, state="attached")
    page.wait_for_function(script, arg=[selector, attribute, value])


def test_every_class_is_tried() -> None:
    assert EFFECTS.keys() == STYLED.keys()


@pytest.mark.slow
def test_each_class_does_what_it_is_named_for(open_page: OpenPage, tmp_path: Path) -> None:
    wide = open_page()
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    wide.set_input_files("#predict-photo input[type=file]", tmp_path / "bad.png")
    phone = open_page(viewport=PHONE)
    for name in STYLED.keys() - {"meta-text", "meta-text-center"}:
        page = phone if name in ("fillable", "tab-container") else wide
        takes_effect(page, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", names_to_try(["meta-text", "meta-text-center"], slow=["meta-text-center"]))
def test_what_is_loading_says_no_english_word_on_the_chinese_page(
    open_page: OpenPage, server: Server, name: str
) -> None:
    page = open_page("/zh").context.new_page()
    page.route("**/queue/data*", lambda _route: None)  # no answer comes
    page.goto(server.url + "/zh", wait_until="commit")
    takes_effect(page, name)
