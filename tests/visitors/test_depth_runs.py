"""Forty who press the same button cost one training, and it ends when the last of them has seen enough."""

import gc
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from demo.models.state import ModelState
from demo.models.zoo import EMBEDDED
from demo.visitors import depth_runs
from demo.visitors.depth_runs import DepthRuns
from demo.visitors.errors import TrainingStopped
from demo.visitors.scheduler import Scheduler
from demo.visitors.session import Session
from tests.patience import PATIENCE_S


class Lab:
    """A training that waits to be let on, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.release = threading.Event()

    def train(self, seed: int) -> Generator[Any, None, None]:
        self.begun.append(seed)
        yield "point"
        self.release.wait(PATIENCE_S)
        yield "end"


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    lab = Lab()
    monkeypatch.setattr(depth_runs, "train_depths", lab.train)
    yield lab
    lab.release.set()


def new_session() -> Session:
    return Session("token", ModelState(EMBEDDED))


def test_all_watch_the_same(lab: Lab) -> None:
    runs, queue, sessions = DepthRuns(), Scheduler(), [new_session() for _ in range(40)]
    for session in sessions:
        runs.start(queue, session, 2)
    assert all(runs.is_watching(session, 2) for session in sessions)
    job = runs.find(2)
    assert job is not None
    lab.release.set()
    assert job.done.wait(PATIENCE_S)
    assert job.points == ["point", "end"]
    assert lab.begun == [2]
    runs.start(queue, new_session(), 2)
    assert runs.find(2) is job  # what has ended is kept
    assert not runs.is_watching(sessions[0], 2)


def test_it_ends_when_the_last_one_stops(lab: Lab) -> None:
    runs, queue, first, second = DepthRuns(), Scheduler(), new_session(), new_session()
    runs.start(queue, first, 0)
    runs.start(queue, second, 0)
    job = runs.find(0)
    assert job is not None
    runs.stop(first)
    assert job.is_running
    assert (runs.is_watching(first, 0), runs.is_watching(second, 0)) == (False, True)
    runs.stop(first)  # who watches nothing ends nothing
    assert job.is_running
    runs.stop(second)
    assert isinstance(job.error, TrainingStopped)
    lab.release.set()
    runs.start(queue, first, 0)  # begins anew
    again = runs.find(0)
    assert again is not None
    assert again is not job
    assert again.done.wait(PATIENCE_S)
    assert again.points == ["point", "end"]


def test_who_turns_to_another_seed_leaves_the_first_running(lab: Lab) -> None:
    runs, queue, session = DepthRuns(), Scheduler(), new_session()
    runs.start(queue, session, 0)
    runs.start(queue, session, 1)
    assert (runs.is_watching(session, 0), runs.is_watching(session, 1)) == (False, True)
    runs.leave(session)
    assert not runs.is_watching(session, 1)
    lab.release.set()
    for seed in (0, 1):
        job = runs.find(seed)
        assert job is not None
        assert job.done.wait(PATIENCE_S)
        assert job.points == ["point", "end"]


@pytest.mark.usefixtures("lab")
def test_a_forgotten_session_is_not_held() -> None:
    runs, session = DepthRuns(), new_session()
    runs.start(Scheduler(), session, 0)
    watching = runs._watching[0]
    assert len(watching) == 1
    del session
    gc.collect()
    assert len(watching) == 0
