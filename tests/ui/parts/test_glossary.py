"""The glossary: its terms stand on the page in both languages, and each leads to a place where it can be seen."""

import re

import pytest

from demo.sentences import forms_of
from demo.ui.address import PANELS, read_place
from demo.ui.parts.glossary import PLACES, glossary_script, list_terms, tell_glossary
from demo.words.language import CHINESE, ENGLISH, Words, all_texts

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


def find_terms(words: Words, text: str) -> list[str]:
    told = tell_glossary(words)
    return [told["names"][found.lower()] for found in re.findall(told["pattern"], text, re.IGNORECASE)]


@LANGUAGES
def test_each_term_stands_on_the_page(words: Words) -> None:
    texts = [form for place, text in all_texts(words) if not place.startswith("glossary") for form in forms_of(text)]
    found = {name for text in texts for name in find_terms(words, text)}
    assert list_terms(words).keys() - found == set()


@LANGUAGES
def test_each_link_leads_to_a_panel_that_can_be_opened(words: Words) -> None:
    for name, term in tell_glossary(words)["terms"].items():
        place, wrong = read_place(term["query"])
        assert not wrong, name
        assert (place.tab, place.panel) == PLACES[name]
        assert place.panel in ("", *PANELS[place.tab])


@LANGUAGES
def test_no_form_stands_for_two_terms(words: Words) -> None:
    forms = [form.lower() for term in list_terms(words).values() for form in term.forms.split("|")]
    assert len(forms) == len(set(forms))
    assert "" not in forms


def test_the_longest_form_is_found_and_no_part_of_a_word() -> None:
    assert find_terms(ENGLISH, "Feature maps of 3 channels; ahead, a lossless cross-validation.") == [
        "feature_map",
        "channel",
    ]
    assert find_terms(CHINESE, "卷积核与批归一化，ReLU。") == ["kernel", "batch_norm", "relu"]


def test_the_script_knows_both_languages() -> None:
    script = glossary_script()
    assert all(term.sentence in script for words in (ENGLISH, CHINESE) for term in list_terms(words).values())
