"""Several networks side by side in tab 1: on the photograph, and on a batch of pictures."""

import html
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.data.errors import NoImage, UploadError
from demo.data.images import decode_image
from demo.data.pixels import PixelBudget
from demo.models.errors import WeightsError
from demo.models.fetch import fetch_weights
from demo.models.zoo import EMBEDDED, ZOO, find_spec
from demo.pace import rest
from demo.tasks.compare import MAX_NETWORKS, MIN_NETWORKS, PictureRow, agree, find_agreed, to_csv
from demo.tasks.predict import Prediction, predict
from demo.ui.answer import draw_name
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.errors import NumberOfNetworks, TooManyInBatch
from demo.ui.parts.markup import draw_table
from demo.ui.predict.network import draw_progress
from demo.ui.server.uploads import keep_file, taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words


class BatchTable(NamedTuple):
    """What comes of a batch of pictures: a table, and the same as a CSV file."""

    table: Any
    csv_file: Any


@costs(Cost.FETCH)
def compare_networks(rooms: Rooms, ref: Ref, networks: list[str]) -> Iterator[str]:
    """Show what each of the chosen networks sees in the photograph, fetching those that are not here yet."""
    photo = rooms.sessions.find(ref).photos.photo
    if photo is None:
        raise NoImage()
    _check_number(networks)
    seen: list[Prediction | WeightsError] = []
    for name in networks:
        try:
            for progress in fetch_weights(find_spec(name)):
                yield draw_progress(rooms.words, find_spec(name), progress)
            seen.append(_predict(rooms, name, photo))
        except WeightsError as error:
            seen.append(error)
    yield draw_comparison(rooms.words, networks, seen)


@costs(Cost.FETCH)
def bring_networks(rooms: Rooms, ref: Ref, networks: list[str]) -> Iterator[str]:
    """Fetch the networks of a batch before its pictures are read; the batch does without those that cannot be had."""
    rooms.sessions.find(ref)  # before anything is fetched for nobody
    _check_number(networks)
    for name in networks:
        with suppress(WeightsError):
            for progress in fetch_weights(find_spec(name)):
                yield draw_progress(rooms.words, find_spec(name), progress)
    yield ""


@costs(Cost.READ)
def predict_pictures(rooms: Rooms, ref: Ref, networks: list[str], pictures: list[dict[str, Any]] | None) -> BatchTable:
    """Ask the chosen networks about each picture of a batch."""
    session = rooms.sessions.find(ref)
    _check_number(networks)
    if not pictures:
        raise NoImage()
    if len(pictures) > rooms.settings.max_batch:
        raise TooManyInBatch(count=len(pictures), limit=rooms.settings.max_batch)
    absent = _find_absent(rooms, networks)
    with ExitStack() as uploads:
        taken = [uploads.enter_context(taken_file(each, NoImage)) for each in pictures]
        PixelBudget(rooms.settings).foresee_files(path for path, _ in taken)
        rows = [_read_row(rooms, networks, path, name, absent=absent) for path, name in taken]
    header, table = _tabulate(rooms.words, networks, rows)
    path = session.offers.add(keep_file(to_csv(header, table), "predictions.csv"))
    reasons = "".join(_draw_failure(rooms.words, error) for error in absent.values())
    shown = f"{reasons}{draw_table(header, table, css_class='history')}"
    return BatchTable(shown, gr.File(value=str(path), visible=True))


def draw_comparison(words: Words, networks: Sequence[str], seen: Sequence[Prediction | WeightsError]) -> str:
    """Return the networks' best classes next to each other as HTML; classes that all of them name are marked."""
    side_by_side = words.predict.side_by_side
    predictions = [each for each in seen if isinstance(each, Prediction)]
    agreed = find_agreed(predictions) if len(predictions) > 1 else set()
    columns = [_draw_column(words, name, each, agreed) for name, each in zip(networks, seen, strict=True)]
    verdict = ""
    if len(predictions) > 1:
        verdict = side_by_side.all_agree if agree(predictions) else side_by_side.not_all_agree
    return f'<p class="answer" role="status">{verdict}</p><div class="columns">{"".join(columns)}</div>'


def build_side_by_side(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the comparison and wire it."""
    words = rooms.words.predict.side_by_side
    with gr.Accordion(words.title, open=False, elem_id="side-by-side"):
        networks = gr.CheckboxGroup(
            [(spec.display_name, spec.name) for spec in ZOO.values()],
            value=[EMBEDDED],
            label=words.networks.format(low=MIN_NETWORKS, high=MAX_NETWORKS),
            elem_id="networks",
        )
        compare = gr.Button(words.compare, elem_id="compare")
        comparison = gr.HTML("", padding=False, elem_id="comparison")
        pictures = gr.File(label=words.batch, file_count="multiple", height=140, elem_id="batch")
        batch = BatchTable(
            gr.HTML("", padding=False, elem_id="batch-table"),
            gr.File(label="CSV", interactive=False, visible=False, elem_id="batch-csv"),
        )
    listen(rooms, compare.click, compare_networks, (ref, networks), comparison)
    brought = listen(rooms, pictures.upload, bring_networks, (ref, networks), batch.table)
    asked = (ref, networks, pictures)
    listen(rooms, brought.success, predict_pictures, asked, batch, preprocess=False, show_progress_on=batch.table)


def _check_number(networks: Sequence[str]) -> None:
    if not MIN_NETWORKS <= len(networks) <= MAX_NETWORKS:
        raise NumberOfNetworks(count=len(networks), low=MIN_NETWORKS, high=MAX_NETWORKS)


def _predict(rooms: Rooms, name: str, picture: Image.Image) -> Prediction:
    with rooms.backbones.lend(name) as backbone:
        return predict(backbone, picture)


def _find_absent(rooms: Rooms, networks: Sequence[str]) -> dict[str, WeightsError]:
    """Load each network once; return why some of them are not here, by their names."""
    absent = {}
    for name in networks:
        try:
            with rooms.backbones.lend(name):
                pass
        except WeightsError as error:
            absent[name] = error
    return absent


def _read_row(rooms: Rooms, networks: Sequence[str], path: Path, name: str, *, absent: Collection[str]) -> PictureRow:
    rest()
    try:
        decoded = decode_image(path, rooms.settings, name="")
    except UploadError as error:
        return PictureRow(name, error)
    answers = tuple(None if each in absent else _predict(rooms, each, decoded.image) for each in networks)
    return PictureRow(name, answers, decoded.notes)


def _tabulate(words: Words, networks: Sequence[str], rows: Sequence[PictureRow]) -> tuple[list[str], list[list[str]]]:
    header = [words.predict.side_by_side.batch_picture]
    for name in networks:
        header += [find_spec(name).display_name, words.predict.probability]
    table = []
    for row in rows:
        if isinstance(row.predictions, UploadError):
            table.append([row.name, words.explain(row.predictions), *[""] * (2 * len(networks) - 1)])
        else:
            table.append([row.name, *(cell for each in row.predictions for cell in _answer_cells(words, each))])
    if any(row.notes for row in rows):
        header.append(words.predict.side_by_side.batch_notes)
        for row, cells in zip(rows, table, strict=True):
            cells.append(words.sentence_separator.join(words.photo.notes[note] for note in row.notes))
    return header, table


def _answer_cells(words: Words, prediction: Prediction | None) -> tuple[str, str]:
    """Return the class and its probability; of a network that is not here, that it is not."""
    if prediction is None:
        return words.predict.side_by_side.absent, ""
    best = prediction.top[0]
    return words.class_name(best.class_idx, best.class_name), f"{best.probability:.4f}"


def _draw_failure(words: Words, error: WeightsError) -> str:
    return f'<p class="status failed">{html.escape(words.explain(error))}</p>'


def _draw_column(words: Words, name: str, seen: Prediction | WeightsError, agreed: set[str]) -> str:
    spec = find_spec(name)
    sentence = words.predict.side_by_side.compared_facts
    facts = sentence.format(parameters=spec.facts.num_parameters / 1e6, top1=100 * spec.facts.top1)
    if isinstance(seen, WeightsError):
        body = _draw_failure(words, seen)
    else:
        facts = f"{1000 * seen.seconds:.0f} ms · {facts}"
        body = "".join(
            f'<li class="{"agreed" if best.class_name in agreed else ""}">{draw_name(words, seen, best)} '
            f"<span>{'✓ ' if best.class_name in agreed else ''}{100 * best.probability:.1f}%</span>"
            f'<progress max="1" value="{best.probability:.4f}"></progress></li>'
            for best in seen.top
        )
        body = f"<ol>{body}</ol>"
    return f'<section><h3>{spec.display_name}</h3><p class="hint">{facts}</p>{body}</section>'
