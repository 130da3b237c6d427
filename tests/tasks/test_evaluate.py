"""What a head says of a split -> honest results."""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from demo.data.dataset import Split
from demo.data.images import read_image
from demo.models.backbone import Backbone
from demo.models.ridge import fit_ridge
from demo.settings import Settings
from demo.tasks.calibration import reliability
from demo.tasks.evaluate import (
    Accuracy,
    ClassResult,
    Scores,
    confuse,
    find_cell,
    measure,
    most_confused,
    nearest,
    per_class,
    top,
    wilson,
)
from demo.tasks.features import Features
from demo.tasks.novelty import report_novelty

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


def test_balanced_accuracy_counts_each_class_the_same() -> None:
    truth, answers = np.array([0, 0, 0, 0, 2]), np.array([0, 0, 0, 1, 0])
    assert Accuracy.of_answers(truth, answers).balanced == pytest.approx((3 / 4 + 0) / 2)  # nothing is known of class 1
    assert Accuracy.of_answers(truth[3:], answers[3:]).balanced is None  # one picture of each: it is the accuracy
    assert Accuracy.of_answers(truth, answers).share == 3 / 5


def test_a_split_without_samples_counts_as_nothing() -> None:
    empty = scores([], np.zeros((0, 3)))
    assert measure(empty) == Accuracy(0, 0, 0.0, 1.0)
    assert (measure(empty).share, measure(empty).points_per_picture) == (0.0, 0.0)
    assert confuse(empty).tolist() == [[0, 0, 0]] * 3
    assert find_cell(empty, 0, 1).tolist() == []
    assert {(each.precision, each.recall, each.f1) for each in per_class(empty)} == {(None, None, None)}
    assert reliability(empty.logits, empty.class_idxs).calibration_error == 0.0


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


def test_the_most_confused_cell_is_a_wrong_one_unless_there_is_none(six: Scores) -> None:
    assert most_confused(six) == (0, 1)
    few_wrong = scores([0, 0, 0, 0, 2], np.eye(3)[[0, 0, 0, 0, 1]])
    assert most_confused(few_wrong) == (2, 1)
    assert most_confused(scores([0, 1, 1], np.eye(3)[[0, 1, 1]])) == (1, 1)


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
    truths = photographs.validation.class_idxs
    likelihoods = photographs.validation.probabilities[np.arange(153), truths]
    assert -np.log(likelihoods).mean() < 0.3  # 0.69 says nothing
    assert reliability(photographs.validation.logits, truths).calibration_error < 0.1


@pytest.mark.slow
def test_photographs_of_neither_ants_nor_bees_are_rejected(photographs: Photographs) -> None:
    training, unseen = photographs.training, photographs.validation
    features = Features(
        "any",
        training.class_names,
        np.concatenate([training.features, unseen.features]),
        np.concatenate([training.class_idxs, unseen.class_idxs]),
        (Split.TRAIN,) * len(training.class_idxs) + (Split.TEST,) * len(unseen.class_idxs),
    )
    report = report_novelty(
        features, range(len(features.splits)), photographs.strangers, None, share=0.95, is_tuned=False
    )
    assert len(report.examples) == 37
    assert sum(report.examples) <= 2
    assert report.test.count == 153
    assert 0.9 <= report.test.share <= 0.98
    assert [each.accepted > 0 for each in report.left_out] == [True, True]  # ants and bees look alike


@pytest.mark.slow
def test_the_nearest_training_pictures_are_mostly_of_the_same_class(photographs: Photographs) -> None:
    truths = photographs.validation.class_idxs
    found = [nearest(photographs.validation, photographs.training, place, k=1)[0] for place in range(len(truths))]
    assert np.mean([each.class_idx == truth for each, truth in zip(found, truths, strict=True)]) > 0.8
