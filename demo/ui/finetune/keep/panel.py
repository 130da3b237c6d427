"""What a visitor takes along: the head as a zip, an ONNX file or a folder for the Hub; its way back; a report."""

import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Dataset, Split
from demo.errors import DemoError
from demo.models.errors import NoHeadFile
from demo.models.head import Head
from demo.models.head_metadata import write_metadata
from demo.models.headfile import max_file_bytes, read_head
from demo.models.zoo import find_spec
from demo.tasks.evaluate import Scores
from demo.tasks.export import ScriptWords, check_pictures, check_synthetic, export_head
from demo.tasks.hub import check_push, push_folder
from demo.tasks.onnx import INPUT, OPSET, OUTPUT, write_onnx
from demo.tasks.timm_folder import write_timm_folder, zip_folder
from demo.ui.finetune.keep.card import Kind, draw_card
from demo.ui.finetune.report_markup import draw_report
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_help, draw_status
from demo.ui.server.uploads import keep_file, taken_file
from demo.visitors.errors import NoHead
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.keep import ShareWords


class Import(NamedTuple):
    """What an imported head changes: components when the panel is built, their values when a file has come."""

    ref: Any
    status: Any
    upload: Any


class Push(NamedTuple):
    """What sending to the Hub changes: it says how it went, and empties the field of the token."""

    status: Any
    token: Any


@costs(Cost.COMPUTE)
def export_trained(rooms: Rooms, ref: Ref) -> Any:
    """Write the visitor's head as a zip that runs without this page."""
    session, head = _find_head(rooms, ref)
    trained = session.results
    scores = trained.score(Split.VALIDATION) if trained is not None else None
    content = pack_head(rooms, head, trained.dataset if trained is not None else None, scores)
    return _offer(session, keep_file(content, "head.zip"))


@costs(Cost.READ)
def export_onnx(rooms: Rooms, ref: Ref) -> Any:
    """Write the network and the visitor's head as one ONNX file."""
    session, head = _find_head(rooms, ref)
    spec, card = find_spec(head.backbone_name), _draw_card(rooms, session, head, Kind.ONNX)
    with rooms.backbones.lend(head.backbone_name) as backbone:
        network = backbone.join(head)
    side_px = spec.build_transforms().crop_size[0]
    metadata = {key: text for key, text in write_metadata(head, spec).items() if key != "format"}

    def write(path: Path) -> None:
        write_onnx(network, side_px, path, card=card, metadata=metadata)

    return _offer(session, keep_file(write, "model.onnx"))


@costs(Cost.READ)
def export_timm(rooms: Rooms, ref: Ref) -> Any:
    """Write the network and the visitor's head as the zip of a folder that timm loads."""
    session, head = _find_head(rooms, ref)

    def write(path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            _write_folder(rooms, session, head, Path(folder))
            zip_folder(Path(folder), path)

    return _offer(session, keep_file(write, "hub-folder.zip"))


@costs(Cost.FETCH)
def push_trained(rooms: Rooms, ref: Ref, name: str, token: str) -> Push:
    """Send that folder to a new repository of the visitor's on the Hub; the token leaves the page however it goes."""
    try:
        address = _push(rooms, ref, str(name or ""), str(token or ""))
    except DemoError as error:
        return Push(draw_status(rooms.words.explain(error), kind="failed"), "")
    sentence = rooms.words.finetune.keep.share.pushed.format(address=address)
    return Push(draw_status(sentence, kind="trained"), "")


@costs(Cost.READ)
def import_head(rooms: Rooms, ref: Ref, file: dict[str, Any] | None) -> Import:
    """Use a head that was exported before, here or elsewhere; it is data and runs no code."""
    with taken_file(file, NoHeadFile) as (path, _), path.open("rb") as content:  # never more than could be right
        session = rooms.sessions.find(ref)
        changed, head = use_head(rooms, session, content.read(max_file_bytes(rooms.settings) + 1))
    sentence = rooms.words.finetune.keep.imported.format(names=rooms.words.list_separator.join(head.class_names))
    return Import(changed, draw_status(sentence, kind="trained"), None)


@costs(Cost.COMPUTE)
def make_report(rooms: Rooms, ref: Ref) -> Any:
    """Write the report of the training as one HTML file."""
    session, _ = _find_head(rooms, ref)
    return _offer(session, keep_file(_draw_report(rooms, session).encode(), "report.html"))


@costs(Cost.COMPUTE)
def print_report(rooms: Rooms, ref: Ref) -> str:
    """Return the report of the training for the browser to print."""
    session, _ = _find_head(rooms, ref)
    return _draw_report(rooms, session)


def pack_head(rooms: Rooms, head: Head, dataset: Dataset | None, scores: Scores | None) -> bytes:
    """Return a head as a zip that runs without this page.

    Args:
        rooms: With the words that the zip's card and script are in.
        head: What is packed.
        dataset: The pictures that it was trained with; None where they are not known any more.
        scores: What it says of those for validation, for the self-test.
    """
    with rooms.backbones.lend(head.backbone_name) as backbone:
        checks = [check_synthetic(backbone.for_head(head), head)]
    if dataset is not None and scores is not None:
        checks += check_pictures(dataset.samples, scores)
    words = rooms.words.finetune.keep
    card = draw_card(rooms.words, head, dataset.counts if dataset is not None else {}, Kind.ZIP)
    script = ScriptWords(words.script_usage, words.script_unreadable, words.script_compared)
    return export_head(head, find_spec(head.backbone_name), card=card, checks=checks, script=script)


def use_head(rooms: Rooms, session: Session, content: bytes) -> tuple[Ref, Head]:
    """Use the head of an untrusted file in a session, and return it, and the session's new reference.

    Raises:
        HeadFileError: If it is no head that could be used here.
    """
    head = read_head(content, rooms.settings)
    with rooms.backbones.lend(head.backbone_name):
        return session.change_state(lambda state: state.with_head(head)), head


def build_keep(rooms: Rooms, ref: gr.State) -> list[Any]:
    """Lay out the step and wire it; return the events after which there is a file to take along."""
    words = rooms.words.finetune.keep
    onnx_help = words.onnx_help.format(opset=OPSET, input=INPUT, output=OUTPUT)
    gr.HTML(f'<p class="help">{words.help}</p>', padding=False)
    with gr.Row():
        kept = [
            _build_file(rooms, ref, handler, (title, text), label, file_label, elem_id=elem_id)
            for handler, title, text, label, file_label, elem_id in (
                (export_trained, words.run_title, words.run_help, words.export, words.exported, "export"),
                (export_onnx, words.onnx_title, onnx_help, words.onnx, words.onnx_file, "export-onnx"),
                (export_timm, words.share.title, words.share.help, words.share.make, words.share.made, "export-timm"),
            )
        ]
    _build_push(rooms, ref, words.share)
    with gr.Row():
        report = (words.report_title, "")
        with gr.Column(min_width=240):
            kept.append(
                _build_file(
                    rooms, ref, make_report, report, words.make_report, words.report_file, elem_id="make-report"
                )
            )
            _build_print(rooms, ref)
        with gr.Column(min_width=240):
            upload = gr.File(label=words.import_head, height=130, elem_id="import-head")
            status = gr.HTML("", padding=False, elem_id="import-status")
    imported = Import(ref, status, upload)
    listen(rooms, upload.upload, import_head, [ref, upload], imported, preprocess=False, reveals=status)
    return kept


def _build_file(
    rooms: Rooms,
    ref: gr.State,
    handler: Any,
    explained: tuple[str, str],
    label: str,
    file_label: str,
    *,
    elem_id: str,
) -> Any:
    """Lay out what a file is for, a button and the file that it makes; return the event."""
    title, text = explained
    with gr.Column(min_width=240):
        folded = draw_help(rooms.words.finetune.explain, text) if text else ""
        gr.HTML(f"<h3>{title}</h3>{folded}", padding=False)
        button = gr.Button(label, elem_id=elem_id)
        file = gr.File(label=file_label, interactive=False, visible=False, elem_id=f"{elem_id}-file")
    return listen(rooms, button.click, handler, ref, file, show_progress="full", reveals=file)


def _build_print(rooms: Rooms, ref: gr.State) -> None:
    button = gr.Button(rooms.words.finetune.keep.sheet.button, elem_id="print-report")
    report = gr.Textbox(visible=False)
    drawn = listen(rooms, button.click, print_report, ref, report)
    drawn.success(None, report, None, js="(report) => demo.print(report)")


def _build_push(rooms: Rooms, ref: gr.State, words: ShareWords) -> None:
    with gr.Accordion(words.push_title, open=False, elem_id="push-panel"):
        gr.HTML(f'<p class="help">{words.push_help}</p>', padding=False)
        with gr.Row():
            name = gr.Textbox(label=words.name, placeholder=words.name_hint, max_lines=1, elem_id="push-name")
            token = gr.Textbox(
                label=words.token,
                placeholder=words.token_hint,
                type="password",
                max_lines=1,
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
                elem_id="push-token",
            )
        push = gr.Button(words.push, elem_id="push")
        status = gr.HTML("", padding=False, elem_id="push-status")
    listen(rooms, push.click, push_trained, [ref, name, token], Push(status, token), reveals=status)


def _push(rooms: Rooms, ref: Ref, name: str, token: str) -> str:
    session, head = _find_head(rooms, ref)
    check_push(name, token)  # before the work

    def write(path: Path) -> None:
        path.mkdir()
        _write_folder(rooms, session, head, path)

    folder = keep_file(write, "model")
    try:
        return push_folder(folder, name, token)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def _write_folder(rooms: Rooms, session: Session, head: Head, folder: Path) -> None:
    card = _draw_card(rooms, session, head, Kind.TIMM)
    with rooms.backbones.lend(head.backbone_name) as backbone:
        write_timm_folder(backbone, head, folder, card=card)


def _draw_report(rooms: Rooms, session: Session) -> str:
    if session.results is None:
        raise NoHead()
    return draw_report(rooms.words, session.results)


def _draw_card(rooms: Rooms, session: Session, head: Head, kind: Kind) -> str:
    trained = session.results
    return draw_card(rooms.words, head, trained.dataset.counts if trained is not None else {}, kind)


def _find_head(rooms: Rooms, ref: Ref) -> tuple[Session, Head]:
    session = rooms.sessions.find(ref)
    if session.state.head is None:
        raise NoHead()
    return session, session.state.head


def _offer(session: Session, path: Path) -> Any:
    return gr.File(value=str(session.offers.add(path)), visible=True)
