"""Files on their way to the server: made ready by a worker, with a sentence for each stage, and a way back."""

import re
from pathlib import Path
from typing import Any

import pytest

from demo.data.errors import NotAnImage, TooManyPictures
from demo.data.formats.errors import IsText
from demo.words.language import CHINESE, ENGLISH, Words
from tests.benchmarks.uploads import WATCH, Sent, enlarge, make_class, photograph, write_photographs
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.everything import TRAINING_MS
from tests.browser.test_walk import insects, open_step, open_tab, upload, wait_for
from tests.pictures import MakeZip

pytestmark = [pytest.mark.slow, pytest.mark.ways]

STAGES = """() => {
  window.stages = [];
  new MutationObserver(() => {
    const said = document.querySelector(".bringing [role=status]")?.textContent;
    if (said && said !== stages.at(-1)) stages.push(said);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
ACCEPTED = """(id) => {
  const input = document.querySelector(`#${id} input[type=file]`);
  input.addEventListener("click", (event) => event.preventDefault());
  input.click();
  return input.accept;
}"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG under the name that Google Takeout and iPhones give to some."""
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(photograph(1, orientation=6, size=(1600, 1200)))
    assert path.stat().st_size > 400_000
    return path


def open_classes(page: Any, words: Words = ENGLISH) -> Any:
    open_tab(page, words.finetune.tab)
    make_class(page, "phone")
    return page


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
def test_a_photograph_travels_light_and_each_stage_is_said(open_page: OpenPage, photo: Path, words: Words) -> None:
    page = open_page("/zh" if words is CHINESE else "/", viewport=PHONE)
    sent = Sent(page)
    page.evaluate(STAGES)
    upload(page, "#predict-photo", photo)
    page.wait_for_function("document.querySelector('#predict-photo img')?.naturalHeight > 500")
    page.wait_for_selector(".bringing", state="detached")
    assert sent.megabytes() < 0.25
    stages = page.evaluate("stages")
    assert stages[:2] == [words.sending.looking, words.sending.shrinking.format(count=1, done=0)]
    assert re.fullmatch(re.escape(words.sending.sending).replace(r"\{megabytes\}", r"0\.\d"), stages[2])
    width, height = page.evaluate(
        "(({naturalWidth: w, naturalHeight: h}) => [w, h])(document.querySelector('#predict-photo img'))"
    )
    assert width < height  # upright
    assert page.locator("[data-testid=toast-body], .refusal").count() == 0


def test_more_pictures_than_are_used_are_refused_before_anything_is_done(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_classes(open_page())
    sent, paths = Sent(page), [tmp_path / f"{number}.jpg" for number in range(501)]
    for path in paths:
        path.write_bytes(b"")
    upload(page, "#class-pictures", *paths)
    wait_for(page, "#class-pictures + .refusal[role=alert]", ENGLISH.explain(TooManyPictures(limit=500)))
    assert sent.megabytes() == 0


def test_capital_letters_reach_our_reading(open_page: OpenPage, tmp_path: Path) -> None:
    page, path = open_page("/zh"), tmp_path / "IMG_0002.HEIC"
    path.write_bytes(b"no picture at all")
    upload(page, "#predict-photo", path)
    page.locator("[data-testid=toast-body]", has_text=path.name).wait_for()
    said = page.inner_text("[data-testid=toast-body]")
    assert CHINESE.explain(NotAnImage(name=path.name, what=IsText())).rstrip("。") in said
    assert "Invalid" not in said


def test_while_it_works_the_class_stays_and_there_is_a_way_back(open_page: OpenPage, photo: Path) -> None:
    page = open_classes(open_page())
    sent, held = Sent(page), list[Any]()
    page.route("**/assets/shrinker-*.js", lambda route: held.append(route))
    upload(page, "#class-pictures", photo)
    wait_for(page, ".bringing", ENGLISH.sending.looking)
    assert page.locator("#chosen-class[inert], #add-class[inert]").count() == 2
    box = page.locator("#class-pictures").bounding_box()
    page.get_by_role("button", name=ENGLISH.sending.cancel).click()
    page.wait_for_selector(".bringing", state="detached")
    assert page.locator("#class-pictures").bounding_box() == box
    assert page.locator("[inert]").count() == 0
    assert sent.megabytes() == 0
    page.unroute("**/assets/shrinker-*.js")
    upload(page, "#class-pictures", photo)
    wait_for(page, "#report", "phone (1)")
    assert 0 < sent.megabytes() < 0.25


@pytest.mark.parametrize(("fault", "is_light"), [("no canvas", True), ("no worker", True), ("no script", False)])
def test_an_old_browser_does_what_it_can(open_page: OpenPage, photo: Path, fault: str, is_light: bool) -> None:
    page = open_classes(open_page())
    sent = Sent(page)
    if fault == "no script":
        page.route("**/assets/shrinker-*.js", lambda route: route.abort())
    else:
        page.evaluate(f"delete window.{'OffscreenCanvas' if fault == 'no canvas' else 'Worker'}")
    upload(page, "#class-pictures", photo)
    wait_for(page, "#report", "phone (1)")
    assert (sent.megabytes() < 0.25) == is_light


def test_phones_open_the_album(open_page: OpenPage) -> None:
    page = open_classes(open_page(viewport=PHONE, has_touch=True, is_mobile=True))
    assert page.evaluate(ACCEPTED, "class-pictures") == "image/*"
    page.click("#zip-tab-button")
    page.wait_for_selector("#archive input[type=file]", state="attached")
    assert page.evaluate(ACCEPTED, "archive") == ""
    desk = open_page()
    assert ".heic" in desk.evaluate(ACCEPTED, "bring")
    desk.click("#finetune-tab-button")
    desk.click("#classes-tab-button")
    desk.wait_for_selector("#class-pictures input[type=file]", state="attached")
    assert desk.evaluate(ACCEPTED, "class-pictures") == ""  # files without a suffix are shown too


def test_a_phones_photographs_go_through_and_the_page_answers(open_page: OpenPage, tmp_path: Path) -> None:
    page, count = open_classes(open_page()), 10
    sent = Sent(page)
    paths = write_photographs(tmp_path, count, scenes=2)
    page.evaluate(WATCH)
    upload(page, "#class-pictures", *paths)
    page.click("#faces-panel button")  # meanwhile
    page.locator("#have-agreed").wait_for(timeout=2_000)
    wait_for(page, "#report", f"phone ({count})")
    assert sent.megabytes() < 0.2 * count
    assert page.evaluate("longest") < 1_000  # two cores are shared with the decoder, the server and other tests


def test_a_zip_beyond_the_limit_is_made_to_fit_and_trains_as_well(
    open_page: OpenPage, make_zip: MakeZip, shared_data: Path, tmp_path: Path
) -> None:
    right = []
    large = enlarge(shared_data / "hymenoptera.zip", tmp_path / "large.zip", most=30)
    for path, limit in ((large, large.stat().st_size * 0.6), (make_zip(insects(shared_data)), 30e6)):
        page = open_page()
        page.evaluate(f"demo.maxBytes.archive = {limit}")
        sent = Sent(page)
        open_tab(page, ENGLISH.finetune.tab)
        upload(page, "#archive", path)
        wait_for(page, "#report", ENGLISH.finetune.gather.dataset_report.format(classes=2, count=120))
        assert sent.megabytes() < limit / 1e6
        open_step(page, "train")
        page.click("#train")
        page.wait_for_selector(".status.trained", timeout=TRAINING_MS)
        wait_for(page, "#strip", "of 60 right")
        right.append(int(page.inner_text("#strip").split(" of 60 right")[0].split()[-1]))
    assert abs(right[0] - right[1]) <= 1
