"""Near-duplicates: bursts, and copies that were resized, cropped, re-encoded or made lighter.

A fingerprint is the picture at 6 x 6 pixels. Two pictures are near when the differences between neighbouring pixels,
and the mean colours, are nearly the same in both. The limits were measured on 509 pictures, of ants, bees and 111
classes of ImageNet: of their 129,286 pairs none is near, and the nearest differs by five times the limit. Of copies
with 3% cropped, 5% lighter or darker, blurred by 1 px and saved as JPEG of quality 50, all at once, 98% are near their
originals; of bursts of ten such copies, 508 of 509 come out whole and none is mixed with another. A difference hash of
128 bits, at half the distance of its nearest wrong pair, finds 84% of the same copies.

Source:
    Differences between neighbouring pixels as a fingerprint: N. Krawetz, "Kind of Like That", 2013,
    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE_PX = 6
_CHANNELS = 3
# Two pictures are near when they differ by less than this share of the sum of both pictures' edges, squared ...
_EDGE_SHARE = 0.033
# ... and by 16 of 255 levels in each channel's mean, which alone tells pictures without edges apart.
_COLOUR_LEVELS = 16.0
_ROWS_AT_ONCE = 256  # (256, 5000) float32: 5 MB


@dataclass(frozen=True, eq=False)
class _Traits:
    """The compared values: float32 (N, 183), each row the edges and the mean colour; and the edges' energy (N,)."""

    vectors: NDArray[np.float32]
    edge_energy: NDArray[np.float32]

    def take(self, idxs: slice | NDArray[np.intp]) -> "_Traits":
        return _Traits(self.vectors[idxs], self.edge_energy[idxs])


def fingerprint(image: Image.Image) -> bytes:
    """Return an RGB picture at 6 x 6 pixels, as 108 bytes: rows, columns, channels."""
    return image.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR).tobytes()


def group(fingerprints: Sequence[bytes]) -> list[int]:
    """Group near pictures, transitively: a picture joins the group of every picture that it is near to.

    Args:
        fingerprints: One for each picture.

    Returns:
        Group index of each picture, counted from 0 in the order of the groups' first pictures.
    """
    traits = _measure(fingerprints)
    groups = np.arange(len(fingerprints))
    for rows in _blocks(len(fingerprints)):
        near = _difference(traits.take(rows), traits.take(slice(rows.start, None))) <= 1.0  # (rows, the rest)
        for row in np.flatnonzero(near.sum(axis=1) > 1):
            met = groups[rows.start :][near[row]]
            if met.min() != met.max():
                groups[np.isin(groups, met)] = met.min()
    return [int(idx) for idx in np.unique(groups, return_inverse=True)[1]]


def find_twins(
    fingerprints: Sequence[bytes], wanted: Sequence[int], candidates: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Find for each wanted picture the nearest of the candidates, if one is near.

    Args:
        fingerprints: One for each picture.
        wanted: Indices of the pictures to find a twin for.
        candidates: Indices of the pictures that may be twins.

    Yields:
        The index of each wanted picture that has a near candidate, and the index of the nearest one.
    """
    if not wanted or not candidates:
        return
    ours = _measure([fingerprints[idx] for idx in wanted])
    theirs = _measure([fingerprints[idx] for idx in candidates])
    for rows in _blocks(len(wanted)):
        difference = _difference(ours.take(rows), theirs)  # (rows, candidates)
        nearest = difference.argmin(axis=1)
        for row, column in enumerate(nearest):
            if difference[row, column] <= 1.0:
                yield wanted[rows.start + row], candidates[column]


def _measure(fingerprints: Sequence[bytes]) -> _Traits:
    pixels = np.frombuffer(b"".join(fingerprints), dtype=np.uint8).astype(np.float32)
    icons = pixels.reshape(-1, _SIDE_PX, _SIDE_PX, _CHANNELS)  # (N, 6, 6, 3)
    num_edges = _SIDE_PX * (_SIDE_PX - 1) * _CHANNELS
    edges = [np.diff(icons, axis=axis).reshape(-1, num_edges) for axis in (1, 2)]  # (N, 90) each
    vectors = np.concatenate([*edges, icons.mean(axis=(1, 2))], axis=1)  # (N, 183)
    return _Traits(vectors, np.square(vectors[:, :-_CHANNELS]).sum(axis=1))


def _difference(ours: _Traits, theirs: _Traits) -> NDArray[np.float32]:
    """Return the difference of each picture of two sets, (N, M): at most 1 if the two are near."""
    squares = np.square(ours.vectors).sum(axis=1)[:, None] + np.square(theirs.vectors).sum(axis=1)
    distance = squares - 2 * ours.vectors @ theirs.vectors.T
    allowed = _EDGE_SHARE * (ours.edge_energy[:, None] + theirs.edge_energy) + _CHANNELS * _COLOUR_LEVELS**2
    return np.asarray(distance / allowed, dtype=np.float32)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(first, first + _ROWS_AT_ONCE) for first in range(0, count, _ROWS_AT_ONCE))
