"""The colours of charts can be told apart by those who lack red, green or blue cones; legends name everything."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.ui.parts.chart import PALETTE, chart_rules, colours, draw_legend

# Machado, Oliveira and Fernandes 2009, at full severity, on linear RGB; and sRGB's own matrix to XYZ.
SEEN_WITH = {
    "all cones": np.eye(3),
    "no green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no blue cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)
LEAST = 15.0  # of CIE 1976; about 2.3 is just noticeable


def to_linear(colour: str) -> NDArray[np.float64]:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def to_lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = TO_XYZ @ np.clip(linear, 0, 1) / (TO_XYZ @ np.ones(3))
    fx, fy, fz = (np.cbrt(each) if each > 0.008856 else 7.787 * each + 16 / 116 for each in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("cones", SEEN_WITH)
def test_every_two_colours_differ_for_every_eye(cones: str) -> None:
    seen = {colour: to_lab(SEEN_WITH[cones] @ to_linear(colour)) for colour in PALETTE}
    distances = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(PALETTE, 2)}
    assert min(distances.values()) > LEAST, min(distances.items(), key=lambda each: each[1])


def test_twenty_classes_look_different_each_in_colour_or_shape() -> None:
    names = [f"class {number}" for number in range(20)]
    looks = set(colours(names).values())
    assert len(looks) == 20
    rules = "".join(chart_rules())
    assert all(
        f'-line path[stroke="{colour}"]' in rules and f'-symbol path[stroke="{colour}"]' in rules for colour in looks
    )
    marks = {line for line in draw_legend(names, points=True).split("<li>") if "path" in line}
    assert len(marks) == 20


def test_a_legend_shows_names_as_text() -> None:
    assert "&lt;b&gt;" in draw_legend(["<b>"])
