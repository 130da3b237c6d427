"""How sure a network is of the examples, and whether it is right."""

import pytest

from demo.data.samples import EXAMPLES, Example, read_example
from demo.models.backbone import Backbone
from demo.models.zoo import ZOO
from demo.settings import Settings
from demo.tasks.predict import ClassProbability, predict
from demo.tasks.sureness import MEASURED, ExampleAnswer, ExampleAnswers


@pytest.mark.parametrize(("class_idxs", "expected"), [((), None), ((3, 7), True), ((7,), False)])
def test_an_answer_is_right_wrong_or_neither(class_idxs: tuple[int, ...], expected: bool | None) -> None:
    answer = ExampleAnswer(Example("a", "a.png", "CC0", class_idxs), ClassProbability(3, "three", 0.5))
    assert answer.is_right is expected


def test_a_network_is_asked_once_and_says_what_it_says_of_a_photograph(embedded: Backbone, settings: Settings) -> None:
    answers = ExampleAnswers()
    found = answers.of(embedded, settings)
    assert [each.example for each in found] == list(EXAMPLES)
    said = predict(embedded, read_example(EXAMPLES[0], settings)).top[0]
    assert found[0].best.class_idx == said.class_idx
    assert found[0].best.probability == pytest.approx(said.probability)
    assert answers.of(embedded, settings) is found


def test_what_was_measured_names_a_network_and_shares() -> None:
    assert MEASURED.backbone_name in ZOO
    assert 0 < MEASURED.right <= MEASURED.count
    assert 0 < MEASURED.mean < 1
