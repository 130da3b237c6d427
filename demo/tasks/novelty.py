"""Novelty detection: which pictures are unlike all classes of the training."""

import math
import threading
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from demo.data.samples import EXAMPLES, read_example
from demo.models.backbone import Backbone
from demo.settings import Settings
from demo.tasks.evaluate import Scores, unit_length


@dataclass(frozen=True, eq=False)
class Novelty:
    """The distance of features from the training pictures of a head.

    `class_means` are float32 (K, D), one row for each class with training pictures.
    """

    class_means: NDArray[np.float32]

    def distance(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the cosine distance (n,) of features (n, D) to the nearest class mean, 0 (same direction) to 2.

        Features that are all 0 have no direction and get 1.
        """
        nearest: NDArray[np.float64] = (unit_length(features) @ unit_length(self.class_means).T).max(axis=1)
        return (1 - nearest).clip(min=0)  # rounding puts some just below 0


@dataclass(frozen=True)
class Judgement:
    """How many pictures a novelty threshold accepts, and how many it rejects as none of the classes."""

    accepted: int
    rejected: int


@dataclass(frozen=True)
class NoveltyReport:
    """What a threshold makes of the validation pictures, of strange ones, and of one more picture or none.

    `threshold` and `photo_distance` are cosine distances, 0 to 2.
    """

    threshold: float
    known: Judgement
    strangers: Judgement
    photo_distance: float | None

    @property
    def accepts_photo(self) -> bool:
        """Whether there is one more picture and the threshold lets it pass."""
        return self.photo_distance is not None and self.photo_distance <= self.threshold


class Strangers:
    """The features of the example pictures, which stand for all that nobody trained a head on.

    They are nobody's data, so each network computes them once. Layers trained with a head make a network of their own
    (`Backbone.for_head`), whose features are gone when that network is.
    """

    def __init__(self) -> None:
        self._features: WeakKeyDictionary[Backbone, NDArray[np.float32]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def features(self, backbone: Backbone, settings: Settings) -> NDArray[np.float32]:
        """Return the features (6, D) of the examples, in their order."""
        with self._lock:
            features = self._features.get(backbone)
        if features is None:  # two who ask at once both compute them, and get the same
            features = backbone.run([read_example(each, settings) for each in EXAMPLES]).features.numpy()
            with self._lock:
                self._features[backbone] = features
        return features


def report_novelty(
    training: Scores,
    validation: Scores,
    strangers: NDArray[np.float32],
    photo: NDArray[np.float32] | None,
    *,
    share: float,
) -> NoveltyReport:
    """Set the threshold that accepts a share of the validation pictures, and judge others by it.

    Args:
        training: What the head learned from; not empty.
        validation: What the threshold is set by; not empty.
        strangers: Features (n, D) of pictures that are none of the classes.
        photo: Features (1, D) of one more picture, or None.
        share: Above 0, at most 1.
    """
    novelty = fit_novelty(training)
    known = novelty.distance(validation.features)
    threshold = threshold_for(known, share)
    photo_distance = None if photo is None else float(novelty.distance(photo)[0])
    return NoveltyReport(
        threshold, judge(known, threshold), judge(novelty.distance(strangers), threshold), photo_distance
    )


def fit_novelty(training: Scores) -> Novelty:
    """Fit a detector on a training split, which must not be empty: the mean features of each class.

    The distance is the cosine to the nearest class mean. The length of the features varies within a class
    as much as between known and novel pictures, and dominates Euclidean and Mahalanobis distances. Mahalanobis
    distance of features of length 1 rejects slightly more, but has to keep hundreds of vectors instead of K.

    It separates what the backbone separates: cars from insects, but hardly a 7 from other digits.

    Source:
        Lee et al. 2018, https://arxiv.org/abs/1807.03888 (nearest class mean; there with Mahalanobis distance)
    """
    present = np.unique(training.class_idxs)
    means = [training.features[training.class_idxs == idx].mean(axis=0, dtype=np.float64) for idx in present]
    return Novelty(np.stack(means).astype(np.float32))


def threshold_for(distances: NDArray[np.float64], share: float) -> float:
    """Return the smallest threshold that accepts at least a share of pictures of the known classes.

    Args:
        distances: Distances of the validation split, (n,), n at least 1; by construction its own share is met.
        share: Share to accept, above 0 and at most 1.
    """
    rank = math.ceil(share * len(distances) - 1e-9)  # in floating point, 0.07 * 100 is a little more than 7
    return float(np.sort(distances)[rank - 1])


def judge(distances: NDArray[np.float64], threshold: float) -> Judgement:
    """Count the pictures no farther than a threshold, and those beyond it."""
    accepted = int((distances <= threshold).sum())
    return Judgement(accepted, len(distances) - accepted)
