"""The rooms of the application: what a page, a program or a command line needs to serve visitors."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from demo.data.collection import Collection
from demo.data.dataset import Dataset
from demo.data.starters import read_starter, translate_starter
from demo.lesson.steps import Step
from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.hardware import IS_LENT
from demo.models.recipe import Recipe
from demo.models.state import ModelState
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.ascent import AscentCache
from demo.tasks.broker import open_broker
from demo.tasks.exhibits import Exhibits, Seen, see
from demo.tasks.features import FeatureCache, FeatureProgress
from demo.tasks.lease import Progress
from demo.tasks.worth import fine_tune_and_compare
from demo.visitors.arrival import Arrival
from demo.visitors.background import begin_slowly
from demo.visitors.depth_runs import DepthRuns
from demo.visitors.jobs import Job, JobKind, TrainingQueue
from demo.visitors.keepsake import Keepsakes
from demo.visitors.lesson import Findings
from demo.visitors.registry import Sessions
from demo.visitors.seal_key import find_seal_key
from demo.visitors.session import Ref, Session
from demo.words.language import CHINESE, ENGLISH, Words

_WATCH_EVERY_S = 0.4


@dataclass(frozen=True)
class Rooms:
    """Settings, sessions, networks and trainings, with the words of one language; all languages share the rest."""

    settings: Settings
    sessions: Sessions
    backbones: BackboneCache
    queue: TrainingQueue
    arrival: Arrival
    keepsakes: Keepsakes
    ascents: AscentCache = field(default_factory=AscentCache)
    exhibits: Exhibits = field(default_factory=Exhibits)
    findings: Findings = field(default_factory=Findings)
    depths: DepthRuns = field(default_factory=DepthRuns)
    words: Words = ENGLISH

    @staticmethod
    def of(settings: Settings) -> "Rooms":
        """Build the rooms; no network is loaded yet. Where a GPU is lent, the process that asks for it starts."""
        if IS_LENT:
            open_broker()
        sessions = Sessions(settings)
        backbones = BackboneCache(
            settings.device,
            precision=settings.precision,
            budget_bytes=settings.model_memory_bytes,
            needed=sessions.needed_backbones,
        )
        keepsakes = Keepsakes(partial(find_seal_key, settings))
        return Rooms(settings, sessions, backbones, TrainingQueue(), Arrival(settings.backbone), keepsakes)

    @contextmanager
    def lend(self, state: ModelState) -> Iterator[Backbone]:
        """Lend the network of a model state: the shared one, or a private one with the layers of the answering head."""
        with self.backbones.lend(state.backbone_name) as backbone:
            yield backbone.for_head(state.answering_head)

    def see(self, session: Session) -> Seen | None:
        """Return what the network in use makes of the session's photograph; None where there is no photograph."""
        head, example = session.state.answering_head, session.photos.example
        if example is not None:
            with self.lend(session.state) as backbone:
                return self.exhibits.see(backbone, example, self.settings, head=head)
        if (photo := session.photos.photo) is None:
            return None
        with self.lend(session.state) as backbone:
            return see(backbone, photo, head=head)

    def fine_tune(
        self, backbone_name: str, dataset: Dataset, recipe: Recipe, *, cache: FeatureCache | None = None
    ) -> Generator[Progress, None, None]:
        """Train as `fine_tune_and_compare` does, with the backbone on loan for as long as that takes."""
        with self.backbones.lend(backbone_name) as backbone:
            yield from fine_tune_and_compare(backbone, dataset, recipe, self.settings, cache=cache)

    def train(self, session: Session, dataset: Dataset, recipe: Recipe) -> Job:
        """Put a training of a session into the queue; at the end its head becomes the session's own.

        Raises:
            TrainingRunning: If a training of the session has not ended.
        """
        cache, name = session.cache, session.state.backbone_name
        job = Job(
            lambda: self.fine_tune(name, dataset, recipe, cache=cache), lambda result: session.adopt(result, dataset)
        )
        self.submit(session, job)
        return job

    def submit(self, session: Session, job: Job) -> None:
        """Put a job of a session at the end of the queue.

        Raises:
            TrainingRunning: If the session has one that has not ended.
        """
        session.begin(job)
        self.queue.submit(job)

    def measure(self, step: Step) -> None:
        """Begin to measure a step of the lesson, unless that is done; what trains waits in the line of trainings."""

        def steps() -> Generator[Any, None, None]:
            with self.backbones.lend(EMBEDDED) as backbone:
                yield step.measure(backbone, self.settings)

        job = Job(steps, kind=JobKind.LESSON)
        self.findings.begin(step, job, self.queue.submit if step.trains else _run_apart)

    async def watch(self, ref: Ref, kind: JobKind) -> AsyncIterator[Session]:
        """Yield a session whenever there is news of one of its jobs, and once more when that job has ended.

        Whoever watches only looks, and may stop at any time.

        Raises:
            SessionExpired: If there is no such session, or no longer.
        """
        session, told = self.sessions.find(ref), None
        while (job := session.jobs.get(kind)) and job.is_running:
            news = (self.queue.num_ahead(job), job.progress, len(job.points))
            if news != told:
                told = news
                yield session
            await asyncio.sleep(_WATCH_EVERY_S)
            self.sessions.find(ref)
        yield session

    async def watch_depths(self, ref: Ref, seed: int) -> AsyncIterator[Session]:
        """Yield a session whenever there is news of the depth lab's run of a seed, until the session left or it ended.

        Raises:
            SessionExpired: If there is no such session, or no longer.
        """
        told = None
        while self.depths.is_watching(session := self.sessions.find(ref), seed):
            job = self.depths.find(seed)
            news = job and (self.queue.num_ahead(job), len(job.points))
            if news != told:
                told = news
                yield session
            await asyncio.sleep(_WATCH_EVERY_S)
        yield session

    def read_starter(self, name: str, settings: Settings) -> Collection:
        """Read a starter set within some settings, with class names in the visitor's language."""
        return translate_starter(read_starter(name, settings), self.starter_names)

    @property
    def starter_names(self) -> dict[str, str]:
        """The names of starter sets' classes in the visitor's language, by those in all languages."""
        ours = self.words.finetune.gather.starter_classes
        others = [each.finetune.gather.starter_classes for each in (ENGLISH, CHINESE)]
        return {name: ours[key] for each in others for key, name in each.items()} | dict(ours)

    def describe_wait(self, job: Job) -> str:
        """Say what a job waits for, nothing once its own work has begun.

        Those are the trainings ahead of it, with how long they will take where others have shown it, and then the
        pictures that the network looks at.
        """
        words, progress = self.words.finetune.training, job.progress
        if count := self.queue.num_ahead(job):
            wait_s = self.queue.wait_s(job)
            if wait_s is None:
                return words.waiting.format(count=count)
            return words.waiting_for.format(count=count, seconds=wait_s)
        if isinstance(progress, FeatureProgress):
            return words.reading.format(done=progress.done, total=progress.total)
        return ""


def _run_apart(job: Job) -> None:
    begin_slowly(job.run)
