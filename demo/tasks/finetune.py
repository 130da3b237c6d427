"""A dataset -> a head, and deeper layers where they are asked for, as a stream of progress."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from demo.data.dataset import Dataset, Split
from demo.data.store import PictureStore, StoredPicture
from demo.models.backbone import Backbone
from demo.models.batching import set_num_threads
from demo.models.graph import end_of, replace_module
from demo.models.head import Head, TrainingSummary, build_head, count_parameters, seeded_dropout
from demo.models.late import Tensor, nn, torch
from demo.models.recipe import Recipe, Trains
from demo.models.ridge import fit_ridge
from demo.models.zoo import StageLabel
from demo.pace import working_s
from demo.settings import Settings
from demo.tasks.errors import TooManyTrained
from demo.tasks.evaluate import Scores
from demo.tasks.features import (
    PLAIN,
    FeatureCache,
    FeatureProgress,
    Features,
    SampleView,
    choose_views,
    count_pictures,
    extract_features,
    run_views,
)
from demo.tasks.fit import BatchProgress, EpochResult, Examples, FitEnd, all_threads, evaluate, fit
from demo.tasks.inputs import StoredInputs
from demo.tasks.shuffle import shuffle_labels
from demo.tasks.verdict import Comparison

if TYPE_CHECKING:
    from demo.tasks.learner import DeepLearner


@dataclass(frozen=True, eq=False)
class FineTuned:
    """The end of a training: the head, and the features of every sample of the dataset that it answers from.

    `comparisons` are with a head alone, by split, where more layers were trained and it was asked for.
    """

    head: Head
    features: Features
    comparisons: Mapping[Split, Comparison] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head fitted to cached features."""

    module: nn.Module
    end: FitEnd


Progress = FeatureProgress | BatchProgress | EpochResult | FineTuned


def fine_tune(
    backbone: Backbone,
    dataset: Dataset,
    recipe: Recipe,
    settings: Settings,
    *,
    cache: FeatureCache | None = None,
) -> Generator[Progress, None, None]:
    """Train a new head on a backbone's features, or together with a private copy of its last stage or all layers.

    Args:
        backbone: Frozen network; left unchanged.
        dataset: Pictures with class indices and splits.
        recipe: What is trained and how.
        settings: Limits on pictures, on the number of trained parameters and on the time.
        cache: Features from earlier runs on the same pictures; those that are computed here are added.

    Yields:
        FeatureProgress for each chunk of pictures, EpochResult for each epoch (BatchProgress within long ones), and
        FineTuned at the end; the caller may stop at any of them.

    Raises:
        TooManyTrained: If the private copy would be larger than the settings allow.

    Source:
        https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
    """
    start = working_s()
    dataset = shuffle_labels(dataset, recipe.seed) if recipe.shuffled else dataset
    check_size(backbone, dataset, recipe, settings)
    deadline = start + settings.max_training_s
    if recipe.trains is Trains.HEAD:
        features = yield from extract_features(backbone, dataset, settings, views=choose_views(recipe), cache=cache)
        fitted = yield from fit_head(features, recipe, deadline=deadline)
        tuned: dict[str, Tensor] = {}
    else:
        fitted, tuned = yield from _fit_deeper(backbone, dataset, recipe, settings, deadline, cache)
        features = yield from extract_features(backbone.open_private(tuned), dataset, settings)
    summary = _summarise(fitted, features, recipe.settle(dataset.training_counts), working_s() - start)
    yield FineTuned(Head(fitted.module, dataset.class_names, backbone.spec.name, summary, tuned), features)


def fit_head(
    features: Features, recipe: Recipe, *, deadline: float = float("inf"), device: torch.device | None = None
) -> Generator[BatchProgress | EpochResult, None, FittedHead]:
    """Train a new head on cached features.

    Args:
        features: What it learns from.
        recipe: How.
        deadline: `demo.pace.working_s` after which no further epoch begins.
        device: Device that trains; the CPU unless given, because a step of a head takes a fifth of a millisecond
            there, and a GPU has to be told of each. The closed form is always computed by the CPU, in float64.

    Yields:
        EpochResult after each epoch; one for a recipe in closed form.

    Returns:
        The head in `eval()` on the CPU, without gradients.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    num_features, num_classes = features.values.shape[1], len(features.class_names)
    module = build_head(num_features, num_classes, recipe.head, generator=generator).to(device)
    if recipe.is_closed_form:
        end = yield from _solve(module, features)
    else:
        end = yield from fit(module, _gather(features), recipe, generator=generator, deadline=deadline)
    return FittedHead(module.eval().requires_grad_(False).cpu(), end)


def score(head: Head, features: Features, split: Split) -> Scores:
    """Return a head's logits on one split of the features that it was trained with."""
    chosen = features.chosen(split)
    values = features.values[chosen]
    logits = head.logits(torch.from_numpy(values)).numpy()
    return Scores(np.flatnonzero(chosen), features.class_idxs[chosen], logits, values, features.class_names)


def count_trained(backbone: Backbone, num_classes: int, recipe: Recipe) -> int:
    """Return how many parameters a recipe trains: the head's, and those of the layers that are trained with it."""
    head = count_parameters(backbone.spec.num_features, num_classes, recipe.head)
    if recipe.trains is Trains.HEAD:
        return head
    body = backbone.subgraph(_STARTS[recipe.trains])
    return head + sum(parameter.numel() for parameter in body.parameters())


def check_size(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> None:
    """Check how many parameters a recipe trains.

    Raises:
        TooManyTrained: If they are more than the settings allow.
    """
    count = count_trained(backbone, len(dataset.class_names), recipe)
    if count > settings.max_tuned_parameters:
        raise TooManyTrained(
            backbone=backbone.spec.display_name, millions=count / 1e6, limit=settings.max_tuned_parameters / 1e6
        )


# The stage after which layers are trained; None where training begins with the picture.
_STARTS = {Trains.LAST_STAGE: StageLabel.MIDDLE, Trains.EVERYTHING: None}


def _gather(features: Features) -> Examples:
    return Examples(*features.training(), *features.of(Split.TRAIN), *features.of(Split.VALIDATION))


def _solve(module: nn.Module, features: Features) -> Generator[EpochResult, None, FitEnd]:
    """Load the closed-form solution into a linear layer."""
    start = working_s()
    num_classes = module.get_parameter("bias").shape[0]
    inputs, targets = features.of(Split.TRAIN)
    weight, bias = fit_ridge(inputs.numpy(), targets.numpy(), num_classes)
    module.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    train, val = evaluate(module, inputs, targets), evaluate(module, *features.of(Split.VALIDATION))
    seconds = working_s() - start
    yield EpochResult(1, 1, train.loss, train.accuracy.share, val.loss, val.accuracy.share, seconds)
    return FitEnd(1, 1)


def _fit_deeper(
    backbone: Backbone,
    dataset: Dataset,
    recipe: Recipe,
    settings: Settings,
    deadline: float,
    cache: FeatureCache | None,
) -> Generator[Progress, None, tuple[FittedHead, dict[str, Tensor]]]:
    """Train a head with a private copy of the last stage or of all layers; return the copy's tensors by name."""
    from demo.tasks.learner import DeepLearner

    examples = yield from _prepare(backbone, dataset, recipe, settings)
    generator = torch.Generator().manual_seed(recipe.seed)
    body = copy_layers(backbone, _STARTS[recipe.trains], generator)
    head = build_head(backbone.spec.num_features, len(dataset.class_names), recipe.head, generator=generator)
    learner = DeepLearner(body, head, keeps_norms=recipe.keeps_norms).to(backbone.device)
    if recipe.warm_start:
        known = yield from extract_features(backbone, dataset, settings, views=choose_views(recipe), cache=cache)
        _train_head_first(learner, known, recipe, generator, deadline)
    end = yield from fit(learner, examples, recipe, generator=generator, deadline=deadline, num_threads=all_threads())
    learner.requires_grad_(False).cpu()
    return FittedHead(head, end), {name: tensor.contiguous() for name, tensor in body.state_dict().items()}


def _train_head_first(
    learner: DeepLearner, known: Features, recipe: Recipe, generator: torch.Generator, deadline: float
) -> None:
    """Train the head on the features that layers give before they are trained; its epochs are no part of the curves.

    Gradients through a random head would first of all spoil what the layers know.

    Source:
        Kumar et al. 2022, https://arxiv.org/abs/2202.10054
    """
    for _ in fit(learner.head, _gather(known), recipe.warm_up, generator=generator, deadline=deadline):
        pass


def copy_layers(backbone: Backbone, start: StageLabel | None, generator: torch.Generator) -> nn.Module:
    """Return a trainable copy of the layers between a stage's output (None: the picture) and the features.

    It is on the backbone's device; the generator, of its dropout, is on the CPU.
    """
    body = copy.deepcopy(backbone.subgraph(start))
    for name, module in list(body.named_modules()):
        if type(module) is nn.Dropout:
            replace_module(body, name, seeded_dropout(module.p, generator))
    return body.requires_grad_(True)


def _prepare(
    backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings
) -> Generator[FeatureProgress, None, Examples]:
    """Compute once, for each view of a picture, the input of the layers that are trained; kept in half precision."""
    train, val = (
        [each for each in dataset.samples if each.split is split] for split in (Split.TRAIN, Split.VALIDATION)
    )
    views = (PLAIN, *choose_views(recipe))
    num_views, num_training = len(views), len(views) * len(train)
    shown = [*(SampleView(sample, view) for sample in train for view in views), *map(SampleView, val)]
    store, rows, shape = PictureStore(), list[StoredPicture](), torch.Size()
    yield FeatureProgress(0, count_pictures(shown))
    for _, values, progress in run_views(shown, backbone, settings, _below(backbone, _STARTS[recipe.trains])):
        shape = values.shape[1:]
        rows += [store.add(each.tobytes()) for each in values.to(torch.float16).numpy()]
        yield progress
    by_view = [row for view in range(num_views) for row in rows[view:num_training:num_views]]
    targets, val_targets = (
        torch.tensor([each.class_idx for each in split], dtype=torch.int64) for split in (train, val)
    )
    return Examples(
        StoredInputs(by_view, shape),
        targets.repeat(num_views),
        StoredInputs(by_view[: len(train)], shape),
        targets,
        StoredInputs(rows[num_training:], shape),
        val_targets,
    )


def _below(backbone: Backbone, start: StageLabel | None) -> Callable[[Tensor], Tensor]:
    """Return a function that runs the frozen layers below the trained ones; the identity where all are trained."""
    if start is None:
        return lambda batch: batch
    frozen = backbone.subgraph(None, end_of(start))

    def run(batch: Tensor) -> Tensor:
        with set_num_threads(1), torch.inference_mode():
            activation: Tensor = frozen(batch.to(backbone.device, memory_format=torch.channels_last))
            return activation.cpu()

    return run


def _summarise(fitted: FittedHead, features: Features, recipe: Recipe, seconds: float) -> TrainingSummary:
    train, val, test = (evaluate(fitted.module, *features.of(split)).accuracy for split in Split)
    return TrainingSummary(
        recipe=recipe,
        epochs=fitted.end.epochs,
        chosen_epoch=fitted.end.chosen_epoch,
        train_count=train.count,
        train_accuracy=train.share,
        val_accuracy=val.share,
        val_correct=val.correct,
        val_count=val.count,
        test_accuracy=test.share if test.count else None,
        test_correct=test.correct,
        test_count=test.count,
        seconds=seconds,
        val_balanced=val.balanced,
        test_balanced=test.balanced,
    )
