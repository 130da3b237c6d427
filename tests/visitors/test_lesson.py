"""A visitor's place in the lesson, and what came out of its steps, once for everybody."""

import threading
from collections.abc import Generator
from typing import Any

import pytest

from demo.lesson.found import Found
from demo.lesson.steps import STEPS
from demo.settings import Settings
from demo.visitors.jobs import Job
from demo.visitors.lesson import Findings, Lesson
from demo.visitors.rooms import Rooms

FOUND = Found(0, {})


def measure() -> Generator[Any, None, None]:
    yield FOUND


def fail() -> Generator[Any, None, None]:
    yield from ()
    raise ValueError


def test_a_lesson_that_is_put_away_keeps_its_place() -> None:
    lesson = Lesson()
    lesson.go(5)
    lesson.go(0)
    assert not lesson.is_open
    assert lesson.step is STEPS[4]
    assert lesson.number == 0


def test_the_first_prediction_of_each_step_counts() -> None:
    lesson = Lesson()
    assert not lesson.try_step()
    lesson.choose(1)
    lesson.choose(2)
    assert lesson.try_step()
    lesson.go(2)
    assert not lesson.try_step()
    assert (lesson.chosen, lesson.tried) == ({STEPS[0].name: 1}, {STEPS[0].name})


def test_forty_who_ask_at_once_cost_one() -> None:
    findings, submitted, barrier = Findings(), list[Job](), threading.Barrier(40, timeout=120)

    def ask() -> None:
        barrier.wait()
        findings.begin(STEPS[0], Job(measure), submitted.append)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (job,) = submitted
    assert findings.of(STEPS[0]) is None
    job.run()
    assert findings.of(STEPS[0]) is FOUND


def test_what_failed_is_measured_again_when_somebody_asks() -> None:
    findings = Findings()
    findings.begin(STEPS[0], Job(fail), Job.run)
    assert findings.of(STEPS[0]) is None
    findings.begin(STEPS[0], Job(measure), Job.run)
    assert findings.of(STEPS[0]) is FOUND


@pytest.mark.parametrize("trains", [False, True])
def test_what_trains_waits_in_the_line_of_trainings(trains: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms, lines = Rooms.of(Settings()), dict[bool, Job]()
    monkeypatch.setattr(rooms.scheduler, "submit", lambda job: lines.update({True: job}))
    monkeypatch.setattr("demo.visitors.rooms.begin_slowly", lambda run: lines.update({False: run.__self__}))
    step = next(each for each in STEPS if each.trains is trains)
    rooms.measure(step)
    assert lines == {trains: rooms.findings.job_of(step)}


def test_what_a_visitor_predicted_is_forgotten_with_the_rest() -> None:
    rooms = Rooms.of(Settings())
    session = rooms.sessions.attach("")
    session.lesson.choose(1)
    rooms.sessions.end(session.ref.token)
    assert not session.lesson.chosen
