"""The closing question: a row for each model with its source, and links that lead somewhere."""

import pytest

from demo.ui.address import read_place
from demo.ui.predict.closing import SOURCES, THOUGHT_SOURCES, WAYS, draw_closing
from demo.words.language import CHINESE, ENGLISH, Words
from tests.visitor import Markup, Visit

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


@LANGUAGES
def test_each_model_has_a_row_with_its_source(words: Words) -> None:
    told, drawn = words.predict.closing, draw_closing(words)
    assert list(told.data) == list(told.parameters) == list(told.adapted) == list(SOURCES)
    for name, (model, address) in SOURCES.items():
        assert f'href="{address}"' in drawn
        assert f">{model}</a></th><td>{told.data[name]}</td>" in drawn
    assert told.parameters["resnet50"].format(millions=25.557032) in drawn  # torchvision's num_params
    assert Markup(drawn).elements.count("tr") == 1 + len(SOURCES)


@LANGUAGES
def test_each_thought_stands_under_its_heading_with_its_way(words: Words) -> None:
    told, drawn = words.predict.closing, draw_closing(words)
    assert told.headings.keys() == told.thoughts.keys()
    assert told.tries.keys() == WAYS.keys()
    assert THOUGHT_SOURCES.keys() <= told.thoughts.keys()
    for name, heading in told.headings.items():
        assert f"<h3>{heading}</h3><p>{told.thoughts[name]}" in drawn
    for way in WAYS.values():
        assert read_place(way)[1] == ()
        assert way in Markup(drawn).values("href")


def test_the_answer_is_drawn_when_it_is_asked_for(visit: Visit) -> None:
    (drawn,) = visit(language="zh").call("show_closing")
    assert drawn == draw_closing(CHINESE)
