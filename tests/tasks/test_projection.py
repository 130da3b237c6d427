"""Features on a plane: distances kept, always the same way up."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.tasks.projection import project


def test_a_plane_is_seen_as_it_is() -> None:
    plane = np.random.default_rng(0).normal(size=(15, 2))
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(40, 2)))[0]
    found = project((plane @ axes.T).astype(np.float32))
    assert sum(found.shares) == pytest.approx(1.0)
    distances = np.linalg.norm(plane[:, np.newaxis] - plane, axis=2)
    np.testing.assert_allclose(np.linalg.norm(found.points[:, np.newaxis] - found.points, axis=2), distances, atol=1e-5)


def test_a_projection_does_not_turn_over() -> None:
    features = np.random.default_rng(0).normal(size=(12, 30)).astype(np.float32)
    found = project(features)
    assert (found.points[np.abs(found.points).argmax(axis=0), [0, 1]] > 0).all()
    np.testing.assert_array_equal(project(features).points, found.points)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(30, 30)))[0]
    np.testing.assert_allclose(project((features @ axes).astype(np.float32)).points, found.points, atol=1e-4)


@pytest.mark.parametrize(
    "features",
    [np.full((1, 8), 3.0), np.full((7, 8), 0.1), np.zeros((7, 8)), np.full((9, 2), 0.1), np.full((3, 1), 1e6)],
    ids=["one", "constant", "zero", "constant and narrow", "one feature"],
)
def test_what_does_not_vary_is_one_point(features: NDArray[Any]) -> None:
    found = project(features.astype(np.float32))
    assert found.points.tolist() == [[0.0, 0.0]] * len(features)
    assert found.shares == (0.0, 0.0)


@pytest.mark.parametrize("num_features", [1, 8])
def test_what_varies_one_way_is_a_line(num_features: int) -> None:
    features = np.linspace(0, 3, 4)[:, np.newaxis].repeat(num_features, axis=1).astype(np.float32)
    found = project(features)
    assert found.shares == pytest.approx((1.0, 0.0))
    assert found.points[:, 1].tolist() == [0.0] * 4
    assert found.points[0, 0] > 0
    assert np.diff(found.points[:, 0]) == pytest.approx([-math.sqrt(num_features)] * 3, rel=1e-6)
