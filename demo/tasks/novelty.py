"""Novelty detection: which pictures are unlike all that was learned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.data.dataset import Split
from demo.tasks.evaluate import unit_length
from demo.tasks.features import Features

NUM_NEIGHBOURS = 3


@dataclass(frozen=True)
class Judgement:
    """How many of `count` pictures a novelty threshold accepts as one of the classes."""

    accepted: int
    count: int

    @property
    def share(self) -> float:
        """The share that is accepted, 0 to 1; 0 without pictures."""
        return self.accepted / self.count if self.count else 0.0


@dataclass(frozen=True)
class NoveltyReport:
    """What a threshold makes of pictures that it was not set by.

    `threshold` and `photo_distance` are distances as `distance_to` returns them, 0 to 2. The threshold is to accept a
    `share`, and `num_measured` pictures of the classes set it. `examples` says which examples it accepts. `left_out`
    has for each class, in the order of the class indices, what a detector that never saw the class makes of it; it is
    empty where layers of the network were trained on that class.
    """

    share: float
    threshold: float
    num_measured: int
    test: Judgement
    examples: tuple[bool, ...]
    left_out: tuple[Judgement, ...]
    photo_distance: float | None

    @property
    def accepts_photo(self) -> bool:
        """Whether there is one more picture and the threshold lets it pass."""
        return self.photo_distance is not None and self.photo_distance <= self.threshold


def report_novelty(
    features: Features,
    groups: Sequence[int],
    examples: NDArray[np.float32],
    photo: NDArray[np.float32] | None,
    *,
    share: float,
    is_tuned: bool,
) -> NoveltyReport:
    """Set the threshold that accepts a share of the pictures of the known classes, and judge others by it.

    The distance to the nearest neighbours needs no fit, so each training and validation picture is measured as if it
    were new: without itself and its near-duplicates. Layers that were trained have drawn their training pictures
    close together; then only the validation pictures set the threshold.

    Things of another kind are caught. What looks alike is mostly not, for the network hardly tells it apart: at 95% no
    photograph passes for handwriting, but three quarters of a digit that was never seen pass for the others.

    Args:
        features: Those of the visitor's pictures; training and, if tuned, validation have some.
        groups: Group of near-duplicates of each picture, (N,), as `demo.data.duplicates.group` counts them.
        examples: Features (n, D) of pictures that are none of the classes.
        photo: Features (1, D) of one more picture, or None.
        share: Share to accept, above 0 and at most 1.
        is_tuned: Whether layers of the network were trained with the head.

    Source:
        Sun et al. 2022, https://arxiv.org/abs/2204.06507 (nearest neighbours; there the k-th of them alone)
    """
    learned, test = ~features.chosen(Split.TEST), features.chosen(Split.TEST)
    known = features.chosen(Split.TRAIN) if is_tuned else learned
    measured = features.chosen(Split.VALIDATION) if is_tuned else learned
    similarity = compare(features.values, groups)
    threshold = threshold_for(distance_to(similarity[np.ix_(measured, known)]), share)
    directions = unit_length(features.values[known])

    def distance(others: NDArray[np.float32]) -> NDArray[np.float64]:
        return distance_to(unit_length(others) @ directions.T)

    return NoveltyReport(
        share,
        threshold,
        int(measured.sum()),
        judge(distance_to(similarity[np.ix_(test, known)]), threshold),
        tuple((distance(examples) <= threshold).tolist()),
        () if is_tuned else leave_out(similarity[np.ix_(learned, learned)], features.class_idxs[learned], share),
        None if photo is None else float(distance(photo)[0]),
    )


def compare(features: NDArray[np.float32], groups: Sequence[int]) -> NDArray[np.float64]:
    """Return the cosine (N, N) of features (N, D); -1, as for opposites, within a group: also of each with itself."""
    directions = unit_length(features)
    similarity = directions @ directions.T
    similarity[np.equal.outer(groups, groups)] = -1
    return similarity


def distance_to(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far m pictures are from the known ones, 0 (same direction) to 2: 1 - the mean cosine of the nearest.

    Args:
        similarity: Cosines (m, n) with the n known pictures, n at least 1. The nearest are `NUM_NEIGHBOURS`; n - 1
            where there are fewer, so that a known picture is compared with as many others as a new one.
    """
    k = min(NUM_NEIGHBOURS, max(1, similarity.shape[1] - 1))
    nearest: NDArray[np.float64] = np.partition(similarity, -k, axis=1)[:, -k:].mean(axis=1)
    return (1 - nearest).clip(min=0)  # rounding puts some just below 0


def leave_out(similarity: NDArray[np.float64], class_idxs: NDArray[np.int64], share: float) -> tuple[Judgement, ...]:
    """Ask for each class how many of its pictures would be accepted had it never been seen.

    Args:
        similarity: Of n pictures of at least two classes with each other, (n, n), as `compare` returns it.
        class_idxs: (n,).
        share: Share of the other classes' pictures to accept.
    """
    judged = []
    for idx in np.unique(class_idxs):
        out, others = class_idxs == idx, class_idxs != idx
        threshold = threshold_for(distance_to(similarity[np.ix_(others, others)]), share)
        judged.append(judge(distance_to(similarity[np.ix_(out, others)]), threshold))
    return tuple(judged)


def threshold_for(distances: NDArray[np.float64], share: float) -> float:
    """Return the threshold that accepts about a share of new pictures of the known classes: a quantile.

    The r-th nearest of n pictures stands for the share (r - 1/2) / n; between two of them it is interpolated.

    Args:
        distances: Distances (n,) of pictures as if they were new, n at least 1.
        share: Share to accept, above 0 and at most 1.

    Source:
        Hyndman & Fan 1996, https://doi.org/10.1080/00031305.1996.10473566 (definition 5, by Hazen)
    """
    return float(np.quantile(distances, share, method="hazen"))


def judge(distances: NDArray[np.float64], threshold: float) -> Judgement:
    """Count the pictures no farther than a threshold."""
    return Judgement(int((distances <= threshold).sum()), len(distances))
