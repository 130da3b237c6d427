"""The rooms of the application: what a page, a program or a command line needs to serve visitors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
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
from demo.models.engine.client import Engine
from demo.models.hardware import IS_LENT
from demo.models.recipe import Recipe, Trains
from demo.models.state import ModelState
from demo.models.zoo import EMBEDDED, find_spec
from demo.settings import Settings
from demo.tasks.ascent import AscentCache
from demo.tasks.broker import open_broker
from demo.tasks.exhibits import Exhibits, Seen, see
from demo.tasks.features import FeatureCache, FeatureProgress
from demo.tasks.finetune import FineTuned
from demo.tasks.lease import Progress
from demo.tasks.worth import fine_tune_and_compare
from demo.visitors.arrival import Arrival
from demo.visitors.background import begin_slowly
from demo.visitors.depth_runs import DepthRuns
from demo.visitors.durations import Size, measure_training
from demo.visitors.errors import SessionExpired
from demo.visitors.fairness import Owner
from demo.visitors.jobs import Job, JobKind
from demo.visitors.keepsake import Keepsakes
from demo.visitors.lesson import Findings
from demo.visitors.outlook import round_seconds
from demo.visitors.registry import Sessions
from demo.visitors.scheduler import Scheduler, never_left
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
    scheduler: Scheduler
    arrival: Arrival
    keepsakes: Keepsakes
    ascents: AscentCache = field(default_factory=AscentCache)
    exhibits: Exhibits = field(default_factory=Exhibits)
    findings: Findings = field(default_factory=Findings)
    depths: DepthRuns = field(default_factory=DepthRuns)
    words: Words = ENGLISH
    asker: Owner = field(
        default_factory=lambda: Owner(is_program=True)
    )  # the program whose call is answered; a page has its session

    @staticmethod
    def of(settings: Settings) -> "Rooms":
        """Build the rooms; no network is loaded yet. Where a GPU is lent, the process that asks for it starts."""
        if IS_LENT:
            open_broker()
        sessions = Sessions(settings)
        backbones = BackboneCache(
            settings.device,
            precision=settings.precision,
            features_precision=settings.features_precision,
            budget_bytes=settings.model_memory_bytes,
            needed=sessions.needed_backbones,
            engine=Engine(settings.engine, settings.engine_token) if settings.engine else None,
        )
        scheduler = Scheduler(left_work_s=settings.left_work_s)
        keepsakes = Keepsakes(partial(find_seal_key, settings))
        return Rooms(settings, sessions, backbones, scheduler, Arrival(settings.backbone), keepsakes)

    def asks_engine(self, backbone_name: str) -> bool:
        """Say whether an engine computes with a network, as far as is known."""
        engine = self.backbones.engine
        return engine is not None and not engine.is_away(find_spec(backbone_name), self.settings.precision)

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
        """Let a session have a training; at the end its head becomes the session's own.

        Raises:
            TrainingRunning: If a training of the session has not ended.
        """
        cache, name = session.cache, session.state.backbone_name
        job = make_training(self, name, dataset, recipe, cache, lambda result: session.adopt(result, dataset))
        self.submit(session, job)
        return job

    def submit(self, session: Session, job: Job) -> None:
        """Let a job of a session have its turns.

        Raises:
            TrainingRunning: If the session has one that has not ended.
        """
        session.begin(job)
        self.scheduler.submit(job, session.owner, find_left=session.presence.find_left_s)

    @contextmanager
    def reading(self, kind: str, ref: Ref | None = None) -> Iterator[None]:
        """Read many pictures, or something else that is dear, in turns with whatever else is.

        Args:
            kind: What it is called, to learn how long the like takes.
            ref: The session that it is for; a program's without. One that is gone has no turn: it is told so at once.
        """
        owner, find_left = self.asker, never_left
        if ref is not None:
            try:
                session = self.sessions.find(ref)
            except SessionExpired:
                yield
                return
            owner, find_left = session.owner, session.presence.find_left_s
        with self.scheduler.turn(owner, Size(kind), find_left=find_left):
            yield

    def measure(self, step: Step) -> None:
        """Begin to measure a step of the lesson, unless that is done; what trains takes turns with trainings."""

        def steps() -> Generator[Any, None, None]:
            with self.backbones.lend(EMBEDDED) as backbone:
                yield step.measure(backbone, self.settings)

        job = Job(steps, kind=JobKind.LESSON)
        self.findings.begin(step, job, self.scheduler.submit if step.trains else _run_apart)

    async def watch(self, ref: Ref, kind: JobKind) -> AsyncIterator[Session]:
        """Yield a session whenever there is news of one of its jobs, and once more when that job has ended.

        Whoever watches only looks, and may stop at any time.

        Raises:
            SessionExpired: If there is no such session, or no longer.
        """
        session, told = self.sessions.find(ref), None
        while (job := session.jobs.get(kind)) and job.is_running:
            news = (*self._outlook(job), job.progress, len(job.points))
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
            news = job and (*self._outlook(job), len(job.points))
            if news != told:
                told = news
                yield session
            await asyncio.sleep(_WATCH_EVERY_S)
        yield session

    def read_starter(self, name: str, settings: Settings) -> Collection:
        """Read a starter set within some settings, with class names in the visitor's language."""
        collection = read_starter(name, settings)
        self.sessions.common.welcome(each.stored.digest for each in collection.pictures)
        return translate_starter(collection, self.starter_names)

    @property
    def starter_names(self) -> dict[str, str]:
        """The names of starter sets' classes in the visitor's language, by those in all languages."""
        ours = self.words.finetune.gather.starter_classes
        others = [each.finetune.gather.starter_classes for each in (ENGLISH, CHINESE)]
        return {name: ours[key] for each in others for key, name in each.items()} | dict(ours)

    def describe_wait(self, job: Job) -> str:
        """Say what a job waits for, nothing once it has only its own work to do.

        Those are the works that will be done before it, with how long that and its own will take, and the pictures
        that the network looks at.
        """
        words, progress, sentences = self.words.finetune.training, job.progress, list[str]()
        count, seconds = self._outlook(job)
        if count:
            sentences.append(words.waiting.format(count=count, seconds=seconds))
        if isinstance(progress, FeatureProgress):
            sentences.append(words.reading.format(done=progress.done, total=progress.total))
        return self.words.sentence_separator.join(sentences)

    def _outlook(self, job: Job) -> tuple[int, int]:
        """Return how many works will be done before a job, and in how many seconds it will; that in round numbers."""
        count = self.scheduler.num_ahead(job)
        return count, round_seconds(self.scheduler.wait_s(job)) if count else 0


def make_training(
    rooms: Rooms,
    backbone_name: str,
    dataset: Dataset,
    recipe: Recipe,
    cache: FeatureCache | None = None,
    adopt: Callable[[FineTuned], None] | None = None,
) -> Job:
    """Return the job that trains as `Rooms.fine_tune` does; nothing happens yet."""
    is_deep = recipe.trains is not Trains.HEAD
    return Job(
        lambda: rooms.fine_tune(backbone_name, dataset, recipe, cache=cache),
        adopt,
        size=measure_training(backbone_name, rooms.backbones.picture_s(backbone_name), dataset, recipe, cache),
        is_large=is_deep,
        is_lent=is_deep and (IS_LENT or rooms.asks_engine(backbone_name)),
    )


def _run_apart(job: Job) -> None:
    begin_slowly(job.run)
