"""The head that a visitor trains on top of a backbone, and the network's layers that were trained with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from demo.models.late import Tensor, nn, torch
from demo.models.recipe import HeadConfig, Recipe

# Suffixes of a batch norm's buffers: statistics of pictures, which are not trained.
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class TrainingSummary:
    """How a head was trained, and its accuracy; `seconds` count from the first picture that was read.

    `epochs` were trained, and the head is that of `chosen_epoch`: the last one, unless early stopping chose another
    by its validation loss. `recipe` says ON or OFF of its balance. `val_balanced` and `test_balanced` are balanced
    accuracies, 0 to 1; None where a split's classes are equally large, and where an older file does not tell.
    """

    recipe: Recipe
    epochs: int
    chosen_epoch: int
    train_count: int
    train_accuracy: float
    val_accuracy: float
    val_correct: int
    val_count: int
    test_accuracy: float | None
    test_correct: int
    test_count: int
    seconds: float
    val_balanced: float | None = None
    test_balanced: float | None = None


@dataclass(frozen=True, eq=False)
class Head:
    """A trained head: features (N, D) of one backbone in, logits (N, K) of the visitor's classes out.

    `tuned` are the tensors of the network that were trained with it, by their names there; it is empty if the head
    alone was trained. `Backbone.for_head` returns the network that belongs to the head.
    """

    module: nn.Module
    class_names: tuple[str, ...]
    backbone_name: str
    summary: TrainingSummary
    tuned: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def num_parameters(self) -> int:
        """The number of trained numbers: the head's own, and those of the layers that were trained with it."""
        own = sum(parameter.numel() for parameter in self.module.parameters())
        return own + sum(tensor.numel() for name, tensor in self.tuned.items() if not name.endswith(BUFFERS))

    @property
    def num_bytes(self) -> int:
        """The bytes of all its tensors."""
        tensors = [*self.module.state_dict().values(), *self.tuned.values()]
        return sum(tensor.nbytes for tensor in tensors)

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (N, K) of features (N, D), without gradients."""
        with torch.inference_mode():
            logits: Tensor = self.module(features)
        return logits


def seeded_dropout(share: float, generator: torch.Generator) -> nn.Dropout:
    """Return a dropout of a share (0 to 1) with a generator of its own."""
    from demo.models.dropout import SeededDropout

    dropout = SeededDropout(share)
    dropout.generator = generator
    return dropout


def build_head(
    num_features: int, num_classes: int, config: HeadConfig | None = None, *, generator: torch.Generator
) -> nn.Module:
    """Build a head: the lesson's `fc = nn.Linear(in_features, classes)`, or with hidden layers below it.

    Args:
        num_features: D, the width of the backbone's pooled last stage.
        num_classes: K.
        config: Shape of the head; one linear layer by default.
        generator: Source of the weights and of dropout, so that the same seed gives the same head and the
            global generator is not used.

    Returns:
        nn.Linear, or nn.Sequential of Linear, ReLU, Dropout, ..., Linear.
    """
    config = config or HeadConfig()
    widths = [num_features, *[config.width] * config.hidden_layers]
    layers: list[nn.Module] = []
    for before, width in pairwise(widths):
        layers += [_build_linear(before, width, generator), nn.ReLU(), seeded_dropout(config.dropout, generator)]
    last = _build_linear(widths[-1], num_classes, generator)
    return nn.Sequential(*layers, last) if layers else last


def count_parameters(num_features: int, num_classes: int, config: HeadConfig) -> int:
    """Return how many numbers a head has, without building it."""
    widths = [num_features, *[config.width] * config.hidden_layers, num_classes]
    return sum((before + 1) * width for before, width in pairwise(widths))


def _build_linear(num_inputs: int, num_outputs: int, generator: torch.Generator) -> nn.Linear:
    """Build a layer with nn.Linear's own uniform distribution, https://pytorch.org/docs/stable/generated/torch.nn.Linear.html."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, num_inputs, num_outputs)
    bound = num_inputs**-0.5
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer
