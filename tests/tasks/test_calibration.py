"""How sure a head is, beside how often it is right."""

import numpy as np
import pytest
import torch

from demo.tasks.calibration import TEMPERATURE_BOUNDS, Calibration, calibrate, fit_temperature, reliability
from tests.tasks.test_evaluate import logits_of, made_logits, scores


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    logits, class_idxs = made_logits()
    found = fit_temperature(temperature * logits, class_idxs)
    assert found == pytest.approx(temperature, rel=0.03)  # 20,000 samples know it to about 1%


def test_no_other_temperature_is_more_likely() -> None:
    logits, class_idxs = made_logits(seed=1, count=300)
    best = fit_temperature(logits, class_idxs)

    def nll(temperature: float) -> float:
        tensor = torch.from_numpy(logits).double() / temperature
        return float(torch.nn.functional.cross_entropy(tensor, torch.from_numpy(class_idxs)))

    assert nll(best) < min(nll(0.99 * best), nll(1.01 * best))


def test_the_temperature_of_a_head_that_is_always_right_or_wrong_is_a_bound() -> None:
    logits = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    lowest, highest = TEMPERATURE_BOUNDS
    assert fit_temperature(logits, np.array([0, 1, 2, 0])) == pytest.approx(lowest)
    assert fit_temperature(logits, np.array([1, 2, 0, 2])) == pytest.approx(highest)
    assert fit_temperature(1e6 * logits, np.array([0, 1, 2, 0])) == pytest.approx(lowest)


def test_probabilities_that_are_meant_are_well_calibrated() -> None:
    logits, class_idxs = made_logits()
    found = reliability(logits, class_idxs)
    assert found.calibration_error < 0.02
    assert reliability(4 * logits, class_idxs).calibration_error > 0.1
    assert reliability(4 * logits, class_idxs, temperature=4.0) == found
    assert sum(each.count for each in found.bins) == 20_000


def test_the_bins_hold_what_they_should() -> None:
    rows = [[0.9, 0.1], [0.8, 0.2], [0.45, 0.55], [0.6, 0.4]]
    found = reliability(logits_of(rows), np.array([0, 1, 1, 0]), num_bins=4)
    assert [(each.low, each.high, each.count) for each in found.bins] == [
        (0.0, 0.25, 0),
        (0.25, 0.5, 0),
        (0.5, 0.75, 2),
        (0.75, 1.0, 2),
    ]
    assert (found.bins[0].confidence, found.bins[0].accuracy) == (None, None)
    assert (found.bins[2].confidence, found.bins[2].accuracy) == pytest.approx((0.575, 1.0))
    assert (found.bins[3].confidence, found.bins[3].accuracy) == pytest.approx((0.85, 0.5))
    assert found.calibration_error == pytest.approx((2 * 0.425 + 2 * 0.35) / 4)


def test_a_confidence_on_the_edge_of_two_bins_is_in_the_lower_one() -> None:
    found = reliability(np.zeros((1, 2), dtype=np.float32), np.array([0]), num_bins=4)
    assert [each.count for each in found.bins] == [0, 1, 0, 0]
    assert (found.bins[1].high, found.bins[1].confidence) == (0.5, 0.5)


def test_a_sure_head_is_in_the_last_bin() -> None:
    found = reliability(np.array([[1000.0, 0.0]], dtype=np.float32), np.array([0]))
    assert [each.count for each in found.bins] == [0] * 9 + [1]
    assert found.calibration_error == 0.0


def test_the_temperature_is_the_validation_splits_and_the_reliability_that_of_the_split() -> None:
    validation, test = (made_logits(seed=seed, count=2000) for seed in (1, 2))
    names = ("a", "b", "c", "d")
    asked, fitted = (scores(idxs.tolist(), 4 * logits, class_names=names) for logits, idxs in (test, validation))
    found = calibrate(asked, fitted)
    temperature = fit_temperature(4 * validation[0], validation[1])
    assert isinstance(found, Calibration)
    assert found.temperature == temperature == pytest.approx(4, rel=0.1)
    assert found.before == reliability(4 * test[0], test[1])
    assert found.after == reliability(4 * test[0], test[1], temperature=temperature)
    assert found.after.calibration_error < found.before.calibration_error / 3


def test_without_validation_pictures_there_is_no_temperature() -> None:
    assert calibrate(scores([0], np.eye(3)[[0]]), scores([], np.zeros((0, 3)))) is None
