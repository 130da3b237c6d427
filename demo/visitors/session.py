"""The session of one visitor: photographs, pictures to learn from, trained heads and running jobs."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from PIL import Image

from demo.data.collection import Collection
from demo.data.dataset import Dataset, Split, rename_classes
from demo.data.formats.tones import Note
from demo.data.samples import EXAMPLES, Example
from demo.data.starters import STARTERS, translate_names
from demo.models.head import Head
from demo.models.state import ModelState
from demo.settings import Settings
from demo.tasks.calibration import Calibration, calibrate
from demo.tasks.evaluate import Scores
from demo.tasks.features import CommonFeatures, FeatureCache, Features
from demo.tasks.finetune import FineTuned, score
from demo.tasks.patches import PeakCache
from demo.tasks.verdict import Comparison
from demo.visitors.errors import SessionExpired, TrainingRunning
from demo.visitors.fairness import Owner
from demo.visitors.jobs import Job, JobKind, Turns
from demo.visitors.lesson import Lesson
from demo.visitors.offers import Offers
from demo.visitors.photos import Photos
from demo.visitors.pictures import Pictures
from demo.visitors.presence import Presence


@dataclass(frozen=True)
class Ref:
    """A page's reference to its session, with the revision that it has seen: the only value of ours in `gr.State`.

    Its hash changes with the revision, which makes gradio fire the state's `change` event. A session that has just
    begun has the hash of an empty reference: the page that begins it is told all in the same answer.
    """

    token: str = ""
    revision: int = 0

    def __hash__(self) -> int:
        """Return a number that changes with the revision alone."""
        return hash(self.revision)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Ref":
        """Return an empty reference: gradio copies the initial value for every visitor."""
        return Ref()


@dataclass(frozen=True, eq=False)
class Trained:
    """A head with its features and dataset, which later changes of the visitor's pictures do not affect.

    `comparisons` are with a head alone, by split, where more layers were trained. `number` is unique among the
    trainings of the process.
    """

    head: Head
    features: Features
    dataset: Dataset
    comparisons: Mapping[Split, Comparison] = field(default_factory=dict)
    number: int = field(default_factory=itertools.count().__next__)

    @property
    def held_out(self) -> tuple[Split, ...]:
        """The splits that the head did not learn from and that have pictures: test before validation."""
        return tuple(each for each in (Split.TEST, Split.VALIDATION) if self.features.chosen(each).any())

    def score(self, split: Split) -> Scores:
        """Return what the head says of a split."""
        return score(self.head, self.features, split)

    def translated(self, names: Mapping[str, str]) -> "Trained":
        """Return it with the class names of a starter set in another language."""
        class_names = translate_names(self.head.class_names, names)
        if self.dataset.source not in STARTERS or class_names == self.head.class_names:
            return self
        return replace(
            self,
            head=replace(self.head, class_names=class_names),
            features=replace(self.features, class_names=class_names),
            dataset=rename_classes(self.dataset, class_names),
        )

    @cached_property
    def calibration(self) -> Calibration | None:
        """The temperature that suits the head; fitted at the first look, which may take seconds."""
        return calibrate(self.head, self.features)


class Session:
    """The data of one visitor. None of it is shared with others; the backbone is known by name alone."""

    def __init__(self, token: str, state: ModelState, common: CommonFeatures | None = None) -> None:
        self._lock = threading.Lock()
        self._editing = threading.RLock()  # held while pictures are read, which takes seconds
        self._token = token
        self._revision = 0
        self.presence = Presence()
        self.is_over = False
        self.state = state
        self.model_number = 0  # counts the model states
        self.photos = Photos(EXAMPLES[0])  # the page opens answered
        self.offers = Offers()
        self.lesson = Lesson()
        self.pictures = Pictures()
        self.cache = FeatureCache(common)
        self.peaks = PeakCache()
        self.trained: Trained | None = None
        self.ascents = Turns()
        self._starter_names: Mapping[str, str] = {}  # in the language of its page, by those in all languages
        self.jobs: dict[JobKind, Job] = {}

    @property
    def ref(self) -> Ref:
        """The reference for the page, a new one after each change."""
        return Ref(self._token, self._revision)

    @property
    def owner(self) -> Owner:
        """Whose its works are."""
        return Owner(self._token, self.presence.address)

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing that would be lost."""
        return not (self.photos.num_bytes or self.pictures.collection or self.state.head)

    @property
    def memory_bytes(self) -> int:
        """The bytes that it takes in memory, except a few kilobytes."""
        held = [self.photos.num_bytes, self.pictures.memory_bytes, self.cache.num_bytes, self.peaks.num_bytes]
        held += [self.state.head.num_bytes if self.state.head else 0]
        held += [self.trained.features.num_bytes if self.trained else 0]
        return sum(held)

    @property
    def disk_bytes(self) -> int:
        """What it takes of the disk: its pictures to learn from, and the files that it offers."""
        return self.offers.num_bytes + self.pictures.disk_bytes

    @property
    def is_training(self) -> bool:
        """Whether a job of any kind waits or runs."""
        return any(job.is_running for job in self.jobs.values())

    @property
    def results(self) -> Trained | None:
        """The training of the head in the model state; None for an imported head."""
        trained = self.trained
        return trained if trained is not None and trained.head is self.state.head else None

    def change_state(self, change: Callable[[ModelState], ModelState], *, trained: Trained | None = None) -> Ref:
        """Apply a change to the model state; `trained` is given with a head that was trained here."""
        with self._lock:
            self._check_not_over()
            self.state = change(self.state)
            self.model_number += 1
            self.trained = trained or self.results  # a head that was replaced takes its dataset along
            self._revision += 1
        return self.ref

    def choose_photo(self, photo: Image.Image | None, notes: tuple[Note, ...] = ()) -> Ref:
        """Replace the photograph that all tabs look at, with what there is to know of it, or take it away."""
        return self._choose(lambda photos: photos.with_photo(photo, notes))

    def choose_example(self, example: Example) -> Ref:
        """Let all tabs look at an example."""
        return self._choose(lambda photos: photos.with_example(example))

    def choose_second(self, picture: Image.Image | None) -> None:
        """Replace the picture that the photograph is compared with, or take it away."""
        with self._lock:
            self._check_not_over()
            self.photos = self.photos.with_second(picture)

    def choose_collection(self, collection: Collection | None, settings: Settings) -> None:
        """Replace the pictures to learn from; the features of pictures that stay are kept.

        Raises:
            TrainingRunning: If a training still uses the former ones.
        """
        pictures = Pictures(collection, settings)
        digests = pictures.digests
        with self._editing, self._lock:
            self._check_not_over()
            self._check_not_training()
            self.pictures = pictures.translated(self._starter_names) if self._starter_names else pictures
            self.jobs.clear()
            self.peaks.keep_only(digests)
            self.cache.keep_only(digests)
            if collection is None:  # nothing of the pictures stays, not even in the results of the head
                self.cache, self.trained = FeatureCache(self.cache.common), None

    def edit_collection(self, change: Callable[[Collection], Collection], settings: Settings) -> None:
        """Apply a change to the pictures to learn from; of two concurrent changes neither is lost.

        Raises:
            TrainingRunning: If a training still uses the former ones.
        """
        with self._editing:
            self._check_not_training()  # before any picture is read
            self.choose_collection(change(self.pictures.collection or Collection()), settings)

    def begin(self, job: Job) -> None:
        """Register a training of this session.

        Raises:
            TrainingRunning: If a training has not ended.
        """
        with self._lock:
            self._check_not_over()
            self._check_not_training()
            self.jobs[job.kind] = job

    def adopt(self, result: FineTuned, dataset: Dataset) -> None:
        """Use a newly trained head, and keep its dataset and features for the results."""
        trained = Trained(result.head, result.features, dataset, result.comparisons).translated(self._starter_names)
        self.change_state(lambda state: state.with_head(trained.head), trained=trained)

    def translate(self, starter_names: Mapping[str, str]) -> None:
        """Let the classes of a starter set, and whatever learns or has learned from it, have these names."""
        with self._lock:  # not the one that is held while pictures are read, which may be long
            self._starter_names, trained = starter_names, self.results
            self.pictures = self.pictures.translated(starter_names)
            if trained and (translated := trained.translated(starter_names)) is not trained:
                self.state, self.trained = replace(self.state, head=translated.head), translated
                self.model_number += 1
                self._revision += 1

    def stop(self) -> None:
        """Stop all jobs."""
        for job in list(self.jobs.values()):
            job.request_stop()

    def end(self) -> None:
        """Drop everything at once; handlers that still hold this session find it empty."""
        self.stop()
        with self._lock:
            self.is_over = True
            self.photos, self.pictures, self.trained, self.lesson = Photos(), Pictures(), None, Lesson()
            self.state = self.state.without_head()
            self.cache, self.peaks = FeatureCache(), PeakCache()
            self.ascents.begin()
            self.jobs.clear()
            self.offers.end()

    def _choose(self, change: Callable[[Photos], Photos]) -> Ref:
        with self._lock:
            self._check_not_over()
            self.photos = change(self.photos)
            self._revision += 1
        return self.ref

    def _check_not_over(self) -> None:
        if self.is_over:
            raise SessionExpired()

    def _check_not_training(self) -> None:
        if self.is_training:
            raise TrainingRunning()
