"""The guided lesson of one visitor: at which step, what was predicted, what was tried; and what came out, for all."""

import threading
from collections.abc import Callable

from demo.lesson.found import Found
from demo.lesson.steps import STEPS, Step
from demo.visitors.jobs import Job


class Lesson:
    """Where a visitor is in the lesson. It begins put away, at the first step."""

    def __init__(self) -> None:
        self.step: Step = STEPS[0]
        self.is_open = False
        self.chosen: dict[str, int] = {}  # the predicted answer of each step
        self.tried: set[str] = set()

    def go(self, number: int) -> None:
        """Open the lesson at a step, or put it away with 0; it keeps its place."""
        self.is_open = number > 0
        if number > 0:
            self.step = STEPS[number - 1]

    @property
    def number(self) -> int:
        """The number of the step that is open; 0 while the lesson is put away."""
        return self.step.number if self.is_open else 0

    def choose(self, option: int) -> None:
        """Predict an answer of the step; the first one counts."""
        self.chosen.setdefault(self.step.name, option)

    def try_step(self) -> bool:
        """Note that the step is tried; return whether that is possible, which takes a prediction."""
        if self.step.name not in self.chosen:
            return False
        self.tried.add(self.step.name)
        return True


class Findings:
    """What came out of each step, once for the process: it is measured on nobody's data."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def begin(self, step: Step, job: Job, submit: Callable[[Job], None]) -> None:
        """Begin to measure a step with a job, if nobody has, or those who have met an error."""
        with self._lock:
            known = self._jobs.get(step.name)
            if known is not None and known.error is None:
                return
            self._jobs[step.name] = job
        submit(job)

    def job_of(self, step: Step) -> Job | None:
        """Return the job that measures a step, or has; None where nobody has asked."""
        return self._jobs.get(step.name)

    def of(self, step: Step) -> Found | None:
        """Return what came out of a step; None as long as that is not known."""
        job = self._jobs.get(step.name)
        return next((each for each in job.points if isinstance(each, Found)), None) if job else None
