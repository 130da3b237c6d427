"""The rooms of the application: what a page, a program or a command line needs to serve visitors."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from demo.data.collection import Collection, rename_class
from demo.data.dataset import Dataset
from demo.data.starters import read_starter
from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.recipe import Recipe
from demo.models.state import ModelState
from demo.settings import Settings
from demo.tasks.ascent import AscentCache
from demo.tasks.features import FeatureCache, FeatureProgress
from demo.tasks.finetune import Progress
from demo.tasks.novelty import Strangers
from demo.tasks.sureness import ExampleAnswers
from demo.tasks.worth import fine_tune_and_compare
from demo.visitors.arrival import Arrival
from demo.visitors.jobs import Job, JobKind, TrainingQueue
from demo.visitors.registry import Sessions
from demo.visitors.session import Ref, Session
from demo.words.language import ENGLISH, Words

_WATCH_EVERY_S = 0.4


@dataclass(frozen=True)
class Rooms:
    """Settings, sessions, networks and trainings, with the words of one language; all languages share the rest."""

    settings: Settings
    sessions: Sessions
    backbones: BackboneCache
    queue: TrainingQueue
    arrival: Arrival
    ascents: AscentCache = field(default_factory=AscentCache)
    strangers: Strangers = field(default_factory=Strangers)
    example_answers: ExampleAnswers = field(default_factory=ExampleAnswers)
    words: Words = ENGLISH

    @staticmethod
    def of(settings: Settings) -> "Rooms":
        """Build the rooms; no network is loaded yet."""
        sessions = Sessions(settings)
        backbones = BackboneCache(
            settings.device,
            precision=settings.precision,
            budget_bytes=settings.model_memory_bytes,
            needed=sessions.needed_backbones,
        )
        return Rooms(settings, sessions, backbones, TrainingQueue(), Arrival(settings.backbone))

    @contextmanager
    def lend(self, state: ModelState) -> Iterator[Backbone]:
        """Lend the network of a model state: the shared one, or a private one with the layers of the answering head."""
        with self.backbones.lend(state.backbone_name) as backbone:
            yield backbone.for_head(state.answering_head)

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

    def read_starter(self, name: str, settings: Settings) -> Collection:
        """Read a starter set within some settings, with class names in the visitor's language."""
        collection = read_starter(name, settings)
        for each in collection.classes:
            shown = self.words.finetune.gather.starter_classes.get(each.name, each.name)
            collection = rename_class(collection, each.name, new_name=shown)
        return collection

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
