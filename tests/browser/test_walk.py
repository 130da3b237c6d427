"""A visitor's way through the page, in a real browser with real pictures."""

import re
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from demo.models.zoo import BackboneSpec
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import LAPTOP, PHONE, OpenPage
from tests.browser.everything import TRAINING_MS
from tests.pictures import MakeZip, colour_folders, encode, noise
from tests.served import Server
from tests.weights_host import Resource, WeightsHost, path_of


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def open_step(page: Any, name: str) -> None:
    page.click(f"#step-{name}-button")


def upload(page: Any, selector: str, *paths: Path) -> None:
    if selector == "#archive":
        page.click("#zip-tab-button")
    page.set_input_files(f"{selector} input[type=file]", list(paths))


def wait_for(page: Any, selector: str, text: str | re.Pattern[str], timeout_ms: float = 60_000) -> None:
    page.locator(selector).filter(has_text=text).first.wait_for(timeout=timeout_ms)


def shoot(page: Any, path: Path) -> None:
    page.mouse.move(0, 0)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=path, full_page=True, animations="disabled")


def open_camera(page: Any, selector: str, words: Words = ENGLISH) -> None:
    page.click(f"{selector} >> text={words.gradio['Click to Access Webcam']}")
    page.wait_for_function(f"document.querySelector('{selector} video')?.readyState >= 2")


def record_class(page: Any, words: Words = ENGLISH) -> None:
    """Make a class and record pictures of it, until it has some; the recording goes on."""
    open_tab(page, words.finetune.tab)
    open_tab(page, words.finetune.gather.classes_tab)
    page.fill("#new-class :is(input, textarea)", "me")
    page.click("#add-class")
    wait_for(page, "#switches", "me")
    open_camera(page, "#class-camera", words)
    page.click(f"#class-camera button[aria-label='{words.gradio['capture photo']}']")
    wait_for(page, "#recorded", re.compile(r"me\D+([3-9]|\d{2,})"))  # two may arrive between two looks


def see_stages(page: Any, words: Words = ENGLISH) -> None:
    open_tab(page, words.inside.tab)
    for label in ("low", "middle", "high"):
        for picture in (f"#overlay-{label}", f"#grid-{label}"):
            page.locator(picture).scroll_into_view_if_needed()  # pictures load when they come into view
            page.wait_for_selector(f"{picture} img")


def insects(shared_data: Path, each: int = 30) -> dict[str, bytes]:
    """Return some pictures of each of the tutorial's folders."""
    with zipfile.ZipFile(shared_data / "hymenoptera.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        folders = {name.rpartition("/")[0] for name in names}
        chosen = [name for folder in sorted(folders) for name in [n for n in names if n.startswith(folder)][:each]]
        return {name: archive.read(name) for name in chosen}


def test_the_whole_path(open_page: OpenPage, make_zip: MakeZip, shared_data: Path) -> None:
    page = open_page()
    upload(page, "#predict-photo", shared_data / "imagenet_samples" / "n02123394_Persian_cat.JPEG")
    wait_for(page, "#answer", "Persian cat")

    see_stages(page)
    wait_for(page, "#inside-answer", "Persian cat")
    page.wait_for_selector("#inside-photo img")

    open_tab(page, ENGLISH.finetune.tab)
    upload(page, "#archive", make_zip(insects(shared_data)))
    wait_for(page, "#report", ENGLISH.finetune.gather.dataset_report.format(classes=2, count=120))
    open_step(page, "train")
    page.click("#train")
    page.wait_for_selector(".status.trained", timeout=TRAINING_MS)
    wait_for(page, "#strip", "your 2 classes: ants, bees")
    wait_for(page, "#strip", "of 60 right")
    page.wait_for_selector("#loss .mark-line path")
    assert page.locator("#loss .mark-line path").count() == 2
    open_step(page, "wrong")
    wait_for(page, "#results-headline", "95% Wilson interval")
    page.locator("#confusion [data-pick='0,0']").click()
    wait_for(page, "#cell", "ants, taken for ants")
    page.locator("#cell [data-pick]").first.click()
    wait_for(page, "#picture-detail", "speaks for bees")
    assert page.locator("#picture-detail img").count() == 6  # the picture, two class maps, three neighbours

    open_tab(page, ENGLISH.inside.tab)
    wait_for(page, "#inside-answer", ENGLISH.photo.answer_own)
    open_tab(page, ENGLISH.predict.tab)
    wait_for(page, "#answer", ENGLISH.photo.answer_own)

    token = page.evaluate("sessionStorage.getItem('demo-token')")
    page.wait_for_function("!location.search.includes('tab=')")
    page.reload()
    wait_for(page, "#strip", "your 2 classes: ants, bees")
    page.wait_for_selector("#predict-photo img")
    assert page.evaluate("sessionStorage.getItem('demo-token')") == token

    other = open_page()
    wait_for(other, "#strip", ENGLISH.strip.imagenet_classes.format(count=1000))
    assert other.evaluate("sessionStorage.getItem('demo-token')") != token
    assert other.get_attribute("#predict-photo img", "src") == "examples/coffee.jpg"

    page.click("#back")
    wait_for(page, "#strip", ENGLISH.strip.imagenet_classes.format(count=1000))
    wait_for(page, "#answer", "Persian cat")


@pytest.mark.ways
@pytest.mark.slow
def test_the_pages_that_readme_shows(open_page: OpenPage, screenshots: Path) -> None:
    page = open_page(viewport=LAPTOP)
    page.screenshot(path=screenshots / "predict.png")  # as it opens
    see_stages(page)
    page.screenshot(path=screenshots / "look-inside.png")
    open_tab(page, ENGLISH.finetune.tab)
    open_tab(page, ENGLISH.finetune.gather.starters_tab)
    page.click("#starter-signs")  # pictures that the program draws itself
    wait_for(page, "#report", "Classes: 6")
    open_step(page, "train")
    page.click("#train")
    page.wait_for_selector(".status.trained", timeout=TRAINING_MS)
    page.wait_for_selector("#loss .mark-line path")
    shoot(page, screenshots / "fine-tune.png")


@pytest.mark.slow
def test_one_load_opens_one_session(open_page: OpenPage, server: Server) -> None:
    before = len(server.rooms.sessions)
    open_page()
    open_page("/zh")
    assert len(server.rooms.sessions) == before + 2


@pytest.mark.slow
def test_the_chinese_page_is_chinese_and_keeps_the_session(open_page: OpenPage, screenshots: Path) -> None:
    page = open_page()
    page.click("#example-coffee")
    wait_for(page, "#answer", "espresso")
    page.get_by_role("link", name="中文").or_(page.get_by_role("button", name="中文")).first.click()
    wait_for(page, "header", CHINESE.page.title)
    wait_for(page, "#answer", "espresso")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.title() == CHINESE.page.title
    see_stages(page, CHINESE)
    shoot(page, screenshots / "look-inside-zh.png")


def look_at(page: Any, panel: str) -> None:
    """Choose a panel of the bench from the phone's menu."""
    page.select_option("#bench .tab-menu select", f"{panel}-panel-button")


@pytest.mark.ways
@pytest.mark.slow
def test_each_claim_is_tried_on_a_phone(open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE)
    page.click("#example-cat")
    wait_for(page, "#answer", "tiger cat")
    see_stages(page)

    page.locator("#grid-low button").nth(1).click()
    wait_for(page, "#patches", ENGLISH.inside.channel.patches)
    assert page.input_value("#channel input") != "0"
    page.click("#start-ascent")
    wait_for(page, "#ascent", re.compile("Step [1-9]"))
    page.click("#stop-ascent")

    look_at(page, "class-maps")
    wait_for(page, "#class-maps", "tiger cat")
    page.click("#second-class input")
    page.keyboard.type("tench")
    page.keyboard.press("Enter")
    wait_for(page, "#class-maps", "tench")
    assert page.locator("#class-maps img").count() == 8

    look_at(page, "erase")
    wait_for(page, "#erasure", "with nothing erased")
    page.get_by_role("button", name=ENGLISH.inside.erase.paint).click()
    canvas = page.locator(".canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 100, steps=20)
    page.mouse.up()
    assert page.locator(".cells input:checked").count() > 4
    page.click("[data-measure]")
    wait_for(page, "#painted", ENGLISH.inside.erase.parts["rest"])

    look_at(page, "residual")
    page.wait_for_selector("#residual-panel svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "words"), [pytest.param("/", ENGLISH, marks=pytest.mark.slow), ("/zh", CHINESE)], ids=["en", "zh"]
)
def test_a_phone_shows_every_tab_without_scrolling_sideways(
    open_page: OpenPage, make_zip: MakeZip, screenshots: Path, path: str, words: Words
) -> None:
    page = open_page(path, PHONE)
    for number, tab in enumerate((words.predict.tab, words.finetune.tab, words.inside.tab), 1):
        open_tab(page, tab)
        if number == 1:
            page.click("#example-palace")
            wait_for(page, "#answer", "palace")
        elif number == 2:
            upload(page, "#archive", make_zip(colour_folders()))
            wait_for(page, "#report", "blue")
        else:
            see_stages(page, words)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        shoot(page, screenshots / f"phone-{words.language}-{number}.png")


@pytest.mark.slow
def test_bad_input_is_named_and_changes_nothing(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/zh")
    page.click("#example-cat")
    wait_for(page, "#answer", "tiger cat")
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    path.write_bytes(b"not a picture")
    page.on("dialog", lambda _dialog: pytest.fail("a file's name ran as a script"))
    page.click(f"#predict-photo button[aria-label='{CHINESE.gradio['Remove Image']}']")
    wait_for(page, "#answer", CHINESE.photo.missing)
    upload(page, "#predict-photo", path)
    wait_for(page, "[data-testid=toast-text]", "是文本文件，不是图片")
    wait_for(page, "#answer", CHINESE.photo.missing)
    page.wait_for_function("document.querySelectorAll('#predict-photo img').length === 0")


def wait_until_quiet(page: Any, asked: list[Any], least: int = 0) -> None:
    """Wait until so much was asked of the server, and nothing more is for a while; long where nothing is expected."""
    num_asked, deadline = -1, time.monotonic() + 60
    while len(asked) > num_asked or len(asked) < least:
        assert time.monotonic() < deadline, asked
        num_asked = len(asked)
        page.wait_for_timeout(1_000 if least else 2_000)


@pytest.mark.slow
def test_a_photograph_goes_to_both_tabs_in_few_requests(open_page: OpenPage, tmp_path: Path) -> None:
    page, path = open_page(), tmp_path / "red.png"
    path.write_bytes(encode(noise(1, (60, 40))))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    wait_until_quiet(page, asked)
    num_before = len(asked)
    upload(page, "#predict-photo", path)
    wait_for(page, "#answer", ENGLISH.photo.answer_imagenet)
    page.wait_for_selector("#predict-photo img[src^='data:image/jpeg']")  # what is kept, not the file that was deleted
    wait_until_quiet(page, asked, num_before + 1)
    assert len(asked) - num_before == 1
    open_tab(page, ENGLISH.inside.tab)
    page.wait_for_selector("#inside-photo img[src^='data:image/jpeg']")
    upload(page, "#inside-photo", path)
    wait_for(page, "#inside-answer", ENGLISH.photo.answer_imagenet)


@pytest.mark.slow
def test_the_camera_takes_a_photograph(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#predict-photo button[aria-label='Capture from camera']")
    open_camera(page, "#predict-photo")
    page.click("#predict-photo button[aria-label='capture photo']")
    page.wait_for_selector("#answer .answered:not([data-example])")
    wait_for(page, "#answer", ENGLISH.photo.answer_imagenet)


@pytest.mark.slow
def test_the_camera_records_pictures_of_a_class(open_page: OpenPage) -> None:
    page = open_page()
    record_class(page)
    page.click("#class-camera button[aria-label='capture photo']")
    page.wait_for_function("document.querySelectorAll('#report .thumbnails img').length >= 3")


@pytest.mark.slow
def test_a_network_of_the_history_is_fetched_and_compared(
    open_page: OpenPage, screenshots: Path, host: WeightsHost, resnet18: BackboneSpec, checkpoint: bytes
) -> None:
    page = open_page()
    page.click("#example-cat")
    wait_for(page, "#answer", "tiger cat")
    page.get_by_role("button", name=ENGLISH.predict.history.title).click()
    page.click("#use-resnet18")
    wait_for(page, "#network-notice", "The weights of ResNet-18 could not be had")
    wait_for(page, "#strip", "EfficientNet-Lite0")
    shoot(page, screenshots / "network-missing.png")

    host.resources[path_of(resnet18)] = Resource(checkpoint, chunk_bytes=2_000_000, pause_s=0.1)
    page.click("#try-again")
    wait_for(page, "#network-notice", "Downloading ResNet-18 from 127.0.0.1")
    page.wait_for_selector("#network-notice progress")
    wait_for(page, "#strip", "ResNet-18")
    wait_for(page, "#answer", "ResNet-18")

    page.get_by_role("button", name=ENGLISH.predict.side_by_side.title).click()
    page.locator("#networks label").filter(has_text="ResNet-18").click()
    page.click("#compare")
    page.wait_for_selector("#comparison section:nth-of-type(2) li")
    shoot(page, screenshots / "side-by-side.png")


@pytest.mark.slow
def test_classes_are_made_on_the_page(open_page: OpenPage, shared_data: Path) -> None:
    page = open_page("/zh")
    open_tab(page, CHINESE.finetune.tab)
    open_tab(page, CHINESE.finetune.gather.classes_tab)
    pictures = sorted((shared_data / "imagenet_samples").glob("*.JPEG"))
    for number, name in enumerate(("<b>猫</b>", "咖啡")):
        page.fill("#new-class :is(input, textarea)", name)
        page.click("#add-class")
        wait_for(page, "#switches", name)
        page.set_input_files("#class-pictures input[type=file]", pictures[6 * number : 6 * number + 6])
        wait_for(page, "#report", f"{name} (6)")
    wait_for(page, "#report", "2 个类别，12 张图片")
    open_step(page, "train")
    page.click("#train")
    page.wait_for_selector(".status.trained", timeout=TRAINING_MS)
    wait_for(page, "#strip", "<b>猫</b>")
    assert page.locator("#strip b").count() == 0
    open_step(page, "keep")
    with page.expect_download() as download:
        page.click("#export")
        page.locator("#export-file a").first.click()
    upload(page, "#import-head", download.value.path())
    wait_for(page, "#import-status", "分类头已启用")


@pytest.mark.slow
def test_the_race_is_run_and_found_again(open_page: OpenPage, make_zip: MakeZip, screenshots: Path) -> None:
    page = open_page()
    open_tab(page, ENGLISH.finetune.tab)
    upload(page, "#archive", make_zip(colour_folders(12)))
    wait_for(page, "#report", "24 pictures")
    open_step(page, "experiments")
    page.click("#start-race")
    page.wait_for_selector("#race-status .trained", timeout=TRAINING_MS)
    assert page.locator("#race-table tbody tr").count() == 4
    page.get_by_role("button", name=ENGLISH.finetune.experiments.few).click()
    page.click("#start-few")
    page.wait_for_selector("#few-status .trained", timeout=TRAINING_MS)
    shoot(page, screenshots / "experiments.png")
    page.reload()
    open_tab(page, ENGLISH.finetune.tab)
    open_step(page, "experiments")
    wait_for(page, "#race-table", ENGLISH.finetune.experiments.contenders["tuned"])
    assert page.locator("#race-table tbody tr").count() == 4


@pytest.mark.slow
def test_a_reload_finds_a_training_that_runs(open_page: OpenPage, make_zip: MakeZip) -> None:
    page = open_page()
    open_tab(page, ENGLISH.finetune.tab)
    upload(page, "#archive", make_zip(colour_folders(60)))
    wait_for(page, "#report", "120 pictures")
    open_step(page, "train")
    page.click("#train")
    page.wait_for_selector("#stop:enabled")
    page.reload()
    open_tab(page, ENGLISH.finetune.tab)
    open_step(page, "train")
    page.wait_for_selector(".status.trained", timeout=TRAINING_MS)
    wait_for(page, "#strip", "your 2 classes: blue, red")


@pytest.mark.slow
def test_stop_is_heard(open_page: OpenPage, make_zip: MakeZip) -> None:
    page = open_page()
    open_tab(page, ENGLISH.finetune.tab)
    upload(page, "#archive", make_zip(colour_folders(60)))
    wait_for(page, "#report", "120 pictures")
    open_step(page, "train")
    page.click("#train")
    page.wait_for_selector("#stop:enabled")
    page.click("#stop")
    wait_for(page, "#training-status", "The training was stopped")
    wait_for(page, "#strip", ENGLISH.strip.imagenet_classes.format(count=1000))
    page.wait_for_selector("#train:enabled")
