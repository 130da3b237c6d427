"""Training more layers than the head, beside a plain PyTorch loop and the head alone: what is right, and how long."""

import copy
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader

from demo.data.dataset import Dataset, Sample, Split, read_dataset, read_sample
from demo.models.backbone import Backbone, load_backbone
from demo.models.graph import replace_module
from demo.models.recipe import SUGGESTED_RECIPES, Recipe, Trains, lesson_recipe
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.finetune import FineTuned, fine_tune

NUM_TRAINING, NUM_HELD_OUT = 20, 20  # pictures of each class
SEEDS = (0, 1, 2)
DEPTHS = (Trains.LAST_STAGE, Trains.EVERYTHING)

Rows = list[tuple[str, str, str]]


class Run(NamedTuple):
    """One training: how many of the held-out pictures are right, and the seconds that it took."""

    correct: int
    seconds: float


def draw(dataset: Dataset, seed: int) -> Dataset:
    """Return a dataset of few pictures of each class, of its own split."""
    samples: list[Sample] = []
    for class_idx in range(len(dataset.class_names)):
        theirs = [each for each in dataset.samples if each.class_idx == class_idx]
        random.Random(f"{seed},{class_idx}").shuffle(theirs)
        samples += [replace(each, split=Split.TRAIN) for each in theirs[:NUM_TRAINING]]
        held_out = theirs[NUM_TRAINING : NUM_TRAINING + NUM_HELD_OUT]
        samples += [replace(each, split=Split.VALIDATION) for each in held_out]
    return replace(dataset, samples=tuple(samples))


def train(backbone: Backbone, dataset: Dataset, recipe: Recipe) -> Run:
    """Train as the page does."""
    *_, last = fine_tune(backbone, dataset, recipe, Settings())
    assert isinstance(last, FineTuned)
    return Run(last.head.summary.val_correct, last.head.summary.seconds)


def train_plainly(backbone: Backbone, dataset: Dataset, recipe: Recipe) -> Run:
    """Train as PyTorch's tutorial does: every picture goes through the whole network in every epoch.

    Source:
        https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
    """
    start = time.perf_counter()
    torch.manual_seed(recipe.seed)
    network = copy.deepcopy(backbone.network)
    replace_module(network, backbone.spec.logits, nn.Linear(backbone.spec.num_features, len(dataset.class_names)))
    if recipe.trains is Trains.EVERYTHING:
        network.requires_grad_(True)
    else:
        names = {name for name, _ in backbone.subgraph(StageLabel.MIDDLE).named_parameters()}
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name in names or name.startswith(backbone.spec.logits))

    def load(split: Split, *, shuffle: bool) -> DataLoader[tuple[Tensor, int]]:
        samples = [each for each in dataset.samples if each.split is split]
        return DataLoader(samples, recipe.batch_size, shuffle=shuffle, collate_fn=collate)  # type: ignore[arg-type]

    def collate(samples: list[Sample]) -> tuple[Tensor, Tensor]:
        pictures = [backbone.transform(read_sample(each, Settings())) for each in samples]
        return torch.stack(pictures), torch.tensor([each.class_idx for each in samples])

    trained = [each for each in network.parameters() if each.requires_grad]
    optimizer = optim.SGD(trained, lr=recipe.learning_rate, momentum=recipe.momentum)
    for _ in range(recipe.epochs):
        network.train(recipe.trains is Trains.EVERYTHING)
        for inputs, labels in load(Split.TRAIN, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(inputs), labels)
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        correct = sum(
            int((network(inputs).argmax(1) == labels).sum()) for inputs, labels in load(Split.VALIDATION, shuffle=False)
        )
    return Run(correct, time.perf_counter() - start)


def measure_depths(folder: Path) -> Rows:
    """Train on few pictures of each set: the head alone, more layers as the page does it, and plainly."""
    backbone, rows = load_backbone(ZOO[EMBEDDED]), Rows()
    for archive in [folder / "hymenoptera.zip", *sorted((folder / "sets").glob("*.zip"))]:
        whole = read_dataset(archive, Settings())
        drawn = [draw(whole, seed) for seed in SEEDS]
        count = sum(each.split is Split.VALIDATION for each in drawn[0].samples)

        def repeat(way: Callable[..., Run], recipe: Recipe, drawn: list[Dataset] = drawn) -> list[Run]:
            return [
                way(backbone, dataset, replace(recipe, seed=seed)) for seed, dataset in zip(SEEDS, drawn, strict=True)
            ]

        alone = repeat(train, Recipe())
        rows.append((f"{archive.stem}, {NUM_TRAINING} a class: the head alone", "-", describe(alone, count)))
        for trains in DEPTHS:
            plainly = lesson_recipe(trains, epochs=SUGGESTED_RECIPES[trains].epochs)
            ways = (
                ("a plain loop, the lesson's recipe", "-", repeat(train_plainly, plainly)),
                ("the page, the lesson's recipe", "like the plain loop", repeat(train, plainly)),
                ("the page, the suggested recipe", "not below", repeat(train, SUGGESTED_RECIPES[trains])),
            )
            rows += [
                (f"{archive.stem}: {trains}, {way}", promised, describe(runs, count)) for way, promised, runs in ways
            ]
    return rows


def describe(runs: list[Run], count: int) -> str:
    """Return what is right for each seed, and the median of the seconds."""
    shares = ", ".join(f"{100 * each.correct / count:.1f}%" for each in runs)
    return f"{shares} of {count} right; {statistics.median(each.seconds for each in runs):.0f} s"


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (measure_depths,)
