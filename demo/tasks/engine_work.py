"""A deeper training by an engine: how it travels there, without a name of a visitor's, and its steps back."""

from collections.abc import Generator
from dataclasses import asdict, replace
from typing import Any

import safetensors.numpy
from pydantic import TypeAdapter

from demo.data.dataset import Split
from demo.models.backbone import Backbone
from demo.models.engine.client import Engine, EngineLost, EngineRefused
from demo.models.engine.errors import EngineRequestWrong
from demo.models.engine.wire import Parcel, pack
from demo.models.head import TrainingSummary
from demo.models.head_metadata import build_value
from demo.models.recipe import Recipe
from demo.settings import Settings
from demo.tasks.broker import WAITING
from demo.tasks.features import FeatureProgress
from demo.tasks.fit import BatchProgress, EpochResult
from demo.tasks.gpu_work import Album, Trained, Training

_KIND, _WAITING, _FAILED = "kind", "waiting", "failed"
_STEPS: dict[str, type[Any]] = {each.__name__: each for each in (FeatureProgress, BatchProgress, EpochResult)}
_Labels = TypeAdapter(tuple[tuple[int, Split], ...])  # of each picture the class index and the split
_HEAD, _TUNED, _VALUES, _CLASS_IDXS = "head.", "tuned.", "values", "class_idxs"

WAITS = pack({_KIND: _WAITING})  # sent each second while a training has no place, or is silent
FAILED = pack({_KIND: _FAILED, "is_last": True})  # the training itself has ended with an error


def ask(engine: Engine, backbone: Backbone, training: Training) -> Generator[Any, None, None]:
    """Let an engine do a training; yield what `Training.run` does, and WAITING before.

    If the stream broke off and began anew, epochs that were told are not told again.

    Raises:
        EngineLost: If there is no engine, or it was lost.
    """
    begun, epoch = False, 0
    for about, parts in engine.train(backbone.spec, backbone.features_precision, write_training(training)):
        step = _read_step(about, parts)
        if step is WAITING and begun:
            continue
        begun = begun or step is not WAITING
        if isinstance(step, EpochResult):
            if step.epoch <= epoch:
                continue
            epoch = step.epoch
        yield step


def write_training(training: Training) -> bytes:
    """Return a training as a parcel: encoded pictures and numbers, and of the settings the time that it may take."""
    album = training.album
    about = {
        "recipe": asdict(training.recipe),
        "num_classes": album.num_classes,
        "labels": [(class_idx, split) for _, class_idx, split in album.pictures],
        "max_training_s": training.settings.max_training_s,
    }
    return pack(about, [content for content, _, _ in album.pictures])


def read_training(name: str, parcel: Parcel, settings: Settings) -> Training:
    """Return the training that a parcel holds.

    Args:
        name: The network.
        parcel: What `write_training` packed, or anything else.
        settings: Limits of the engine.

    Raises:
        EngineRequestWrong: If it holds none, or more than the limits allow.
        OptionError: If its recipe is none.
    """
    about, parts = parcel
    try:
        recipe: Recipe = build_value(Recipe, about.get("recipe"))  # no field more or less: both know what it means
        num_classes, max_training_s = build_value(int, about.get("num_classes")), about.get("max_training_s")
        labels = _Labels.validate_python(about.get("labels"))
        limited = replace(settings, max_training_s=min(settings.max_training_s, build_value(float, max_training_s)))
    except ValueError as error:
        raise EngineRequestWrong(part="the recipe") from error
    is_known = num_classes <= settings.max_classes and all(0 <= class_idx < num_classes for class_idx, _ in labels)
    if not (is_known and 1 <= len(parts) == len(labels) <= settings.max_pictures):
        raise EngineRequestWrong(part="the labels")
    pictures = tuple((content, *label) for content, label in zip(parts, labels, strict=True))
    return Training(name, Album(pictures, num_classes), recipe, limited)


def write_step(step: Any) -> bytes:
    """Return a step of `Training.run` as a parcel."""
    if not isinstance(step, Trained):
        return pack({_KIND: type(step).__name__, "values": asdict(step)})
    tensors = {f"{_HEAD}{name}": each for name, each in step.head.items()}
    tensors |= {f"{_TUNED}{name}": each for name, each in step.tuned.items()}
    tensors |= {_VALUES: step.values, _CLASS_IDXS: step.class_idxs}
    about = {_KIND: Trained.__name__, "values": asdict(step.summary), "is_last": True}
    return pack(about, [safetensors.numpy.save(tensors)])


def _read_step(about: dict[str, Any], parts: list[bytes]) -> Any:
    """Return what `write_step` wrote.

    Raises:
        EngineLost: If it is none.
    """
    kind = about.get(_KIND)
    if kind == _WAITING:
        return WAITING
    if kind == _FAILED:
        raise EngineRefused("a training failed there")
    try:
        if kind == Trained.__name__:
            return _read_end(build_value(TrainingSummary, about["values"]), parts[0])
        return TypeAdapter(_STEPS[str(kind)]).validate_python(about["values"])  # whose losses may be infinite
    except (KeyError, IndexError, ValueError, safetensors.SafetensorError) as error:
        raise EngineLost("a step of a training cannot be read") from error


def _read_end(summary: TrainingSummary, content: bytes) -> Trained:
    tensors = safetensors.numpy.load(content)

    def take(prefix: str) -> dict[str, Any]:
        return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}

    return Trained(take(_HEAD), take(_TUNED), summary, tensors[_VALUES], tensors[_CLASS_IDXS])
