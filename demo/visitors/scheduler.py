"""One baton for everything dear: whoever holds it computes, and hands it on between two small pieces of work.

Each job has a thread of its own, so that what torch keeps for a thread stays with the job. `fairness.py` says whose
turn it is.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from demo.pace import is_paced, pace_by
from demo.system import give_way
from demo.visitors.durations import Durations, Size
from demo.visitors.errors import PagesClosed, SessionError, TrainingStopped
from demo.visitors.fairness import SLICE_S, Fairness, Owner, Work
from demo.visitors.jobs import Job
from demo.visitors.outlook import Outlook


def never_left() -> float | None:
    """Say that somebody waits for it."""
    return None


class Turn:
    """A place in the line of one piece of work; `rest` is called between two small pieces of it."""

    def __init__(self, baton: "Baton", work: Work, find_left: Callable[[], float | None] = never_left) -> None:
        self.work, self.find_left = work, find_left
        self.began = 0.0  # its present turn
        self.error: SessionError | None = None
        self.stop: Callable[[SessionError], None] = self.end
        self.ends_when_left = False  # what reads goes on, if last, to delete the files that it was given
        self.begin: Callable[[], None] = lambda: None  # called at the first turn
        self._baton, self._granted = baton, threading.Event()

    @property
    def used_s(self) -> float:
        """The seconds of all turns so far."""
        return self.work.used_s + self._baton.elapsed_s(self)

    def rest(self) -> None:
        """Hand the baton on if it is somebody else's turn, and wait until it is ours again.

        Raises:
            SessionError: If the work was ended meanwhile.
        """
        if self.error is None and not 0.0 < self._baton.elapsed_s(self) < SLICE_S:
            self._granted.clear()
            self._baton.offer(self)
            self.wait()
        elif self.error is not None:
            raise self.error

    def wait(self) -> None:
        """Wait for the baton, or until the work is ended.

        Raises:
            SessionError: If it was.
        """
        self._granted.wait()
        if self.error is not None:
            raise self.error

    def grant(self) -> None:
        """Let the work go on, or begin."""
        begin, self.begin = self.begin, lambda: None
        self._granted.set()
        begin()

    def end(self, error: SessionError) -> None:
        """End the work: it takes no further turn, and its next rest raises the error."""
        self.error = error
        self._baton.leave(self, is_working=True)
        self.grant()


class Baton:
    """Hands the baton from turn to turn, as the rules say."""

    def __init__(self, left_work_s: float, clock: Callable[[], float]) -> None:
        self.fairness, self.clock, self.lock = Fairness(), clock, threading.RLock()
        self.turns: list[Turn] = []
        self.holder: Turn | None = None
        self._left_work_s = left_work_s

    def join(self, turn: Turn) -> None:
        """Wait for the baton; it is granted at once if nobody has it."""
        with self.lock:
            self.turns.append(turn)
            if self.holder is None:
                self._hand_on()

    def offer(self, turn: Turn) -> None:
        """Grant the baton to whoever is next, which may be the one who offers it; work from elsewhere joins."""
        self.end_what_was_left()
        with self.lock:
            if turn.error is not None:
                return
            if turn is not self.holder:
                self.join(turn)
                return
            self._take_back(turn)
            self._hand_on()

    def leave(self, turn: Turn, *, is_working: bool = False) -> None:
        """Take no further turn; work that is to end, but has the baton, keeps it until it rests."""
        with self.lock:
            if turn not in self.turns or (is_working and turn is self.holder):
                return
            self.turns.remove(turn)
            if turn is self.holder:
                self._take_back(turn)
                self._hand_on()

    def end_what_was_left(self, *others: Turn) -> None:
        """Ask whose visitors have left, and end the work of those who have been gone too long."""
        with self.lock:
            turns = [*self.turns, *others]
        for each in turns:
            left_s = each.work.left_s = each.find_left()
            if each.ends_when_left and left_s is not None and left_s > self._left_work_s:
                each.stop(PagesClosed(seconds=self._left_work_s))

    def elapsed_s(self, turn: Turn) -> float:
        """Return for how long a turn has lasted; 0 if it is somebody else's."""
        return max(self.clock() - turn.began, 1e-9) if turn is self.holder else 0.0

    def _take_back(self, turn: Turn) -> None:
        now = self.clock()
        self.fairness.charge(turn.work, now - turn.began, now)
        self.holder = None

    def _hand_on(self) -> None:
        now, works = self.clock(), [each.work for each in self.turns]
        work = self.fairness.choose(works, now)
        if work is not None:
            self.holder = self.turns[works.index(work)]
            self.holder.began, work.has_begun = now, True
            self.holder.grant()


class Scheduler:
    """Who waits and who works; two at a time would only slow each other down."""

    def __init__(self, *, left_work_s: float = 45.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without work.

        Args:
            left_work_s: Time after which work is ended whose visitor has left.
            clock: Seconds that never go back.
        """
        self._baton, self._durations = Baton(left_work_s, clock), Durations()
        self._outlook = Outlook(self._baton.fairness)
        self._jobs: dict[Job, Turn] = {}
        self._sizes: dict[Turn, Size] = {}
        self._closed_by: SessionError | None = None

    def submit(
        self, job: Job, owner: Owner | None = None, *, find_left: Callable[[], float | None] = never_left
    ) -> None:
        """Let a job have its turns, in a thread of its own.

        Args:
            job: What is to be done.
            owner: Whose it is; nobody's, such as the lesson's, unless given.
            find_left: Says for how many seconds nobody has waited for it; None while somebody does.
        """
        work = Work(owner or Owner(job.kind), self._baton.clock(), is_long=job.is_long, is_large=job.is_large)
        turn = Turn(self._baton, work, find_left)
        thread = threading.Thread(target=self._work, args=(job, turn), name=f"job {job.kind}", daemon=True)
        turn.begin, turn.stop, turn.ends_when_left = thread.start, job.request_stop, True
        job.find_used_s, job.when_done = (lambda: turn.used_s), partial(turn.end, TrainingStopped())
        with self._baton.lock:
            self._jobs[job] = turn
        if self._closed_by is not None:
            job.request_stop(self._closed_by)
        elif job.is_lent:
            turn.grant()
        else:
            self._baton.join(turn)

    @contextmanager
    def turn(self, owner: Owner, size: Size, *, find_left: Callable[[], float | None] = never_left) -> Iterator[None]:
        """Do something dear in the caller's thread, which waits for its turn; within, `demo.pace.rest` hands it on.

        What is dear within something dear takes no second turn.
        """
        if is_paced():
            yield
            return
        turn = Turn(self._baton, Work(owner, self._baton.clock()), find_left)
        try:
            self._sizes[turn] = size
            self._baton.join(turn)
            turn.wait()
            with pace_by(turn.rest):
                yield
            self._durations.learn(size, turn.used_s)
        finally:
            del self._sizes[turn]
            self._baton.leave(turn)

    def stop_all(self, error: SessionError) -> None:
        """End all that waits or runs with an error; jobs that come later end with it at once."""
        self._closed_by = error
        with self._baton.lock:
            turns = {*self._jobs.values(), *self._baton.turns}
        for each in turns:
            each.stop(error)

    @property
    def jobs(self) -> Sequence[Job]:
        """The jobs that wait or run, in the order in which they came."""
        with self._baton.lock:
            return [job for job in self._jobs if job.is_running]

    def num_ahead(self, job: Job) -> int:
        """Count the works that will be done before this one; 0 if nothing else is dear now, or it has ended."""
        with self._baton.lock:
            mine, ends = self._jobs.get(job), self._foresee()
            if mine is None or mine not in ends:
                return 0
            holder = None if mine.work.has_begun else self._baton.holder
            return sum(each is holder or ends[each] < ends[mine] for each in ends if each is not mine)

    def wait_s(self, job: Job) -> float:
        """Estimate in how many seconds a job will be done; 0 if it takes no turns here, or has ended."""
        with self._baton.lock:
            mine = self._jobs.get(job)
            return self._foresee().get(mine, 0.0) if mine is not None else 0.0

    def _foresee(self) -> Mapping[Turn, float]:
        jobs = {turn: job for job, turn in self._jobs.items()}

        for job in self._jobs:  # what is under way shows how fast this machine is just now
            job.tell(self._durations)

        def expect_left_s(turn: Turn) -> float:
            if turn in jobs:
                return jobs[turn].expect_left_s(self._durations)
            return self._durations.expect_left(self._sizes[turn], turn.used_s)

        return self._outlook.foresee(
            {each: each.work for each in self._baton.turns}, expect_left_s, self._baton.clock()
        )

    def _work(self, job: Job, turn: Turn) -> None:
        give_way()

        def offer() -> None:
            if job.is_lent and job.refusal is None:
                self._baton.end_what_was_left(turn)
            else:
                turn.rest()

        try:
            with pace_by(offer):
                job.run()
            if job.error is None and not job.is_lent:
                self._durations.learn(job.size, turn.used_s, job.looked_s)
        finally:
            with self._baton.lock:
                del self._jobs[job]
                self._baton.leave(turn)
            job.let_go(turn.used_s)
