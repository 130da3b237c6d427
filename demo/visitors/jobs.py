"""The queue of trainings: one runs at a time, in the order of their start, and the page that started it watches."""

import itertools
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from contextvars import Context, copy_context
from enum import StrEnum
from itertools import takewhile
from typing import Any

from demo.errors import DemoError, forget_origin, log_unexpected
from demo.system import give_way
from demo.tasks.errors import GpuNotLent
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import FineTuned
from demo.tasks.fit import BatchProgress
from demo.visitors.errors import TrainingStopped

_NUM_REMEMBERED = 20  # durations kept for each kind of job, to estimate how long others will wait


class JobKind(StrEnum):
    """The kind of a job: training a head, a race, a curve, networks by depth, a trial, or a step of the lesson."""

    TRAINING = "training"
    RACE = "race"
    CURVE = "curve"
    LESSON = "lesson"
    DEPTH = "depth"
    COPIES = "copies"
    LAYERS = "layers"


class Job:
    """One training: its progress and points so far, and its result or error.

    The page that started it only watches: it may be closed, reloaded or cut off at any time.
    """

    def __init__(
        self,
        steps: Callable[[], Generator[Any, None, None]],
        adopt: Callable[[FineTuned], None] | None = None,
        *,
        kind: JobKind = JobKind.TRAINING,
    ) -> None:
        """Prepare a training.

        Args:
            steps: The work, as a stream: FeatureProgress and BatchProgress are its progress, FineTuned is its result,
                GpuNotLent says that all begins anew, and everything else is a point of its curves.
            adopt: Called with the result before `done` is set; not called for a job that was stopped.
            kind: Kind of the job.
        """
        self.kind = kind
        self._steps: Callable[[], Generator[Any, None, None]] | None = steps
        self._adopt = adopt
        self._context = copy_context()  # of who asks: a lent GPU counts its seconds for each visitor
        self._ending = threading.Lock()  # makes sure that the job ends once: by its end, an error, or Stop
        self.done = threading.Event()
        self.began: float | None = None  # on the monotonic clock
        self.progress: FeatureProgress | BatchProgress | None = None
        self.points: list[Any] = []
        self.refusal: GpuNotLent | None = None
        self.result: FineTuned | None = None
        self.error: Exception | None = None

    @property
    def is_running(self) -> bool:
        """Whether it waits or trains; False once it has ended in any way."""
        return not self.done.is_set()

    def request_stop(self) -> None:
        """End it now; the step in progress still runs to its end, and its result is dropped."""
        self.end(TrainingStopped())

    def end(self, error: DemoError) -> None:
        """End it now with an error, as `request_stop` does."""
        self._end(error)

    def run(self) -> None:
        """Do the work in the caller's thread; an error is kept in `error`."""
        try:
            self._context.run(self._run)
        except DemoError as error:
            self._end(error)
        except Exception as error:
            log_unexpected(error, "a training")
            self._end(error)

    def _run(self) -> None:
        steps = self._steps
        if steps is None or self.done.is_set():
            return
        result: FineTuned | None = None
        with closing(steps()) as running:  # closing the stream gives back the network that it has on loan
            for step in running:
                if self.done.is_set():
                    return
                match step:
                    case FeatureProgress() | BatchProgress():
                        self.progress = step
                    case FineTuned():
                        result = step
                    case GpuNotLent():
                        self.refusal, self.progress, self.points = step, None, []
                    case _:
                        self.progress = None
                        self.points.append(step)
        self._end(result=result)

    def _end(self, error: Exception | None = None, *, result: FineTuned | None = None) -> None:
        with self._ending:
            if self.done.is_set():
                return
            if result is not None and self._adopt is not None:
                self._adopt(result)
            self.result = result
            self.error = error
            if error is not None:
                forget_origin(error)
            self._steps = self._adopt = None  # these hold the pictures, which must not outlive the training
            self._context = Context()
            self.done.set()


class TrainingQueue:
    """The jobs that wait and the one that runs: two at a time would only slow each other down."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._durations: dict[JobKind, deque[float]] = {kind: deque(maxlen=_NUM_REMEMBERED) for kind in JobKind}
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._closed_by: DemoError | None = None

    def close(self, error: DemoError) -> None:
        """End every job that waits or runs with an error, and each that is still to come."""
        with self._changed:
            self._closed_by = error
            jobs = list(self._jobs)
        for job in jobs:
            job.end(error)

    def submit(self, job: Job) -> None:
        """Put a job at the end of the queue."""
        with self._changed:
            if self._closed_by is not None:
                job.end(self._closed_by)
                return
            self._jobs.append(job)
            self._changed.notify()
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="training", daemon=True)
                self._worker.start()

    def __len__(self) -> int:
        """Count the jobs that wait or run."""
        with self._changed:
            return sum(job.is_running for job in self._jobs)

    def num_ahead(self, job: Job) -> int:
        """Count the jobs that come before this one; 0 if it runs or has ended."""
        with self._changed:
            if job not in self._jobs:
                return 0
            return sum(other.is_running for other in takewhile(lambda other: other is not job, self._jobs))

    def wait_s(self, job: Job) -> float | None:
        """Estimate how long a job will wait from the median duration of earlier jobs; None if there were none."""
        with self._changed:
            ahead = list(takewhile(lambda other: other is not job, self._jobs))
            lefts = [self._left_s(other) for other in ahead if other.is_running]
        return None if None in lefts else sum(left for left in lefts if left is not None)

    def _left_s(self, job: Job) -> float | None:
        durations = self._durations[job.kind]
        if not durations:
            return None
        elapsed = time.monotonic() - job.began if job.began is not None else 0.0
        return max(1.0, statistics.median(durations) - elapsed)

    def _work(self) -> None:
        give_way()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs)
                job = self._jobs[0]
                job.began = time.monotonic()
            job.run()
            with self._changed:
                self._durations[job.kind].append(time.monotonic() - job.began)
                self._jobs.popleft()
            del job  # or the last visitor's head would stay until the next one comes


class Turns:
    """Turns of a work of which only the latest counts: to begin one ends the one before."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._latest = 0

    def begin(self) -> int:
        """Return the number of a new turn."""
        self._latest = next(self._numbers)
        return self._latest

    def is_latest(self, number: int) -> bool:
        """Whether a turn still counts."""
        return self._latest == number
