"""The lesson's steps and their words belong together, and each leads to a place that there is."""

import pytest

from demo.lesson.steps import STEPS, Step
from demo.words.language import CHINESE, ENGLISH, Words

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
EVERY_STEP = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)


@LANGUAGES
def test_the_steps_are_told_in_their_order(words: Words) -> None:
    assert list(words.lesson.steps) == [step.name for step in STEPS]


def test_there_are_twelve_in_a_lesson_of_45_minutes() -> None:
    assert [step.number for step in STEPS] == list(range(1, 13))
    assert sum(step.minutes for step in STEPS) == 45


@LANGUAGES
@EVERY_STEP
def test_two_to_four_answers_differ_and_one_is_right(words: Words, step: Step) -> None:
    options = words.lesson.steps[step.name].options
    assert 2 <= len({*options}) == len(options) <= 4
    assert 0 <= step.right < len(options)


@EVERY_STEP
def test_each_has_its_source(step: Step) -> None:
    assert all(source.name and source.url.startswith("https://") for source in step.sources)
    assert step.sources
