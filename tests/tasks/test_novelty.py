"""What is unlike everything that was learned."""

import gc
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from demo.data.samples import EXAMPLES, read_example
from demo.models.backbone import Backbone
from demo.settings import Settings
from demo.tasks.novelty import (
    Judgement,
    Novelty,
    NoveltyReport,
    Strangers,
    fit_novelty,
    judge,
    report_novelty,
    threshold_for,
)
from tests.tasks.test_evaluate import scores


def cone(direction: int, count: int, seed: int, num_features: int = 16) -> NDArray[np.float32]:
    """Return features near one axis, bright and dim."""
    generator = np.random.default_rng(seed)
    features = 0.1 * generator.normal(size=(count, num_features))
    features[:, direction] += 1.0
    return (features * generator.uniform(0.1, 10.0, size=(count, 1))).astype(np.float32)


@pytest.fixture(scope="module")
def two_cones() -> Novelty:
    features = np.concatenate([cone(0, 40, seed=0), cone(1, 40, seed=1)])
    return fit_novelty(scores([0] * 40 + [1] * 40, np.zeros((80, 3)), features))


def test_points_far_from_every_class_are_rejected(two_cones: Novelty) -> None:
    known = two_cones.distance(np.concatenate([cone(0, 100, seed=2), cone(1, 100, seed=3)]))
    threshold = threshold_for(known, 0.95)
    assert judge(known, threshold) == Judgement(accepted=190, rejected=10)
    assert judge(two_cones.distance(cone(5, 50, seed=4)), threshold) == Judgement(accepted=0, rejected=50)
    assert judge(two_cones.distance(-cone(0, 50, seed=5)), threshold) == Judgement(accepted=0, rejected=50)


def test_the_distance_is_the_angle_to_the_nearest_class_mean() -> None:
    known = scores([0, 0, 2], np.zeros((3, 3)), np.array([[2.0, 0.0], [4.0, 0.0], [0.0, 1.0]]))
    novelty = fit_novelty(known)
    assert novelty.class_means.tolist() == [[3.0, 0.0], [0.0, 1.0]]
    assert novelty.class_means.dtype == np.float32
    asked = np.array([[5.0, 0.0], [3.0, 4.0], [-1.0, -1.0], [0.0, 0.0]], dtype=np.float32)
    assert novelty.distance(asked) == pytest.approx([0.0, 0.2, 1 + math.sqrt(0.5), 1.0], abs=1e-6)
    assert novelty.distance(1000 * asked) == pytest.approx(novelty.distance(asked), abs=1e-6)


@pytest.mark.parametrize("share", [0.07, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("count", [1, 20, 100, 153])
def test_the_threshold_accepts_the_share_and_no_more_than_it_must(share: float, count: int) -> None:
    distances = np.random.default_rng(0).permutation(np.linspace(0.1, 0.9, count))
    accepted = judge(distances, threshold_for(distances, share)).accepted
    assert accepted >= share * count - 1e-6
    assert accepted - 1 < share * count - 1e-6


@pytest.mark.parametrize(("photo", "is_accepted"), [([0.0, 2.0], True), ([-1.0, -1.0], False), (None, False)])
def test_a_report_judges_strangers_and_the_photograph_by_the_validation_split(
    photo: list[float] | None, is_accepted: bool
) -> None:
    training = scores([0, 1], np.zeros((2, 3)), np.array([[1.0, 0.0], [0.0, 1.0]]))
    validation = scores([0, 0, 1, 1], np.zeros((4, 3)), np.array([[1.0, 0.0], [3.0, 4.0], [4.0, 3.0], [0.0, 7.0]]))
    strangers = np.array([[1.0, 0.1], [1.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
    asked = None if photo is None else np.array([photo], dtype=np.float32)
    report = report_novelty(training, validation, strangers, asked, share=1.0)
    assert report.threshold == pytest.approx(0.2, abs=1e-6)
    assert (report.known, report.strangers) == (Judgement(4, 0), Judgement(1, 2))
    assert report.accepts_photo is is_accepted
    assert (report.photo_distance is None) == (photo is None)
    half = report_novelty(training, validation, strangers, None, share=0.5)
    assert half == NoveltyReport(0.0, Judgement(2, 2), Judgement(0, 3), None)


def test_each_network_sees_the_examples_once_and_takes_their_features_with_it(
    embedded: Backbone, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, int]] = []
    run = Backbone.run

    def run_and_note(self: Backbone, pictures: Sequence[Image.Image]) -> Any:
        seen.append((self.is_private, len(pictures)))
        return run(self, pictures)

    monkeypatch.setattr(Backbone, "run", run_and_note)
    strangers = Strangers()
    features = strangers.features(embedded, settings)
    assert strangers.features(embedded, settings) is features
    assert seen == [(False, 6)]
    alone = run(embedded, [read_example(EXAMPLES[5], settings)]).features[0].numpy()
    assert features[5] == pytest.approx(alone, abs=1e-4)

    name, weight = next((name, weight) for name, weight in embedded.network.named_parameters() if weight.dim() == 4)
    private = embedded.open_private({name: 2 * weight})
    others = strangers.features(private, settings)
    assert not np.allclose(others, features)
    assert strangers.features(private, settings) is others
    assert seen == [(False, 6), (True, 6)]
    assert len(strangers._features) == 2
    del private
    gc.collect()
    assert len(strangers._features) == 1
