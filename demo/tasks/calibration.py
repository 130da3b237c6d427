"""Calibration of a head's probabilities: temperature scaling and the reliability diagram."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.models.ridge import fit_inverse_temperature
from demo.tasks.evaluate import Scores, softmax

TEMPERATURE_BOUNDS = (0.05, 20.0)


@dataclass(frozen=True)
class ReliabilityBin:
    """The pictures whose highest probability lies above `low` and up to `high`.

    `confidence` is the mean of their highest probabilities, `accuracy` the share that is right; None without pictures.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """How well a head's probabilities agree with its accuracy.

    `calibration_error` is the mean distance between confidence and accuracy over the bins, weighted by their counts,
    from 0 to 1; it is 0 without pictures.
    """

    bins: tuple[ReliabilityBin, ...]
    calibration_error: float


@dataclass(frozen=True)
class Calibration:
    """The reliability of one split, as the head is and once its logits are divided by `temperature`."""

    temperature: float
    before: Reliability
    after: Reliability


def calibrate(scores: Scores, validation: Scores) -> Calibration | None:
    """Compare the reliability of a split before and after the temperature that fits the validation split.

    Returns:
        None where the validation split is empty: there is nothing to fit a temperature to.
    """
    if not len(validation.class_idxs):
        return None
    temperature = fit_temperature(validation.logits, validation.class_idxs)
    before = reliability(scores.logits, scores.class_idxs)
    return Calibration(temperature, before, reliability(scores.logits, scores.class_idxs, temperature=temperature))


def fit_temperature(logits: NDArray[np.float32], class_idxs: NDArray[np.int64]) -> float:
    """Find the temperature T for which softmax(logits / T) has the smallest negative log-likelihood.

    T above 1 makes a head less sure, below 1 surer; the order of the classes stays. T is fitted on the validation
    split, so the calibration measured there is too good: only a test split by which nothing was chosen is a fair check.

    Args:
        logits: (n, K), n at least 1.
        class_idxs: The truth, (n,).

    Returns:
        T within TEMPERATURE_BOUNDS: the lowest if every answer is right, because the likelihood then grows without end
        as T falls to 0; the highest if the logits are no better than chance.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    lowest, highest = TEMPERATURE_BOUNDS
    targets = np.eye(logits.shape[1])[class_idxs]
    return 1 / fit_inverse_temperature(logits, targets, np.ones(len(logits)), (1 / highest, 1 / lowest))


def reliability(
    logits: NDArray[np.float32], class_idxs: NDArray[np.int64], *, temperature: float = 1.0, num_bins: int = 10
) -> Reliability:
    """Compare a head's confidence with its accuracy, in bins of confidence.

    Args:
        logits: (n, K).
        class_idxs: The truth, (n,).
        temperature: Divisor of the logits. If it was fitted on the validation split, only a test split is a fair
            check of it.
        num_bins: Bins of equal width between 0 and 1.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599, sections 2 and 4.2
    """
    confidences = softmax(logits.astype(np.float64) / temperature).max(axis=1)  # (n,)
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
    return Reliability(bins, gaps / max(1, len(class_idxs)))


def _fill_bin(place: int, num_bins: int, confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> ReliabilityBin:
    low, high = place / num_bins, (place + 1) / num_bins
    if not len(right):
        return ReliabilityBin(low, high, 0, None, None)
    return ReliabilityBin(low, high, len(right), float(confidences.mean()), float(right.mean()))
