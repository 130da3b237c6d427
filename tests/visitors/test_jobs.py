"""A job by itself: what comes out of it, and how it ends."""

import threading
from collections.abc import Generator

import pytest

from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import FineTuned, Progress
from demo.tasks.fit import EpochResult
from demo.visitors.errors import TrainingStopped
from demo.visitors.jobs import Job
from tests.patience import PATIENCE_S

EPOCH = EpochResult(1, 2, 0.5, 0.5, 0.5, 0.5)

Steps = Generator[Progress, None, None]


def steps(*results: Progress) -> Steps:
    yield from results


def test_a_job_keeps_what_comes_out_of_it() -> None:
    job = Job(lambda: steps(FeatureProgress(1, 2), EPOCH))
    job.run()
    assert job.progress is None  # past the looking
    assert job.points == [EPOCH]
    assert not job.is_running
    assert job.error is None


def test_a_job_that_runs_ends_at_once_when_it_is_stopped_and_hands_nothing_over() -> None:
    adopted: list[FineTuned] = []
    begun, release = threading.Event(), threading.Event()

    def slow() -> Steps:
        begun.set()
        release.wait(PATIENCE_S)  # in the middle of a step
        yield EPOCH
        yield from ()

    job = Job(slow, adopted.append)
    thread = threading.Thread(target=job.run)
    thread.start()
    assert begun.wait(PATIENCE_S)
    job.request_stop()
    assert job.done.is_set()
    assert isinstance(job.error, TrainingStopped)
    release.set()
    thread.join(PATIENCE_S)
    assert job.points == []
    assert adopted == []


def test_a_stopped_job_hands_nothing_over() -> None:
    adopted: list[FineTuned] = []
    job = Job(lambda: steps(EPOCH), adopted.append)
    job.request_stop()
    job.run()
    assert isinstance(job.error, TrainingStopped)
    assert adopted == []


def test_an_unexpected_error_ends_the_job_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Steps:
        yield EPOCH
        raise RuntimeError(" ".join(["weights", "on", "fire"]))

    job = Job(broken)
    job.run()
    assert isinstance(job.error, RuntimeError)
    assert "unexpected RuntimeError in a training" in caplog.text
    assert "weights on fire" not in caplog.text  # it might be the name of a visitor's file
