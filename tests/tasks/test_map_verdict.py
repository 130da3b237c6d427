"""What is said of a heatmap follows from the curves, also where they go the other way."""

import pytest
from PIL import Image

from demo.data.samples import find_example, read_example
from demo.models.backbone import Backbone
from demo.models.zoo import StageLabel
from demo.settings import Settings
from demo.tasks.cam import Method, map_stages
from demo.tasks.erase import Erased, Erasure, Part, erase_by_map
from demo.tasks.map_verdict import MapTest, MapVerdict

PLAIN = Image.new("RGB", (8, 8))


@pytest.mark.parametrize(
    ("before", "hottest", "random", "coldest", "verdict"),
    [
        (0.95, 0.24, 0.51, 0.91, MapVerdict.HOLDS),
        (0.95, 0.24, 0.51, 0.52, MapVerdict.HOT_ONLY),
        (0.39, 0.35, 0.20, 0.38, MapVerdict.FAILS),
        (0.40, 0.30, 0.32, 0.39, MapVerdict.EVEN),
        (0.03, 0.00, 0.02, 0.03, MapVerdict.ABSENT),
    ],
)
def test_the_numbers_decide(before: float, hottest: float, random: float, coldest: float, verdict: MapVerdict) -> None:
    assert MapTest(before, hottest, random, coldest).verdict is verdict


def test_a_test_is_the_mean_over_the_shares() -> None:
    parts = {Part.HOTTEST: (0.4, 0.2), Part.RANDOM: (0.6, 0.5), Part.COLDEST: (0.8, 0.7)}
    erased = [Erased(part, share, (left,), PLAIN) for part, both in parts.items() for share, left in enumerate(both)]
    found = MapTest.of(Erasure(0, 0.9, tuple(erased)))
    assert (found.before, found.hottest, found.random, found.coldest) == pytest.approx((0.9, 0.3, 0.55, 0.75))


@pytest.mark.parametrize(("example", "verdict"), [("coffee", MapVerdict.HOLDS), ("cat", MapVerdict.FAILS)])
def test_the_map_holds_on_the_coffee_and_fails_on_the_cat(
    embedded: Backbone, settings: Settings, example: str, verdict: MapVerdict
) -> None:
    picture = read_example(find_example(example), settings)
    best = int(embedded.run([picture]).logits[0].argmax())
    values = map_stages(embedded, picture, [best]).of(best, StageLabel.HIGH, Method.GRAD_CAM).values
    assert MapTest.of(erase_by_map(embedded, picture, best, values)).verdict is verdict
