"""Parts of a picture erased: the right ones, of the same size, by the seed, and each visitor gets their own."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from demo.data.samples import find_example, read_example
from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.recipe import HeadConfig
from demo.models.zoo import StageLabel
from demo.settings import Settings
from demo.tasks.cam import Method, map_stages
from demo.tasks.erase import (
    GRID,
    NUM_PLACES,
    SHARES,
    Erased,
    Erasure,
    Part,
    compare_maps,
    erase_by_map,
    erase_cells,
    map_untrained,
)
from tests.models.test_backbone import assert_frozen, hooks
from tests.pictures import noise
from tests.tasks.test_cam import at_once, build, untrained

Mask = NDArray[np.bool_]
SIDE = 224
CELL = SIDE // GRID  # a side of it, in pixels


def black_and_white(seed: int, size: tuple[int, int] = (256, 256)) -> Image.Image:
    """Return noise in which a pixel of any other colour was erased; of this size it is cropped but not resized."""
    return noise(seed, size).point(lambda level: 255 * (level > 127))


PICTURE = black_and_white(0)


def heat(side: int) -> NDArray[np.float32]:
    """Return a map that is hot in its upper left quarter and cold in the lower half."""
    values = np.random.default_rng(2).random((side, side), dtype=np.float32)
    values[: side // 2, : side // 2] += 3
    values[: side // 2] += 2
    return values


def see_erased(erased: Erased) -> Mask:
    """Return where the network saw the mean colour, (H, W)."""
    pixels = np.asarray(erased.picture)
    return np.asarray(((pixels > 0) & (pixels < 255)).any(axis=2))


def find(erasure: Erasure, part: Part, share: float) -> Erased:
    return next(each for each in erasure.erased if each.part is part and each.share == share)


@pytest.fixture(scope="module")
def erasure(embedded: Backbone) -> Erasure:
    return erase_by_map(embedded, PICTURE, 7, heat(14))


@pytest.fixture(scope="module")
def head() -> Head:
    return build(HeadConfig(1, 16, dropout=0.5))


def test_each_part_is_erased_in_each_share(embedded: Backbone, erasure: Erasure) -> None:
    parts = (Part.HOTTEST, Part.RANDOM, Part.COLDEST)
    assert [(each.part, each.share) for each in erasure.erased] == [(part, share) for share in SHARES for part in parts]
    probability = float(embedded.run([PICTURE]).logits.softmax(dim=1)[0, 7])
    assert erasure.before == pytest.approx(probability, rel=1e-3)
    for each in erasure.erased:
        assert len(each.probabilities) == (NUM_PLACES if each.part is Part.RANDOM else 1)
        assert all(0 <= one <= 1 for one in each.probabilities)
        assert each.probability == pytest.approx(np.mean(each.probabilities))
        assert see_erased(each).mean() == pytest.approx(each.share, abs=0.5 / GRID**2 + 1e-6)
    for part in parts:
        points = [(share, find(erasure, part, share).probability) for share in SHARES]
        assert erasure.curve(part) == [(0.0, erasure.before), *points]


def test_what_is_left_is_the_picture(embedded: Backbone, erasure: Erasure) -> None:
    seen = np.asarray(embedded.draw_input(PICTURE))
    for each in erasure.erased:
        pixels, gone = np.asarray(each.picture), see_erased(each)
        assert np.array_equal(pixels[~gone], seen[~gone])
        assert np.abs(pixels[gone] - seen.mean(axis=(0, 1))).max() <= 1  # the mean colour


@pytest.mark.parametrize("part", [Part.HOTTEST, Part.COLDEST])
def test_cells_of_one_size_go_whole_and_more_with_each_share(erasure: Erasure, part: Part) -> None:
    before: Mask = np.zeros((GRID, GRID), dtype=bool)
    for share in SHARES:
        cells = see_erased(find(erasure, part, share)).reshape(GRID, CELL, GRID, CELL)
        gone = np.asarray(cells.any(axis=(1, 3)))
        assert np.array_equal(gone, cells.all(axis=(1, 3)))
        assert not (before & ~gone).any()
        assert gone.sum() == round(share * GRID**2)
        before = gone


@pytest.mark.parametrize("side", [7, 14, 28, 56])
def test_the_hottest_is_where_the_map_is_hot_and_the_coldest_where_it_is_not(embedded: Backbone, side: int) -> None:
    erasure = erase_by_map(embedded, PICTURE, 7, heat(side), shares=[0.2])
    hottest, random, coldest = (see_erased(each) for each in erasure.erased)
    middle = SIDE // 2 + CELL  # between the cells of a map of seven by seven the heat falls off slowly
    assert not hottest[middle:].any()
    assert not hottest[:, middle:].any()
    assert not coldest[: SIDE // 2 - CELL].any()
    assert not (hottest & coldest).any()
    assert hottest.sum() == random.sum() == coldest.sum()


def test_the_hottest_cells_are_those_of_the_map(erasure: Erasure) -> None:
    values = heat(GRID)
    for share in SHARES:
        count = round(share * GRID**2)
        for part, cells in ((Part.HOTTEST, np.argsort(-values.ravel())), (Part.COLDEST, np.argsort(values.ravel()))):
            gone = see_erased(find(erasure, part, share))[CELL // 2 :: CELL, CELL // 2 :: CELL]
            assert set(np.flatnonzero(gone)) == set(cells[:count])


def test_a_random_part_has_the_shape_of_the_hottest_at_another_place(erasure: Erasure) -> None:
    for share in SHARES:
        hottest, random = (see_erased(find(erasure, part, share)) for part in (Part.HOTTEST, Part.RANDOM))
        assert random.sum() == hottest.sum()
        spectra = [np.fft.fft2(mask.astype(np.float64)) for mask in (hottest, random)]
        overlap = np.fft.ifft2(spectra[0].conj() * spectra[1]).real  # at each shift around the edges
        assert overlap.max() == pytest.approx(hottest.sum())
        assert not np.array_equal(hottest, random)


def test_the_places_come_from_the_seed_and_move_no_other(embedded: Backbone, erasure: Erasure) -> None:
    state = torch.random.get_rng_state()
    again, other = (erase_by_map(embedded, PICTURE, 7, heat(14), seed=seed) for seed in (0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    for part in (Part.HOTTEST, Part.RANDOM, Part.COLDEST):
        for share in SHARES:
            pictures = [np.asarray(find(each, part, share).picture) for each in (erasure, again, other)]
            assert np.array_equal(pictures[0], pictures[1])
            assert np.array_equal(pictures[0], pictures[2]) == (part is not Part.RANDOM)
            np.testing.assert_allclose(
                find(again, part, share).probabilities, find(erasure, part, share).probabilities, rtol=1e-3
            )


def test_cells_that_are_equally_hot_go_where_more_heat_is_around_them(embedded: Backbone) -> None:
    values = np.zeros((GRID, GRID), np.float32)
    values[3, 3] = 1
    hottest, _, coldest = erase_by_map(embedded, PICTURE, 7, values, shares=[9 / GRID**2]).erased
    assert see_erased(hottest)[2 * CELL : 5 * CELL, 2 * CELL : 5 * CELL].all()
    assert see_erased(coldest)[-CELL:, -CELL:].all()


def test_nothing_and_everything_erased(embedded: Backbone) -> None:
    erasure = erase_by_map(embedded, PICTURE, 7, heat(7), shares=[0, 1])
    seen = np.asarray(embedded.draw_input(PICTURE))
    for each in erasure.erased[:3]:
        assert np.array_equal(np.asarray(each.picture), seen)
        np.testing.assert_allclose(each.probabilities, erasure.before, rtol=1e-3)
    for each in erasure.erased[3:]:
        assert len(np.unique(np.asarray(each.picture).reshape(-1, 3), axis=0)) == 1
        np.testing.assert_allclose(each.probabilities, erasure.erased[3].probability, rtol=1e-3)


def test_a_picture_without_shares_is_only_asked_about(embedded: Backbone) -> None:
    erasure = erase_by_map(embedded, PICTURE, 7, heat(7), shares=[])
    assert erasure.erased == ()
    assert erasure.curve(Part.HOTTEST) == [(0, erasure.before)]


@pytest.mark.parametrize("method", Method)
def test_without_the_cup_it_is_hardly_a_cup(embedded: Backbone, settings: Settings, method: Method) -> None:
    picture = read_example(find_example("coffee"), settings)
    cup = embedded.spec.class_names.index("espresso")
    values = map_stages(embedded, picture, [cup]).of(cup, StageLabel.HIGH, method).values
    hottest, random, coldest = erase_by_map(embedded, picture, cup, values, shares=[0.2]).erased
    assert hottest.probability < random.probability < coldest.probability


def test_a_painted_part_and_the_rest_make_the_picture(embedded: Backbone) -> None:
    """The left half of what the network sees of a wide picture."""
    wide = black_and_white(1, (512, 256))
    erasure = erase_cells(embedded, wide, 7, [cell for cell in range(GRID**2) if cell % GRID < GRID // 2])
    assert [each.part for each in erasure.erased] == [Part.PAINTED, Part.RANDOM, Part.REST]
    painted, random, rest = (see_erased(each) for each in erasure.erased)
    assert painted[:, : SIDE // 2].all()
    assert np.array_equal(rest, ~painted)
    assert random.sum() == painted.sum() == rest.sum()
    assert not np.array_equal(random, painted)
    assert [each.share for each in erasure.erased] == pytest.approx([0.5, 0.5, 0.5])
    assert [len(each.probabilities) for each in erasure.erased] == [1, NUM_PLACES, 1]
    assert erasure.before == pytest.approx(float(embedded.run([wide]).logits.softmax(dim=1)[0, 7]), rel=1e-3)


def test_painted_cells_are_those_of_the_grid(embedded: Backbone) -> None:
    cells = [0, 13, 30, 31, GRID**2 - 1]
    painted, random, _ = erase_cells(embedded, PICTURE, 7, cells, seed=3).erased
    gone = np.zeros(GRID**2, dtype=bool)
    gone[cells] = True
    expected = gone.reshape(GRID, GRID).repeat(CELL, axis=0).repeat(CELL, axis=1)
    assert np.array_equal(see_erased(painted), expected)
    assert painted.share == random.share == pytest.approx(expected.mean())


@pytest.mark.parametrize("cell", [-1, GRID**2])
def test_a_cell_that_there_is_not_is_refused(embedded: Backbone, cell: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"cell is {cell}"):
        erase_cells(embedded, PICTURE, 7, [0, cell])


def test_nothing_painted_changes_nothing(embedded: Backbone) -> None:
    erasure = erase_cells(embedded, PICTURE, 7, [])
    painted, random, rest = erasure.erased
    assert (painted.share, random.share, rest.share) == (0, 0, 1)
    np.testing.assert_allclose([*painted.probabilities, *random.probabilities], erasure.before, rtol=1e-3)
    assert see_erased(rest).all()


def test_the_classes_are_the_heads(embedded: Backbone, head: Head) -> None:
    expected = head.logits(embedded.run([PICTURE]).features).softmax(dim=1)[0]
    for idx in (0, 3):
        for erasure in (
            erase_by_map(embedded, PICTURE, idx, heat(7), head=head, shares=[0.2]),
            erase_cells(embedded, PICTURE, idx, [0, 15, 30], head=head),
        ):
            assert erasure.class_idx == idx
            assert erasure.before == pytest.approx(float(expected[idx]), rel=1e-3)
    totals = sum(erase_cells(embedded, PICTURE, idx, [0, 15, 30], head=head).erased[0].probability for idx in range(4))
    assert totals == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(embedded: Backbone, share: float) -> None:
    with pytest.raises(OptionOutOfRange, match="share"):
        erase_by_map(embedded, PICTURE, 7, heat(7), shares=[0.2, share])


@pytest.mark.parametrize("known", [4, 1000])
def test_a_class_that_there_is_not_is_refused(embedded: Backbone, head: Head, known: int) -> None:
    uses: list[Callable[[int], Any]] = [
        lambda idx: erase_by_map(embedded, PICTURE, idx, heat(7), head=head if known == 4 else None),
        lambda idx: erase_cells(embedded, PICTURE, idx, [0, 15, 30], head=head if known == 4 else None),
        lambda idx: map_untrained(embedded, PICTURE, [idx], head=head if known == 4 else None),
    ]
    for use in uses:
        for idx in (-1, known):
            with pytest.raises(OptionOutOfRange, match=f"class_idx is {idx}"):
                use(idx)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18"])
def test_an_untrained_network_has_maps_of_the_same_shapes(embedded: Backbone, cat: Image.Image, name: str) -> None:
    backbone = embedded if name == embedded.spec.name else untrained(name)
    trained, control = map_stages(backbone, cat, [7, 281]), map_untrained(backbone, cat, [7, 281])
    assert np.array_equal(np.asarray(control.network_input), np.asarray(trained.network_input))
    for one, other in zip(trained.maps, control.maps, strict=True):
        assert (one.class_idx, one.stage, one.method) == (other.class_idx, other.stage, other.method)
        assert one.values.shape == other.values.shape
        assert np.isfinite(other.values).all()
        assert compare_maps(one.values, other.values) < 0.95
    assert sum(each.values.max() > 1e-5 for each in control.maps) >= 7  # it neither fades nor explodes
    assert all(each.values.max() < 1e3 for each in control.maps)


def test_nothing_learned_is_in_an_untrained_network(cat: Image.Image) -> None:
    """Whatever the weights of the network and of the head, those of the control come from the seed alone."""
    first, config = untrained("resnet18"), HeadConfig(1, 16)
    second = first.open_private({name: 2 * each + 1 for name, each in first.network.named_parameters()})
    heads = [build(config, "resnet18"), build(config, "resnet18")]
    with torch.no_grad():
        for parameter in heads[1].module.parameters():
            parameter.mul_(3)
    heads[1] = replace(heads[1], tuned=dict(second.network.named_parameters()))
    state = torch.random.get_rng_state()
    asked = [(first, heads[0], 0), (second, heads[1], 0), (first, heads[0], 1)]
    one, same, other = (map_untrained(each, cat, [2], head=head, seed=seed) for each, head, seed in asked)
    assert torch.equal(torch.random.get_rng_state(), state)
    for each, alike, differs in zip(one.maps, same.maps, other.maps, strict=True):
        np.testing.assert_allclose(alike.values, each.values, rtol=1e-4, atol=1e-5 * each.values.max())
        assert not np.allclose(differs.values, each.values, rtol=0.01, atol=0.01 * each.values.max())


def test_maps_that_agree_on_the_order_are_alike() -> None:
    values = np.random.default_rng(0).random((7, 7))
    assert compare_maps(values, values) == pytest.approx(1)
    assert compare_maps(values, np.exp(5 * values)) == pytest.approx(1)
    assert compare_maps(values, -values) == pytest.approx(-1)
    assert abs(compare_maps(values, np.random.default_rng(1).random((7, 7)))) < 0.4
    assert compare_maps(values, np.ones((7, 7))) == 0
    assert compare_maps(np.zeros((7, 7)), np.zeros((7, 7))) == 0


def test_all_this_leaves_network_and_head_as_they_were(embedded: Backbone, head: Head) -> None:
    modules: list[nn.Module] = [embedded.network, head.module]
    before = [copy.deepcopy(dict(module.state_dict())) for module in modules]
    for each in (None, head):
        erase_by_map(embedded, PICTURE, 1, heat(7), head=each, shares=[0.2])
        erase_cells(embedded, PICTURE, 1, [0, 15, 30], head=each)
        map_untrained(embedded, PICTURE, [1], head=each)
        for broken in (-1, 1000):
            with pytest.raises(OptionOutOfRange):
                erase_by_map(embedded, PICTURE, broken, heat(7), head=each)
    for module, tensors in zip(modules, before, strict=True):
        torch.testing.assert_close(dict(module.state_dict()), tensors, rtol=0, atol=0)
        assert hooks(module) == []
    assert_frozen(embedded.network)
    assert not head.module.training


@pytest.mark.slow
def test_eight_visitors_at_once_each_get_their_own(embedded: Backbone) -> None:
    pictures = [black_and_white(seed) for seed in range(8)]

    def visit(number: int) -> Erasure:
        return erase_by_map(embedded, pictures[number], number, heat(7), shares=[0.3], seed=number)

    alone = [visit(number) for number in range(8)]
    for one, other in zip(alone, at_once(visit, range(8)), strict=True):
        assert other.class_idx == one.class_idx
        assert other.before == pytest.approx(one.before, rel=1e-2)
        for expected, found in zip(one.erased, other.erased, strict=True):
            assert np.array_equal(np.asarray(found.picture), np.asarray(expected.picture))
            np.testing.assert_allclose(found.probabilities, expected.probabilities, rtol=1e-2)
    assert len({np.asarray(each.erased[0].picture).tobytes() for each in alone}) == 8
