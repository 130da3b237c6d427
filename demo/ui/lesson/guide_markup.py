"""A step of the guided lesson as HTML: its question, and, once that is answered, what came out of it and why."""

import html
from dataclasses import replace

from demo.lesson.found import Found
from demo.lesson.steps import STEPS, Step
from demo.tasks.predict import ClassProbability
from demo.words.language import Words
from demo.words.lesson import LessonWords, StepWords

LETTERS = "abcd"  # by which the answers of a question are picked


def draw_frame(words: LessonWords, step: Step, content: str) -> str:
    """Return a step's content (HTML) in its frame, which can be folded, and the ways to the other steps."""
    way, said = words.way.format(number=step.number, count=len(STEPS)), words.steps[step.name]
    back = _draw_button("click", step.number - 1, words.before) if step.number > 1 else ""
    on = _draw_button("click", step.number + 1, words.after) if step.number < len(STEPS) else f"<p>{words.over}</p>"
    return (
        f'<section class="guide" data-lesson="{step.number}" aria-label="{words.title}"><details open>'
        f"<summary><span>{way}</span><h2>{said.title}</h2></summary>{content}<nav>{back}{on}</nav></details>"
        f'<button type="button" class="put-away" data-act="click" data-pick="0" aria-label="{words.close}" '
        f'title="{words.close}">×</button></section>'
    )


def draw_question(words: LessonWords, step: Step, chosen: int | None, came_out: int | None) -> str:
    """Return the question, its answers, of which the first that is chosen counts, and the button that tries it.

    Args:
        words: The lesson's.
        step: Whose question.
        chosen: Index of the predicted answer; None as long as there is none.
        came_out: Index of the answer that the numbers give; None before they are known.
    """
    said = words.steps[step.name]
    options = "".join(_draw_option(said, place, chosen, came_out) for place in range(len(said.options)))
    label = words.try_it if came_out is None else words.try_again
    state = f'data-place="{html.escape(step.place)}" data-heir' if chosen is not None else "disabled"
    hints = [words.try_first] * (chosen is None) + [words.takes_set] * step.takes_set
    told = "".join(f'<p class="hint">{each}</p>' for each in hints)
    return (
        f'<p class="minutes">{words.minutes.format(minutes=step.minutes)}</p><p class="question">{said.question}</p>'
        f'<div class="answers" role="group" aria-label="{words.choose}"><p>{words.choose}</p>{options}</div>'
        f'<button type="button" class="try-step" data-act="submit" data-pick="try" {state}>{label}</button>{told}'
    )


def draw_found(words: Words, step: Step, chosen: int, found: Found) -> str:
    """Return what came out, with the prediction beside it, and what explains it."""
    ours, said = words.lesson, words.lesson.steps[step.name]
    numbers = {name: _name(words, value) for name, value in found.numbers.items()}
    lines = "".join(f"<li>{html.escape(each.format(**numbers))}</li>" for each in said.found)
    sources = words.list_separator.join(
        f'<a href="{each.url}" target="_blank" rel="noopener">{html.escape(each.name)}</a>' for each in step.sources
    )
    return (
        f'<div class="came-out" role="status"><h3>{ours.numbers}</h3><ul>{lines}</ul>'
        f"<p>{ours.prediction.format(option=said.options[chosen])} {_compare(ours, said, chosen, found)}</p>"
        f"{_draw_unusual(ours, said, step, found)}</div>"
        f'<h3>{ours.why}</h3><p>{said.why}</p><p class="hint">{ours.sources}: {sources}</p>'
        f"<h3>{ours.own}</h3><p>{said.own}</p>"
    )


def _draw_option(said: StepWords, place: int, chosen: int | None, came_out: int | None) -> str:
    marks = f"{' chosen' * (place == chosen)}{' right' * (place == came_out)}"
    state = "disabled" if chosen is not None else ""
    return (
        f'<button type="button" class="option{marks}" data-act="select" data-pick="{LETTERS[place]}" '
        f'aria-pressed="{str(place == chosen).lower()}" {state}>{said.options[place]}</button>'
    )


def _draw_button(act: str, pick: object, label: str) -> str:
    return f'<button type="button" data-act="{act}" data-pick="{pick}">{label}</button>'


def _compare(words: LessonWords, said: StepWords, chosen: int, found: Found) -> str:
    if chosen == found.answer:
        return words.as_predicted
    return words.not_as_predicted.format(option=said.options[found.answer])


def _draw_unusual(words: LessonWords, said: StepWords, step: Step, found: Found) -> str:
    """Return a hint where the numbers give another answer here than where the lesson was written."""
    if found.answer == step.right:
        return ""
    return f'<p class="hint">{words.unusual.format(option=said.options[step.right])}</p>'


def _name(words: Words, value: object) -> object:
    """Return a value as it is filled in: a class of ImageNet has its name in the visitor's language."""
    if isinstance(value, ClassProbability):
        return replace(value, class_name=words.class_name(value.class_idx, value.class_name))
    return value
