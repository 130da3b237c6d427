"""The registry of visitors' sessions: token -> what one open page holds, until it expires."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from demo.data.collection import Collection
from demo.data.dataset import Dataset, make_dataset
from demo.data.images import pack_image, unpack_image
from demo.errors import DatasetError, NoDataset, SessionExpired, TrainingRunning, forget_origin
from demo.models.head import Head
from demo.models.state import ModelState
from demo.models.weights import usable_backbone
from demo.settings import Settings
from demo.tasks.features import FeatureCache, Features
from demo.tasks.finetune import FineTuned
from demo.tasks.patches import PeakCache
from demo.ui.training import Job, JobKind

_SWEEP_EVERY_S = 30.0


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


class Session:
    """What one visitor has brought and made. Nothing in it is shared but, by name, the backbone."""

    def __init__(self, token: str, state: ModelState) -> None:
        self._lock = threading.Lock()
        self._editing = threading.RLock()  # held while pictures are read, which takes its time
        self._token = token
        self._revision = 0
        self.touched = time.monotonic()
        self.state = state
        self._photo: bytes | None = None
        self.photo_number = 0  # tells one photograph from the next
        self.collection: Collection | None = None
        self.dataset: Dataset | None = None
        self.dataset_error: DatasetError | None = None  # why the pictures are no dataset yet
        self.cache = FeatureCache()
        self.peaks = PeakCache()
        self.trained: Trained | None = None
        self._dream = 0  # the number of the picture that is being made
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
    def is_training(self) -> bool:
        """Whether a training, of whatever kind, waits or runs."""
        return any(job.is_running for job in self.jobs.values())

    @property
    def results(self) -> Trained | None:
        """What the head in the model state was trained on; None for an imported one."""
        trained = self.trained
        return trained if trained is not None and trained.head is self.state.head else None

    def find_dataset(self) -> Dataset:
        """Return what can be learned from.

        Raises:
            DatasetError: If there are no pictures yet, or something is missing.
        """
        if self.dataset is None:
            missing = self.dataset_error or NoDataset()
            raise type(missing)(**missing.values)  # the one that is kept would take along where it was raised
        return self.dataset

    def change_state(self, change: Callable[[ModelState], ModelState], *, trained: Trained | None = None) -> Ref:
        """Replace the model state by what `change` makes of it; `trained` comes with a head that was trained here."""
        with self._lock:
            self.state = change(self.state)
            self.trained = trained or self.results  # the pictures behind a head that is gone go with it
            self._revision += 1
        return self.ref

    def choose_photo(self, photo: Image.Image | None) -> Ref:
        """Replace the photograph that all tabs look at, or take it away."""
        packed = pack_image(photo) if photo else None
        with self._lock:
            self._photo = packed
            self.photo_number += 1
            self._revision += 1
        return self.ref

    def choose_collection(self, collection: Collection | None, settings: Settings) -> None:
        """Replace the pictures to learn from; what was computed from pictures that stay is kept.

        Raises:
            TrainingRunning: If a training still uses the former ones.
        """
        dataset, error = None, None
        if collection is not None:
            try:
                dataset = make_dataset(collection, settings)
            except DatasetError as reason:
                forget_origin(reason)
                error = reason
        with self._editing, self._lock:
            self._check_not_training()
            self.collection, self.dataset, self.dataset_error = collection, dataset, error
            self.jobs.clear()
            digests = {sample.digest for sample in dataset.samples} if dataset else set[str]()
            self.peaks.keep_only(digests)
            if dataset is not None:
                self.cache.keep_only(digests)
            elif collection is None:  # nothing of the pictures stays, not even in the results of the head
                self.cache, self.trained = FeatureCache(), None

    def edit_collection(self, change: Callable[[Collection], Collection], settings: Settings) -> None:
        """Replace the pictures to learn from by what `change` makes of them; of two changes at once none is lost.

        Raises:
            TrainingRunning: If a training still uses the former ones.
        """
        with self._editing:
            self._check_not_training()  # before any picture is read
            self.choose_collection(change(self.collection or Collection()), settings)

    def begin(self, job: Job) -> None:
        """Remember a training of this session.

        Raises:
            TrainingRunning: If there is one that has not ended.
        """
        with self._lock:
            self._check_not_training()
            self.jobs[job.kind] = job

    def begin_dream(self) -> int:
        """Return the number of a picture to make; one that is being made ends."""
        with self._lock:
            self._dream += 1
            return self._dream

    def is_dreaming(self, number: int) -> bool:
        """Whether a picture is still wanted."""
        return self._dream == number

    def adopt(self, result: FineTuned, dataset: Dataset) -> None:
        """Use a newly trained head, and keep what it was trained on for its results."""
        trained = Trained(result.head, result.features, dataset)
        self.change_state(lambda state: state.with_head(result.head), trained=trained)

    def stop(self) -> None:
        """End whatever runs."""
        for job in list(self.jobs.values()):
            job.request_stop()

    def _check_not_training(self) -> None:
        if self.is_training:
            raise TrainingRunning()


class Sessions:
    """All sessions of the process, by a token that only the visitor's own page knows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def attach(self, token: str) -> Session:
        """Find the session of a page that was open before, or begin a new one under a new token.

        A token that is not known is never taken over: nobody can choose somebody else's.
        """
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                self._make_room(1)
                session = Session(secrets.token_urlsafe(16), ModelState(usable_backbone(self._settings.backbone)))
                self._sessions[session.ref.token] = session
            session.touched = time.monotonic()
        return session

    def find(self, ref: Ref) -> Session:
        """Return the session of a page, and note that it is in use.

        Raises:
            SessionExpired: If it is gone.
        """
        session = self._sessions.get(ref.token)
        if session is None:
            raise SessionExpired()
        session.touched = time.monotonic()
        return session

    def needed_backbones(self) -> set[str]:
        """Return the names of the backbones that visitors' heads are bound to."""
        with self._lock:
            heads = [session.state.head for session in self._sessions.values()]
        return {head.backbone_name for head in heads if head is not None}

    def sweep(self) -> None:
        """End the sessions that were idle for too long."""
        with self._lock:
            self._make_room(0)

    def keep_swept(self) -> None:
        """Sweep for as long as the process lives, in a thread of its own."""

        def sweep_for_ever() -> None:
            while True:
                time.sleep(_SWEEP_EVERY_S)
                self.sweep()

        threading.Thread(target=sweep_for_ever, name="sweep", daemon=True).start()

    def _make_room(self, num_new: int) -> None:
        """End what was idle for too long, and where there are too many the longest idle; trainings go last."""
        oldest_first = sorted(self._sessions.items(), key=lambda item: (item[1].is_training, item[1].touched))
        idle_since = time.monotonic() - self._settings.session_idle_s
        surplus = len(oldest_first) + num_new - self._settings.max_sessions
        for position, (token, session) in enumerate(oldest_first):
            expired = session.touched < idle_since and not session.is_training
            if expired or position < surplus:
                del self._sessions[token]
                session.stop()
