"""What a look at a dataset finds before anything is learned from it, as values; the page puts them in words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from demo.data.collection import Split
from demo.data.duplicates import find_twins
from demo.data.splits import Sample

FEW_PICTURES = 10  # in a class; fewer are worth a warning
MAX_IMBALANCE = 3.0  # the largest class to the smallest; more is worth a warning


@dataclass(frozen=True)
class Place:
    """Where a picture stands in a dataset: its index among the samples, what it is called, its class, its split."""

    sample_idx: int
    path: str
    class_name: str
    split: Split


@dataclass(frozen=True)
class NearPair:
    """Two pictures that are the same or nearly so."""

    first: Place
    second: Place


@dataclass(frozen=True)
class DataReport:
    """What is to be known of a dataset.

    Attributes:
        counts: Class name -> split -> number of samples; splits without any are left out.
        small_classes: Names of the classes with fewer than 10 pictures.
        imbalance: Pictures of the largest class for each one of the smallest.
        num_near_duplicates: Pictures that have a near-duplicate in their class.
        num_groups: Groups that they form.
        across_splits: For each picture that a folder keeps from training, the nearest near-duplicate among those that
            are learned from (or, for a test picture, chosen by), first.
        across_classes: Near-duplicates in two classes: one of the two labels is wrong, or the classes look alike.
        split_by_picture: Names of the classes whose near-duplicates lie on both sides of a drawn split, because they
            are nearly all of the class.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    small_classes: tuple[str, ...] = ()
    imbalance: float = 1.0
    num_near_duplicates: int = 0
    num_groups: int = 0
    across_splits: tuple[NearPair, ...] = ()
    across_classes: tuple[NearPair, ...] = ()
    split_by_picture: tuple[str, ...] = ()

    @property
    def is_imbalanced(self) -> bool:
        """Whether the classes differ so much in size that accuracy alone misleads."""
        return self.imbalance > MAX_IMBALANCE


def build_report(
    class_names: Sequence[str],
    samples: Sequence[Sample],
    *,
    groups: Sequence[int],
    split_by_picture: tuple[str, ...] = (),
) -> DataReport:
    """Look a dataset over.

    Args:
        class_names: By class index.
        samples: At least one of each class.
        groups: Group of near-duplicates of each sample.
        split_by_picture: Passed on.

    Returns:
        The report.
    """
    sizes = Counter(sample.class_idx for sample in samples)
    bundles = Counter((sample.class_idx, group) for sample, group in zip(samples, groups, strict=True))
    repeated = [count for count in bundles.values() if count > 1]

    def pair(first: int, second: int) -> NearPair:
        return NearPair(*(_place(class_names, samples, idx) for idx in (first, second)))

    return DataReport(
        counts=count_samples(class_names, samples),
        small_classes=tuple(name for idx, name in enumerate(class_names) if sizes[idx] < FEW_PICTURES),
        imbalance=max(sizes.values()) / min(sizes.values()),
        num_near_duplicates=sum(repeated),
        num_groups=len(repeated),
        across_splits=tuple(pair(learned, held_out) for held_out, learned in _across_splits(samples)),
        across_classes=tuple(pair(first, second) for first, second in _across_classes(samples)),
        split_by_picture=split_by_picture,
    )


def count_samples(class_names: Sequence[str], samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Count samples: class name -> split -> count; splits without any sample are left out."""
    counted = Counter((sample.class_idx, sample.split) for sample in samples)
    return {
        name: {split.value: counted[idx, split] for split in Split if counted[idx, split]}
        for idx, name in enumerate(class_names)
    }


def _place(class_names: Sequence[str], samples: Sequence[Sample], idx: int) -> Place:
    sample = samples[idx]
    return Place(idx, sample.path, class_names[sample.class_idx], sample.split)


def _across_splits(samples: Sequence[Sample]) -> Iterator[tuple[int, int]]:
    """Yield each picture that a folder holds out and that has a twin in an earlier split, with that twin."""
    fingerprints = [sample.picture.fingerprint for sample in samples]
    earlier: list[int] = []
    for split in Split:
        dictated = [idx for idx, sample in enumerate(samples) if sample.picture.split is split]
        yield from find_twins(fingerprints, dictated, earlier)
        earlier += [idx for idx, sample in enumerate(samples) if sample.split is split]


def _across_classes(samples: Sequence[Sample]) -> Iterator[tuple[int, int]]:
    """Yield each picture that has a twin in a later class, with that twin."""
    fingerprints = [sample.picture.fingerprint for sample in samples]
    for class_idx in sorted({sample.class_idx for sample in samples}):
        ours = [idx for idx, sample in enumerate(samples) if sample.class_idx == class_idx]
        later = [idx for idx, sample in enumerate(samples) if sample.class_idx > class_idx]
        yield from find_twins(fingerprints, ours, later)
