"""Four ways to learn the same pictures, on the same split and clock: does pretraining pay?"""

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum

import torch

from demo.data.dataset import Dataset, Split, read_sample
from demo.models.backbone import Backbone
from demo.models.lenet import SIDE_PX, LeNet5, lenet_input
from demo.models.recipe import Optimizer, Recipe, Trains
from demo.models.untrained import open_untrained
from demo.settings import Settings
from demo.tasks.features import FeatureProgress, extract_features
from demo.tasks.finetune import FineTuned, fine_tune, fit_head
from demo.tasks.fit import BatchProgress, EpochResult, Examples, evaluate, fit


class Contender(StrEnum):
    """Who runs. The same backbone three times, with what it knows and without, and the smallest network of all."""

    SCRATCH = "scratch"
    RANDOM = "random"
    PRETRAINED = "pretrained"
    TUNED = "tuned"


@dataclass(frozen=True)
class RacePoint:
    """Where a contender is: seconds since its first look at a picture, and what it gets right of the validation."""

    contender: Contender
    seconds: float
    val_accuracy: float


@dataclass(frozen=True)
class Finish:
    """A contender at its end: what it trained, and how many of the validation pictures it gets right.

    `seconds` are those of its last epoch; for the counting that follows the clock stands.
    """

    contender: Contender
    seconds: float
    num_trained: int
    epochs: int
    correct: int
    count: int


RaceProgress = FeatureProgress | BatchProgress | RacePoint | Finish

# Settings in which each can learn: a network from scratch needs many more epochs, a pretrained stage small steps.
_RECIPES = {
    Contender.SCRATCH: Recipe(learning_rate=0.002, epochs=60),
    Contender.RANDOM: Recipe(flips=False),
    Contender.PRETRAINED: Recipe(flips=False),
    Contender.TUNED: Recipe(
        Trains.LAST_STAGE, Optimizer.SGD, batch_size=8, weight_decay=0.0, epochs=8, flips=False, max_epochs=8
    ),
}
_CALIBRATED_TOGETHER = 16


def race(
    backbone: Backbone, dataset: Dataset, settings: Settings, *, seed: int = 0
) -> Generator[RaceProgress, None, None]:
    """Let the contenders run one after the other, each on a clock that starts with its first look at a picture.

    Each is what its last epoch left; nothing is chosen by the validation pictures, which all of them answer.

    Args:
        backbone: Pretrained network; left unchanged. The random contender is its like with random weights.
        dataset: Pictures with class indices and splits.
        settings: Limits; `race_s` is how long each may take.
        seed: Source of all weights and orders.

    Yields:
        What each does, RacePoint after each of its epochs, and Finish.
    """
    for contender, run in _RUNS.items():
        recipe = replace(_RECIPES[contender], seed=seed)
        yield from _time(contender, run(backbone, dataset, recipe, settings))


@dataclass(frozen=True)
class _Result:
    num_trained: int
    correct: int
    count: int


_Run = Generator[FeatureProgress | BatchProgress | EpochResult, None, _Result]


def _time(contender: Contender, run: _Run) -> Generator[RaceProgress, None, None]:
    start, epochs, seconds = time.monotonic(), 0, 0.0
    with closing(run):
        while True:
            try:
                step = next(run)
            except StopIteration as end:
                result: _Result = end.value
                break
            if isinstance(step, EpochResult):
                epochs, seconds = step.epoch, time.monotonic() - start
                yield RacePoint(contender, seconds, step.val_accuracy)
            else:
                yield step
    yield Finish(contender, seconds, result.num_trained, epochs, result.correct, result.count)


def _run_scratch(_backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train LeNet-5 on the pictures at 32 x 32 pixels."""
    deadline = time.monotonic() + settings.race_s
    samples = dataset.samples
    inputs = torch.empty((len(samples), 3, SIDE_PX, SIDE_PX))
    for number, sample in enumerate(samples):
        inputs[number] = lenet_input(read_sample(sample, settings))
        if number % _CALIBRATED_TOGETHER == 0:
            yield FeatureProgress(number, len(samples))
    targets = torch.tensor([sample.class_idx for sample in samples])
    train, val = (
        torch.tensor([sample.split is split for sample in samples]) for split in (Split.TRAIN, Split.VALIDATION)
    )
    mirrored = torch.cat([inputs[train], inputs[train].flip(3)] if recipe.flips else [inputs[train]])
    examples = Examples(
        mirrored,
        targets[train].repeat(len(mirrored) // int(train.sum())),
        inputs[train],
        targets[train],
        inputs[val],
        targets[val],
    )
    generator = torch.Generator().manual_seed(recipe.seed)
    network = LeNet5(len(dataset.class_names), generator=generator)
    yield from fit(network, examples, recipe, generator=generator, deadline=deadline)
    right = evaluate(network, inputs[val], targets[val])
    return _Result(sum(each.numel() for each in network.parameters()), right.correct, right.count)


def _run_random(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train a head on the features of the same architecture with random weights."""
    strange = open_random(backbone, dataset, settings, seed=recipe.seed)
    return (yield from _run_head(strange, dataset, recipe, settings))


def _run_head(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train a head on frozen features."""
    deadline = time.monotonic() + settings.race_s
    features = yield from extract_features(backbone, dataset, settings)
    fitted = yield from fit_head(features, recipe, deadline=deadline)
    right = evaluate(fitted.module, *features.of(Split.VALIDATION))
    return _Result(sum(each.numel() for each in fitted.module.parameters()), right.correct, right.count)


def _run_tuned(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train a private copy of the last stage, with a head."""
    limited = replace(settings, max_training_s=settings.race_s)
    for step in fine_tune(backbone, dataset, recipe, limited):
        if isinstance(step, FineTuned):
            summary = step.head.summary
            return _Result(step.head.num_parameters, summary.val_correct, summary.val_count)
        yield step
    raise AssertionError("a training ends with a head")


_RUNS = {
    Contender.SCRATCH: _run_scratch,
    Contender.RANDOM: _run_random,
    Contender.PRETRAINED: _run_head,
    Contender.TUNED: _run_tuned,
}


def open_random(backbone: Backbone, dataset: Dataset, settings: Settings, *, seed: int) -> Backbone:
    """Return a network of the same architecture with random weights, in `eval()`.

    Its batch norms know a few training pictures: without any statistics the comparison would be unfair.
    """
    training = [sample for sample in dataset.samples if sample.split is Split.TRAIN]
    some = training[:: max(1, len(training) // _CALIBRATED_TOGETHER)]  # of all classes
    pictures = [read_sample(sample, settings) for sample in some]
    return open_untrained(backbone, pictures, torch.Generator().manual_seed(seed))
