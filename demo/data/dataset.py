"""A collection -> samples with class indices and splits, and a report of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from demo.data.collection import Collection, PictureClass, Skipped, Split
from demo.data.duplicates import group
from demo.data.errors import ClassTooSmall, TooFewClasses, TooManyClasses
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.data.report import DataReport, build_report, count_samples
from demo.data.splits import Sample, split_classes
from demo.settings import Settings

# The parts of a dataset can be imported from here as well.
__all__ = ["DataReport", "Dataset", "Sample", "Skipped", "Split", "make_dataset", "read_dataset", "read_sample"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A visitor's pictures by class. Every sample was decoded once already, so it can be decoded again."""

    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...]
    report: DataReport = field(default_factory=DataReport)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The number of samples: class name -> split -> count; splits without any sample are left out."""
        return count_samples(self.class_names, self.samples)

    @property
    def training_counts(self) -> tuple[int, ...]:
        """The number of training samples of each class, at least 1."""
        return tuple(each[Split.TRAIN.value] for each in self.counts.values())


def read_sample(sample: Sample, settings: Settings) -> Image.Image:
    """Decode one picture of a dataset."""
    return read_image(sample.image_bytes, settings, name=sample.path)


def read_dataset(path: Path, settings: Settings, *, name: str = "") -> Dataset:
    """Read a zip of class folders: `read_collection`, then `make_dataset`.

    Args:
        path: The uploaded zip.
        settings: Limits on the archive, its pictures and its classes.
        name: Name of the zip in errors.

    Returns:
        The dataset. Classes are in the order of their names; unusable files are in `skipped`.

    Raises:
        ArchiveError: If the archive as a whole cannot be read.
        DatasetError: If the pictures in it do not make a dataset.
    """
    return make_dataset(read_collection(path, settings, name=name), settings)


def make_dataset(collection: Collection, settings: Settings, *, seed: int = 0) -> Dataset:
    """Check the classes that are on, and split their pictures for training, validation and test.

    Args:
        collection: A visitor's classes.
        settings: Limits on classes and pictures.
        seed: Source of the random splits; see `split_classes`.

    Returns:
        The dataset, in the order of the collection.

    Raises:
        DatasetError: If the pictures do not make a dataset.
    """
    classes = [each for each in collection.classes if each.is_on]
    _check_classes(classes, settings)
    groups = group([picture.fingerprint for each in classes for picture in each.pictures])
    samples, split_by_picture = split_classes(classes, groups, seed=seed)
    class_names = tuple(each.name for each in classes)
    report = build_report(class_names, samples, groups=groups, split_by_picture=split_by_picture)
    return Dataset(class_names, tuple(samples), collection.skipped, report)


def _check_classes(classes: Sequence[PictureClass], settings: Settings) -> None:
    if len(classes) < settings.min_classes:
        listed = ", ".join(each.name for each in classes) or "-"
        raise TooFewClasses(count=len(classes), names=listed, limit=settings.min_classes)
    if len(classes) > settings.max_classes:
        raise TooManyClasses(count=len(classes), limit=settings.max_classes)
    for each in classes:
        if len(each.pictures) < settings.min_pictures_per_class:
            limit = settings.min_pictures_per_class
            raise ClassTooSmall(class_name=each.name, count=len(each.pictures), limit=limit)
