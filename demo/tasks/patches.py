"""Many pictures -> the patches that excite one channel most: what do they have in common?"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.models.backbone import Backbone
from demo.models.plan import MAX_BATCH
from demo.models.zoo import StageLabel
from demo.settings import Settings
from demo.tasks.activations import check_channel, field_box, field_centre

NUM_PATCHES = 9
_MAX_BACKBONES = 2  # backbones whose peaks one visitor's cache keeps


@dataclass(frozen=True)
class Candidate:
    """A picture to look at: what to call it, the SHA-256 of its bytes, and how to decode it to RGB when needed."""

    name: str
    digest: str
    read: Callable[[], Image.Image]


@dataclass(frozen=True)
class PatchProgress:
    """How many of the pictures without known peaks have gone through the network."""

    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a picture that excites a channel.

    `name` is the picture's. `picture` is the receptive field of the strongest position, cut from what the network sees,
    and `box` where that is: left, top, right, bottom in pixels of the network's input. `value` is the activation at the
    position, and `centre` the pixel (x, y) in the middle of its field: a field that is larger than the picture covers
    all of it, and only the centre tells where in it the channel found something.
    """

    name: str
    picture: Image.Image
    box: tuple[int, int, int, int]
    value: float
    centre: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Peaks:
    """Where each channel of a stage is strongest on one picture.

    `maxima` are float32 (C,), `places` int32 (C,): the first position of the maximum, counted by rows in maps of
    `map_size`, (H, W).
    """

    maxima: NDArray[np.float32]
    places: NDArray[np.int32]
    map_size: tuple[int, int]


class PeakCache:
    """The peaks of one visitor's pictures, by backbone and the picture's digest: 8 bytes a channel.

    A picture takes 17 kB with the embedded network and 27 kB with ResNet-50. The peaks of the least recently used
    backbone are dropped first.
    """

    def __init__(self) -> None:
        self._rows: OrderedDict[str, dict[str, Mapping[StageLabel, Peaks]]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, backbone_name: str, digest: str) -> Mapping[StageLabel, Peaks] | None:
        """Return the peaks of each stage on one picture, or None where they are not known."""
        with self._lock:
            return self._rows.get(backbone_name, {}).get(digest)

    def add(self, backbone_name: str, digest: str, peaks: Mapping[StageLabel, Peaks]) -> None:
        """Keep the peaks of each stage on one picture."""
        with self._lock:
            self._rows.setdefault(backbone_name, {})[digest] = peaks
            self._rows.move_to_end(backbone_name)
            while len(self._rows) > _MAX_BACKBONES:
                self._rows.popitem(last=False)

    @property
    def num_bytes(self) -> int:
        """The bytes of all peaks."""
        with self._lock:
            known = [peaks for rows in self._rows.values() for stages in rows.values() for peaks in stages.values()]
        return sum(peaks.maxima.nbytes + peaks.places.nbytes for peaks in known)

    def keep_only(self, digests: set[str]) -> None:
        """Forget the pictures that are no longer there."""
        with self._lock:
            for name, rows in self._rows.items():
                self._rows[name] = {digest: peaks for digest, peaks in rows.items() if digest in digests}


def find_patches(
    backbone: Backbone,
    stage: StageLabel,
    channel_idx: int,
    pictures: Sequence[Candidate],
    settings: Settings,
    *,
    cache: PeakCache,
    count: int = NUM_PATCHES,
) -> Generator[PatchProgress | tuple[Patch, ...], None, None]:
    """Find the pictures that excite one channel most, and cut from each the part with the strongest position.

    Each picture gives one patch at most, so that no single picture fills all places.

    Args:
        backbone: Network to look into; left unchanged.
        stage: Which of its stages.
        channel_idx: Which of the stage's channels.
        pictures: Where to look; two with the same digest count once.
        settings: Limits how many pictures are decoded at once.
        cache: Peaks from earlier runs; those that are computed here are added, but for a private network's.
        count: How many patches at most.

    Yields:
        PatchProgress, first for none and then for each batch, unless all peaks are known; at the end the patches,
        the strongest first, ties in the order of the pictures; none of a picture where the channel is never above 0.

    Raises:
        OptionOutOfRange: If the stage has no such channel.
        ImageError: What a candidate's `read` raises.

    Source:
        Zeiler & Fergus 2014, their figure 2, https://arxiv.org/abs/1311.2901
    """
    peaks = yield from _look_through(backbone, stage, channel_idx, pictures, settings, cache)
    excited = [(peak, candidate) for peak, candidate in peaks if peak.value > 0]
    strongest = sorted(excited, key=lambda pair: -pair[0].value)[:count]  # a stable sort keeps ties in order
    yield tuple(_cut(backbone, stage, peak, candidate) for peak, candidate in strongest)


class _Peak(NamedTuple):
    """The strongest position of one channel on one picture, as row and column of maps of a size (H, W)."""

    value: float
    place: tuple[int, int]
    map_size: tuple[int, int]


def _look_through(
    backbone: Backbone,
    stage: StageLabel,
    channel_idx: int,
    pictures: Sequence[Candidate],
    settings: Settings,
    cache: PeakCache,
) -> Generator[PatchProgress, None, list[tuple[_Peak, Candidate]]]:
    """Return one channel's peaks; pictures without known peaks go through the network, once for all channels.

    Yields:
        PatchProgress, first for none and then for each batch; nothing if all peaks are known.
    """
    if backbone.is_private:
        cache = PeakCache()  # a private network has the name of a shared one, whose peaks differ
    candidates: dict[str, Candidate] = {}
    for each in pictures:
        candidates.setdefault(each.digest, each)
    found = {digest: cache.find(backbone.spec.name, digest) for digest in candidates}
    known = {digest: _pick(peaks[stage], channel_idx) for digest, peaks in found.items() if peaks}
    missing = [candidate for digest, candidate in candidates.items() if digest not in known]
    if missing:
        yield PatchProgress(0, len(missing))
    step = min(MAX_BATCH, settings.max_batch)
    for first in range(0, len(missing), step):
        batch = missing[first : first + step]
        for candidate, peaks in zip(batch, _find_peaks(backbone, batch), strict=True):
            cache.add(backbone.spec.name, candidate.digest, peaks)
            known[candidate.digest] = _pick(peaks[stage], channel_idx)
        yield PatchProgress(first + len(batch), len(missing))
    return [(known[digest], candidate) for digest, candidate in candidates.items()]


def _find_peaks(backbone: Backbone, candidates: Sequence[Candidate]) -> list[dict[StageLabel, Peaks]]:
    """Decode pictures, run them through a network together, and return the peaks of each."""
    outputs = backbone.run([each.read() for each in candidates])
    found: list[dict[StageLabel, Peaks]] = [{} for _ in candidates]
    for label, activation in outputs.stages.items():
        height, width = activation.shape[2:]
        maxima, places = activation.flatten(2).max(dim=2)  # (N, C) each
        for row, peaks in enumerate(found):
            peaks[label] = Peaks(maxima[row].numpy().copy(), places[row].int().numpy(), (height, width))
    return found


def _pick(peaks: Peaks, channel_idx: int) -> _Peak:
    check_channel(channel_idx, len(peaks.maxima))
    row, column = divmod(int(peaks.places[channel_idx]), peaks.map_size[1])
    return _Peak(float(peaks.maxima[channel_idx]), (row, column), peaks.map_size)


def _cut(backbone: Backbone, label: StageLabel, peak: _Peak, candidate: Candidate) -> Patch:
    stage = next(each for each in backbone.spec.stages if each.label is label)
    seen = backbone.draw_input(candidate.read())
    box = field_box(stage, peak.place, peak.map_size, seen.size)
    return Patch(candidate.name, seen.crop(box), box, peak.value, field_centre(stage, peak.place))
