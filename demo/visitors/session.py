"""The session of one visitor: photographs, pictures to learn from, trained heads and running jobs."""

import itertools
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from demo.data.collection import Collection
from demo.data.dataset import Dataset
from demo.data.images import pack_image, unpack_image
from demo.models.head import Head
from demo.models.state import ModelState
from demo.settings import Settings
from demo.tasks.features import FeatureCache, Features
from demo.tasks.finetune import FineTuned
from demo.tasks.patches import PeakCache
from demo.visitors.errors import SessionExpired, TrainingRunning
from demo.visitors.jobs import Job, JobKind
from demo.visitors.pictures import Pictures
from demo.visitors.presence import Presence

_MAX_OFFERED = 8  # files that one visitor may download; a newer one replaces the oldest


@dataclass(frozen=True)
class Ref:
    """A page's reference to its session, with the revision that it has seen: the only value of ours in `gr.State`.

    Its hash changes with the revision, which makes gradio fire the state's `change` event.
    """

    token: str = ""
    revision: int = -1

    def __deepcopy__(self, memo: dict[int, Any]) -> "Ref":
        """Return an empty reference: gradio copies the initial value for every visitor."""
        return Ref()


@dataclass(frozen=True, eq=False)
class Trained:
    """A head with its features and dataset, which later changes of the visitor's pictures do not affect.

    `number` is unique among the trainings of the process.
    """

    head: Head
    features: Features
    dataset: Dataset
    number: int = field(default_factory=itertools.count().__next__)


class Session:
    """The data of one visitor. None of it is shared with others; the backbone is known by name alone."""

    def __init__(self, token: str, state: ModelState) -> None:
        self._lock = threading.Lock()
        self._editing = threading.RLock()  # held while pictures are read, which takes seconds
        self._token = token
        self._revision = 0
        self.presence = Presence()
        self.is_over = False
        self.state = state
        self.model_number = 0  # counts the model states
        self._photo: bytes | None = None
        self.photo_number = 0  # counts the photographs
        self._second: bytes | None = None
        self._files: list[Path] = []
        self.pictures = Pictures()
        self.cache = FeatureCache()
        self.peaks = PeakCache()
        self.trained: Trained | None = None
        self._ascent = 0  # number of the gradient ascent that is running
        self.jobs: dict[JobKind, Job] = {}

    @property
    def ref(self) -> Ref:
        """The reference for the page, a new one after each change."""
        return Ref(self._token, self._revision)

    @property
    def photo(self) -> Image.Image | None:
        """The photograph that all tabs show."""
        packed = self._photo
        return unpack_image(packed) if packed else None

    @property
    def second(self) -> Image.Image | None:
        """A picture that the photograph is compared with."""
        packed = self._second
        return unpack_image(packed) if packed else None

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing that would be lost."""
        return not (self._photo or self._second or self.pictures.collection or self.state.head)

    @property
    def memory_bytes(self) -> int:
        """The bytes that it takes in memory, except a few kilobytes."""
        collection = self.pictures.collection
        held = [len(self._photo or b""), len(self._second or b""), self.cache.num_bytes, self.peaks.num_bytes]
        held += [
            len(picture.thumbnail) + len(picture.fingerprint) for picture in (collection.pictures if collection else ())
        ]
        held += [self.state.head.num_bytes if self.state.head else 0]
        held += [self.trained.features.num_bytes if self.trained else 0]
        return sum(held)

    @property
    def disk_bytes(self) -> int:
        """The bytes that it takes on disk: its pictures to learn from, and the files that it offers."""
        files = sum(path.stat().st_size for path in self._files if path.is_file())
        collection = self.pictures.collection
        return files + (collection.store.num_bytes if collection else 0)

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

    def choose_photo(self, photo: Image.Image | None) -> Ref:
        """Replace the photograph that all tabs show, or remove it."""
        packed = pack_image(photo) if photo else None
        with self._lock:
            self._check_not_over()
            self._photo = packed
            self.photo_number += 1
            self._revision += 1
        return self.ref

    def choose_second(self, picture: Image.Image | None) -> None:
        """Replace the picture that the photograph is compared with, or remove it."""
        packed = pack_image(picture) if picture else None
        with self._lock:
            self._check_not_over()
            self._second = packed

    def offer(self, path: Path) -> Path:
        """Register a file that the visitor may download; it is deleted with the session, at once if that is over."""
        with self._lock:
            if not self.is_over:
                self._files.append(path)
                self._delete_files(num_left=_MAX_OFFERED)
                return path
        shutil.rmtree(path.parent, ignore_errors=True)
        raise SessionExpired()

    def choose_collection(self, collection: Collection | None, settings: Settings) -> None:
        """Replace the pictures to learn from; the features of pictures that stay are kept.

        Raises:
            TrainingRunning: If a training still uses the former ones.
        """
        pictures = Pictures.of(collection, settings)
        with self._editing, self._lock:
            self._check_not_over()
            self._check_not_training()
            self.pictures = pictures
            self.jobs.clear()
            self.peaks.keep_only(pictures.digests)
            if pictures.dataset is not None:
                self.cache.keep_only(pictures.digests)
            elif collection is None:  # the results of the head hold pictures too
                self.cache, self.trained = FeatureCache(), None

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

    def begin_ascent(self) -> int:
        """Return the number of a new gradient ascent; one that is running ends."""
        with self._lock:
            self._ascent += 1
            return self._ascent

    def is_ascending(self, number: int) -> bool:
        """Whether a gradient ascent is still wanted."""
        return self._ascent == number

    def adopt(self, result: FineTuned, dataset: Dataset) -> None:
        """Use a newly trained head, and keep its dataset and features for the results."""
        trained = Trained(result.head, result.features, dataset)
        self.change_state(lambda state: state.with_head(result.head), trained=trained)

    def stop(self) -> None:
        """Stop all jobs."""
        for job in list(self.jobs.values()):
            job.request_stop()

    def end(self) -> None:
        """Drop everything at once; handlers that still hold this session find it empty."""
        self.stop()
        with self._lock:
            self.is_over = True
            self._photo = self._second = self.trained = None
            self.pictures = Pictures()
            self.state = self.state.without_head()
            self.cache, self.peaks = FeatureCache(), PeakCache()
            self._ascent += 1
            self.jobs.clear()
            self._delete_files(num_left=0)

    def _delete_files(self, *, num_left: int) -> None:
        while len(self._files) > num_left:
            shutil.rmtree(self._files.pop(0).parent, ignore_errors=True)

    def _check_not_over(self) -> None:
        if self.is_over:
            raise SessionExpired()

    def _check_not_training(self) -> None:
        if self.is_training:
            raise TrainingRunning()
