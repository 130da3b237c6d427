"""The depth lab's trainings, one for each seed: they are nobody's data, so all who start one watch the same."""

import threading
from weakref import WeakSet

from demo.tasks.depth import train_depths
from demo.visitors.jobs import Job, JobKind
from demo.visitors.scheduler import Scheduler
from demo.visitors.session import Session


class DepthRuns:
    """The jobs by their seed, and the sessions that watch each; what has ended is kept for the next who asks."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._watching: dict[int, WeakSet[Session]] = {}
        self._lock = threading.Lock()

    def find(self, seed: int) -> Job | None:
        """Return the last job of a seed."""
        return self._jobs.get(seed)

    def start(self, scheduler: Scheduler, session: Session, seed: int) -> None:
        """Let a session watch the job of a seed; where none runs or has come to its end, one begins."""
        with self._lock:
            job = self._jobs.get(seed)
            if job is None or job.error is not None:
                job = self._jobs[seed] = Job(lambda: train_depths(seed), kind=JobKind.DEPTH)
                scheduler.submit(job)
            self._leave(session)
            self._watching.setdefault(seed, WeakSet()).add(session)

    def leave(self, session: Session) -> None:
        """Let a session watch no longer; the job goes on, for it will be asked for again."""
        with self._lock:
            self._leave(session)

    def stop(self, session: Session) -> None:
        """Let a session watch no longer; a job that nobody else watches ends."""
        with self._lock:
            for seed in self._leave(session):
                if not self._watching[seed]:
                    self._jobs[seed].request_stop()

    def is_watching(self, session: Session, seed: int) -> bool:
        """Whether a session watches the job of a seed, and that has not ended."""
        job = self._jobs.get(seed)
        return job is not None and job.is_running and session in self._watching[seed]

    def _leave(self, session: Session) -> list[int]:
        left = [seed for seed, watching in self._watching.items() if session in watching]
        for seed in left:
            self._watching[seed].discard(session)
        return left
