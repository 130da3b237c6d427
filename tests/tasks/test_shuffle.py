"""Training pictures with each other's labels."""

from collections import Counter

import pytest

from demo.data.dataset import Dataset, Split, read_dataset
from demo.models.backbone import Backbone
from demo.models.recipe import Recipe
from demo.settings import Settings
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.shuffle import shuffle_labels
from tests.pictures import colour_folders, write_zip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Dataset:
    archive = write_zip(tmp_path_factory.mktemp("colours") / "colours.zip", colour_folders(20))
    return read_dataset(archive, settings)


def labels(dataset: Dataset, *splits: Split) -> list[int]:
    return [sample.class_idx for sample in dataset.samples if sample.split in splits]


def test_only_training_pictures_change_labels(dataset: Dataset) -> None:
    shuffled = shuffle_labels(dataset, 0)
    held_out = (Split.VALIDATION, Split.TEST)
    assert labels(shuffled, *held_out) == labels(dataset, *held_out)
    assert labels(shuffled, Split.TRAIN) != labels(dataset, Split.TRAIN)
    assert Counter(labels(shuffled, Split.TRAIN)) == Counter(labels(dataset, Split.TRAIN))
    assert [each.picture for each in shuffled.samples] == [each.picture for each in dataset.samples]


def test_a_seed_gives_the_same_labels(dataset: Dataset) -> None:
    assert labels(shuffle_labels(dataset, 1), Split.TRAIN) == labels(shuffle_labels(dataset, 1), Split.TRAIN)
    assert labels(shuffle_labels(dataset, 1), Split.TRAIN) != labels(shuffle_labels(dataset, 2), Split.TRAIN)


@pytest.mark.slow
def test_a_head_of_shuffled_labels_says_so_and_knows_less(
    dataset: Dataset, embedded: Backbone, settings: Settings
) -> None:
    right, shuffled = (
        list(fine_tune(embedded, dataset, Recipe(epochs=4, shuffled=each), settings))[-1] for each in (False, True)
    )
    assert isinstance(right, FineTuned)
    assert isinstance(shuffled, FineTuned)
    assert right.head.summary.val_accuracy == 1.0
    assert shuffled.head.summary.recipe.shuffled
    assert shuffled.head.summary.train_accuracy < 0.95
