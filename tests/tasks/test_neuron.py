"""One neuron: its numbers are torch's, an edge has an orientation and a place, and pooling gives up the place."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from demo.errors import OptionOutOfRange
from demo.tasks.errors import KernelEntryMissing, KernelEntryWrong
from demo.tasks.neuron import (
    EDGE_SIDE,
    KERNELS,
    MIDDLE,
    PHOTO_SIDE,
    POOLS,
    KernelName,
    Plane,
    draw_edge,
    grey,
    map_neurons,
    parse_kernel,
    show_place,
    sweep_angles,
    sweep_shifts,
)
from tests.pictures import noise

VERTICAL = parse_kernel(KERNELS[KernelName.VERTICAL])
ANGLES = {KernelName.VERTICAL: 0.0, KernelName.DIAGONAL: 45.0, KernelName.HORIZONTAL: 90.0}


def random_planes(seed: int) -> tuple[Plane, Plane]:
    generator = np.random.default_rng(seed)
    return generator.random((EDGE_SIDE + 2, EDGE_SIDE + 2)), generator.normal(size=(3, 3))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("threshold", [-0.5, 0.0, 0.5])
def test_maps_are_those_of_torch(seed: int, threshold: float) -> None:
    pixels, kernel = random_planes(seed)
    layer = torch.nn.Conv2d(1, 1, 3)  # in float32, as networks compute
    layer.weight.data[:] = torch.tensor(kernel)
    layer.bias.data.fill_(-threshold)  # type: ignore[union-attr]
    with torch.inference_mode():
        sums = layer(torch.tensor(pixels, dtype=torch.float32)[None, None])
        answers = functional.relu(sums)
    maps = map_neurons(pixels, kernel, threshold=threshold)
    np.testing.assert_allclose(maps.sums - threshold, sums[0, 0], atol=1e-6)
    np.testing.assert_allclose(maps.answers, answers[0, 0], atol=1e-6)
    assert tuple(maps.pooled) == POOLS
    for side, pooled in maps.pooled.items():
        np.testing.assert_allclose(pooled, functional.max_pool2d(answers, side)[0, 0], atol=1e-6)
    np.testing.assert_array_equal(maps.picture, pixels[1:-1, 1:-1])


@pytest.mark.parametrize(("row", "column"), [(0, 0), (5, 20), (EDGE_SIDE - 1, EDGE_SIDE - 1)])
def test_the_arithmetic_of_a_place_is_what_stands_in_the_map(row: int, column: int) -> None:
    pixels, kernel = random_planes(7)
    shown, maps = show_place(pixels, kernel, row, column, threshold=0.3), map_neurons(pixels, kernel, threshold=0.3)
    np.testing.assert_array_equal(shown.pixels[1, 1], maps.picture[row, column])
    np.testing.assert_allclose(shown.products, shown.pixels * shown.weights)
    assert shown.total == pytest.approx(math.fsum(shown.products.flat))
    assert shown.total == pytest.approx(maps.sums[row, column], abs=1e-12)
    assert shown.answer == pytest.approx(maps.answers[row, column], abs=1e-12)
    assert shown.fires == (maps.answers[row, column] > 0)


def test_a_sum_that_is_only_rounding_does_not_fire() -> None:
    even = np.full((EDGE_SIDE + 2, EDGE_SIDE + 2), 0.1)
    shown = show_place(even, np.array([[0.1, 0.2, 0.3], [0.4, -2.0, 0.4], [0.3, 0.2, 0.1]]), 0, 0)
    assert not shown.fires


@pytest.mark.parametrize(("name", "angle"), ANGLES.items())
def test_a_simple_cell_prefers_an_orientation(name: KernelName, angle: float) -> None:
    sweep = sweep_angles(parse_kernel(KERNELS[name]))
    answers = dict(zip(sweep.steps, sweep.answers, strict=True))
    assert max(answers, key=lambda each: answers[each]) == angle
    across = angle + 90 if angle <= 90 else angle - 90
    assert answers[across] == pytest.approx(0, abs=1e-9)


def test_blur_and_surround_prefer_none() -> None:
    for name in (KernelName.BLUR, KernelName.CENTRE):
        answers = sweep_angles(parse_kernel(KERNELS[name])).answers
        assert max(answers) - min(answers) < 0.05


def test_an_edge_that_turns_is_answered_less_and_less() -> None:
    """The figures of the lesson: the strongest answer anywhere in the map."""
    strongest = [map_neurons(draw_edge(each), VERTICAL).answers.max() for each in (0, 30, 60, 90)]
    np.testing.assert_allclose(strongest, [0.88, 0.87, 0.47, 0.0], atol=0.005)


def test_a_complex_cell_gives_up_the_place_and_keeps_the_orientation() -> None:
    """The figures of the lesson: gone after 3 px at one place, still there after 8 px over 8 x 8."""
    simple = sweep_shifts(VERTICAL)
    np.testing.assert_allclose(simple.answers[:4], [0.88, 0.88, 0.12, 0.0], atol=0.005)
    assert max(simple.answers[3:]) < 0.005
    four, eight = (sweep_shifts(VERTICAL, pool_px=each).answers for each in (4, 8))
    np.testing.assert_allclose(four[:5], 0.88, atol=0.005)
    np.testing.assert_allclose(eight[:9], 0.88, atol=0.005)
    assert max(four[6:] + eight[10:]) < 0.005
    turned = sweep_angles(VERTICAL, pool_px=8)
    assert dict(zip(turned.steps, turned.answers, strict=True))[90] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("pool_px", [1, *POOLS])
def test_curves_are_what_the_maps_say_in_the_middle(pool_px: int) -> None:
    sweep = sweep_shifts(VERTICAL, pool_px=pool_px, degrees=30, threshold=0.2)
    for shift, answer in zip(sweep.steps, sweep.answers, strict=True):
        maps = map_neurons(draw_edge(30, shift), VERTICAL, threshold=0.2)
        plane = maps.answers if pool_px == 1 else maps.pooled[pool_px]
        assert answer == pytest.approx(plane[MIDDLE // pool_px, MIDDLE // pool_px], abs=1e-12)


def test_a_photograph_becomes_grey_and_square() -> None:
    pixels = grey(noise(1, (200, 120)))
    assert pixels.shape == (PHOTO_SIDE + 2, PHOTO_SIDE + 2)
    assert 0 <= pixels.min() < pixels.max() <= 1
    np.testing.assert_array_equal(grey(Image.new("RGB", (5, 9), "white")), 1)


@pytest.mark.parametrize("entries", [[], [1] * 8, [1, None, *[0] * 7], ["", *[0] * 8]])
def test_an_empty_field_is_named(entries: list[Any]) -> None:
    with pytest.raises(KernelEntryMissing) as missing:
        parse_kernel(entries)
    place = 3 * (missing.value.row - 1) + missing.value.column - 1
    assert [*entries, None][place] in (None, "")


@pytest.mark.parametrize("entry", ["x", True, math.nan, math.inf, 10.1, -1e30, [1], {"a": 1}])
def test_what_is_no_weight_is_named(entry: Any) -> None:
    with pytest.raises(KernelEntryWrong) as wrong:
        parse_kernel([0, 0, 0, 0, 0, entry, 0, 0, 0])
    assert (wrong.value.row, wrong.value.column) == (2, 3)
    assert wrong.value.value == str(entry)


@pytest.mark.parametrize("degrees", [-1, 181, math.nan])
def test_an_edge_turned_too_far_is_refused(degrees: float) -> None:
    with pytest.raises(OptionOutOfRange):
        draw_edge(degrees)


@pytest.mark.parametrize("place", [(-1, 0), (0, EDGE_SIDE)])
def test_a_place_beside_the_map_is_refused(place: tuple[int, int]) -> None:
    with pytest.raises(OptionOutOfRange):
        show_place(draw_edge(), VERTICAL, *place)
