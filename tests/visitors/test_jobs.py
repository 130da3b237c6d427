"""The line of trainings."""

import threading
from collections.abc import Generator

import pytest

from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import FineTuned, Progress
from demo.tasks.fit import EpochResult
from demo.visitors.errors import TrainingStopped, WorkCutShort
from demo.visitors.jobs import Job, JobKind, TrainingQueue

EPOCH = EpochResult(1, 2, 0.5, 0.5, 0.5, 0.5)
PATIENCE_S = 10.0

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


def test_jobs_run_one_after_the_other_in_their_order() -> None:
    line, release, order = TrainingQueue(), threading.Event(), list[int]()

    def wait(number: int) -> Steps:
        release.wait(PATIENCE_S)
        order.append(number)
        yield EPOCH

    jobs = [Job(lambda number=number: wait(number)) for number in range(3)]  # type: ignore[misc]
    for job in jobs:
        line.submit(job)
    assert [line.num_ahead(job) for job in jobs] == [0, 1, 2]
    release.set()
    assert all(job.done.wait(PATIENCE_S) for job in jobs)
    assert order == [0, 1, 2]
    assert [line.num_ahead(job) for job in jobs] == [0, 0, 0]


def test_the_wait_is_known_once_a_job_of_each_kind_ahead_has_run() -> None:
    line, release = TrainingQueue(), threading.Event()

    def slow() -> Steps:
        release.wait(PATIENCE_S)
        yield EPOCH

    first, second = Job(slow), Job(lambda: steps(EPOCH))
    line.submit(first)
    line.submit(second)
    assert line.wait_s(second) is None
    release.set()
    assert second.done.wait(PATIENCE_S)
    release.clear()
    running, race, last = Job(slow), Job(lambda: steps(EPOCH), kind=JobKind.RACE), Job(lambda: steps(EPOCH))
    for job in (running, race, last):
        line.submit(job)
    assert line.wait_s(running) == 0.0
    assert line.wait_s(race) == 1.0  # what is nearly over counts as a second
    assert line.wait_s(last) is None  # no race has run so far
    race.request_stop()
    assert line.wait_s(last) == 1.0
    release.set()
    assert last.done.wait(PATIENCE_S)


def test_a_failed_job_does_not_hold_up_the_line() -> None:
    def broken() -> Steps:
        yield EPOCH
        raise RuntimeError("no")

    line, after = TrainingQueue(), Job(lambda: steps(EPOCH))
    line.submit(Job(broken))
    line.submit(after)
    assert after.done.wait(PATIENCE_S)
    assert after.points == [EPOCH]


def test_a_job_that_waits_ends_at_once_when_it_is_stopped() -> None:
    line, release = TrainingQueue(), threading.Event()

    def slow() -> Steps:
        release.wait(PATIENCE_S)
        yield EPOCH

    running, waiting, last = Job(slow), Job(lambda: steps(EPOCH)), Job(lambda: steps(EPOCH))
    for job in (running, waiting, last):
        line.submit(job)
    waiting.request_stop()
    assert waiting.done.wait(1.0)
    assert isinstance(waiting.error, TrainingStopped)
    assert line.num_ahead(last) == 1
    release.set()
    assert last.done.wait(PATIENCE_S)
    assert waiting.points == []


def test_a_line_that_is_closed_ends_what_runs_what_waits_and_what_still_comes() -> None:
    line, begun, release = TrainingQueue(), threading.Event(), threading.Event()

    def slow() -> Steps:
        begun.set()
        release.wait(PATIENCE_S)
        yield EPOCH

    runs, waits, late = Job(slow), Job(lambda: steps(EPOCH)), Job(lambda: steps(EPOCH))
    line.submit(runs)
    assert begun.wait(PATIENCE_S)
    line.submit(waits)
    line.close(WorkCutShort())
    line.submit(late)
    assert all(job.done.is_set() for job in (runs, waits, late))
    assert all(isinstance(job.error, WorkCutShort) for job in (runs, waits, late))
    release.set()
