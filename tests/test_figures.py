"""Numbers -> pictures."""

import re
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from demo.figures import (
    OVERLAY_OPACITY,
    colour,
    colour_stops,
    curve_points,
    draw_box,
    draw_grid,
    draw_heatmap,
    draw_overlay,
    draw_sheet,
    draw_signed,
    join_pictures,
)

DARKEST, BRIGHTEST = [68, 1, 84], [253, 231, 36]  # the ends of viridis
WHITE = [255, 255, 255]
GREY = Image.new("RGB", (224, 224), (128, 128, 128))

TILE_PX = draw_grid(np.ones((1, 2, 2))).width
PITCH_PX = draw_grid(np.ones((2, 2, 2))).width - TILE_PX


def peak(row: int, column: int, side: int = 7) -> NDArray[np.float32]:
    values = np.zeros((side, side), dtype=np.float32)
    values[row, column] = 5.0
    return values


def random_maps(count: int, side: int = 7) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((count, side, side), dtype=np.float32)


def tile(sheet: Image.Image, row: int, column: int) -> NDArray[np.uint8]:
    top, left = row * PITCH_PX, column * PITCH_PX
    return np.asarray(sheet)[top : top + TILE_PX, left : left + TILE_PX]


def test_the_scale_runs_from_0_to_the_largest() -> None:
    coloured = colour(np.array([[0.0, 2.0, 4.0]]), 4.0)
    assert coloured.shape == (1, 3, 3)
    assert coloured.dtype == np.uint8
    assert coloured[0, 0].tolist() == DARKEST
    assert coloured[0, 2].tolist() == BRIGHTEST


def test_a_larger_value_is_brighter() -> None:
    brightness = colour(np.linspace(0, 1, 32)[np.newaxis], 1.0)[0].astype(int).sum(axis=1)
    assert (np.diff(brightness) > 0).all()


def test_nothing_but_zeros_is_dark() -> None:
    assert np.unique(colour(np.zeros((2, 2)), 0.0).reshape(-1, 3), axis=0).tolist() == [DARKEST]


@pytest.mark.parametrize("side_px", [448, 64])
def test_an_overlay_is_a_square_of_the_asked_size(side_px: int) -> None:
    overlay = draw_overlay(random_maps(1)[0], GREY, side_px=side_px)
    assert (overlay.mode, overlay.size) == ("RGB", (side_px, side_px))


def test_an_overlay_is_448_px_wide_unless_asked_otherwise() -> None:
    assert draw_overlay(random_maps(1)[0], GREY).size == (448, 448)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 5), (3, 3), (6, 2)])
def test_the_hottest_place_of_an_overlay_is_the_brightest(row: int, column: int) -> None:
    brightness = np.asarray(draw_overlay(peak(row, column), GREY).convert("L"))
    y, x = divmod(int(brightness.argmax()), 448)
    assert (y // 64, x // 64) == (row, column)


def test_an_overlay_shows_the_picture_in_grey_below_the_heatmap() -> None:
    picture = Image.new("RGB", (224, 224), "white")
    picture.paste((255, 0, 0), (0, 0, 112, 224))
    pixels = np.asarray(draw_overlay(np.zeros((7, 7)), picture)).astype(int)
    red, white = pixels[224, 60], pixels[224, 400]
    assert white.tolist() == pytest.approx([OVERLAY_OPACITY * c + (1 - OVERLAY_OPACITY) * 255 for c in DARKEST], abs=1)
    luminance = 0.299 * 255
    expected = [OVERLAY_OPACITY * c + (1 - OVERLAY_OPACITY) * luminance for c in DARKEST]
    assert red.tolist() == pytest.approx(expected, abs=1)


def test_an_overlay_leaves_its_inputs_as_they_were() -> None:
    values, picture = random_maps(1)[0], GREY.copy()
    before = values.copy()
    draw_overlay(values, picture)
    np.testing.assert_array_equal(values, before)
    assert picture.tobytes() == GREY.tobytes()


def test_a_heatmap_is_wide_and_high_as_asked() -> None:
    heatmap = draw_heatmap(np.ones((7, 7)), (60, 40))
    assert heatmap.size == (60, 40)
    assert heatmap.getcolors() == [(60 * 40, tuple(BRIGHTEST))]


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (3, 2, 2), (4, 2, 2), (5, 3, 2), (7, 3, 3), (16, 4, 4)]
)
def test_a_grid_is_as_square_as_its_maps_allow(count: int, columns: int, rows: int) -> None:
    sheet = draw_grid(random_maps(count))
    gap = PITCH_PX - TILE_PX
    assert sheet.mode == "RGB"
    assert sheet.size == (columns * PITCH_PX - gap, rows * PITCH_PX - gap)


def test_a_grid_is_filled_by_rows_and_white_elsewhere() -> None:
    maps = random_maps(5)
    sheet = draw_grid(maps)
    for idx, each in enumerate(maps):
        row, column = divmod(idx, 3)
        np.testing.assert_array_equal(tile(sheet, row, column), np.asarray(draw_grid(each[np.newaxis])))
    assert np.unique(tile(sheet, 1, 2).reshape(-1, 3), axis=0).tolist() == [WHITE]
    gap = np.asarray(sheet)[:, TILE_PX:PITCH_PX]
    assert gap.size > 0
    assert np.unique(gap.reshape(-1, 3), axis=0).tolist() == [WHITE]


def test_each_map_of_a_grid_has_a_scale_of_its_own() -> None:
    maps = random_maps(4)
    stretched = maps * np.array([1, 1000, 0.001, 7], dtype=np.float32)[:, np.newaxis, np.newaxis]
    difference = np.asarray(draw_grid(stretched), dtype=int) - np.asarray(draw_grid(maps), dtype=int)
    assert np.abs(difference).max() <= 2  # a rounding may take the next of 256 colours


def test_a_map_of_zeros_is_dark_next_to_others() -> None:
    maps = random_maps(2)
    maps[1] = 0
    sheet = draw_grid(maps)
    assert np.unique(tile(sheet, 0, 1).reshape(-1, 3), axis=0).tolist() == [DARKEST]
    np.testing.assert_array_equal(tile(sheet, 0, 0), np.asarray(draw_grid(maps[:1])))


def test_a_grid_is_enlarged_smoothly_and_cells_stay_in_place() -> None:
    row = tile(draw_grid(np.array([[[0.0, 1.0], [0.0, 1.0]]])), 0, 0)[TILE_PX // 2].astype(int)
    brightness = row.sum(axis=1)
    assert (row[0].tolist(), row[-1].tolist()) == (DARKEST, BRIGHTEST)
    assert (np.diff(brightness) >= 0).all()
    assert np.diff(brightness).max() < brightness[-1] / 20  # no step, however small the map is


def test_a_grid_has_maps_as_large_as_asked() -> None:
    assert draw_grid(random_maps(4), side_px=20).size == (40 + PITCH_PX - TILE_PX,) * 2


def test_joined_pictures_stand_side_by_side() -> None:
    joined = np.asarray(join_pictures(Image.new("RGB", (30, 40), "red"), Image.new("RGB", (10, 20), "blue")))
    gap = PITCH_PX - TILE_PX
    assert joined.shape == (40, 30 + gap + 20, 3)  # the right one is twice as high as it was
    assert (joined[:, :30] == [255, 0, 0]).all()
    assert (joined[:, 30 : 30 + gap] == WHITE).all()
    assert (joined[:, 30 + gap :] == [0, 0, 255]).all()


@pytest.mark.parametrize("count", [2, 9])
def test_colour_stops_are_css_colours_from_dark_to_bright(count: int) -> None:
    stops = colour_stops(count)
    assert len(stops) == count
    assert (stops[0], stops[-1]) == ("rgb(68, 1, 84)", "rgb(253, 231, 36)")
    colours = [re.fullmatch(r"rgb\((\d{1,3}), (\d{1,3}), (\d{1,3})\)", stop) for stop in stops]
    numbers = [[int(number) for number in found.groups()] for found in colours if found]
    assert len(numbers) == count
    assert max(number for each in numbers for number in each) <= 255
    assert all(sum(dark) < sum(bright) for dark, bright in pairwise(numbers))


def test_curves_become_rows_of_a_line_plot() -> None:
    assert curve_points("epoch", "loss", {"train": [(1, 0.5), (2, 0.25)], "validation": [(1, 0.75)]}) == {
        "columns": ["epoch", "loss", "split"],
        "data": [[1, 0.5, "train"], [2, 0.25, "train"], [1, 0.75, "validation"]],
        "datatypes": {"epoch": "quantitative", "loss": "quantitative", "split": "nominal"},
        "mark": "line",
    }


def test_there_may_be_no_curve_yet() -> None:
    assert curve_points("epoch", "loss", {})["data"] == []


def test_a_curve_that_is_still_empty_keeps_its_place() -> None:
    data = curve_points("epoch", "loss", {"train": [(1, 0.5)], "validation": []})["data"]
    assert data == [[1, 0.5, "train"], [None, None, "validation"]]


def test_signs_have_colours_and_0_is_white() -> None:
    pixels = np.asarray(draw_signed(np.array([[2.0, 0.0, -2.0]]), 3)).astype(int)
    orange, white, blue = pixels[1]
    assert orange[0] > orange[2]
    assert white.min() > 240
    assert blue[2] > blue[0]


def test_numbers_that_are_all_0_are_white() -> None:
    assert np.asarray(draw_signed(np.zeros((2, 2)), 4)).min() > 240


@pytest.mark.parametrize(("count", "size"), [(1, (20, 20)), (3, (43, 43)), (5, (66, 43))])
def test_a_sheet_is_as_square_as_the_number_allows(count: int, size: tuple[int, int]) -> None:
    sheet = draw_sheet([Image.new("RGB", (3, 3), "red")] * count, side_px=20)
    assert sheet.size == size
    assert sheet.getpixel((0, 0)) == (255, 0, 0)


def test_a_box_is_an_outline_that_can_be_seen_on_any_ground() -> None:
    for ground in ("black", "white"):
        picture = Image.new("RGB", (101, 101), ground)
        pixels = np.asarray(draw_box(picture, (0.2, 0.4, 0.6, 0.8)))
        changed = np.argwhere((pixels != np.asarray(picture)).any(axis=2))
        assert changed.min(axis=0).tolist() == pytest.approx([40, 20], abs=3)
        assert changed.max(axis=0).tolist() == pytest.approx([80, 60], abs=3)
        assert (pixels[60, 40] == np.asarray(picture)[60, 40]).all()
        assert np.asarray(picture).std() == 0  # the picture itself stays
