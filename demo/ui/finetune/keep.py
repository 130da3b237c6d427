"""What a visitor takes along: the head as a zip, its way back, and a report of the run."""

from typing import Any

import gradio as gr

from demo.data.dataset import Split
from demo.models.errors import NoHeadFile
from demo.models.head import Head
from demo.models.headfile import max_file_bytes, read_head
from demo.models.zoo import find_spec
from demo.tasks.export import SelfCheck, check_synthetic, export_head
from demo.tasks.finetune import score
from demo.ui.finetune.run_report import draw_run
from demo.ui.handlers import COMPUTE, READ, bind_slow
from demo.ui.parts.markup import draw_status
from demo.ui.server.uploads import keep_file, taken_file
from demo.visitors.errors import NoHead
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session, Trained


def export_trained(rooms: Rooms, ref: Ref) -> Any:
    """Write the visitor's head as a zip that runs without this page."""
    session, head = _find_head(rooms, ref)
    spec, trained = find_spec(head.backbone_name), session.results
    with rooms.backbones.lend(head.backbone_name) as backbone:
        checks = [check_synthetic(backbone.for_head(head), head), *(_check_pictures(trained) if trained else [])]
    counts = trained.dataset.counts if trained else {}
    content = export_head(head, spec, counts=counts, checks=checks)
    return _offer(session, content, "head.zip")


def import_head(rooms: Rooms, ref: Ref, file: dict[str, Any] | None) -> list[Any]:
    """Use a head that was exported before, here or elsewhere; it is data and runs no code."""
    with taken_file(file, NoHeadFile) as (path, _), path.open("rb") as content:  # never more than could be right
        session = rooms.sessions.find(ref)
        head = read_head(content.read(max_file_bytes(rooms.settings) + 1), rooms.settings)
    with rooms.backbones.lend(head.backbone_name):
        changed = session.change_state(lambda state: state.with_head(head))
    sentence = rooms.words.finetune.keep.imported.format(names=rooms.words.list_separator.join(head.class_names))
    return [changed, draw_status(sentence, kind="trained"), None]


def make_report(rooms: Rooms, ref: Ref) -> Any:
    """Write the report of the run as one HTML file."""
    session, _ = _find_head(rooms, ref)
    if session.results is None:
        raise NoHead()
    return _offer(session, draw_run(rooms, session.results).encode(), "report.html")


def build_keep(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words
    with gr.Accordion(words.finetune.keep.title, open=False, elem_id="keep"):
        gr.HTML(f'<p class="help">{words.finetune.keep.help}</p>', padding=False)
        with gr.Row():
            with gr.Column(min_width=240):
                export = gr.Button(words.finetune.keep.export, elem_id="export")
                exported = gr.File(
                    label=words.finetune.keep.exported, interactive=False, visible=False, elem_id="exported"
                )
                report = gr.Button(words.finetune.keep.make_report, elem_id="make-report")
                reported = gr.File(
                    label=words.finetune.keep.report_file, interactive=False, visible=False, elem_id="run-report"
                )
            with gr.Column(min_width=240):
                upload = gr.File(label=words.finetune.keep.import_head, height=130, elem_id="import-head")
                status = gr.HTML("", padding=False, elem_id="import-status")
    export.click(bind_slow(rooms, export_trained), ref, exported, **COMPUTE)
    report.click(bind_slow(rooms, make_report), ref, reported, **COMPUTE)
    upload.upload(bind_slow(rooms, import_head), [ref, upload], [ref, status, upload], preprocess=False, **READ)


def _find_head(rooms: Rooms, ref: Ref) -> tuple[Session, Head]:
    session = rooms.sessions.find(ref)
    if session.state.head is None:
        raise NoHead()
    return session, session.state.head


def _check_pictures(trained: Trained) -> list[SelfCheck]:
    """Return what the page says of each validation picture, by the hash of its bytes."""
    scores = score(trained.head, trained.features, Split.VALIDATION)
    samples = [trained.dataset.samples[idx] for idx in scores.sample_idxs.tolist()]
    return [
        SelfCheck(sample.path, sample.digest, tuple(probabilities.tolist()))
        for sample, probabilities in zip(samples, scores.probabilities, strict=True)
    ]


def _offer(session: Session, content: bytes, name: str) -> Any:
    return gr.File(value=str(session.offer(keep_file(content, name))), visible=True)
