"""A picture that is moved: by whole strides its maps move exactly, pooled features keep still, nobody is changed."""

import copy
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.recipe import HeadConfig
from demo.models.untrained import sample_weights
from demo.models.zoo import ZOO, Stage, StageLabel
from demo.tasks.moves import LARGEST, MAX_STEPS, NEUTRAL, Move, MoveCurves, StageCurve, move_picture, spread_steps
from tests.models.test_backbone import PICTURES, assert_frozen, hooks
from tests.pictures import noise
from tests.tasks.test_cam import at_once, build, untrained

SIDE = 224
STEPS = (-0.25, -1 / 7, 0.0, 1 / 7, 0.25)
FAR = {Move.SHIFT: 0.25, Move.TURN: 40.0, Move.SCALE: 1.5}


def open_tiles() -> Backbone:
    """Return a network whose cells see a tile of the picture each, none beyond its edges, and only the tile's mean.

    Nothing is in the way of equivariance there: shifts by whole strides and turns by right angles move maps exactly.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        low=nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(3, 6, 1), nn.ReLU()),
        middle=nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(6, 8, 1), nn.ReLU()),
        high=nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(8, 8, 1), nn.ReLU()),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        fc=nn.Linear(8, 1000),
    )
    network = nn.Sequential(layers)
    sample_weights(network, torch.Generator().manual_seed(0))
    low, middle, high = (
        Stage(label, label.value, side, side, 0) for label, side in zip(StageLabel, (4, 16, 32), strict=True)
    )
    spec = replace(ZOO["resnet18"], stages=(low, middle, high), num_features=8)
    return Backbone(spec, network.eval().requires_grad_(False), torch.device("cpu"), is_private=True)


@pytest.fixture(scope="module")
def tiles() -> Backbone:
    return open_tiles()


@pytest.fixture(scope="module")
def shifted(embedded: Backbone, cat: Image.Image) -> MoveCurves:
    return move_picture(embedded, cat, Move.SHIFT, STEPS)


def pixels(picture: Image.Image) -> NDArray[np.int64]:
    return np.asarray(picture).astype(np.int64)


def see(backbone: Backbone, picture: Image.Image, move: Move, step: float) -> NDArray[np.int64]:
    """Return what a network sees of a moved picture, (H, W, 3)."""
    (seen,) = move_picture(backbone, picture, move, [step]).pictures
    return pixels(seen)


def numbers(curves: MoveCurves) -> list[float]:
    """Return all cosines and probabilities of some curves."""
    each_stage = [value for curve in curves.stages for value in (*curve.moved, *curve.unmoved)]
    return [*each_stage, *curves.features, *curves.probabilities]


def test_a_shift_by_whole_strides_moves_maps_exactly(tiles: Backbone, cat: Image.Image) -> None:
    """By 32 px, the stride of the high stage, either way; where the mirror image came in is not compared."""
    curves = move_picture(tiles, cat, Move.SHIFT, (-3 / 7, -1 / 7, 1 / 7, 2 / 7))
    for stage in curves.stages:
        assert stage.moved == pytest.approx([1] * 4, abs=1e-5)
        assert max(stage.unmoved) < 0.999


def test_a_shift_by_part_of_a_stride_does_not(tiles: Backbone, cat: Image.Image) -> None:
    """By 4 px, a whole stride of the low stage, a quarter of one of the middle and an eighth of one of the high."""
    low, middle, high = move_picture(tiles, cat, Move.SHIFT, [4 / SIDE]).stages
    assert low.moved == pytest.approx([1], abs=1e-5)
    assert max(middle.moved[0], high.moved[0]) < 1 - 1e-5


@pytest.mark.parametrize("angle", [-90, 90, 180])
def test_a_turn_by_a_right_angle_moves_maps_exactly_and_pooled_features_not_at_all(
    tiles: Backbone, cat: Image.Image, angle: float
) -> None:
    curves = move_picture(tiles, cat, Move.TURN, [angle])
    for stage in curves.stages:
        assert stage.moved == pytest.approx([1], abs=1e-5)
        assert stage.unmoved[0] < 0.999
    assert curves.features == pytest.approx([1], abs=1e-5)
    assert curves.probabilities[0] == pytest.approx(curves.top.probability, rel=1e-3)


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18"])
def test_a_step_of_nothing_changes_nothing(embedded: Backbone, cat: Image.Image, name: str, move: Move) -> None:
    backbone = embedded if name == embedded.spec.name else untrained(name)
    curves = move_picture(backbone, cat, move, [NEUTRAL[move]])
    for stage in curves.stages:
        assert [*stage.moved, *stage.unmoved] == pytest.approx([1, 1], abs=1e-5)
    assert curves.features == pytest.approx([1], abs=1e-5)
    assert curves.probabilities[0] == pytest.approx(curves.top.probability, rel=1e-3)
    assert np.abs(pixels(curves.pictures[0]) - pixels(backbone.draw_input(cat))).max() <= 1


def test_the_curves_have_a_point_for_each_step(embedded: Backbone, cat: Image.Image, shifted: MoveCurves) -> None:
    assert shifted.move is Move.SHIFT
    assert shifted.steps == STEPS
    assert tuple(curve.stage for curve in shifted.stages) == embedded.spec.stages
    lengths = [len(each) for curve in shifted.stages for each in (curve.moved, curve.unmoved)]
    assert {*lengths, len(shifted.pictures), len(shifted.features), len(shifted.probabilities)} == {5}
    assert all(isinstance(curve, StageCurve) for curve in shifted.stages)
    logits = embedded.run([cat]).logits[0]
    assert shifted.top.class_idx == int(logits.argmax())
    assert shifted.top.class_name == embedded.spec.class_names[shifted.top.class_idx]
    assert shifted.top.probability == pytest.approx(float(logits.softmax(dim=0).max()), rel=1e-3)


@pytest.mark.parametrize("move", Move)
def test_cosines_and_probabilities_stay_in_their_range(embedded: Backbone, move: Move) -> None:
    largest = LARGEST[move]
    smallest = 1 / largest if move is Move.SCALE else -largest
    for picture in (noise(1, (80, 120)), Image.new("RGB", (30, 40))):
        curves = move_picture(embedded, picture, move, [smallest, largest])
        assert all(-1 <= each <= 1 for each in numbers(curves))
        assert all(0 <= each <= 1 for each in curves.probabilities)
        assert all(each.size == (SIDE, SIDE) for each in curves.pictures)


def test_what_a_network_does_to_a_picture_that_is_shifted(shifted: MoveCurves) -> None:
    """The lesson: low stages move with the picture, and pooled features move least of all."""
    low, middle, high = shifted.stages
    for step in (0, 1, 3, 4):
        assert low.moved[step] > 0.95
        assert low.moved[step] > low.unmoved[step] + 0.5
        assert low.moved[step] > middle.moved[step] > high.moved[step]
        assert shifted.features[step] > high.unmoved[step] > low.unmoved[step]


def test_a_shift_goes_to_the_right_and_the_mirror_image_comes_in(embedded: Backbone, cat: Image.Image) -> None:
    rest = pixels(embedded.draw_input(cat))
    right, left = (see(embedded, cat, Move.SHIFT, step) for step in (0.25, -0.25))
    assert np.abs(right[:, 56:] - rest[:, :-56]).max() <= 1
    assert np.abs(right[:, :56] - rest[:, 55::-1]).max() <= 1
    assert np.abs(left[:, :-56] - rest[:, 56:]).max() <= 1


@pytest.mark.parametrize("angle", [-180, -90, 90, 180])
def test_a_turn_is_counterclockwise(embedded: Backbone, cat: Image.Image, angle: float) -> None:
    rest = pixels(embedded.draw_input(cat))
    assert np.abs(see(embedded, cat, Move.TURN, angle) - np.rot90(rest, round(angle / 90))).max() <= 1


def test_a_scale_above_one_makes_all_larger_about_the_middle(embedded: Backbone, cat: Image.Image) -> None:
    seen = embedded.draw_input(cat)
    middle = (SIDE // 4, SIDE // 4, 3 * SIDE // 4, 3 * SIDE // 4)
    larger = seen.crop(middle).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    smaller = seen.resize((SIDE // 2, SIDE // 2), Image.Resampling.BICUBIC)
    assert np.abs(see(embedded, cat, Move.SCALE, 2.0) - pixels(larger)).mean() < 2
    found = see(embedded, cat, Move.SCALE, 0.5)[SIDE // 4 : 3 * SIDE // 4, SIDE // 4 : 3 * SIDE // 4]
    assert np.abs(found - pixels(smaller)).mean() < 2


def test_steps_together_give_what_each_gives_alone(embedded: Backbone, cat: Image.Image) -> None:
    """More of them than go through the network together."""
    steps = spread_steps(Move.TURN, 90, count=9)
    together = move_picture(embedded, cat, Move.TURN, steps)
    for number in (0, 4, 8):
        alone = move_picture(embedded, cat, Move.TURN, [steps[number]])
        assert np.array_equal(pixels(alone.pictures[0]), pixels(together.pictures[number]))
        for one, all_ in zip(alone.stages, together.stages, strict=True):
            assert (one.moved[0], one.unmoved[0]) == pytest.approx((all_.moved[number], all_.unmoved[number]), abs=1e-3)
        assert alone.features[0] == pytest.approx(together.features[number], abs=1e-3)
        assert alone.probabilities[0] == pytest.approx(together.probabilities[number], abs=1e-3)


def test_the_probability_is_that_of_the_best_class_at_rest(embedded: Backbone, cat: Image.Image) -> None:
    curves = move_picture(embedded, cat, Move.SHIFT, [0.25])
    framed = Image.new("RGB", (256, 256))
    framed.paste(curves.pictures[0], (16, 16))  # of this the network sees the middle
    probabilities = embedded.run([framed]).logits.softmax(dim=1)[0]
    assert curves.probabilities[0] == pytest.approx(float(probabilities[curves.top.class_idx]), abs=0.02)


def test_the_classes_are_the_heads(embedded: Backbone, cat: Image.Image) -> None:
    head: Head = build(HeadConfig(1, 16, dropout=0.5))
    curves = move_picture(embedded, cat, Move.SHIFT, [0, 0.25], head=head)
    expected = head.logits(embedded.run([cat]).features).softmax(dim=1)[0]
    assert curves.top.class_idx == int(expected.argmax())
    assert curves.top.class_name == "abcd"[curves.top.class_idx]
    assert curves.top.probability == pytest.approx(float(expected.max()), rel=1e-3)
    assert curves.probabilities[0] == pytest.approx(float(expected.max()), rel=1e-3)


def test_steps_are_spread_to_both_sides() -> None:
    assert spread_steps(Move.SHIFT, 0.5, count=5) == pytest.approx((-0.5, -0.25, 0, 0.25, 0.5))
    assert spread_steps(Move.TURN, 90, count=3) == pytest.approx((-90, 0, 90))
    assert spread_steps(Move.SCALE, 2, count=5) == pytest.approx((0.5, 2**-0.5, 1, 2**0.5, 2))
    for move in Move:
        steps = spread_steps(move, LARGEST[move])
        assert len(steps) == 11
        assert steps[5] == NEUTRAL[move]
        assert list(steps) == sorted(steps)
        assert spread_steps(move, LARGEST[move], count=1) == (NEUTRAL[move],)
        assert set(spread_steps(move, NEUTRAL[move])) == {NEUTRAL[move]}


@pytest.mark.parametrize(
    ("move", "reach"),
    [
        (Move.SHIFT, -0.1),
        (Move.SHIFT, 0.6),
        (Move.TURN, -1),
        (Move.TURN, 181),
        (Move.SCALE, 0.9),
        (Move.SCALE, 2.1),
        (Move.TURN, float("nan")),
    ],
)
def test_a_reach_out_of_range_is_refused(move: Move, reach: float) -> None:
    with pytest.raises(OptionOutOfRange, match=move.value):
        spread_steps(move, reach)


@pytest.mark.parametrize("count", [-1, 0, MAX_STEPS + 1])
def test_too_few_and_too_many_steps_are_not_spread(count: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"steps is {count}; it must be from 1 to {MAX_STEPS}"):
        spread_steps(Move.TURN, 90, count=count)


@pytest.mark.parametrize(
    ("move", "step"),
    [
        (Move.SHIFT, 0.51),
        (Move.SHIFT, -0.51),
        (Move.TURN, 180.5),
        (Move.TURN, float("nan")),
        (Move.SCALE, 0.0),
        (Move.SCALE, 0.49),
        (Move.SCALE, float("inf")),
    ],
)
def test_a_step_out_of_range_is_refused(embedded: Backbone, cat: Image.Image, move: Move, step: float) -> None:
    with pytest.raises(OptionOutOfRange, match=move.value):
        move_picture(embedded, cat, move, [NEUTRAL[move], step])


@pytest.mark.parametrize("count", [0, MAX_STEPS + 1])
def test_too_few_and_too_many_steps_are_refused(embedded: Backbone, cat: Image.Image, count: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"steps is {count}"):
        move_picture(embedded, cat, Move.TURN, [0.0] * count)


def test_all_this_leaves_the_network_as_it_was(embedded: Backbone, cat: Image.Image) -> None:
    before = copy.deepcopy(dict(embedded.network.state_dict()))
    answers = embedded.run([cat]).logits
    for move in Move:
        move_picture(embedded, cat, move, [NEUTRAL[move], FAR[move]])
        with pytest.raises(OptionOutOfRange):
            move_picture(embedded, cat, move, [1000.0])
    torch.testing.assert_close(dict(embedded.network.state_dict()), before, rtol=0, atol=0)
    assert hooks(embedded.network) == []
    assert_frozen(embedded.network)
    assert torch.equal(embedded.run([cat]).logits, answers)


def test_eight_visitors_at_once_each_get_their_own(embedded: Backbone) -> None:
    moves = [*Move] * 3

    def visit(number: int) -> MoveCurves:
        return move_picture(embedded, PICTURES[number], moves[number], [FAR[moves[number]]])

    alone = [visit(number) for number in range(8)]
    for one, other in zip(alone, at_once(visit, range(8)), strict=True):
        assert other.move is one.move
        assert np.abs(pixels(other.pictures[0]) - pixels(one.pictures[0])).max() <= 1
        assert other.top.class_idx == one.top.class_idx
        assert numbers(other) == pytest.approx(numbers(one), abs=1e-3)
    assert len({each.pictures[0].tobytes() for each in alone}) == 8
    assert len({round(each.features[0], 4) for each in alone}) > 4
