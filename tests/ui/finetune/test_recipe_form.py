"""The form of a training: what it hands over, what it refuses, and what it tells before anything is trained."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import pytest

from demo.data.dataset import Split
from demo.errors import DemoError, OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.errors import RidgeIsLinear
from demo.models.recipe import SUGGESTED_RECIPES, Balance, HeadConfig, Optimizer, Recipe, Trains, lesson_recipe
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from demo.tasks.code import write_code
from demo.tasks.errors import TooManyTrained
from demo.ui.finetune.recipe_form import (
    RecipeFacts,
    RecipeForm,
    build_recipe_form,
    build_trains,
    decode_recipe,
    encode_recipe,
    read_recipe,
    write_recipe,
)
from demo.ui.finetune.report_markup import draw_report
from demo.ui.finetune.results_markup import draw_headline
from demo.ui.parts.errors import OptionNotNumber, OptionNotWhole, UnknownChoice
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH
from tests.pictures import MakeZip, colour_folders, encode, noise, write_zip
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, recipe_values

UNEVEN = [*(("many", number) for number in range(12)), *(("few", 20 + number) for number in range(3))]
EVERY_DEPTH = pytest.mark.parametrize("trains", list(Trains))
NOISE = {
    f"{name}/{number}.png": encode(noise(seed + number)) for name, seed in (("a", 0), ("b", 9)) for number in range(3)
}
# How the names of the layers begin that learn.
LEARN = {
    Trains.HEAD: (),
    Trains.LAST_STAGE: ("blocks.5", "blocks.6", "conv_head", "bn2"),
    Trains.EVERYTHING: ("conv_stem", "bn1", "blocks", "conv_head", "bn2"),
}
RECIPES = {
    "default": recipe_values(2),
    "lesson": recipe_values(2, optimizer="sgd", batch_size=4, weight_decay=0, flips=False),
    "ridge": recipe_values(optimizer="ridge"),
    "two hidden layers": recipe_values(2, hidden_layers=2, width=16, dropout=0.25, crops=1),
    "early stopping": recipe_values(30, patience=2, learning_rate=0.5, seed=7),
}


@pytest.fixture
def visitor(visit: Visit, make_zip: MakeZip) -> Visitor:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    return visitor


@pytest.fixture(scope="module")
def caller(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A page on which nothing that is sent should change anything."""
    visitor = Visitor(server.url)
    visitor.bring(write_zip(tmp_path_factory.mktemp("upload") / "noise.zip", NOISE))
    yield visitor
    visitor.close()


def read(values: Iterable[Any]) -> Recipe:
    return read_recipe(Settings(), RecipeForm(*values))


def tell(visitor: Visitor, values: Iterable[Any]) -> RecipeFacts:
    """Return what the page tells of a recipe."""
    return RecipeFacts(*visitor.call("tell_recipe", *values))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_of_the_form_is_trained(visitor: Visitor, session: Session, name: str) -> None:
    count, _, code = tell(visitor, RECIPES[name])
    assert "validation pictures right" in visitor.train(*RECIPES[name])
    head = session.state.head
    assert head is not None
    assert head.summary.recipe == read(RECIPES[name]).settle([3, 3])
    assert f"This trains {head.num_parameters:,} parameters, for 2 classes" in count
    assert code == write_code(head.summary.recipe, ZOO[EMBEDDED], 2)


@pytest.mark.parametrize(
    ("balance", "settled"), [("auto", Balance.ON), ("on", Balance.ON), ("off", Balance.OFF)], ids=["auto", "on", "off"]
)
def test_uneven_classes_are_balanced_and_it_is_said(
    visit: Visit, server: Server, make_zip: MakeZip, balance: str, settled: Balance
) -> None:
    visitor = visit()
    visitor.bring(make_zip({f"{name}/{n}.png": encode(noise(9 * n + len(name))) for name, n in UNEVEN}))
    values = recipe_values(2, balance=balance)
    code = tell(visitor, values).code
    status = visitor.train(*values)
    trained = server.rooms.sessions.attach(visitor.token).results
    assert trained is not None
    assert trained.dataset.training_counts == (2, 10)
    summary, training = trained.head.summary, ENGLISH.finetune.training
    assert summary.recipe.balance is settled
    assert code == write_code(summary.recipe, ZOO[EMBEDDED], 2)
    assert ("balanced_loss" in code) == (settled is Balance.ON)
    said = training.trained_balanced if settled is Balance.ON else training.trained_unbalanced
    assert said.format(largest=10, smallest=2) in status
    assert summary.val_balanced is not None
    percent = 100 * summary.val_balanced
    assert training.trained_each.format(percent=percent) in status
    assert ENGLISH.finetune.results.balanced_accuracy.format(percent=percent) in draw_headline(
        ENGLISH, trained.score(Split.VALIDATION), Split.VALIDATION
    )
    assert said.format(largest=10, smallest=2) in draw_report(ENGLISH, trained)


def test_early_stopping_says_which_epoch_was_kept(visitor: Visitor, session: Session) -> None:
    status = visitor.train(*RECIPES["early stopping"])
    assert session.state.head is not None
    summary = session.state.head.summary
    assert summary.epochs == summary.chosen_epoch + 2 < 30
    assert ENGLISH.finetune.training.trained_early.format(chosen=summary.chosen_epoch, epochs=summary.epochs) in status


@EVERY_DEPTH
def test_the_suggested_values_and_the_lessons_fill_the_form(visit: Visit, trains: Trains) -> None:
    visitor = visit()
    suggested, lesson = (visitor.call(handler, trains) for handler in ("suggest_recipe", "choose_lesson"))
    assert read(suggested) == SUGGESTED_RECIPES[trains]
    assert read(lesson) == lesson_recipe(trains, epochs=SUGGESTED_RECIPES[trains].epochs)


@EVERY_DEPTH
@pytest.mark.parametrize("handler", ["suggest_recipe", "choose_lesson"])
def test_no_more_epochs_are_suggested_than_the_page_allows(
    visit: Visit, settings: Settings, monkeypatch: pytest.MonkeyPatch, handler: str, trains: Trains
) -> None:
    monkeypatch.setitem(vars(settings), "max_epochs", 3)
    assert RecipeForm(*visit().call(handler, trains)).epochs == 3


def test_the_form_begins_with_the_default(server: Server) -> None:
    with gr.Blocks(analytics_enabled=False):  # or it would look for gradio's news
        form, _ = build_recipe_form(server.rooms, gr.State(), build_trains(server.rooms.words))
    assert read(control.value for control in form) == Recipe()


DEFAULT = write_recipe(Recipe())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"epochs": 30, "optimizer": "sgd"}, "optimizer:sgd,epochs:30"),
        ({"learning_rate": 1e-05, "flips": not DEFAULT.flips}, f"learning_rate:1e-05,flips:{int(not DEFAULT.flips)}"),
        ({"trains": "last_stage", "warm_start": not DEFAULT.warm_start, "seed": 7, "dropout": 0.25}, None),
        ({"hidden_layers": 2, "width": 64, "crops": 3, "patience": 5, "balance": "off", "batch_size": 7}, None),
    ],
)
def test_an_address_names_what_differs_from_the_default(changes: dict[str, Any], text: str | None) -> None:
    form = DEFAULT._replace(**changes)
    encoded = encode_recipe(form)
    assert text is None or encoded == text
    assert len(encoded.split(",")) == max(1, len(changes))
    decoded = decode_recipe(Settings(), encoded)
    assert decoded == form
    assert list(map(type, decoded)) == list(map(type, form))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colour:red", UnknownChoice),
        ("epochs", OptionNotNumber),
        ("epochs:many", OptionNotNumber),
        ("epochs:2.5", OptionNotWhole),
        ("epochs:0", OptionOutOfRange),
        ("epochs:201", OptionOutOfRange),
        ("learning_rate:nan", OptionOutOfRange),
        ("learning_rate:inf", OptionOutOfRange),
        ("optimizer:magic", UnknownChoice),
        ("flips:2", OptionOutOfRange),
        ("optimizer:ridge,hidden_layers:1", RidgeIsLinear),
    ],
)
def test_an_address_with_anything_else_is_refused(text: str, reason: type[DemoError]) -> None:
    with pytest.raises(reason):
        decode_recipe(Settings(), text)


def test_the_form_says_what_was_written_into_it() -> None:
    recipe = Recipe(Trains.LAST_STAGE, Optimizer.SGD, HeadConfig(2, 64, 0.5), 7, 16, 0.01, 0.9, 0.1, False, 3, 5, 11)
    recipe = replace(recipe, balance=Balance.OFF)
    recipe = replace(recipe, warm_start=True, shuffled=True)
    assert read(write_recipe(recipe)) == recipe
    assert len(set(write_recipe(recipe))) == len(RecipeForm._fields) - 1  # two switches are on


def test_a_visitor_of_the_tests_sends_the_controls_in_their_order() -> None:
    assert RecipeForm(*recipe_values(Recipe().epochs)) == write_recipe(Recipe())
    options = {name: number for number, name in enumerate(RecipeForm._fields)}
    assert recipe_values(**options) == [*options.values()]


@pytest.mark.parametrize("handler", ["suggest_recipe", "choose_lesson"])
@pytest.mark.parametrize("trains", ["brain", None, 3, ["head"]])
def test_nothing_is_suggested_for_what_does_not_exist(caller: Visitor, handler: str, trains: Any) -> None:
    with pytest.raises(Refused, match="choose one of: head, last_stage, everything"):
        caller.call(handler, trains)


def choice(option: str, value: str, known: Any) -> DemoError:
    return UnknownChoice(option=option, value=value, known=", ".join(known))


def out_of_range(option: str, value: Any, low: float, high: float) -> DemoError:
    return OptionOutOfRange(option=option, value=value, low=low, high=high)


BAD_VALUES: list[tuple[dict[str, Any], DemoError]] = [
    ({"trains": "brain"}, choice("trains", "brain", Trains)),
    ({"trains": None}, choice("trains", "None", Trains)),
    ({"trains": {"head": 1}}, choice("trains", "{'head': 1}", Trains)),
    ({"optimizer": "m" * 1000}, choice("optimizer", "m" * 20, Optimizer)),
    ({"epochs": 10**9}, out_of_range("epochs", 10**9, 1, 200)),
    ({"epochs": 0}, out_of_range("epochs", 0, 1, 200)),
    ({"epochs": 2.5}, OptionNotWhole(option="epochs", value=2.5)),
    ({"epochs": float("nan")}, OptionNotWhole(option="epochs", value=float("nan"))),
    ({"epochs": "many" * 100}, OptionNotNumber(option="epochs", value='"manymanymanymanymany"')),
    ({"epochs": None}, OptionNotNumber(option="epochs", value="None")),
    ({"epochs": [3]}, OptionNotNumber(option="epochs", value="[3]")),
    ({"hidden_layers": 4}, out_of_range("hidden_layers", 4, 0, 3)),
    ({"width": 10**6}, out_of_range("width", 10**6, 8, 1024)),
    ({"dropout": float("nan")}, out_of_range("dropout", float("nan"), 0, 0.9)),
    ({"batch_size": -1}, out_of_range("batch_size", -1, 1, 128)),
    ({"batch_size": 33, "trains": "last_stage"}, out_of_range("batch_size", 33, 1, 32)),
    ({"batch_size": True}, OptionNotNumber(option="batch_size", value="True")),
    ({"learning_rate": "0.1"}, OptionNotNumber(option="learning_rate", value='"0.1"')),
    ({"learning_rate": float("inf")}, out_of_range("learning_rate", float("inf"), 1e-6, 1)),
    ({"weight_decay": -0.5}, out_of_range("weight_decay", -0.5, 0, 1)),
    ({"crops": 5}, out_of_range("crops", 5, 0, 4)),
    ({"patience": float("inf")}, OptionNotWhole(option="patience", value=float("inf"))),
    ({"seed": 2**31}, out_of_range("seed", 2**31, 0, 2**31 - 1)),
    ({"optimizer": "ridge", "hidden_layers": 1}, RidgeIsLinear()),
    ({"optimizer": "ridge", "trains": "everything", "batch_size": 4}, RidgeIsLinear()),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_VALUES, ids=[str(each)[:40] for each, _ in BAD_VALUES])
@pytest.mark.parametrize("handler", ["start_training", "tell_recipe"])
def test_bad_values_are_said_and_change_nothing(
    caller: Visitor, server: Server, handler: str, bad: dict[str, Any], reason: DemoError
) -> None:
    with pytest.raises(Refused) as refused:
        caller.call(handler, *recipe_values(**bad))
    assert str(refused.value) == ENGLISH.explain(reason)
    session = server.rooms.sessions.attach(caller.token)
    assert session.jobs == {}
    assert session.state.head is None


def test_bad_values_are_said_in_the_language_of_the_page(visit: Visit) -> None:
    for bad, reason in BAD_VALUES[:5]:
        with pytest.raises(Refused) as refused:
            visit(language="zh").call("start_training", *recipe_values(**bad))
        assert str(refused.value) == CHINESE.explain(reason)


def test_a_form_with_a_control_too_few_is_refused(caller: Visitor) -> None:
    with pytest.raises(Refused):
        caller.call("start_training", *recipe_values()[:-1])


@EVERY_DEPTH
@pytest.mark.parametrize(("hidden_layers", "of_head"), [(0, 1281 * 2), (3, 1281 * 24 + 25 * 24 + 25 * 24 + 25 * 2)])
def test_the_parameters_are_counted(
    caller: Visitor, embedded: Backbone, trains: Trains, hidden_layers: int, of_head: int
) -> None:
    values = recipe_values(trains=trains, hidden_layers=hidden_layers, width=24, batch_size=4)
    of_network = sum(
        each.numel() for name, each in embedded.network.named_parameters() if name.startswith(LEARN[trains])
    )
    sentence = ENGLISH.finetune.recipe.trained_count.format(
        count=of_head + of_network, classes=2, backbone="EfficientNet-Lite0", total=4_652_008
    )
    assert Markup(tell(caller, values).count).texts == [sentence]


@pytest.mark.slow
def test_what_is_counted_is_what_a_head_then_says(visitor: Visitor, session: Session) -> None:
    values = recipe_values(1, trains="last_stage", batch_size=4, flips=False)
    count = tell(visitor, values).count
    visitor.train(*values)
    assert session.state.head is not None
    assert f"This trains {session.state.head.num_parameters:,} parameters" in count


@pytest.mark.parametrize("name", RECIPES)
def test_the_code_is_python_with_the_numbers_of_the_form(caller: Visitor, name: str) -> None:
    code = tell(caller, RECIPES[name]).code
    numbers = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    recipe = read(RECIPES[name])
    expected: set[float] = {recipe.seed}
    if not recipe.is_closed_form:
        expected |= {recipe.learning_rate, recipe.batch_size, recipe.epochs + 1}
    if recipe.head.hidden_layers:
        expected |= {recipe.head.width, recipe.head.dropout}
    if recipe.patience:
        expected |= {recipe.patience}
    assert expected <= numbers
    compile(code, "train.py", "exec")


@pytest.mark.parametrize(
    ("options", "captions"),
    [
        ({}, [ENGLISH.finetune.recipe.view_plain, ENGLISH.finetune.recipe.view_flip]),
        ({"flips": False}, [ENGLISH.finetune.recipe.view_plain]),
        (
            {"crops": 2},
            [
                ENGLISH.finetune.recipe.view_plain,
                ENGLISH.finetune.recipe.view_flip,
                ENGLISH.finetune.recipe.view_crop,
                ENGLISH.finetune.recipe.view_crop,
            ],
        ),
        ({"optimizer": "ridge"}, [ENGLISH.finetune.recipe.view_plain]),
    ],
)
def test_the_views_of_a_picture_are_shown(caller: Visitor, options: dict[str, Any], captions: list[str]) -> None:
    markup = Markup(tell(caller, recipe_values(**options)).views)
    assert markup.texts == markup.values("alt") == captions
    assert len(set(markup.values("src"))) == len(captions)


def test_before_there_are_pictures_it_tells_of_two_classes(visit: Visit) -> None:
    count, views, code = tell(visit(language="zh"), recipe_values())
    sentence = CHINESE.finetune.recipe.trained_count.format(
        count=2562, classes=2, backbone="EfficientNet-Lite0", total=4_652_008
    )
    assert Markup(count).texts == [sentence]
    assert views == ""
    assert "2)" in code


def test_more_than_there_is_room_for_is_not_trained(
    visitor: Visitor, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(settings), "max_tuned_parameters", 2561)
    reason = TooManyTrained(backbone="EfficientNet-Lite0", millions=0.002562, limit=0.002561)
    assert Markup(visitor.train()).texts == [ENGLISH.explain(reason)]
    assert session.state.head is None
