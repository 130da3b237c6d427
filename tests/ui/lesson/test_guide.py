"""The guide as a visitor sees it: predict first, then the numbers with the prediction beside them, then why."""

from collections.abc import Generator
from typing import Any

import pytest

from demo.lesson.found import Found
from demo.lesson.steps import STEPS, Step
from demo.ui.address import read_place
from demo.ui.lesson.guide import Guide
from demo.ui.lesson.guide_markup import draw_found, draw_question
from demo.ui.page import Opened
from demo.visitors.jobs import Job
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, fill, is_left

WORDS = ENGLISH.lesson
SPEAK = WORDS.steps["speak"]


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


def act(visitor: Visitor, handler: str, pick: object = "") -> Guide:
    return fill(Guide, visitor.call(handler, event_data={"pick": pick}))


def show(visitor: Visitor) -> str:
    """Return the guide once the numbers of its step are there."""
    shown = str(fill(Guide, visitor.call("await_numbers")).shown)
    return shown if "came-out" in shown else str(act(visitor, "go_to_step", "open").shown)


def test_the_lesson_begins_put_away_and_opens_where_it_was_left(visitor: Visitor) -> None:
    assert visitor.attached.opened.guide.shown == ""
    assert SPEAK.question in act(visitor, "go_to_step", "open").shown
    assert WORDS.steps["move"].title in act(visitor, "go_to_step", 4).shown
    assert act(visitor, "go_to_step", 0).shown == ""
    assert WORDS.steps["move"].title in act(visitor, "go_to_step", "open").shown


def test_nothing_is_tried_before_it_was_predicted(visitor: Visitor, session: Session) -> None:
    asked = act(visitor, "go_to_step", 1).shown
    assert WORDS.try_first in asked
    assert "data-place" not in asked
    assert WORDS.waiting not in act(visitor, "try_step").shown
    assert not session.lesson.tried


def test_the_first_prediction_counts(visitor: Visitor, session: Session) -> None:
    act(visitor, "go_to_step", 1)
    chosen = act(visitor, "choose_answer", "c").shown
    assert WORDS.try_first not in chosen
    assert SPEAK.why not in chosen
    act(visitor, "choose_answer", "a")
    assert session.lesson.chosen == {"speak": 2}


def test_what_came_out_stands_beside_the_prediction(visitor: Visitor) -> None:
    act(visitor, "go_to_step", 1)
    act(visitor, "choose_answer", "a")
    act(visitor, "try_step")
    shown = show(visitor)
    assert WORDS.prediction.format(option=SPEAK.options[0]) in shown
    assert WORDS.not_as_predicted.format(option=SPEAK.options[1]) in shown
    assert "espresso, 95.1%" in shown
    assert SPEAK.why in shown
    assert STEPS[0].sources[0].url in Markup(shown).values("href")


def test_a_reload_in_the_other_language_finds_the_answered_step(visit: Visit, visitor: Visitor) -> None:
    act(visitor, "go_to_step", 1)
    act(visitor, "choose_answer", "b")
    act(visitor, "try_step")
    show(visitor)
    again = visit(language="zh", token=visitor.token).attached.opened.guide.shown
    assert "espresso" in again
    assert CHINESE.lesson.as_predicted in again
    assert CHINESE.lesson.steps["speak"].why in again


def test_a_step_is_measured_once_for_all(visit: Visit, visitor: Visitor, server: Server) -> None:
    visitors = [visitor, visit()]
    for each in visitors:
        act(each, "go_to_step", 2)
        act(each, "choose_answer", "c")
        act(each, "try_step")
        show(each)
    job = server.rooms.findings.job_of(STEPS[1])
    act(visitors[1], "try_step")
    assert server.rooms.findings.job_of(STEPS[1]) is job


def test_what_went_wrong_is_said_and_can_be_tried_again(visitor: Visitor, server: Server) -> None:
    def fail() -> Generator[Any, None, None]:
        yield from ()
        raise ValueError("secret")

    step = next(each for each in STEPS if each.name == "shift")
    act(visitor, "go_to_step", step.number)
    act(visitor, "choose_answer", "b")
    server.rooms.findings.begin(step, Job(fail), Job.run)
    server.rooms.sessions.attach(visitor.token).lesson.try_step()
    assert ENGLISH.unexpected in act(visitor, "go_to_step", "open").shown
    act(visitor, "try_step")
    assert "came-out" in show(visitor)


@pytest.mark.parametrize(("answer", "is_unusual"), [(2, False), (0, True)])
def test_another_answer_than_usual_is_said(answer: int, is_unusual: bool) -> None:
    step = next(each for each in STEPS if each.name == "edge")
    drawn = draw_found(ENGLISH, step, 2, Found(answer, {f"turned_{each}": 0.5 for each in (0, 30, 60, 90)}))
    assert (WORDS.unusual.format(option=WORDS.steps["edge"].options[2]) in drawn) == is_unusual


@pytest.mark.parametrize(("handler", "pick"), [("choose_answer", "d"), ("choose_answer", ""), ("go_to_step", "13")])
def test_what_there_is_not_cannot_be_picked(visitor: Visitor, handler: str, pick: str) -> None:
    act(visitor, "go_to_step", 1)
    with pytest.raises(Refused, match=WORDS.title):
        act(visitor, handler, pick)


def test_an_address_names_a_step(visitor: Visitor) -> None:
    opened = fill(Opened, visitor.call("go", event_data={"pick": "?lesson=7"}))
    assert WORDS.steps["depth"].question in opened.guide.shown
    wrong = fill(Opened, visitor.call("go", event_data={"pick": "?lesson=13"}))
    assert "lesson=13" in wrong.notice
    assert is_left(wrong.guide.shown)  # the guide stays where it was
    assert "lesson=x" in fill(Opened, visitor.call("go", event_data={"pick": "?lesson=x"})).notice


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_step_leads_to_a_place_that_there_is(step: Step) -> None:
    place, wrong = read_place(step.place)
    assert not wrong
    assert place.tab
    assert place.network


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_that_replaces_the_pictures_of_tab_2_says_so(step: Step) -> None:
    asked = draw_question(WORDS, step, None, None)
    assert (WORDS.takes_set in asked) == bool(read_place(step.place)[0].set)
