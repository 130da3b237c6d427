"""How the accuracy grows with the number of training pictures."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.data.dataset import read_dataset
from demo.models.backbone import Backbone
from demo.models.ridge import fit_ridge
from demo.settings import Settings
from demo.tasks import fewshot
from demo.tasks.features import FeatureCache, FeatureProgress
from demo.tasks.fewshot import FewShotPoint, LabelledFeatures, learning_curve, measure_curve
from tests.pictures import MakeZip, colour_folders


def clouds(counts: list[int], seed: int) -> LabelledFeatures:
    """Return a cloud of points in ten dimensions for each class, two units apart; the classes take turns."""
    class_idxs = np.repeat(np.arange(len(counts)), counts)
    class_idxs = np.random.default_rng(seed).permutation(class_idxs)
    values = np.random.default_rng(seed + 100).normal(size=(len(class_idxs), 10))
    values[np.arange(len(class_idxs)), class_idxs] += 2.0
    return LabelledFeatures(values.astype(np.float32), class_idxs)


TRAINING = clouds([30, 25], seed=0)
HELD_OUT = clouds([100, 100], seed=1)


def curve(**choices: Any) -> list[FewShotPoint]:
    return list(learning_curve(TRAINING, HELD_OUT, 2, **choices))


def test_the_curve_goes_through_the_counts_to_all() -> None:
    found = curve(num_repeats=4)
    assert [each.pictures_per_class for each in found] == [1, 2, 5, 10, 20, None]
    assert [each.num_repeats for each in found] == [4, 4, 4, 4, 4, 1]
    for point in found:
        assert 0.0 <= point.lowest <= point.mean <= point.highest <= 1.0
        assert all(round(200 * accuracy, 6).is_integer() for accuracy in point.accuracies)


def test_a_point_sums_up_its_draws() -> None:
    point = FewShotPoint(5, (0.5, 0.75, 1.0, 0.75))
    assert (point.num_repeats, point.lowest, point.mean, point.highest) == (4, 0.5, 0.75, 1.0)


def test_more_pictures_make_better_heads() -> None:
    found = {point.pictures_per_class: point for point in curve(num_repeats=20)}
    assert found[1].mean + 0.05 < found[5].mean
    assert found[5].mean + 0.02 < found[20].mean
    assert found[1].mean > 0.55
    assert found[1].highest - found[1].lowest > found[20].highest - found[20].lowest


def test_all_pictures_give_the_head_of_all_pictures() -> None:
    weight, bias = fit_ridge(TRAINING.values, TRAINING.class_idxs, 2)
    right = (HELD_OUT.values @ weight.T + bias).argmax(axis=1) == HELD_OUT.class_idxs
    assert curve(counts=())[0].accuracies == (right.mean(),)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([30, 25], [1, 24, 25, None]),  # 26 bees there are not
        ([25, 25], [1, 24, None]),  # 25 are all
        ([1, 1], [None]),
        ([3, 0], [None]),  # of a class without pictures none can be drawn
    ],
)
def test_only_counts_that_can_be_drawn_are_drawn(sizes: list[int], expected: list[int | None]) -> None:
    points = learning_curve(clouds(sizes, seed=2), HELD_OUT, 2, counts=(1, 24, 25, 26), num_repeats=2)
    assert [each.pictures_per_class for each in points] == expected


def test_each_draw_takes_so_many_pictures_of_each_class_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[NDArray[np.float32], NDArray[np.int64]]] = []

    def watch(features: NDArray[np.float32], class_idxs: NDArray[np.int64], num_classes: int) -> Any:
        drawn.append((features, class_idxs))
        return fit_ridge(features, class_idxs, num_classes)

    monkeypatch.setattr(fewshot, "fit_ridge", watch)
    curve(counts=(3, 20), num_repeats=5)
    assert [np.bincount(class_idxs).tolist() for _, class_idxs in drawn] == [[3, 3]] * 5 + [[20, 20]] * 5 + [[30, 25]]
    truth = {point.tobytes(): idx for point, idx in zip(TRAINING.values, TRAINING.class_idxs, strict=True)}
    for features, class_idxs in drawn:
        keys = [point.tobytes() for point in features]
        assert len(set(keys)) == len(keys)
        assert [truth[key] for key in keys] == class_idxs.tolist()
    first_draws = {features.tobytes() for features, _ in drawn[:5]}
    assert len(first_draws) == 5


def test_the_same_seed_gives_the_same_curve() -> None:
    assert curve(seed=3) == curve(seed=3)
    assert curve(seed=3) != curve(seed=4)


def test_a_curve_leaves_the_global_seed_alone() -> None:
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    curve()
    assert np.random.random() == expected


def test_the_draws_of_a_count_do_not_depend_on_the_other_counts() -> None:
    assert curve(counts=(5,))[0] == curve(counts=(1, 2, 5))[2]


def test_each_point_comes_when_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []

    def count(features: NDArray[np.float32], class_idxs: NDArray[np.int64], num_classes: int) -> Any:
        fitted.append(len(features))
        return fit_ridge(features, class_idxs, num_classes)

    monkeypatch.setattr(fewshot, "fit_ridge", count)
    points = learning_curve(TRAINING, HELD_OUT, 2, num_repeats=3)
    assert fitted == []
    assert next(points).pictures_per_class == 1
    assert fitted == [2, 2, 2]
    points.close()
    assert list(points) == []
    assert fitted == [2, 2, 2]


def test_the_held_out_pictures_are_not_learned_from() -> None:
    turned_round = LabelledFeatures(HELD_OUT.values, 1 - HELD_OUT.class_idxs)
    for point, turned in zip(curve(), learning_curve(TRAINING, turned_round, 2), strict=True):
        assert turned.accuracies == pytest.approx([1 - each for each in point.accuracies])


@pytest.mark.slow
def test_five_hundred_pictures_give_a_point_for_each_count_and_all() -> None:
    generator = np.random.default_rng(0)
    features = generator.exponential(size=(600, 2048)).astype(np.float32)
    training = LabelledFeatures(features[:500], np.arange(500) % 10)
    held_out = LabelledFeatures(features[500:], np.arange(100) % 10)
    assert [point.pictures_per_class for point in learning_curve(training, held_out, 10)] == [1, 2, 5, 10, 20, None]


def test_a_dataset_is_looked_at_once_and_its_held_out_pictures_are_not_learned_from(
    embedded: Backbone, make_zip: MakeZip, settings: Settings
) -> None:
    dataset, cache = read_dataset(make_zip(colour_folders()), settings), FeatureCache()
    first, again = (list(measure_curve(embedded, dataset, settings, cache=cache)) for _ in range(2))
    assert isinstance(first[0], FeatureProgress)
    points = [each for each in first if isinstance(each, FewShotPoint)]
    assert [each.pictures_per_class for each in points] == [1, 2, None]  # of 6 pictures of a class 5 are learned from
    assert points[-1].accuracies == (1.0,)
    assert again == points
