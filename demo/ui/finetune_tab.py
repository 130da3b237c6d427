"""Tab 2: a head of one's own. Pictures, recipe, training, results, experiments, and what to keep."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Split
from demo.figures import curve_points
from demo.models.head import TrainingSummary
from demo.tasks.evaluate import wilson
from demo.tasks.features import FeatureProgress
from demo.tasks.fit import BatchProgress, EpochResult
from demo.ui.context import LIGHT, Context
from demo.ui.customers import build_customers
from demo.ui.experiments import build_experiments, show_buttons, show_curve, show_race, watch_curve, watch_race
from demo.ui.gather import build_gathering, show_collection
from demo.ui.keep import build_keep
from demo.ui.markup import draw_status
from demo.ui.recipe_form import READ_RECIPE, TELL_RECIPE, build_recipe_form, read_recipe, tell_recipe
from demo.ui.results import build_results
from demo.ui.sessions import Ref, Session
from demo.ui.text import Words
from demo.ui.training import Job, JobKind

_WATCH_EVERY_S = 0.4


class FineTuneTab(NamedTuple):
    """What `show_session` fills, what each watcher does, and what all of them do."""

    session: list[Any]
    training: list[Any]
    race: list[Any]
    curve: list[Any]
    buttons: list[Any]


def show_session(context: Context, ref: Ref) -> list[Any]:
    """Show the session's pictures and whatever was done with them."""
    session = context.sessions.find(ref)
    return [*show_collection(context, session), *show_jobs(context, ref)]


def show_jobs(context: Context, ref: Ref) -> list[Any]:
    """Show what can be done with the session's pictures now, after they have changed."""
    session = context.sessions.find(ref)
    shown = [*_show_training(context, session), *show_race(context, session), *show_curve(context, session)]
    return [*shown, *show_buttons(session)]


def start_training(context: Context, ref: Ref, *values: Any) -> None:
    """Put a training into the line; `watch_training` shows how it goes."""
    session = context.sessions.find(ref)
    recipe, dataset = read_recipe(context.settings, *values), session.find_dataset()
    context.train(session, dataset, recipe)


def stop_training(context: Context, ref: Ref) -> list[Any]:
    """End whatever trains in this session; the model in use is the same as before."""
    session = context.sessions.find(ref)
    session.stop()
    return [*_show_training(context, session), *show_buttons(session)]


async def watch_training(context: Context, ref: Ref) -> AsyncIterator[list[Any]]:
    """Show how the training of this session goes until it ends; only looks, so it may be closed at any time."""
    session = context.sessions.find(ref)
    shown: Any = None
    while (job := session.jobs.get(JobKind.TRAINING)) and job.is_running:
        seen = (context.line.num_ahead(job), job.progress, len(job.points))
        if seen != shown:
            shown = seen
            yield [gr.skip(), *_show_training(context, session), *show_buttons(session)]
        await asyncio.sleep(_WATCH_EVERY_S)
        context.sessions.find(ref)
    yield [session.ref, *_show_training(context, session), *show_buttons(session)]


def build_finetune_tab(context: Context, ref: gr.State) -> FineTuneTab:
    """Lay out the tab and wire it; return the components that are filled when the page is loaded."""
    words = context.words
    with gr.Tab(words.finetune_tab, elem_id="finetune-tab", id="finetune"):
        gr.Markdown(words.finetune_help, elem_classes="help")
        with gr.Row():
            with gr.Column(min_width=300):
                gr.HTML(f"<h3>{words.step_pictures}</h3>", padding=False)
                gathering = build_gathering(context, ref)
            with gr.Column(min_width=300):
                gr.HTML(f"<h3>{words.step_training}</h3>", padding=False)
                form = build_recipe_form(context, ref)
                with gr.Row():
                    train = gr.Button(words.train, variant="primary", interactive=False, elem_id="train")
                    stop = gr.Button(words.stop, interactive=False, elem_id="stop")
                status = gr.HTML("", padding=False, elem_id="training-status")
                summary = gr.HTML("", padding=False, elem_id="curve-summary")
        with gr.Row():
            loss = _curve(words, words.loss, "loss")
            accuracy = _curve(words, words.accuracy_axis, "accuracy", y_lim=[0, 1])
        build_results(context, ref)
        experiments = build_experiments(context, ref, train, stop)
        build_customers(context)
        build_keep(context, ref)
    training, buttons = [status, summary, loss, accuracy], experiments.buttons
    jobs = [*training, *experiments.race, *experiments.curve, *buttons]
    tell = context.bind(tell_recipe)
    for change in gathering.changes:
        change.success(context.bind(show_jobs), ref, jobs, **LIGHT).then(
            tell, [ref, *form.controls], form.told, **TELL_RECIPE
        )
    train.click(context.bind(start_training), [ref, *form.controls], None, **READ_RECIPE).success(
        context.bind(watch_training), ref, [ref, *training, *buttons], **LIGHT
    )
    stop.click(context.bind(stop_training), ref, [*training, *buttons], **LIGHT)
    ref.change(tell, [ref, *form.controls], form.told, **TELL_RECIPE)
    return FineTuneTab([*gathering.shown, *jobs], training, experiments.race, experiments.curve, buttons)


def watch_on_load(context: Context, event: Any, ref: gr.State, tab: FineTuneTab) -> None:
    """Find whatever runs in this session again after a page was loaded."""
    event.then(context.bind(watch_training), ref, [ref, *tab.training, *tab.buttons], **LIGHT)
    event.then(context.bind(watch_race), ref, [*tab.race, *tab.buttons], **LIGHT)
    event.then(context.bind(watch_curve), ref, [*tab.curve, *tab.buttons], **LIGHT)


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
    """Return status, summary and both curves for whatever the session's training does now."""
    job, words = session.jobs.get(JobKind.TRAINING), context.words
    epochs = list(job.points) if job else []
    return [
        _training_status(context, session, job),
        _summarise(words, epochs[-1]) if epochs else "",
        _draw_curve(words, epochs, "loss"),
        _draw_curve(words, epochs, "accuracy"),
    ]


def _training_status(context: Context, session: Session, job: Job | None) -> str:
    words = context.words
    if job is None:
        return draw_status(words.next_train if session.dataset else "")
    if job.error is not None:
        return draw_status(words.explain(job.error), kind="failed")
    if job.result is not None:
        if session.state.head is not job.result.head:  # dropped since
            return draw_status(words.next_train)
        return draw_status(_describe(words, job.result.head.summary), kind="trained")
    if context.line.num_ahead(job):
        return draw_status(context.describe_wait(job))
    return draw_status(_describe_progress(words, job))


def _describe_progress(words: Words, job: Job) -> str:
    """Return what a running training does: it looks at pictures, or is in an epoch, with the time that is left."""
    progress, last = job.progress, job.points[-1] if job.points else None
    if isinstance(progress, FeatureProgress):
        return words.reading.format(done=progress.done, total=progress.total)
    sentences = []
    if isinstance(last, EpochResult):
        percent = 100 * last.val_accuracy
        sentences.append(
            words.epoch_status.format(
                epoch=last.epoch, num_epochs=last.num_epochs, loss=last.train_loss, percent=percent
            )
        )
        left = last.seconds / last.epoch * (last.num_epochs - last.epoch)
        sentences.append(words.time_left.format(seconds=left))
    if isinstance(progress, BatchProgress):
        sentences.append(words.batch_status.format(epoch=progress.epoch, done=progress.done, total=progress.total))
    return " ".join(sentences) or words.starting


def _describe(words: Words, summary: TrainingSummary) -> str:
    def describe(sentence: str, correct: int, count: int) -> str:
        low, high = wilson(correct, count)
        return sentence.format(
            seconds=summary.seconds,
            correct=correct,
            count=count,
            percent=100 * correct / max(1, count),
            low=100 * low,
            high=100 * high,
        )

    sentences = [describe(words.trained, summary.val_correct, summary.val_count)]
    if summary.test_accuracy is not None:
        sentences.append(describe(words.trained_test, summary.test_correct, summary.test_count))
    if summary.chosen_epoch != summary.epochs:
        sentences.append(words.trained_early.format(chosen=summary.chosen_epoch, epochs=summary.epochs))
    elif summary.epochs < summary.recipe.epochs and not summary.recipe.is_closed_form:
        sentences.append(words.trained_cut.format(epochs=summary.epochs, num_epochs=summary.recipe.epochs))
    return " ".join([*sentences, words.trained_next])


def _summarise(words: Words, epoch: EpochResult) -> str:
    sentence = words.curve_summary.format(
        epoch=epoch.epoch,
        train_loss=epoch.train_loss,
        val_loss=epoch.val_loss,
        train_accuracy=epoch.train_accuracy,
        val_accuracy=epoch.val_accuracy,
    )
    return f'<p class="hint">{sentence}</p>'


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
