"""Predictions for programs: of one picture, and of many."""

from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, TypedDict

from demo.data.archives import iter_archive, open_archive
from demo.data.errors import EntryError, NoImage, ReadingTooLong, UploadError
from demo.data.images import Decoded, decode_image
from demo.data.pixels import HEAD_BYTES, PixelBudget
from demo.errors import DemoError, check_range
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.pace import rest, working_s
from demo.settings import Settings
from demo.tasks.compare import to_csv
from demo.tasks.predict import MAX_TOP_K, Prediction, predict
from demo.ui.api.files import answer_file, read_picture, read_sent_head, sent_file
from demo.ui.api.networks import lend_network
from demo.ui.handlers import Cost, costs
from demo.ui.parts.errors import TooManyInBatch
from demo.ui.parts.values import parse_whole
from demo.visitors.rooms import Rooms

_ZIP = b"PK"


class Class(TypedDict):
    """A class and its probability, 0 to 1. Classes are ImageNet's, or those of the head that was sent."""

    class_index: int
    class_name: str
    probability: float


class Answer(TypedDict):
    """What is seen in one picture, the most probable class first, and notes on how it was read, most often none."""

    backbone: str
    seconds: float
    predictions: list[Class]
    notes: list[str]


class Row(TypedDict):
    """What is seen in one picture of several, or why it cannot be read."""

    name: str
    error: str | None
    predictions: list[Class]
    notes: list[str]


class Rows(TypedDict):
    """What is seen in each of several pictures, in their order."""

    backbone: str
    seconds: float
    pictures: list[Row]


@costs(Cost.PREDICT)
def answer_predict(rooms: Rooms, image: Any, backbone: Any = "", top_k: Any = 5, head: Any = None) -> Answer:
    """Name what a network, or a head that was trained on it, sees in one picture."""
    decoded, count = read_picture(image, rooms.settings), parse_whole("top_k", top_k)
    own = read_sent_head(head, rooms.settings)
    with lend_network(rooms, backbone, own) as network:
        answer = predict(network, decoded.image, head=own, top_k=count)
    return {
        "backbone": answer.backbone_name,
        "seconds": answer.seconds,
        "predictions": _list_classes(answer),
        "notes": _list_notes(rooms, decoded),
    }


@costs(Cost.READ)
def answer_predict_batch(
    rooms: Rooms, files: Any, backbone: Any = "", top_k: Any = 1, head: Any = None
) -> tuple[Rows, str]:
    """Name what is seen in each of several pictures, or of those in a zip; as JSON and as CSV."""
    own, count = read_sent_head(head, rooms.settings), parse_whole("top_k", top_k)
    check_range("top_k", count, 1, MAX_TOP_K)
    rows, start, limit_s = list[Row](), working_s(), rooms.settings.max_reading_s
    with lend_network(rooms, backbone, own) as network, closing(_read_pictures(files, rooms.settings)) as pictures:
        for name, picture in pictures:
            rest()
            rows.append(_ask(rooms, network, own, name, picture, count))
            if working_s() > start + limit_s:
                raise ReadingTooLong(count=len(rows), limit=limit_s)
        spec = network.spec
    if not rows:
        raise NoImage()
    answer: Rows = {"backbone": spec.name, "seconds": working_s() - start, "pictures": rows}
    return answer, answer_file(_write_csv(rows, count), "predictions.csv")


def _list_classes(answer: Prediction) -> list[Class]:
    return [
        {"class_index": best.class_idx, "class_name": best.class_name, "probability": best.probability}
        for best in answer.top
    ]


def _list_notes(rooms: Rooms, decoded: Decoded) -> list[str]:
    return [rooms.words.photo.notes[note] for note in decoded.notes]


def _ask(
    rooms: Rooms, network: Backbone, head: Head | None, name: str, decoded: Decoded | DemoError, top_k: int
) -> Row:
    if isinstance(decoded, DemoError):
        return {"name": name, "error": rooms.words.explain(decoded), "predictions": [], "notes": []}
    answer, notes = predict(network, decoded.image, head=head, top_k=top_k), _list_notes(rooms, decoded)
    return {"name": name, "error": None, "predictions": _list_classes(answer), "notes": notes}


def _read_pictures(files: Any, settings: Settings) -> Generator[tuple[str, Decoded | DemoError], None, None]:
    """Yield the name of each picture with the picture, or with why it cannot be read.

    Raises:
        TooManyInBatch: If there are more pictures than the settings allow.
        ArchiveError: If a zip as a whole cannot be read, or there are too many pixels.
    """
    payloads = files if isinstance(files, list) else [files]
    if len(payloads) > settings.max_pictures:
        raise TooManyInBatch(count=len(payloads), limit=settings.max_pictures)
    with ExitStack() as sent:
        lent = [sent.enter_context(sent_file(each, NoImage)) for each in payloads]
        if len(lent) == 1 and _is_zip(lent[0][0]):
            yield from _read_zip(*lent[0], settings)
            return
        PixelBudget(settings).foresee_files(path for path, _ in lent)
        for path, name in lent:
            yield name, _try_picture(path, name, settings)


def _read_zip(path: Path, name: str, settings: Settings) -> Generator[tuple[str, Decoded | DemoError], None, None]:
    with open_archive(path, settings, name=name) as archive:
        count = len(archive.paths)
        if count > settings.max_pictures:
            raise TooManyInBatch(count=count, limit=settings.max_pictures)
        PixelBudget(settings).foresee(archive.peek(number, HEAD_BYTES) for number in range(count))
    for entry in iter_archive(path, settings, name=name):
        if isinstance(entry.content, EntryError):
            yield entry.path, entry.content
        else:
            yield entry.path, _try_picture(entry.content, entry.path, settings)


def _try_picture(source: Path | bytes, name: str, settings: Settings) -> Decoded | DemoError:
    try:
        return decode_image(source, settings, name=name)
    except UploadError as error:
        return error


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def _write_csv(rows: list[Row], top_k: int) -> bytes:
    """Write a line for each picture; as many classes as the richest of them has."""
    width = max([len(row["predictions"]) for row in rows] + [1])
    numbers = range(1, min(top_k, width) + 1)
    header = ["name", *(f"{each}_{number}" for number in numbers for each in ("class", "probability")), "error"]
    table = []
    for row in rows:
        cells = [cell for best in row["predictions"] for cell in (best["class_name"], f"{best['probability']:.6f}")]
        table.append([row["name"], *cells, *[""] * (2 * len(numbers) - len(cells)), row["error"] or ""])
    return to_csv(header, table)
