"""The main path by keyboard alone: focus is always somewhere, and where it is can be seen."""

import threading
from typing import Any

import pytest

from demo.data.starters import STARTERS
from demo.words.language import ENGLISH
from tests.browser.conftest import OpenPage
from tests.browser.everything import TRAINING_MS
from tests.browser.test_walk import wait_for

MAX_STOPS = 60  # of the tab key, from anywhere to anywhere on a tab
FOCUS = """() => {
  const has = document.activeElement, box = has.getBoundingClientRect();
  return {
    name: has.id || has.dataset.pick || has.dataset.to || has.tagName,
    isBody: has === document.body,
    isInSight: box.bottom > 0 && box.top < innerHeight,
    isMarked: has.matches(":focus-visible"),
  };
}"""


def focus(page: Any) -> str:
    """Return what has the focus; it is never nowhere, and can be seen."""
    found = page.evaluate(FOCUS)
    assert not found["isBody"]
    assert found["isInSight"], found
    assert found["isMarked"], found
    name: str = found["name"]
    return name


def go_to(page: Any, name: str) -> int:
    """Press the tab key until something has the focus; return how often."""
    for number in range(1, MAX_STOPS):
        page.keyboard.press("Tab")
        if focus(page) == name:
            return number
    pytest.fail(f"{name} was not reached")


def handed_to(page: Any, name: str, timeout_ms: float = 60_000) -> None:
    """Wait until focus has gone somewhere by itself."""
    script = "name => [document.activeElement.id, document.activeElement.dataset.to].includes(name)"
    page.wait_for_function(script, arg=name, timeout=timeout_ms)
    focus(page)


@pytest.mark.slow
def test_the_main_path_by_keyboard_alone(open_page: OpenPage, held_line: threading.Event) -> None:
    page = open_page()
    page.wait_for_selector("#example-coffee")
    go_to(page, "example-coffee")
    page.keyboard.press("Enter")
    wait_for(page, "#answer", "espresso")
    focus(page)
    page.keyboard.press("Shift+Tab")
    while focus(page) != "predict-tab-button":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#starter-signs")
    assert focus(page) == "finetune-tab-button"

    stops = go_to(page, "starter-signs")
    page.keyboard.press("Enter")
    page.wait_for_selector("#way-pictures .next")
    focus(page)
    stops = go_to(page, "train")  # the button that leads to the step of that name, behind the sets that follow
    assert stops <= 2 + len(STARTERS) - 1 - list(STARTERS).index("signs")
    page.keyboard.press("Enter")
    handed_to(page, "train")
    page.keyboard.press("Enter")
    handed_to(page, "stop")
    page.keyboard.press("Enter")
    wait_for(page, "#training-status", "The training was stopped")
    handed_to(page, "train")
    page.keyboard.press("Enter")
    handed_to(page, "stop")
    held_line.set()  # a training that began at once might have ended before the page has shown that it runs
    handed_to(page, "wrong", TRAINING_MS)
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('#confusion [data-pick]')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cell [data-pick]")
    focus(page)
    go_to(page, page.locator("#cell [data-pick]").first.get_attribute("data-pick"))
    page.keyboard.press("Enter")
    wait_for(page, "#picture-detail", ENGLISH.finetune.results.untinted)
    focus(page)

    page.keyboard.press("Shift+Tab")
    while not focus(page).startswith("step-"):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("End")
    assert focus(page) == "step-keep-button"
    page.keyboard.press("ArrowRight")
    assert focus(page) == "step-pictures-button"
    page.keyboard.press("ArrowLeft")
    assert go_to(page, "export") < 6


@pytest.mark.slow
def test_arrow_keys_move_between_tabs_of_which_one_is_a_tab_stop(open_page: OpenPage) -> None:
    page = open_page()
    page.focus("#predict-tab-button")
    page.keyboard.press("ArrowLeft")
    assert focus(page) == "inside-tab-button"
    page.keyboard.press("Home")
    assert focus(page) == "predict-tab-button"
    page.keyboard.press("ArrowRight")
    assert focus(page) == "finetune-tab-button"
    for name in ("step-pictures-button", "starters-tab-button", "starter-digits"):
        page.keyboard.press("Tab")
        while focus(page) == "DFN":  # a term of the glossary stands before it
            page.keyboard.press("Tab")
        assert focus(page) == name
