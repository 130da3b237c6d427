"""The line of trainings: one at a time, first come first served, each watched from wherever it was started."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import takewhile

from demo.errors import DemoError, TrainingStopped
from demo.tasks.finetune import EpochResult, FeatureProgress, FineTuned, Progress

logger = logging.getLogger("demo")


class Job:
    """One training: what has come out of it so far, and how it ended.

    The page that started it only watches: it may be closed, reloaded or cut off at any time.
    """

    def __init__(
        self, steps: Callable[[], Generator[Progress, None, None]], adopt: Callable[[FineTuned], None] | None = None
    ) -> None:
        """Prepare a training; `adopt` receives its result, before `done` is set."""
        self._steps: Callable[[], Generator[Progress, None, None]] | None = steps
        self._adopt = adopt
        self._begun = threading.Lock()  # taken once, by whoever begins the job or ends it before it began
        self._stop = threading.Event()
        self.done = threading.Event()
        self.reading: FeatureProgress | None = None
        self.epochs: list[EpochResult] = []
        self.result: FineTuned | None = None
        self.error: Exception | None = None

    @property
    def is_running(self) -> bool:
        """Whether it waits or trains; False once it has ended, in whatever way."""
        return not self.done.is_set()

    def request_stop(self) -> None:
        """Ask it to end: at once where it still waits, else between two batches of pictures or two epochs."""
        self._stop.set()
        if self._begun.acquire(blocking=False):
            self._end(TrainingStopped())

    def run(self) -> None:
        """Do the work, in the thread of the caller; an error ends up in `error`."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._run()
        except DemoError as error:
            self._end(error)
        except Exception as error:
            logger.exception("unexpected error in a training")
            self._end(error)
        else:
            self._end()

    def _end(self, error: Exception | None = None) -> None:
        self.error = error.with_traceback(None) if error else None  # a traceback holds what its frames hold
        self._steps = self._adopt = None  # the pictures must not outlive the training
        self.done.set()

    def _run(self) -> None:
        assert self._steps is not None, "a job runs once"
        with closing(self._steps()) as steps:  # which gives back what it has on loan
            for step in steps:
                if self._stop.is_set():
                    raise TrainingStopped()
                match step:
                    case FeatureProgress():
                        self.reading = step
                    case EpochResult():
                        self.epochs.append(step)
                    case FineTuned():
                        self.result = step
        if self.result is not None and self._adopt is not None:
            self._adopt(self.result)


class TrainingLine:
    """The jobs that wait and the one that runs. More than one at a time would only slow each other down."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Put a job at the end of the line."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="training", daemon=True)
                self._worker.start()

    def num_ahead(self, job: Job) -> int:
        """Count the jobs that come before this one; 0 if it runs or has ended."""
        with self._changed:
            if job not in self._jobs:
                return 0
            return sum(other.is_running for other in takewhile(lambda other: other is not job, self._jobs))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs)
                job = self._jobs[0]
            job.run()
            with self._changed:
                self._jobs.popleft()
            del job  # or the last visitor's head would stay until the next one comes
