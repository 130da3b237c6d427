"""What a visitor takes along: the head as a zip, its way back, and a report of the training."""

from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Split
from demo.models.errors import NoHeadFile
from demo.models.head import Head
from demo.models.headfile import max_file_bytes, read_head
from demo.models.zoo import find_spec
from demo.tasks.export import check_pictures, check_synthetic, export_head
from demo.ui.finetune.report_markup import draw_report
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_status
from demo.ui.server.uploads import keep_file, taken_file
from demo.visitors.errors import NoHead
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session


class Import(NamedTuple):
    """What an imported head changes: components when the panel is built, their values when a file has come."""

    ref: Any
    status: Any
    upload: Any


@costs(Cost.COMPUTE)
def export_trained(rooms: Rooms, ref: Ref) -> Any:
    """Write the visitor's head as a zip that runs without this page."""
    session, head = _find_head(rooms, ref)
    trained, counts = session.results, {}
    with rooms.backbones.lend(head.backbone_name) as backbone:
        checks = [check_synthetic(backbone.for_head(head), head)]
    if trained is not None:
        checks += check_pictures(trained.dataset.samples, trained.score(Split.VALIDATION))
        counts = trained.dataset.counts
    content = export_head(head, find_spec(head.backbone_name), counts=counts, checks=checks)
    return _offer(session, content, "head.zip")


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
    return _offer(session, draw_report(rooms.words, session.results).encode(), "report.html")


def build_keep(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.finetune.keep
    with gr.Accordion(words.title, open=False, elem_id="keep"):
        gr.HTML(f'<p class="help">{words.help}</p>', padding=False)
        with gr.Row():
            with gr.Column(min_width=240):
                export = gr.Button(words.export, elem_id="export")
                exported = gr.File(label=words.exported, interactive=False, visible=False, elem_id="exported")
                report = gr.Button(words.make_report, elem_id="make-report")
                reported = gr.File(label=words.report_file, interactive=False, visible=False, elem_id="run-report")
            with gr.Column(min_width=240):
                upload = gr.File(label=words.import_head, height=130, elem_id="import-head")
                status = gr.HTML("", padding=False, elem_id="import-status")
    listen(rooms, export.click, export_trained, ref, exported, show_progress="full")
    listen(rooms, report.click, make_report, ref, reported, show_progress="full")
    listen(rooms, upload.upload, import_head, [ref, upload], Import(ref, status, upload), preprocess=False)


def _find_head(rooms: Rooms, ref: Ref) -> tuple[Session, Head]:
    session = rooms.sessions.find(ref)
    if session.state.head is None:
        raise NoHead()
    return session, session.state.head


def _offer(session: Session, content: bytes, name: str) -> Any:
    return gr.File(value=str(session.offers.add(keep_file(content, name))), visible=True)
