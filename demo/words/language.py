"""The words of each language, read from its file and checked when the program starts."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from string import Formatter
from typing import Any, get_args, get_origin

from demo import errors
from demo.errors import DemoError
from demo.sentences import Plural, Sentence, forms_of
from demo.words.api import ApiWords
from demo.words.classes import CLASS_NAMES
from demo.words.door import DoorWords
from demo.words.errors import WordsWrong
from demo.words.finetune import FinetuneWords
from demo.words.glossary import GlossaryWords
from demo.words.inside import InsideWords
from demo.words.lesson import LessonWords
from demo.words.page import (
    AddressWords,
    LookWords,
    NoticeWords,
    PageWords,
    PhotoWords,
    PredictWords,
    PrivacyWords,
    SendingWords,
    StripWords,
)
from demo.words.start import StartWords
from demo.words.teacher import QuizWords, TeacherWords

_TAG = re.compile(r"</?\w+>|`[^`]*`|\*\*")


@dataclass(frozen=True)
class Words:
    """The words of one language. Names in braces are filled in."""

    language: str  # as in HTML's lang
    list_separator: str
    unexpected: str
    page: PageWords
    address: AddressWords
    look: LookWords
    notice: NoticeWords
    door: DoorWords
    start: StartWords
    sending: SendingWords
    lesson: LessonWords
    teacher: TeacherWords
    quiz: QuizWords
    privacy: PrivacyWords
    strip: StripWords
    photo: PhotoWords
    predict: PredictWords
    finetune: FinetuneWords
    inside: InsideWords
    api: ApiWords
    glossary: GlossaryWords
    gradio: Mapping[str, str]  # what gradio says in English alone, as it says it
    errors: Mapping[str, Sentence] = field(default_factory=dict)  # by class; English ones stand with the classes

    @property
    def sentence_separator(self) -> str:
        """What stands between two sentences; a Chinese full stop is as wide as a character, and has its room."""
        return "" if self.language.startswith("zh") else " "

    def explain(self, error: Exception) -> str:
        """Return the sentence of an error in this language; an error that is not ours gets a neutral one."""
        if not isinstance(error, DemoError):
            return self.unexpected
        return errors.explain(
            error, lambda each: self.errors.get(type(each).__name__, each.message), separator=self.list_separator
        )

    def class_name(self, class_idx: int, english: str) -> str:
        """Return what a class of ImageNet is called, such as tabby, or in Chinese 虎斑猫 (tabby)."""
        names = CLASS_NAMES.get(self.language)
        return f"{names[class_idx]} ({english})" if names else english


def load_words(file: Path, like: Words | None = None) -> Words:
    """Read the words of one language.

    Args:
        file: A TOML file with a table for each dataclass.
        like: Another language, which has to say the same things in the same places.

    Raises:
        WordsWrong: If an entry is missing, strange, of the wrong form, or has other places to fill.
    """
    words: Words = _build(Words, tomllib.loads(file.read_text(encoding="utf-8")), file.name, "")
    if like is not None:
        _check_alike(file.name, words, like)
    return words


def all_texts(words: Any, place: str = "") -> Iterator[tuple[str, Sentence]]:
    """Yield each sentence of a language with its place, such as `finetune.keep.title`."""
    match words:
        case str() | Plural():
            yield place, words
        case Mapping():
            for key, each in words.items():
                yield from all_texts(each, f"{place}.{key}")
        case tuple():
            for number, each in enumerate(words):
                yield from all_texts(each, f"{place}.{number}")
        case _:
            for each in fields(words):
                yield from all_texts(getattr(words, each.name), f"{place}.{each.name}".lstrip("."))


def check_errors(words: Words, leaves: Mapping[str, type[DemoError]]) -> None:
    """Check that a language has a sentence for each error, with the same places to fill.

    Args:
        words: A language whose errors stand in its file.
        leaves: The errors that are raised, by name.

    Raises:
        WordsWrong: If one is missing, strange, or has other places.
    """
    file = f"{words.language[:2]}.toml"
    for name in sorted(leaves.keys() ^ words.errors.keys()):
        raise WordsWrong(file=file, place=f"errors.{name}", reason="is missing" if name in leaves else "is not known")
    for name, error in leaves.items():
        _check_places(file, f"errors.{name}", words.errors[name], error.message)


def _build(kind: Any, value: Any, file: str, place: str) -> Any:
    """Return what a table, an array or a string of the file is as a field of some type."""
    if is_dataclass(kind) and kind is not Plural and isinstance(value, dict):
        return _build_table(kind, value, file, place)
    if get_origin(kind) is tuple and isinstance(value, list):
        length = len(get_args(kind))
        if get_args(kind)[-1] is Ellipsis or len(value) == length:
            return tuple(
                _build(get_args(kind)[0], each, file, f"{place}.{number}") for number, each in enumerate(value)
            )
    if get_origin(kind) is Mapping and isinstance(value, dict):
        return {key: _build(get_args(kind)[1], each, file, f"{place}.{key}") for key, each in value.items()}
    if kind in (Plural, Sentence) and isinstance(value, dict) and value.keys() == {"one", "other"}:
        return Plural(**value)
    if isinstance(value, str) and value.strip() and kind in (str, Sentence):
        return value
    if isinstance(value, str) and value.strip() and kind is Plural:  # a language without plural
        return Plural(value, value)
    raise WordsWrong(file=file, place=place, reason=f"has not the form that is needed ({kind})")


def _build_table(kind: Any, value: dict[str, Any], file: str, place: str) -> Any:
    known = {each.name: each for each in fields(kind)}
    for name in sorted(value.keys() - known.keys()):
        raise WordsWrong(file=file, place=f"{place}.{name}".lstrip("."), reason="is not known")
    built = {}
    for name, each in known.items():
        if name in value:
            built[name] = _build(each.type, value[name], file, f"{place}.{name}".lstrip("."))
        elif each.default_factory is MISSING:
            raise WordsWrong(file=file, place=f"{place}.{name}".lstrip("."), reason="is missing")
    return kind(**built)


def _check_alike(file: str, words: Words, like: Words) -> None:
    ours, theirs = (
        {place: text for place, text in all_texts(each) if not place.startswith("errors.")} for each in (words, like)
    )
    for place in sorted(ours.keys() ^ theirs.keys()):
        raise WordsWrong(file=file, place=place, reason="is missing" if place in theirs else "is not known")
    for place, text in ours.items():
        _check_places(file, place, text, theirs[place])


def _check_places(file: str, place: str, text: Sentence, like: Sentence) -> None:
    """Check that two sentences fill the same names in the same formats, and have the same tags."""
    expected = find_places(forms_of(like)[-1])
    for form in forms_of(text):
        if find_places(form) != expected:
            raise WordsWrong(file=file, place=place, reason=f"fills {find_places(form)} in the place of {expected}")


def find_places(text: str) -> list[str]:
    """Return what a text fills, as name:format!conversion, and its tags, both sorted."""
    filled = [f"{name}:{spec}!{kind}" for _, name, spec, kind in Formatter().parse(text) if name is not None]
    return sorted(filled) + sorted(_TAG.findall(text))


ENGLISH = load_words(Path(__file__).with_name("en.toml"))
CHINESE = load_words(Path(__file__).with_name("zh.toml"), like=ENGLISH)
