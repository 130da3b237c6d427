"""How sure the network is of the examples, as a visitor sees it."""

import pytest

from demo.data.samples import EXAMPLES
from demo.tasks.predict import ClassProbability
from demo.tasks.sureness import ExampleAnswer
from demo.ui.predict.sureness import draw_sureness
from demo.words.language import CHINESE, ENGLISH, Words
from tests.visitor import Markup, Visit


def test_each_example_has_an_answer(visit: Visit) -> None:
    (table,) = visit().call("show_sureness")
    texts = Markup(table).texts
    words = ENGLISH.predict
    assert texts[0] == "EfficientNet-Lite0"
    assert set(words.example_names.values()) <= set(texts)
    assert texts.count(words.sureness.no_class) == 3


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_right_and_wrong_are_told_apart_and_names_are_text(words: Words) -> None:
    right, wrong = (ClassProbability(idx, "<b>", 0.256) for idx in (281, 0))
    drawn = draw_sureness(words, "<net>", [ExampleAnswer(EXAMPLES[0], each) for each in (right, wrong)])
    texts = Markup(drawn).texts
    name, ours = words.predict.example_names["cat"], words.predict.sureness
    assert texts == ["<net>", *ours.columns, name, "<b>", "26%", ours.right, name, "<b>", "26%", ours.wrong]
