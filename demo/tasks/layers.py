"""Does a head with more layers do better? Zero to three of them on the same pictures, with right labels and wrong."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from demo.data.dataset import Dataset, Split
from demo.models.backbone import Backbone
from demo.models.head import count_parameters
from demo.models.recipe import MAX_HIDDEN_LAYERS, HeadConfig, Recipe
from demo.settings import Settings
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureCache, FeatureProgress, Features, extract_features
from demo.tasks.finetune import fit_head
from demo.tasks.fit import BatchProgress, EpochResult, evaluate
from demo.tasks.shuffle import shuffle_labels
from demo.tasks.verdict import Verdict, judge

RECIPE = Recipe(epochs=40, flips=False)  # long enough to learn wrong labels by heart


@dataclass(frozen=True)
class LayersPoint:
    """A head with so many hidden layers: its accuracy on what it learned from, and on the validation pictures.

    `is_right` says for each validation picture whether its answer is right; `chance` is the accuracy, 0 to 1, of
    guesses that name each class as often as it is there. With shuffled labels it is these that it was to learn.
    """

    hidden_layers: int
    is_shuffled: bool
    num_parameters: int
    train: Accuracy
    val: Accuracy
    is_right: tuple[bool, ...]
    chance: float

    @property
    def is_by_heart(self) -> bool:
        """Whether it knows what it learned from, and guesses the rest."""
        return self.train.share > 0.9 and self.val.low <= self.chance <= self.val.high


def measure_layers(
    backbone: Backbone,
    dataset: Dataset,
    settings: Settings,
    *,
    cache: FeatureCache | None = None,
    recipe: Recipe = RECIPE,
    depths: Sequence[int] = range(MAX_HIDDEN_LAYERS + 1),
) -> Generator[FeatureProgress | BatchProgress | LayersPoint, None, None]:
    """Train heads of several depths, each once with the right labels and once with shuffled ones.

    Args:
        backbone: Network whose features the heads answer by; left unchanged.
        dataset: Pictures with class indices and splits.
        settings: Limits for decoding the pictures.
        cache: Features from earlier runs; those that are computed here are added.
        recipe: How the heads are trained, but for their hidden layers.
        depths: Numbers of hidden layers.

    Yields:
        FeatureProgress while pictures are looked at, then a LayersPoint for each head: first with the right labels.
    """
    cache = cache or FeatureCache()
    for is_shuffled, labelled in ((False, dataset), (True, shuffle_labels(dataset, recipe.seed))):
        features = yield from extract_features(backbone, labelled, settings, cache=cache)
        for depth in depths:
            shaped = replace(recipe, head=HeadConfig(depth, recipe.head.width, recipe.head.dropout))
            yield from _train(features, shaped, is_shuffled)


def judge_layers(points: Sequence[LayersPoint]) -> tuple[LayersPoint, LayersPoint, Verdict]:
    """Return the linear head, the best of those with hidden layers, and whether this one is better or may be by chance.

    The best of several is compared, which favours it: where even that may be chance, more layers have shown nothing.
    """
    right = [each for each in points if not each.is_shuffled]
    linear, *deeper = sorted(right, key=lambda each: each.hidden_layers)
    best = max(deeper, key=lambda each: each.val.correct)
    only_best = sum(one and not other for one, other in zip(best.is_right, linear.is_right, strict=True))
    only_linear = sum(other and not one for one, other in zip(best.is_right, linear.is_right, strict=True))
    return linear, best, judge(only_best, only_linear)


def _train(features: Features, recipe: Recipe, is_shuffled: bool) -> Generator[BatchProgress | LayersPoint, None, None]:
    fitting = fit_head(features, recipe)
    while True:
        try:
            step = next(fitting)
        except StopIteration as end:
            module = end.value.module
            break
        if not isinstance(step, EpochResult):
            yield step
    train, val = (evaluate(module, *features.of(split)).accuracy for split in (Split.TRAIN, Split.VALIDATION))
    inputs, targets = features.of(Split.VALIDATION)
    is_right = module(inputs).argmax(dim=1) == targets
    chance = float((targets.bincount() / len(targets)).square().sum())
    count = count_parameters(inputs.shape[1], len(features.class_names), recipe.head)
    right = tuple(is_right.tolist())
    yield LayersPoint(recipe.head.hidden_layers, is_shuffled, count, train, val, right, chance)
