"""The two languages say the same things in the same places, and a file that does not stops the start."""

import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from demo.data.dataset import Split
from demo.data.errors import NotAnImage
from demo.data.samples import EXAMPLES
from demo.errors import DemoError
from demo.models.errors import DownloadRefused, SourceAbsent, WeightsMissing
from demo.models.zoo import StageLabel
from demo.sentences import forms_of
from demo.words import language
from demo.words.errors import WordsWrong
from demo.words.language import CHINESE, ENGLISH, Words, all_texts, check_errors, load_words
from tests.test_errors import LEAVES

FOLDER = Path(language.__file__).parent
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


def literal(text: str) -> str:
    return "".join(part for part, *_ in Formatter().parse(text))


def has_chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def is_prose(text: str) -> bool:
    return any(character.isalpha() for character in literal(text))


def values_for(error: type[DemoError]) -> dict[str, Any]:
    """Return a value for each place: a number where the format asks for one, else a recognisable text."""
    form = forms_of(error.message)[-1]
    values = {name: 7.0 if spec else f"<{name}>" for _, name, spec, _ in Formatter().parse(form) if name is not None}
    return values | ({"count": 7} if "count" in error.__annotations__ else {})


def test_english_texts_are_not_chinese() -> None:
    texts = [form for _, text in all_texts(ENGLISH) for form in forms_of(text)]
    assert [text for text in texts if has_chinese(text)] == []


def test_chinese_texts_are_chinese() -> None:
    english = {place: forms_of(text)[-1] for place, text in all_texts(ENGLISH)}
    chinese = {place: forms_of(text)[-1] for place, text in all_texts(CHINESE)}
    prose = [place for place, text in english.items() if place != "language" and is_prose(text)]
    assert [place for place in prose if not has_chinese(chinese[place])] == []


def test_english_sentences_have_no_plural_in_brackets() -> None:
    english = [text for _, text in all_texts(ENGLISH)] + [error.message for error in LEAVES.values()]
    assert [form for text in english for form in forms_of(text) if re.search(r"\((s|es|ies)\)", form)] == []


def test_language_codes_are_those_of_html() -> None:
    assert (ENGLISH.language, CHINESE.language) == ("en", "zh-Hans")


@LANGUAGES
def test_what_the_program_names_has_a_name(words: Words) -> None:
    assert list(words.predict.example_names) == [example.name for example in EXAMPLES]
    assert list(words.inside.stage_names) == [label.value for label in StageLabel]
    assert list(words.inside.stage_sentences) == [label.value for label in StageLabel]
    assert list(words.finetune.splits) == [split.value for split in Split]
    assert words.finetune.training.curves.keys() == {Split.TRAIN.value, Split.VALIDATION.value}


@LANGUAGES
def test_names_of_one_kind_differ(words: Words) -> None:
    kinds = [words.predict.example_names, words.inside.stage_names, words.inside.stage_sentences]
    kinds += [words.finetune.splits, words.finetune.training.curves]
    for names in kinds:
        assert len(set(names.values())) == len(names)


def test_exactly_the_errors_that_are_raised_are_translated() -> None:
    check_errors(CHINESE, LEAVES)
    assert all(has_chinese(form) for text in CHINESE.errors.values() for form in forms_of(text))


@pytest.mark.parametrize(
    ("strange", "place"),
    [
        ({**LEAVES, "NewError": NotAnImage}, "errors.NewError is missing"),
        ({name: error for name, error in LEAVES.items() if name != "NoHead"}, "errors.NoHead is not known"),
        ({**LEAVES, "NoHead": NotAnImage}, "errors.NoHead fills"),
    ],
)
def test_an_error_without_its_sentence_stops_the_start(strange: dict[str, type[DemoError]], place: str) -> None:
    with pytest.raises(WordsWrong, match=re.escape(place)):
        check_errors(CHINESE, strange)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('forget = "立即清除我的一切"', "", "privacy.forget is missing"),
        ('forget = "立即清除我的一切"', 'forget = "清除"\nforgot = "清除"', "privacy.forgot is not known"),
        ('forget = "立即清除我的一切"', "forget = 3", "privacy.forget has not the form"),
        ('forget = "立即清除我的一切"', 'forget = " "', "privacy.forget has not the form"),
        ('forget = "立即清除我的一切"', 'forget = "清除 {all}"', "privacy.forget fills"),
        ("<b>{minutes}</b>", "{minutes}", "privacy.left fills"),
        ("{percent:.1f}", "{percent}", "fills"),
        ("[predict.example_names]", '[predict.example_names]\ndog = "狗"', "predict.example_names.dog is not known"),
    ],
)
def test_a_wrong_file_is_told_by_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    good = (FOLDER / "zh.toml").read_text(encoding="utf-8")
    assert old in good
    wrong = tmp_path / "zh.toml"
    wrong.write_text(good.replace(old, new), encoding="utf-8")
    with pytest.raises(WordsWrong, match=re.escape(told)):
        load_words(wrong, like=ENGLISH)


def test_every_error_is_explained_in_both_languages_with_its_values() -> None:
    for error in LEAVES.values():
        values = values_for(error)
        raised = error(**values)
        assert ENGLISH.explain(raised) == str(raised)
        assert CHINESE.explain(raised) != ENGLISH.explain(raised), error
        for value in values.values():
            shown = value if isinstance(value, str) else "7"
            assert shown in ENGLISH.explain(raised), error
            assert shown in CHINESE.explain(raised), error


def test_errors_among_the_values_are_explained_in_the_same_language() -> None:
    tried = [SourceAbsent(place="/weights"), DownloadRefused(host="example.org", status=404)]
    raised = WeightsMissing(backbone="ResNet-152", tried=tried)
    assert ENGLISH.explain(raised) == str(raised)
    assert "/weights：没有这个文件；example.org：拒绝提供（状态码 404）" in CHINESE.explain(raised)


@LANGUAGES
def test_braces_in_a_file_name_stay_as_they_are(words: Words) -> None:
    assert "{limit} {0}.png" in words.explain(NotAnImage(name="{limit} {0}.png"))


@LANGUAGES
@pytest.mark.parametrize("error", [ValueError("secret"), OSError(2, "secret"), KeyError("secret"), MemoryError()])
def test_an_unknown_error_gets_the_neutral_sentence_and_keeps_its_text(words: Words, error: Exception) -> None:
    assert words.explain(error) == words.unexpected
    assert "secret" not in words.explain(error)
