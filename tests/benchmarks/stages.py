"""Which layer of a stage can be read: how far its maps hang together, follow edges, and tell classes apart."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from demo.data.dataset import read_dataset, read_sample
from demo.models.backbone import Backbone, load_backbone
from demo.models.weights import find_whole
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.activations import Measure, rank_channels
from tests.benchmarks.maps import read_photos

NUM_MAPS = 16
PROMISED = {StageLabel.LOW: 0.55, StageLabel.MIDDLE: 0.5}
# Layers that could be looked at: the block's output, and what has a ReLU within it and after it.
CANDIDATES = {
    StageLabel.LOW: ("blocks.1", "blocks.1.0.bn2", "blocks.1.1.bn1", "blocks.1.1.bn2", "blocks.2.0.bn1"),
    StageLabel.MIDDLE: ("blocks.4", "blocks.4.1.bn1", "blocks.4.2.bn1", "blocks.4.2.bn2", "blocks.5.0.bn1"),
    StageLabel.HIGH: ("blocks.5", "blocks.6.0.bn1", "blocks.6", "bn2"),
}

Map = NDArray[np.float32]
Rows = list[tuple[str, str, str]]


class Legibility(NamedTuple):
    """How well the strongest maps of one layer can be read on one photograph; all are correlations, -1 to 1.

    `neighbours` is the agreement of neighbours in the sixteen maps with the largest mean magnitude, and `by_spread`
    in those with the largest standard deviation. `edges` is the mean size of the correlation of the same sixteen maps
    with the picture's edges, for an edge may be drawn dark on bright, and `mean_edges` the correlation of the mean
    activation with them.
    """

    neighbours: float
    by_spread: float
    edges: float
    mean_edges: float


def agreement(values: Map) -> float:
    """Return how far neighbours in a map (H, W) agree, -1 to 1; NaN where the map is the same everywhere.

    It is the mean of two correlations (Pearson): of all cells with those to their right, and with those below. Noise
    has 0. A map that is scaled or shifted keeps its agreement.
    """
    return (correlate(values[:, 1:], values[:, :-1]) + correlate(values[1:], values[:-1])) / 2


def agree_strongest(values: Map, measure: Measure = Measure.MEAN) -> float:
    """Return the mean agreement of neighbours over the strongest of maps (C, H, W), by magnitude as they are drawn."""
    magnitudes = np.abs(values)
    return float(np.nanmean([agreement(magnitudes[idx]) for idx in rank_channels(magnitudes, NUM_MAPS, measure)]))


def correlate(first: Map, second: Map) -> float:
    """Return the correlation of two maps; NaN where one is the same everywhere."""
    x, y = (each - each.mean(dtype=np.float64) for each in (first, second))
    length = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / length if length else float("nan")


def find_edges(backbone: Backbone, transformed: Tensor, side: int) -> Map:
    """Return the size of the brightness's gradient of a transformed picture (3, H, W), as means over cells."""
    std = torch.tensor(backbone.spec.build_transforms().std).view(3, 1, 1)
    down, right = np.gradient((transformed * std).mean(dim=0).numpy())
    edges = torch.from_numpy(np.hypot(down, right))[None, None]
    cells: Map = functional.adaptive_avg_pool2d(edges, side)[0, 0].numpy()
    return cells


class Watched(NamedTuple):
    """A network of this process alone, with hooks, and what its layers gave last: (N, C, H, W) by name."""

    backbone: Backbone
    seen: dict[str, Tensor]

    def run(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Run pictures, and return what went in: (N, 3, H, W)."""
        batch = torch.stack([self.backbone.transform(each) for each in pictures])
        with torch.inference_mode():
            self.backbone.network(batch)
        return batch


def watch(name: str, layers: Sequence[str]) -> Watched:
    """Load a network, and keep what its layers give."""
    backbone, seen = load_backbone(ZOO[name]), dict[str, Tensor]()
    for layer in layers:
        backbone.network.get_submodule(layer).register_forward_hook(
            lambda _module, _inputs, output, layer=layer: seen.__setitem__(layer, output)
        )
    return Watched(backbone, seen)


def read_layers(watched: Watched, photos: Path) -> dict[str, list[Legibility]]:
    """Measure each layer on each photograph."""
    found: dict[str, list[Legibility]] = {}
    for picture in read_photos(photos):
        (transformed,) = watched.run([picture])
        for layer, output in watched.seen.items():
            values = output[0].numpy()
            magnitudes, edges = np.abs(values), find_edges(watched.backbone, transformed, values.shape[1])
            strongest = magnitudes[rank_channels(magnitudes, NUM_MAPS)]
            legibility = Legibility(
                agree_strongest(values),
                agree_strongest(values, Measure.SPREAD),
                float(np.nanmean([abs(correlate(each, edges)) for each in strongest])),
                correlate(magnitudes.mean(axis=0), edges),
            )
            found.setdefault(layer, []).append(legibility)
    return found


def legibility(photos: Path) -> Rows:
    """Compare layers of the embedded network's stages; of ResNet-18 take what is shown, where its weights are here."""
    rows: Rows = []
    for name in (EMBEDDED, "resnet18"):
        if find_whole(ZOO[name]) is None:
            rows.append((f"{ZOO[name].display_name}: maps of low and middle stage", "-", "no weights on this machine"))
            continue
        shown = {stage.label: stage.module for stage in ZOO[name].stages}
        layers = {label: CANDIDATES[label] if name == EMBEDDED else (shown[label],) for label in PROMISED}
        found = read_layers(watch(name, sum(layers.values(), ())), photos)
        rows += [
            _describe(f"{ZOO[name].display_name} {label.value}, {layer}", label, found[layer], layer == shown[label])
            for label in layers
            for layer in layers[label]
        ]
    return rows


def _describe(check: str, label: StageLabel, found: list[Legibility], is_shown: bool) -> tuple[str, str, str]:
    mean = Legibility(*(statistics.mean(each) for each in zip(*found, strict=True)))
    verdict = ("holds: " if mean.neighbours >= PROMISED[label] else "FAILS: ") if is_shown else ""
    numbers = f"{verdict}{mean.neighbours:.2f} (by spread {mean.by_spread:.2f})"
    edges = f"; edges in maps {mean.edges:.2f}, in their mean {mean.mean_edges:.2f}" if label is StageLabel.LOW else ""
    promised = f"{PROMISED[label]}" if is_shown else "-"
    return f"{check}{' (shown)' if is_shown else ''}: neighbours in {NUM_MAPS} maps", promised, numbers + edges


def separation(photos: Path) -> Rows:
    """Ask how far what is shown of the high stage tells classes apart, beside other layers: two kinds of insects."""
    watched, settings = watch(EMBEDDED, CANDIDATES[StageLabel.HIGH]), Settings()
    samples = read_dataset(photos.parent / "hymenoptera.zip", settings).samples
    pooled: dict[str, list[Tensor]] = {}
    for first in range(0, len(samples), 8):
        watched.run([read_sample(each, settings) for each in samples[first : first + 8]])
        for layer, output in watched.seen.items():
            pooled.setdefault(layer, []).append(output.mean(dim=(2, 3)))
    class_idxs = torch.tensor([each.class_idx for each in samples])
    (shown,) = (stage.module for stage in ZOO[EMBEDDED].stages if stage.label is StageLabel.HIGH)
    return [
        (
            f"{ZOO[EMBEDDED].display_name} high, {layer}{' (shown)' if layer == shown else ''}: "
            f"the nearest of {len(samples)} insects is of the same class",
            "-",
            f"{share_alike(torch.cat(found), class_idxs):.1%}",
        )
        for layer, found in pooled.items()
    ]


def share_alike(pooled: Tensor, class_idxs: Tensor) -> float:
    """Return the share of pictures (N, C) whose nearest other one, by cosine, is of the same class (N,)."""
    unit = functional.normalize(pooled)
    likeness = (unit @ unit.T).fill_diagonal_(-2)
    return float((class_idxs[likeness.argmax(dim=1)] == class_idxs).double().mean())


BENCHMARKS = (legibility, separation)
