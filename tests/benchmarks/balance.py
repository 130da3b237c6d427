"""Does training mind classes of very different sizes? 48 pictures of one class and 5 of each other, on real sets."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from demo.data.dataset import Dataset, Split, make_dataset, read_dataset
from demo.data.folders import read_collection
from demo.models.backbone import Backbone, load_backbone
from demo.models.recipe import Balance, Optimizer, Recipe, lesson_recipe
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import Features, View, extract_features
from demo.tasks.finetune import FineTuned, FittedHead, fine_tune, fit_head

NUM_SEEDS = 5
LARGE, SMALL, EVEN = 48, 5, 20  # pictures of a class
STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # of scikit-learn's logistic regression; the best on the unseen pictures counts

Rows = list[tuple[str, str, str]]
Sizes = dict[int, int]  # class index -> number of training pictures


@dataclass(frozen=True, eq=False)
class Known:
    """The features of all pictures of a set, (n, D), as they are and mirrored, and their class indices, (n,)."""

    values: NDArray[np.float32]
    mirrored: NDArray[np.float32]
    class_idxs: NDArray[np.int64]
    class_names: tuple[str, ...]

    def draw(self, sizes: Sizes, seed: int) -> Features:
        """Draw training pictures; as many unseen ones of each class as the smallest rest has are for the test."""
        generator, training, rests = np.random.default_rng(seed), [], []
        for idx, size in sizes.items():
            order = generator.permutation(np.flatnonzero(self.class_idxs == idx))
            training.append(np.sort(order[:size]))
            rests.append(order[size:])
        learned, unseen = np.concatenate(training), np.concatenate([each[: min(map(len, rests))] for each in rests])
        chosen = np.concatenate([learned, unseen])
        splits = (Split.TRAIN,) * len(learned) + (Split.TEST,) * len(unseen)
        views = self.mirrored[learned][np.newaxis]
        return Features(EMBEDDED, self.class_names, self.values[chosen], self.class_idxs[chosen], splits, views)


def finish(run: Generator[Any, None, FittedHead]) -> FittedHead:
    """Train to the end."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            fitted: FittedHead = end.value
            return fitted


def look(backbone: Backbone, dataset: Dataset, settings: Settings) -> Known:
    """Compute the features of all pictures of a set."""
    samples = tuple(replace(each, split=Split.TRAIN) for each in dataset.samples)
    run = extract_features(backbone, replace(dataset, samples=samples), settings, views=[View(flip=True)])
    while True:
        try:
            next(run)
        except StopIteration as end:
            features: Features = end.value
            assert features.augmented is not None
            return Known(features.values, features.augmented[0], features.class_idxs, features.class_names)


def judge(features: Features, recipe: Recipe) -> float:
    """Return how many percent of the unseen pictures, equally many of each class, a new head gets right."""
    inputs, targets = features.of(Split.TEST)
    logits = finish(fit_head(features, recipe)).module(inputs)
    return 100 * Accuracy.of_answers(targets.numpy(), logits.argmax(dim=1).numpy()).share


def judge_regression(features: Features, strength: float) -> float:
    """Do the same with scikit-learn's logistic regression with balanced class weights."""
    (inputs, targets), (unseen, truth) = features.of(Split.TRAIN), features.of(Split.TEST)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000).fit(inputs.numpy(), targets.numpy())
    return 100 * float(model.score(unseen.numpy(), truth.numpy()))


def compare(known: Known, name: str) -> Rows:
    """Train on few pictures of all classes but one, which is another one with each seed."""
    num_classes = len(known.class_names)
    draws = [
        known.draw({idx: LARGE if idx == seed % num_classes else SMALL for idx in range(num_classes)}, seed)
        for seed in range(NUM_SEEDS)
    ]

    def mean(judged: Callable[[Features, int], float]) -> float:
        return float(np.mean([judged(features, seed) for seed, features in enumerate(draws)]))

    ridge = mean(lambda features, _: judge(features, Recipe(optimizer=Optimizer.RIDGE)))
    regressions = {
        each: mean(lambda features, _, each=each: judge_regression(features, each))  # type: ignore[misc]
        for each in STRENGTHS
    }
    best = max(ridge, *regressions.values())
    listed = ", ".join(f"{value:.1f} (C={strength})" for strength, value in regressions.items())
    rows = [(f"{name}: ridge; balanced logistic regression", "-", f"{ridge:.1f}; {listed}")]
    for title, recipe in (("default", Recipe()), ("lesson's", lesson_recipe())):
        ours = mean(lambda features, seed, recipe=recipe: judge(features, replace(recipe, seed=seed)))  # type: ignore[misc]
        plain = replace(recipe, balance=Balance.OFF)
        off = mean(lambda features, seed, plain=plain: judge(features, replace(plain, seed=seed)))  # type: ignore[misc]
        check = f"{name}: {LARGE} of one class, {SMALL} of each other, {title} recipe, balanced accuracy"
        rows.append((check, f"{best - 1:.1f} or more", f"{ours:.1f} (not balanced: {off:.1f})"))
    return rows


def keep(known: Known, name: str) -> Rows:
    """Train on equally many pictures of each class, with the automatic choice and without balance."""
    features = known.draw(dict.fromkeys(range(len(known.class_names)), EVEN), seed=0)
    auto, off = (
        torch.cat([each.flatten() for each in finish(fit_head(features, Recipe(balance=balance))).module.parameters()])
        for balance in (Balance.AUTO, Balance.OFF)
    )
    result = "equal" if torch.equal(auto, off) else f"differs by {float((auto - off).abs().max()):.1e}"
    return [(f"{name}: {EVEN} of each class, default head to one that is never balanced", "equal", result)]


def uneven(data: Path) -> Rows:
    """Compare on each set: hymenoptera.zip, and the zips of class folders in sets/, where there are any."""
    settings = replace(Settings(), max_pictures=5_000, max_archive_entries=9_000)
    backbone, rows = load_backbone(ZOO[EMBEDDED]), Rows()
    archives = {each.stem: each for each in (data / "hymenoptera.zip", *sorted((data / "sets").glob("*.zip")))}
    for name, archive in archives.items():
        known = look(backbone, make_dataset(read_collection(archive, settings), settings), settings)
        rows += [*compare(known, name), *keep(known, name)]
    *_, last = fine_tune(backbone, read_dataset(data / "hymenoptera.zip", Settings()), Recipe(), Settings())
    assert isinstance(last, FineTuned)
    summary = last.head.summary
    balance = f"{summary.val_correct} of {summary.val_count}, balance {summary.recipe.balance}"
    return [*rows, ("hymenoptera.zip in its own splits, default recipe", "145 of 153, balance off", balance)]


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (uneven,)
