"""How a zip was read, on the page: what is asked is answered before training, and all can be put right, by keyboard."""

from pathlib import Path
from typing import Any

import pytest

from demo.data.reading import Role
from demo.ui.finetune.gather.picks import mark
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import LAPTOP, PHONE, OpenPage
from tests.browser.everything import TRAINING_MS
from tests.browser.test_walk import upload, wait_for
from tests.pictures import MakeZip, encode, noise

BOTH = pytest.mark.parametrize(
    ("path", "viewport", "words"), [("/", LAPTOP, ENGLISH), ("/zh", PHONE, CHINESE)], ids=["laptop", "phone-zh"]
)
# Whether an element has the focus and stands where it can be seen.
HAS_FOCUS = """(selector) => {
  const has = document.activeElement;
  return has.matches(selector) && has.getClientRects().length > 0;
}"""


def nested(num_pictures: int = 4) -> dict[str, bytes]:
    """Return the files of two classes whose pictures lie in folders of their own."""
    return {
        f"{outer}/{inner}/{number}.png": encode(noise(100 * place + number))
        for place, (outer, inner) in enumerate(
            (("animals", "cats"), ("animals", "dogs"), ("plants", "oaks"), ("plants", "elms"))
        )
        for number in range(num_pictures)
    }


def open_zip(open_page: OpenPage, path: str, viewport: dict[str, int], archive: Path) -> Any:
    page = open_page(path, viewport)
    page.click("#finetune-tab-button")
    page.click("#zip-tab-button")
    upload(page, "#archive", archive)
    page.wait_for_selector("#report .reading")
    return page


def has_focus(page: Any, selector: str) -> None:
    page.wait_for_function(HAS_FOCUS, arg=selector)


@pytest.mark.slow
@BOTH
def test_what_is_asked_is_answered_before_training(
    open_page: OpenPage, make_zip: MakeZip, path: str, viewport: dict[str, int], words: Words
) -> None:
    page, ours = open_zip(open_page, path, viewport, make_zip(nested())), words.finetune.reading
    page.wait_for_selector("#questions img")
    assert page.locator("#way-pictures .next").count() == 0  # what comes next is the question
    page.click("#step-train-button")
    page.focus("#train")
    page.keyboard.press("Enter")
    has_focus(page, "#train-questions [data-heir]")
    page.keyboard.press("Tab")
    has_focus(page, "[data-pick='answer-nested-inner']")
    page.keyboard.press("Enter")
    has_focus(page, "#train")
    assert page.inner_text("#train-questions") == ours.ask.is_settled
    wait_for(page, "#step-pictures-button", words.finetune.steps.pictures.format(classes=4, count=16))
    page.keyboard.press("Enter")
    page.wait_for_selector("#training-status .trained", timeout=TRAINING_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.slow
@BOTH
def test_a_reading_is_put_right_by_keyboard_and_stays_unfolded(
    open_page: OpenPage, make_zip: MakeZip, path: str, viewport: dict[str, int], words: Words
) -> None:
    page, ours = open_zip(open_page, path, viewport, make_zip(nested())), words.finetune.reading
    page.click("#questions [data-pick='answer-nested-keep']")
    has_focus(page, "#way-pictures .next")

    page.focus(f"[data-pick='name-{mark('animals')}']")
    page.keyboard.press("Control+a")
    page.keyboard.type("beasts")
    page.keyboard.press("Enter")
    wait_for(page, "#switches", "beasts")
    has_focus(page, f"[data-pick='name-{mark('beasts')}']")
    page.keyboard.press("Control+a")
    page.keyboard.type("plants")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-testid=toast-text]")  # there is a class of that name
    page.wait_for_function("document.activeElement.value === 'beasts'")

    page.click("#report [data-keep=right] summary")
    select = f"[data-pick='role-{mark('plants')}']"
    page.focus(select)
    page.select_option(select, Role.OUT)
    wait_for(page, "#report .reading", ours.splits[Role.OUT].format(folders="plants"))
    has_focus(page, select)
    assert page.locator("#report [data-keep=right]").get_attribute("open") is not None
    page.select_option(select, Role.CLASS)
    page.wait_for_selector(f"[data-pick='tick-{mark('plants')}']")
    for name in ("beasts", "plants"):
        page.check(f"[data-pick='tick-{mark(name)}']")
    page.click("[data-pick=join]")
    page.wait_for_selector(f"[data-pick='name-{mark('plants')}']", state="detached")
    wait_for(page, "#report", "beasts (16)")

    page.click("[data-pick='ask-nested']")
    has_focus(page, "#questions [data-heir]")
    page.click("[data-pick=reset]")
    page.wait_for_selector(f"[data-pick='name-{mark('animals')}']")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.slow
def test_zips_are_joined_and_one_can_be_taken_out(open_page: OpenPage, make_zip: MakeZip, tmp_path: Path) -> None:
    parts = []
    for place, names in enumerate((("cat", "dog"), ("dog", "owl"))):
        files = {
            f"{name}/{place}-{n}.png": encode(noise(100 * place + 10 * k + n))
            for k, name in enumerate(names)
            for n in range(3)
        }
        parts.append(make_zip(files).rename(tmp_path / f"part-{place}.zip"))
    page = open_zip(open_page, "/", LAPTOP, parts[0])
    upload(page, "#archive", parts[1])
    wait_for(page, "#report", "dog (6)")
    zips = ENGLISH.list_separator.join(each.name for each in parts)
    assert ENGLISH.finetune.reading.joined_zips.format(names=zips) in page.inner_text("#report")
    page.click("#report [data-keep=right] summary")
    page.click(f"[data-pick='source-{mark('part-0.zip')}']")
    wait_for(page, "#report", "dog (3)")
    assert "cat" not in page.inner_text("#report")
