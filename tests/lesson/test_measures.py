"""What the steps measure: the numbers that the lesson was written with, which no sentence of it holds."""

import re
from functools import cache
from string import Formatter

import pytest

from demo.lesson.found import Found
from demo.lesson.steps import STEPS, Step
from demo.models.backbone import Backbone
from demo.settings import Settings
from demo.tasks.evaluate import Accuracy
from demo.tasks.predict import ClassProbability
from demo.words.language import CHINESE, ENGLISH, Words

STEP = {step.name: step for step in STEPS}
EVERY_STEP = pytest.mark.parametrize(
    "step", [pytest.param(each, marks=[pytest.mark.slow] * each.trains, id=each.name) for each in STEPS]
)


@cache
def found(step: Step, backbone: Backbone, settings: Settings) -> Found:
    return step.measure(backbone, settings)


def number(found: Found, name: str) -> float:
    value = found.numbers[name]
    assert isinstance(value, int | float)
    return value


@EVERY_STEP
def test_the_numbers_give_the_answer_that_is_called_right(step: Step, embedded: Backbone, settings: Settings) -> None:
    assert found(step, embedded, settings).answer == step.right


@EVERY_STEP
@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
def test_every_number_is_told_and_nothing_else(
    step: Step, words: Words, embedded: Backbone, settings: Settings
) -> None:
    numbers = found(step, embedded, settings).numbers
    lines = words.lesson.steps[step.name].found
    named = {re.split(r"[.\[]", name)[0] for line in lines for _, name, *_ in Formatter().parse(line) if name}
    assert named == set(numbers)
    assert all(line.format(**numbers) for line in lines)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("edge", {"turned_0": 0.88, "turned_60": 0.40, "turned_90": 0.0}),
        ("shift", {"simple_rest": 0.88, "simple_moved": 0.0, "complex_rest": 0.88, "complex_moved": 0.88}),
        ("move", {"features": 0.92, "low_moved": 0.99, "low_unmoved": 0.01, "upside_down": 0.79, "probability": 0.39}),
        ("stages", {"low_zeros": 0.33, "high_zeros": 0.94, "silent": 827, "channels": 1280, "high_side": 7}),
        ("heatmap", {"coffee_before": 0.95, "coffee_hottest": 0.24, "cat_hottest": 0.36, "cat_random": 0.21}),
        ("shortcut", {"no_layers": 0.94, "no_shortcut": 0.0, "basic": 1_179_648, "bottleneck": 69_632, "ratio": 16.94}),
    ],
)
def test_the_numbers_are_those_that_the_lesson_was_written_with(
    name: str, expected: dict[str, float], embedded: Backbone, settings: Settings
) -> None:
    numbers = found(STEP[name], embedded, settings).numbers
    assert {key: numbers[key] for key in expected} == pytest.approx(expected, abs=0.015)


def test_a_cup_is_named_surely_and_an_astronaut_is_not(embedded: Backbone, settings: Settings) -> None:
    numbers = found(STEP["speak"], embedded, settings).numbers
    coffee, astronaut = numbers["coffee"], numbers["first"]
    assert isinstance(coffee, ClassProbability)
    assert isinstance(astronaut, ClassProbability)
    assert (coffee.class_name, astronaut.class_name) == ("espresso", "football helmet")
    assert (coffee.probability, astronaut.probability) == pytest.approx((0.951, 0.162), abs=0.01)


@pytest.mark.slow
def test_deep_plain_networks_learn_worse_and_residual_ones_do_not(embedded: Backbone, settings: Settings) -> None:
    errors = found(STEP["depth"], embedded, settings)
    assert number(errors, "plain_shallow") < 0.05 < 0.2 < number(errors, "plain_deep")
    assert number(errors, "residual_deep") < 0.05


@pytest.mark.slow
def test_the_pretrained_network_wins_the_race(embedded: Backbone, settings: Settings) -> None:
    numbers = found(STEP["pretrained"], embedded, settings).numbers
    shares = [each.share for each in numbers.values() if isinstance(each, Accuracy)]
    assert shares[2] > shares[0] > shares[1]


@pytest.mark.slow
def test_shuffled_labels_are_learned_by_heart_and_tell_nothing(embedded: Backbone, settings: Settings) -> None:
    numbers = found(STEP["layers"], embedded, settings).numbers
    assert numbers["learned"] == pytest.approx(1, abs=0.1)
    assert numbers["unseen"] == pytest.approx(numbers["chance"], abs=0.2)


@pytest.mark.slow
def test_a_head_falls_with_the_grounds_swapped_and_without_copies(embedded: Backbone, settings: Settings) -> None:
    numbers = found(STEP["learned"], embedded, settings).numbers
    same, swapped, mixed = (numbers[name] for name in ("same", "swapped", "mixed"))
    assert isinstance(same, Accuracy)
    assert isinstance(swapped, Accuracy)
    assert isinstance(mixed, Accuracy)
    assert swapped.share < 0.3 < 0.9 < min(same.share, mixed.share)
    assert (numbers["leaky"], numbers["honest"]) == pytest.approx((1.0, 0.7), abs=0.1)


@pytest.mark.slow
def test_no_shared_number_changes_for_a_customer(embedded: Backbone, settings: Settings) -> None:
    numbers = found(STEP["customers"], embedded, settings).numbers
    assert (numbers["shared"], numbers["own"], numbers["changed"]) == (3_371_008, 12_810, 0)
