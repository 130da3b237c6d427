"""Files that are brought: too large ones are refused before they are sent, a photograph is taken from anywhere."""

import base64
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import pytest

from demo.data.errors import ArchiveBytesExceeded, ImageBytesExceeded
from demo.data.samples import find_example
from demo.settings import MEGABYTE
from demo.words.language import CHINESE, ENGLISH, Words
from tests.browser.conftest import OpenPage
from tests.browser.test_walk import open_tab, upload, wait_for
from tests.pictures import MakeZip, colour_folders
from tests.served import Server

CAT = find_example("cat").path
# A file of some bytes comes to an element, or to the page, by an event of the browser.
COMES = """([kind, selector, name, type, encoded]) => {
  const bytes = Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, {type}));
  const options = {bubbles: true, cancelable: true, composed: true};
  const event = kind === "paste"
    ? new ClipboardEvent("paste", {...options, clipboardData: data})
    : new DragEvent(kind, {...options, dataTransfer: data});
  document.querySelector(selector).dispatchEvent(event);
  return event.defaultPrevented;
}"""


def comes(page: Any, kind: str, selector: str, path: Path = CAT) -> bool:
    """Let a file come by an event; return whether the page keeps the browser from opening it."""
    encoded = base64.b64encode(path.read_bytes()).decode()
    return bool(page.evaluate(COMES, [kind, selector, path.name, guess_type(path.name)[0], encoded]))


def note_uploads(page: Any) -> list[str]:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/gradio_api/upload?" in request.url else None)
    return sent


def empty_file(path: Path, num_bytes: int) -> Path:
    with path.open("wb") as file:
        file.truncate(num_bytes)
    return path


@pytest.mark.parametrize(
    ("path", "words"), [("/zh", CHINESE), pytest.param("/", ENGLISH, marks=pytest.mark.slow)], ids=["zh", "en"]
)
def test_a_file_that_is_too_large_is_refused_before_it_is_sent_and_the_next_is_taken(
    path: str, words: Words, open_page: OpenPage, server: Server, tmp_path: Path, make_zip: MakeZip
) -> None:
    page, settings = open_page(path), server.rooms.settings
    sent = note_uploads(page)
    upload(page, "#predict-photo", empty_file(tmp_path / "<b>.png", 16 * MEGABYTE))
    limit = settings.max_image_bytes / MEGABYTE
    sentence = words.explain(ImageBytesExceeded(name="<b>.png", megabytes=16, limit=limit))
    wait_for(page, "#predict-photo + .refusal[role=alert]", sentence)
    upload(page, "#predict-photo", CAT)
    wait_for(page, "#answer", "tiger cat")
    assert page.locator(".refusal").count() == 0
    assert len(sent) == 1

    open_tab(page, words.finetune.tab)
    upload(page, "#archive", empty_file(tmp_path / "large.zip", 70 * MEGABYTE))
    limit = settings.max_archive_bytes / MEGABYTE
    sentence = words.explain(ArchiveBytesExceeded(name="large.zip", megabytes=70, limit=limit))
    wait_for(page, "#archive + .refusal", sentence)
    upload(page, "#archive", make_zip(colour_folders()))
    wait_for(page, "#report", words.finetune.gather.dataset_report.format(classes=2, count=12))
    assert page.locator(".refusal, [data-testid=toast-body]").count() == 0
    assert len(sent) == 2


def test_a_photograph_is_pasted_and_dropped_anywhere(open_page: OpenPage) -> None:
    page, palace = open_page(), find_example("palace").path
    assert comes(page, "paste", "body")
    wait_for(page, "#answer", "tiger cat")
    assert not comes(page, "paste", "#backbone input")  # a text field takes what it can itself
    page.wait_for_selector("#predict-photo img")
    assert comes(page, "dragover", "#predict-photo img")
    assert comes(page, "drop", "#predict-photo img", palace)
    wait_for(page, "#answer", "palace")
    open_tab(page, ENGLISH.finetune.tab)
    page.click("#zip-tab-button")
    page.wait_for_selector("#archive input[type=file]", state="attached")
    assert comes(page, "drop", "#report")
    page.wait_for_selector("#predict-photo img")  # this opens the tab that shows it
    wait_for(page, "#answer", "tiger cat")


@pytest.mark.slow
def test_what_is_dropped_on_a_box_is_for_the_box(open_page: OpenPage, make_zip: MakeZip) -> None:
    page = open_page()
    open_tab(page, ENGLISH.finetune.tab)
    page.click("#zip-tab-button")
    page.wait_for_selector("#archive input[type=file]", state="attached")
    assert comes(page, "drop", "#archive button", make_zip(colour_folders()))
    wait_for(page, "#report", ENGLISH.finetune.gather.dataset_report.format(classes=2, count=12))
    assert comes(page, "drop", "#report", make_zip(colour_folders()))  # nowhere: the browser does not open it
    assert page.locator("#predict-photo").is_hidden()
