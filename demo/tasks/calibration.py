"""Calibration of a head's probabilities: temperature scaling and the reliability diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.data.dataset import Split
from demo.models.head import Head
from demo.models.late import functional, torch
from demo.models.ridge import fit_inverse_temperature
from demo.tasks.evaluate import softmax
from demo.tasks.features import Features
from demo.tasks.finetune import score
from demo.tasks.folds import cross_validate

TEMPERATURE_BOUNDS = (1e-3, 1e3)  # so far apart that the prior decides before they do
# Both chosen by the likelihood of unseen pictures, tests/benchmarks/truth.py; the prior is a standard deviation of 1/4.
_PRIOR = 16.0
_CHI2_99 = 6.634896601021217  # of one degree of freedom


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

    @property
    def count(self) -> int:
        """The number of pictures."""
        return sum(each.count for each in self.bins)


@dataclass(frozen=True)
class Calibration:
    """A temperature for a head, and what it does to pictures by which nothing was chosen.

    It was fitted to `num_validation` pictures and, by cross-validation, to `num_training`.
    `before` and `after` are the reliability of the test split with temperature 1 and with this one; None without one.
    """

    temperature: float
    num_validation: int
    num_training: int
    before: Reliability | None
    after: Reliability | None


def calibrate(head: Head, features: Features) -> Calibration | None:
    """Fit a temperature to the validation split and, by cross-validation, the training split; judge it on the test.

    Args:
        head: Left unchanged.
        features: Those that it was trained with.

    Returns:
        None where no picture is left to fit a temperature to.
    """
    test, validation = (score(head, features, split) for split in (Split.TEST, Split.VALIDATION))
    crossed = cross_validate(head, features)
    logits = np.concatenate([validation.logits, crossed.logits])
    class_idxs = np.concatenate([validation.class_idxs, crossed.class_idxs])
    if not len(class_idxs):
        return None
    temperature = fit_temperature(logits, class_idxs)
    counts = len(validation.class_idxs), len(crossed.class_idxs)
    if not len(test.class_idxs):
        return Calibration(temperature, *counts, None, None)
    before, after = (reliability(test.logits, test.class_idxs, temperature=each) for each in (1.0, temperature))
    return Calibration(temperature, *counts, before, after)


def fit_temperature(logits: NDArray[np.floating[Any]], class_idxs: NDArray[np.int64]) -> float:
    """Find the temperature T for which softmax(logits / T) gives the truth the highest likelihood, if T is not 1.

    T above 1 makes a head less sure, below 1 surer; the order of the classes stays. Where every answer is right the
    likelihood alone would grow without end as T falls to 0, and where few are wrong their chance decides. So log T has
    a normal prior around 0, and unless the likelihood at T exceeds that at 1 significantly (likelihood ratio, 1%), T
    is 1: nothing says that the head's own scale is wrong.

    Args:
        logits: (n, K), n at least 1.
        class_idxs: The truth, (n,).

    Returns:
        T, within TEMPERATURE_BOUNDS. How well it does must be judged on other pictures.

    Source:
        Guo et al. 2017, https://arxiv.org/abs/1706.04599; the test is Wilks 1938, https://doi.org/10.1214/aoms/1177732360
    """
    lowest, highest = TEMPERATURE_BOUNDS
    targets = np.eye(logits.shape[1])[class_idxs]
    factor = fit_inverse_temperature(logits, targets, np.ones(len(logits)), (1 / highest, 1 / lowest), prior=_PRIOR)
    gain = log_likelihood(factor * logits.astype(np.float64), class_idxs) - log_likelihood(logits, class_idxs)
    return 1 / factor if 2 * gain > _CHI2_99 else 1.0


def log_likelihood(logits: NDArray[np.floating[Any]], class_idxs: NDArray[np.int64]) -> float:
    """Return the summed logarithm of the probabilities that logits (n, K) give to the truth (n,), in nats."""
    loss = functional.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(class_idxs), reduction="sum")
    return -float(loss)


def reliability(
    logits: NDArray[np.floating[Any]], class_idxs: NDArray[np.int64], *, temperature: float = 1.0, num_bins: int = 10
) -> Reliability:
    """Compare a head's confidence with its accuracy, in bins of confidence.

    Args:
        logits: (n, K).
        class_idxs: The truth, (n,).
        temperature: Divisor of the logits. Only pictures to which it was not fitted are a fair check of it.
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
