"""Features -> points in the plane in which they vary most: principal component analysis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Points count as equally far from the middle if the ratio of their distances is above this; rounding explains it.
_EQUALLY_FAR = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class Projection:
    """Features in two dimensions: points (n, 2), and the share of the features' variance on each axis, 0 to 1."""

    points: NDArray[np.float64]
    shares: tuple[float, float]


def project(features: NDArray[np.float32]) -> Projection:
    """Project features (n, D), n at least 1, to the two axes along which they vary most.

    The farthest point of an axis lies on its positive side, so that the same features always give the same view.

    Source:
        Pearson 1901, https://doi.org/10.1080/14786440109462720 (principal component analysis)
    """
    values = features.astype(np.float64)
    centred = values - values.mean(axis=0)
    total = float((centred**2).sum())
    if total <= np.finfo(np.float64).eps * float((values**2).sum()):  # all features are equal, but for rounding
        return Projection(np.zeros((len(values), 2)), (0.0, 0.0))
    points, squares = _principal(centred)  # (n, m), (m,)
    missing = max(0, 2 - len(squares))
    points = np.pad(points[:, :2], ((0, 0), (0, missing)))  # (n, 2)
    first, second = (np.pad(squares[:2], (0, missing)) / total).tolist()
    return Projection(points * _signs(points), (first, second))


def _principal(centred: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates (n, m) on the principal axes and their sums of squares (m,), the largest first."""
    num_samples, num_features = centred.shape
    if num_samples <= num_features:  # both matrices have the same non-zero eigenvalues; this one is smaller
        squares, vectors = np.linalg.eigh(centred @ centred.T)
        points = vectors * np.sqrt(squares.clip(min=0))
    else:
        squares, axes = np.linalg.eigh(centred.T @ centred)
        points = centred @ axes
    visible = squares > squares[-1] * len(squares) * np.finfo(np.float64).eps
    return (points * visible)[:, ::-1], (squares * visible)[::-1]


def _signs(points: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.abs(points)
    farthest = (sizes >= _EQUALLY_FAR * sizes.max(axis=0)).argmax(axis=0)  # the first of them for each axis
    signs: NDArray[np.float64] = np.where(points[farthest, np.arange(points.shape[1])] < 0, -1.0, 1.0)
    return signs
