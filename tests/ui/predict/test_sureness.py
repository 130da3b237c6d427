"""How sure the network is of the examples, as a visitor sees it."""

import pytest
import torch

from demo.data.samples import find_example
from demo.models.batching import Answers
from demo.models.zoo import EMBEDDED
from demo.tasks.exhibits import Exhibit
from demo.tasks.predict import ClassProbability, Prediction
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
    answers = Answers(torch.zeros(1, 2), torch.zeros(1, 2))
    exhibits = [
        Exhibit(find_example("cat"), answers, Prediction(EMBEDDED, False, (best,), torch.zeros(3, 2, 2), 0.0))
        for best in (ClassProbability(idx, "<b>", 0.256) for idx in (281, 0))
    ]
    drawn = draw_sureness(words, "<net>", exhibits)
    texts = Markup(drawn).texts
    name, ours = words.predict.example_names["cat"], words.predict.sureness
    right, wrong = (words.class_name(idx, "<b>") for idx in (281, 0))
    assert texts == ["<net>", *ours.columns, name, right, "26%", ours.right, name, wrong, "26%", ours.wrong]
