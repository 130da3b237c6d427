"""What the demo computes itself, beside scikit-learn, scipy and statsmodels: the same within 1e-9."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binned_statistic, chi2, spearmanr
from scipy.stats.mstats import mquantiles
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, precision_recall_fscore_support
from sklearn.neighbors import NearestNeighbors
from statsmodels.stats.proportion import proportion_confint

from demo.models.ridge import PENALTIES, RidgePath, choose_penalty, fit_inverse_temperature
from demo.tasks.calibration import fit_temperature, reliability
from demo.tasks.erase import compare_maps
from demo.tasks.evaluate import Scores, confuse, measure, per_class, wilson
from demo.tasks.novelty import NUM_NEIGHBOURS, compare, distance_to, threshold_for
from demo.tasks.projection import project

CLOSE: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9}


def blobs(num_features: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return 24 points of three unequal classes, which overlap."""
    class_idxs = np.repeat([0, 1, 2], [12, 8, 4])
    values = np.random.default_rng(seed).normal(size=(24, num_features)) + class_idxs[:, np.newaxis]
    return values.astype(np.float32), class_idxs


@pytest.fixture(scope="module", params=[0, 1, 2])
def scores(request: pytest.FixtureRequest) -> Scores:
    """What an imperfect head says of 300 pictures; it never names the last of its five classes."""
    generator = np.random.default_rng(request.param)
    class_idxs = generator.integers(0, 5, 300)
    logits = generator.normal(size=(300, 5)) + 1.5 * np.eye(5)[class_idxs]
    logits[:, 4] = -9
    return Scores(np.arange(300), class_idxs, logits.astype(np.float32), np.zeros((300, 1), np.float32), tuple("abcde"))


@pytest.mark.parametrize("num_features", [4, 30])
@pytest.mark.parametrize("penalty", [1e-3, 1.0, 50.0])
def test_the_closed_form_head_is_scikit_learns_ridge_classifier(num_features: int, penalty: float) -> None:
    features, class_idxs = blobs(num_features)
    weight, bias = RidgePath.of(features, class_idxs, 3).solve(penalty)
    theirs = RidgeClassifier(alpha=penalty, class_weight="balanced", solver="svd").fit(
        features.astype(float), class_idxs
    )
    # Their targets are -1 and 1, ours 0 and 1.
    np.testing.assert_allclose(weight, theirs.coef_ / 2, **CLOSE)
    np.testing.assert_allclose(bias, (theirs.intercept_ + 1) / 2, **CLOSE)


@pytest.mark.parametrize("num_features", [4, 30])
@pytest.mark.parametrize("seed", [0, 6, 11, 16, 28])  # in all but the first the classes' weights decide for 4 or 30
def test_leaving_one_out_and_the_penalty_are_scikit_learns(num_features: int, seed: int) -> None:
    features, class_idxs = blobs(num_features, seed)
    path = RidgePath.of(features, class_idxs, 3)
    alphas = PENALTIES * path.unit
    theirs = RidgeClassifierCV(alphas=alphas, class_weight="balanced", store_cv_results=True)
    theirs.fit(features.astype(float), class_idxs)
    for place, penalty in enumerate(alphas[:12]):  # the weakest ones leave rounding alone
        errors = path.weights[:, np.newaxis] * (path.leave_one_out(penalty) - path.targets) ** 2
        np.testing.assert_allclose(errors, theirs.cv_results_[..., place] / 4, **CLOSE)
    assert choose_penalty(path) == theirs.alpha_


@pytest.mark.parametrize("shape", [(20, 6), (6, 20), (40, 40)])
def test_a_projection_is_scikit_learns_principal_components(shape: tuple[int, int]) -> None:
    features = (np.random.default_rng(0).normal(size=shape) * np.geomspace(9, 1, shape[1]) + 5).astype(np.float32)
    pca = PCA(2, svd_solver="full")
    theirs, ours = pca.fit_transform(features.astype(float)), project(features)
    np.testing.assert_allclose(ours.points, theirs * np.sign((theirs * ours.points).sum(axis=0)), **CLOSE)
    np.testing.assert_allclose(ours.shares, pca.explained_variance_ratio_, **CLOSE)


def test_counts_of_right_and_wrong_answers_are_scikit_learns(scores: Scores) -> None:
    truths, answers = scores.class_idxs, scores.answers
    np.testing.assert_array_equal(confuse(scores), confusion_matrix(truths, answers, labels=range(5)))
    assert measure(scores).share == pytest.approx(accuracy_score(truths, answers), abs=1e-9)
    assert measure(scores).balanced == pytest.approx(balanced_accuracy_score(truths, answers), abs=1e-9)
    theirs = precision_recall_fscore_support(truths, answers, labels=range(5), zero_division=np.nan)
    ours = [(each.precision, each.recall, each.f1, each.count) for each in per_class(scores)]
    np.testing.assert_allclose(np.array(ours, float).T, theirs, **CLOSE)  # None becomes NaN, as theirs is


def test_probabilities_are_scipys(scores: Scores) -> None:
    expected = softmax(scores.logits.astype(float), axis=1)
    np.testing.assert_allclose(scores.probabilities, expected, **CLOSE)


@pytest.mark.parametrize("prior", [0.0, 16.0])
def test_the_inverse_temperature_is_where_scipy_finds_the_slope_to_be_zero(scores: Scores, prior: float) -> None:
    known = scores.class_idxs < 4  # the class that is never named would make the best temperature endless
    logits, targets = scores.logits[known].astype(float), np.eye(5)[scores.class_idxs[known]]

    def slope(factor: float) -> Any:
        return ((softmax(factor * logits, axis=1) - targets) * logits).sum() + prior * np.log(factor) / factor

    expected = brentq(slope, 0.05, 20, xtol=1e-13)
    found = fit_inverse_temperature(logits, targets, np.ones(len(logits)), (0.05, 20), prior=prior)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_is_scipys_where_scipy_finds_it_significant_and_1_elsewhere(
    scores: Scores, sharpness: float
) -> None:
    known = scores.class_idxs < 4
    logits, class_idxs = sharpness * scores.logits[known], scores.class_idxs[known]

    def loss(log_temperature: float) -> Any:
        return -log_softmax(logits * np.exp(-log_temperature), axis=1)[np.arange(len(logits)), class_idxs].sum()

    best = minimize_scalar(lambda each: loss(each) + 8 * each**2, bounds=(-3, 3), options={"xatol": 1e-9}).x
    is_significant = chi2.sf(2 * (loss(0.0) - loss(best)), 1) < 0.01
    assert fit_temperature(logits, class_idxs) == pytest.approx(np.exp(best) if is_significant else 1.0, abs=1e-5)


@pytest.mark.parametrize("num_bins", [4, 10, 15])
def test_bins_of_confidence_are_scikit_learns_and_scipys(scores: Scores, num_bins: int) -> None:
    confidences = scores.probabilities.max(axis=1)
    right = scores.answers == scores.class_idxs
    found = reliability(scores.logits, scores.class_idxs, num_bins=num_bins)
    ours = [(each.accuracy, each.confidence) for each in found.bins if each.count]
    np.testing.assert_allclose(np.array(ours, float).T, calibration_curve(right, confidences, n_bins=num_bins), **CLOSE)
    gaps, _, _ = binned_statistic(confidences, right - confidences, "sum", bins=num_bins, range=(0, 1))
    assert found.calibration_error == pytest.approx(np.abs(gaps).sum() / 300, abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 7, 20, 153, 10_000])
def test_wilsons_interval_is_that_of_statsmodels(count: int) -> None:
    for correct in range(0, count + 1, max(1, count // 50)):
        assert wilson(correct, count) == pytest.approx(proportion_confint(correct, count, method="wilson"), abs=1e-9)


@pytest.mark.parametrize("levels", [2, 10, 10**6])  # few levels: many cells are equally hot
def test_how_alike_two_maps_are_is_scipys_rank_correlation(levels: int) -> None:
    first, second = np.random.default_rng(levels).integers(0, levels, (2, 7, 7)).astype(float)
    assert compare_maps(first, second) == pytest.approx(spearmanr(first.ravel(), second.ravel()).statistic, abs=1e-9)


@pytest.mark.parametrize("num_features", [4, 30])
def test_the_distance_of_each_picture_to_the_others_is_scikit_learns_to_its_neighbours(num_features: int) -> None:
    features, _ = blobs(num_features)
    theirs = NearestNeighbors(n_neighbors=NUM_NEIGHBOURS, metric="cosine").fit(features.astype(float))
    distances, _ = theirs.kneighbors()  # without arguments, nobody is its own neighbour
    np.testing.assert_allclose(distance_to(compare(features, range(24))), distances.mean(axis=1), **CLOSE)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("count", [1, 16, 153])
def test_a_novelty_threshold_is_scipys_quantile(count: int, share: float) -> None:
    distances = np.random.default_rng(count).random(count)
    (expected,) = mquantiles(distances, share, alphap=0.5, betap=0.5)
    assert threshold_for(distances, share) == pytest.approx(expected, abs=1e-9)
