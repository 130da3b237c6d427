"""The closed-form head."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from demo.models.ridge import (
    INVERSE_TEMPERATURE_BOUNDS,
    RidgePath,
    balance,
    choose_penalty,
    fit_inverse_temperature,
    fit_ridge,
)

Reals = NDArray[np.floating[Any]]
Points = tuple[NDArray[np.float32], NDArray[np.int64]]

CLASS_IDXS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2])


def points(num_features: int, seed: int = 0) -> Points:
    """Return twelve points of three unequal classes, which overlap."""
    values = np.random.default_rng(seed).normal(size=(12, num_features)) + CLASS_IDXS[:, np.newaxis]
    return values.astype(np.float32), CLASS_IDXS


def clouds(num_low: int, num_high: int, seed: int = 0) -> Points:
    """Return two clouds of points in eight dimensions; the line between them is right for 92% of either."""
    class_idxs = np.repeat([0, 1], [num_low, num_high])
    values = np.random.default_rng(seed).normal(size=(num_low + num_high, 8)) + class_idxs[:, np.newaxis]
    return values.astype(np.float32), class_idxs


def probabilities(head: tuple[NDArray[np.float32], NDArray[np.float32]], features: NDArray[np.float32]) -> Reals:
    linear = torch.nn.Linear(features.shape[1], len(head[1]))
    linear.load_state_dict({"weight": torch.from_numpy(head[0]), "bias": torch.from_numpy(head[1])})
    with torch.inference_mode():
        answer: Reals = torch.softmax(linear(torch.from_numpy(features)), dim=1).numpy()
    return answer


def test_the_classes_weigh_the_same() -> None:
    np.testing.assert_allclose(balance(CLASS_IDXS), [4 / 6] * 6 + [4 / 3] * 6)
    np.testing.assert_allclose(balance(np.array([3, 1, 3])), [0.75, 1.5, 0.75])


def test_the_penalty_is_the_mean_eigenvalue_where_no_class_has_two_pictures() -> None:
    features = points(5)[0][:3]
    path = RidgePath.of(features, np.array([2, 0, 1]), 3)
    centred = features.astype(float) - features.mean(axis=0, dtype=float)
    assert choose_penalty(path) == pytest.approx((centred**2).sum() / 3)


@pytest.mark.parametrize("true_factor", [0.3, 1.0, 4.0])
def test_the_scale_finds_the_factor_that_made_the_labels(true_factor: float) -> None:
    scores = np.random.default_rng(0).normal(size=(2000, 3))
    targets = torch.softmax(torch.from_numpy(true_factor * scores), dim=1).numpy()
    assert fit_inverse_temperature(scores, targets, np.ones(2000), (0.01, 100.0)) == pytest.approx(
        true_factor, rel=1e-6
    )


def test_the_scale_stays_within_its_bounds() -> None:
    scores, ones = np.array([[2.0, -1.0], [0.0, 1.0]]), np.ones(2)
    always_right, always_wrong = np.eye(2), np.eye(2)[::-1]
    assert fit_inverse_temperature(scores, always_right, ones, (0.1, 30.0)) == pytest.approx(30.0)
    assert fit_inverse_temperature(scores, always_wrong, ones, (0.1, 30.0)) == pytest.approx(0.1)
    assert fit_inverse_temperature(1e6 * scores, always_right, ones, (0.1, 30.0)) == pytest.approx(30.0)


def test_the_head_has_the_scale_with_the_smallest_cross_entropy() -> None:
    features, class_idxs = clouds(40, 20)
    path = RidgePath.of(features, class_idxs, 2)
    penalty = choose_penalty(path)
    weight, bias = path.solve(penalty)
    head = fit_ridge(features, class_idxs, 2)
    scale = float(head[0][0, 0] / weight[0, 0])
    np.testing.assert_allclose(head[0], scale * weight, rtol=1e-5)
    np.testing.assert_allclose(head[1], scale * bias, rtol=1e-5)
    scores = torch.from_numpy(path.leave_one_out(penalty))
    # 60 right of 60 would make it 61 of 62 by Laplace's rule.
    targets = torch.from_numpy(np.eye(2)[class_idxs] * 60 / 62 + 1 / 62)
    weights = torch.tensor([0.75] * 40 + [1.5] * 20)

    def cross_entropy(factor: float) -> float:
        losses = torch.nn.functional.cross_entropy(factor * scores, targets, reduction="none")
        return float(weights.double() @ losses)

    assert INVERSE_TEMPERATURE_BOUNDS[0] < scale < INVERSE_TEMPERATURE_BOUNDS[1]
    assert cross_entropy(scale) < min(cross_entropy(0.99 * scale), cross_entropy(1.01 * scale))


def test_overlapping_clouds_are_told_apart_as_well_as_can_be() -> None:
    features, class_idxs = clouds(1000, 1000, seed=1)
    found = probabilities(fit_ridge(*clouds(150, 150), 2), features)
    assert (found.argmax(axis=1) == class_idxs).mean() > 0.90  # the best line: 0.921, the normal's share below sqrt(2)
    sure = found.max(axis=1) > 0.9
    assert 0.9 < (found.argmax(axis=1) == class_idxs)[sure].mean() < 1.0
    assert found.max(axis=1).mean() == pytest.approx((found.argmax(axis=1) == class_idxs).mean(), abs=0.03)


def test_a_rare_class_is_found_as_often_as_a_frequent_one() -> None:
    features, class_idxs = clouds(1000, 1000, seed=1)
    right = probabilities(fit_ridge(*clouds(200, 20), 2), features).argmax(axis=1) == class_idxs
    assert right[:1000].mean() == pytest.approx(0.9, abs=0.06)
    assert right[1000:].mean() == pytest.approx(0.9, abs=0.06)


def test_a_class_that_comes_twice_weighs_no_more() -> None:
    features, class_idxs = points(5)
    twice = np.append(np.arange(12), np.arange(6))
    once = RidgePath.of(features, class_idxs, 3).solve(1.2)
    doubled = RidgePath.of(features[twice], class_idxs[twice], 3).solve(1.8)  # 18 for 12 pictures
    np.testing.assert_allclose(doubled[0], once[0], atol=1e-10)
    np.testing.assert_allclose(doubled[1], once[1], atol=1e-10)


@pytest.mark.parametrize("num_features", [4, 30])
def test_units_zero_point_and_order_of_the_features_do_not_matter(num_features: int) -> None:
    features, class_idxs = points(num_features)
    expected = probabilities(fit_ridge(features, class_idxs, 3), features)
    larger = (64 * features).astype(np.float32)
    np.testing.assert_allclose(probabilities(fit_ridge(larger, class_idxs, 3), larger), expected, atol=1e-5)
    moved = features + np.float32(16)
    np.testing.assert_allclose(probabilities(fit_ridge(moved, class_idxs, 3), moved), expected, atol=1e-3)
    order = np.random.default_rng(0).permutation(12)
    mixed = fit_ridge(features[order], class_idxs[order], 3)
    np.testing.assert_allclose(probabilities(mixed, features), expected, atol=1e-5)


def test_the_same_pictures_give_the_same_head_and_stay_as_they_are() -> None:
    features, class_idxs = points(5)
    before = features.copy(), class_idxs.copy()
    first, second = fit_ridge(features, class_idxs, 3), fit_ridge(features, class_idxs, 3)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(features, before[0])
    np.testing.assert_array_equal(class_idxs, before[1])


TWELVE = points(30)[0]


@pytest.mark.parametrize(
    ("features", "class_idxs", "num_classes"),
    [
        pytest.param(TWELVE[:1], [0], 2, id="one picture"),
        pytest.param(TWELVE[:2], [0, 1], 2, id="two pictures"),
        pytest.param(TWELVE[:2], [0, 0], 2, id="one class"),
        pytest.param(TWELVE[:3], [0, 1, 2], 3, id="one picture in each class"),
        pytest.param(TWELVE, [0] * 11 + [1], 2, id="one picture in a class"),
        pytest.param(TWELVE, [0] * 6 + [2] * 6, 4, id="absent classes"),
        pytest.param(np.repeat(TWELVE[:2], 6, axis=0), [0] * 6 + [1] * 6, 2, id="every picture six times"),
        pytest.param(np.repeat(TWELVE[:6], 2, axis=0), [0, 1] * 6, 2, id="the same pictures in both classes"),
        pytest.param(np.full((12, 30), 0.1, np.float32), CLASS_IDXS, 3, id="constant"),
        pytest.param(np.zeros((12, 30), np.float32), CLASS_IDXS, 3, id="zero"),
        pytest.param(1e-12 * TWELVE, CLASS_IDXS, 3, id="tiny"),
        pytest.param(1e12 * TWELVE, CLASS_IDXS, 3, id="huge"),
        pytest.param(TWELVE * ([1] + [0] * 29), CLASS_IDXS, 3, id="one feature alive"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_whatever_the_pictures_are_the_head_is_finite(
    features: NDArray[Any], class_idxs: list[int], num_classes: int, dtype: Any
) -> None:
    features = features.astype(np.float32)
    weight, bias = fit_ridge(features, np.array(class_idxs), num_classes, dtype=dtype)
    assert (weight.shape, bias.shape) == ((num_classes, 30), (num_classes,))
    assert weight.dtype == bias.dtype == np.dtype(np.float32)
    assert np.isfinite(weight).all()
    assert np.isfinite(bias).all()
    assert np.isfinite(features @ weight.T + bias).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0])
def test_features_that_are_all_the_same_leave_the_classes_equally_likely(value: float) -> None:
    features = np.full((12, 30), value, np.float32)
    np.testing.assert_allclose(probabilities(fit_ridge(features, CLASS_IDXS, 3), features), 1 / 3, atol=1e-4)


def test_the_same_pictures_in_both_classes_leave_the_head_unsure() -> None:
    features = np.repeat(TWELVE[:6], 2, axis=0)
    found = probabilities(fit_ridge(features, np.array([0, 1] * 6), 2), features)
    np.testing.assert_allclose(found, 0.5, atol=1e-4)


def test_two_pictures_are_told_apart_without_being_sure() -> None:
    features = TWELVE[:2]
    found = probabilities(fit_ridge(features, np.array([0, 1]), 2), features)
    assert found.argmax(axis=1).tolist() == [0, 1]
    assert found.max() < 0.8


def test_a_few_pictures_that_are_all_right_do_not_make_a_head_sure() -> None:
    features, class_idxs = clouds(6, 6)
    features = features + 20 * class_idxs[:, np.newaxis].astype(np.float32)  # far apart
    found = probabilities(fit_ridge(features, class_idxs, 2), features)
    assert (found.argmax(axis=1) == class_idxs).all()
    assert 0.85 < found.max(axis=1).mean() < 0.97  # Laplace: 13 of 14, which is 0.93


def faint(num_samples: int, seed: int) -> Points:
    """Return features as rectified, pooled ones can be: all far above 0, with sizes from 1 to 1e-5.

    Only the faint directions, the last quarter, know the class; a head that sees them is right for 99.9%.
    """
    generator, num_features = np.random.default_rng(seed), 64
    axes = np.linalg.qr(np.random.default_rng(7).normal(size=(num_features, num_features)))[0]
    class_idxs = np.arange(num_samples) % 2
    values = generator.normal(size=(num_samples, num_features))
    values[:, 48:] += 0.75 * (2 * class_idxs[:, np.newaxis] - 1)  # 3 standard deviations on either side, over 16
    return (30 + values * np.geomspace(1, 1e-5, num_features) @ axes.T).astype(np.float32), class_idxs


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_float64_keeps_the_faint_directions_that_float32_loses(seed: int) -> None:
    features, class_idxs = faint(1000, seed + 1)
    wrong = {}
    for dtype in (np.float64, np.float32):
        weight, bias = fit_ridge(*faint(300, seed), 2, dtype=dtype)
        # The answers are computed in float64, so that only the fit differs.
        logits = features.astype(np.float64) @ weight.T.astype(np.float64) + bias
        wrong[dtype] = int((logits.argmax(axis=1) != class_idxs).sum())
    assert features.min() > 0
    assert wrong[np.float64] <= 12
    assert wrong[np.float32] >= 36
