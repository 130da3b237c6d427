"""A dataset -> a head, as a stream of progress."""

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from demo.data.dataset import Dataset, Split
from demo.data.images import read_image
from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.head import Head, TrainingSummary, build_head
from demo.settings import Settings

_FORWARD_BATCH = 8  # pictures in one forward pass: small enough that Stop is heard within a second


@dataclass(frozen=True)
class FineTuneConfig:
    """The lesson's recipe: SGD with learning rate 0.001 and momentum 0.9 on the cross-entropy.

    Raises:
        OptionOutOfRange: If `epochs` is not from 1 to `max_epochs`.
    """

    epochs: int = 25
    batch_size: int = 4
    learning_rate: float = 0.001
    momentum: float = 0.9
    seed: int = 0
    max_epochs: int = 200

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= self.max_epochs:
            raise OptionOutOfRange(option="epochs", value=self.epochs, low=1, high=self.max_epochs)


@dataclass(frozen=True, eq=False)
class Features:
    """The cached features of a dataset: float32 (N, D), class indices (N,), splits (N,).

    With the backbone frozen a picture's features never change, so one forward pass serves all epochs.
    """

    backbone_name: str
    class_names: tuple[str, ...]
    values: NDArray[np.float32]
    class_idxs: NDArray[np.int64]
    splits: tuple[Split, ...]

    def of(self, split: Split) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the features (n, D) and class indices (n,) of one split."""
        chosen = np.array([each is split for each in self.splits], dtype=bool)
        return torch.from_numpy(self.values[chosen]), torch.from_numpy(self.class_idxs[chosen])


@dataclass(frozen=True)
class FeatureProgress:
    """How many of the pictures have been through the backbone."""

    done: int
    total: int


@dataclass(frozen=True)
class EpochResult:
    """Loss (mean cross-entropy, nats) and accuracy (0 to 1) on both splits after an epoch; epochs count from 1."""

    epoch: int
    num_epochs: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True, eq=False)
class FineTuned:
    """The end of a run: the head of the last epoch, and the features for another run on the same pictures."""

    head: Head
    features: Features


@dataclass(frozen=True)
class Evaluation:
    """Mean cross-entropy in nats, and how many of how many samples are right."""

    loss: float
    correct: int
    count: int

    @property
    def accuracy(self) -> float:
        """The share that is right, 0 to 1; 0 where there is no sample."""
        return self.correct / self.count if self.count else 0.0


Progress = FeatureProgress | EpochResult | FineTuned


def fine_tune(
    backbone: Backbone,
    dataset: Dataset,
    config: FineTuneConfig,
    settings: Settings,
    *,
    features: Features | None = None,
) -> Generator[Progress, None, None]:
    """Keep a backbone, put a new linear head on it, and train only that.

    Args:
        backbone: Frozen network; left unchanged.
        dataset: Pictures with class indices and splits.
        config: Recipe.
        settings: Limits for decoding the pictures.
        features: Those of the same dataset and backbone from an earlier run; computed where there are none.

    Yields:
        FeatureProgress for each batch of pictures, EpochResult for each epoch, FineTuned at the end. Whoever
        iterates may stop at any of them.

    Source:
        https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html (ConvNet as fixed feature extractor)
    """
    start = time.perf_counter()
    if features is None or features.backbone_name != backbone.spec.name:
        features = yield from extract_features(backbone, dataset, settings)
    module = yield from fit_head(features, config)
    summary = _summarise(module, features, config, time.perf_counter() - start)
    yield FineTuned(Head(module, dataset.class_names, backbone.spec.name, summary), features)


def extract_features(
    backbone: Backbone, dataset: Dataset, settings: Settings
) -> Generator[FeatureProgress, None, Features]:
    """Run every picture of a dataset once through a backbone.

    Yields:
        FeatureProgress, first for none and then for each batch.

    Returns:
        The features, in the order of the samples.
    """
    samples = dataset.samples
    values = np.empty((len(samples), backbone.spec.num_features), dtype=np.float32)
    yield FeatureProgress(0, len(samples))
    for first in range(0, len(samples), _FORWARD_BATCH):
        batch = samples[first : first + _FORWARD_BATCH]
        pictures = [read_image(sample.image_bytes, settings, name=sample.path) for sample in batch]
        values[first : first + len(batch)] = backbone.run(pictures).features.numpy()
        yield FeatureProgress(first + len(batch), len(samples))
    return Features(
        backbone.spec.name,
        dataset.class_names,
        values,
        np.array([sample.class_idx for sample in samples], dtype=np.int64),
        tuple(sample.split for sample in samples),
    )


def fit_head(features: Features, config: FineTuneConfig) -> Generator[EpochResult, None, nn.Module]:
    """Train a new linear head on cached features.

    Yields:
        EpochResult after each epoch.

    Returns:
        The head after the last epoch; no epoch is chosen by its validation accuracy.
    """
    generator = torch.Generator().manual_seed(config.seed)
    inputs, targets = features.of(Split.TRAIN)  # (n, D), (n,)
    head = build_head(inputs.shape[1], len(features.class_names), generator=generator)
    optimizer = torch.optim.SGD(head.parameters(), lr=config.learning_rate, momentum=config.momentum)
    for epoch in range(1, config.epochs + 1):
        for batch in torch.randperm(len(inputs), generator=generator).split(config.batch_size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(head(inputs[batch]), targets[batch]).backward()
            optimizer.step()
        train, val = evaluate(head, features, Split.TRAIN), evaluate(head, features, Split.VALIDATION)
        yield EpochResult(epoch, config.epochs, train.loss, train.accuracy, val.loss, val.accuracy)
    return head.eval().requires_grad_(False)


def evaluate(head: nn.Module, features: Features, split: Split) -> Evaluation:
    """Measure a head on one split of cached features."""
    inputs, targets = features.of(split)
    with torch.inference_mode():
        logits = head(inputs)  # (n, K)
        loss = float(nn.functional.cross_entropy(logits, targets)) if len(targets) else 0.0
        correct = int((logits.argmax(dim=1) == targets).sum())
    return Evaluation(loss, correct, len(targets))


def _summarise(head: nn.Module, features: Features, config: FineTuneConfig, seconds: float) -> TrainingSummary:
    train, val, test = (evaluate(head, features, split) for split in Split)
    return TrainingSummary(
        epochs=config.epochs,
        train_accuracy=train.accuracy,
        val_accuracy=val.accuracy,
        val_correct=val.correct,
        val_count=val.count,
        test_accuracy=test.accuracy if test.count else None,
        test_count=test.count,
        seconds=seconds,
    )
