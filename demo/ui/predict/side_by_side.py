"""Several networks side by side in tab 1: on the photograph, and on a batch of pictures."""

import html
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.data.errors import NoImage, UploadError
from demo.data.images import read_image
from demo.models.errors import WeightsError
from demo.models.fetch import fetch_weights
from demo.models.zoo import EMBEDDED, ZOO, find_spec
from demo.tasks.compare import MAX_NETWORKS, MIN_NETWORKS, PictureRow, agree, find_agreed, to_csv
from demo.tasks.predict import Prediction, predict
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


@costs(Cost.READ)
def predict_batch(rooms: Rooms, ref: Ref, networks: list[str], pictures: list[dict[str, Any]] | None) -> BatchTable:
    """Ask the chosen networks about each picture of a batch."""
    session = rooms.sessions.find(ref)
    _check_number(networks)
    if not pictures:
        raise NoImage()
    if len(pictures) > rooms.settings.max_batch:
        raise TooManyInBatch(count=len(pictures), limit=rooms.settings.max_batch)
    rows = [_read_row(rooms, networks, each) for each in pictures]
    header, table = _tabulate(rooms.words, networks, rows)
    path = session.offers.add(keep_file(to_csv(header, table), "predictions.csv"))
    return BatchTable(draw_table(header, table, css_class="history"), gr.File(value=str(path), visible=True))


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
    asked = (ref, networks, pictures)
    listen(rooms, pictures.upload, predict_batch, asked, batch, preprocess=False, show_progress_on=batch.table)


def _check_number(networks: Sequence[str]) -> None:
    if not MIN_NETWORKS <= len(networks) <= MAX_NETWORKS:
        raise NumberOfNetworks(count=len(networks), low=MIN_NETWORKS, high=MAX_NETWORKS)


def _predict(rooms: Rooms, name: str, picture: Image.Image) -> Prediction:
    with rooms.backbones.lend(name) as backbone:
        return predict(backbone, picture)


def _read_row(rooms: Rooms, networks: Sequence[str], payload: dict[str, Any]) -> PictureRow:
    with taken_file(payload, NoImage) as (path, name):
        try:
            picture = read_image(path, rooms.settings, name=name)
        except UploadError as error:
            return PictureRow(name, error)
    return PictureRow(name, tuple(_predict(rooms, each, picture) for each in networks))


def _tabulate(words: Words, networks: Sequence[str], rows: Sequence[PictureRow]) -> tuple[list[str], list[list[str]]]:
    header = [words.predict.side_by_side.batch_picture]
    for name in networks:
        header += [find_spec(name).display_name, words.predict.probability]
    table = []
    for row in rows:
        if isinstance(row.predictions, UploadError):
            table.append([row.name, words.explain(row.predictions), *[""] * (2 * len(networks) - 1)])
        else:
            best = [each.top[0] for each in row.predictions]
            table.append([row.name, *(cell for one in best for cell in (one.class_name, f"{one.probability:.4f}"))])
    return header, table


def _draw_column(words: Words, name: str, seen: Prediction | WeightsError, agreed: set[str]) -> str:
    spec = find_spec(name)
    sentence = words.predict.side_by_side.compared_facts
    facts = sentence.format(parameters=spec.facts.num_parameters / 1e6, top1=100 * spec.facts.top1)
    if isinstance(seen, WeightsError):
        body = f'<p class="status failed">{html.escape(words.explain(seen))}</p>'
    else:
        facts = f"{1000 * seen.seconds:.0f} ms · {facts}"
        body = "".join(
            f'<li class="{"agreed" if best.class_name in agreed else ""}">{html.escape(best.class_name)} '
            f"<span>{'✓ ' if best.class_name in agreed else ''}{100 * best.probability:.1f}%</span>"
            f'<progress max="1" value="{best.probability:.4f}"></progress></li>'
            for best in seen.top
        )
        body = f"<ol>{body}</ol>"
    return f'<section><h4>{spec.display_name}</h4><p class="hint">{facts}</p>{body}</section>'
