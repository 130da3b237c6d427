"""The registry of visitors' sessions: token -> what one open page holds, until it expires."""

import itertools
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
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

_NEW_S = 60.0  # for which an empty session is taken for one that has just begun
_MAX_OFFERED = 8  # files of one visitor; a newer one takes the place of the oldest
_RESTING_S = 600.0  # after which one that holds something may have to make room


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
        self.pages: set[str] = set()  # gradio's names of the pages that are open
        self.closed_pages: set[str] = set()
        self.is_over = False
        self.state = state
        self._photo: bytes | None = None
        self.photo_number = 0  # tells one photograph from the next
        self._second: bytes | None = None
        self._files: list[Path] = []
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
    def second(self) -> Image.Image | None:
        """A picture that the photograph is compared with."""
        packed = self._second
        return unpack_image(packed) if packed else None

    @property
    def was_left(self) -> bool:
        """Whether all its pages were closed; one may come back."""
        return bool(self.closed_pages) and not self.pages

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not (self._photo or self._second or self.collection or self.state.head)

    @property
    def memory_bytes(self) -> int:
        """What it takes of the memory, but for a few kilobytes."""
        pictures = self.collection.pictures if self.collection else ()
        held = [len(self._photo or b""), len(self._second or b""), self.cache.num_bytes, self.peaks.num_bytes]
        held += [len(picture.thumbnail) + len(picture.fingerprint) for picture in pictures]
        held += [self.state.head.num_bytes if self.state.head else 0]
        held += [self.trained.features.num_bytes if self.trained else 0]
        return sum(held)

    @property
    def disk_bytes(self) -> int:
        """What it takes of the disk: its pictures to learn from, and the files that it offers."""
        files = sum(path.stat().st_size for path in self._files if path.is_file())
        return files + (self.collection.store.num_bytes if self.collection else 0)

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
            self._check_not_over()
            self.state = change(self.state)
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
        dataset, error = None, None
        if collection is not None:
            try:
                dataset = make_dataset(collection, settings)
            except DatasetError as reason:
                forget_origin(reason)
                error = reason
        with self._editing, self._lock:
            self._check_not_over()
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
            self._check_not_over()
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

    def end(self) -> None:
        """Let go of everything, at once: whoever still looks at this session finds nothing in it."""
        self.stop()
        with self._lock:
            self.is_over = True
            self._photo = self._second = self.collection = self.dataset = self.dataset_error = self.trained = None
            self.state = self.state.without_head()
            self.cache, self.peaks = FeatureCache(), PeakCache()
            self._dream += 1
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


class Sessions:
    """All sessions of the process, by a token that only the visitor's own page knows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self.when_over: Callable[[Session], None] = lambda _session: None  # told of each session that ends

    def __len__(self) -> int:
        return len(self._sessions)

    def attach(self, token: str, *, page: str = "") -> Session:
        """Find the session of a page that was open before, or begin a new one under a new token.

        A token that is not known is never taken over: nobody can choose somebody else's.

        Args:
            token: What the page remembers; empty where it remembers nothing.
            page: gradio's name of the open page, by which `close_page` will tell that it was closed.
        """
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                self._make_room(1)
                session = Session(secrets.token_urlsafe(16), ModelState(usable_backbone(self._settings.backbone)))
                self._sessions[session.ref.token] = session
            if page:
                session.pages.add(page)
            session.touched = time.monotonic()
        return session

    def close_page(self, page: str) -> None:
        """Note that a page was closed, or lost its connection; its session ends if none comes back for a while."""
        with self._lock:
            for session in self._sessions.values():
                if page in session.pages:
                    session.pages.discard(page)
                    session.closed_pages.add(page)
                    session.touched = time.monotonic()

    def end(self, token: str) -> None:
        """End a session now, if there is one; nothing of it stays in memory or on disk."""
        with self._lock:
            self._end(token)

    def seconds_left(self, ref: Ref) -> float:
        """Return how long a session lives on if nobody uses it; 0 where it is gone. To ask is no use of it."""
        session = self._sessions.get(ref.token)
        return max(0.0, self._expires(session) - time.monotonic()) if session else 0.0

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
        """End the sessions that were idle for too long, and the longest idle where all together hold too much."""
        with self._lock:
            self._make_room(0)
            self._keep_budget(lambda session: session.memory_bytes, self._settings.max_session_memory_bytes)
            self._keep_budget(lambda session: session.disk_bytes, self._settings.max_session_disk_bytes)

    def _make_room(self, num_new: int) -> None:
        """End what was idle for too long, and where there are too many the longest idle."""
        surplus = len(self._sessions) + num_new - self._settings.max_sessions
        for position, session in enumerate(self._most_dispensable_first()):
            has_expired = self._expires(session) < time.monotonic() and not session.is_training
            if has_expired or position < surplus:
                self._end(session.ref.token)

    def _keep_budget(self, measure: Callable[[Session], int], budget: int) -> None:
        held = {session.ref.token: measure(session) for session in self._most_dispensable_first()}
        total = sum(held.values())
        for token, num_bytes in held.items():
            if total <= budget:
                return
            if num_bytes:
                self._end(token)
                total -= num_bytes

    def _most_dispensable_first(self) -> list[Session]:
        """Return all sessions, the one that would be missed least first, and those that train last.

        Whoever opens hundreds of pages drives away those of their own, not the work of others; and who has just come
        is not driven away by the next one, as long as others have left or rest.
        """
        return sorted(self._sessions.values(), key=lambda each: (each.is_training, _rank(each), each.touched))

    def _expires(self, session: Session) -> float:
        """Return when a session ends, on the monotonic clock; one whose pages are all closed ends sooner."""
        idle_s = self._settings.session_closed_s if session.was_left else self._settings.session_idle_s
        return session.touched + min(idle_s, self._settings.session_idle_s)

    def _end(self, token: str) -> None:
        session = self._sessions.pop(token, None)
        if session is not None:
            session.end()
            self.when_over(session)


def _rank(session: Session) -> int:
    """Return how much a session would be missed: least of all one that was left, or is empty, or rests."""
    unused_s = time.monotonic() - session.touched
    if session.was_left:
        return 0
    if session.is_empty:
        return 1 if unused_s > _NEW_S else 3
    return 2 if unused_s > _RESTING_S else 4
