"""The quiz: ten questions about the lesson, each with its reason; the browser alone knows what is answered."""

import html
import random
from collections.abc import Mapping

from demo.lesson.steps import STEPS
from demo.words.language import Words
from demo.words.teacher import QuestionWords

# Each question, and the step of the lesson in which its answer can be seen.
QUESTIONS = {
    "cells": "shift",
    "convolution": "edge",
    "moves": "move",
    "stages": "stages",
    "degradation": "depth",
    "block": "shortcut",
    "head": "pretrained",
    "mistakes": "learned",
    "customers": "customers",
    "large": "customers",
}
_WIDE, _NARROW = 256, 64  # channels of a bottleneck, He et al. 2015, figure 5
_WEIGHTS = {"basic": 2 * 9 * _WIDE**2, "bottleneck": 2 * _WIDE * _NARROW + 9 * _NARROW**2}


def draw_quiz(words: Words, home: str) -> str:
    """Return the quiz as HTML; `home` is the address of the page from it."""
    ours = words.quiz
    questions = "".join(_draw_question(words, home, number, name) for number, name in enumerate(QUESTIONS, 1))
    told = {"progress": ours.progress.format(answered="{answered}", count=len(QUESTIONS))}
    told["score"] = ours.score.format(right="{right}", count=len(QUESTIONS))
    score = f'<p role="status" {_draw_data(told)}></p><button type="button" data-again hidden>{ours.again}</button>'
    return f'<p class="on-screen">{ours.lead}</p>{questions}<footer class="score on-screen">{score}</footer>'


def _draw_question(words: Words, home: str, number: int, name: str) -> str:
    ours, said = words.quiz, words.quiz.questions[name]
    told = {"right": ours.right, "wrong": ours.wrong.format(option=said.options[0])}
    options = "".join(
        f'<li><button type="button"{" data-right" if option == said.options[0] else ""}>{option}</button></li>'
        for option in _shuffle(name, said)
    )
    step = next(each for each in STEPS if each.name == QUESTIONS[name])
    seen = ours.step.format(number=step.number, title=words.lesson.steps[step.name].title)
    return (
        f'<section class="question"><h2 id="question-{number}">{number}. {said.question}</h2>'
        f'<ul aria-labelledby="question-{number}">{options}</ul>'
        f'<div role="status" {_draw_data(told)}></div>'
        f"<template><p><strong></strong> {said.why.format(**_WEIGHTS)}</p>"
        f'<p><a href="{home}?lesson={step.number}">{seen}</a></p></template></section>'
    )


def _shuffle(name: str, said: QuestionWords) -> list[str]:
    """Return the options of a question in an order that is the same whenever, and in each language."""
    return random.Random(f"quiz {name}").sample(said.options, len(said.options))


def _draw_data(values: Mapping[str, str]) -> str:
    return " ".join(f'data-{name}="{html.escape(value)}"' for name, value in values.items())
