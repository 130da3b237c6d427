"""A learner, examples and a recipe -> trained weights, as a stream of epochs."""

import copy
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.models.batching import set_num_threads
from demo.models.recipe import Optimizer, Recipe
from demo.system import num_cores

_EVALUATION_BATCH = 64
_REPORT_EVERY_S = 0.2  # time between two reports within an epoch, at each of which a training can be stopped


@dataclass(frozen=True, eq=False)
class Examples:
    """What a learner learns from and is checked on: inputs (n, ...) and class indices (n,).

    `inputs` are the training pictures in all their views; `plain_inputs` hold each of them once. All stay in main
    memory, which is larger than most GPUs'; each batch goes to the learner's device.
    """

    inputs: Tensor
    targets: Tensor
    plain_inputs: Tensor
    plain_targets: Tensor
    val_inputs: Tensor
    val_targets: Tensor


@dataclass(frozen=True)
class BatchProgress:
    """How many of an epoch's batches are done; epochs count from 1."""

    epoch: int
    done: int
    total: int


@dataclass(frozen=True)
class EpochResult:
    """Loss (mean cross-entropy, nats) and accuracy (0 to 1) on both splits after an epoch; epochs count from 1.

    `seconds` count from the start of the fit.
    """

    epoch: int
    num_epochs: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Evaluation:
    """Mean cross-entropy in nats, and the number of right answers, of one pass over samples."""

    loss: float
    correct: int
    count: int

    @property
    def accuracy(self) -> float:
        """The share that is right, 0 to 1; 0 where there is no sample."""
        return self.correct / self.count if self.count else 0.0


@dataclass(frozen=True)
class FitEnd:
    """How many epochs were trained, and which one's weights were kept."""

    epochs: int
    chosen_epoch: int


class DeepLearner(nn.Module):
    """Private layers of a network with a head on them.

    With `keeps_norms` batch norms keep the statistics of ImageNet, which small batches would estimate badly.
    """

    def __init__(self, body: nn.Module, head: nn.Module, *, keeps_norms: bool) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self._keeps_norms = keeps_norms

    def train(self, mode: bool = True) -> "DeepLearner":
        """Set the mode of the head, and of the body unless its norms are kept."""
        super().train(mode)
        if self._keeps_norms:
            self.body.eval()
        return self

    def features(self, inputs: Tensor) -> Tensor:
        """Return what the head is given for inputs (N, ...): features (N, D) on the CPU, without gradients."""
        self.eval()
        with torch.no_grad():
            features: Tensor = self.body(inputs.to(_find_device(self)).float()).cpu()
        return features

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (N, K) of inputs (N, ...), which may be kept in half precision."""
        logits: Tensor = self.head(self.body(inputs.float()))
        return logits


def fit(
    learner: nn.Module,
    examples: Examples,
    recipe: Recipe,
    *,
    generator: torch.Generator,
    deadline: float = float("inf"),
    num_threads: int = 1,
) -> Generator[BatchProgress | EpochResult, None, FitEnd]:
    """Train all parameters of a learner that require a gradient, in place.

    Args:
        learner: Inputs (N, ...) to logits (N, K); all is computed on the device of its parameters.
        examples: What it learns from and is checked on.
        recipe: Optimizer, epochs and the rest. With a patience, the epoch of the lowest validation loss is kept.
        generator: Source of the order of the pictures, on the CPU: it is the same on each device.
        deadline: `time.monotonic` after which no further epoch begins; at least one is trained.
        num_threads: Threads of torch; a small head is fastest in one.

    Yields:
        BatchProgress within long epochs, EpochResult after each; the caller may stop at any of them.

    Returns:
        The number of epochs, and the epoch whose weights the learner has at the end.
    """
    start, optimizer = time.monotonic(), _build_optimizer(learner, recipe)
    best_loss, best_epoch, best_weights = float("inf"), 0, None
    for epoch in range(1, recipe.epochs + 1):
        with set_num_threads(num_threads):
            yield from _train_epoch(learner, examples, recipe, optimizer, generator, epoch)
            result = _measure(learner, examples, epoch, recipe.epochs, time.monotonic() - start)
        if recipe.patience and result.val_loss < best_loss:
            best_loss, best_epoch, best_weights = result.val_loss, epoch, copy.deepcopy(learner.state_dict())
        yield result
        if time.monotonic() > deadline or (recipe.patience and epoch - best_epoch >= recipe.patience):
            break
    if best_weights is not None:
        learner.load_state_dict(best_weights)
    learner.eval()
    return FitEnd(epoch, best_epoch or epoch)


def evaluate(learner: nn.Module, inputs: Tensor, targets: Tensor) -> Evaluation:
    """Measure a learner on inputs (N, ...) with class indices (N,)."""
    if not len(targets):
        return Evaluation(0.0, 0, 0)
    learner.eval()
    with torch.inference_mode():
        device = _find_device(learner)
        logits = torch.cat([learner(batch.to(device)) for batch in inputs.split(_EVALUATION_BATCH)]).cpu()  # (N, K)
        loss = float(functional.cross_entropy(logits, targets))
        return Evaluation(loss, int((logits.argmax(dim=1) == targets).sum()), len(targets))


def all_threads() -> int:
    """Return the number of threads for the training of a large learner."""
    return num_cores()


def _find_device(learner: nn.Module) -> torch.device:
    return next(learner.parameters()).device


def _train_epoch(
    learner: nn.Module,
    examples: Examples,
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    epoch: int,
) -> Generator[BatchProgress, None, None]:
    learner.train()
    device = _find_device(learner)
    batches = torch.randperm(len(examples.inputs), generator=generator).split(recipe.batch_size)
    reported = time.monotonic()
    for done, batch in enumerate(batches, 1):
        optimizer.zero_grad()
        logits = learner(examples.inputs[batch].to(device))
        loss = functional.cross_entropy(logits, examples.targets[batch].to(device))
        loss.backward()
        optimizer.step()
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            yield BatchProgress(epoch, done, len(batches))
    loss.item()  # the clock is read next: a GPU gives its number only when it has done all steps


def _measure(learner: nn.Module, examples: Examples, epoch: int, num_epochs: int, seconds: float) -> EpochResult:
    train = evaluate(learner, examples.plain_inputs, examples.plain_targets)
    val = evaluate(learner, examples.val_inputs, examples.val_targets)
    return EpochResult(epoch, num_epochs, train.loss, train.accuracy, val.loss, val.accuracy, seconds)


def _build_optimizer(learner: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    parameters = [parameter for parameter in learner.parameters() if parameter.requires_grad]
    # A fused optimizer takes the same steps in one call for all parameters, which halves the time for a small head.
    options: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay, "fused": True}
    if recipe.optimizer is Optimizer.SGD:
        return torch.optim.SGD(parameters, momentum=recipe.momentum, **options)
    return torch.optim.AdamW(parameters, **options)
