"""Training pictures with each other's labels: what can still be learned of them is learned by heart.

Source:
    Zhang et al. 2017, https://arxiv.org/abs/1611.03530
"""

from __future__ import annotations

from dataclasses import replace

from demo.data.dataset import Dataset, Split
from demo.models.late import torch


def shuffle_labels(dataset: Dataset, seed: int) -> Dataset:
    """Return a dataset whose training pictures have each other's class indices; validation and test are untouched.

    Args:
        dataset: Pictures with class indices and splits.
        seed: Source of the order.
    """
    places = [idx for idx, sample in enumerate(dataset.samples) if sample.split is Split.TRAIN]
    order = torch.randperm(len(places), generator=torch.Generator().manual_seed(seed)).tolist()
    samples = list(dataset.samples)
    for place, other in zip(places, order, strict=True):
        samples[place] = replace(samples[place], class_idx=dataset.samples[places[other]].class_idx)
    return replace(dataset, samples=tuple(samples))
