"""What a network says of a photograph: ImageNet's classes in the page's language, a visitor's own as they are named."""

import torch

from demo.models.zoo import EMBEDDED
from demo.tasks.predict import ClassProbability, Prediction
from demo.ui.answer import answer_line, draw_bars
from demo.words.language import CHINESE, ENGLISH
from tests.visitor import Markup, best_classes


def prediction(*named: tuple[int, str], own: bool = False) -> Prediction:
    top = tuple(ClassProbability(idx, name, 0.4) for idx, name in named)
    return Prediction(EMBEDDED, own, top, torch.zeros(3, 1, 1), 0.1)


def test_the_classes_of_imagenet_are_named_in_chinese_with_their_english_names() -> None:
    seen = prediction((281, "tabby"), (282, "tiger cat"))
    marked = Markup(draw_bars(CHINESE, seen))
    assert "".join(marked.texts) == "虎斑猫 (tabby) 40.0%虎纹猫 (tiger cat) 40.0%"
    assert marked.values("lang") == ["en", "en"]
    assert "虎斑猫 (" in answer_line(CHINESE, seen)


def test_two_classes_of_one_english_name_are_told_apart() -> None:
    seen = prediction((134, "crane"), (517, "crane"))
    assert list(best_classes(draw_bars(ENGLISH, seen))) == ["crane (134)", "crane (517)"]
    assert "鹤" in draw_bars(CHINESE, seen)
    assert "起重机" in draw_bars(CHINESE, seen)


def test_own_classes_are_named_as_they_were_and_shown_as_text() -> None:
    seen = prediction((0, "<b>"), (1, "tabby"), own=True)
    assert Markup(draw_bars(CHINESE, seen)).texts == Markup(draw_bars(ENGLISH, seen)).texts
    assert "虎斑猫" not in draw_bars(CHINESE, seen)
    assert "<b>tabby" not in draw_bars(CHINESE, seen)
