"""A head that was trained where ants are on grass and spiders on sand -> how it does once they have changed places.

Source:
    Geirhos et al. 2020, https://arxiv.org/abs/2004.07780
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.dataset import Dataset, Split
from demo.data.starters import swap_grounds
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.late import torch
from demo.models.plan import MAX_BATCH
from demo.models.ridge import fit_ridge
from demo.settings import Settings
from demo.tasks.errors import NothingToSwap
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import Features


@dataclass(frozen=True, eq=False)
class SwappedPicture:
    """A creature on the other's ground: the picture, what it is, and what the head says of it."""

    picture: Image.Image
    class_idx: int
    answer_idx: int


@dataclass(frozen=True, eq=False)
class Swapped:
    """How many held-out pictures a head gets right on the grounds that it knows, and with the grounds swapped.

    `mixed` is how many swapped ones a head gets right that learned from the same creatures, every second one of them on
    the other ground: whether they can be told apart at all. `pictures` are the swapped ones.
    """

    before: Accuracy
    after: Accuracy
    mixed: Accuracy
    pictures: tuple[SwappedPicture, ...]

    @property
    def is_shortcut(self) -> bool:
        """Whether the head has learned the ground: it is right by it, falls without it, and need not have."""
        return self.after.high < min(self.before.low, self.mixed.low)


def judge_swapped(head: Head, backbone: Backbone, dataset: Dataset, features: Features, settings: Settings) -> Swapped:
    """Ask a head about the pictures that it did not learn from, as they are and with the grounds swapped.

    Args:
        head: Trained on the starter set "meadow".
        backbone: The network that the head belongs to (`Backbone.for_head`); left unchanged.
        dataset: What it was trained on.
        features: Those of the dataset, as `FineTuned` has them.
        settings: Limits on pictures, by which the set was drawn.

    Raises:
        NothingToSwap: If no held-out picture is of that set.
    """
    others = swap_grounds(settings)
    known = [idx for idx, sample in enumerate(dataset.samples) if sample.digest in others]
    held_out = [idx for idx in known if dataset.samples[idx].split is not Split.TRAIN]
    training = [idx for idx in known if dataset.samples[idx].split is Split.TRAIN]
    if not held_out or not training:
        raise NothingToSwap()
    pictures = _open(dataset, held_out, others)
    swapped = _look(backbone, pictures)
    values = features.values.copy()
    values[training[::2]] = _look(backbone, _open(dataset, training[::2], others))
    truth, classes = features.class_idxs[held_out], len(dataset.class_names)
    weight, bias = fit_ridge(values[training], features.class_idxs[training], classes)
    answers = _answer(head, swapped)
    return Swapped(
        before=Accuracy.of_answers(truth, _answer(head, features.values[held_out])),
        after=Accuracy.of_answers(truth, answers),
        mixed=Accuracy.of_answers(truth, (swapped @ weight.T + bias).argmax(axis=1)),
        pictures=tuple(map(SwappedPicture, pictures, truth.tolist(), answers.tolist())),
    )


def _open(dataset: Dataset, idxs: Sequence[int], others: Mapping[str, bytes]) -> list[Image.Image]:
    return [Image.open(io.BytesIO(others[dataset.samples[idx].digest])).convert("RGB") for idx in idxs]


def _look(backbone: Backbone, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
    """Return the features (n, D) of n pictures."""
    batches = torch.stack([backbone.transform(picture) for picture in pictures]).split(MAX_BATCH)
    values: NDArray[np.float32] = torch.cat([backbone.features(batch) for batch in batches]).numpy()
    return values


def _answer(head: Head, values: NDArray[np.float32]) -> NDArray[np.int64]:
    answers: NDArray[np.int64] = head.logits(torch.from_numpy(values)).argmax(dim=1).numpy()
    return answers
