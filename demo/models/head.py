"""The head that a visitor trains on top of a frozen backbone."""

import json
from dataclasses import dataclass

import safetensors.torch
import torch
from torch import Tensor, nn

HEAD_FORMAT = "1"


@dataclass(frozen=True)
class TrainingSummary:
    """How a head came about and what it gets right; seconds count from the first picture read."""

    epochs: int
    train_accuracy: float
    val_accuracy: float
    val_correct: int
    val_count: int
    test_accuracy: float | None
    test_count: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Head:
    """A trained head: features (N, D) of one backbone in, logits (N, K) of the visitor's classes out."""

    module: nn.Module
    class_names: tuple[str, ...]
    backbone_name: str
    summary: TrainingSummary

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (N, K) of features (N, D), without gradients."""
        with torch.inference_mode():
            logits: Tensor = self.module(features)
        return logits


def build_head(num_features: int, num_classes: int, *, generator: torch.Generator) -> nn.Module:
    """Build the lesson's `fc = nn.Linear(in_features, classes)`, drawn from a generator of its own.

    Args:
        num_features: D, the width of the backbone's pooled last stage.
        num_classes: K.
        generator: Source of the weights, so that the same seed gives the same head and no global seed moves.

    Source:
        The bounds are those of nn.Linear, https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """
    head: nn.Module = nn.utils.skip_init(nn.Linear, num_features, num_classes)
    bound = num_features**-0.5
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return head


def to_safetensors(head: Head, *, weights_file: str) -> bytes:
    """Write a head as safetensors: numbers and class names, no picture.

    Args:
        head: What to write.
        weights_file: Name of the backbone's checkpoint, which carries the checkpoint's hash.
    """
    metadata = {
        "format": HEAD_FORMAT,
        "backbone": head.backbone_name,
        "weights": weights_file,
        "classes": json.dumps(head.class_names, ensure_ascii=False),
    }
    tensors = {name: tensor.contiguous() for name, tensor in head.module.state_dict().items()}
    return safetensors.torch.save(tensors, metadata)
