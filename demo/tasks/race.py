"""Four ways to learn the same pictures, on the same split and clock: does pretraining pay?"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum

from demo.data.dataset import Dataset, Split, read_sample
from demo.models.backbone import Backbone
from demo.models.late import torch
from demo.models.recipe import Optimizer, Recipe, Trains
from demo.models.untrained import open_untrained
from demo.pace import working_s
from demo.settings import Settings
from demo.tasks.evaluate import Accuracy, measure
from demo.tasks.features import FeatureProgress, extract_features
from demo.tasks.finetune import FineTuned, fine_tune, fit_head, score
from demo.tasks.fit import BatchProgress, EpochResult, Examples, evaluate, fit


class Contender(StrEnum):
    """A way to learn: LeNet-5 from scratch, a head on random or on pretrained weights, or the last stage as well."""

    SCRATCH = "scratch"
    RANDOM = "random"
    PRETRAINED = "pretrained"
    TUNED = "tuned"


@dataclass(frozen=True)
class RacePoint:
    """Progress of a contender: its time since it read the first picture, and its validation accuracy."""

    contender: Contender
    seconds: float
    val_accuracy: float


@dataclass(frozen=True)
class Finish:
    """The end of a contender: the number of parameters that it trained, and its accuracy on the validation pictures.

    `seconds` is the time until the end of its last epoch, without the final evaluation.
    """

    contender: Contender
    seconds: float
    num_trained: int
    epochs: int
    accuracy: Accuracy


RaceProgress = FeatureProgress | BatchProgress | RacePoint | Finish

# Each contender has a recipe with which it learns: from scratch takes many more epochs, a pretrained stage small steps.
_RECIPES = {
    Contender.SCRATCH: Recipe(learning_rate=0.002, epochs=60),
    Contender.RANDOM: Recipe(flips=False),
    Contender.PRETRAINED: Recipe(flips=False),
    Contender.TUNED: Recipe(
        Trains.LAST_STAGE, Optimizer.SGD, batch_size=8, weight_decay=0.0, epochs=8, flips=False, max_epochs=8
    ),
}
_NUM_CALIBRATED = 16  # pictures for the statistics of the random network's batch norms
_REPORT_EVERY = 16  # pictures that are read between two reports


def race(
    backbone: Backbone, dataset: Dataset, settings: Settings, *, seed: int = 0
) -> Generator[RaceProgress, None, None]:
    """Let the contenders run one after the other, each on a clock that starts when it reads the first picture.

    All of them, heads too, are trained on the backbone's device, so that their seconds can be compared.
    Each keeps the weights of its last epoch: nothing is chosen by the validation pictures, on which all are compared.

    Args:
        backbone: Pretrained network; left unchanged. The random contender has its architecture.
        dataset: Pictures with class indices and splits.
        settings: Limits; `race_s` is the time of each contender.
        seed: Source of all random weights and orders.

    Yields:
        The progress of each contender, RacePoint after each of its epochs, and Finish at its end.
    """
    for contender, run in _RUNS.items():
        recipe = replace(_RECIPES[contender], seed=seed)
        yield from _time(contender, run(backbone, dataset, recipe, settings))


# Each run returns the number of parameters that it trained, and its accuracy.
_Run = Generator[FeatureProgress | BatchProgress | EpochResult, None, tuple[int, Accuracy]]


def _time(contender: Contender, run: _Run) -> Generator[RaceProgress, None, None]:
    start, epochs, seconds = working_s(), 0, 0.0
    with closing(run):
        while True:
            try:
                step = next(run)
            except StopIteration as end:
                num_trained, accuracy = end.value
                break
            if isinstance(step, EpochResult):
                epochs, seconds = step.epoch, working_s() - start
                yield RacePoint(contender, seconds, step.val_accuracy)
            else:
                yield step
    yield Finish(contender, seconds, num_trained, epochs, accuracy)


def _run_scratch(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train LeNet-5 on the pictures at 32 x 32 pixels."""
    from demo.models.lenet import SIDE_PX, LeNet5, lenet_input

    deadline = working_s() + settings.race_s
    samples = dataset.samples
    inputs = torch.empty((len(samples), 3, SIDE_PX, SIDE_PX))
    for number, sample in enumerate(samples):
        inputs[number] = lenet_input(read_sample(sample, settings))
        if number % _REPORT_EVERY == 0:
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
    network = LeNet5(len(dataset.class_names), generator=generator).to(backbone.device)
    yield from fit(network, examples, recipe, generator=generator, deadline=deadline)
    accuracy = evaluate(network, inputs[val], targets[val]).accuracy
    return sum(each.numel() for each in network.parameters()), accuracy


def _run_random(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train a head on the features of the same architecture with random weights."""
    strange = open_random(backbone, dataset, settings, seed=recipe.seed)
    return (yield from _run_head(strange, dataset, recipe, settings))


def _run_head(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train a head on frozen features."""
    deadline = working_s() + settings.race_s
    features = yield from extract_features(backbone, dataset, settings)
    fitted = yield from fit_head(features, recipe, deadline=deadline, device=backbone.device)
    accuracy = evaluate(fitted.module, *features.of(Split.VALIDATION)).accuracy
    return sum(each.numel() for each in fitted.module.parameters()), accuracy


def _run_tuned(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> _Run:
    """Train a private copy of the last stage, with a head."""
    limited = replace(settings, max_training_s=settings.race_s)
    for step in fine_tune(backbone, dataset, recipe, limited):
        if isinstance(step, FineTuned):
            return step.head.num_parameters, measure(score(step.head, step.features, Split.VALIDATION))
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

    Its batch norms have the statistics of a few training pictures; without any the comparison would be unfair.
    """
    training = [sample for sample in dataset.samples if sample.split is Split.TRAIN]
    some = training[:: max(1, len(training) // _NUM_CALIBRATED)]  # of all classes, by which samples are ordered
    pictures = [read_sample(sample, settings) for sample in some]
    return open_untrained(backbone, pictures, torch.Generator().manual_seed(seed))
