"""How sure a head is, beside how often it is right."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from demo.data.dataset import Split
from demo.models.head import Head, TrainingSummary
from demo.models.recipe import Optimizer, Recipe
from demo.models.ridge import fit_ridge
from demo.models.zoo import EMBEDDED
from demo.tasks.calibration import TEMPERATURE_BOUNDS, calibrate, fit_temperature, log_likelihood, reliability
from demo.tasks.features import Features
from demo.tasks.finetune import FineTuned, score
from tests.tasks.test_evaluate import logits_of, made_logits


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    logits, class_idxs = made_logits()
    found = fit_temperature(temperature * logits, class_idxs)
    assert found == pytest.approx(temperature, rel=0.03)  # 20,000 samples know it to about 1%


@pytest.mark.parametrize("sharpness", [1.0, 5.0])
def test_the_fewer_pictures_the_nearer_to_1(sharpness: float) -> None:
    logits, class_idxs = made_logits(seed=1)
    few, some, many = (fit_temperature(sharpness * logits[:n], class_idxs[:n]) for n in (10, 300, 20_000))
    assert 1 <= few <= some <= 1.02 * many
    assert many == pytest.approx(sharpness, rel=0.03)


@pytest.mark.parametrize("count", [1, 4, 60, 2000])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_no_number_of_right_answers_leads_to_the_bound(count: int, scale: float) -> None:
    class_idxs = np.arange(count) % 3
    temperature = fit_temperature(scale * np.eye(3, dtype=np.float32)[class_idxs], class_idxs)
    assert 5 * TEMPERATURE_BOUNDS[0] < temperature <= 1


def test_sure_and_all_right_is_left_as_it_is() -> None:
    class_idxs = np.arange(60) % 3
    assert fit_temperature(5 * np.eye(3, dtype=np.float32)[class_idxs], class_idxs) == 1


def test_a_head_that_is_sure_and_wrong_becomes_less_sure() -> None:
    class_idxs = np.arange(60) % 3
    assert fit_temperature(5 * np.eye(3, dtype=np.float32)[class_idxs - 1], class_idxs) > 1.5


def test_a_likelihood_of_1_is_not_improved_upon() -> None:
    logits = 1e6 * np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    assert log_likelihood(logits, np.array([0, 1, 2, 0])) == 0
    assert fit_temperature(logits, np.array([0, 1, 2, 0])) == 1


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


def made_head(num_train: int = 40, num_val: int = 10, num_test: int = 10, *, factor: float = 1.0) -> FineTuned:
    """Train on two clouds that overlap; the head's logits are then made `factor` times as large."""
    count = num_train + num_val + num_test
    generator = np.random.default_rng(0)
    class_idxs = np.arange(count) % 2
    values = generator.normal(size=(count, 6)).astype(np.float32) + class_idxs[:, np.newaxis].astype(np.float32)
    splits = (Split.TRAIN,) * num_train + (Split.VALIDATION,) * num_val + (Split.TEST,) * num_test
    features = Features(EMBEDDED, ("low", "high"), values, class_idxs, splits)
    recipe = Recipe(optimizer=Optimizer.RIDGE)
    weight, bias = fit_ridge(values[:num_train], class_idxs[:num_train], 2)
    module = torch.nn.Linear(6, 2).requires_grad_(False)
    module.load_state_dict({"weight": factor * torch.from_numpy(weight), "bias": factor * torch.from_numpy(bias)})
    summary = TrainingSummary(recipe, 1, 1, num_train, 1.0, 1.0, 1, num_val, None, 0, num_test, 0.1)
    return FineTuned(Head(module, features.class_names, EMBEDDED, summary), features)


def test_the_temperature_does_not_depend_on_the_pictures_that_judge_it() -> None:
    tuned = made_head(num_val=200, num_test=100, factor=4)
    found = calibrate(tuned.head, tuned.features)
    values, class_idxs = tuned.features.values.copy(), tuned.features.class_idxs.copy()
    test = tuned.features.chosen(Split.TEST)
    values[test], class_idxs[test] = -values[test], 1 - class_idxs[test]
    other = calibrate(tuned.head, replace(tuned.features, values=values, class_idxs=class_idxs))
    assert found is not None
    assert other is not None
    assert found.temperature == other.temperature > 1.5
    assert found.before != other.before
    assert (found.num_validation, found.num_training) == (200, 40)


def test_the_test_split_judges_with_and_without() -> None:
    tuned = made_head(num_val=200, num_test=100, factor=4)
    found = calibrate(tuned.head, tuned.features)
    test = score(tuned.head, tuned.features, Split.TEST)
    assert found is not None
    assert found.before == reliability(test.logits, test.class_idxs)
    assert found.after == reliability(test.logits, test.class_idxs, temperature=found.temperature)
    assert found.before.count == 100


def test_without_a_test_split_nothing_judges_the_temperature() -> None:
    tuned = made_head(num_test=0)
    found = calibrate(tuned.head, tuned.features)
    assert found is not None
    assert (found.before, found.after) == (None, None)


def test_without_pictures_that_were_not_learned_from_there_is_no_temperature() -> None:
    tuned = made_head(num_train=2, num_val=0, num_test=4)  # each training picture is alone in its class
    assert calibrate(tuned.head, tuned.features) is None


def test_layers_that_have_seen_all_training_pictures_are_not_asked_about_them() -> None:
    tuned = made_head()
    head = replace(tuned.head, tuned={"layer": torch.zeros(1)})
    found = calibrate(head, tuned.features)
    assert found is not None
    assert (found.num_validation, found.num_training) == (10, 0)
