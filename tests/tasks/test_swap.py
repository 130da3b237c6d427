"""A head that was trained on the meadow, once the colours are swapped."""

from dataclasses import replace

import pytest

from demo.data.dataset import Dataset, Split, make_dataset
from demo.data.starters import read_starter
from demo.models.backbone import Backbone
from demo.models.recipe import Recipe
from demo.settings import Settings
from demo.tasks.errors import NothingToSwap
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureCache
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.swap import Swapped, judge_swapped

FEW = 40  # pictures


@pytest.fixture(scope="module")
def few(settings: Settings) -> Settings:
    return replace(settings, max_pictures=FEW)


@pytest.fixture(scope="module")
def meadow(few: Settings) -> Dataset:
    return make_dataset(read_starter("meadow", few), few)


@pytest.fixture(scope="module")
def tuned(embedded: Backbone, meadow: Dataset, few: Settings) -> FineTuned:
    *_, last = fine_tune(embedded, meadow, Recipe(flips=False), few, cache=FeatureCache())
    assert isinstance(last, FineTuned)
    return last


def test_a_head_that_knows_the_ground_falls_when_the_colours_are_swapped(
    embedded: Backbone, meadow: Dataset, tuned: FineTuned, few: Settings
) -> None:
    found = judge_swapped(tuned.head, embedded, meadow, tuned.features, few)
    held_out = [sample for sample in meadow.samples if sample.split is not Split.TRAIN]
    assert found.before.count == found.after.count == found.mixed.count == len(held_out) == len(found.pictures)
    assert found.before.share > 0.9
    assert found.after.share < 0.3
    assert found.mixed.share > 0.8
    assert found.is_shortcut
    assert [each.class_idx for each in found.pictures] == [sample.class_idx for sample in held_out]
    assert found.after.correct == sum(each.answer_idx == each.class_idx for each in found.pictures)


def test_other_pictures_cannot_be_swapped(
    embedded: Backbone, meadow: Dataset, tuned: FineTuned, few: Settings, settings: Settings
) -> None:
    strange = replace(meadow, samples=tuple(each for each in meadow.samples if each.split is Split.TRAIN))
    for dataset, limits in ((strange, few), (meadow, replace(settings, max_pictures=4))):
        with pytest.raises(NothingToSwap):
            judge_swapped(tuned.head, embedded, dataset, tuned.features, limits)


@pytest.mark.parametrize(
    ("before", "after", "mixed", "is_shortcut"), [(32, 1, 32, True), (32, 30, 32, False), (32, 1, 3, False)]
)
def test_a_shortcut_is_called_so_only_where_the_numbers_say_it(
    before: int, after: int, mixed: int, is_shortcut: bool
) -> None:
    found = Swapped(Accuracy.of(before, 32), Accuracy.of(after, 32), Accuracy.of(mixed, 32), pictures=())
    assert found.is_shortcut is is_shortcut
