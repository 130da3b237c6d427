"""A recipe checks itself: what it allows, what it refuses, and what the lesson's is."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from demo.errors import OptionError, OptionOutOfRange
from demo.models.errors import RidgeIsLinear
from demo.models.recipe import (
    MAX_BATCH_SIZES,
    MAX_HIDDEN_LAYERS,
    SUGGESTED_RECIPES,
    Balance,
    HeadConfig,
    Optimizer,
    Recipe,
    Trains,
    lesson_recipe,
)

# The first and the last value that is allowed, and one beyond each.
RANGES: dict[str, tuple[float, float, float, float]] = {
    "epochs": (0, 1, 200, 201),
    "batch_size": (0, 1, 128, 129),
    "learning_rate": (9e-7, 1e-6, 1, 1.001),
    "momentum": (-0.001, 0, 0.99, 1),
    "weight_decay": (-0.001, 0, 1, 1.001),
    "crops": (-1, 0, 4, 5),
    "patience": (-1, 0, 200, 201),
    "seed": (-1, 0, 2**31 - 1, 2**31),
}
HEAD_RANGES: dict[str, tuple[float, float, float, float]] = {
    "hidden_layers": (-1, 0, 3, 4),
    "width": (7, 8, 1024, 1025),
    "dropout": (-0.001, 0, 0.9, 0.901),
}
OPTIONS = [(Recipe, name) for name in RANGES] + [(HeadConfig, name) for name in HEAD_RANGES]
EVERY_OPTION = pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=[name for _, name in OPTIONS])
NO_NUMBERS = [float("nan"), float("inf"), float("-inf")]


def limits(name: str) -> tuple[float, float, float, float]:
    return (RANGES | HEAD_RANGES)[name]


def assert_refused(build: Callable[..., Any], name: str, value: float) -> None:
    with pytest.raises(OptionOutOfRange) as raised:
        build(**{name: value})
    _, low, high, _ = limits(name)
    assert raised.value.values == {"option": name, "value": pytest.approx(value, nan_ok=True), "low": low, "high": high}
    assert str(raised.value) == f"{name} is {value}; it must be from {low} to {high}."


@EVERY_OPTION
def test_the_ends_of_a_range_are_allowed_and_what_is_beyond_is_not(kind: type, name: str) -> None:
    below, low, high, above = limits(name)
    for value in (low, high):
        assert getattr(kind(**{name: value}), name) == value
    for value in (below, above):
        assert_refused(kind, name, value)


@EVERY_OPTION
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_in_no_range(kind: type, name: str, value: float) -> None:
    assert_refused(kind, name, value)


def test_every_number_of_a_recipe_has_its_range() -> None:
    numbers = {each.name for each in fields(Recipe) if each.type in (int, float)}
    assert numbers == {*RANGES, "max_epochs"}
    assert {each.name for each in fields(HeadConfig)} == set(HEAD_RANGES)


@pytest.mark.parametrize(("trains", "limit"), [(Trains.HEAD, 128), (Trains.LAST_STAGE, 32), (Trains.EVERYTHING, 8)])
def test_the_deeper_a_training_goes_the_smaller_are_its_batches(trains: Trains, limit: int) -> None:
    assert MAX_BATCH_SIZES[trains] == limit
    assert Recipe(trains, batch_size=limit).batch_size == limit
    with pytest.raises(OptionOutOfRange, match=f"batch_size is {limit + 1}; it must be from 1 to {limit}"):
        Recipe(trains, batch_size=limit + 1)


def test_a_page_with_a_lower_limit_on_epochs_refuses_more() -> None:
    assert Recipe(epochs=100, max_epochs=100).epochs == 100
    with pytest.raises(OptionOutOfRange, match="epochs is 101; it must be from 1 to 100"):
        Recipe(epochs=101, max_epochs=100)
    with pytest.raises(OptionOutOfRange, match="patience is 101"):
        Recipe(patience=101, max_epochs=100)


@pytest.mark.parametrize("hidden_layers", range(1, MAX_HIDDEN_LAYERS + 1))
def test_the_closed_form_has_no_hidden_layers(hidden_layers: int) -> None:
    with pytest.raises(RidgeIsLinear, match="one linear layer"):
        Recipe(optimizer=Optimizer.RIDGE, head=HeadConfig(hidden_layers))


@pytest.mark.parametrize("trains", [Trains.LAST_STAGE, Trains.EVERYTHING])
def test_the_closed_form_goes_no_deeper_than_the_head(trains: Trains) -> None:
    with pytest.raises(RidgeIsLinear, match="Train only the head"):
        Recipe(trains, Optimizer.RIDGE, batch_size=1)
    assert issubclass(RidgeIsLinear, OptionError)


@pytest.mark.parametrize("optimizer", Optimizer)
def test_only_ridge_is_a_closed_form(optimizer: Optimizer) -> None:
    assert Recipe(optimizer=optimizer).is_closed_form == (optimizer is Optimizer.RIDGE)


def test_a_recipe_is_frozen_and_what_is_made_of_it_is_checked() -> None:
    recipe = Recipe()
    with pytest.raises(FrozenInstanceError):
        recipe.epochs = 3  # type: ignore[misc]
    with pytest.raises(OptionOutOfRange, match="epochs is 0"):
        replace(recipe, epochs=0)
    with pytest.raises(RidgeIsLinear):
        replace(Recipe(head=HeadConfig(1)), optimizer=Optimizer.RIDGE)
    assert recipe == Recipe()
    assert hash(recipe) == hash(Recipe())
    assert recipe != replace(recipe, seed=1)


def test_the_default_trains_a_linear_head_on_pictures_and_their_mirror_images() -> None:
    recipe = Recipe()
    assert (recipe.trains, recipe.optimizer) == (Trains.HEAD, Optimizer.ADAMW)
    assert (recipe.head.hidden_layers, recipe.flips, recipe.crops) == (0, True, 0)


@pytest.mark.parametrize("trains", Trains)
def test_the_lessons_recipe_is_that_of_the_tutorial(trains: Trains) -> None:
    """`optim.SGD(model.parameters(), lr=0.001, momentum=0.9)`, `batch_size=4`, 25 epochs, the last one kept."""
    assert lesson_recipe(trains) == Recipe(
        trains=trains,
        optimizer=Optimizer.SGD,
        head=HeadConfig(hidden_layers=0),
        epochs=25,
        batch_size=4,
        learning_rate=0.001,
        momentum=0.9,
        weight_decay=0.0,
        flips=False,
        crops=0,
        patience=0,
        seed=0,
    )


def test_the_lessons_recipe_takes_epochs_and_a_seed_and_checks_them() -> None:
    assert lesson_recipe() == lesson_recipe(Trains.HEAD)
    recipe = lesson_recipe(epochs=3, seed=7)
    assert (recipe.epochs, recipe.seed) == (3, 7)
    with pytest.raises(OptionOutOfRange, match="epochs is 0"):
        lesson_recipe(epochs=0)


@pytest.mark.parametrize("trains", Trains)
def test_each_depth_has_a_suggestion_and_a_deeper_one_is_for_fewer_epochs(trains: Trains) -> None:
    suggested, shallower = SUGGESTED_RECIPES[trains], list(Trains)[: list(Trains).index(trains)]
    assert suggested.trains is trains
    assert all(suggested.epochs < SUGGESTED_RECIPES[each].epochs for each in shallower)


@pytest.mark.parametrize(("counts", "auto"), [([48, 5], True), ([9, 4, 3], True), ([29, 10], False), ([1], False)])
def test_classes_are_balanced_where_the_largest_is_three_times_the_smallest(counts: list[int], auto: bool) -> None:
    for recipe in SUGGESTED_RECIPES.values():
        assert (recipe.settle(counts).balance is Balance.ON) == auto
        assert recipe.settle(counts).settle([1, 1]) == recipe.settle(counts)
        assert replace(recipe.settle(counts), balance=Balance.AUTO) == recipe
    for balance in (Balance.ON, Balance.OFF):
        assert Recipe(balance=balance).settle(counts).balance is balance
    for balance in Balance:  # the closed form has no other way
        assert Recipe(optimizer=Optimizer.RIDGE, balance=balance).settle(counts).balance is Balance.ON


@pytest.mark.parametrize("trains", Trains)
def test_the_head_is_trained_first_as_it_is_by_default(trains: Trains) -> None:
    recipe = replace(lesson_recipe(trains, seed=3), head=HeadConfig(1), warm_start=True, max_epochs=30)
    warm_up = recipe.warm_up
    assert replace(warm_up, head=HeadConfig(), flips=True, seed=0, warm_start=False) == Recipe()
    assert (warm_up.head, warm_up.flips, warm_up.seed) == (recipe.head, recipe.flips, recipe.seed)
    assert recipe.keeps_norms
    assert lesson_recipe(trains).keeps_norms == (trains is Trains.LAST_STAGE)
