"""Heads that judge only what they have not learned from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from demo.data.dataset import Split
from demo.models.head import Head, TrainingSummary
from demo.models.recipe import HeadConfig, Optimizer, Recipe, Trains, lesson_recipe
from demo.models.zoo import EMBEDDED
from demo.tasks.features import Features
from demo.tasks.folds import NUM_FOLDS, cross_validate

RIDGE = Recipe(optimizer=Optimizer.RIDGE)


def made_features(*counts: int, num_views: int = 0) -> Features:
    """Return training pictures of classes, so many of each, and two validation pictures of each."""
    class_idxs = np.concatenate([np.repeat(np.arange(len(counts)), counts), np.repeat(np.arange(len(counts)), 2)])
    values = np.random.default_rng(0).normal(size=(len(class_idxs), 8)).astype(np.float32)
    splits = (Split.TRAIN,) * sum(counts) + (Split.VALIDATION,) * 2 * len(counts)
    names = tuple(f"class {idx}" for idx in range(len(counts)))
    augmented = np.stack([values[: sum(counts)] + 0.01] * num_views) if num_views else None
    return Features(EMBEDDED, names, values, class_idxs, splits, augmented)


def made_head(features: Features, recipe: Recipe, *, epochs: int = 1, module: torch.nn.Module | None = None) -> Head:
    summary = TrainingSummary(recipe, epochs, epochs, 1, 1.0, 1.0, 1, 1, None, 0, 0, 0.1)
    return Head(module or torch.nn.Linear(8, len(features.class_names)), features.class_names, EMBEDDED, summary)


@pytest.mark.parametrize("recipe", [RIDGE, lesson_recipe(epochs=20), Recipe(patience=2)], ids=["ridge", "sgd", "adamw"])
def test_a_pictures_own_class_does_not_sway_what_is_said_of_it(recipe: Recipe) -> None:
    features = made_features(12, 12, num_views=0 if recipe.is_closed_form else 1)
    head = made_head(features, recipe, epochs=2)
    found = cross_validate(head, features)
    assert sorted(found.class_idxs) == [0] * 12 + [1] * 12
    # With labels drawn by chance a head knows what it has learned, and nothing of what it has not.
    right = (found.logits.argmax(axis=1) == found.class_idxs).mean()
    assert right < 0.8


def test_a_fold_is_judged_by_a_head_that_never_saw_it() -> None:
    features = made_features(8, 8)
    head = made_head(features, RIDGE)
    before = cross_validate(head, features)
    # In each row only the fold's own pictures move: what others are told must change, what they are told must not.
    values = features.values.copy()
    values[0] += 100
    after = cross_validate(head, replace(features, values=values))
    same = [bool(np.array_equal(one, other)) for one, other in zip(before.logits, after.logits, strict=True)]
    assert same.count(True) == 16 // NUM_FOLDS - 1


def test_each_class_is_in_every_head_and_a_lonely_picture_is_never_judged() -> None:
    features = made_features(1, 2, 9)
    found = cross_validate(made_head(features, RIDGE), features)
    assert np.bincount(found.class_idxs).tolist() == [0, 2, 9]
    assert np.isfinite(found.logits).all()


def test_the_same_seed_deals_the_same_folds() -> None:
    features = made_features(9, 9)
    first, again = (cross_validate(made_head(features, RIDGE), features) for _ in range(2))
    other = cross_validate(made_head(features, replace(RIDGE, seed=1)), features)
    np.testing.assert_array_equal(first.logits, again.logits)
    assert not np.array_equal(first.logits, other.logits)


@pytest.mark.parametrize(
    ("recipe", "epochs"),
    [(Recipe(batch_size=1, epochs=200), 200), (Recipe(head=HeadConfig(3, 1024)), 1), (Recipe(Trains.LAST_STAGE), 1)],
    ids=["many steps", "large", "deeper"],
)
def test_what_would_take_long_is_not_repeated(recipe: Recipe, epochs: int) -> None:
    features = made_features(20, 20)
    module = torch.nn.Linear(8, 100_000) if recipe.head.hidden_layers else None
    head = made_head(features, recipe, epochs=epochs, module=module)
    if recipe.trains is not Trains.HEAD:
        head = replace(head, tuned={"layer": torch.zeros(1)})
    found = cross_validate(head, features)
    assert (found.logits.shape, found.class_idxs.shape) == ((0, 2), (0,))
