"""The two languages say the same things in the same places."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from string import Formatter
from typing import Any

import pytest

from demo import errors
from demo.data.dataset import Split
from demo.data.samples import EXAMPLES
from demo.errors import DemoError
from demo.models.zoo import StageLabel
from demo.ui.text import CHINESE, ENGLISH, Words
from tests.test_errors import LEAVES

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
EVERY_LEAF = pytest.mark.parametrize("error", LEAVES, ids=lambda error: error.__name__)


def texts(words: Any) -> dict[str, str]:
    """Return all strings of a language but the errors, by field, or by field and key."""
    found: dict[str, str] = {}
    for field in fields(words):
        value = getattr(words, field.name)
        if field.name == "error_messages":
            continue
        if is_dataclass(value):
            found |= {f"{field.name}.{name}": text for name, text in texts(value).items()}
        elif isinstance(value, Mapping):
            found |= {f"{field.name}[{key}]": text for key, text in value.items()}
        elif isinstance(value, tuple):
            found |= {f"{field.name}[{number}]": text for number, text in enumerate(value)}
        else:
            found[field.name] = value
    return found


ENGLISH_TEXTS, CHINESE_TEXTS = texts(ENGLISH), texts(CHINESE)


def placeholders(text: str) -> list[tuple[str, str | None, str | None]]:
    """Return the names in braces with their formats, sorted, for the order may follow the language."""
    return sorted((name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None)


def literal(text: str) -> str:
    return "".join(part for part, *_ in Formatter().parse(text))


def has_chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def values_for(error: type[DemoError]) -> dict[str, Any]:
    """Return a value for each placeholder: a number where the format asks for one, else a recognisable text."""
    return {name: 7.0 if spec else f"<{name}>" for name, spec, _ in placeholders(error.message)}


def test_both_languages_fill_the_same_places() -> None:
    assert ENGLISH_TEXTS.keys() == CHINESE_TEXTS.keys()


def differing(measure: Callable[[str], Any]) -> list[str]:
    """Return the places where something differs between the languages."""
    return [place for place, text in ENGLISH_TEXTS.items() if measure(text) != measure(CHINESE_TEXTS[place])]


def test_placeholders_are_the_same_in_both() -> None:
    assert differing(placeholders) == []


def test_markup_is_the_same_in_both() -> None:
    assert differing(re.compile(r"</?\w+>|`[^`]*`|\*\*").findall) == []


def test_no_text_is_empty() -> None:
    assert [place for place, text in [*ENGLISH_TEXTS.items(), *CHINESE_TEXTS.items()] if not text.strip()] == []


def test_english_texts_are_not_chinese() -> None:
    assert [place for place, text in ENGLISH_TEXTS.items() if has_chinese(text)] == []


def test_chinese_texts_are_chinese() -> None:
    def is_prose(text: str) -> bool:
        return any(character.isalpha() for character in literal(text))

    prose = [place for place, text in ENGLISH_TEXTS.items() if place != "language" and is_prose(text)]
    assert [place for place in prose if not has_chinese(CHINESE_TEXTS[place])] == []


def test_language_codes_are_those_of_html() -> None:
    assert (ENGLISH.language, CHINESE.language) == ("en", "zh-Hans")


@LANGUAGES
def test_every_example_has_a_name(words: Words) -> None:
    assert list(words.example_names) == [example.name for example in EXAMPLES]


@LANGUAGES
def test_every_stage_has_a_name_and_a_sentence(words: Words) -> None:
    assert list(words.stage_names) == [label.value for label in StageLabel]
    assert list(words.stage_sentences) == [label.value for label in StageLabel]


@LANGUAGES
def test_every_split_has_a_name(words: Words) -> None:
    assert list(words.splits) == [split.value for split in Split]


@LANGUAGES
def test_each_curve_is_of_a_split(words: Words) -> None:
    assert words.curves.keys() == {Split.TRAIN.value, Split.VALIDATION.value}


@LANGUAGES
@pytest.mark.parametrize("field", ["example_names", "stage_names", "stage_sentences", "splits", "curves"])
def test_names_of_one_kind_differ(words: Words, field: str) -> None:
    names = list(getattr(words, field).values())
    assert len(set(names)) == len(names)


def test_exactly_the_errors_that_are_raised_are_translated() -> None:
    assert CHINESE.error_messages.keys() == set(LEAVES)


@EVERY_LEAF
def test_every_error_has_a_chinese_sentence_with_the_same_placeholders(error: type[DemoError]) -> None:
    chinese = CHINESE.error_messages[error]
    assert has_chinese(chinese)
    assert placeholders(chinese) == placeholders(error.message)


@EVERY_LEAF
def test_every_error_is_explained_in_both_languages_with_its_values(error: type[DemoError]) -> None:
    values = values_for(error)
    raised = error(**values)
    assert ENGLISH.explain(raised) == str(raised)
    assert CHINESE.explain(raised) != ENGLISH.explain(raised)
    for value in values.values():
        shown = value if isinstance(value, str) else "7"
        assert shown in ENGLISH.explain(raised)
        assert shown in CHINESE.explain(raised)


def test_errors_among_the_values_are_explained_in_the_same_language() -> None:
    tried = [errors.SourceAbsent(place="/weights"), errors.DownloadRefused(host="example.org", status=404)]
    raised = errors.WeightsMissing(backbone="ResNet-152", tried=tried)
    assert ENGLISH.explain(raised) == str(raised)
    assert "/weights：没有这个文件；example.org：拒绝提供（状态码 404）" in CHINESE.explain(raised)


@LANGUAGES
def test_braces_in_a_file_name_stay_as_they_are(words: Words) -> None:
    assert "{limit} {0}.png" in words.explain(errors.NotAnImage(name="{limit} {0}.png"))


@LANGUAGES
@pytest.mark.parametrize("error", [ValueError("secret"), OSError(2, "secret"), KeyError("secret"), MemoryError()])
def test_an_unknown_error_gets_the_neutral_sentence_and_keeps_its_text(words: Words, error: Exception) -> None:
    assert words.explain(error) == words.unexpected
    assert "secret" not in words.explain(error)
