"""Several heads on one network: whose numbers are whose, and what each head says of the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image

from demo.data.dataset import Dataset, Sample, Split
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.late import Tensor, torch


@dataclass(frozen=True)
class Answer:
    """What one head says of one picture: a probability, 0 to 1, for each of its own classes."""

    class_names: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def probability(self) -> float:
        """The probability of its best class."""
        return max(self.probabilities)

    @property
    def class_name(self) -> str:
        """The name of its best class."""
        return self.class_names[self.probabilities.index(self.probability)]


@dataclass(frozen=True)
class Fingerprints:
    """Those of the shared network and of each customer's head, or None where there is none, at one moment."""

    network: str
    heads: tuple[str | None, ...]


@dataclass(frozen=True)
class Outcome:
    """What one customer got: a head of `num_own` parameters on a network of `num_shared`.

    `correct` of `count` validation pictures are right; `num_pictures` are those of all splits.
    """

    class_names: tuple[str, ...]
    num_pictures: int
    correct: int
    count: int
    num_own: int
    num_shared: int


def take_fingerprints(backbone: Backbone, heads: Sequence[Head | None]) -> Fingerprints:
    """Return the fingerprints of a network and of the heads on it, None for one that is missing."""
    return Fingerprints(digest_network(backbone), tuple(digest_head(head) if head else None for head in heads))


def sum_up(backbone: Backbone, head: Head, dataset: Dataset) -> Outcome:
    """Return what a training on a dataset came to."""
    summary = head.summary
    return Outcome(
        class_names=head.class_names,
        num_pictures=len(dataset.samples),
        correct=summary.val_correct,
        count=summary.val_count,
        num_own=head.num_parameters,
        num_shared=count_shared(backbone),
    )


def digest_network(backbone: Backbone) -> str:
    """Return the SHA-256 of all tensors of a network, in hexadecimal: of its parameters and of its buffers."""
    return _digest(backbone.network.state_dict())


def digest_head(head: Head) -> str:
    """Return the SHA-256 of all tensors of a head, in hexadecimal, those of the layers trained with it among them."""
    return _digest({**head.module.state_dict(), **head.tuned})


def count_shared(backbone: Backbone) -> int:
    """Return how many parameters all heads share: those of the network without its classifier."""
    return sum(parameter.numel() for parameter in backbone.subgraph(None).parameters())


def choose_questions(dataset: Dataset, count: int) -> list[Sample]:
    """Return one validation sample each of `count` classes, or of all where there are fewer."""
    first = {sample.class_idx: sample for sample in reversed(dataset.samples) if sample.split is Split.VALIDATION}
    return [first[class_idx] for class_idx in sorted(first)][:count]


def ask(backbone: Backbone, head: Head, pictures: Sequence[Image.Image]) -> tuple[Answer, ...]:
    """Ask one head about N pictures.

    The features are computed as for a training: the same to the last digit, whatever others ask meanwhile.

    Args:
        backbone: The network that the head was trained on; left unchanged.
        head: Whose classes answer.
        pictures: RGB images of any size.
    """
    private = backbone.for_head(head)
    features = private.features(torch.stack([private.transform(picture) for picture in pictures]))  # (N, D)
    probabilities = torch.softmax(head.logits(features), dim=1)  # (N, K)
    return tuple(Answer(head.class_names, tuple(row)) for row in probabilities.tolist())


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 over name, type, shape and bytes of each tensor, in the order of the names."""
    hashed = sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()  # channels_last changes the order in memory, not the tensor
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        hashed.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return hashed.hexdigest()
