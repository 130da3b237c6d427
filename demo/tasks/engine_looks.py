"""Features by an engine: to it go encoded pictures and how each is shown, without any name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from demo.models.backbone import Backbone
from demo.models.engine.client import Engine
from demo.models.late import Tensor
from demo.tasks.views import SampleView

NUM_PLACES = 8  # chunks of one training that are asked for at once


def find_engine(backbone: Backbone) -> Callable[[Sequence[SampleView]], Tensor | None] | None:
    """Return what asks a backbone's engine for the features of some views; None where there is no engine."""
    return partial(_ask, backbone, backbone.engine) if backbone.engine else None


def _ask(backbone: Backbone, engine: Engine, chunk: Sequence[SampleView]) -> Tensor | None:
    samples = {each.sample.digest: each.sample for each in chunk}
    places = {digest: place for place, digest in enumerate(samples)}
    views = [(places[each.sample.digest], each.view.flip, each.view.crop) for each in chunk]
    contents = [sample.image_bytes for sample in samples.values()]
    return engine.look(backbone.spec, backbone.features_precision, contents, views)
