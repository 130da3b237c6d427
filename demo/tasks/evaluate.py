"""What a head says of a split -> honest results: how sure a number is, where it fails, and what it does not know."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.models.ridge import fit_scale
from demo.tasks.predict import ClassProbability

TEMPERATURE_BOUNDS = (0.05, 20.0)

_Z95 = 1.959963984540054  # the normal distribution has 95% within so many standard deviations
# Points whose distances from the middle differ by no more than rounding are equally far.
_EQUALLY_FAR = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class Scores:
    """What a head says of one split of a dataset.

    `sample_idxs` (n,) point into the dataset's samples, `class_idxs` (n,) are the truth, `logits` float32 (n, K),
    `features` float32 (n, D) as the backbone gives them, `class_names` K. A position is a place among the n.
    """

    sample_idxs: NDArray[np.int64]
    class_idxs: NDArray[np.int64]
    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    class_names: tuple[str, ...]

    @property
    def answers(self) -> NDArray[np.int64]:
        """The class index that the head puts first, (n,)."""
        answers: NDArray[np.int64] = self.logits.argmax(axis=1)
        return answers

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of the logits, (n, K)."""
        return np.exp(_log_softmax(self.logits))


@dataclass(frozen=True)
class Accuracy:
    """How many of how many are right; `low` and `high` bound the true share with 95% confidence, 0 to 1."""

    correct: int
    count: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share that is right, 0 to 1; 0 where there is no picture."""
        return self.correct / self.count if self.count else 0.0

    @property
    def points_per_picture(self) -> float:
        """By how many percentage points one picture moves the accuracy; 0 where there is no picture."""
        return 100 / self.count if self.count else 0.0


@dataclass(frozen=True)
class ClassResult:
    """One class: how many pictures it has, how often the head named it, and how often rightly."""

    class_name: str
    count: int
    answered: int
    correct: int

    @property
    def precision(self) -> float | None:
        """The share of its answers that is right, 0 to 1; None where the head never named it."""
        return self.correct / self.answered if self.answered else None

    @property
    def recall(self) -> float | None:
        """The share of its pictures that is found, 0 to 1; None where it has no picture."""
        return self.correct / self.count if self.count else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall, 0 to 1; None where both are."""
        total = self.count + self.answered
        return 2 * self.correct / total if total else None


@dataclass(frozen=True)
class Neighbour:
    """A training sample that looks alike to the backbone: cosine similarity of the features, -1 to 1."""

    sample_idx: int
    class_idx: int
    similarity: float


@dataclass(frozen=True)
class ReliabilityBin:
    """The pictures whose highest probability lies above `low` and up to `high`.

    `confidence` is their mean highest probability, `accuracy` the share that is right; None where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """How well probabilities tell how often the head is right.

    `calibration_error`: the mean distance between confidence and accuracy, bins weighing by their counts (0 to 1);
    `nll`: mean negative log-likelihood of the truth, nats. Both are 0 where there is no picture.
    """

    bins: tuple[ReliabilityBin, ...]
    calibration_error: float
    nll: float


@dataclass(frozen=True, eq=False)
class Novelty:
    """Tells how far features are from everything that was learned.

    `class_means` float32 (K, D) are those of the classes that have training pictures.
    """

    class_means: NDArray[np.float32]

    def distance(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the cosine distance (n,) of features (n, D) to the nearest class mean, 0 (same direction) to 2.

        Features that are all 0 have no direction and get 1.
        """
        nearest: NDArray[np.float64] = (_unit(features) @ _unit(self.class_means).T).max(axis=1)
        return (1 - nearest).clip(min=0)  # rounding puts some just below


@dataclass(frozen=True)
class Judgement:
    """How many pictures a novelty threshold lets pass, and how many it calls none of the classes."""

    accepted: int
    rejected: int


@dataclass(frozen=True, eq=False)
class Projection:
    """Features in two dimensions: points (n, 2), and the share of the features' variance on each axis, 0 to 1."""

    points: NDArray[np.float64]
    shares: tuple[float, float]


def wilson(correct: int, count: int) -> tuple[float, float]:
    """Return the 95% interval of a share of which `correct` of `count` were seen; (0, 1) where none was.

    It holds for small counts and near 0 and 1, where the usual plus and minus of the normal distribution does not.

    Source:
        Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
    """
    if count == 0:
        return 0.0, 1.0
    share, z2 = correct / count, _Z95**2 / count
    middle = share + z2 / 2
    reach = math.sqrt(z2 * (share * (1 - share) + z2 / 4))
    low, high = (middle - reach) / (1 + z2), (middle + reach) / (1 + z2)
    return (low if correct else 0.0), (high if correct < count else 1.0)  # exact there, but for rounding


def measure(scores: Scores) -> Accuracy:
    """Count the right answers of a split."""
    correct, count = int((scores.answers == scores.class_idxs).sum()), len(scores.class_idxs)
    return Accuracy(correct, count, *wilson(correct, count))


def confuse(scores: Scores) -> NDArray[np.int64]:
    """Return the confusion matrix (K, K): in each row what the pictures of one class were taken for."""
    num_classes = len(scores.class_names)
    cells = np.bincount(scores.class_idxs * num_classes + scores.answers, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def find_cell(scores: Scores, truth: int, answer: int) -> NDArray[np.int64]:
    """Return the positions in one cell of the confusion matrix, the surest answer first."""
    positions = np.flatnonzero((scores.class_idxs == truth) & (scores.answers == answer))
    sureness = scores.probabilities[positions, answer]
    return positions[np.argsort(-sureness, kind="stable")]


def per_class(scores: Scores) -> tuple[ClassResult, ...]:
    """Return the counts of each class, in the order of the class indices."""
    cells = confuse(scores)
    counts = zip(cells.sum(axis=1).tolist(), cells.sum(axis=0).tolist(), cells.diagonal().tolist(), strict=True)
    return tuple(ClassResult(name, *each) for name, each in zip(scores.class_names, counts, strict=True))


def top(scores: Scores, position: int, k: int = 3) -> tuple[ClassProbability, ...]:
    """Return the k best classes of one sample, the best first; fewer where there are fewer classes."""
    probabilities = np.exp(_log_softmax(scores.logits[position : position + 1]))[0]  # (K,)
    best = np.argsort(-probabilities, kind="stable")[:k]
    return tuple(ClassProbability(int(idx), scores.class_names[idx], float(probabilities[idx])) for idx in best)


def nearest(scores: Scores, training: Scores, position: int, k: int = 3) -> tuple[Neighbour, ...]:
    """Return the k training samples whose features point most nearly the same way, the nearest first.

    Args:
        scores: Split of the sample that is asked about.
        training: Split to look in; the sample itself is passed over.
        position: Place of the sample in `scores`.
        k: How many; fewer where there are fewer.
    """
    similarity = _unit(training.features) @ _unit(scores.features[position])  # (n,)
    order = np.argsort(-similarity, kind="stable")
    others = order[training.sample_idxs[order] != scores.sample_idxs[position]][:k]
    return tuple(
        Neighbour(int(training.sample_idxs[idx]), int(training.class_idxs[idx]), float(similarity[idx]))
        for idx in others
    )


def fit_temperature(logits: NDArray[np.float32], class_idxs: NDArray[np.int64]) -> float:
    """Find the temperature T for which softmax(logits / T) has the smallest negative log-likelihood.

    T above 1 makes a head less sure, below 1 surer; the order of the classes stays. It is fitted on the validation
    split, so what the validation split says of it afterwards flatters it: only a test split that nothing was
    chosen by is an untouched check.

    Args:
        logits: (n, K), n at least 1.
        class_idxs: The truth, (n,).

    Returns:
        T within TEMPERATURE_BOUNDS. The lowest where every answer is right: the likelihood would then grow without
        end as T falls to 0. The highest where the logits are no better than chance.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    lowest, highest = TEMPERATURE_BOUNDS
    targets = np.eye(logits.shape[1])[class_idxs]
    return 1 / fit_scale(logits, targets, np.ones(len(logits)), (1 / highest, 1 / lowest))


def reliability(
    logits: NDArray[np.float32], class_idxs: NDArray[np.int64], *, temperature: float = 1.0, num_bins: int = 10
) -> Reliability:
    """Compare how sure a head is with how often it is right.

    Args:
        logits: (n, K).
        class_idxs: The truth, (n,).
        temperature: What the logits are divided by. One that was fitted on the validation split is put to an
            untouched check by a test split only.
        num_bins: Bins of equal width between 0 and 1.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599, sections 2 and 4.2
    """
    log_probabilities = _log_softmax(logits.astype(np.float64) / temperature)
    confidences = np.exp(log_probabilities.max(axis=1))  # (n,)
    right = logits.argmax(axis=1) == class_idxs
    places = np.ceil(confidences * num_bins).astype(np.int64) - 1
    bins = tuple(
        _fill_bin(place, num_bins, confidences[places == place], right[places == place]) for place in range(num_bins)
    )
    gaps = sum(
        each.count * abs(each.confidence - each.accuracy)
        for each in bins
        if each.confidence is not None and each.accuracy is not None
    )
    losses = -log_probabilities[np.arange(len(class_idxs)), class_idxs]  # (n,)
    count = max(1, len(class_idxs))
    return Reliability(bins, gaps / count, float(losses.sum()) / count)


def fit_novelty(training: Scores) -> Novelty:
    """Keep of a training split, which must not be empty, what tells whether a picture is like any of its classes.

    The distance is the cosine to the nearest class mean. The length of the features differs between pictures of one
    class as much as between known and strange ones, and drowns Euclidean and Mahalanobis distances. Mahalanobis
    distance of features of length 1 rejects slightly more, but has to keep hundreds of vectors in place of K.

    It tells apart what the backbone tells apart: cars from insects, but hardly a 7 from other digits.

    Source:
        Lee et al. 2018, https://arxiv.org/abs/1807.03888 (nearest class mean; there with Mahalanobis distance)
    """
    present = np.unique(training.class_idxs)
    means = [training.features[training.class_idxs == idx].mean(axis=0, dtype=np.float64) for idx in present]
    return Novelty(np.stack(means).astype(np.float32))


def threshold_for(distances: NDArray[np.float64], share: float) -> float:
    """Return the smallest threshold that accepts at least a share of pictures that are known to belong.

    Args:
        distances: Those of the validation split, (n,), n at least 1; its own share is met by construction.
        share: Above 0, at most 1.
    """
    rank = math.ceil(share * len(distances) - 1e-9)  # 0.07 * 100 is a little more than 7
    return float(np.sort(distances)[rank - 1])


def judge(distances: NDArray[np.float64], threshold: float) -> Judgement:
    """Count the pictures no farther than a threshold, and those beyond it."""
    accepted = int((distances <= threshold).sum())
    return Judgement(accepted, len(distances) - accepted)


def project(features: NDArray[np.float32]) -> Projection:
    """Lay features (n, D), n at least 1, on the two axes along which they vary most.

    The farthest point of an axis lies on its positive side, so that the same features always give the same view.

    Source:
        Pearson 1901, https://doi.org/10.1080/14786440109462720 (principal component analysis)
    """
    values = features.astype(np.float64)
    centred = values - values.mean(axis=0)
    total = float((centred**2).sum())
    if total <= np.finfo(np.float64).eps * float((values**2).sum()):  # the same features everywhere, but for rounding
        return Projection(np.zeros((len(values), 2)), (0.0, 0.0))
    points, squares = _principal(centred)  # (n, m), (m,)
    missing = max(0, 2 - len(squares))
    points = np.pad(points[:, :2], ((0, 0), (0, missing)))  # (n, 2)
    first, second = (np.pad(squares[:2], (0, missing)) / total).tolist()
    return Projection(points * _signs(points), (first, second))


def _principal(centred: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates (n, m) on the principal axes and their sums of squares (m,), the largest first."""
    num_samples, num_features = centred.shape
    if num_samples <= num_features:  # the smaller of the two matrices that have the same eigenvalues
        squares, vectors = np.linalg.eigh(centred @ centred.T)
        points = vectors * np.sqrt(squares.clip(min=0))
    else:
        squares, axes = np.linalg.eigh(centred.T @ centred)
        points = centred @ axes
    visible = squares > squares[-1] * len(squares) * np.finfo(np.float64).eps
    return (points * visible)[:, ::-1], (squares * visible)[::-1]


def _signs(points: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.abs(points)
    farthest = (sizes >= _EQUALLY_FAR * sizes.max(axis=0)).argmax(axis=0)  # the first of them, per axis
    signs: NDArray[np.float64] = np.where(points[farthest, np.arange(points.shape[1])] < 0, -1.0, 1.0)
    return signs


def _fill_bin(place: int, num_bins: int, confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> ReliabilityBin:
    low, high = place / num_bins, (place + 1) / num_bins
    if not len(right):
        return ReliabilityBin(low, high, 0, None, None)
    return ReliabilityBin(low, high, len(right), float(confidences.mean()), float(right.mean()))


def _log_softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    log_probabilities: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_probabilities


def _unit(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scale features (..., D) to length 1; those that are all 0 stay so."""
    values = features.astype(np.float64)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: NDArray[np.float64] = values / np.where(lengths > 0, lengths, 1.0)
    return unit
