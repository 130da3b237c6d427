"""The guided lesson in a browser: the button of each step leads to what it promises, and the lesson keeps its place."""

from collections.abc import Generator, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest

from demo.lesson.found import Found
from demo.lesson.steps import STEPS
from demo.tasks.evaluate import Accuracy
from demo.ui.lesson.guide_markup import LETTERS
from demo.visitors.jobs import Job
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import LAPTOP, PHONE, OpenPage
from tests.served import Server

PATIENCE_MS = 300_000  # for trainings, on cores that other tests share
# The page writes its address from what it shows; the first tab is named by none.
IS_THERE = """(wanted) => {
  const here = new URLSearchParams(location.search);
  return Object.entries(wanted).every(([name, value]) => (here.get(name) ?? "predict") === value);
}"""
# What four of the steps that train have found, as if somebody had tried them before: tests/lesson trains for it.
_SOME = Accuracy.of(40, 60)
KNOWN: Mapping[str, Mapping[str, Any]] = {
    "depth": {"shallow": 2, "deep": 20, "plain_deep": 0.5}
    | dict.fromkeys(("plain_shallow", "residual_shallow", "residual_deep"), 0.02),
    "pretrained": dict.fromkeys(("scratch", "random", "pretrained"), _SOME),
    "layers": {"layers": 2, "linear": _SOME, "deep": _SOME, "learned": 1.0, "unseen": 0.3, "chance": 0.3},
    "learned": {**dict.fromkeys(("same", "swapped", "mixed"), _SOME), "leaky": 1.0, "honest": 0.7},
}


def tell(found: Found) -> Generator[Found, None, None]:
    yield found


def make_known(server: Server) -> None:
    """Let the steps that train be measured already, but for one, on which the page waits as ever."""
    for step in STEPS:
        if step.name in KNOWN:
            told = Job(partial(tell, Found(step.right, KNOWN[step.name])))
            server.rooms.findings.begin(step, told, Job.run)


def answer(page: Any, number: int, letter: str) -> None:
    page.wait_for_selector(f".guide[data-lesson='{number}']")
    page.click(f".guide .option[data-pick={letter}]")
    page.wait_for_selector(".try-step:enabled")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("path", "viewport", "words"),
    [
        pytest.param("/", LAPTOP, ENGLISH, id="laptop", marks=pytest.mark.ways),
        pytest.param("/zh", PHONE, CHINESE, id="phone-zh"),
    ],
)
def test_every_step_leads_to_the_state_that_it_promises(
    open_page: OpenPage, server: Server, path: str, viewport: dict[str, int], words: Words
) -> None:
    if viewport is PHONE:
        make_known(server)
    page = open_page(f"{path}?lesson=1", viewport)
    for step in STEPS:
        said = words.lesson.steps[step.name]
        page.wait_for_selector(f".guide[data-lesson='{step.number}']")
        assert page.locator(".guide h2").inner_text() == said.title
        assert page.locator(".try-step").is_disabled()
        answer(page, step.number, LETTERS[step.right])
        page.click(".try-step")  # the one click
        page.wait_for_function(
            IS_THERE, arg=dict(parse_qsl(step.place)) | {"lesson": str(step.number)}, timeout=PATIENCE_MS
        )
        page.wait_for_selector(".came-out", timeout=PATIENCE_MS)
        assert words.lesson.as_predicted in page.locator(".came-out").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        if step is not STEPS[-1]:
            page.click(f".guide nav [data-pick='{step.number + 1}']")


@pytest.mark.slow
def test_the_lesson_keeps_its_place(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#next-steps [data-act]")
    answer(page, 1, "a")
    page.wait_for_function("document.activeElement.matches('.try-step')")
    page.click(".try-step")
    page.wait_for_selector(".came-out", timeout=PATIENCE_MS)
    page.wait_for_function(IS_THERE, arg={"example": "astronaut", "lesson": "1"})
    page.click(".guide nav [data-pick='2']")
    page.wait_for_function(IS_THERE, arg={"lesson": "2"})
    page.go_back()
    page.wait_for_selector(".guide[data-lesson='1'] .came-out")
    page.reload()
    page.wait_for_selector(".guide[data-lesson='1'] .option.chosen[data-pick=a]:disabled")
    page.wait_for_function("!document.documentElement.classList.contains('first')")
    page.click(".put-away")
    page.wait_for_selector("#guide", state="hidden")
    page.click("#header [data-act]")
    page.wait_for_selector(".guide[data-lesson='1'] .came-out")
    page.set_viewport_size(PHONE)
    page.click(".guide summary")  # folds to a handle, and the page behind is seen
    assert page.locator("#guide").bounding_box()["height"] < 0.15 * PHONE["height"]


def test_a_step_that_there_is_not_is_said(open_page: OpenPage) -> None:
    page = open_page("/?lesson=13")
    page.wait_for_selector("#notice .notice")
    assert ENGLISH.address.ignored.format(parts="lesson=13") in page.locator("#notice").inner_text()
    assert not page.locator(".guide").is_visible()
