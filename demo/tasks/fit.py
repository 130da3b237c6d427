"""A learner, examples and a recipe -> trained weights, as a stream of epochs."""

from __future__ import annotations

import copy
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from demo.models.batching import set_num_threads
from demo.models.late import Tensor, functional, nn, torch
from demo.models.plan import MAX_BATCH
from demo.models.recipe import Balance, Optimizer, Recipe
from demo.pace import rest, working_s
from demo.system import num_cores
from demo.tasks.evaluate import Accuracy
from demo.tasks.inputs import StoredInputs

# Examples that are evaluated at once: features, or pictures, of which more take more memory and no less time.
_FEATURES_AT_ONCE, _PICTURES_AT_ONCE = 64, MAX_BATCH
_REPORT_EVERY_S = 0.2  # time between two reports within an epoch, at each of which a training can be stopped


@dataclass(frozen=True, eq=False)
class Examples:
    """What a learner learns from and is checked on: inputs (n, ...) and class indices (n,).

    `inputs` are the training pictures in all their views; `plain_inputs` hold each of them once. All stay in main
    memory, which is larger than most GPUs', or on disk; each batch goes to the learner's device.
    """

    inputs: Tensor | StoredInputs
    targets: Tensor
    plain_inputs: Tensor | StoredInputs
    plain_targets: Tensor
    val_inputs: Tensor | StoredInputs
    val_targets: Tensor


@dataclass(frozen=True)
class BatchProgress:
    """How many of an epoch's batches are done; epochs count from 1."""

    epoch: int
    done: int
    total: int


@dataclass(frozen=True)
class EpochResult:
    """Loss (nats, the one that is trained: `measure_loss`) and accuracy (0 to 1) on both splits after an epoch.

    Epochs count from 1.
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
    """Mean loss in nats, and accuracy, of one pass over samples."""

    loss: float
    accuracy: Accuracy


@dataclass(frozen=True)
class FitEnd:
    """How many epochs were trained, and which one's weights were kept."""

    epochs: int
    chosen_epoch: int


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
        examples: What it learns from, with at least one picture of each class, and is checked on.
        recipe: Optimizer, epochs and the rest. With a patience, the epoch of the lowest validation loss is kept.
        generator: Source of the order of the pictures, on the CPU: it is the same on each device.
        deadline: `demo.pace.working_s` after which no further epoch begins; at least one is trained.
        num_threads: Threads of torch; a small head is fastest in one.

    Yields:
        BatchProgress within long epochs, EpochResult after each; the caller may stop at any of them.

    Returns:
        The number of epochs, and the epoch whose weights the learner has at the end.
    """
    start, optimizer = working_s(), _build_optimizer(learner, recipe)
    best_loss, best_epoch, best_weights = float("inf"), 0, None
    counts = torch.bincount(examples.plain_targets)  # (K,)
    balanced = counts if recipe.settle(counts.tolist()).balance is Balance.ON else None
    for epoch in range(1, recipe.epochs + 1):
        with set_num_threads(num_threads):
            yield from _train_epoch(learner, examples, recipe, optimizer, generator, epoch, balanced)
            result = _measure(learner, examples, epoch, recipe.epochs, working_s() - start, balanced)
        if recipe.patience and result.val_loss < best_loss:
            best_loss, best_epoch, best_weights = result.val_loss, epoch, copy.deepcopy(learner.state_dict())
        yield result
        rest()
        if working_s() > deadline or (recipe.patience and epoch - best_epoch >= recipe.patience):
            break
    if best_weights is not None:
        learner.load_state_dict(best_weights)
    learner.eval()
    return FitEnd(epoch, best_epoch or epoch)


def measure_loss(logits: Tensor, targets: Tensor, counts: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy in nats of logits (N, K) and class indices (N,), with classes balanced by counts.

    A picture weighs by the inverse root of the pictures of its class, and the mean is divided by the sum of the
    weights, as torch's is. Logits start ahead by the logarithm of the class's pictures, so that a head has to do
    without what it could gain by answering with large classes. Either alone does less: where few pictures are told
    apart completely, weights hardly move the border, and a head start alone learns too little of small classes.

    Args:
        logits: (N, K).
        targets: (N,).
        counts: Training pictures of each class (K,), none 0; None leaves the classes as they are.

    Source:
        Menon et al. 2020, https://arxiv.org/abs/2007.07314 (the head start: logit adjustment);
        Mikolov et al. 2013, https://arxiv.org/abs/1310.4546, 2.3 (the root)
    """
    if counts is None:
        return functional.cross_entropy(logits, targets)
    counts = counts.to(logits)
    return functional.cross_entropy(logits + counts.log(), targets, weight=counts.rsqrt())


def evaluate(
    learner: nn.Module, inputs: Tensor | StoredInputs, targets: Tensor, counts: Tensor | None = None
) -> Evaluation:
    """Measure a learner on inputs (N, ...) with class indices (N,); `counts` as in `measure_loss`."""
    if not len(targets):
        return Evaluation(0.0, Accuracy.of(0, 0))
    learner.eval()
    device = find_device(learner)
    at_once = _FEATURES_AT_ONCE if inputs.ndim == 2 else _PICTURES_AT_ONCE

    def answer(first: int) -> Tensor:
        rest()
        logits: Tensor = learner(inputs[first : first + at_once].to(device))
        return logits

    with torch.inference_mode():
        logits = torch.cat([answer(first) for first in range(0, len(inputs), at_once)]).cpu()  # (N, K)
        loss = float(measure_loss(logits, targets, counts))
        return Evaluation(loss, Accuracy.of_answers(targets.numpy(), logits.argmax(dim=1).numpy()))


def all_threads() -> int:
    """Return the number of threads for the training of a large learner."""
    return num_cores()


def find_device(learner: nn.Module) -> torch.device:
    """Return the device of a learner's parameters."""
    return next(learner.parameters()).device


def _train_epoch(
    learner: nn.Module,
    examples: Examples,
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    epoch: int,
    counts: Tensor | None,
) -> Generator[BatchProgress, None, None]:
    learner.train()
    device = find_device(learner)
    batches = torch.randperm(len(examples.inputs), generator=generator).split(recipe.batch_size)
    reported = working_s()
    for done, batch in enumerate(batches, 1):
        optimizer.zero_grad()
        logits = learner(examples.inputs[batch].to(device))
        loss = measure_loss(logits, examples.targets[batch].to(device), counts)
        loss.backward()
        optimizer.step()
        if working_s() - reported > _REPORT_EVERY_S:
            rest()
            reported = working_s()
            yield BatchProgress(epoch, done, len(batches))
    loss.item()  # the clock is read next: a GPU gives its number only when it has done all steps


def _measure(
    learner: nn.Module, examples: Examples, epoch: int, num_epochs: int, seconds: float, counts: Tensor | None
) -> EpochResult:
    train = evaluate(learner, examples.plain_inputs, examples.plain_targets, counts)
    val = evaluate(learner, examples.val_inputs, examples.val_targets, counts)
    return EpochResult(epoch, num_epochs, train.loss, train.accuracy.share, val.loss, val.accuracy.share, seconds)


def _build_optimizer(learner: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    parameters = [parameter for parameter in learner.parameters() if parameter.requires_grad]
    # A fused optimizer takes the same steps in one call for all parameters, which halves the time for a small head.
    options: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay, "fused": True}
    if recipe.optimizer is Optimizer.SGD:
        return torch.optim.SGD(parameters, momentum=recipe.momentum, **options)
    return torch.optim.AdamW(parameters, **options)
