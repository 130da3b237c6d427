"""Trainings and what else takes long for one visitor: a stream of steps, which the page that started it watches."""

import itertools
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from contextvars import Context, copy_context
from enum import StrEnum
from typing import Any

from demo.errors import DemoError, forget_origin, log_unexpected
from demo.pace import rest
from demo.tasks.errors import NotLent
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import FineTuned
from demo.tasks.fit import BatchProgress, EpochResult
from demo.visitors.durations import Durations, Size
from demo.visitors.errors import SessionError, TrainingStopped


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
        size: Size | None = None,
        is_large: bool = False,
        is_lent: bool = False,
    ) -> None:
        """Prepare a training.

        Args:
            steps: The work, as a stream: FeatureProgress and BatchProgress are its progress, FineTuned is its result,
                NotLent says that all begins anew, and everything else is a point of its curves.
            adopt: Called with the result before `done` is set; not called for a job that was stopped.
            kind: Kind of the job.
            size: How much it is, to say how long it will take.
            is_large: Whether it holds a private copy of a network while it runs.
            is_lent: Whether a lent GPU or an engine computes, so that it takes no turns here unless that was refused.
        """
        self.kind, self.size = kind, size or Size(kind.value)
        self.is_large, self.is_lent = is_large, is_lent
        self.when_done: Callable[[], None] = lambda: None  # called once it has ended in any way
        self._steps: Callable[[], Generator[Any, None, None]] | None = steps
        self._adopt = adopt
        self._context = copy_context()  # of who asks: a lent GPU counts its seconds for each visitor
        self._ending = threading.Lock()  # makes sure that the job ends once: by its end, an error, or Stop
        self.done = threading.Event()
        self.find_used_s: Callable[[], float] = lambda: 0.0  # says what it has used of everybody's turns
        self.looked_s = 0.0  # what of that until the last picture was looked at
        self.progress: FeatureProgress | BatchProgress | None = None
        self.points: list[Any] = []
        self.refusal: NotLent | None = None
        self.result: FineTuned | None = None
        self.error: Exception | None = None

    @property
    def is_running(self) -> bool:
        """Whether it waits or trains; False once it has ended in any way."""
        return not self.done.is_set()

    @property
    def is_long(self) -> bool:
        """Whether it takes longer than a head on a few pictures, whatever the pictures are."""
        return self.is_large or self.kind is not JobKind.TRAINING

    def request_stop(self, error: SessionError | None = None) -> None:
        """End it now; the piece in progress still runs to its end, and its result is dropped."""
        self._end(error or TrainingStopped())

    def let_go(self, used_s: float) -> None:
        """Keep what it has used, and nothing by which its session would hold those of others."""
        self.find_used_s, self.when_done = lambda: used_s, lambda: None

    def expect_left_s(self, durations: Durations) -> float:
        """Estimate how many seconds of turns it still needs."""
        used_s, looks_s = self.find_used_s(), self._expect_looks_s()
        if looks_s is not None:
            return looks_s - used_s + durations.expect_tail(self.size, looks_s)
        last = self.points[-1] if self.points else None
        if isinstance(last, EpochResult):
            return (used_s - self.looked_s) * (last.num_epochs - last.epoch) / last.epoch + 0.1
        return durations.expect_left(self.size, used_s)

    def tell(self, durations: Durations) -> None:
        """Let others of its kind know what it seems to use in all, while it is under way."""
        looks_s = self._expect_looks_s()
        if looks_s is not None and not self.is_long:
            durations.suppose(self.size, looks_s + durations.expect_tail(self.size, looks_s))

    def _expect_looks_s(self) -> float | None:
        """Estimate how many seconds it takes in all to look at the pictures; None unless it is about to."""
        step = self.progress
        if isinstance(step, FeatureProgress) and step.done and not self.points:
            return self.find_used_s() * step.total / step.done
        return None

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
                        if isinstance(step, FeatureProgress):
                            self.looked_s = self.find_used_s()
                    case FineTuned():
                        result = step
                    case NotLent():
                        self.refusal, self.progress, self.points = step, None, []
                    case _:
                        self.progress = None
                        self.points.append(step)
                if result is None:  # the last step is the end
                    rest()
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
        self.when_done()


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
