"""What a visitor takes along: the head as a zip, an ONNX file or a folder for the Hub; its way back; a report."""

import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Split
from demo.errors import DemoError
from demo.models.errors import NoHeadFile
from demo.models.head import Head
from demo.models.head_metadata import write_metadata
from demo.models.headfile import max_file_bytes, read_head
from demo.models.zoo import find_spec
from demo.tasks.export import ScriptWords, check_pictures, check_synthetic, export_head
from demo.tasks.hub import check_push, push_folder
from demo.tasks.onnx import INPUT, OPSET, OUTPUT, write_onnx
from demo.tasks.timm_folder import write_timm_folder, zip_folder
from demo.ui.finetune.keep.card import Kind, draw_card
from demo.ui.finetune.report_markup import draw_report
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_status
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
    with rooms.backbones.lend(head.backbone_name) as backbone:
        checks = [check_synthetic(backbone.for_head(head), head)]
    if (trained := session.results) is not None:
        checks += check_pictures(trained.dataset.samples, trained.score(Split.VALIDATION))
    words, card = rooms.words.finetune.keep, _draw_card(rooms, session, head, Kind.ZIP)
    script = ScriptWords(words.script_usage, words.script_unreadable, words.script_compared)
    content = export_head(head, find_spec(head.backbone_name), card=card, checks=checks, script=script)
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
        head = read_head(content.read(max_file_bytes(rooms.settings) + 1), rooms.settings)
    with rooms.backbones.lend(head.backbone_name):
        changed = session.change_state(lambda state: state.with_head(head))
    sentence = rooms.words.finetune.keep.imported.format(names=rooms.words.list_separator.join(head.class_names))
    return Import(changed, draw_status(sentence, kind="trained"), None)


@costs(Cost.COMPUTE)
def make_report(rooms: Rooms, ref: Ref) -> Any:
    """Write the report of the training as one HTML file."""
    session, _ = _find_head(rooms, ref)
    if session.results is None:
        raise NoHead()
    return _offer(session, keep_file(draw_report(rooms.words, session.results).encode(), "report.html"))


def build_keep(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.finetune.keep
    with gr.Accordion(words.title, open=False, elem_id="keep"):
        gr.HTML(f'<p class="help">{words.help}</p>', padding=False)
        with gr.Row():
            with gr.Column(min_width=240):
                _explain(words.run_title, words.run_help)
                _build_file(rooms, ref, export_trained, words.export, words.exported, elem_id="export")
            with gr.Column(min_width=240):
                how = words.onnx_help.format(opset=OPSET, input=INPUT, output=OUTPUT)
                _explain(words.onnx_title, how)
                _build_file(rooms, ref, export_onnx, words.onnx, words.onnx_file, elem_id="export-onnx")
            with gr.Column(min_width=240):
                _explain(words.share.title, words.share.help)
                _build_file(rooms, ref, export_timm, words.share.make, words.share.made, elem_id="export-timm")
        _build_push(rooms, ref, words.share)
        with gr.Row():
            with gr.Column(min_width=240):
                _build_file(rooms, ref, make_report, words.make_report, words.report_file, elem_id="make-report")
            with gr.Column(min_width=240):
                upload = gr.File(label=words.import_head, height=130, elem_id="import-head")
                status = gr.HTML("", padding=False, elem_id="import-status")
    listen(rooms, upload.upload, import_head, [ref, upload], Import(ref, status, upload), preprocess=False)


def _explain(title: str, text: str) -> None:
    gr.HTML(f'<h4>{title}</h4><p class="help">{text}</p>', padding=False)


def _build_file(rooms: Rooms, ref: gr.State, handler: Any, label: str, file_label: str, *, elem_id: str) -> None:
    """Lay out a button and the file that it makes."""
    button = gr.Button(label, elem_id=elem_id)
    file = gr.File(label=file_label, interactive=False, visible=False, elem_id=f"{elem_id}-file")
    listen(rooms, button.click, handler, ref, file, show_progress="full")


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
    listen(rooms, push.click, push_trained, [ref, name, token], Push(status, token))


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
