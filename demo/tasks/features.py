"""Pictures -> features, once for each picture and view, kept for the next head."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from demo.data.dataset import Dataset, Split, read_sample
from demo.models.backbone import Backbone
from demo.models.late import Tensor, torch
from demo.pace import rest
from demo.settings import Settings
from demo.system import num_cores
from demo.tasks.engine_looks import NUM_PLACES, find_engine
from demo.tasks.views import PLAIN, SampleView, View, choose_views

__all__ = ["PLAIN", "SampleView", "View", "choose_views"]  # views can be imported from here as well

_CHUNK = 8  # views that one thread runs through the network together
_FIRST_CHUNKS = (2, 2, 4)  # so that progress is seen within a second
_MAX_BACKBONES = 2  # backbones whose features one visitor's cache keeps
_MAX_COMMON = 10_000  # rows; all starter sets in the views of the suggested recipe, 50 MB with the embedded network


@dataclass(frozen=True)
class FeatureProgress:
    """How many of the pictures, whatever the number of their views, have gone through the network."""

    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Features:
    """The features of a dataset: float32 (N, D), class indices (N,), splits (N,).

    With the backbone frozen a picture's features never change, so one forward pass serves all epochs. `augmented`,
    float32 (V, n, D), are those of V more views of the n training pictures, in the order of the samples.
    """

    backbone_name: str
    class_names: tuple[str, ...]
    values: NDArray[np.float32]
    class_idxs: NDArray[np.int64]
    splits: tuple[Split, ...]
    augmented: NDArray[np.float32] | None = None

    @property
    def num_bytes(self) -> int:
        """The bytes of the features."""
        return self.values.nbytes + (self.augmented.nbytes if self.augmented is not None else 0)

    def chosen(self, split: Split) -> NDArray[np.bool_]:
        """Return which samples belong to a split, (N,)."""
        return np.array([each is split for each in self.splits], dtype=bool)

    def of(self, split: Split) -> tuple[Tensor, Tensor]:
        """Return the features (n, D) and class indices (n,) of one split, each picture once."""
        chosen = self.chosen(split)
        return torch.from_numpy(self.values[chosen]), torch.from_numpy(self.class_idxs[chosen])

    def training(self) -> tuple[Tensor, Tensor]:
        """Return the features ((V + 1) n, D) and class indices of the training split in all views."""
        inputs, targets = self.of(Split.TRAIN)
        if self.augmented is None or not len(self.augmented):
            return inputs, targets
        views = torch.from_numpy(self.augmented).flatten(0, 1)
        return torch.cat([inputs, views]), targets.repeat(1 + len(self.augmented))


class CommonFeatures:
    """The features of pictures that are nobody's, those of the starter sets: who learns from them finds what is known.

    Each picture of a set on which a class presses Train is looked at once. Of a visitor's picture nothing is here.
    """

    def __init__(self) -> None:
        self._digests: set[str] = set()
        self._rows: dict[tuple[str, View, str], NDArray[np.float32]] = {}

    def welcome(self, digests: Iterable[str]) -> None:
        """Note pictures that are nobody's."""
        self._digests |= set(digests)

    def find(self, backbone_name: str, view: View, digest: str) -> NDArray[np.float32] | None:
        """Return the features (D,) of one view of a picture, if they are known."""
        return self._rows.get((backbone_name, view, digest))

    def note(self, backbone_name: str, rows: Mapping[tuple[View, str], NDArray[np.float32]]) -> None:
        """Keep those features that are of nobody's pictures; of too many, all that were kept make room."""
        if len(self._rows) > _MAX_COMMON:
            self._rows = {}
        self._rows |= {(backbone_name, *key): row for key, row in rows.items() if key[1] in self._digests}


class FeatureCache:
    """The features of one visitor's pictures, by backbone, view and the picture's digest.

    Features stay valid when classes are added, renamed or removed. The features of the least recently used backbone
    are dropped first. What is `common` is found there, and goes there, too.
    """

    def __init__(self, common: CommonFeatures | None = None) -> None:
        self.common = common or CommonFeatures()
        self._rows: OrderedDict[str, dict[tuple[View, str], NDArray[np.float32]]] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, backbone_name: str) -> dict[tuple[View, str], NDArray[np.float32]]:
        """Return the features that are known with one backbone, to read and to add to."""
        with self._lock:
            rows = self._rows.setdefault(backbone_name, {})
            self._rows.move_to_end(backbone_name)
            while len(self._rows) > _MAX_BACKBONES:
                self._rows.popitem(last=False)
            return rows

    def find(self, backbone_name: str, view: View, digest: str) -> NDArray[np.float32] | None:
        """Return the features (D,) of one view of a picture, if they are known here or to all."""
        row = self._rows.get(backbone_name, {}).get((view, digest))
        return self.common.find(backbone_name, view, digest) if row is None else row

    @property
    def num_bytes(self) -> int:
        """The bytes of all features."""
        with self._lock:
            return sum(row.nbytes for rows in self._rows.values() for row in rows.copy().values())

    def keep_only(self, digests: set[str]) -> None:
        """Forget the pictures that are no longer there."""
        with self._lock:
            for name, rows in self._rows.items():
                known = rows.copy()  # copied in one step, because a training that is being stopped may still add a row
                self._rows[name] = {key: row for key, row in known.items() if key[1] in digests}


def extract_features(
    backbone: Backbone,
    dataset: Dataset,
    settings: Settings,
    *,
    views: Sequence[View] = (),
    cache: FeatureCache | None = None,
) -> Generator[FeatureProgress, None, Features]:
    """Run every picture of a dataset once through a backbone, and training pictures in more views.

    Args:
        backbone: Frozen network; left unchanged.
        dataset: Pictures with class indices and splits.
        settings: Limits for decoding the pictures.
        views: Views of training pictures beside the plain one.
        cache: Features from earlier runs; those that are computed here are added.

    Yields:
        FeatureProgress, first for none and then for each chunk of pictures.

    Returns:
        The features, in the order of the samples.
    """
    cache = cache or FeatureCache()
    rows = cache.rows(backbone.spec.name)
    training = [sample for sample in dataset.samples if sample.split is Split.TRAIN]
    wanted = [*map(SampleView, dataset.samples), *(SampleView(sample, view) for view in views for sample in training)]
    yield from _complete(rows, cache.common, wanted, backbone, settings)
    values = np.stack([rows[each.key] for each in wanted])
    num_samples = len(dataset.samples)
    return Features(
        backbone.spec.name,
        dataset.class_names,
        values[:num_samples],
        np.array([sample.class_idx for sample in dataset.samples], dtype=np.int64),
        tuple(sample.split for sample in dataset.samples),
        values[num_samples:].reshape(len(views), -1, values.shape[1]) if views else None,
    )


def _complete(
    rows: dict[tuple[View, str], NDArray[np.float32]],
    common: CommonFeatures,
    wanted: Sequence[SampleView],
    backbone: Backbone,
    settings: Settings,
) -> Generator[FeatureProgress, None, None]:
    """Compute the features that are not among the rows yet."""
    missing = {each.key: each for each in wanted if each.key not in rows}
    by_picture: dict[str, list[SampleView]] = {}
    for each in missing.values():
        by_picture.setdefault(each.sample.digest, []).append(each)
    if missing:
        yield FeatureProgress(0, len(by_picture))
    views, find = list(chain(*by_picture.values())), partial(common.find, backbone.spec.name)
    ask = find_engine(backbone)
    for chunk, computed, progress in run_views(views, backbone, settings, backbone.features, find=find, ask=ask):
        found = {each.key: row for each, row in zip(chunk, computed.numpy(), strict=True)}
        rows.update(found)
        common.note(backbone.spec.name, found)
        yield progress


def run_views(
    views: Sequence[SampleView],
    backbone: Backbone,
    settings: Settings,
    compute: Callable[[Tensor], Tensor],
    *,
    find: Callable[[View, str], NDArray[np.float32] | None] = lambda _view, _digest: None,
    ask: Callable[[Sequence[SampleView]], Tensor | None] | None = None,
) -> Generator[tuple[Sequence[SampleView], Tensor, FeatureProgress], None, None]:
    """Read pictures and compute something of them, chunk by chunk, as many chunks at a time as there are cores.

    Args:
        views: Which samples, and how each is shown; best with the views of a picture one after the other.
        backbone: Whose transforms the pictures go through.
        settings: Limits for decoding.
        compute: Transformed pictures (n, 3, H, W) to a row for each, in one thread.
        find: Returns what is known already of a view of a picture, by its digest; asked when it is a chunk's turn.
        ask: Returns the rows of a chunk that were computed elsewhere; None where nobody did.

    Yields:
        The views of each chunk and their rows, in order, and how many pictures have had their turn.
    """

    def run(chunk: Sequence[SampleView]) -> Tensor:
        known = [row for each in chunk if (row := find(*each.key)) is not None]
        if len(known) == len(chunk):
            return torch.from_numpy(np.stack(known))
        if ask is not None and (rows := ask(chunk)) is not None:
            return rows
        samples = {each.sample.digest: each.sample for each in chunk}
        pictures = {digest: read_sample(sample, settings) for digest, sample in samples.items()}
        shown = [each.view.show(pictures[each.sample.digest], each.sample.digest) for each in chunk]
        return compute(torch.stack([backbone.transform(picture) for picture in shown]))

    num_places = max(num_cores(), NUM_PLACES) if ask else num_cores()
    chunks, seen = deque(_split(views)), set[str]()
    total = count_pictures(views)
    with ThreadPoolExecutor(num_places, "features") as pool:
        running: deque[tuple[Sequence[SampleView], Future[Tensor]]] = deque()
        try:
            while chunks or running:
                while chunks and len(running) <= num_places:
                    running.append((chunks[0], pool.submit(run, chunks.popleft())))
                chunk, result = running.popleft()
                seen.update(each.sample.digest for each in chunk)
                yield chunk, result.result(), FeatureProgress(len(seen), total)
                rest()
        finally:
            pool.shutdown(cancel_futures=True)


def count_pictures(views: Iterable[SampleView]) -> int:
    """Return how many pictures there are among some views."""
    return len({each.sample.digest for each in views})


def _split(views: Sequence[SampleView]) -> Iterator[Sequence[SampleView]]:
    """Split views into chunks, of which the first are small."""
    sizes, first = chain(_FIRST_CHUNKS, repeat(_CHUNK)), 0
    while first < len(views):
        size = next(sizes)
        yield views[first : first + size]
        first += size
