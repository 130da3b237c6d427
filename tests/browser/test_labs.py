"""The labs that need no network, as a visitor works in them."""

from typing import Any

import pytest

from demo.words.language import CHINESE, ENGLISH
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_walk import look_at, wait_for

NEURON, DEPTH = ENGLISH.inside.neuron, ENGLISH.inside.depth


def wait_for_number(page: Any, place: int, value: float) -> None:
    """Wait until a number of the arithmetic is what it should be; the last is what ReLU gives."""
    find = f"[...document.querySelectorAll('#neuron-arithmetic data')].at({place})"
    page.wait_for_function(f"Math.abs({find}?.value - {value}) < 0.005")


@pytest.mark.slow
def test_a_neuron_is_worked_with_the_keyboard_and_the_mouse(open_page: OpenPage) -> None:
    page = open_page("/?tab=inside&panel=neuron")
    wait_for_number(page, -1, 0.88)
    page.locator("#neuron-shift input[type=range]").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    wait_for_number(page, -1, 0)
    field = page.locator("#neuron-weights input").nth(4)
    field.fill("3")
    field.press("Enter")
    wait_for_number(page, 13, 3)  # the weight in the middle
    page.wait_for_function("document.querySelector('#neuron-kernel input').value === 'my own'")
    page.locator(".places").nth(1).click(position={"x": 5, "y": 5})
    wait_for(page, "#neuron-arithmetic", NEURON.place.format(row=2, column=2))
    field.fill("")
    field.press("Enter")
    page.wait_for_selector("text=Row 2, column 2 of the kernel is empty")


@pytest.mark.slow
def test_a_training_in_the_depth_lab_grows_and_is_stopped_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("/zh", PHONE)
    page.click("#inside-tab-button")
    look_at(page, "depth")
    wait_for(page, "#gradients-said", "10⁻¹⁷")
    page.click("#start-depth")
    page.wait_for_selector("#depth-table td")
    second = "[...document.querySelectorAll('#depth-plot .mark-line path')][1]"
    page.wait_for_function(f"{second}?.getAttribute('d')")  # what is trained later is drawn as well
    page.click("#stop-depth")
    wait_for(page, "#depth-status", CHINESE.inside.depth.stopped)
    assert page.locator("#start-depth").is_enabled()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
