"""A set that fails honestly, from its link to the verdict: all is right until the colours are swapped."""

import pytest

from demo.words.language import CHINESE
from tests.browser.conftest import OpenPage
from tests.browser.everything import TRAINING_MS
from tests.browser.test_steps import PHONE, is_seen
from tests.browser.test_walk import wait_for


@pytest.mark.ways
@pytest.mark.slow
def test_the_meadow_is_learned_by_its_ground_on_a_phone(open_page: OpenPage) -> None:
    words = CHINESE.finetune
    page = open_page(viewport=PHONE, path="/zh?tab=finetune&panel=pictures&set=meadow")
    wait_for(page, "#report", words.gather.starter_stories["meadow"])
    page.click("#step-train-button")
    page.click("#train:not([disabled])")
    page.wait_for_selector("#training-status .trained", timeout=TRAINING_MS)
    page.click("#step-wrong-button")
    page.click("#swap-colours")
    wait_for(page, "#swapped", words.swap.shortcut.split("：")[0])
    is_seen(page, "#swapped table")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
