"""What a head says of a split -> honest results."""

import math
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from demo.data.images import read_image
from demo.models.backbone import Backbone
from demo.models.ridge import fit_ridge
from demo.settings import Settings
from demo.tasks.evaluate import (
    TEMPERATURE_BOUNDS,
    Accuracy,
    ClassResult,
    Judgement,
    Novelty,
    Scores,
    confuse,
    find_cell,
    fit_novelty,
    fit_temperature,
    judge,
    measure,
    nearest,
    per_class,
    project,
    reliability,
    threshold_for,
    top,
    wilson,
)

NAMES = ("ant", "bee", "wasp")


def logits_of(rows: list[list[float]]) -> NDArray[np.float32]:
    """Return logits whose softmax are these rows."""
    return np.log(np.array(rows, dtype=np.float32))


def scores(
    class_idxs: list[int],
    logits: NDArray[Any],
    features: NDArray[Any] | None = None,
    class_names: tuple[str, ...] = NAMES,
    first: int = 100,
) -> Scores:
    """Return scores of samples that are numbered from `first`; the features are the logits unless given."""
    count = len(class_idxs)
    return Scores(
        sample_idxs=np.arange(first, first + count),
        class_idxs=np.array(class_idxs, dtype=np.int64),
        logits=logits.astype(np.float32),
        features=(logits if features is None else features).astype(np.float32),
        class_names=class_names,
    )


@pytest.fixture(scope="module")
def six() -> Scores:
    """Six samples of three classes; the third class is never the answer, and two ants are taken for bees."""
    rows = [
        [0.8, 0.1, 0.1],
        [0.3, 0.5, 0.2],
        [0.0625, 0.875, 0.0625],
        [0.1, 0.6, 0.3],
        [0.4, 0.3, 0.3],
        [0.7, 0.2, 0.1],
    ]
    return scores([0, 0, 0, 1, 2, 2], logits_of(rows))


def made_logits(seed: int = 0, count: int = 20_000) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return logits (n, 4), and classes that are drawn from just the probabilities that they state."""
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=(count, 4))
    noise = generator.gumbel(size=(count, 4))  # the largest of logits and Gumbel noise is a draw from the softmax
    return logits.astype(np.float32), (logits + noise).argmax(axis=1)


def test_wilsons_interval_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("count", [1, 2, 7, 9, 15, 153])
def test_wilsons_interval_holds_the_share_and_mirrors(count: int) -> None:
    assert wilson(0, count)[0] == 0.0
    assert wilson(count, count)[1] == 1.0
    for correct in range(count + 1):
        low, high = wilson(correct, count)
        assert 0.0 <= low <= correct / count <= high <= 1.0
        assert high - low < 1.0
        assert wilson(count - correct, count) == pytest.approx((1 - high, 1 - low))


def test_right_answers_are_counted_with_their_interval(six: Scores) -> None:
    found = measure(six)
    assert (found.correct, found.count) == (2, 6)
    assert (found.low, found.high) == wilson(2, 6)
    assert found.share == pytest.approx(1 / 3)
    assert found.points_per_picture == pytest.approx(100 / 6)
    assert Accuracy(146, 153, 0.9, 1.0).points_per_picture == pytest.approx(0.65, abs=0.005)


def test_a_split_without_samples_counts_as_nothing() -> None:
    empty = scores([], np.zeros((0, 3)))
    assert measure(empty) == Accuracy(0, 0, 0.0, 1.0)
    assert (measure(empty).share, measure(empty).points_per_picture) == (0.0, 0.0)
    assert confuse(empty).tolist() == [[0, 0, 0]] * 3
    assert find_cell(empty, 0, 1).tolist() == []
    assert {(each.precision, each.recall, each.f1) for each in per_class(empty)} == {(None, None, None)}
    found = reliability(empty.logits, empty.class_idxs)
    assert (found.calibration_error, found.nll) == (0.0, 0.0)


def test_the_confusion_matrix_has_the_truth_in_rows(six: Scores) -> None:
    assert confuse(six).tolist() == [[1, 2, 0], [0, 1, 0], [2, 0, 0]]


def test_the_confusion_matrix_sums_to_the_counts() -> None:
    logits, class_idxs = made_logits(count=500)
    made = scores(class_idxs.tolist(), logits, class_names=("a", "b", "c", "d"))
    cells = confuse(made)
    assert cells.sum(axis=1).tolist() == [int((class_idxs == idx).sum()) for idx in range(4)]
    assert cells.sum(axis=0).tolist() == [int((logits.argmax(axis=1) == idx).sum()) for idx in range(4)]
    assert cells.trace() == measure(made).correct
    for truth, answer in np.ndindex(4, 4):
        positions = find_cell(made, truth, answer)
        assert len(positions) == cells[truth, answer]
        assert (class_idxs[positions] == truth).all()
        sureness = torch.softmax(torch.from_numpy(logits[positions]), dim=1).numpy().max(axis=1)
        assert (np.diff(sureness) <= 1e-6).all()


def test_a_cell_has_the_surest_answer_first(six: Scores) -> None:
    assert find_cell(six, 0, 1).tolist() == [2, 1]
    assert find_cell(six, 2, 0).tolist() == [5, 4]
    assert find_cell(six, 1, 2).tolist() == []


def test_precision_and_recall_of_each_class(six: Scores) -> None:
    ant, bee, wasp = per_class(six)
    assert ant == ClassResult("ant", count=3, answered=3, correct=1)
    assert (ant.precision, ant.recall, ant.f1) == (1 / 3, 1 / 3, 1 / 3)
    assert bee == ClassResult("bee", count=1, answered=3, correct=1)
    assert (bee.precision, bee.recall, bee.f1) == (1 / 3, 1.0, 0.5)
    assert wasp == ClassResult("wasp", count=2, answered=0, correct=0)
    assert (wasp.precision, wasp.recall, wasp.f1) == (None, 0.0, 0.0)


def test_the_best_classes_of_a_sample_come_with_their_probabilities(six: Scores) -> None:
    first, second = top(six, 3, k=2)
    assert (first.class_idx, first.class_name) == (1, "bee")
    assert (second.class_idx, second.class_name) == (2, "wasp")
    assert (first.probability, second.probability) == pytest.approx((0.6, 0.3))
    everything = top(six, 0, k=9)
    assert [each.class_name for each in everything] == ["ant", "bee", "wasp"]
    assert sum(each.probability for each in everything) == pytest.approx(1.0)


def test_enormous_logits_give_finite_probabilities() -> None:
    huge = scores([0], np.array([[1e30, -1e30, 0.0]]))
    assert [each.probability for each in top(huge, 0)] == [1.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def compass() -> Scores:
    """Four training samples in two dimensions: east, north, west, and nowhere."""
    features = np.array([[3.0, 0.0], [0.0, 0.1], [-1.0, 0.0], [0.0, 0.0]])
    return scores([0, 1, 1, 0], np.zeros((4, 3)), features, first=0)


def test_the_nearest_point_the_same_way_whatever_their_length(compass: Scores) -> None:
    asked = scores([0], np.zeros((1, 3)), np.array([[0.3, 0.4]]), first=50)
    north, east = nearest(asked, compass, 0, k=2)
    assert (north.sample_idx, north.class_idx) == (1, 1)
    assert north.similarity == pytest.approx(0.8)
    assert (east.sample_idx, east.class_idx) == (0, 0)
    assert east.similarity == pytest.approx(0.6)
    assert [each.similarity for each in nearest(asked, compass, 0, k=9)][2:] == pytest.approx([0.0, -0.6])


def test_a_training_sample_is_not_its_own_neighbour(compass: Scores) -> None:
    assert [each.sample_idx for each in nearest(compass, compass, 0, k=9)] == [1, 3, 2]
    later = replace(compass, sample_idxs=compass.sample_idxs + 9)
    assert [each.sample_idx for each in nearest(later, compass, 0, k=1)] == [0]


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
    assert reliability(logits, class_idxs, temperature=best).nll == pytest.approx(nll(best), rel=1e-6)


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
    assert found.nll == pytest.approx(-math.log(0.9 * 0.2 * 0.55 * 0.6) / 4)


def test_a_sure_head_is_in_the_last_bin() -> None:
    found = reliability(np.array([[1000.0, 0.0]], dtype=np.float32), np.array([0]))
    assert [each.count for each in found.bins] == [0] * 9 + [1]
    assert (found.calibration_error, found.nll) == (0.0, 0.0)


def cone(direction: int, count: int, seed: int, num_features: int = 16) -> NDArray[np.float32]:
    """Return features near one axis, bright and dim."""
    generator = np.random.default_rng(seed)
    features = 0.1 * generator.normal(size=(count, num_features))
    features[:, direction] += 1.0
    return (features * generator.uniform(0.1, 10.0, size=(count, 1))).astype(np.float32)


@pytest.fixture(scope="module")
def two_cones() -> Novelty:
    features = np.concatenate([cone(0, 40, seed=0), cone(1, 40, seed=1)])
    return fit_novelty(scores([0] * 40 + [1] * 40, np.zeros((80, 3)), features))


def test_points_far_from_every_class_are_rejected(two_cones: Novelty) -> None:
    known = two_cones.distance(np.concatenate([cone(0, 100, seed=2), cone(1, 100, seed=3)]))
    threshold = threshold_for(known, 0.95)
    assert judge(known, threshold) == Judgement(accepted=190, rejected=10)
    assert judge(two_cones.distance(cone(5, 50, seed=4)), threshold) == Judgement(accepted=0, rejected=50)
    assert judge(two_cones.distance(-cone(0, 50, seed=5)), threshold) == Judgement(accepted=0, rejected=50)


def test_the_distance_is_the_angle_to_the_nearest_class_mean() -> None:
    known = scores([0, 0, 2], np.zeros((3, 3)), np.array([[2.0, 0.0], [4.0, 0.0], [0.0, 1.0]]))
    novelty = fit_novelty(known)
    assert novelty.class_means.tolist() == [[3.0, 0.0], [0.0, 1.0]]
    assert novelty.class_means.dtype == np.float32
    asked = np.array([[5.0, 0.0], [3.0, 4.0], [-1.0, -1.0], [0.0, 0.0]], dtype=np.float32)
    assert novelty.distance(asked) == pytest.approx([0.0, 0.2, 1 + math.sqrt(0.5), 1.0], abs=1e-6)
    assert novelty.distance(1000 * asked) == pytest.approx(novelty.distance(asked), abs=1e-6)


@pytest.mark.parametrize("share", [0.07, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("count", [1, 20, 100, 153])
def test_the_threshold_accepts_the_share_and_no_more_than_it_must(share: float, count: int) -> None:
    distances = np.random.default_rng(0).permutation(np.linspace(0.1, 0.9, count))
    accepted = judge(distances, threshold_for(distances, share)).accepted
    assert accepted >= share * count - 1e-6
    assert accepted - 1 < share * count - 1e-6


def test_a_plane_is_seen_as_it_is() -> None:
    plane = np.random.default_rng(0).normal(size=(15, 2))
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(40, 2)))[0]
    found = project((plane @ axes.T).astype(np.float32))
    assert sum(found.shares) == pytest.approx(1.0)
    distances = np.linalg.norm(plane[:, np.newaxis] - plane, axis=2)
    np.testing.assert_allclose(np.linalg.norm(found.points[:, np.newaxis] - found.points, axis=2), distances, atol=1e-5)


def test_a_projection_does_not_turn_over() -> None:
    features = np.random.default_rng(0).normal(size=(12, 30)).astype(np.float32)
    found = project(features)
    assert (found.points[np.abs(found.points).argmax(axis=0), [0, 1]] > 0).all()
    np.testing.assert_array_equal(project(features).points, found.points)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(30, 30)))[0]
    np.testing.assert_allclose(project((features @ axes).astype(np.float32)).points, found.points, atol=1e-4)


@pytest.mark.parametrize(
    "features",
    [np.full((1, 8), 3.0), np.full((7, 8), 0.1), np.zeros((7, 8)), np.full((9, 2), 0.1), np.full((3, 1), 1e6)],
    ids=["one", "constant", "zero", "constant and narrow", "one feature"],
)
def test_what_does_not_vary_is_one_point(features: NDArray[Any]) -> None:
    found = project(features.astype(np.float32))
    assert found.points.tolist() == [[0.0, 0.0]] * len(features)
    assert found.shares == (0.0, 0.0)


@pytest.mark.parametrize("num_features", [1, 8])
def test_what_varies_one_way_is_a_line(num_features: int) -> None:
    features = np.linspace(0, 3, 4)[:, np.newaxis].repeat(num_features, axis=1).astype(np.float32)
    found = project(features)
    assert found.shares == pytest.approx((1.0, 0.0))
    assert found.points[:, 1].tolist() == [0.0] * 4
    assert found.points[0, 0] > 0
    assert np.diff(found.points[:, 0]) == pytest.approx([-math.sqrt(num_features)] * 3, rel=1e-6)


class Photographs(NamedTuple):
    """Real features: ants and bees to learn from, others to check with, and photographs of neither."""

    training: Scores
    validation: Scores
    strangers: NDArray[np.float32]


@pytest.fixture(scope="module")
def photographs(embedded: Backbone, settings: Settings, shared_data: Path) -> Photographs:
    """A third of what there is to learn from and of the strangers, to save time; all ants and bees to check with."""

    def features_of(sources: Sequence[Path | bytes]) -> NDArray[np.float32]:
        batches = [sources[first : first + 8] for first in range(0, len(sources), 8)]
        pictures = ([read_image(each, settings, name="") for each in batch] for batch in batches)
        return np.concatenate([embedded.run(batch).features.numpy() for batch in pictures])

    def read(split: str, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        with zipfile.ZipFile(shared_data / "hymenoptera.zip") as archive:
            names = sorted(name for name in archive.namelist() if f"/{split}/" in name and name.endswith(".jpg"))
            features = features_of([archive.read(name) for name in names[::step]])
        return features, np.array(["/bees/" in name for name in names[::step]], dtype=np.int64)

    training, validation = read("train", 3), read("val", 1)
    weight, bias = fit_ridge(*training, 2)
    paths = sorted((shared_data / "imagenet_samples").glob("*.JPEG"))
    split_scores = [
        scores(truths.tolist(), features @ weight.T + bias, features, ("ant", "bee"), first)
        for (features, truths), first in ((training, 0), (validation, 900))
    ]
    strangers = [path for path in paths if not path.stem.endswith(("_ant", "_bee"))]
    return Photographs(split_scores[0], split_scores[1], features_of(strangers[::3]))


@pytest.mark.slow
def test_a_ridge_head_tells_ants_from_bees(photographs: Photographs) -> None:
    found = measure(photographs.validation)
    assert found.count == 153
    assert found.correct >= 138
    calibration = reliability(photographs.validation.logits, photographs.validation.class_idxs)
    assert calibration.nll < 0.3  # 0.69 says nothing
    assert calibration.calibration_error < 0.1


@pytest.mark.slow
def test_photographs_of_neither_ants_nor_bees_are_rejected(photographs: Photographs) -> None:
    novelty = fit_novelty(photographs.training)
    known = novelty.distance(photographs.validation.features)
    threshold = threshold_for(known, 0.95)
    assert judge(known, threshold) == Judgement(accepted=146, rejected=7)
    strangers = judge(novelty.distance(photographs.strangers), threshold)
    assert strangers.accepted + strangers.rejected == 37
    assert strangers.rejected >= 30


def test_the_nearest_training_pictures_are_mostly_of_the_same_class(photographs: Photographs) -> None:
    truths = photographs.validation.class_idxs
    found = [nearest(photographs.validation, photographs.training, place, k=1)[0] for place in range(len(truths))]
    assert np.mean([each.class_idx == truth for each, truth in zip(found, truths, strict=True)]) > 0.8
