"""Tab 2: a head of one's own. Pictures, recipe, training, results, experiments, and what to keep."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Split
from demo.figures import curve_points
from demo.tasks.evaluate import wilson
from demo.tasks.finetune import FineTuned
from demo.tasks.fit import BatchProgress, EpochResult
from demo.ui.finetune.customers import build_customers
from demo.ui.finetune.experiments import (
    Buttons,
    Experiment,
    build_experiments,
    show_buttons,
    show_curve,
    show_race,
    watch_curve,
    watch_race,
)
from demo.ui.finetune.gather import Gathered, build_gathering, show_collection
from demo.ui.finetune.keep.panel import build_keep
from demo.ui.finetune.recipe_form import UNCHECKED, RecipeForm, build_recipe_form, listen_to_recipe, read_recipe
from demo.ui.finetune.results import build_results
from demo.ui.finetune.results_markup import describe_balance
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_status
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.finetune import TrainingWords
from demo.words.language import Words


class Training(NamedTuple):
    """What is shown of a training: how it goes, and its epochs as a sentence and as two curves."""

    status: Any
    summary: Any
    loss: Any
    accuracy: Any


class Jobs(NamedTuple):
    """What is shown of all that can be done with the pictures."""

    training: Training
    race: Experiment
    curve: Experiment
    buttons: Buttons


class FineTuneTab(NamedTuple):
    """What is shown of a session: its pictures, and what was done with them."""

    pictures: Gathered
    jobs: Jobs


@costs(Cost.LIGHT)
def show_session(rooms: Rooms, ref: Ref) -> FineTuneTab:
    """Show the session's pictures and whatever was done with them."""
    return FineTuneTab(show_collection(rooms, rooms.sessions.find(ref)), show_jobs(rooms, ref))


@costs(Cost.LIGHT)
def show_jobs(rooms: Rooms, ref: Ref) -> Jobs:
    """Show what can be done with the session's pictures now, after they have changed."""
    session = rooms.sessions.find(ref)
    race, curve = show_race(rooms, session), show_curve(rooms, session)
    return Jobs(_show_training(rooms, session), race, curve, show_buttons(session))


@costs(Cost.LIGHT)
def start_training(rooms: Rooms, ref: Ref, *values: Any) -> None:
    """Put a training into the line; `watch_training` shows how it goes."""
    session = rooms.sessions.find(ref)
    recipe, dataset = read_recipe(rooms.settings, RecipeForm(*values)), session.pictures.find_dataset()
    rooms.train(session, dataset, recipe)


@costs(Cost.LIGHT)
def stop_training(rooms: Rooms, ref: Ref) -> tuple[Training, Buttons]:
    """End whatever trains in this session; the model in use is the same as before."""
    session = rooms.sessions.find(ref)
    session.stop()
    return _show_training(rooms, session), show_buttons(session)


@costs(Cost.LIGHT)
async def watch_training(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Any, Training, Buttons]]:
    """Show how the training of this session goes until it ends, and then the session with the new head."""
    async for session in rooms.watch(ref, JobKind.TRAINING):
        job = session.jobs.get(JobKind.TRAINING)
        state = gr.skip() if job and job.is_running else session.ref
        yield state, _show_training(rooms, session), show_buttons(session)


def build_finetune_tab(rooms: Rooms, ref: gr.State, model: gr.State) -> FineTuneTab:
    """Lay out the tab and wire it; return the components that are filled when the page is loaded."""
    words = rooms.words.finetune
    with gr.Tab(words.tab, elem_id="finetune-tab", id="finetune"):
        gr.Markdown(words.help, elem_classes="help")
        with gr.Row():
            with gr.Column(min_width=300):
                gr.HTML(f"<h3>{words.step_pictures}</h3>", padding=False)
                gathering = build_gathering(rooms, ref)
            with gr.Column(min_width=300):
                gr.HTML(f"<h3>{words.step_training}</h3>", padding=False)
                form, facts = build_recipe_form(rooms, ref)
                with gr.Row():
                    train = gr.Button(words.training.train, variant="primary", interactive=False, elem_id="train")
                    stop = gr.Button(words.training.stop, interactive=False, elem_id="stop")
                status = gr.HTML("", padding=False, elem_id="training-status")
                summary = gr.HTML("", padding=False, elem_id="curve-summary")
        with gr.Row():
            loss = _build_curve(words.training, words.training.loss, "loss")
            accuracy = _build_curve(words.training, words.training.accuracy_axis, "accuracy", y_lim=[0, 1])
        build_results(rooms, ref, model)
        experiments = build_experiments(rooms, ref, train, stop)
        build_customers(rooms)
        build_keep(rooms, ref)
    training = Training(status, summary, loss, accuracy)
    tab = FineTuneTab(gathering.shown, Jobs(training, experiments.race, experiments.curve, experiments.buttons))
    for change in gathering.changes:
        shown = listen(rooms, change.success, show_jobs, ref, tab.jobs)
        listen_to_recipe(rooms, shown.then, ref, form, facts)
    listen_to_recipe(rooms, model.change, ref, form, facts)
    _wire_training(rooms, ref, form, tab.jobs)
    return tab


def watch_on_load(rooms: Rooms, event: Any, ref: gr.State, tab: FineTuneTab) -> None:
    """Find whatever runs in this session again after a page was loaded."""
    jobs = tab.jobs
    listen(rooms, event.then, watch_training, ref, [ref, jobs.training, jobs.buttons])
    listen(rooms, event.then, watch_race, ref, [jobs.race, jobs.buttons])
    listen(rooms, event.then, watch_curve, ref, [jobs.curve, jobs.buttons])


def _wire_training(rooms: Rooms, ref: gr.State, form: RecipeForm, jobs: Jobs) -> None:
    begun = listen(rooms, jobs.buttons.train.click, start_training, [ref, form], None, **UNCHECKED)
    listen(rooms, begun.success, watch_training, ref, [ref, jobs.training, jobs.buttons])
    listen(rooms, jobs.buttons.stop.click, stop_training, ref, [jobs.training, jobs.buttons])


def _build_curve(words: TrainingWords, title: str, elem_id: str, y_lim: list[float] | None = None) -> gr.LinePlot:
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


def _show_training(rooms: Rooms, session: Session) -> Training:
    """Return what is shown of the session's training."""
    job, words = session.jobs.get(JobKind.TRAINING), rooms.words.finetune.training
    epochs = list(job.points) if job else []
    return Training(
        status=_draw_training_status(rooms, session, job),
        summary=_summarise(words, epochs[-1]) if epochs else "",
        loss=_fill_curve(words, epochs, "loss"),
        accuracy=_fill_curve(words, epochs, "accuracy"),
    )


def _draw_training_status(rooms: Rooms, session: Session, job: Job | None) -> str:
    words = rooms.words.finetune.training
    if job is None:
        return draw_status(words.next_train if session.pictures.dataset else "")
    if job.error is not None:
        return draw_status(rooms.words.explain(job.error), kind="failed")
    if job.result is not None:
        if session.state.head is not job.result.head:  # another head, or none, has taken its place
            return draw_status(words.next_train)
        return draw_status(_describe_result(rooms.words, job.result), kind="trained")
    return draw_status(rooms.describe_wait(job) or _describe_progress(words, job))


def _describe_progress(words: TrainingWords, job: Job) -> str:
    """Return which epoch a training is in, and how long the rest will take."""
    progress, last, sentences = job.progress, job.points[-1] if job.points else None, []
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


def _describe_result(all_words: Words, result: FineTuned) -> str:
    """Return how many held-out pictures a new head gets right, which of its epochs was kept, and what was balanced."""
    words, summary = all_words.finetune.training, result.head.summary
    counts = result.features.of(Split.TRAIN)[1].bincount().tolist()

    def describe(sentence: str, correct: int, count: int, balanced: float | None) -> str:
        low, high = wilson(correct, count)
        described = sentence.format(
            seconds=summary.seconds,
            correct=correct,
            count=count,
            percent=100 * correct / max(1, count),
            low=100 * low,
            high=100 * high,
        )
        if balanced is None:
            return described
        return f"{described} {words.trained_each.format(percent=100 * balanced)}"

    sentences = [describe(words.trained, summary.val_correct, summary.val_count, summary.val_balanced)]
    if summary.test_accuracy is not None:
        test = summary.test_correct, summary.test_count, summary.test_balanced
        sentences.append(describe(words.trained_test, *test))
    if summary.chosen_epoch != summary.epochs:
        sentences.append(words.trained_early.format(chosen=summary.chosen_epoch, epochs=summary.epochs))
    elif summary.epochs < summary.recipe.epochs and not summary.recipe.is_closed_form:
        sentences.append(words.trained_cut.format(epochs=summary.epochs, num_epochs=summary.recipe.epochs))
    sentences.append(describe_balance(all_words, summary.recipe, counts))
    return " ".join([*filter(None, sentences), words.trained_next])


def _summarise(words: TrainingWords, epoch: EpochResult) -> str:
    sentence = words.curve_summary.format(
        epoch=epoch.epoch,
        train_loss=epoch.train_loss,
        val_loss=epoch.val_loss,
        train_accuracy=epoch.train_accuracy,
        val_accuracy=epoch.val_accuracy,
    )
    return f'<p class="hint">{sentence}</p>'


def _fill_curve(words: TrainingWords, epochs: Sequence[EpochResult], quantity: str) -> gr.LinePlot:
    if not epochs:
        return gr.LinePlot(value=None, visible=False)
    curves = {
        words.curves[split]: [(each.epoch, getattr(each, f"{prefix}_{quantity}")) for each in epochs]
        for split, prefix in ((Split.TRAIN, "train"), (Split.VALIDATION, "val"))
    }
    # The axis is as long as the run from the start, so that nothing jumps while the curve grows.
    x_lim = [1, max(epochs[-1].num_epochs, 2)]
    return gr.LinePlot(value=curve_points("epoch", "value", curves), x_lim=x_lim, visible=True)
