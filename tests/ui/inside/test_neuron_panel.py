"""One neuron as a visitor sees it: every number on the page is torch's, whatever is chosen."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from demo.data.samples import EXAMPLES, read_example
from demo.settings import Settings
from demo.tasks.errors import KernelEntryMissing, KernelEntryWrong
from demo.tasks.neuron import EDGE_SIDE, KERNELS, MIDDLE, PHOTO_SIDE, POOLS, KernelName, draw_edge, grey
from demo.ui.inside.labs.neuron import SAID_SHIFT_PX, NeuronOutputs
from demo.words.language import CHINESE, ENGLISH
from tests.served import Server
from tests.ui.inside.test_inside import alt_texts
from tests.ui.inside.test_moves_panel import curves
from tests.visitor import Markup, Refused, Visit, Visitor, fill, is_left

WORDS = ENGLISH.inside.neuron
SOBEL = KERNELS[KernelName.VERTICAL]
OWN = (0.3, -1.0, 2.0, 0.0, 0.7, -0.1, 1.5, -2.5, 0.4)


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    """A page without a photograph: the panel needs none."""
    visitor = Visitor(server.url).without_photo()
    yield visitor
    visitor.close()


def controls(weights: Any = SOBEL, **other: Any) -> list[Any]:
    """Return what the controls say, as the page sends it."""
    values = {"source": "edge", "degrees": 0, "shift": 0, "threshold": 0, "row": MIDDLE + 1, "column": MIDDLE + 1}
    assert other.keys() <= values.keys()
    return [*weights, *(values | other).values()]


def draw(visitor: Visitor, *values: Any) -> NeuronOutputs:
    return fill(NeuronOutputs, visitor.call("draw_neuron", *values))


def numbers(markup: str) -> list[float]:
    """Return the numbers of the page with all their decimals."""
    return [float(each) for each in Markup(markup).values("value")]


@pytest.mark.parametrize("weights", [SOBEL, OWN], ids=["sobel", "own"])
@pytest.mark.parametrize("threshold", [0, 0.4])
@pytest.mark.parametrize("place", [(MIDDLE, MIDDLE), (0, 31), (13, 7)])
def test_the_arithmetic_on_the_page_is_torchs(
    visitor: Visitor, weights: tuple[float, ...], threshold: float, place: tuple[int, int]
) -> None:
    row, column = place
    others = {"degrees": 30, "shift": 3, "threshold": threshold, "row": row + 1, "column": column + 1}
    drawn = draw(visitor, *controls(weights, **others))
    found = numbers(drawn.arithmetic)
    pixels, kernel, products = (np.reshape(found[start : start + 9], (3, 3)) for start in (0, 9, 18))
    total, limit, answer = found[27:]
    edge = torch.tensor(draw_edge(30, 3), dtype=torch.float32)[None, None]
    sums = functional.conv2d(edge, torch.tensor(weights).reshape(1, 1, 3, 3))
    np.testing.assert_allclose(pixels, edge[0, 0, row : row + 3, column : column + 3], atol=1e-6)
    np.testing.assert_allclose(kernel.ravel(), weights)
    np.testing.assert_allclose(products, pixels * kernel, atol=1e-6)
    assert total == pytest.approx(float(sums[0, 0, row, column]), abs=1e-6)
    assert limit == threshold
    expected = float(functional.relu(sums - threshold)[0, 0, row, column])
    assert answer == pytest.approx(expected, abs=1e-6)
    assert f"<b>{int(expected > 1e-9)}</b>" in drawn.arithmetic


def test_maps_say_their_largest_answer_as_torch_does(visitor: Visitor) -> None:
    drawn = draw(visitor, *controls(OWN, degrees=60, threshold=0.2))
    edge = torch.tensor(draw_edge(60))[None, None]
    sums = functional.conv2d(edge, torch.tensor(OWN, dtype=torch.float64).reshape(1, 1, 3, 3))
    answers = functional.relu(sums - 0.2)
    maps = {WORDS.captions["sums"]: sums, WORDS.captions["answers"]: answers}
    maps |= {WORDS.pooled.format(side=side): functional.max_pool2d(answers, side) for side in POOLS}
    largest = [WORDS.largest.format(caption=name, largest=float(each.max())) for name, each in maps.items()]
    assert alt_texts(drawn.maps) == [WORDS.captions["picture"], *largest]


def test_the_curves_are_torchs(visitor: Visitor) -> None:
    drawn = draw(visitor, *controls(degrees=15))
    kernel = torch.tensor(SOBEL, dtype=torch.float64).reshape(1, 1, 3, 3)
    names = [WORDS.one_place, *(WORDS.over.format(side=side) for side in (4, 8))]
    turned, moved = curves(drawn.angles.plot), curves(drawn.shifts.plot)
    assert list(turned) == list(moved) == names
    for name, side in zip(names, (1, 4, 8), strict=True):
        for points, edge_at in ((turned[name], draw_edge), (moved[name], lambda each: draw_edge(15, each))):
            for step, answer in points:
                map_ = functional.relu(functional.conv2d(torch.tensor(edge_at(step))[None, None], kernel))
                pooled = functional.max_pool2d(map_, side)[0, 0]
                assert answer == pytest.approx(float(pooled[MIDDLE // side, MIDDLE // side]), abs=1e-6)
        assert len(turned[name]) == len(moved[name]) == 13


def test_what_is_said_of_the_curves_is_what_they_show(visitor: Visitor) -> None:
    drawn = draw(visitor, *controls())
    simple, *pooled = (points[SAID_SHIFT_PX][1] for points in curves(drawn.shifts.plot).values())
    said = WORDS.shifts_said.format(shift=SAID_SHIFT_PX, simple=simple, four=pooled[0], eight=pooled[1])
    assert said in drawn.shifts.said
    assert "answers 0.00, the complex cell over 4 × 4 0.88, the one over 8 × 8 0.88" in said
    assert WORDS.angles_said.format(most=0.88, best=0, least=0, worst=90) in drawn.angles.said


@pytest.mark.parametrize("name", list(KernelName))
def test_a_chosen_kernel_is_written_into_the_fields(visitor: Visitor, name: KernelName) -> None:
    drawn = fill(NeuronOutputs, visitor.call("choose_kernel", name.value, *controls(OWN)))
    assert tuple(drawn.weights) == KERNELS[name]
    assert numbers(drawn.arithmetic)[9:18] == list(KERNELS[name])
    assert is_left(drawn.kernel)
    assert draw(visitor, *controls(KERNELS[name])).kernel == name


def test_a_written_kernel_is_ones_own_until_it_is_a_known_one(visitor: Visitor) -> None:
    assert draw(visitor, *controls(OWN)).kernel == "own"
    assert draw(visitor, *controls()).kernel == "vertical"
    chosen = fill(NeuronOutputs, visitor.call("choose_kernel", "own", *controls()))
    assert all(map(is_left, [chosen.kernel, *chosen.weights, chosen.arithmetic]))


def test_a_field_that_is_empty_for_the_moment_is_waited_for(visitor: Visitor) -> None:
    waiting = fill(NeuronOutputs, visitor.call("write_weights", *controls([None, *SOBEL[1:]])))
    assert all(map(is_left, [waiting.kernel, waiting.arithmetic, waiting.maps]))
    written = fill(NeuronOutputs, visitor.call("write_weights", *controls(OWN)))
    assert numbers(written.arithmetic)[9:18] == list(OWN)


def test_without_a_photograph_an_example_stands_for_it(visitor: Visitor) -> None:
    drawn = fill(NeuronOutputs, visitor.call("choose_source", *controls(source="photo")))
    middle = PHOTO_SIDE // 2 + 1
    assert [(each["maximum"], each["value"]) for each in drawn.place] == [(PHOTO_SIDE, middle)] * 2
    pixels = grey(read_example(EXAMPLES[0], Settings()))
    np.testing.assert_allclose(numbers(drawn.arithmetic)[:9], pixels[middle - 1 :, middle - 1 :][:3, :3].ravel())
    back = fill(NeuronOutputs, visitor.call("choose_source", *controls(row=90, column=90)))
    assert [each["maximum"] for each in back.place] == [EDGE_SIDE] * 2


def test_the_visitors_photograph_is_seen_in_grey(visit: Visit) -> None:
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(EXAMPLES[2].path))
    drawn = draw(visitor, *controls(source="photo", row=1, column=96))
    pixels = grey(read_example(EXAMPLES[2], Settings()))
    np.testing.assert_allclose(numbers(drawn.arithmetic)[:9], pixels[:3, -3:].ravel(), atol=0.02)


@pytest.mark.parametrize(("clicked", "place"), [("0 0", (1, 1)), ("0.999 1", (32, 32)), ("0.5 0.26", (17, 9))])
def test_a_click_chooses_the_place(visitor: Visitor, clicked: str, place: tuple[int, int]) -> None:
    drawn = fill(NeuronOutputs, visitor.call("choose_place", *controls(), event_data={"place": clicked}))
    assert tuple(drawn.place) == place
    assert WORDS.place.format(row=place[0], column=place[1]) in drawn.arithmetic


@pytest.mark.parametrize("clicked", ["", "2 0.5", "-1 0", "nan 0", "0.5", "x", None, "1e9 0"])
def test_a_click_beside_the_map_is_refused(visitor: Visitor, clicked: Any) -> None:
    with pytest.raises(Refused):
        visitor.call("choose_place", *controls(), event_data={"place": clicked})


@pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("zh", CHINESE)])
def test_a_bad_kernel_is_said_in_both_languages(visit: Visit, language: str, words: Any) -> None:
    visitor = visit(language=language)
    for entry, error in (
        (None, KernelEntryMissing(row=2, column=1)),
        ("x", KernelEntryWrong(row=2, column=1, value="x", most=10)),
        (11, KernelEntryWrong(row=2, column=1, value="11", most=10)),
    ):
        weights = [*SOBEL[:3], entry, *SOBEL[4:]]
        for handler, values in (("check_weights", weights), ("draw_neuron", controls(weights))):
            with pytest.raises(Refused) as refused:
                visitor.call(handler, *values)
            assert str(refused.value) == words.explain(error)


@pytest.mark.parametrize(
    "wrong", [{"source": "x"}, {"degrees": 200}, {"shift": None}, {"threshold": 9}, {"row": 0}, {"column": 1.5}]
)
def test_what_is_out_of_range_is_refused(visitor: Visitor, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        visitor.call("draw_neuron", *controls(**wrong))
