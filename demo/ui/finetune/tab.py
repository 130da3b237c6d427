"""Tab 2: a head of one's own in five steps. Pictures, training, what it gets wrong, experiments, what to keep."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Split
from demo.figures import curve_points
from demo.tasks.evaluate import wilson
from demo.tasks.finetune import FineTuned
from demo.tasks.fit import EpochResult
from demo.ui.finetune.customers import build_customers
from demo.ui.finetune.experiments import (
    Experiment,
    build_experiments,
    show_curve,
    show_race,
    watch_curve,
    watch_race,
    wire_experiments,
)
from demo.ui.finetune.gather.panel import build_gathering
from demo.ui.finetune.gather.shown import Gathered, show_collection
from demo.ui.finetune.keep.panel import build_keep
from demo.ui.finetune.recipe_form import (
    UNCHECKED,
    RecipeForm,
    build_recipe_form,
    build_trains,
    listen_to_recipe,
    read_recipe,
    take_recipe,
)
from demo.ui.finetune.results import build_results
from demo.ui.finetune.results_markup import describe_balance
from demo.ui.finetune.steps import (
    Buttons,
    Controls,
    Step,
    Steps,
    build_running,
    build_step,
    describe_progress,
    show_controls,
    show_steps,
)
from demo.ui.finetune.trials.copies import show_copies, start_copies, watch_copies
from demo.ui.finetune.trials.lab import Trial, build_trial, wire_trial
from demo.ui.finetune.trials.layers import show_layers, start_layers, watch_layers
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.chart import build_line_plot
from demo.ui.parts.markup import draw_status
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.finetune import TrainingWords
from demo.words.language import Words

# A training that is refused because something is asked leads to the question.
_TO_QUESTION = "() => document.querySelector('#train-questions [data-heir]')?.focus()"

# An answer leads to the next question, to the button that trains, or to what is still missing.
_TO_NEXT = """() => requestAnimationFrame(() => {
  const places = ["#train-questions [data-heir]", "#train:enabled", "#missing-train .next"];
  places.map((each) => document.querySelector(each)).find((each) => each?.getClientRects().length)?.focus();
})"""


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
    copies: Trial
    layers: Trial
    controls: Controls


class Wanted(NamedTuple):
    """What an address asks for here: a starter set and a recipe, each with a number that tells two wishes apart."""

    starter: Any
    recipe: Any


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
    copies, layers = show_copies(rooms, session), show_layers(rooms, session)
    return Jobs(_show_training(rooms, session), race, curve, copies, layers, show_controls(rooms, session))


@costs(Cost.LIGHT)
def start_training(rooms: Rooms, ref: Ref, *values: Any) -> None:
    """Put a training into the line; `watch_training` shows how it goes."""
    session = rooms.sessions.find(ref)
    recipe, dataset = read_recipe(rooms.settings, RecipeForm(*values)), session.pictures.find_dataset()
    rooms.train(session, dataset, recipe)


@costs(Cost.LIGHT)
def stop_training(rooms: Rooms, ref: Ref) -> tuple[Training, Controls]:
    """End whatever trains in this session; the model in use is the same as before."""
    session = rooms.sessions.find(ref)
    session.stop()
    return _show_training(rooms, session), show_controls(rooms, session)


@costs(Cost.LIGHT)
async def watch_training(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Any, Training, Controls]]:
    """Show how the training of this session goes until it ends, and then the session with the new head."""
    async for session in rooms.watch(ref, JobKind.TRAINING):
        job = session.jobs.get(JobKind.TRAINING)
        state = gr.skip() if job and job.is_running else session.ref
        yield state, _show_training(rooms, session), show_controls(rooms, session)


def build_finetune_tab(rooms: Rooms, ref: gr.State, model: gr.State, wanted: Wanted) -> FineTuneTab:
    """Lay out the tab and wire it; return the components that are filled when the page is loaded."""
    words = rooms.words.finetune
    with gr.Tab(words.tab, elem_id="finetune-tab", id="finetune") as tab_of_page:
        gr.HTML(f'<div class="help"><h2>{words.tab}</h2><p>{words.help}</p></div>', padding=False)
        running = build_running()
        with gr.Tabs(overflow_behavior="wrap", elem_id="steps"):
            with build_step(words.steps, "pictures") as pictures:
                gathering = build_gathering(rooms, ref, pictures.way_on, wanted.starter)
            with build_step(words.steps, "train") as training, gr.Row():
                with gr.Column(min_width=300):
                    trains = build_trains(rooms.words)
                    train, stop, shown = _build_training(words.training, training, gathering.shown.asked)
                with gr.Column(min_width=300):
                    form, facts = build_recipe_form(rooms, ref, trains)
            with build_step(words.steps, "wrong") as wrong:
                build_results(rooms, ref, model)
                wrong.way_on.render()
            with build_step(words.steps, "experiments") as experiments:
                race, few = build_experiments(rooms.words)
                layers = build_trial(rooms.words, words.layers, "layers-trial")
                copies = build_trial(rooms.words, words.copies, "copies")
                build_customers(rooms)
                experiments.way_on.render()
            with build_step(words.steps, "keep") as keep:
                kept = build_keep(rooms, ref)
                keep.way_on.render()
    labs = (race, few, copies, layers)
    buttons = Buttons(train, stop, *(button for lab in labs for button in (lab.start, lab.stop)))
    controls = Controls(buttons, Steps(pictures, training, wrong, experiments, keep), running)
    tab = FineTuneTab(gathering.shown, Jobs(shown, race.shown, few.shown, copies.shown, layers.shown, controls))
    for change in gathering.changes:
        told = listen(rooms, change.success, show_jobs, ref, tab.jobs)
        if change is gathering.answered:
            told.success(None, None, None, js=_TO_NEXT)
        listen_to_recipe(rooms, told.then, ref, form, facts)
    listen(rooms, wanted.recipe.change, take_recipe, wanted.recipe, form)
    listen_to_recipe(rooms, [tab_of_page.select, model.change], ref, form, facts)
    for change in (tab_of_page.select, model.change, *(each.success for each in kept)):
        listen(rooms, change, show_steps, ref, controls.steps)
    _wire_training(rooms, ref, form, tab.jobs)
    wire_experiments(rooms, ref, race, few, controls)
    wire_trial(rooms, ref, copies, start_copies, watch_copies, controls)
    wire_trial(rooms, ref, layers, start_layers, watch_layers, controls)
    return tab


def watch_on_load(rooms: Rooms, event: Any, ref: gr.State, tab: FineTuneTab) -> None:
    """Find whatever runs in this session again after a page was loaded."""
    jobs = tab.jobs
    listen(rooms, event.then, watch_training, ref, [ref, jobs.training, jobs.controls])
    listen(rooms, event.then, watch_race, ref, [jobs.race, jobs.controls])
    listen(rooms, event.then, watch_curve, ref, [jobs.curve, jobs.controls])
    listen(rooms, event.then, watch_copies, ref, [jobs.copies, jobs.controls])
    listen(rooms, event.then, watch_layers, ref, [jobs.layers, jobs.controls])


def _wire_training(rooms: Rooms, ref: gr.State, form: RecipeForm, jobs: Jobs) -> None:
    buttons, status = jobs.controls.buttons, jobs.training.status
    begun = listen(rooms, buttons.train.click, start_training, [ref, form], None, **UNCHECKED)
    begun.failure(None, None, None, js=_TO_QUESTION)
    listen(rooms, begun.success, watch_training, ref, [ref, jobs.training, jobs.controls], reveals=status)
    stops = [each.click for name, each in buttons._asdict().items() if name.startswith("stop")]
    listen(rooms, [*stops, jobs.controls.running.click], stop_training, ref, [jobs.training, jobs.controls])


def _build_training(words: TrainingWords, step: Step, asked: gr.HTML) -> tuple[gr.Button, gr.Button, Training]:
    """Lay out what is asked first, what starts and stops a training, how it goes, and the way on."""
    asked.render()
    with gr.Row():
        train = gr.Button(words.train, variant="primary", interactive=False, elem_id="train")
        stop = gr.Button(words.stop, interactive=False, elem_id="stop")
    status = gr.HTML("", padding=False, elem_id="training-status")
    step.way_on.render()
    summary = gr.HTML("", padding=False, elem_id="curve-summary")
    loss = _build_curve(words, words.loss, "loss")
    accuracy = _build_curve(words, words.accuracy_axis, "accuracy", y_lim=[0, 1])
    return train, stop, Training(status, summary, loss, accuracy)


def _build_curve(words: TrainingWords, title: str, elem_id: str, y_lim: list[float] | None = None) -> gr.LinePlot:
    return build_line_plot(
        [words.curves[split] for split in (Split.TRAIN, Split.VALIDATION)],
        x="epoch",
        y="value",
        title=title,
        x_title=words.epoch_axis,
        y_title=" ",
        y_lim=y_lim,
        height=240,
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
        head = session.state.head
        if head is None or head.module is not job.result.head.module:  # another head, or none, has taken its place
            return draw_status(words.next_train)
        return draw_status(_describe_result(rooms.words, job.result), kind="trained")
    return draw_status(describe_progress(rooms, job))


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
        return all_words.sentence_separator.join([described, words.trained_each.format(percent=100 * balanced)])

    sentences = [describe(words.trained, summary.val_correct, summary.val_count, summary.val_balanced)]
    if summary.test_accuracy is not None:
        test = summary.test_correct, summary.test_count, summary.test_balanced
        sentences.append(describe(words.trained_test, *test))
    if summary.chosen_epoch != summary.epochs:
        sentences.append(words.trained_early.format(chosen=summary.chosen_epoch, epochs=summary.epochs))
    elif summary.epochs < summary.recipe.epochs and not summary.recipe.is_closed_form:
        sentences.append(words.trained_cut.format(epochs=summary.epochs, num_epochs=summary.recipe.epochs))
    sentences.append(describe_balance(all_words, summary.recipe, counts))
    sentences += [words.trained_shuffled] if summary.recipe.shuffled else [words.trained_next]
    return all_words.sentence_separator.join(filter(None, sentences))


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
