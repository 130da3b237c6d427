"""Has it paid to train more layers than the head? A head alone, on the same pictures and the same split, answers."""

from collections.abc import Generator
from dataclasses import replace

from demo.data.dataset import Dataset, Split
from demo.models.backbone import Backbone
from demo.models.recipe import SUGGESTED_RECIPES, Recipe, Trains
from demo.settings import Settings
from demo.tasks.features import FeatureCache, FeatureProgress
from demo.tasks.finetune import FineTuned, score
from demo.tasks.lease import Progress, fine_tune
from demo.tasks.verdict import Comparison, compare


def fine_tune_and_compare(
    backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings, *, cache: FeatureCache | None = None
) -> Generator[Progress, None, None]:
    """Train as `fine_tune` does; where more layers than the head are trained, compare with the head alone at the end.

    The head alone is trained by the suggested recipe, on features that are computed only where the cache lacks them.

    Args:
        backbone: Frozen network; left unchanged.
        dataset: Pictures with class indices and splits.
        recipe: What is trained and how.
        settings: Limits, as for `fine_tune`.
        cache: Features from earlier runs on the same pictures; those that are computed here are added.

    Yields:
        The progress of `demo/tasks/lease.py:fine_tune`, FeatureProgress while pictures are looked at for the head
        alone, and FineTuned at the end, with a comparison for each split that has pictures and was not learned from.
    """
    for step in fine_tune(backbone, dataset, recipe, settings, cache=cache):
        if isinstance(step, FineTuned) and recipe.trains is not Trains.HEAD:
            alone = yield from _train_alone(backbone, dataset, recipe, settings, cache)
            yield replace(step, comparisons=_compare_splits(step, alone))
        else:
            yield step


def _train_alone(
    backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings, cache: FeatureCache | None
) -> Generator[FeatureProgress, None, FineTuned]:
    """Train the head alone; its epochs, which take a second in all, are no part of the curves."""
    suggested = replace(SUGGESTED_RECIPES[Trains.HEAD], seed=recipe.seed, shuffled=recipe.shuffled)
    for step in fine_tune(backbone, dataset, suggested, settings, cache=cache):
        if isinstance(step, FeatureProgress):
            yield step
        elif isinstance(step, FineTuned):
            return step
    raise AssertionError("a training ends with a head")


def _compare_splits(deeper: FineTuned, alone: FineTuned) -> dict[Split, Comparison]:
    return {
        split: compare(*(score(each.head, each.features, split) for each in (deeper, alone)))
        for split in (Split.TEST, Split.VALIDATION)
        if deeper.features.chosen(split).any()
    }
