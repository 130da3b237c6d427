"""A collection -> samples with class indices and splits, and a report of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from demo.data.collection import Collection, PictureClass, Skipped, Split
from demo.data.duplicates import group
from demo.data.errors import ClassTooSmall, TooFewClasses, TooManyClasses
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.data.layouts.errors import QuestionsOpen
from demo.data.questions import put_question
from demo.data.reading import Choices
from demo.data.report import DataReport, build_report, count_samples, rename_in_report
from demo.data.splits import Sample, split_classes
from demo.settings import Settings

# The parts of a dataset can be imported from here as well.
__all__ = ["DataReport", "Dataset", "Sample", "Skipped", "Split", "make_dataset", "read_dataset", "read_sample"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A visitor's pictures by class. Every sample was decoded once already, so it can be decoded again.

    `source` is that of the collection which it was made of.
    """

    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...]
    report: DataReport = field(default_factory=DataReport)
    source: str = ""

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


def read_dataset(
    paths: Path | Sequence[tuple[Path, str]], settings: Settings, *, name: str = "", choices: Choices | None = None
) -> Dataset:
    """Read zips of class folders: `read_collection`, then `make_dataset`.

    Args:
        paths: The uploaded zip, or several with their names.
        settings: Limits on the archives, their pictures and their classes.
        name: Name of the one zip in errors.
        choices: What the visitor has put right already.

    Returns:
        The dataset. Classes are in the order of their names; unusable files are in `skipped`.

    Raises:
        ArchiveError: If the archive as a whole cannot be read.
        QuestionsOpen: If a reading is likely nonsense, and `choices` does not say that it is meant.
        DatasetError: If the pictures do not make a dataset.
    """
    collection = read_collection(paths, settings, name=name, choices=choices)
    check_questions(collection)
    return make_dataset(collection, settings)


def check_questions(collection: Collection) -> None:
    """Raise QuestionsOpen if the visitor has not answered all that is asked about how the files were read."""
    if collection.reading and collection.reading.open_questions:
        raise QuestionsOpen(questions=[put_question(each) for each in collection.reading.open_questions])


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
    _check_classes(classes, collection, settings)
    groups = group([picture.fingerprint for each in classes for picture in each.pictures])
    samples, split_by_picture = split_classes(classes, groups, seed=seed)
    class_names = tuple(each.name for each in classes)
    report = build_report(class_names, samples, groups=groups, split_by_picture=split_by_picture)
    return Dataset(class_names, tuple(samples), collection.skipped, report, collection.source)


def rename_classes(dataset: Dataset, class_names: Sequence[str]) -> Dataset:
    """Return a dataset with other names of the same classes."""
    report = rename_in_report(dataset.report, dict(zip(dataset.class_names, class_names, strict=True)))
    return replace(dataset, class_names=tuple(class_names), report=report)


def _check_classes(classes: Sequence[PictureClass], collection: Collection, settings: Settings) -> None:
    if len(classes) < settings.min_classes:
        obstacle = collection.reading.obstacle if collection.reading else None
        if obstacle:
            raise type(obstacle)(**obstacle.values)  # an error that is kept must not hold what it passed through
        listed = ", ".join(each.name for each in classes) or "-"
        raise TooFewClasses(count=len(classes), names=listed, limit=settings.min_classes)
    if len(classes) > settings.max_classes:
        raise TooManyClasses(count=len(classes), limit=settings.max_classes)
    for each in classes:
        if len(each.pictures) < settings.min_pictures_per_class:
            limit = settings.min_pictures_per_class
            raise ClassTooSmall(class_name=each.name, count=len(each.pictures), limit=limit)
