"""Cross-validation by chance, and with near-copies kept together."""

import numpy as np
import pytest

from demo.data.dataset import make_dataset
from demo.data.starters import read_starter
from demo.models.backbone import Backbone
from demo.settings import Settings
from demo.tasks.copies import NUM_DEALS, NUM_FOLDS, CopiesResult, compare_deals, deal, measure_copies
from demo.tasks.features import FeatureCache, FeatureProgress

GENERATOR = np.random.default_rng(0)
CLASSES = np.repeat([0, 1], 40)
SCENES = np.repeat(np.arange(20), 4)  # four shots each; a scene says nothing of its class
SHOTS = GENERATOR.normal(size=(20, 30))[SCENES] + 0.05 * GENERATOR.normal(size=(80, 30))


def test_groups_stay_whole_and_classes_are_spread() -> None:
    folds = deal(CLASSES, SCENES, 3)
    assert len({(group, fold) for group, fold in zip(SCENES, folds, strict=True)}) == 20
    for class_idx in (0, 1):
        assert np.bincount(folds[class_idx == CLASSES]).tolist() == [8] * NUM_FOLDS
    assert not np.array_equal(folds, deal(CLASSES, SCENES, 4))


def test_a_group_in_two_classes_is_dealt_once() -> None:
    folds = deal(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]), 0)
    assert folds[0] == folds[2]
    assert folds.min() >= 0


def test_copies_flatter_where_nothing_can_be_learned() -> None:
    found = compare_deals(SHOTS.astype(np.float32), CLASSES, SCENES)
    assert (found.num_pictures, found.num_copies, found.num_groups) == (80, 80, 20)
    assert found.by_chance.mean > 0.95
    assert found.together.mean < 0.75
    assert found.is_leaking


def test_without_copies_both_ways_are_the_same() -> None:
    found = compare_deals(SHOTS.astype(np.float32), CLASSES, np.arange(80))
    assert found.by_chance == found.together
    assert len(found.by_chance.shares) == NUM_DEALS
    assert not found.is_leaking


@pytest.mark.slow
def test_the_albums_leak(embedded: Backbone, settings: Settings) -> None:
    dataset = make_dataset(read_starter("albums", settings), settings)
    first, *_, last = measure_copies(embedded, dataset, settings, cache=FeatureCache())
    assert isinstance(first, FeatureProgress)
    assert isinstance(last, CopiesResult)
    assert (last.num_copies, last.num_groups) == (120, 30)
    assert last.is_leaking
    assert last.by_chance.mean > 0.97
    assert 0.5 < last.together.mean < 0.8
