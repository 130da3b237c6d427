"""Heads with zero to three hidden layers, with right labels and shuffled ones."""

from dataclasses import replace

import pytest

from demo.data.dataset import make_dataset
from demo.data.starters import read_starter
from demo.models.backbone import Backbone
from demo.models.recipe import MAX_HIDDEN_LAYERS, HeadConfig, Recipe
from demo.settings import Settings
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureCache
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.layers import RECIPE, LayersPoint, judge_layers, measure_layers
from demo.tasks.verdict import Verdict


def point(layers: int, correct: int, *, count: int = 40, is_shuffled: bool = False, train: int = 100) -> LayersPoint:
    is_right = (True,) * correct + (False,) * (count - correct)
    accuracies = Accuracy.of(train, 100), Accuracy.of(correct, count)
    return LayersPoint(layers, is_shuffled, 7, *accuracies, is_right, chance=0.2)


@pytest.mark.slow
def test_every_depth_is_trained_with_both_labels_and_as_the_page_trains_it(
    embedded: Backbone, settings: Settings
) -> None:
    few = replace(settings, max_pictures=60)
    dataset, cache = make_dataset(read_starter("shapes", few), few), FeatureCache()
    found = [each for each in measure_layers(embedded, dataset, few, cache=cache) if isinstance(each, LayersPoint)]
    assert [(each.hidden_layers, each.is_shuffled) for each in found] == [
        (depth, is_shuffled) for is_shuffled in (False, True) for depth in range(MAX_HIDDEN_LAYERS + 1)
    ]
    assert all(each.train.share > 0.9 for each in found)
    right, shuffled = ([each.val.correct for each in found if each.is_shuffled is wrong] for wrong in (False, True))
    assert sum(shuffled) < 0.6 * sum(right)
    for each in (found[1], found[-1]):
        assert sum(each.is_right) == each.val.correct
        recipe = replace(RECIPE, head=HeadConfig(each.hidden_layers), shuffled=each.is_shuffled)
        *_, last = fine_tune(embedded, dataset, recipe, few, cache=cache)
        assert isinstance(last, FineTuned)
        assert last.head.summary.val_correct == each.val.correct
        assert last.head.num_parameters == each.num_parameters


@pytest.mark.parametrize(
    ("best", "verdict"),
    [(38, Verdict.BETTER), (32, Verdict.BETTER_BY_CHANCE), (30, Verdict.EVEN), (28, Verdict.WORSE_BY_CHANCE)],
)
def test_the_best_of_more_layers_is_judged_beside_none(best: int, verdict: Verdict) -> None:
    points = [point(0, 30), point(1, best - 1), point(2, best), point(3, 1), point(0, 40, is_shuffled=True)]
    linear, deeper, said = judge_layers(points)
    assert (linear.hidden_layers, deeper.hidden_layers, said) == (0, 2, verdict)


def test_by_heart_means_right_on_what_was_learned_and_guessing_elsewhere() -> None:
    assert point(3, 8, is_shuffled=True).is_by_heart
    assert not point(3, 30, is_shuffled=True).is_by_heart
    assert not point(3, 8, is_shuffled=True, train=60).is_by_heart


def test_the_recipe_is_a_head_alone() -> None:
    assert replace(RECIPE, epochs=25, flips=True) == Recipe()
