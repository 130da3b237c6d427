"""A head's logits on a split -> accuracy with its uncertainty, the confusion matrix, and single samples."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.tasks.predict import ClassProbability

_Z95 = 1.959963984540054  # standard deviations on each side of the mean that hold 95% of a normal distribution


@dataclass(frozen=True, eq=False)
class Scores:
    """A head's logits on one split of a dataset.

    `sample_idxs` (n,) are indices of the dataset's samples, `class_idxs` (n,) the truth, `logits` float32 (n, K),
    `features` float32 (n, D) those of the backbone, and `class_names` K names. A position is an index into the n rows.
    """

    sample_idxs: NDArray[np.int64]
    class_idxs: NDArray[np.int64]
    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    class_names: tuple[str, ...]

    @property
    def answers(self) -> NDArray[np.int64]:
        """The class index with the highest logit, (n,)."""
        answers: NDArray[np.int64] = self.logits.argmax(axis=1)
        return answers

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of the logits, (n, K)."""
        return softmax(self.logits)


@dataclass(frozen=True)
class Accuracy:
    """How many of how many are right; `low` and `high` bound the true share with 95% confidence, 0 to 1.

    `balanced` is the balanced accuracy, 0 to 1; None where all classes with pictures have equally many, and it is the
    share, or where it is not known.
    """

    correct: int
    count: int
    low: float
    high: float
    balanced: float | None = None

    @staticmethod
    def of(correct: int, count: int) -> "Accuracy":
        """Return the accuracy of `correct` out of `count` pictures, with Wilson's interval."""
        return Accuracy(correct, count, *wilson(correct, count))

    @staticmethod
    def of_answers(class_idxs: NDArray[np.int64], answers: NDArray[np.int64]) -> "Accuracy":
        """Return the accuracy of answers (n,) where the truth is known, (n,)."""
        is_right = answers == class_idxs
        return replace(Accuracy.of(int(is_right.sum()), len(is_right)), balanced=_balance(class_idxs, is_right))

    @property
    def share(self) -> float:
        """The share that is right, 0 to 1; 0 without pictures."""
        return self.correct / self.count if self.count else 0.0

    @property
    def points_per_picture(self) -> float:
        """How many percentage points of accuracy one picture makes; 0 without pictures."""
        return 100 / self.count if self.count else 0.0


@dataclass(frozen=True)
class ClassResult:
    """One class: its number of pictures, how often the head answered with it, and how often that was right."""

    class_name: str
    count: int
    answered: int
    correct: int

    @property
    def precision(self) -> float | None:
        """The share of the answers with this class that is right, 0 to 1; None without such answers."""
        return self.correct / self.answered if self.answered else None

    @property
    def recall(self) -> float | None:
        """The share of its pictures that the head finds, 0 to 1; None without pictures."""
        return self.correct / self.count if self.count else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall, 0 to 1; None if both are None."""
        total = self.count + self.answered
        return 2 * self.correct / total if total else None


@dataclass(frozen=True)
class Neighbour:
    """A training sample that looks alike to the backbone: cosine similarity of the features, -1 to 1."""

    sample_idx: int
    class_idx: int
    similarity: float


def wilson(correct: int, count: int) -> tuple[float, float]:
    """Return the 95% interval of a share, from `correct` of `count` observations; (0, 1) without observations.

    It holds for small counts and near 0 and 1, where the usual interval of the normal distribution does not.

    Source:
        Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
    """
    if count == 0:
        return 0.0, 1.0
    share, z2 = correct / count, _Z95**2 / count
    middle = share + z2 / 2
    reach = math.sqrt(z2 * (share * (1 - share) + z2 / 4))
    low, high = (middle - reach) / (1 + z2), (middle + reach) / (1 + z2)
    return (low if correct else 0.0), (high if correct < count else 1.0)  # without rounding errors at 0 and 1


def measure(scores: Scores) -> Accuracy:
    """Return the accuracy on a split."""
    return Accuracy.of_answers(scores.class_idxs, scores.answers)


def _balance(class_idxs: NDArray[np.int64], is_right: NDArray[np.bool_]) -> float | None:
    """Return the mean, over classes with pictures, of the share that is right; None where they are equally large."""
    counts = np.bincount(class_idxs)
    there = counts > 0
    if len(np.unique(counts[there])) <= 1:
        return None
    return float((np.bincount(class_idxs, weights=is_right)[there] / counts[there]).mean())


def confuse(scores: Scores) -> NDArray[np.int64]:
    """Return the confusion matrix (K, K): a row for each true class, a column for each answer."""
    num_classes = len(scores.class_names)
    cells = np.bincount(scores.class_idxs * num_classes + scores.answers, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def find_cell(scores: Scores, truth: int, answer: int) -> NDArray[np.int64]:
    """Return the positions in one cell of the confusion matrix, the surest answer first."""
    positions = np.flatnonzero((scores.class_idxs == truth) & (scores.answers == answer))
    sureness = scores.probabilities[positions, answer]
    return positions[np.argsort(-sureness, kind="stable")]


def most_confused(scores: Scores) -> tuple[int, int]:
    """Return the cell (truth, answer) where most answers are wrong; where none is, the one with most pictures."""
    cells = confuse(scores)
    wrong = cells - np.diag(cells.diagonal())
    truth, answer = divmod(int((wrong if wrong.any() else cells).argmax()), len(cells))
    return truth, answer


def per_class(scores: Scores) -> tuple[ClassResult, ...]:
    """Return the counts of each class, in the order of the class indices."""
    cells = confuse(scores)
    counts = zip(cells.sum(axis=1).tolist(), cells.sum(axis=0).tolist(), cells.diagonal().tolist(), strict=True)
    return tuple(ClassResult(name, *each) for name, each in zip(scores.class_names, counts, strict=True))


def top(scores: Scores, position: int, k: int = 3) -> tuple[ClassProbability, ...]:
    """Return the k best classes of one sample, the best first; fewer if there are fewer classes."""
    probabilities = softmax(scores.logits[position : position + 1])[0]  # (K,)
    best = np.argsort(-probabilities, kind="stable")[:k]
    return tuple(ClassProbability(int(idx), scores.class_names[idx], float(probabilities[idx])) for idx in best)


def nearest(scores: Scores, training: Scores, position: int, k: int = 3) -> tuple[Neighbour, ...]:
    """Return the k training samples with the highest cosine similarity of the features, the nearest first.

    Args:
        scores: Split of the sample that is asked about.
        training: Split to search; the sample itself is left out.
        position: Index of the sample in `scores`.
        k: Number of samples; fewer if there are fewer.
    """
    similarity = unit_length(training.features) @ unit_length(scores.features[position])  # (n,)
    order = np.argsort(-similarity, kind="stable")
    others = order[training.sample_idxs[order] != scores.sample_idxs[position]][:k]
    return tuple(
        Neighbour(int(training.sample_idxs[idx]), int(training.class_idxs[idx]), float(similarity[idx]))
        for idx in others
    )


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the softmax probabilities (n, K) of logits (n, K)."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    probabilities: NDArray[np.float64] = np.exp(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
    return probabilities


def unit_length(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scale features (..., D) to length 1; a row of zeros stays unchanged."""
    values = features.astype(np.float64)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: NDArray[np.float64] = values / np.where(lengths > 0, lengths, 1.0)
    return unit
