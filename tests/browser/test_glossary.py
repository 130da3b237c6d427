"""The terms of the glossary: underlined where they first stand, and explained there to mouse, finger and keyboard."""

import pytest

from demo.ui.parts.glossary import PLACES, list_terms
from demo.words.language import CHINESE, ENGLISH
from tests.browser.conftest import PHONE, WIDE, OpenPage


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_term_is_explained_where_it_stands(open_page: OpenPage, viewport: dict[str, int]) -> None:
    page = open_page("/?tab=inside&panel=moves", viewport=viewport)
    page.locator("#moves-panel summary").first.click()
    term, note = page.locator("#moves-panel .term", has_text="Pooling"), page.locator("#term-note")
    term.click()
    explained = list_terms(ENGLISH)["pooling"].sentence
    assert explained in note.inner_text()
    box = note.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]
    page.keyboard.press("Escape")
    note.wait_for(state="hidden")


@pytest.mark.slow
def test_the_keyboard_reaches_a_term_and_its_link(open_page: OpenPage) -> None:
    page = open_page("/?tab=finetune&panel=train")
    term, note = page.locator("#step-train .term[data-term=head]").first, page.locator("#term-note")
    term.wait_for()
    page.keyboard.press("Tab")
    term.focus()
    note.wait_for()
    assert term.get_attribute("aria-describedby") == "term-note"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('#term-note') !== null")
    page.keyboard.press("Escape")
    note.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.dataset.term") == "head"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    note.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.closest('body, #term-note, [data-term=head]') === document.body")
    assert page.evaluate("document.activeElement !== document.body")


@pytest.mark.slow
def test_all_terms_stand_in_one_list_and_lead_to_their_panels(open_page: OpenPage) -> None:
    page = open_page("/zh")
    page.locator("#glossary summary").click()
    page.wait_for_function("(count) => document.querySelectorAll('#glossary dt').length === count", arg=len(PLACES))
    page.locator("#glossary dd", has_text=list_terms(CHINESE)["norm"].sentence).locator("a").click()
    page.locator("#residual-panel-button[aria-selected=true]").wait_for()
    page.wait_for_function("document.activeElement.id === 'residual-panel-button'")
