"""The page as it opens: answered, at the place that its address names, and ready for the first click."""

from typing import Any

import pytest

from demo.words.language import CHINESE, ENGLISH
from tests.browser.conftest import LAPTOP, OpenPage
from tests.browser.test_walk import wait_until_quiet
from tests.served import Server

SMALL = {"width": 375, "height": 812}
IN_SIGHT = """(selector) => [...document.querySelectorAll(selector)].filter((each) => {
  const {top, bottom, left, right, width} = each.getBoundingClientRect();
  return width > 0 && top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
}).length"""


def example_of(page: Any) -> str | None:
    shown: str | None = page.evaluate("document.querySelector('#answer [data-example]')?.dataset.example")
    return shown


def tab_of(page: Any, tabs: str = "#tabs") -> str:
    chosen = f"document.querySelector('{tabs} > .tab-wrapper [aria-selected=true]').dataset.tabId"
    return str(page.evaluate(chosen))


def wait_for_example(page: Any, name: str) -> None:
    page.wait_for_selector(f"#answer [data-example={name}]", state="attached")  # it may be in another tab


@pytest.mark.parametrize("path", ["/", pytest.param("/zh", marks=pytest.mark.slow)])
@pytest.mark.parametrize("viewport", [LAPTOP, SMALL], ids=["laptop", "phone"])
def test_the_first_screen_is_answered_and_says_what_comes_next(
    open_page: OpenPage, path: str, viewport: dict[str, int]
) -> None:
    page = open_page(path, viewport)
    page.wait_for_function(f"({IN_SIGHT})('.bars li') === 5")
    assert page.evaluate(IN_SIGHT, ".stages img") == 4
    assert page.evaluate(IN_SIGHT, "#predict-photo img") == 1
    assert page.evaluate(IN_SIGHT, ".next") >= 1
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_an_address_leads_to_a_place_and_a_reload_and_back_return(open_page: OpenPage) -> None:
    page = open_page("/?tab=inside&example=palace")
    wait_for_example(page, "palace")
    page.wait_for_function("document.querySelector('#inside-tab-button').ariaSelected === 'true'")
    page.click("#predict-tab-button")
    page.wait_for_url("**/?example=palace&network=efficientnet_lite0")
    page.click("#example-cat")
    page.wait_for_url("**/?example=cat&network=efficientnet_lite0")
    page.reload()
    wait_for_example(page, "cat")
    page.wait_for_function("history.state?.place?.example === 'cat'")
    page.go_back()
    wait_for_example(page, "palace")
    page.go_back()
    page.wait_for_function("document.querySelector('#inside-tab-button').ariaSelected === 'true'")


@pytest.mark.slow
def test_the_language_switch_keeps_the_place(open_page: OpenPage) -> None:
    page = open_page("/?tab=inside&example=flower")
    wait_for_example(page, "flower")
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**/zh?*example=flower*")
    page.get_by_role("heading", name=CHINESE.page.title).wait_for()
    wait_for_example(page, "flower")
    page.wait_for_function("document.querySelector('#inside-tab-button').ariaSelected === 'true'")


@pytest.mark.slow
def test_a_wrong_address_is_passed_over_with_one_sentence(open_page: OpenPage) -> None:
    page = open_page("/?tab=nowhere&example=dog")
    page.locator("#notice").filter(has_text="tab=nowhere, example=dog").wait_for()
    assert example_of(page) == "coffee"
    assert tab_of(page) == "predict"


@pytest.mark.slow
def test_the_link_is_copied_and_drawn(open_page: OpenPage, server: Server) -> None:
    page = open_page("/?example=cat")
    wait_for_example(page, "cat")
    page.click("#link summary")
    page.wait_for_selector("#link svg")
    assert page.input_value("#link input").startswith(f"{server.url}/?example=cat")
    page.click("#link [data-copy]")
    page.locator("#link").filter(has_text=ENGLISH.api.copied).wait_for()


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.ways])])
def test_an_example_can_be_clicked_as_soon_as_it_is_seen(chromium: Any, server: Server, times: int) -> None:
    for _ in range(times):
        page = chromium.new_context(viewport=LAPTOP).new_page()
        page.goto(server.url, wait_until="commit")
        page.locator("#example-cat").or_(page.locator("[data-for=example-cat]")).first.click()
        wait_for_example(page, "cat")
        assert page.locator("[data-testid=toast-text]").count() == 0
        page.context.close()


@pytest.mark.slow
def test_one_click_is_one_request(open_page: OpenPage) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    page.wait_for_function("history.state?.place")
    wait_until_quiet(page, asked)
    num_before = len(asked)
    page.click("#example-palace")
    wait_for_example(page, "palace")
    wait_until_quiet(page, asked, num_before + 1)
    assert len(asked) == num_before + 1


@pytest.mark.slow
def test_a_step_of_the_history_leads_to_where_it_can_be_tried_and_back_returns(open_page: OpenPage) -> None:
    page = open_page("/?panel=history")
    page.set_default_timeout(60_000)
    page.locator("#milestones [data-to=residual]").click()
    page.wait_for_selector("#block-view svg")
    page.wait_for_url("**/?tab=inside&panel=residual&*")
    assert page.evaluate("document.activeElement.id") == "residual-panel-button"
    page.locator("#block-view [data-to=blocks]").click()
    page.wait_for_selector("#designs svg")
    page.go_back()
    page.wait_for_url("**/?tab=inside&panel=residual&*")
    page.go_back()
    page.wait_for_url("**/?panel=history*")
    assert page.locator("#milestones").is_visible()
