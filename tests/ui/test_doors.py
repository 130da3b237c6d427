"""Every door reads pictures by the same rule: what one takes or refuses, all others do, for the same reason."""

import base64
import csv
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from demo.data.collection import Collection
from demo.data.formats.tones import Note
from demo.models.zoo import EMBEDDED
from demo.ui.photo import Chosen, Photos, Shown
from demo.ui.predict.side_by_side import BatchTable
from demo.visitors.session import Session
from demo.words.language import ENGLISH
from tests.served import Server
from tests.visitor import Refused, Visit, Visitor, fill

NOTES = {note: ENGLISH.photo.notes[note] for note in Note}
CATS = {
    *("NOEXT", "upper.JPG", "x.jfif", "x.jpe", "jpeg.HEIC", "plain.jpg", "real.heic", "heic-named.jpg", "tiff.tif"),
    *("gray16-full.png", "cmyk.jpg", "palette-trns.png", "anim.webp", "avif.avif", "mpo.jpg", "exif6.jpg"),
    *("panorama.jpg", "one-bit.png"),
}
NOTED = {
    "cut3.jpg": Note.CUT,
    "cut150.jpg": Note.CUT,
    "gray16-12bit.png": Note.STRETCHED,
    "white-icon-transparent.png": Note.BACKDROP,
    "all-transparent.png": Note.TRANSPARENT,
    "one-px.png": Note.BLACK,
}
REFUSED = {
    "svg.svg": "is a drawing of lines (SVG)",
    "jxl.jpg": "is a JPEG XL picture",
    "html.jpg": "is a web page, not a picture",
    "zero.jpg": "is empty",
    "cut-half.jpg": "is damaged or cut off",
}
# Of these it is seen what they show; the panorama, the drawing and what is nearly nothing have an answer of some kind.
SEEN = {*CATS, "cut3.jpg", "cut150.jpg", "gray16-12bit.png"} - {"panorama.jpg", "one-bit.png"}


class Told(NamedTuple):
    """What a door makes of a picture: the best class where it says one, the notes, or the reason why not."""

    best: str = ""
    notes: frozenset[str] = frozenset()
    reason: str = ""


def find_notes(text: str) -> frozenset[str]:
    return frozenset(note for note, sentence in NOTES.items() if sentence in text)


def page_door(visitor: Visitor, handler: str, path: Path) -> Told:
    """Bring a photograph: choose it, or drop it anywhere."""
    try:
        outputs = visitor.call(handler, visitor.upload(path))
    except Refused as refused:
        return Told(reason=str(refused))
    shown = fill(Chosen, outputs).shown if handler == "choose_photo" else fill(Shown, outputs[len(Photos._fields) :])
    return Told(shown.answer.partition("<strong>")[2].partition("</strong>")[0], find_notes(shown.answer))


def api_door(client: Client, path: Path) -> Told:
    try:
        answer = client.predict(handle_file(path), "", 1, api_name="/predict")
    except AppError as refused:
        return Told(reason=str(refused))
    return Told(answer["predictions"][0]["class_name"], find_notes(" ".join(answer["notes"])))


def batch_door(visitor: Visitor, path: Path) -> Told:
    batch = fill(BatchTable, visitor.call("predict_pictures", [EMBEDDED], [visitor.upload(path)]))
    _, row = csv.reader(io.StringIO(Path(batch.csv_file["value"]["path"]).read_text(encoding="utf-8-sig")))
    return Told(row[1], find_notes(row[-1])) if row[2] else Told(reason=row[1])


def kept(collection: Collection | None) -> Told:
    """Return what has become of the last picture of a collection."""
    assert collection is not None
    if collection.pictures:
        return Told(notes=frozenset(collection.pictures[-1].notes))
    return Told(reason=ENGLISH.explain(collection.skipped[-1].reason))


def class_door(visitor: Visitor, session: Session, handler: str, path: Path) -> Told:
    """Add a picture to a class: by upload, or as a frame of the camera."""
    visitor.call("drop_pictures")
    visitor.call("make_class", "cat")
    frame = {"url": f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"}
    visitor.call(handler, "cat", [visitor.upload(path)] if handler == "add_uploads" else frame)
    return kept(session.pictures.collection)


def check(told: dict[str, Told], *, says_class: bool) -> None:
    """Compare what a door made of each picture with what is right."""
    for name, each in told.items():
        expected = frozenset({NOTED[name]}) if name in NOTED else frozenset()
        assert each.notes == expected, name
        assert (REFUSED[name] in each.reason) if name in REFUSED else not each.reason, (name, each.reason)
        if says_class and name not in REFUSED:
            assert ("cat" in each.best or "tabby" in each.best) if name in SEEN else each.best, (name, each.best)


def read_all(shared_data: Path, door: Callable[[Path], Told]) -> dict[str, Told]:
    folder = shared_data / "reports" / "pictures"
    names = sorted(path.name for path in folder.iterdir() if path.suffix != ".tsv")
    assert names == sorted([*CATS, *NOTED, *REFUSED]), "each picture has a row"
    return {name: door(folder / name) for name in names}


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


@pytest.mark.parametrize("handler", ["choose_photo", "bring_photo"])
def test_the_photograph(visitor: Visitor, handler: str, shared_data: Path) -> None:
    check(read_all(shared_data, partial(page_door, visitor, handler)), says_class=True)


@pytest.mark.slow
def test_the_api(server: Server, shared_data: Path) -> None:
    client = Client(server.url, verbose=False, analytics_enabled=False)
    check(read_all(shared_data, partial(api_door, client)), says_class=True)
    client.close()


def test_the_batch(visitor: Visitor, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.ui.predict.side_by_side.MIN_NETWORKS", 1)
    check(read_all(shared_data, partial(batch_door, visitor)), says_class=True)


@pytest.mark.parametrize("handler", ["add_uploads", "record_frame"])
def test_a_class(visitor: Visitor, session: Session, handler: str, shared_data: Path) -> None:
    check(read_all(shared_data, partial(class_door, visitor, session, handler)), says_class=False)
