"""What one visitor has brought and made, for as long as the session lasts."""

import itertools
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from demo.data.collection import Collection
from demo.data.dataset import Dataset, Split
from demo.data.images import pack_image, unpack_image
from demo.models.head import Head
from demo.models.state import ModelState
from demo.settings import Settings
from demo.tasks.evaluate import Scores
from demo.tasks.features import FeatureCache, Features
from demo.tasks.finetune import FineTuned, score
from demo.tasks.patches import PeakCache
from demo.visitors.errors import SessionExpired, TrainingRunning
from demo.visitors.jobs import Job, JobKind
from demo.visitors.pictures import Pictures
from demo.visitors.presence import Presence

_MAX_OFFERED = 8  # files of one visitor; a newer one takes the place of the oldest


@dataclass(frozen=True)
class Ref:
    """The only thing of ours in `gr.State`: which session, and which of its states the page has seen.

    Its hash changes with the revision, and that is what makes gradio call `.change`.
    """

    token: str = ""
    revision: int = -1

    def __deepcopy__(self, memo: dict[int, Any]) -> "Ref":
        """Give each new page an empty reference: gradio copies the initial value for every visitor."""
        return Ref()


@dataclass(frozen=True, eq=False)
class Trained:
    """A head together with what it was trained on: later changes of the visitor's pictures do not touch it.

    `number` tells one training of the process from another.
    """

    head: Head
    features: Features
    dataset: Dataset
    number: int = field(default_factory=itertools.count().__next__)

    @property
    def held_out(self) -> tuple[Split, ...]:
        """The splits that the head did not learn from and that have pictures: test before validation."""
        return tuple(each for each in (Split.TEST, Split.VALIDATION) if self.features.chosen(each).any())

    def score(self, split: Split) -> Scores:
        """Return what the head says of a split."""
        return score(self.head, self.features, split)


class Session:
    """What one visitor has brought and made. Nothing in it is shared but, by name, the backbone."""

    def __init__(self, token: str, state: ModelState) -> None:
        self._lock = threading.Lock()
        self._editing = threading.RLock()  # held while pictures are read, which takes its time
        self._token = token
        self._revision = 0
        self.presence = Presence()
        self.is_over = False
        self.state = state
        self.model_number = 0  # tells one model state from the next
        self._photo: bytes | None = None
        self.photo_number = 0  # tells one photograph from the next
        self._second: bytes | None = None
        self._files: list[Path] = []
        self.pictures = Pictures()
        self.cache = FeatureCache()
        self.peaks = PeakCache()
        self.trained: Trained | None = None
        self._ascent = 0  # the number of the picture that is being made
        self.jobs: dict[JobKind, Job] = {}

    @property
    def ref(self) -> Ref:
        """The reference to hand to the page: a new one after each change."""
        return Ref(self._token, self._revision)

    @property
    def photo(self) -> Image.Image | None:
        """The photograph that all tabs look at."""
        packed = self._photo
        return unpack_image(packed) if packed else None

    @property
    def second(self) -> Image.Image | None:
        """A picture that the photograph is compared with."""
        packed = self._second
        return unpack_image(packed) if packed else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not (self._photo or self._second or self.pictures.collection or self.state.head)

    @property
    def memory_bytes(self) -> int:
        """What it takes of the memory, but for a few kilobytes."""
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
        """What it takes of the disk: its pictures to learn from, and the files that it offers."""
        files = sum(path.stat().st_size for path in self._files if path.is_file())
        collection = self.pictures.collection
        return files + (collection.store.num_bytes if collection else 0)

    @property
    def is_training(self) -> bool:
        """Whether a training, of whatever kind, waits or runs."""
        return any(job.is_running for job in self.jobs.values())

    @property
    def results(self) -> Trained | None:
        """What the head in the model state was trained on; None for an imported one."""
        trained = self.trained
        return trained if trained is not None and trained.head is self.state.head else None

    def change_state(self, change: Callable[[ModelState], ModelState], *, trained: Trained | None = None) -> Ref:
        """Replace the model state by what `change` makes of it; `trained` comes with a head that was trained here."""
        with self._lock:
            self._check_not_over()
            self.state = change(self.state)
            self.model_number += 1
            self.trained = trained or self.results  # the pictures behind a head that is gone go with it
            self._revision += 1
        return self.ref

    def choose_photo(self, photo: Image.Image | None) -> Ref:
        """Replace the photograph that all tabs look at, or take it away."""
        packed = pack_image(photo) if photo else None
        with self._lock:
            self._check_not_over()
            self._photo = packed
            self.photo_number += 1
            self._revision += 1
        return self.ref

    def choose_second(self, picture: Image.Image | None) -> None:
        """Replace the picture that the photograph is compared with, or take it away."""
        packed = pack_image(picture) if picture else None
        with self._lock:
            self._check_not_over()
            self._second = packed

    def offer(self, path: Path) -> Path:
        """Note a file that its visitor may download; it is deleted with the session, at once if that is over."""
        with self._lock:
            if not self.is_over:
                self._files.append(path)
                self._delete_files(num_left=_MAX_OFFERED)
                return path
        shutil.rmtree(path.parent, ignore_errors=True)
        raise SessionExpired()

    def choose_collection(self, collection: Collection | None, settings: Settings) -> None:
        """Replace the pictures to learn from; what was computed from pictures that stay is kept.

        Raises:
            TrainingRunning: If a training still uses the former ones.
        """
        pictures = Pictures(collection, settings)
        digests = pictures.digests
        with self._editing, self._lock:
            self._check_not_over()
            self._check_not_training()
            self.pictures = pictures
            self.jobs.clear()
            self.peaks.keep_only(digests)
            self.cache.keep_only(digests)
            if collection is None:  # nothing of the pictures stays, not even in the results of the head
                self.cache, self.trained = FeatureCache(), None

    def edit_collection(self, change: Callable[[Collection], Collection], settings: Settings) -> None:
        """Replace the pictures to learn from by what `change` makes of them; of two changes at once none is lost.

        Raises:
            TrainingRunning: If a training still uses the former ones.
        """
        with self._editing:
            self._check_not_training()  # before any picture is read
            self.choose_collection(change(self.pictures.collection or Collection()), settings)

    def begin(self, job: Job) -> None:
        """Remember a training of this session.

        Raises:
            TrainingRunning: If there is one that has not ended.
        """
        with self._lock:
            self._check_not_over()
            self._check_not_training()
            self.jobs[job.kind] = job

    def begin_ascent(self) -> int:
        """Return the number of a picture to make; one that is being made ends."""
        with self._lock:
            self._ascent += 1
            return self._ascent

    def is_ascending(self, number: int) -> bool:
        """Whether a picture is still wanted."""
        return self._ascent == number

    def adopt(self, result: FineTuned, dataset: Dataset) -> None:
        """Use a newly trained head, and keep what it was trained on for its results."""
        trained = Trained(result.head, result.features, dataset)
        self.change_state(lambda state: state.with_head(result.head), trained=trained)

    def stop(self) -> None:
        """End whatever runs."""
        for job in list(self.jobs.values()):
            job.request_stop()

    def end(self) -> None:
        """Let go of everything, at once: whoever still looks at this session finds nothing in it."""
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
