"""Trainings for programs: a zip and a recipe in; progress, the results, the head and the whole export out."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from demo.data.collection import Collection
from demo.data.dataset import Dataset, Split, make_dataset
from demo.data.errors import NoArchive
from demo.data.folders import read_collection
from demo.data.reading import Choices
from demo.errors import check_range
from demo.models.head import Head
from demo.models.headfile import FILE_NAME, write_head
from demo.models.recipe import SUGGESTED_RECIPES, Balance, Recipe, Trains
from demo.models.zoo import find_spec
from demo.settings import Settings
from demo.tasks.evaluate import wilson
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import FineTuned, score
from demo.tasks.fit import EpochResult
from demo.ui.api.files import answer_file, sent_file
from demo.ui.api.networks import lend_network
from demo.ui.finetune.keep.panel import pack_head
from demo.ui.finetune.recipe_form import RecipeForm, read_recipe, write_recipe
from demo.ui.finetune.steps import describe_progress
from demo.ui.handlers import Cost, costs
from demo.ui.parts.errors import OptionNotObject, UnknownChoice
from demo.ui.parts.values import parse_choice, parse_whole
from demo.ui.reading_report import ReadingReport, check_reading, parse_choices, report_reading
from demo.visitors.jobs import Job
from demo.visitors.rooms import Rooms, make_training

_WATCH_EVERY_S = 0.3
_SAY_EVERY_S = 2.0
_SHOWN_LENGTH = 40
_EXAMPLE = '{"optimizer": "sgd", "batch_size": 4}'


class Progress(TypedDict):
    """How far a training is, until it is done: `state` is waiting, reading or training, `says` the same in words."""

    state: str
    says: str
    ahead: int
    done: int
    total: int
    epoch: int
    num_epochs: int
    train_loss: float | None
    val_accuracy: float | None


class SkippedFile(TypedDict):
    """A file of the zip that was not used, and why."""

    name: str
    reason: str


class Report(TypedDict):
    """What came of a training; `state` is done. Accuracies are from 0 to 1, with 95% intervals."""

    state: str
    backbone: str
    classes: list[str]
    counts: dict[str, dict[str, int]]
    skipped: list[SkippedFile]
    reading: ReadingReport
    train_accuracy: float
    val_accuracy: float
    val_correct: int
    val_count: int
    val_interval: list[float]
    val_balanced_accuracy: float | None
    test_accuracy: float | None
    test_correct: int
    test_count: int
    test_interval: list[float] | None
    test_balanced_accuracy: float | None
    classes_balanced: bool
    recipe: dict[str, Any]
    split: int
    epochs: int
    chosen_epoch: int
    parameters: int
    seconds: float


@costs(Cost.FETCH)  # it waits for a training; what it reads itself takes its turns
def answer_fine_tune(
    rooms: Rooms,
    dataset_zip: Any,
    backbone: Any = "",
    epochs: Any = None,
    recipe: Any = None,
    seed: Any = None,
    split: Any = 0,
    answers: Any = None,
    roles: Any = None,
    labels: Any = "",
) -> Iterator[tuple[Progress | Report, str | None, str | None]]:
    """Train a head with the pictures of one zip of class folders; tell how far it is, and then what came of it."""
    chosen = read_sent_recipe(rooms.settings, recipe, epochs=epochs, seed=seed)
    number = parse_whole("split", split)
    check_range("split", number, 0, 2**31 - 1)
    with lend_network(rooms, backbone, None) as network:
        spec = network.spec
    with rooms.reading("a dataset"):
        collection = _read_collection(rooms, dataset_zip, parse_choices(answers, roles, labels))
        dataset = make_dataset(collection, rooms.settings, seed=number)
    job = make_training(rooms, spec.name, dataset, chosen)
    rooms.scheduler.submit(job, rooms.asker)
    try:
        yield from ((step, None, None) for step in _follow(rooms, job))
    finally:
        job.request_stop()  # whoever asked has left
    result = _find_result(job)
    content = pack_head(rooms, result.head, dataset, score(result.head, result.features, Split.VALIDATION))
    head = answer_file(write_head(result.head, spec), FILE_NAME)
    reading = report_reading(rooms.words, collection)
    yield _report(rooms, dataset, reading, result.head, number), head, answer_file(content, "head.zip")


def read_sent_recipe(settings: Settings, recipe: Any, *, epochs: Any = None, seed: Any = None) -> Recipe:
    """Return the recipe that a program asks for: what is suggested for what it trains, but for what it says itself.

    Raises:
        OptionError: One of its kinds, if something in it is not possible.
    """
    if recipe not in (None, "") and not isinstance(recipe, Mapping):
        raise OptionNotObject(option="recipe", value=str(recipe)[:_SHOWN_LENGTH], example=_EXAMPLE)
    apart = {name: value for name, value in (("epochs", epochs), ("seed", seed)) if value is not None}
    asked: dict[str, Any] = {**(recipe or {}), **apart}
    for name in asked:
        if name not in RecipeForm._fields:
            raise UnknownChoice(option="recipe", value=str(name)[:_SHOWN_LENGTH], known=", ".join(RecipeForm._fields))
    suggested = SUGGESTED_RECIPES[parse_choice("trains", Trains, asked.get("trains", Trains.HEAD))]
    form = write_recipe(suggested)._replace(epochs=min(suggested.epochs, settings.max_epochs))
    for name, value in asked.items():
        if isinstance(getattr(form, name), bool) and not isinstance(value, bool):
            raise UnknownChoice(option=name, value=str(value)[:_SHOWN_LENGTH], known="true, false")
    return read_recipe(settings, form._replace(**asked))


def _read_collection(rooms: Rooms, dataset_zip: Any, choices: Choices) -> Collection:
    with sent_file(dataset_zip, NoArchive) as (path, name):
        collection = read_collection(path, rooms.settings, name=name, choices=choices)
    check_reading(rooms.words, collection)
    return collection


def _follow(rooms: Rooms, job: Job) -> Iterator[Progress]:
    """Yield the progress of a job until it has ended: whenever there is news, and now and then without.

    Only where it yields can it be found that whoever asked has left.
    """
    told, told_at = None, 0.0
    while job.is_running:
        progress = _describe(rooms, job)
        if progress != told or time.monotonic() > told_at + _SAY_EVERY_S:
            told, told_at = progress, time.monotonic()
            yield progress
        job.done.wait(_WATCH_EVERY_S)


def _describe(rooms: Rooms, job: Job) -> Progress:
    step, ahead = job.progress, rooms.scheduler.num_ahead(job)
    last = next((each for each in reversed(job.points) if isinstance(each, EpochResult)), None)
    is_reading = isinstance(step, FeatureProgress) or last is None
    return {
        "state": "waiting" if ahead and step is None and last is None else "reading" if is_reading else "training",
        "says": describe_progress(rooms, job),
        "ahead": ahead,
        "done": step.done if step else 0,
        "total": step.total if step else 0,
        "epoch": last.epoch if last else 0,
        "num_epochs": last.num_epochs if last else 0,
        "train_loss": last.train_loss if last else None,
        "val_accuracy": last.val_accuracy if last else None,
    }


def _find_result(job: Job) -> FineTuned:
    if job.error is not None:
        raise job.error
    assert job.result is not None, "a job ends with a result or an error"
    return job.result


def _report(rooms: Rooms, dataset: Dataset, reading: ReadingReport, head: Head, split: int) -> Report:
    summary = head.summary
    return {
        "state": "done",
        "backbone": find_spec(head.backbone_name).name,
        "classes": list(dataset.class_names),
        "counts": dataset.counts,
        "reading": reading,
        "skipped": [{"name": each.path, "reason": rooms.words.explain(each.reason)} for each in dataset.skipped],
        "train_accuracy": summary.train_accuracy,
        "val_accuracy": summary.val_accuracy,
        "val_correct": summary.val_correct,
        "val_count": summary.val_count,
        "val_interval": list(wilson(summary.val_correct, summary.val_count)),
        "val_balanced_accuracy": summary.val_balanced,
        "test_accuracy": summary.test_accuracy,
        "test_correct": summary.test_correct,
        "test_count": summary.test_count,
        "test_interval": list(wilson(summary.test_correct, summary.test_count)) if summary.test_count else None,
        "test_balanced_accuracy": summary.test_balanced,
        "classes_balanced": summary.recipe.balance is Balance.ON,
        "recipe": write_recipe(summary.recipe)._asdict(),
        "split": split,
        "epochs": summary.epochs,
        "chosen_epoch": summary.chosen_epoch,
        "parameters": head.num_parameters,
        "seconds": summary.seconds,
    }
