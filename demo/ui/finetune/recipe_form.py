"""The form of a training: what learns, the head to build, the recipe; with its parameter count and its code."""

import html
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

import gradio as gr

from demo.data.dataset import Dataset, Split, read_sample
from demo.errors import OptionOutOfRange
from demo.models.recipe import (
    MAX_CROPS,
    MAX_HIDDEN_LAYERS,
    SUGGESTED_RECIPES,
    Balance,
    HeadConfig,
    Optimizer,
    Recipe,
    Trains,
    lesson_recipe,
)
from demo.settings import Settings
from demo.tasks.code import write_code
from demo.tasks.features import PLAIN, View, choose_views
from demo.tasks.finetune import count_trained
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.errors import OptionNotNumber, UnknownChoice
from demo.ui.parts.markup import draw_figure, draw_picture, encode_jpeg
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.values import parse_choice, parse_number, parse_whole
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.finetune import RecipeWords
from demo.words.language import Words

# `read_recipe` checks what the controls send, and says what is wrong with it in the visitor's language, which gradio's
# own checks do not.
UNCHECKED: dict[str, Any] = {"preprocess": False}
_PREVIEW_PX = 112


class RecipeForm(NamedTuple):
    """What a visitor chooses of a recipe: the controls when built, and what they say when read.

    Each has the name that it has in `Recipe`, or in the `HeadConfig` of that.
    """

    trains: Any
    optimizer: Any
    hidden_layers: Any
    width: Any
    dropout: Any
    epochs: Any
    batch_size: Any
    learning_rate: Any
    weight_decay: Any
    flips: Any
    crops: Any
    patience: Any
    balance: Any
    warm_start: Any
    shuffled: Any
    seed: Any


class RecipeFacts(NamedTuple):
    """What is told of a recipe before anything is trained: the parameter count, the views of a picture, the code."""

    count: Any
    views: Any
    code: Any


def read_recipe(settings: Settings, form: RecipeForm) -> Recipe:
    """Return the recipe that the controls say; they are what anybody may send.

    Raises:
        OptionError: One of its kinds, if a value is not in its range.
    """
    return Recipe(
        trains=parse_choice("trains", Trains, form.trains),
        optimizer=parse_choice("optimizer", Optimizer, form.optimizer),
        head=HeadConfig(
            hidden_layers=parse_whole("hidden_layers", form.hidden_layers),
            width=parse_whole("width", form.width),
            dropout=parse_number("dropout", form.dropout),
        ),
        epochs=parse_whole("epochs", form.epochs),
        batch_size=parse_whole("batch_size", form.batch_size),
        learning_rate=parse_number("learning_rate", form.learning_rate),
        weight_decay=parse_number("weight_decay", form.weight_decay),
        flips=bool(form.flips),
        crops=parse_whole("crops", form.crops),
        patience=parse_whole("patience", form.patience),
        balance=parse_choice("balance", Balance, form.balance),
        warm_start=bool(form.warm_start),
        shuffled=bool(form.shuffled),
        seed=parse_whole("seed", form.seed),
        max_epochs=settings.max_epochs,
    )


def write_recipe(recipe: Recipe) -> RecipeForm:
    """Return what the controls say of a recipe."""
    values = {**vars(recipe), **vars(recipe.head)}
    chosen = {name: values[name] for name in RecipeForm._fields}
    return RecipeForm(**{name: each.value if isinstance(each, StrEnum) else each for name, each in chosen.items()})


_DEFAULT = write_recipe(Recipe())


def encode_recipe(form: RecipeForm) -> str:
    """Return what a form says, for an address: only what differs from the default, as "epochs:30,optimizer:sgd"."""
    differing = {name: each for name, each in form._asdict().items() if each != getattr(_DEFAULT, name)}
    return ",".join(f"{name}:{int(each) if isinstance(each, bool) else each}" for name, each in differing.items())


def decode_recipe(settings: Settings, text: str) -> RecipeForm:
    """Return the form of which `encode_recipe` made a text; anybody may have written it.

    Raises:
        UnknownChoice: If it names something that is not in the form.
        OptionError: Another of its kinds, or a DemoError of `Recipe`, if a value is not in its range.
    """
    values: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition(":")
        if name not in RecipeForm._fields:
            raise UnknownChoice(option="recipe", value=name[:20], known=", ".join(RecipeForm._fields))
        values[name] = _decode(name, value)
    form = _DEFAULT._replace(**values)
    read_recipe(settings, form)
    return form


def _decode(name: str, value: str) -> Any:
    default = getattr(_DEFAULT, name)
    if isinstance(default, str):
        return value
    try:
        number = float(value)
    except ValueError as error:
        raise OptionNotNumber(option=name, value=value[:20]) from error
    if isinstance(default, bool):
        if number not in (0, 1):
            raise OptionOutOfRange(option=name, value=number, low=0, high=1)
        return bool(number)
    return int(number) if number.is_integer() else number


@costs(Cost.LIGHT)
def suggest_recipe(rooms: Rooms, trains: Any) -> RecipeForm:
    """Put suggested values into the controls for what is to learn."""
    return _suggest(rooms, SUGGESTED_RECIPES[parse_choice("trains", Trains, trains)])


@costs(Cost.LIGHT)
def choose_lesson(rooms: Rooms, trains: Any) -> RecipeForm:
    """Put the lesson's own recipe into the controls."""
    depth = parse_choice("trains", Trains, trains)
    return _suggest(rooms, lesson_recipe(depth, epochs=SUGGESTED_RECIPES[depth].epochs))


@costs(Cost.LIGHT)
def take_recipe(rooms: Rooms, wanted: tuple[str, int] | None) -> RecipeForm:
    """Put the recipe of an address into the controls, if it has one."""
    return decode_recipe(rooms.settings, wanted[0]) if wanted else unchanged(RecipeForm)


@costs(Cost.COMPUTE)
def tell_recipe(rooms: Rooms, ref: Ref, *values: Any) -> RecipeFacts:
    """Say how much a recipe trains, show the views that it makes of a picture, and its code."""
    session, words = rooms.sessions.find(ref), rooms.words.finetune.recipe
    form = RecipeForm(*values)
    recipe, dataset = read_recipe(rooms.settings, form), session.pictures.dataset
    num_classes = len(dataset.class_names) if dataset else 2
    with rooms.backbones.lend(session.state.backbone_name) as backbone:
        trained = count_trained(backbone, num_classes, recipe)
        spec = backbone.spec
    sentence = words.trained_count.format(
        count=trained, backbone=spec.display_name, total=spec.facts.num_parameters, classes=num_classes
    )
    views = draw_views(rooms, dataset, recipe) if dataset else ""
    if dataset:
        recipe = recipe.settle(dataset.training_counts)
    count = f'<p class="hint" data-recipe="{html.escape(encode_recipe(form))}">{sentence}</p>'
    return RecipeFacts(count, views, write_code(recipe, spec, num_classes))


def draw_views(rooms: Rooms, dataset: Dataset, recipe: Recipe) -> str:
    """Return the views that a recipe makes of one training picture, side by side."""
    sample = next(each for each in dataset.samples if each.split is Split.TRAIN)
    picture = read_sample(sample, rooms.settings)
    figures = ""
    for view in (PLAIN, *choose_views(recipe)):
        caption = _name_view(rooms.words.finetune.recipe, view)
        seen = view.show(picture, sample.digest)
        seen.thumbnail((_PREVIEW_PX, _PREVIEW_PX))
        figures += draw_figure(draw_picture(encode_jpeg(seen), caption), caption)
    return f'<div class="figures">{figures}</div>'


def build_trains(words: Words) -> gr.Radio:
    """Lay out the first choice of the form: what learns."""
    ours = words.finetune.recipe
    return _build_choice("trains", ours.trains, _DEFAULT, label=ours.trains_label, info=ours.trains_help)


def build_recipe_form(rooms: Rooms, ref: gr.State, trains: gr.Radio) -> tuple[RecipeForm, RecipeFacts]:
    """Lay out the rest of the form, with what is told of its recipe, and wire it."""
    words = rooms.words.finetune.recipe
    with gr.Accordion(words.head_builder, open=False, elem_id="head-builder"):
        head = _build_head_controls(words, _DEFAULT)
    with gr.Accordion(words.title, open=False, elem_id="recipe"):
        with gr.Row():
            lesson = gr.Button(words.lesson_recipe, size="sm", elem_id="lesson-recipe")
            suggested = gr.Button(words.suggested_recipe, size="sm", elem_id="suggested-recipe")
        fit = _build_fit_controls(words, _DEFAULT, rooms.settings.max_epochs)
        gr.HTML(f'<p class="hint">{words.views_title}</p>', padding=False)
        views = gr.HTML("", padding=False, elem_id="views")
    count = gr.HTML("", padding=False, elem_id="trained-count")
    with gr.Accordion(words.code_title, open=False, elem_id="code-panel"):
        gr.HTML(f'<p class="hint">{words.code_help}</p>', padding=False)
        # gradio's own component for code is a sixth of all bytes of a first visit.
        code = gr.Textbox(label=words.code_title, max_lines=40, interactive=False, buttons=["copy"], elem_id="code")
    form, facts = RecipeForm(trains=trains, **head, **fit), RecipeFacts(count, views, code)
    listen_to_recipe(rooms, [each.change for each in form], ref, form, facts, trigger_mode="always_last")
    listen(rooms, trains.input, suggest_recipe, trains, form, **UNCHECKED)
    listen(rooms, suggested.click, suggest_recipe, trains, form, **UNCHECKED)
    listen(rooms, lesson.click, choose_lesson, trains, form, **UNCHECKED)
    return form, facts


def listen_to_recipe(
    rooms: Rooms, trigger: Any, ref: gr.State, form: RecipeForm, facts: RecipeFacts, **options: Any
) -> None:
    """Tell of the recipe in the form whenever something happens that changes what there is to tell."""
    options = {"show_progress": "hidden", **UNCHECKED, **options}
    listen(rooms, trigger, tell_recipe, [ref, form], facts, **options)


def _build_choice(name: str, names: Any, default: RecipeForm, **options: Any) -> gr.Radio:
    kind = type(getattr(Recipe(), name))
    choices = [(names[each], each.value) for each in kind]
    return gr.Radio(choices, value=getattr(default, name), interactive=True, elem_id=name, **options)


def _build_head_controls(words: RecipeWords, default: RecipeForm) -> dict[str, Any]:
    gr.HTML(f'<p class="help">{words.head_builder_help}</p>', padding=False)
    return {
        "hidden_layers": gr.Slider(
            0, MAX_HIDDEN_LAYERS, value=default.hidden_layers, step=1, label=words.hidden_layers, elem_id="layers"
        ),
        "width": gr.Slider(8, 1024, value=default.width, step=8, label=words.width, elem_id="width"),
        "dropout": gr.Slider(0, 0.9, value=default.dropout, step=0.05, label=words.dropout, elem_id="dropout"),
    }


def _build_fit_controls(words: RecipeWords, default: RecipeForm, max_epochs: int) -> dict[str, Any]:
    optimizer = _build_choice("optimizer", words.optimizers, default, label=words.optimizer, info=words.optimizer_help)
    epochs = gr.Slider(
        1, max_epochs, value=default.epochs, step=1, label=words.epochs, info=words.epochs_help, elem_id="epochs"
    )
    with gr.Row():
        small = {"min_width": 120}
        batch_size = gr.Number(default.batch_size, label=words.batch_size, precision=0, elem_id="batch-size", **small)
        rate = gr.Number(default.learning_rate, label=words.learning_rate, elem_id="learning-rate", **small)
        decay = gr.Number(default.weight_decay, label=words.weight_decay, elem_id="weight-decay", **small)
    with gr.Row():
        flips = gr.Checkbox(default.flips, label=words.flips, interactive=True, min_width=120, elem_id="flips")
        crops = gr.Slider(0, MAX_CROPS, value=default.crops, step=1, label=words.crops, min_width=220, elem_id="crops")
    with gr.Row():
        patience = gr.Number(
            default.patience,
            label=words.patience,
            info=words.patience_help,
            precision=0,
            min_width=160,
            elem_id="patience",
        )
        seed = gr.Number(default.seed, label=words.seed, precision=0, min_width=120, elem_id="seed")
    warm_start = gr.Checkbox(
        default.warm_start, label=words.warm_start, info=words.warm_start_help, elem_id="warm-start"
    )
    shuffled = gr.Checkbox(default.shuffled, label=words.shuffled, info=words.shuffled_help, elem_id="shuffled")
    balance = _build_choice("balance", words.balances, default, label=words.balance, info=words.balance_help)
    return {
        "optimizer": optimizer,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": rate,
        "weight_decay": decay,
        "flips": flips,
        "crops": crops,
        "patience": patience,
        "balance": balance,
        "warm_start": warm_start,
        "shuffled": shuffled,
        "seed": seed,
    }


def _suggest(rooms: Rooms, recipe: Recipe) -> RecipeForm:
    """Return a recipe within the epochs that the page allows."""
    return write_recipe(replace(recipe, epochs=min(recipe.epochs, rooms.settings.max_epochs)))


def _name_view(words: RecipeWords, view: View) -> str:
    if view == PLAIN:
        return words.view_plain
    return words.view_crop if view.crop else words.view_flip
