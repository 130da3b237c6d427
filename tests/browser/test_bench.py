"""The bench of tab 3: one panel at a time, which is drawn when it is looked at, once for each state of the session."""

import re
from typing import Any

import pytest

from demo.tasks.block_designs import DesignKind, count_saving
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_walk import look_at, wait_for, wait_until_quiet

# Each panel, and what is there once it is drawn.
PANELS = {
    "ladder": "#grid-high img",
    "channel": "#patches img",
    "resolutions": "#resolutions img",
    "kernels": "#kernels img",
    "class-maps": "#class-maps img",
    "erase": "#erasure img",
    "residual": "#block-view svg",
    "blocks": "#designs svg",
    "moves": "#moved-pictures img",
    "statistics": "#statistics table",
    "neuron": "#neuron-maps img",
    "depth": "#gradients-said h3",
}


class Asked:
    """What a page asks of the server: the names of the handlers, since they were last looked at."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._asked: list[str] = []
        events = page.evaluate("gradio_config.dependencies.map(({id, api_name}) => [id, api_name])")
        self._names = {each: re.sub(r"_\d+$", "", str(name)) for each, name in events}
        page.on("request", self._note)
        wait_until_quiet(page, self._asked)
        self._asked.clear()

    def _note(self, request: Any) -> None:
        if "/queue/join" in request.url:
            name = self._names[request.post_data_json["fn_index"]]
            self._asked += [name] * (name != "refresh")

    def are(self, *expected: str) -> None:
        """Wait for what is expected, and for whatever else may come, of which there is nothing."""
        wait_until_quiet(self._page, self._asked, len(expected))
        assert self._asked == [*expected]
        self._asked.clear()


@pytest.mark.slow
def test_only_what_is_looked_at_is_asked_for(open_page: OpenPage) -> None:
    page = open_page()
    asked = Asked(page)
    page.click("#example-coffee")
    wait_for(page, "#answer", "espresso")
    asked.are("choose_example")
    page.click("#inside-tab-button")
    page.wait_for_selector(PANELS["ladder"])
    asked.are("draw_ladder")
    page.click("#kernels-panel-button")
    page.wait_for_selector(PANELS["kernels"])
    asked.are("draw_kernels")
    page.click("#ladder-panel-button")
    asked.are()  # it shows the session as it is
    page.click("#inside-example-cat")
    wait_for(page, "#inside-answer", "tiger cat")
    asked.are("choose_example", "draw_ladder")
    page.click("#predict-tab-button")
    page.click("#example-flower")
    asked.are("choose_example")
    page.click("#inside-tab-button")
    asked.are("draw_ladder")


@pytest.mark.slow
@pytest.mark.ways
@pytest.mark.parametrize(("path", "words"), [("/", ENGLISH), ("/zh", CHINESE)], ids=["en", "zh"])
def test_the_menu_of_a_phone_leads_to_pages_of_a_few_screens(open_page: OpenPage, path: str, words: Words) -> None:
    page = open_page(path, PHONE)
    page.click("#inside-tab-button")
    page.click("#inside-example-cat")
    menu = page.get_by_label(words.inside.look_at)
    tabs = page.locator("#bench [role=tablist] [role=tab]")
    assert menu.locator("option").all_inner_texts() == [tab.strip() for tab in tabs.all_text_contents()]
    assert not tabs.first.is_visible()
    for panel, drawn in PANELS.items():
        look_at(page, panel)
        page.wait_for_selector(drawn)
        assert page.locator(f"#{panel}-panel-button").get_attribute("aria-selected") == "true"
        page.wait_for_function("() => document.querySelector('#bench').getBoundingClientRect().top < innerHeight / 2")
        assert page.evaluate("document.documentElement.scrollHeight") < 4_000
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.evaluate("document.getElementById('kernels-panel-button').click()")
    assert menu.input_value() == "kernels-panel-button"


@pytest.mark.slow
def test_a_map_is_picked_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#inside-tab-button")
    page.wait_for_selector(PANELS["ladder"])
    page.locator("#grid-low button").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    pick = page.evaluate("document.activeElement.dataset.pick")
    assert pick == page.locator("#grid-low button").nth(7).get_attribute("data-pick")
    page.keyboard.press("Enter")
    page.wait_for_function("(pick) => `low ${document.querySelector('#channel input')?.value}` === pick", arg=pick)
    page.wait_for_function("document.activeElement.id === 'channel-panel-button'")


@pytest.mark.slow
def test_the_pictures_can_be_saved(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#inside-tab-button")
    page.click("#inside-example-cat")
    for link, name in (("#overlay-low a", "low-stage-mean"), ("#grid-high figcaption a", "high-stage-its-sixteen")):
        with page.expect_download() as download:
            page.click(link)
        assert download.value.suggested_filename.startswith(name)
        assert download.value.path().read_bytes()[:2] == b"\xff\xd8"  # as a JPEG begins


@pytest.mark.slow
def test_blocks_are_drawn_and_counted_for_the_width_that_is_chosen(open_page: OpenPage) -> None:
    page = open_page("/?tab=inside&panel=blocks", PHONE)
    wait_for(page, "#designs .answer", "69,632")  # at 256 channels
    assert page.locator("#designs svg").count() == len(DesignKind)
    page.locator("#block-width label").filter(has_text="64").click()
    wait_for(page, "#designs .answer", f"{count_saving(64).basic:,}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
