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
from demo.ui.finetune.customers import build_customers
from demo.ui.finetune.experiments import build_experiments, show_buttons, show_curve, show_race, watch_curve, watch_race
from demo.ui.finetune.gather import build_gathering, show_collection
from demo.ui.finetune.keep import build_keep
from demo.ui.finetune.recipe_form import READ_RECIPE, TELL_RECIPE, build_recipe_form, read_recipe, tell_recipe
from demo.ui.finetune.results import build_results
from demo.ui.handlers import LIGHT, bind
from demo.ui.parts.markup import draw_status
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

_WATCH_EVERY_S = 0.4


class FineTuneTab(NamedTuple):
    """What `show_session` fills, what each watcher does, and what all of them do."""

    session: list[Any]
    training: list[Any]
    race: list[Any]
    curve: list[Any]
    buttons: list[Any]


def show_session(rooms: Rooms, ref: Ref) -> list[Any]:
    """Show the session's pictures and whatever was done with them."""
    session = rooms.sessions.find(ref)
    return [*show_collection(rooms, session), *show_jobs(rooms, ref)]


def show_jobs(rooms: Rooms, ref: Ref) -> list[Any]:
    """Show what can be done with the session's pictures now, after they have changed."""
    session = rooms.sessions.find(ref)
    shown = [*_show_training(rooms, session), *show_race(rooms, session), *show_curve(rooms, session)]
    return [*shown, *show_buttons(session)]


def start_training(rooms: Rooms, ref: Ref, *values: Any) -> None:
    """Put a training into the line; `watch_training` shows how it goes."""
    session = rooms.sessions.find(ref)
    recipe, dataset = read_recipe(rooms.settings, *values), session.pictures.find_dataset()
    rooms.train(session, dataset, recipe)


def stop_training(rooms: Rooms, ref: Ref) -> list[Any]:
    """End whatever trains in this session; the model in use is the same as before."""
    session = rooms.sessions.find(ref)
    session.stop()
    return [*_show_training(rooms, session), *show_buttons(session)]


async def watch_training(rooms: Rooms, ref: Ref) -> AsyncIterator[list[Any]]:
    """Show how the training of this session goes until it ends; only looks, so it may be closed at any time."""
    session = rooms.sessions.find(ref)
    shown: Any = None
    while (job := session.jobs.get(JobKind.TRAINING)) and job.is_running:
        seen = (rooms.line.num_ahead(job), job.progress, len(job.points))
        if seen != shown:
            shown = seen
            yield [gr.skip(), *_show_training(rooms, session), *show_buttons(session)]
        await asyncio.sleep(_WATCH_EVERY_S)
        rooms.sessions.find(ref)
    yield [session.ref, *_show_training(rooms, session), *show_buttons(session)]


def build_finetune_tab(rooms: Rooms, ref: gr.State, model: gr.State) -> FineTuneTab:
    """Lay out the tab and wire it; return the components that are filled when the page is loaded."""
    words = rooms.words
    with gr.Tab(words.finetune.tab, elem_id="finetune-tab", id="finetune"):
        gr.Markdown(words.finetune.help, elem_classes="help")
        with gr.Row():
            with gr.Column(min_width=300):
                gr.HTML(f"<h3>{words.finetune.step_pictures}</h3>", padding=False)
                gathering = build_gathering(rooms, ref)
            with gr.Column(min_width=300):
                gr.HTML(f"<h3>{words.finetune.step_training}</h3>", padding=False)
                form = build_recipe_form(rooms, ref)
                with gr.Row():
                    train = gr.Button(
                        words.finetune.training.train, variant="primary", interactive=False, elem_id="train"
                    )
                    stop = gr.Button(words.finetune.training.stop, interactive=False, elem_id="stop")
                status = gr.HTML("", padding=False, elem_id="training-status")
                summary = gr.HTML("", padding=False, elem_id="curve-summary")
        with gr.Row():
            loss = _curve(words, words.finetune.training.loss, "loss")
            accuracy = _curve(words, words.finetune.training.accuracy_axis, "accuracy", y_lim=[0, 1])
        build_results(rooms, ref, model)
        experiments = build_experiments(rooms, ref, train, stop)
        build_customers(rooms)
        build_keep(rooms, ref)
    training, buttons = [status, summary, loss, accuracy], experiments.buttons
    jobs = [*training, *experiments.race, *experiments.curve, *buttons]
    tell = bind(rooms, tell_recipe)
    for change in gathering.changes:
        change.success(bind(rooms, show_jobs), ref, jobs, **LIGHT).then(
            tell, [ref, *form.controls], form.told, **TELL_RECIPE
        )
    train.click(bind(rooms, start_training), [ref, *form.controls], None, **READ_RECIPE).success(
        bind(rooms, watch_training), ref, [ref, *training, *buttons], **LIGHT
    )
    stop.click(bind(rooms, stop_training), ref, [*training, *buttons], **LIGHT)
    model.change(tell, [ref, *form.controls], form.told, **TELL_RECIPE)
    return FineTuneTab([*gathering.shown, *jobs], training, experiments.race, experiments.curve, buttons)


def watch_on_load(rooms: Rooms, event: Any, ref: gr.State, tab: FineTuneTab) -> None:
    """Find whatever runs in this session again after a page was loaded."""
    event.then(bind(rooms, watch_training), ref, [ref, *tab.training, *tab.buttons], **LIGHT)
    event.then(bind(rooms, watch_race), ref, [*tab.race, *tab.buttons], **LIGHT)
    event.then(bind(rooms, watch_curve), ref, [*tab.curve, *tab.buttons], **LIGHT)


def _curve(words: Words, title: str, elem_id: str, y_lim: list[float] | None = None) -> gr.LinePlot:
    return gr.LinePlot(
        x="epoch",
        y="value",
        color="split",
        title=title,
        x_title=words.finetune.training.epoch_axis,
        y_title=" ",
        color_title=" ",
        y_lim=y_lim,
        height=240,
        visible=False,
        elem_id=elem_id,
    )


def _show_training(rooms: Rooms, session: Session) -> list[Any]:
    """Return status, summary and both curves for whatever the session's training does now."""
    job, words = session.jobs.get(JobKind.TRAINING), rooms.words
    epochs = list(job.points) if job else []
    return [
        _training_status(rooms, session, job),
        _summarise(words, epochs[-1]) if epochs else "",
        _draw_curve(words, epochs, "loss"),
        _draw_curve(words, epochs, "accuracy"),
    ]


def _training_status(rooms: Rooms, session: Session, job: Job | None) -> str:
    words = rooms.words
    if job is None:
        return draw_status(words.finetune.training.next_train if session.pictures.dataset else "")
    if job.error is not None:
        return draw_status(words.explain(job.error), kind="failed")
    if job.result is not None:
        if session.state.head is not job.result.head:  # dropped since
            return draw_status(words.finetune.training.next_train)
        return draw_status(_describe(words, job.result.head.summary), kind="trained")
    if rooms.line.num_ahead(job):
        return draw_status(rooms.describe_wait(job))
    return draw_status(_describe_progress(words, job))


def _describe_progress(words: Words, job: Job) -> str:
    """Return what a running training does: it looks at pictures, or is in an epoch, with the time that is left."""
    progress, last = job.progress, job.points[-1] if job.points else None
    if isinstance(progress, FeatureProgress):
        return words.finetune.training.reading.format(done=progress.done, total=progress.total)
    sentences = []
    if isinstance(last, EpochResult):
        percent = 100 * last.val_accuracy
        sentences.append(
            words.finetune.training.epoch_status.format(
                epoch=last.epoch, num_epochs=last.num_epochs, loss=last.train_loss, percent=percent
            )
        )
        left = last.seconds / last.epoch * (last.num_epochs - last.epoch)
        sentences.append(words.finetune.training.time_left.format(seconds=left))
    if isinstance(progress, BatchProgress):
        sentences.append(
            words.finetune.training.batch_status.format(epoch=progress.epoch, done=progress.done, total=progress.total)
        )
    return " ".join(sentences) or words.finetune.training.starting


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

    sentences = [describe(words.finetune.training.trained, summary.val_correct, summary.val_count)]
    if summary.test_accuracy is not None:
        sentences.append(describe(words.finetune.training.trained_test, summary.test_correct, summary.test_count))
    if summary.chosen_epoch != summary.epochs:
        sentences.append(
            words.finetune.training.trained_early.format(chosen=summary.chosen_epoch, epochs=summary.epochs)
        )
    elif summary.epochs < summary.recipe.epochs and not summary.recipe.is_closed_form:
        sentences.append(
            words.finetune.training.trained_cut.format(epochs=summary.epochs, num_epochs=summary.recipe.epochs)
        )
    return " ".join([*sentences, words.finetune.training.trained_next])


def _summarise(words: Words, epoch: EpochResult) -> str:
    sentence = words.finetune.training.curve_summary.format(
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
        words.finetune.training.curves[split]: [(each.epoch, getattr(each, f"{prefix}_{quantity}")) for each in epochs]
        for split, prefix in ((Split.TRAIN, "train"), (Split.VALIDATION, "val"))
    }
    # The axis is as long as the run from the start, so that nothing jumps while the curve grows.
    x_lim = [1, max(epochs[-1].num_epochs, 2)]
    return gr.LinePlot(value=curve_points("epoch", "value", curves), x_lim=x_lim, visible=True)
