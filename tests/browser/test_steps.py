"""Tab 2 as steps: what is missing, the way on, a phone's bar; whatever an action changes is in sight."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.words.language import CHINESE, ENGLISH
from tests.browser.conftest import OpenPage
from tests.browser.everything import TRAINING_MS
from tests.browser.test_walk import record_class, upload, wait_for, wait_until_quiet
from tests.pictures import MakeZip, colour_folders, encode, noise
from tests.served import Server

PHONE = {"width": 375, "height": 812}
STEPS = ENGLISH.finetune.steps
# Whether an element is in sight: at least a part of it as high as a line of text, which neither the tabs nor the bar
# of the phone covers.
IN_SIGHT = """(selector) => {
  const shown = document.querySelector(selector);
  if (!shown || !shown.textContent.trim() && !shown.querySelector("img, svg, input")) return false;
  const {top, bottom, left, right} = shown.getBoundingClientRect(), {above, below} = demo.keepClear();
  if (Math.min(bottom, below) - Math.max(top, above) < Math.min(24, bottom - top)) return false;
  const x = (Math.max(left, 0) + Math.min(right, innerWidth)) / 2;
  const y = (Math.max(top, above) + Math.min(bottom, below)) / 2;
  return !document.elementFromPoint(x, y)?.closest("#bar, [role=tablist]:has(#predict-tab-button)");
}"""
ALL_IS_CLEAR_AT_THE_END = """() => {
  scrollTo({top: document.documentElement.scrollHeight, behavior: "instant"});
  const [tab, end, bar] = ["#finetune-tab-button", "#privacy", "#bar"].map((each) => document.querySelector(each));
  const {top, bottom} = end.getBoundingClientRect();
  return tab.getBoundingClientRect().top >= 0 && top > 0 && bottom <= bar.getBoundingClientRect().top;
}"""
# Whether it has been for a second.
STAYS_IN_SIGHT = f"""(selector) => {{
  const now = performance.now();
  window.seenSince = ({IN_SIGHT})(selector) ? window.seenSince ?? now : null;
  return window.seenSince !== null && now - window.seenSince > 1000;
}}"""


def is_seen(page: Any, selector: str) -> None:
    """Wait until an element is in sight and stays there: the page may still scroll."""
    page.evaluate("window.seenSince = null")
    page.wait_for_function(STAYS_IN_SIGHT, arg=selector, polling=100)


def bar(page: Any) -> str:
    text: str = page.inner_text("#bar")
    return text.strip()


def take_signs(page: Any) -> None:
    page.click("#finetune-tab-button")
    page.click("#starter-signs")
    wait_for(page, "#step-pictures-button", STEPS.pictures.format(classes=6, count=180))


@pytest.fixture
def phone(open_page: OpenPage) -> Any:
    return open_page(viewport=PHONE)


def test_a_step_says_what_is_missing_and_leads_there(phone: Any) -> None:
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    phone.click("#finetune-tab-button")
    wait_until_quiet(phone, asked, 1)  # what an opened tab asks for
    num_before = len(asked)
    for step, sentence, where in (
        ("keep", STEPS.no_head, "train"),
        ("wrong", STEPS.no_head, "train"),
        ("experiments", STEPS.no_pictures, "pictures"),
        ("train", STEPS.no_pictures, "pictures"),
    ):
        phone.click(f"#step-{step}-button")
        wait_for(phone, f"#missing-{step}", sentence)
        phone.wait_for_function(
            "name => document.querySelector('#bar button').textContent === name", arg=STEPS.names[where]
        )
        phone.click("#bar button")
        phone.wait_for_selector(f"#step-{where}-button[aria-selected=true]")
    assert len(asked) == num_before


@pytest.mark.slow
def test_whatever_an_action_changes_is_in_sight_on_a_phone(phone: Any, make_zip: MakeZip, tmp_path: Path) -> None:
    take_signs(phone)
    is_seen(phone, "#report h3")
    phone.wait_for_function("text => document.querySelector('#bar').textContent === text", arg=STEPS.to_train)
    phone.click("#classes-tab-button")
    phone.fill("#new-class :is(input, textarea)", "noise")
    phone.click("#add-class")
    phone.wait_for_function("document.querySelector('#chosen-class input').value === 'noise'")
    is_seen(phone, "#chosen-class")
    pictures = [tmp_path / f"{number}.png" for number in range(6)]
    for number, picture in enumerate(pictures):
        picture.write_bytes(encode(noise(number)))
    upload(phone, "#class-pictures", *pictures)
    wait_for(phone, "#report", "noise (6)")
    is_seen(phone, "#report h3")
    upload(phone, "#archive", make_zip(colour_folders(60)))
    wait_for(phone, "#report", ENGLISH.finetune.gather.dataset_report.format(classes=2, count=120))
    is_seen(phone, "#report h3")
    phone.click("#bar button")
    is_seen(phone, "#train")

    phone.click("#train")
    phone.wait_for_selector("#bar.runs")
    is_seen(phone, "#training-status")
    assert bar(phone).endswith(ENGLISH.finetune.training.stop)
    phone.click("#bar button")  # Stop
    wait_for(phone, "#training-status", "The training was stopped")
    is_seen(phone, "#training-status")
    phone.wait_for_selector("#train:enabled")
    phone.click("#bar button")  # Train
    phone.wait_for_selector("#training-status .trained", timeout=TRAINING_MS)
    is_seen(phone, "#training-status")
    phone.click("#bar button")
    is_seen(phone, "#confusion table")

    phone.locator("#confusion [data-pick='0,0']").click()
    is_seen(phone, "#cell .figures")
    phone.locator("#cell [data-pick]").first.click()
    phone.wait_for_selector("#picture-detail img")
    is_seen(phone, "#picture-detail")
    assert phone.evaluate("document.documentElement.scrollHeight") < 4000
    phone.get_by_role("button", name=ENGLISH.finetune.results.reliability_title).click()
    phone.click("#fit-temperature")
    wait_for(phone, "#temperature", re.compile("temperature"))
    is_seen(phone, "#temperature")

    phone.click("#step-experiments-button")
    phone.click("#start-race")
    phone.wait_for_selector("#bar.runs")
    is_seen(phone, "#race-status")
    phone.click("#bar button")  # Stop
    wait_for(phone, "#race-status", "stopped")
    is_seen(phone, "#race-status")
    phone.click("#step-keep-button")
    phone.click("#export")
    phone.wait_for_selector("#export-file a")
    is_seen(phone, "#export-file")
    wait_for(phone, "#step-keep-button", STEPS.kept)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.slow
def test_tabs_stay_in_sight_and_the_bar_covers_nothing(open_page: OpenPage) -> None:
    page = open_page("/zh", PHONE)
    page.click("#finetune-tab-button")
    page.click("#starter-signs")
    page.wait_for_function(
        "text => document.querySelector('#bar').textContent === text", arg=CHINESE.finetune.steps.to_train
    )
    is_seen(page, "#report h3")  # the page has scrolled there
    page.wait_for_function(ALL_IS_CLEAR_AT_THE_END)


@pytest.fixture
def recording(open_page: OpenPage, server: Server) -> Iterator[tuple[Any, Any]]:
    """A page that records pictures of a class, and its session."""
    page = open_page()
    record_class(page)
    wait_for(page, "#recording", re.compile(r"Recording: \d+ s"))
    yield page, server.rooms.sessions.attach(page.evaluate("sessionStorage.getItem('demo-token')"))


LEAVES = {
    "the tab": "#predict-tab-button",
    "the step": "#step-train-button",
    "the way of bringing pictures": "#starters-tab-button",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "leaves", [pytest.param(way, marks=[pytest.mark.ways] * (way != "the step")) for way in LEAVES]
)
def test_the_class_camera_stops_when_it_is_left(recording: tuple[Any, Any], leaves: str) -> None:
    page, session = recording
    page.evaluate("window.track = document.querySelector('#class-camera video').srcObject.getTracks()[0]")
    page.click(LEAVES[leaves])
    page.wait_for_function("window.track.readyState === 'ended'")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/gradio_api/" in request.url else None)
    for _ in range(5):  # what was on its way comes, and what follows from it
        before, num_asked = len(session.pictures.collection.pictures), len(asked)
        page.wait_for_timeout(3000)
        if len(asked) == num_asked:
            break
    assert len(asked) == num_asked
    assert len(session.pictures.collection.pictures) == before
    assert page.locator("[data-testid=toast-text]").count() == 0
    assert page.evaluate("document.querySelector('#recording').textContent") == ""


@pytest.mark.slow
def test_the_class_camera_stops_on_the_chinese_page_too(open_page: OpenPage) -> None:
    page = open_page("/zh")
    record_class(page, CHINESE)
    page.evaluate("window.track = document.querySelector('#class-camera video').srcObject.getTracks()[0]")
    page.click("#predict-tab-button")
    page.wait_for_function("window.track.readyState === 'ended'")
    assert page.evaluate("document.querySelector('#recording').textContent") == ""


@pytest.mark.slow
def test_the_class_camera_stops_after_a_minute_and_can_be_used_again(recording: tuple[Any, Any]) -> None:
    page, session = recording
    page.evaluate("window.track = document.querySelector('#class-camera video').srcObject.getTracks()[0]")
    page.evaluate("{ const now = Date.now; Date.now = () => now() + 61_000; }")
    page.wait_for_function("window.track.readyState === 'ended'")
    page.wait_for_timeout(1500)
    before = len(session.pictures.collection.pictures)
    page.click("#class-camera button[aria-label='capture photo']")
    # More than one comes at a time where the machine is slow.
    script = "(least) => Number(document.querySelector('#recorded').textContent.match(/me: (\\d+)/)?.[1]) >= least"
    page.wait_for_function(script, arg=before + 2, timeout=60_000)
