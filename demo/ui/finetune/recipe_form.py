"""The form of a training: what learns, the head to build, the recipe; with its parameter count and its code."""

from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Dataset, Split, read_sample
from demo.models.recipe import MAX_CROPS, MAX_HIDDEN_LAYERS, HeadConfig, Optimizer, Recipe, Trains, lesson_recipe
from demo.settings import Settings
from demo.tasks.code import write_code
from demo.tasks.features import PLAIN, choose_views
from demo.tasks.finetune import count_trained
from demo.ui.handlers import COMPUTE, LIGHT, bind
from demo.ui.parts.markup import draw_figure, draw_picture, encode_jpeg
from demo.ui.parts.values import parse_choice, parse_number, parse_whole
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref

# How events run that hand over a recipe: `read_recipe` checks what is sent, and says what is wrong with it in the
# visitor's language, which gradio's own checks do not.
READ_RECIPE: dict[str, Any] = {**LIGHT, "preprocess": False}
TELL_RECIPE: dict[str, Any] = {**COMPUTE, "preprocess": False, "show_progress": "hidden"}

_PREVIEW_PX = 112
# What to begin with for each depth of training; a visitor may then change all of it.
_SUGGESTED = {
    Trains.HEAD: Recipe(),
    Trains.LAST_STAGE: Recipe(Trains.LAST_STAGE, Optimizer.SGD, epochs=8, batch_size=8, weight_decay=0.0, flips=False),
    Trains.EVERYTHING: lesson_recipe(Trains.EVERYTHING, epochs=5),
}


class RecipeForm(NamedTuple):
    """The controls, in the order of `read_recipe`, and what tells of the recipe: count, preview, code."""

    controls: list[Any]
    told: list[Any]


def read_recipe(settings: Settings, *values: Any) -> Recipe:
    """Return the recipe that the controls say; they are what anybody may send.

    Raises:
        OptionError: One of its kinds, if a value is not in its range.
    """
    trains, optimizer, hidden_layers, width, dropout, epochs, batch_size, rate, decay, flips, crops, patience, seed = (
        values
    )
    return Recipe(
        trains=parse_choice("trains", Trains, trains),
        optimizer=parse_choice("optimizer", Optimizer, optimizer),
        head=HeadConfig(
            parse_whole("hidden_layers", hidden_layers), parse_whole("width", width), parse_number("dropout", dropout)
        ),
        epochs=parse_whole("epochs", epochs),
        batch_size=parse_whole("batch_size", batch_size),
        learning_rate=parse_number("learning_rate", rate),
        weight_decay=parse_number("weight_decay", decay),
        flips=bool(flips),
        crops=parse_whole("crops", crops),
        patience=parse_whole("patience", patience),
        seed=parse_whole("seed", seed),
        max_epochs=settings.max_epochs,
    )


def suggest_recipe(rooms: Rooms, trains: str) -> list[Any]:
    """Put suggested values into the controls for what is to learn."""
    recipe = _SUGGESTED[parse_choice("trains", Trains, trains)]
    return _write_controls(replace(recipe, epochs=min(recipe.epochs, rooms.settings.max_epochs)))


def choose_lesson(_context: Rooms, trains: str) -> list[Any]:
    """Put the lesson's own recipe into the controls."""
    depth = parse_choice("trains", Trains, trains)
    return _write_controls(lesson_recipe(depth, epochs=_SUGGESTED[depth].epochs))


def tell_recipe(rooms: Rooms, ref: Ref, *values: Any) -> list[Any]:
    """Say how much a recipe trains, show the views that it makes of a picture, and its code."""
    session, words = rooms.sessions.find(ref), rooms.words
    recipe = read_recipe(rooms.settings, *values)
    dataset = session.pictures.dataset
    num_classes = len(dataset.class_names) if dataset else 2
    with rooms.backbones.lend(session.state.backbone_name) as backbone:
        trained = count_trained(backbone, num_classes, recipe)
        spec = backbone.spec
    sentence = words.finetune.recipe.trained_count.format(
        count=trained, backbone=spec.display_name, total=spec.facts.num_parameters, classes=num_classes
    )
    preview = draw_views(rooms, dataset, recipe) if dataset else ""
    return [f'<p class="hint">{sentence}</p>', preview, write_code(recipe, spec, num_classes)]


def draw_views(rooms: Rooms, dataset: Dataset, recipe: Recipe) -> str:
    """Return the views that a recipe makes of one training picture, side by side."""
    words = rooms.words
    sample = next(each for each in dataset.samples if each.split is Split.TRAIN)
    picture = read_sample(sample, rooms.settings)
    figures = ""
    for view in (PLAIN, *choose_views(recipe)):
        caption = (
            words.finetune.recipe.view_plain
            if view == PLAIN
            else words.finetune.recipe.view_crop
            if view.crop
            else words.finetune.recipe.view_flip
        )
        seen = view.show(picture, sample.digest)
        seen.thumbnail((_PREVIEW_PX, _PREVIEW_PX))
        figures += draw_figure(draw_picture(encode_jpeg(seen), caption), caption)
    return f'<div class="figures">{figures}</div>'


def build_recipe_form(rooms: Rooms, ref: gr.State) -> RecipeForm:
    """Lay out the form and wire it."""
    words, default = rooms.words, Recipe()
    trains = gr.Radio(
        [(words.finetune.recipe.trains[each], each.value) for each in Trains],
        value=default.trains.value,
        label=words.finetune.recipe.trains_label,
        info=words.finetune.recipe.trains_help,
        interactive=True,
        elem_id="trains",
    )
    with gr.Accordion(words.finetune.recipe.head_builder, open=False, elem_id="head-builder"):
        gr.HTML(f'<p class="help">{words.finetune.recipe.head_builder_help}</p>', padding=False)
        hidden_layers = gr.Slider(
            0, MAX_HIDDEN_LAYERS, value=0, step=1, label=words.finetune.recipe.hidden_layers, elem_id="layers"
        )
        width = gr.Slider(8, 1024, value=default.head.width, step=8, label=words.finetune.recipe.width, elem_id="width")
        dropout = gr.Slider(0, 0.9, value=0, step=0.05, label=words.finetune.recipe.dropout, elem_id="dropout")
    with gr.Accordion(words.finetune.recipe.title, open=False, elem_id="recipe"):
        with gr.Row():
            lesson = gr.Button(words.finetune.recipe.lesson_recipe, size="sm", elem_id="lesson-recipe")
            suggested = gr.Button(words.finetune.recipe.suggested_recipe, size="sm", elem_id="suggested-recipe")
        optimizer = gr.Radio(
            [(words.finetune.recipe.optimizers[each], each.value) for each in Optimizer],
            value=default.optimizer.value,
            label=words.finetune.recipe.optimizer,
            interactive=True,
            elem_id="optimizer",
        )
        epochs = gr.Slider(
            1,
            rooms.settings.max_epochs,
            value=default.epochs,
            step=1,
            label=words.finetune.recipe.epochs,
            info=words.finetune.recipe.epochs_help,
            elem_id="epochs",
        )
        with gr.Row():
            batch_size = gr.Number(
                default.batch_size, label=words.finetune.recipe.batch_size, precision=0, min_width=120
            )
            rate = gr.Number(default.learning_rate, label=words.finetune.recipe.learning_rate, min_width=120)
            decay = gr.Number(default.weight_decay, label=words.finetune.recipe.weight_decay, min_width=120)
        with gr.Row():
            flips = gr.Checkbox(
                default.flips, label=words.finetune.recipe.flips, interactive=True, min_width=120, elem_id="flips"
            )
            crops = gr.Slider(
                0, MAX_CROPS, value=0, step=1, label=words.finetune.recipe.crops, min_width=220, elem_id="crops"
            )
        with gr.Row():
            patience = gr.Number(
                0,
                label=words.finetune.recipe.patience,
                info=words.finetune.recipe.patience_help,
                precision=0,
                min_width=160,
            )
            seed = gr.Number(0, label=words.finetune.recipe.seed, precision=0, min_width=120, elem_id="seed")
        gr.HTML(f'<p class="hint">{words.finetune.recipe.views_title}</p>', padding=False)
        preview = gr.HTML("", padding=False, elem_id="views")
    count = gr.HTML("", padding=False, elem_id="trained-count")
    with gr.Accordion(words.finetune.recipe.code_title, open=False, elem_id="code-panel"):
        gr.HTML(f'<p class="hint">{words.finetune.recipe.code_help}</p>', padding=False)
        code = gr.Code(language="python", interactive=False, show_label=False, max_lines=40, elem_id="code")
    controls = [trains, optimizer, hidden_layers, width, dropout, epochs, batch_size, rate, decay, flips, crops]
    controls += [patience, seed]
    told = [count, preview, code]
    tell = bind(rooms, tell_recipe)
    gr.on([each.change for each in controls], tell, [ref, *controls], told, trigger_mode="always_last", **TELL_RECIPE)
    trains.input(bind(rooms, suggest_recipe), trains, controls, **READ_RECIPE)
    suggested.click(bind(rooms, suggest_recipe), trains, controls, **READ_RECIPE)
    lesson.click(bind(rooms, choose_lesson), trains, controls, **READ_RECIPE)
    return RecipeForm(controls, told)


def _write_controls(recipe: Recipe) -> list[Any]:
    head = recipe.head
    return [
        recipe.trains.value,
        recipe.optimizer.value,
        head.hidden_layers,
        head.width,
        head.dropout,
        recipe.epochs,
        recipe.batch_size,
        recipe.learning_rate,
        recipe.weight_decay,
        recipe.flips,
        recipe.crops,
        recipe.patience,
        recipe.seed,
    ]
