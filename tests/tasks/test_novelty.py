"""What is unlike everything that was learned."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.data.dataset import Split
from demo.tasks.features import Features
from demo.tasks.novelty import (
    Judgement,
    compare,
    distance_to,
    judge,
    leave_out,
    report_novelty,
    threshold_for,
)


def cone(direction: int, count: int, seed: int, num_features: int = 16) -> NDArray[np.float32]:
    """Return features near one axis, bright and dim."""
    generator = np.random.default_rng(seed)
    features = 0.1 * generator.normal(size=(count, num_features))
    features[:, direction] += 1.0
    return (features * generator.uniform(0.1, 10.0, size=(count, 1))).astype(np.float32)


@pytest.fixture(scope="module")
def two_cones() -> Features:
    """Two classes; of each 24 pictures for training, 8 for validation and 40 for the test."""
    splits = [Split.TRAIN] * 24 + [Split.VALIDATION] * 8 + [Split.TEST] * 40
    values = np.concatenate([cone(0, 72, seed=0), cone(1, 72, seed=1)])
    return Features("any", ("first", "second"), values, np.repeat([0, 1], 72), (*splits, *splits))


@pytest.mark.parametrize("is_tuned", [False, True])
def test_points_far_from_every_class_are_rejected_and_known_ones_are_not(two_cones: Features, is_tuned: bool) -> None:
    strange = np.concatenate([cone(5, 50, seed=4), -cone(0, 50, seed=5)])
    report = report_novelty(two_cones, range(144), strange, cone(1, 1, seed=6), share=0.95, is_tuned=is_tuned)
    assert report.examples == (False,) * 100
    assert report.test.count == 80
    assert 0.85 < report.test.share < 1
    assert report.accepts_photo
    assert report.num_measured == (16 if is_tuned else 64)


def test_a_class_that_was_left_out_is_a_stranger_to_the_other(two_cones: Features) -> None:
    report = report_novelty(two_cones, range(144), cone(5, 6, seed=4), None, share=0.95, is_tuned=False)
    assert report.left_out == (Judgement(0, 32), Judgement(0, 32))
    assert report.photo_distance is None
    assert not report.accepts_photo


def test_layers_that_were_trained_on_a_class_know_it(two_cones: Features) -> None:
    report = report_novelty(two_cones, range(144), cone(5, 6, seed=4), None, share=0.95, is_tuned=True)
    assert report.left_out == ()


def test_what_looks_like_another_class_is_accepted_although_it_was_left_out() -> None:
    values = np.concatenate([cone(0, 20, seed=0), cone(0, 20, seed=1), cone(1, 20, seed=2)])
    first, second, third = leave_out(compare(values, range(60)), np.repeat([0, 1, 2], 20), 0.95)
    assert first.share > 0.8
    assert second.share > 0.8
    assert third == Judgement(0, 20)


def test_leaving_a_class_out_is_what_a_detector_without_it_does(two_cones: Features) -> None:
    learned = ~two_cones.chosen(Split.TEST)
    values, class_idxs = two_cones.values[learned] + 0.2, two_cones.class_idxs[learned]
    judged = leave_out(compare(values, range(64)), class_idxs, 0.7)
    for idx in range(2):
        rest = replace(
            two_cones, values=values[class_idxs != idx], class_idxs=np.arange(32) % 2, splits=(Split.TRAIN,) * 32
        )
        report = report_novelty(rest, range(32), values[class_idxs == idx], None, share=0.7, is_tuned=False)
        assert judged[idx] == Judgement(sum(report.examples), 32)


def test_the_test_pictures_change_neither_threshold_nor_strangers(two_cones: Features) -> None:
    values = two_cones.values.copy()
    values[two_cones.chosen(Split.TEST)] = 1.0
    other = replace(two_cones, values=values)
    ours, theirs = (
        report_novelty(each, range(144), cone(5, 6, seed=4), None, share=0.9, is_tuned=False)
        for each in (two_cones, other)
    )
    assert theirs.test == Judgement(0, 80)
    assert replace(theirs, test=ours.test) == ours


def test_neither_itself_nor_a_near_duplicate_speaks_for_a_picture() -> None:
    directions = np.array([[1, 0], [1, 0.01], [0.6, 0.8], [0, 2]], dtype=np.float32)
    similarity = compare(directions, [0, 0, 1, 2])
    assert similarity[0].tolist() == pytest.approx([-1, -1, 0.6, 0])
    assert similarity[2].tolist() == pytest.approx([0.6, 0.60797, -1, 0.8], abs=1e-4)


def test_twice_the_same_pictures_leave_the_threshold_where_it_was(two_cones: Features) -> None:
    twice = replace(
        two_cones,
        values=np.repeat(two_cones.values, 2, axis=0) * np.tile([[1], [3]], (144, 1)).astype(np.float32),
        class_idxs=np.repeat(two_cones.class_idxs, 2),
        splits=tuple(split for split in two_cones.splits for _ in range(2)),
    )
    groups = np.repeat(range(144), 2).tolist()
    strange = cone(5, 6, seed=4)
    blind, seeing = (
        report_novelty(twice, each, strange, None, share=0.95, is_tuned=False).threshold
        for each in (range(288), groups)
    )
    once = report_novelty(two_cones, range(144), strange, None, share=0.95, is_tuned=False).threshold
    assert blind < 0.9 * once
    assert 0.9 * once < seeing <= once + 1e-6  # of three neighbours two are now the same


def test_the_distance_is_one_minus_the_mean_cosine_of_three_neighbours() -> None:
    similarity = np.array([[0.9, 0.1, 0.6, 0.3], [-1.0, -1.0, -1.0, -1.0], [1.0, 1.0, 1.0, 0.0]])
    assert distance_to(similarity) == pytest.approx([0.4, 2.0, 0.0])
    assert distance_to(similarity[:, :3]) == pytest.approx([0.25, 2.0, 0.0])  # itself is one of three
    assert distance_to(similarity[:, :1]) == pytest.approx([0.1, 2.0, 0.0])
    assert (distance_to(similarity + 1e-15) >= 0).all()


def test_brightness_does_not_count_and_nothing_is_not_near() -> None:
    known = cone(0, 9, seed=0)
    scaled = known * np.linspace(0.01, 100, 9, dtype=np.float32)[:, np.newaxis]
    np.testing.assert_allclose(compare(scaled, range(9)), compare(known, range(9)), atol=1e-6)
    nothing = np.concatenate([known, np.zeros((1, 16), np.float32)])
    assert distance_to(compare(nothing, range(10)))[9] == pytest.approx(1)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("count", [20, 100, 153])
def test_the_threshold_accepts_the_share_of_new_pictures(share: float, count: int) -> None:
    generator = np.random.default_rng(count)
    accepted = [
        judge(generator.normal(size=200), threshold_for(generator.normal(size=count), share)).share for _ in range(400)
    ]
    assert np.mean(accepted) == pytest.approx(share, abs=0.025)


@pytest.mark.parametrize("count", [1, 2, 16])
def test_all_that_are_known_can_be_accepted(count: int) -> None:
    distances = np.random.default_rng(0).random(count)
    assert judge(distances, threshold_for(distances, 1.0)) == Judgement(count, count)


@pytest.mark.parametrize("is_tuned", [False, True])
def test_two_classes_of_two_pictures_are_enough(is_tuned: bool) -> None:
    splits = (Split.TRAIN, Split.VALIDATION) * 2
    values = np.array([[1, 0], [2, 0.1], [0, 1], [0.1, 2]], dtype=np.float32)
    tiny = Features("any", ("first", "second"), values, np.array([0, 0, 1, 1]), splits)
    report = report_novelty(tiny, range(4), -values, values[:1], share=0.95, is_tuned=is_tuned)
    assert report.examples == (False,) * 4
    assert report.test == Judgement(0, 0)
    assert report.left_out == (() if is_tuned else (Judgement(0, 2), Judgement(0, 2)))
    assert report.accepts_photo


def test_a_class_of_one_picture_can_be_left_alone() -> None:
    assert leave_out(np.array([[-1.0, 0.1], [0.1, -1.0]]), np.array([0, 1]), 0.95) == (Judgement(1, 1),) * 2
