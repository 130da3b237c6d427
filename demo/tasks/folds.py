"""Cross-validation: what heads that were trained without a picture say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo.data.dataset import Split
from demo.models.head import Head
from demo.models.late import torch
from demo.models.recipe import Recipe
from demo.tasks.features import Features
from demo.tasks.finetune import fit_head

NUM_FOLDS = 4
# What keeps all folds together within a few seconds on one core: steps of the optimizer, numbers that each step moves,
# and pictures, with the cube of which the time of the closed form grows.
_MAX_STEPS = 10_000
_MAX_PARAMETERS = 500_000
_MAX_PICTURES = 1_000


class Judged(NamedTuple):
    """What was said of n pictures, and the truth: logits float32 (n, K), class indices (n,)."""

    logits: NDArray[np.float32]
    class_idxs: NDArray[np.int64]


def cross_validate(head: Head, features: Features) -> Judged:
    """Train heads of the same recipe, each without a fourth of the training pictures, and let each judge that fourth.

    A picture that is alone in its class is always learned from and never judged. No picture is judged where the layers
    below the head have seen them all, or where repeating the recipe takes longer than somebody waits.

    Args:
        head: Whose recipe is repeated, for as many epochs as its own weights were trained.
        features: Those that it was trained with.

    Returns:
        The pictures that were judged, which may be none.

    Source:
        Stone 1974, https://doi.org/10.1111/j.2517-6161.1974.tb00994.x
    """
    training = np.flatnonzero(features.chosen(Split.TRAIN))
    folds = _deal(features.class_idxs[training], head.summary.recipe.seed)
    numbers = range(NUM_FOLDS) if _is_quick(head, features) else ()
    recipe = replace(head.summary.recipe, epochs=head.summary.chosen_epoch, patience=0)
    logits = [np.zeros((0, len(features.class_names)), np.float32)]
    truths = [np.zeros(0, np.int64)]
    for held in (folds == number for number in numbers):
        if held.any():
            logits.append(_judge(features, recipe, training, held))
            truths.append(features.class_idxs[training[held]])
    return Judged(np.concatenate(logits), np.concatenate(truths))


def _judge(
    features: Features, recipe: Recipe, training: NDArray[np.int64], held: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the logits of the training pictures that are held out, from a head that was trained on the others."""
    part = replace(
        features,
        values=features.values[training],
        class_idxs=features.class_idxs[training],
        splits=tuple(Split.VALIDATION if each else Split.TRAIN for each in held),
        augmented=None if features.augmented is None else features.augmented[:, ~held],
    )
    fitting = fit_head(part, recipe)
    while True:
        try:
            next(fitting)
        except StopIteration as end:
            with torch.inference_mode():
                logits: NDArray[np.float32] = end.value.module(part.of(Split.VALIDATION)[0]).numpy()
            return logits


def _is_quick(head: Head, features: Features) -> bool:
    """Say whether a head can be trained again and again while somebody waits."""
    recipe, num_inputs = head.summary.recipe, len(features.training()[0])
    steps = 0 if recipe.is_closed_form else head.summary.chosen_epoch * -(-num_inputs // recipe.batch_size)
    is_small = not head.tuned and head.num_parameters <= _MAX_PARAMETERS
    return is_small and features.chosen(Split.TRAIN).sum() <= _MAX_PICTURES and NUM_FOLDS * steps <= _MAX_STEPS


def _deal(class_idxs: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Spread each class over the folds; return the fold of each picture (n,), -1 for one that is alone in its class."""
    generator = np.random.default_rng(seed)
    folds = np.full(len(class_idxs), -1)
    for class_idx in np.unique(class_idxs):
        places = generator.permutation(np.flatnonzero(class_idxs == class_idx))
        if len(places) > 1:
            folds[places] = (np.arange(len(places)) + generator.integers(NUM_FOLDS)) % NUM_FOLDS
    return folds
