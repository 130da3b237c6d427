"""The worksheet: each step of the lesson with answers to tick, numbers to write down, and room to say why."""

import html
from string import Formatter

from demo.lesson.steps import STEPS, Step
from demo.ui.parts.paper import draw_lines
from demo.words.language import Words

_ROOM_LINES = 3


def draw_worksheet(words: Words) -> str:
    """Return the worksheet as HTML."""
    ours = words.teacher.worksheet
    steps = "".join(_draw_step(words, step) for step in STEPS)
    return (
        f'<p class="on-screen"><button type="button" data-print>{ours.print}</button></p>'
        f'{draw_lines(ours.fill)}<p>{ours.lead}</p><main class="worksheet">{steps}</main>'
    )


def _draw_step(words: Words, step: Step) -> str:
    ours, said = words.teacher.worksheet, words.lesson.steps[step.name]
    options = "".join(f"<li>{option}</li>" for option in said.options)
    found = "".join(f"<li>{leave_blank(line)}</li>" for line in said.found)
    room = _ROOM_LINES * '<div class="room"></div>'
    return (
        f"<section><h2>{step.number}. {said.title}</h2><p>{said.question}</p>"
        f'<ul class="ticks">{options}</ul><div class="halves"><div><h3>{ours.numbers}</h3><ul>{found}</ul></div>'
        f'<div><h3 class="on-line">{ours.why}</h3>{room}</div></div></section>'
    )


def leave_blank(line: str) -> str:
    """Return a line (text) with a blank to write on (HTML) for each number that the page would fill in."""
    drawn = ""
    for text, name, form, _ in Formatter().parse(line):
        drawn += html.escape(text)
        if name is not None:
            drawn += f'<span class="blank"><i></i>{" %" if (form or "").endswith("%") else ""}</span>'
    return drawn
