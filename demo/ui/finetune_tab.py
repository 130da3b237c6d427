"""Tab 2: a head of one's own, from a zip of class folders."""

import asyncio
import html
from collections.abc import AsyncIterator, Sequence
from typing import Any

import gradio as gr

from demo.data.dataset import Dataset, Split, read_dataset
from demo.errors import NoArchive, NoDataset
from demo.figures import curve_points
from demo.models.head import TrainingSummary
from demo.tasks.finetune import EpochResult, FineTuneConfig
from demo.ui.context import COMPUTE, LIGHT, Context, uploaded_file
from demo.ui.sessions import Ref, Session
from demo.ui.tables import draw_table
from demo.ui.text import Words
from demo.ui.training import Job

_WATCH_EVERY_S = 0.3
_MAX_SKIPPED_SHOWN = 10


def choose_archive(context: Context, ref: Ref, archive: dict[str, Any] | None) -> list[Any]:
    """Read the visitor's zip and report what is in it."""
    session = context.sessions.find(ref)
    path, name = uploaded_file(archive, NoArchive)
    session.choose_dataset(read_dataset(path, context.settings, name=name))
    return show_dataset(context, ref)


def drop_archive(context: Context, ref: Ref) -> list[Any]:
    """Forget the visitor's pictures; the head that was trained on them stays."""
    context.sessions.find(ref).choose_dataset(None)
    return show_dataset(context, ref)


def show_dataset(context: Context, ref: Ref) -> list[Any]:
    """Report the pictures of the session, and say what to do next."""
    session = context.sessions.find(ref)
    return [draw_report(context.words, session.dataset), *_show_training(context, session)]


def start_training(context: Context, ref: Ref, epochs: float) -> None:
    """Put a training into the line; `watch_training` shows how it goes."""
    session = context.sessions.find(ref)
    dataset, features, name = session.dataset, session.features, session.state.backbone_name
    if dataset is None:
        raise NoDataset()
    config = FineTuneConfig(epochs=int(epochs), max_epochs=context.settings.max_epochs)
    job = Job(lambda: context.fine_tune(name, dataset, config, features=features), session.adopt)
    session.begin(job)
    context.line.submit(job)


def stop_training(context: Context, ref: Ref) -> list[Any]:
    """Ask the training of this session to end."""
    job = context.sessions.find(ref).job
    if job is None or not job.is_running:
        return [gr.skip(), gr.skip()]
    job.request_stop()
    return [_status(context.words.stopping), gr.Button(interactive=False)]


async def watch_training(context: Context, ref: Ref) -> AsyncIterator[list[Any]]:
    """Show how the training of this session goes until it ends; only looks, so it may be closed at any time."""
    session = context.sessions.find(ref)
    shown: Any = None
    while session.is_training and (job := session.job):
        seen = (context.line.num_ahead(job), job.reading, len(job.epochs))
        if seen != shown:
            shown = seen
            yield [gr.skip(), *_show_training(context, session)]
        await asyncio.sleep(_WATCH_EVERY_S)
        context.sessions.find(ref)
    yield [session.ref, *_show_training(context, session)]


def draw_report(words: Words, dataset: Dataset | None) -> str:
    """Return a dataset's classes, counts and skipped files as HTML."""
    if dataset is None:
        return f'<p class="hint">{words.no_dataset}</p>'
    splits = [split for split in Split if any(split in counts for counts in dataset.counts.values())]
    header = [words.dataset_class, *(words.splits[split] for split in splits), words.dataset_total]
    rows = [
        [name, *(counts.get(split, 0) for split in splits), sum(counts.values())]
        for name, counts in dataset.counts.items()
    ]
    title = words.dataset_report.format(classes=len(dataset.class_names), count=len(dataset.samples))
    return f"<h4>{title}</h4>{draw_table(header, rows, css_class='counts')}{_draw_skipped(words, dataset)}"


def build_finetune_tab(context: Context, ref: gr.State) -> list[Any]:
    """Lay out the tab and wire it; return the components that `show_dataset` fills."""
    words = context.words
    with gr.Tab(words.finetune_tab, elem_id="finetune-tab", id="finetune"):
        gr.Markdown(words.finetune_help, elem_classes="help")
        with gr.Row():
            with gr.Column(min_width=300):
                archive = gr.File(label=words.archive, height=140, elem_id="archive")
                report = gr.HTML(draw_report(words, None), padding=False, elem_id="report")
            with gr.Column(min_width=300):
                epochs = gr.Slider(
                    1,
                    context.settings.max_epochs,
                    value=FineTuneConfig.epochs,
                    step=1,
                    label=words.epochs,
                    info=words.epochs_help,
                    elem_id="epochs",
                )
                with gr.Row():
                    train = gr.Button(words.train, variant="primary", interactive=False, elem_id="train")
                    stop = gr.Button(words.stop, interactive=False, elem_id="stop")
                status = gr.HTML(_status(""), padding=False, elem_id="training-status")
                summary = gr.HTML("", padding=False, elem_id="curve-summary")
        with gr.Row():
            loss = _curve(words, words.loss, "loss")
            accuracy = _curve(words, words.accuracy_axis, "accuracy", y_lim=[0, 1])
    training = [status, summary, loss, accuracy, train, stop]
    archive.upload(
        context.bind(choose_archive),
        [ref, archive],
        [report, *training],
        preprocess=False,
        show_progress_on=report,
        **COMPUTE,
    ).failure(_empty, None, archive, **LIGHT)
    archive.clear(context.bind(drop_archive), ref, [report, *training], **LIGHT)
    train.click(context.bind(start_training), [ref, epochs], None, **LIGHT).success(
        context.bind(watch_training), ref, [ref, *training], **LIGHT
    )
    stop.click(context.bind(stop_training), ref, [status, stop], **LIGHT)
    return [report, *training]


def _empty() -> None:
    """Take a refused zip off the page, so that the page shows what is in use."""


def _curve(words: Words, title: str, elem_id: str, y_lim: list[float] | None = None) -> gr.LinePlot:
    return gr.LinePlot(
        x="epoch",
        y="value",
        color="split",
        title=title,
        x_title=words.epoch_axis,
        y_title=" ",
        color_title=" ",
        y_lim=y_lim,
        height=240,
        visible=False,
        elem_id=elem_id,
    )


def _show_training(context: Context, session: Session) -> list[Any]:
    """Return status, summary, both curves and both buttons for whatever the session's training does now."""
    job, words = session.job, context.words
    epochs = list(job.epochs) if job else []
    return [
        _training_status(context, session),
        _summarise(words, epochs[-1]) if epochs else "",
        _draw_curve(words, epochs, "loss"),
        _draw_curve(words, epochs, "accuracy"),
        gr.Button(interactive=session.dataset is not None and not session.is_training),
        gr.Button(interactive=session.is_training),
    ]


def _training_status(context: Context, session: Session) -> str:
    job, words = session.job, context.words
    if job is None:
        return _status(words.next_train if session.dataset else "")
    if job.error is not None:
        return _status(words.explain(job.error), kind="failed")
    if job.result is not None and not job.is_running:
        if session.state.head is not job.result.head:  # dropped since
            return _status(words.next_train)
        return _status(_describe(words, job.result.head.summary), kind="trained")
    if num_ahead := context.line.num_ahead(job):
        return _status(words.waiting.format(count=num_ahead))
    if job.epochs:
        last = job.epochs[-1]
        percent = 100 * last.val_accuracy
        return _status(
            words.epoch_status.format(
                epoch=last.epoch, num_epochs=last.num_epochs, loss=last.train_loss, percent=percent
            )
        )
    reading = job.reading
    return _status(words.reading.format(done=reading.done, total=reading.total) if reading else words.starting)


def _describe(words: Words, summary: TrainingSummary) -> str:
    sentences = [
        words.trained.format(
            seconds=summary.seconds,
            correct=summary.val_correct,
            count=summary.val_count,
            percent=100 * summary.val_accuracy,
        )
    ]
    if summary.test_accuracy is not None:
        sentences.append(words.trained_test.format(count=summary.test_count, percent=100 * summary.test_accuracy))
    return " ".join([*sentences, words.trained_next])


def _status(sentence: str, *, kind: str = "running") -> str:
    return f'<p class="status {kind}" role="status" aria-live="polite">{html.escape(sentence)}</p>'


def _summarise(words: Words, last: EpochResult) -> str:
    return f'<p class="hint">{words.curve_summary.format(**vars(last))}</p>'


def _draw_curve(words: Words, epochs: Sequence[EpochResult], quantity: str) -> Any:
    if not epochs:
        return gr.LinePlot(value=None, visible=False)
    curves = {
        words.curves[split]: [(each.epoch, getattr(each, f"{prefix}_{quantity}")) for each in epochs]
        for split, prefix in ((Split.TRAIN, "train"), (Split.VALIDATION, "val"))
    }
    # The axis is as long as the run from the start, so that nothing jumps while the curve grows.
    x_lim = [1, max(epochs[-1].num_epochs, 2)]
    return gr.LinePlot(value=curve_points("epoch", "value", curves), x_lim=x_lim, visible=True)


def _draw_skipped(words: Words, dataset: Dataset) -> str:
    if not dataset.skipped:
        return ""
    lines = [f"{each.path}: {words.explain(each.reason)}" for each in dataset.skipped[:_MAX_SKIPPED_SHOWN]]
    if (num_more := len(dataset.skipped) - len(lines)) > 0:
        lines.append(words.skipped_more.format(count=num_more))
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    title = words.skipped.format(count=len(dataset.skipped))
    return f"<details><summary>{title}</summary><ul>{items}</ul></details>"
