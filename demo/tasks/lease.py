"""Deeper trainings by an engine, and these, races and ascents with a lent GPU, where there is one; else as ever.

Predictions and heads alone stay on the processor, which has answered before a GPU has come.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from demo.data.dataset import Dataset
from demo.models.backbone import Backbone
from demo.models.hardware import IS_LENT
from demo.models.head import Head, build_head
from demo.models.late import torch
from demo.models.recipe import Recipe, Trains
from demo.models.zoo import StageLabel
from demo.settings import Settings
from demo.tasks import ascent, finetune, race
from demo.tasks.ascent import AscentStep
from demo.tasks.broker import WAITING, borrow
from demo.tasks.engine_work import ask
from demo.tasks.errors import EngineAway, GpuNotLent, NotLent
from demo.tasks.features import FeatureCache, FeatureProgress, Features
from demo.tasks.finetune import FineTuned
from demo.tasks.gpu_work import Album, Ascent, Race, Tensors, Trained, Training, Work
from demo.tasks.race import RaceProgress

Progress = finetune.Progress | NotLent  # after which all begins anew, on the processor

_log = logging.getLogger("demo")


def fine_tune(
    backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings, *, cache: FeatureCache | None = None
) -> Generator[Progress, None, None]:
    """Train as `demo/tasks/finetune.py:fine_tune` does; more layers than the head by an engine or with a lent GPU.

    Yields:
        What that yields; EngineAway or GpuNotLent before all is done anew on the processor.

    Raises:
        TooManyTrained: If the private copy would be larger than the settings allow.
    """
    engine = backbone.engine
    if recipe.trains is Trains.HEAD or not (engine or IS_LENT):
        return finetune.fine_tune(backbone, dataset, recipe, settings, cache=cache)
    finetune.check_size(backbone, dataset, recipe, settings)
    return _try(
        lambda: Training(backbone.spec.name, Album.of(dataset), recipe, settings),
        lambda: finetune.fine_tune(backbone, dataset, recipe, settings, cache=cache),
        lambda step: _read(step, backbone, dataset) if isinstance(step, Trained) else step,
        waiting=FeatureProgress(0, len(dataset.samples)),
        lend=(lambda work: ask(engine, backbone, work)) if engine else None,
        refusal=EngineAway if engine else GpuNotLent,
    )


def run_race(
    backbone: Backbone, dataset: Dataset, settings: Settings, *, seed: int = 0
) -> Generator[RaceProgress | GpuNotLent, None, None]:
    """Race as `demo/tasks/race.py:race` does, all contenders with a lent GPU, where there is one."""
    if not IS_LENT:
        return race.race(backbone, dataset, settings, seed=seed)
    return _try(
        lambda: Race(backbone.spec.name, Album.of(dataset), settings, seed),
        lambda: race.race(backbone, dataset, settings, seed=seed),
        waiting=FeatureProgress(0, len(dataset.samples)),
    )


def ascend(
    backbone: Backbone, stage: StageLabel, channel_idx: int, *, num_steps: int
) -> Generator[AscentStep | GpuNotLent, None, None]:
    """Ascend as `demo/tasks/ascent.py:ascend` does, with a lent GPU where there is one and the network is shared."""

    def here() -> Generator[AscentStep, None, None]:
        return ascent.ascend(backbone, stage, channel_idx, num_steps=num_steps)

    if not IS_LENT or backbone.is_private:
        return here()
    return _try(lambda: Ascent(backbone.spec.name, stage, channel_idx, num_steps), here)


def _try(
    prepare: Callable[[], Work],
    here: Callable[[], Generator[Any, None, None]],
    read: Callable[[Any], Any] = lambda step: step,
    *,
    waiting: FeatureProgress | None = None,
    lend: Callable[[Any], Generator[Any, None, None]] | None = None,
    refusal: type[NotLent] = GpuNotLent,
) -> Generator[Any, None, None]:
    """Yield the steps of work that is done elsewhere; if that fails, the refusal and the steps of the work done here.

    While there is no place yet `waiting` is yielded again and again, at which the work may be stopped.
    """
    try:
        with closing((lend or borrow)(prepare())) as steps:  # who leaves ends the work there too
            for step in steps:
                if step is not WAITING:
                    yield read(step)
                elif waiting is not None:
                    yield waiting
        return
    except (OSError, EOFError) as error:
        _log.warning("%s: %s", "no lent GPU" if refusal is GpuNotLent else "no training by the engine", error)
    yield refusal()
    yield from here()


def _read(trained: Trained, backbone: Backbone, dataset: Dataset) -> FineTuned:
    """Return a training's end with the names of the visitor's classes."""
    names, name = dataset.class_names, backbone.spec.name
    module = build_head(
        backbone.spec.num_features, len(names), trained.summary.recipe.head, generator=torch.Generator()
    )
    module.load_state_dict(_as_tensors(trained.head))
    head = Head(module.eval().requires_grad_(False), names, name, trained.summary, _as_tensors(trained.tuned))
    splits = tuple(sample.split for sample in dataset.samples)
    return FineTuned(head, Features(name, names, trained.values, trained.class_idxs, splits))


def _as_tensors(arrays: Tensors) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(each) for name, each in arrays.items()}
