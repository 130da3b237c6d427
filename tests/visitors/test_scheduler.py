"""The baton between threads: jobs and readings take turns, and whoever leaves or stops hands it on."""

import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import torch

from demo import pace
from demo.tasks.errors import GpuNotLent
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import Progress
from demo.tasks.fit import EpochResult
from demo.visitors import fairness, scheduler
from demo.visitors.durations import Durations, Size
from demo.visitors.errors import PagesClosed, TrainingStopped, WorkCutShort
from demo.visitors.fairness import Owner
from demo.visitors.jobs import Job, JobKind
from demo.visitors.scheduler import Scheduler
from tests.patience import PATIENCE_S, wait_for

EPOCH = EpochResult(1, 2, 0.5, 0.5, 0.5, 0.5)
SLICE_S = 0.005

Steps = Generator[Progress, None, None]


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "SLICE_S", SLICE_S)
    monkeypatch.setattr(fairness, "SLICE_S", SLICE_S)


def owner(name: str) -> Owner:
    return Owner(name, f"address of {name}")


def work(seconds: float, log: list[str] | None = None, name: str = "") -> Steps:
    """Yield every millisecond."""
    until = pace.working_s() + seconds
    while pace.working_s() < until:
        time.sleep(0.001)
        if log is not None:
            log.append(name)
        yield EPOCH


def work_until(enough: threading.Event, log: list[str] | None = None) -> Steps:
    """Yield every millisecond, for as long as a test wants it."""
    while not enough.is_set():
        yield from work(0.001, log, "job")


class Held:
    """A job that has the baton until it is released, as one in a long step does."""

    def __init__(self, line: Scheduler) -> None:
        self.begun, self.release = threading.Event(), threading.Event()
        self.job = Job(self.steps)
        line.submit(self.job, owner("holder"))
        assert self.begun.wait(PATIENCE_S)

    def steps(self) -> Steps:
        self.begun.set()
        self.release.wait(PATIENCE_S)
        yield EPOCH
        yield EPOCH


def test_a_small_job_passes_a_long_one() -> None:
    line, enough = Scheduler(), threading.Event()
    race = Job(lambda: work_until(enough), kind=JobKind.RACE)
    line.submit(race, owner("racer"))
    wait_for(lambda: race.points)
    head = Job(lambda: work(0.05))
    line.submit(head, owner("pupil"))
    assert head.done.wait(PATIENCE_S)
    enough.set()
    assert race.done.wait(PATIENCE_S)
    assert (head.error, race.error) == (None, None)


def test_one_works_at_a_time_in_a_thread_of_its_own() -> None:
    line, active, most, threads = Scheduler(), list[int](), list[int](), set[str]()

    def busy(number: int) -> Steps:
        torch.set_grad_enabled(number % 2 == 0)  # which torch keeps for a thread
        for _ in range(10):
            active.append(number)
            most.append(len(active))
            threads.add(f"{threading.get_ident()} {number}")
            time.sleep(0.002)
            assert torch.is_grad_enabled() == (number % 2 == 0)
            active.remove(number)
            yield EPOCH

    jobs = [Job(lambda number=number: busy(number)) for number in range(6)]  # type: ignore[misc]
    for number, job in enumerate(jobs):
        line.submit(job, owner(str(number)))
    assert all(job.done.wait(PATIENCE_S) for job in jobs)
    assert [job.error for job in jobs] == [None] * 6
    assert max(most) == 1
    assert len(threads) == 6
    assert torch.is_grad_enabled()


def test_a_clock_of_work_stands_still_while_others_have_their_turn() -> None:
    line, seconds = Scheduler(), dict[str, float]()

    def timed(name: str) -> Steps:
        start = pace.working_s()
        for _ in range(40):
            time.sleep(0.002)
            yield EPOCH
        seconds[name] = pace.working_s() - start

    jobs = [Job(lambda name=name: timed(name)) for name in "abcd"]  # type: ignore[misc]
    start = time.monotonic()
    for job, name in zip(jobs, "abcd", strict=True):
        line.submit(job, owner(name))
    assert all(job.done.wait(PATIENCE_S) for job in jobs)
    assert sum(seconds.values()) <= (time.monotonic() - start) * 1.05


def test_reading_takes_turns_with_trainings_and_is_not_nested() -> None:
    line, log, enough = Scheduler(), list[str](), threading.Event()
    job = Job(lambda: work_until(enough, log))
    line.submit(job, owner("trainer"))

    def read() -> None:
        with line.turn(owner("reader"), Size("zip")), line.turn(owner("reader"), Size("zip")):
            for _ in range(60):
                time.sleep(0.001)
                log.append("zip")
                pace.rest()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(read).result(PATIENCE_S)
        assert not pool.submit(pace.is_paced).result(PATIENCE_S)
    enough.set()
    assert job.done.wait(PATIENCE_S)
    turns = sum(one != other for one, other in pairwise(log))
    assert turns > 2


def test_what_was_stopped_hands_the_baton_on_whether_it_waits_works_or_rests() -> None:
    line = Scheduler()
    held = Held(line)
    waiting, last = Job(lambda: work(1)), Job(lambda: work(0.01))
    for job in (waiting, last):
        line.submit(job, owner("others"))
    assert line.num_ahead(last) >= 1
    waiting.request_stop()
    assert isinstance(waiting.error, TrainingStopped)
    assert waiting not in line.jobs
    held.job.request_stop()
    assert not last.done.wait(0.02)  # its piece of work is not over
    held.release.set()
    assert last.done.wait(PATIENCE_S)
    assert held.job.points == []

    resting, other = Job(lambda: work(60)), Job(lambda: work(60))
    line.submit(resting, owner("one"))
    line.submit(other, owner("two"))
    wait_for(lambda: resting.points and other.points)
    resting.request_stop()
    other.request_stop()
    after = Job(lambda: work(0.01))
    line.submit(after, owner("three"))
    assert after.done.wait(PATIENCE_S)
    assert after.error is None
    assert not line.jobs


def test_a_failed_job_does_not_hold_up_the_line() -> None:
    def broken() -> Steps:
        yield EPOCH
        raise RuntimeError("no")

    line, after = Scheduler(), Job(lambda: work(0.01))
    line.submit(Job(broken))
    line.submit(after)
    assert after.done.wait(PATIENCE_S)
    assert after.error is None


def test_what_was_left_goes_last_and_ends_after_a_grace() -> None:
    line, away_s, log = Scheduler(left_work_s=10.0), [1.0], list[str]()
    left = [Job(lambda: work(60, log, "left"), kind=JobKind.RACE, is_large=True) for _ in range(5)]
    for number, job in enumerate(left):
        line.submit(job, Owner(str(number), "one address"), find_left=lambda: away_s[0])
    head = Job(lambda: work(0.1, log, "head"))
    line.submit(head, owner("pupil"))
    assert head.done.wait(PATIENCE_S)
    begun = log.index("head")
    assert "left" not in log[begun : begun + log.count("head")]
    assert not any(job.done.is_set() for job in left)
    away_s[0] = 11.0
    assert all(job.done.wait(PATIENCE_S) for job in left)
    assert all(isinstance(job.error, PagesClosed) for job in left)


def test_who_reads_for_nobody_goes_on_to_the_end() -> None:
    line = Scheduler(left_work_s=0.0)
    with line.turn(owner("gone"), Size("zip"), find_left=lambda: 100.0):
        for _ in range(20):
            time.sleep(0.001)
            pace.rest()


def test_a_visitor_who_comes_back_finds_the_training() -> None:
    line, away = Scheduler(left_work_s=0.2), [0.1]
    job = Job(lambda: work(0.3))
    line.submit(job, owner("visitor"), find_left=lambda: away[0] or None)
    time.sleep(0.1)
    away[0] = 0.0
    assert job.done.wait(PATIENCE_S)
    assert job.error is None


def test_lent_work_takes_no_turns_until_it_was_refused() -> None:
    line = Scheduler()
    held, refused = Held(line), threading.Event()

    def lent() -> Steps:
        yield FeatureProgress(0, 1)
        yield EPOCH
        refused.set()
        yield GpuNotLent()  # type: ignore[misc]
        yield EPOCH

    job = Job(lent, is_lent=True)
    line.submit(job, owner("visitor"))
    assert refused.wait(PATIENCE_S)
    assert not job.done.wait(0.05)
    held.release.set()
    assert job.done.wait(PATIENCE_S)
    assert (job.error, job.points) == (None, [EPOCH])


def test_all_end_and_none_begins_when_the_server_does() -> None:
    line = Scheduler()
    jobs = [Job(lambda: work(20)) for _ in range(3)]
    for number, job in enumerate(jobs):
        line.submit(job, owner(str(number)))
    line.stop_all(WorkCutShort())
    late = Job(lambda: work(20))
    line.submit(late, owner("late"))
    assert all(isinstance(job.error, WorkCutShort) for job in (*jobs, late))


def test_the_wait_is_told_and_learned() -> None:
    line = Scheduler()

    def looked(seconds: float) -> Steps:
        for _ in work(seconds):
            yield FeatureProgress(0, 10)

    first = Job(lambda: looked(0.2), size=Size("head", guess_s=100.0))
    line.submit(first, owner("first"))
    assert line.wait_s(first) > 50
    assert first.done.wait(PATIENCE_S)
    wait_for(lambda: not line._jobs)
    held = Held(line)
    second = Job(lambda: looked(0.2), size=Size("head", guess_s=100.0))
    line.submit(second, owner("second"))
    assert line.wait_s(second) < 5
    assert line.num_ahead(second) == 1
    held.release.set()
    assert second.done.wait(PATIENCE_S)
    assert (line.num_ahead(second), line.wait_s(second)) == (0, 0.0)


def test_the_first_job_of_a_kind_shows_how_long_the_others_will_take() -> None:
    durations, size = Durations(), Size("head", units=10.0, guess_s=1.0)
    first = Job(lambda: work(1), size=size)
    assert first.expect_left_s(durations) == 1.0
    first.progress, first.find_used_s = FeatureProgress(10, 40), lambda: 4.0
    assert first.expect_left_s(durations) == pytest.approx(12 + 4)
    first.tell(durations)
    assert durations.expect(Size("head", units=20.0)) == pytest.approx(40)
    durations.learn(size, 10.0, 9.0)
    assert durations.expect(Size("head", units=20.0)) == pytest.approx(20)
    assert first.expect_left_s(durations) == pytest.approx(12 + 1)
