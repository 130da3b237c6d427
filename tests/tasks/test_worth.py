"""A training of more layers is compared with the head alone on the pictures that neither learned from."""

from dataclasses import replace

import pytest
import torch

from demo.data.dataset import Dataset, Split, read_dataset
from demo.models.backbone import Backbone
from demo.models.recipe import Recipe, Trains, lesson_recipe
from demo.settings import Settings
from demo.tasks.evaluate import measure
from demo.tasks.features import FeatureCache, FeatureProgress
from demo.tasks.finetune import FineTuned, fine_tune, score
from demo.tasks.fit import EpochResult
from demo.tasks.lease import Progress
from demo.tasks.worth import fine_tune_and_compare
from tests.pictures import MakeZip, colour_folders

LAST_STAGE = lesson_recipe(Trains.LAST_STAGE, epochs=1, seed=3)


@pytest.fixture
def dataset(make_zip: MakeZip, settings: Settings) -> Dataset:
    return read_dataset(make_zip(colour_folders(10)), settings)


def finish(steps: list[Progress]) -> FineTuned:
    last = steps[-1]
    assert isinstance(last, FineTuned)
    return last


@pytest.mark.slow
def test_more_layers_are_compared_with_the_suggested_head(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    cache = FeatureCache()
    steps = list(fine_tune_and_compare(embedded, dataset, LAST_STAGE, settings, cache=cache))
    tuned, alone = finish(steps), finish(list(fine_tune(embedded, dataset, Recipe(seed=3), settings, cache=cache)))
    assert list(tuned.comparisons) == [Split.TEST, Split.VALIDATION]
    for split, comparison in tuned.comparisons.items():
        deeper = measure(score(tuned.head, tuned.features, split))
        assert (comparison.deeper, comparison.count) == (deeper.correct, deeper.count)
        assert comparison.alone == measure(score(alone.head, alone.features, split)).correct
    assert len([step for step in steps if isinstance(step, EpochResult)]) == 1  # the head's are no part of the curves
    assert len([step for step in steps if isinstance(step, FineTuned)]) == 1


@pytest.mark.slow
def test_the_comparison_changes_nothing_of_the_training(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    with_it, without = (
        finish(list(train(embedded, dataset, LAST_STAGE, settings))) for train in (fine_tune_and_compare, fine_tune)
    )
    assert without.comparisons == {}
    for name, tensor in without.head.tuned.items():
        torch.testing.assert_close(with_it.head.tuned[name], tensor, rtol=1e-4, atol=1e-5)


def test_a_head_is_compared_with_nothing(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    cache = FeatureCache()
    list(fine_tune(embedded, dataset, Recipe(epochs=1), settings, cache=cache))
    steps = list(fine_tune_and_compare(embedded, dataset, Recipe(epochs=1), settings, cache=cache))
    assert finish(steps).comparisons == {}
    assert not any(isinstance(step, FeatureProgress) for step in steps)


@pytest.mark.slow
def test_a_split_without_pictures_is_not_compared(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    learned = tuple(each for each in dataset.samples if each.split is not Split.TEST)
    steps = list(fine_tune_and_compare(embedded, replace(dataset, samples=learned), LAST_STAGE, settings))
    assert list(finish(steps).comparisons) == [Split.VALIDATION]
