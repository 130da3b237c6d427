"""Receptive field, stride and first centre of every stage, by brute force: which pixels move one cell."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from demo.models.graph import cut_graph, end_of, open_graph
from demo.models.zoo import ZOO
from tests.conftest import names_to_try

QUICK = ("googlenet", "resnet18", "efficientnet_lite0")
NARROW_PX = 32  # fields are squares, so that their height is enough to measure
NARROWEST_PX = {"inception_v3": 75}  # it has convolutions without padding


class Span(NamedTuple):
    """The first and the last row of pixels that one cell depends on."""

    first: int
    last: int


class Transparent(TorchFunctionMode):
    """A mode in which no layer hides a pixel from a cell: a ReLU lets all pass, and a maximum becomes a mean."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one call of torch, or what stands for it here."""
        options = dict(kwargs or {})
        if func in (functional.relu, functional.hardtanh):  # ReLU6 is a hardtanh
            return args[0]
        if func is functional.max_pool2d:
            assert options.pop("dilation") == 1
            del options["return_indices"]
            return functional.avg_pool2d(*args, **options)
        return func(*args, **options)


def average(network: nn.Module) -> nn.Module:
    """Let every convolution take a mean, in float64: no two ways to a pixel cancel out, and none is rounded to zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    return network.double().eval().requires_grad_(False)


def spans(layers: nn.Module, height: int, width: int) -> tuple[int, Span, Span]:
    """Return the row of a cell in the middle of a high, narrow picture, and the spans of this cell and the next."""
    picture = torch.zeros(1, 3, height, width, dtype=torch.double, requires_grad=True)
    with Transparent():
        rows = layers(picture).sum(dim=(0, 1, 3))  # (H,)
    row = len(rows) // 2
    found = []
    for cell in rows[row : row + 2]:
        (gradient,) = torch.autograd.grad(cell, picture, retain_graph=True)
        (moved,) = gradient.abs().sum(dim=(0, 1, 3)).nonzero(as_tuple=True)
        span = Span(int(moved[0]), int(moved[-1]))
        assert len(moved) == span.last - span.first + 1  # no row in between is left out
        assert 0 < span.first < span.last < height - 1  # no border cuts it off
        found.append(span)
    return row, found[0], found[1]


def measure(layers: nn.Module, field_px: int, width: int) -> tuple[int, int, float]:
    """Return stride, receptive field and first centre of a layer whose field is about as large as that given."""
    height = 32 * (field_px // 32 + 6)  # EfficientNet's centres are those of multiples of 32
    row, span, below = spans(layers, height, width)
    stride = below.first - span.first
    return stride, span.last - span.first + 1, (span.first + span.last) / 2 - stride * row


@pytest.mark.parametrize("name", names_to_try(ZOO, slow=[name for name in ZOO if name not in QUICK]))
def test_field_stride_and_first_centre_are_those_of_the_gradient_of_a_cell(name: str) -> None:
    spec = ZOO[name]
    graph = open_graph(average(spec.build()), spec)
    for stage in spec.stages:
        layers, width = cut_graph(graph, None, stage.label), NARROWEST_PX.get(name, NARROW_PX)
        expected = stage.stride, stage.receptive_field_px, stage.first_centre_px
        assert measure(layers, stage.receptive_field_px, width) == expected, stage


def test_class_maps_lie_where_the_maps_that_are_shown_lie() -> None:
    """Where a class weighs another layer than the one that is looked at, one place is the same cell in both."""
    for spec in ZOO.values():
        for stage in (stage for stage in spec.stages if stage.end != stage.module):
            graph = open_graph(average(spec.build()), spec)
            stride, _, first_centre = measure(cut_graph(graph, None, end_of(stage.label)), 400, NARROW_PX)
            assert (stride, first_centre) == (stage.stride, stage.first_centre_px), stage
