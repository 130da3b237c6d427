"""Pictures of which some are nearly the same -> how well a head seems to do where copies of what it learned test it.

Source:
    Kapoor & Narayanan 2023, "Leakage and the reproducibility crisis", https://doi.org/10.1016/j.patter.2023.100804
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.data.dataset import Dataset
from demo.data.duplicates import group
from demo.models.backbone import Backbone
from demo.models.ridge import fit_ridge
from demo.pace import rest
from demo.settings import Settings
from demo.tasks.features import FeatureCache, FeatureProgress, extract_features

NUM_FOLDS = 5
NUM_DEALS = 5


@dataclass(frozen=True)
class Deals:
    """The shares of all pictures that are right, 0 to 1, one for each random deal of the pictures into folds."""

    shares: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean of the shares."""
        return float(np.mean(self.shares))


@dataclass(frozen=True)
class CopiesResult:
    """Cross-validation twice: with each picture dealt by chance, and with near-copies kept together.

    `num_copies` of `num_pictures` have a near-copy; `num_groups` are the groups of these.
    """

    num_pictures: int
    num_copies: int
    num_groups: int
    by_chance: Deals
    together: Deals

    @property
    def is_leaking(self) -> bool:
        """Whether every deal by chance looks better than every one that keeps copies together."""
        return self.num_copies > 0 and min(self.by_chance.shares) > max(self.together.shares)


def measure_copies(
    backbone: Backbone, dataset: Dataset, settings: Settings, *, cache: FeatureCache | None = None
) -> Generator[FeatureProgress | CopiesResult, None, None]:
    """Compute the features that are missing, then both cross-validations of heads in closed form on all pictures.

    Args:
        backbone: Network whose features the heads answer by; left unchanged.
        dataset: Pictures; into which splits they were put does not matter here.
        settings: Limits for decoding the pictures.
        cache: Features from earlier runs; those that are computed here are added.

    Yields:
        FeatureProgress while pictures are looked at, and a CopiesResult at the end.
    """
    features = yield from extract_features(backbone, dataset, settings, cache=cache)
    groups = np.array(group([sample.picture.fingerprint for sample in dataset.samples]))
    yield compare_deals(features.values, features.class_idxs, groups)


def compare_deals(
    values: NDArray[np.float32], class_idxs: NDArray[np.int64], groups: NDArray[np.int64]
) -> CopiesResult:
    """Cross-validate closed-form heads on features (n, D) and class indices (n,), both ways; groups (n,) are copies."""
    sizes = np.bincount(groups)
    by_chance, together = (
        Deals(tuple(_cross_validate(values, class_idxs, each, seed) for seed in range(NUM_DEALS)))
        for each in (np.arange(len(groups)), groups)
    )
    num_copies = int(sizes[sizes > 1].sum())
    return CopiesResult(len(groups), num_copies, int((sizes > 1).sum()), by_chance, together)


def deal(class_idxs: NDArray[np.int64], groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the fold of each picture (n,): groups stay whole, and each class is spread over all folds."""
    generator = np.random.default_rng(seed)
    folds = np.full(groups.max() + 1, -1)
    for class_idx in np.unique(class_idxs):
        mine = np.unique(groups[class_idxs == class_idx])
        mine = generator.permutation(mine[folds[mine] < 0])  # a group in two classes was dealt with the first
        folds[mine] = (np.arange(len(mine)) + generator.integers(NUM_FOLDS)) % NUM_FOLDS
    return folds[groups]


def _cross_validate(
    values: NDArray[np.float32], class_idxs: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> float:
    """Return the share of all pictures that a head gets right which did not learn from their fold."""
    folds, num_right = deal(class_idxs, groups, seed), 0
    for held in (folds == fold for fold in np.unique(folds)):
        rest()
        if not held.all():
            weight, bias = fit_ridge(values[~held], class_idxs[~held], int(class_idxs.max()) + 1)
            num_right += int(((values[held] @ weight.T + bias).argmax(axis=1) == class_idxs[held]).sum())
    return num_right / len(class_idxs)
