"""Checks of a dataset before training: sizes, imbalance and near-duplicates, as values that the page puts in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from demo.data.collection import Split
from demo.data.duplicates import find_twins
from demo.data.splits import Sample

FEW_PICTURES = 10  # a class with fewer pictures is worth a warning
IMBALANCED_FROM = 3.0  # ratio of the largest class to the smallest, in training pictures, that is worth a warning


@dataclass(frozen=True)
class Place:
    """The place of a picture in a dataset: its index among the samples, its label, its class and its split."""

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
    """The facts about a dataset that decide how far its results can be trusted.

    Attributes:
        counts: Class name -> split -> number of samples; splits without any are left out.
        small_classes: Names of the classes with fewer than 10 pictures.
        imbalance: Training pictures of the largest class for each one of the smallest.
        num_near_duplicates: Pictures that have a near-duplicate in their class.
        num_groups: Groups that these pictures form.
        across_splits: Pairs across splits that folders dictate: first the near-duplicate that is learned from (or, for
            a test picture, chosen by), then the picture that is held out.
        across_classes: Near-duplicates in two classes: one of the two labels is wrong, or the classes look alike.
        split_by_picture: Names of the classes whose near-duplicates lie on both sides of a random split, because nearly
            the whole class consists of them.
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
        return self.imbalance >= IMBALANCED_FROM


def build_report(
    class_names: Sequence[str],
    samples: Sequence[Sample],
    *,
    groups: Sequence[int],
    split_by_picture: tuple[str, ...] = (),
) -> DataReport:
    """Collect the facts about a dataset.

    Args:
        class_names: Names of the classes, by class index.
        samples: At least one of each class for training.
        groups: Group of near-duplicates of each sample.
        split_by_picture: Names of the classes that were split picture by picture; it becomes part of the report.

    Returns:
        The report.
    """
    sizes = Counter(sample.class_idx for sample in samples)
    learned = Counter(sample.class_idx for sample in samples if sample.split is Split.TRAIN)
    bundles = Counter((sample.class_idx, group) for sample, group in zip(samples, groups, strict=True))
    repeated = [count for count in bundles.values() if count > 1]

    def pair(first: int, second: int) -> NearPair:
        return NearPair(*(_place(class_names, samples, idx) for idx in (first, second)))

    return DataReport(
        counts=count_samples(class_names, samples),
        small_classes=tuple(name for idx, name in enumerate(class_names) if sizes[idx] < FEW_PICTURES),
        imbalance=max(learned.values()) / min(learned.values()),
        num_near_duplicates=sum(repeated),
        num_groups=len(repeated),
        across_splits=tuple(pair(learned, held_out) for held_out, learned in _across_splits(samples)),
        across_classes=tuple(pair(first, second) for first, second in _across_classes(samples)),
        split_by_picture=split_by_picture,
    )


def rename_in_report(report: DataReport, names: Mapping[str, str]) -> DataReport:
    """Return a report that names its classes otherwise, by their old names."""

    def rename(pairs: tuple[NearPair, ...]) -> tuple[NearPair, ...]:
        places = [(each.first, each.second) for each in pairs]
        return tuple(NearPair(*(replace(one, class_name=names[one.class_name]) for one in each)) for each in places)

    return replace(
        report,
        counts={names[name]: counts for name, counts in report.counts.items()},
        small_classes=tuple(names[name] for name in report.small_classes),
        across_splits=rename(report.across_splits),
        across_classes=rename(report.across_classes),
        split_by_picture=tuple(names[name] for name in report.split_by_picture),
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
    """Yield the indices of each picture that a folder holds out, with that of its twin in an earlier split."""
    fingerprints = [sample.picture.fingerprint for sample in samples]
    earlier: list[int] = []
    for split in Split:
        dictated = [idx for idx, sample in enumerate(samples) if sample.picture.split is split]
        yield from find_twins(fingerprints, dictated, earlier)
        earlier += [idx for idx, sample in enumerate(samples) if sample.split is split]


def _across_classes(samples: Sequence[Sample]) -> Iterator[tuple[int, int]]:
    """Yield the indices of each picture that has a twin in a later class, and of the twin."""
    fingerprints = [sample.picture.fingerprint for sample in samples]
    for class_idx in sorted({sample.class_idx for sample in samples}):
        ours = [idx for idx, sample in enumerate(samples) if sample.class_idx == class_idx]
        later = [idx for idx, sample in enumerate(samples) if sample.class_idx > class_idx]
        yield from find_twins(fingerprints, ours, later)
