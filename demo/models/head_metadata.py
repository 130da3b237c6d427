"""The texts in the header of a head's file: which network and classes it is for, and how it was trained."""

import dataclasses
import json
from collections.abc import Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_type_hints

from demo.data.collection import MAX_CLASS_NAME_LENGTH
from demo.data.names import clean_name
from demo.errors import DemoError
from demo.models.errors import (
    HeadBackboneUnknown,
    HeadClassCount,
    HeadClassName,
    HeadFileDamaged,
    HeadFormatUnknown,
    HeadWeightsDiffer,
    NotAHeadFile,
)
from demo.models.head import Head, TrainingSummary
from demo.models.recipe import Balance, Optimizer
from demo.models.zoo import ZOO, BackboneSpec
from demo.settings import Settings

FORMAT = "4"
# They say nothing of shuffled labels, and the older one nothing of balance or of a warm start; both are still read.
_OLDER_FORMATS = ("2", "3")

_KEYS = {"format", "backbone", "weights", "classes", "head", "transforms", "summary"}
_MAX_NUMBER = 2**31  # largest number in a recipe or a summary


@dataclasses.dataclass(frozen=True)
class About:
    """The checked texts of a header."""

    spec: BackboneSpec
    class_names: tuple[str, ...]
    summary: TrainingSummary


def write_metadata(head: Head, spec: BackboneSpec) -> dict[str, str]:
    """Return all that belongs to a head beside its tensors, as the texts that `read_metadata` reads."""
    return {
        "format": FORMAT,
        "backbone": spec.name,
        "weights": spec.file_name,
        "classes": to_json(head.class_names),
        "head": to_json(dataclasses.asdict(head.summary.recipe.head)),
        "transforms": to_json(_describe_transforms(spec)),
        "summary": to_json(dataclasses.asdict(head.summary)),
    }


def read_metadata(texts: Any, settings: Settings) -> About:
    """Check the texts of an untrusted header and build values from them.

    Args:
        texts: Metadata of the header, which may be anything.
        settings: Limits on the classes.

    Raises:
        HeadFileError: One of its kinds.
    """
    metadata = _check_texts(texts)
    spec = ZOO.get(metadata["backbone"])
    if spec is None:
        raise HeadBackboneUnknown(name=shorten(metadata["backbone"]), known=", ".join(ZOO))
    if metadata["weights"] != spec.file_name:
        found = shorten(metadata["weights"])
        raise HeadWeightsDiffer(backbone=spec.display_name, found=found, expected=spec.file_name)
    if read_json(metadata["transforms"], "transforms", dict) != _describe_transforms(spec):
        raise HeadFileDamaged(part="transforms")
    class_names = read_json(metadata["classes"], "classes", list)
    _check_classes(class_names, settings)
    summary = _read_summary(metadata)
    return About(spec, tuple(class_names), summary)


def _check_texts(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise NotAHeadFile()  # a safetensors file of something else
    found = metadata.get("format", "")
    if found not in (FORMAT, *_OLDER_FORMATS):
        raise HeadFormatUnknown(found=shorten(found), known=FORMAT)
    if metadata.keys() != _KEYS:
        raise HeadFileDamaged(part="metadata")
    return metadata


def _describe_transforms(spec: BackboneSpec) -> dict[str, Any]:
    """Return a network's transforms in JSON's types; a list of one side becomes a number."""
    transforms = spec.build_transforms()
    return {
        "resize_size": transforms.resize_size[0],
        "crop_size": transforms.crop_size[0],
        "mean": list(transforms.mean),
        "std": list(transforms.std),
        "interpolation": transforms.interpolation.value,
    }


def _check_classes(class_names: list[Any], settings: Settings) -> None:
    low, high = settings.min_classes, settings.max_classes
    if not low <= len(class_names) <= high:
        raise HeadClassCount(count=len(class_names), low=low, high=high)
    seen = set[str]()
    for name in class_names:
        if not isinstance(name, str) or name in seen or not _is_class_name(name):
            shown = shorten(name) if isinstance(name, str) else "?"
            raise HeadClassName(name=shown, limit=MAX_CLASS_NAME_LENGTH)
        seen.add(name)


def _is_class_name(name: str) -> bool:
    return 0 < len(name) <= MAX_CLASS_NAME_LENGTH and name == clean_name(name)


def _read_summary(metadata: Mapping[str, str]) -> TrainingSummary:
    values = read_json(metadata["summary"], "summary", dict)
    if metadata["format"] in _OLDER_FORMATS:
        values = _complete(values)
    shape = read_json(metadata["head"], "head", dict)
    try:
        summary: TrainingSummary = build_value(TrainingSummary, values)
    except (DemoError, ValueError) as error:
        raise HeadFileDamaged(part="summary") from error
    if shape != dataclasses.asdict(summary.recipe.head):
        raise HeadFileDamaged(part="head")
    if not _is_possible(summary):
        raise HeadFileDamaged(part="summary")
    return summary


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    """Add to a summary of an older format what it leaves out: nothing but ridge regression balanced the classes."""
    recipe = values.get("recipe")
    if isinstance(recipe, dict):
        is_ridge = recipe.get("optimizer") == Optimizer.RIDGE.value
        balance = (Balance.ON if is_ridge else Balance.OFF).value
        recipe = {"balance": balance, "warm_start": False, "shuffled": False, **recipe}
    return {"val_balanced": None, "test_balanced": None, **values, "recipe": recipe}


def build_value(kind: Any, value: Any) -> Any:
    """Build a value of a type from JSON: a dataclass, an optional, an enum, a number or a text.

    Raises:
        ValueError: If the JSON is of another type, lacks a field or has one too many, or a number is huge.
    """
    if dataclasses.is_dataclass(kind):
        types = get_type_hints(kind)
        names = {field.name for field in dataclasses.fields(kind)}
        if not isinstance(value, dict) or value.keys() != names:
            raise ValueError(f"{kind} has the fields {names}")
        return kind(**{name: build_value(types[name], value[name]) for name in value})  # type: ignore[operator]
    if isinstance(kind, UnionType):
        return None if value is None else build_value(get_args(kind)[0], value)
    if isinstance(kind, type) and issubclass(kind, StrEnum) and isinstance(value, str):
        return kind(value)
    is_number = kind in (int, float) and type(value) in (int, kind) and abs(value) < _MAX_NUMBER
    if not is_number and (kind not in (bool, str) or type(value) is not kind):
        raise ValueError(f"{kind} is needed")
    return value


def _is_possible(summary: TrainingSummary) -> bool:
    """Say whether a summary's numbers can be those of a training."""
    accuracies = [summary.train_accuracy, summary.val_accuracy, summary.test_accuracy or 0]
    accuracies += [summary.val_balanced or 0, summary.test_balanced or 0]
    counts = [(0, summary.train_count), (summary.val_correct, summary.val_count)]
    counts.append((summary.test_correct, summary.test_count))
    return (
        all(0 <= accuracy <= 1 for accuracy in accuracies)
        and all(0 <= correct <= count for correct, count in counts)
        and 1 <= summary.chosen_epoch <= summary.epochs <= summary.recipe.epochs
        and summary.seconds >= 0
    )


def to_json(value: Any) -> str:
    """Return a value as compact JSON; NaN and infinities, which JSON lacks, are refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read_json(text: str | bytes, part: str, kind: type) -> Any:
    """Parse JSON whose outermost value is of a type."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise HeadFileDamaged(part=part) from error
    if type(value) is not kind:
        raise HeadFileDamaged(part=part)
    return value


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object without repeated keys, of whose values two readers could choose different ones."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is repeated")
    return value


def shorten(text: str) -> str:
    """Return the beginning of an untrusted text, cleaned so that it can be shown."""
    return clean_name(text[:60])
