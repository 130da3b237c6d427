"""What "none of these" lets pass: pictures of the classes, things of another kind, and what looks alike.

Beside it stands the plainest detector: the cosine to the nearest class mean, its threshold by the validation pictures.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from demo.data.dataset import make_dataset
from demo.data.duplicates import group
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.data.samples import EXAMPLES
from demo.models.backbone import Backbone, load_backbone
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import MEGABYTE, Settings
from demo.tasks.evaluate import unit_length
from demo.tasks.exhibits import Exhibits
from demo.tasks.features import extract_features
from demo.tasks.novelty import compare, distance_to, leave_out, threshold_for

SHARE = 0.95
NUM_SEEDS = 5
BROUGHT = (10, 20, 40)  # pictures of each class for training and validation, a fifth of them for the latter
UNSEEN = 60  # further pictures of each class, which stand for what comes later
SETTINGS = replace(Settings(), max_pictures=2_000, max_unpacked_bytes=500 * MEGABYTE)
INSECTS = "hymenoptera"
# Small animals look like ants and bees; flowers are what those sit on; an ant or a bee itself is no stranger to them.
SMALL_ANIMALS = (
    "tarantula",
    "ladybug",
    "dragonfly",
    "king_crab",
    "sea_urchin",
    "conch",
    "hummingbird",
    "tree_frog",
    "American_chameleon",
    "junco",
)

Real = NDArray[np.float64]
Values = NDArray[np.float32]
Rows = list[tuple[str, str, str]]


class Pictures(NamedTuple):
    """Features (n, D) with class indices and groups of near-duplicates (n,), and which are for validation."""

    values: Values
    class_idxs: NDArray[np.int64]
    groups: NDArray[np.int64]
    held: NDArray[np.bool_]

    def where(self, chosen: NDArray[Any]) -> "Pictures":
        """Return some of them, or all in another order."""
        return Pictures(self.values[chosen], self.class_idxs[chosen], self.groups[chosen], self.held[chosen])


class Detector(NamedTuple):
    """What tells a distance for features, and from which on a picture is none of the classes."""

    ask: Callable[[Values], Real]
    threshold: float

    def accepts(self, values: Values) -> float:
        """Return the share that is taken for one of the classes."""
        return float((self.ask(values) <= self.threshold).mean())


@dataclass
class Tally:
    """Shares that the demo and the plainest detector accept, one for each draw, and how well distances tell apart."""

    demo: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    aurocs: list[float] = field(default_factory=list)

    def add(self, demo: Detector, plain: Detector, known: Values, strange: Values) -> None:
        """Show strangers to both."""
        self.demo.append(demo.accepts(strange))
        self.plain.append(plain.accepts(strange))
        labels = np.repeat([0, 1], [len(known), len(strange)])
        self.aurocs.append(roc_auc_score(labels, demo.ask(np.concatenate([known, strange]))))

    def __str__(self) -> str:
        auroc = np.mean(self.aurocs)
        return f"{np.mean(self.demo):.1%}, AUROC {auroc:.3f} (nearest class mean: {np.mean(self.plain):.1%})"


def nearest_neighbours(known: Pictures) -> Detector:
    """Return the demo's detector."""
    directions = unit_length(known.values)
    threshold = threshold_for(distance_to(compare(known.values, known.groups.tolist())), SHARE)
    return Detector(lambda values: distance_to(unit_length(values) @ directions.T), threshold)


def class_means(known: Pictures) -> Detector:
    """Return the plainest detector."""
    classes = np.unique(known.class_idxs)
    means = [known.values[~known.held & (known.class_idxs == idx)].mean(axis=0) for idx in classes]
    directions = unit_length(np.stack(means))

    def ask(values: Values) -> Real:
        nearest: Real = (unit_length(values) @ directions.T).max(axis=1)
        return 1 - nearest

    return Detector(ask, float(np.quantile(ask(known.values[known.held]), SHARE, method="higher")))


def accepted(data: Path) -> Rows:
    """Learn from few pictures of each set of class folders, and show what was never seen."""
    backbone = load_backbone(ZOO[EMBEDDED])
    paths = sorted((data / "imagenet_samples").glob("*.JPEG"))
    photos = np.concatenate([look(backbone, paths[at : at + 8]) for at in range(0, len(paths), 8)])
    small, same, daisy = (
        np.array([path.stem.endswith(names) for path in paths]) for names in (SMALL_ANIMALS, ("_ant", "_bee"), "_daisy")
    )
    examples = Exhibits().features(backbone, SETTINGS)
    flower = np.array([each.name == "flower" for each in EXAMPLES])
    alike = {"small animals": photos[small], "a daisy, a flower": np.concatenate([photos[daisy], examples[flower]])}
    archives = {path.stem: path for path in [*sorted((data / "sets").glob("*.zip")), data / f"{INSECTS}.zip"]}
    rows: Rows = []
    for name, archive in archives.items():
        pictures = read(backbone, archive)
        near = alike if name == INSECTS else {}
        others = ~(small | same | daisy) if near else np.full(len(paths), True)
        far = {"the examples": examples[~flower] if near else examples, "photographs of other things": photos[others]}
        for brought in BROUGHT:
            found = show(list(draw(pictures, brought)), far, near)
            rows += [(f"{name}, {brought} a class: {what}", promised, figure) for what, promised, figure in found]
    return rows


def look(backbone: Backbone, paths: Sequence[Path]) -> Values:
    """Return the features of a few photographs."""
    return backbone.run([read_image(path, SETTINGS, name=path.name) for path in paths]).features.numpy()


def read(backbone: Backbone, archive: Path) -> Pictures:
    """Return all pictures of a set."""
    dataset = make_dataset(read_collection(archive, SETTINGS, name=archive.name), SETTINGS)
    steps = extract_features(backbone, dataset, SETTINGS)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        groups = group([sample.picture.fingerprint for sample in dataset.samples])
        return Pictures(end.value.values, end.value.class_idxs, np.array(groups), np.zeros(len(groups), dtype=bool))


def draw(pictures: Pictures, brought: int) -> Iterator[tuple[Pictures, Pictures]]:
    """Yield what a visitor brings, and further pictures of the same classes, for each seed."""
    for seed in range(NUM_SEEDS):
        mixed = pictures.where(np.random.default_rng(seed).permutation(len(pictures.values)))
        rank = np.array([(mixed.class_idxs[:place] == idx).sum() for place, idx in enumerate(mixed.class_idxs)])
        mixed = mixed._replace(held=rank < brought // 5)
        yield mixed.where(rank < brought), mixed.where((rank >= brought) & (rank < brought + UNSEEN))


def show(
    draws: Sequence[tuple[Pictures, Pictures]], far: dict[str, Values], near: dict[str, Values]
) -> Iterator[tuple[str, str, str]]:
    """Return what is made of known pictures, strangers, and classes left out, over all draws."""
    rejected, strange, left_out = Tally(), {what: Tally() for what in far | near}, Tally()
    for known, unseen in draws:
        detectors = nearest_neighbours(known), class_means(known)
        rejected.demo.append(1 - detectors[0].accepts(unseen.values))
        rejected.plain.append(1 - detectors[1].accepts(unseen.values))
        for what, values in (far | near).items():
            strange[what].add(*detectors, unseen.values, values)
        for idx in np.unique(known.class_idxs):
            others = known.where(known.class_idxs != idx)
            out = np.concatenate([each.values[each.class_idxs == idx] for each in (known, unseen)])
            rest = unseen.values[unseen.class_idxs != idx]
            left_out.add(nearest_neighbours(others), class_means(others), rest, out)
    means = f"{np.mean(rejected.demo):.1%} (nearest class mean: {np.mean(rejected.plain):.1%})"
    yield "unseen ones rejected", "3 to 8%", means
    for what, tally in strange.items():
        yield f"{what} accepted", "under 35%" if what in near else "0%", str(tally)
    yield "a class left out accepted", "under 35%", str(left_out)


def speed(_data: Path, rounds: int = 9) -> Rows:
    """Measure, set the threshold and leave each of ten classes out, for as many pictures as a visitor may bring."""
    values = np.random.default_rng(0).random((500, 1280), dtype=np.float32)
    class_idxs, walls = np.arange(500) % 10, []
    for _ in range(rounds):
        start = time.perf_counter()
        similarity = compare(values, range(500))
        threshold_for(distance_to(similarity), SHARE)
        leave_out(similarity, class_idxs, SHARE)
        walls.append(time.perf_counter() - start)
    return [("none of these, 500 pictures of 10 classes, all of it", "100 ms", f"{1000 * np.median(walls):.0f} ms")]


BENCHMARKS = (accepted, speed)
