"""How long a training is expected to take before any has ended: by what its network was measured to take."""

import pytest

from demo.data.collection import Picture
from demo.data.dataset import Dataset, Sample, Split
from demo.data.store import PictureStore
from demo.models.recipe import Recipe, Trains
from demo.models.zoo import EMBEDDED
from demo.system import num_cores
from demo.visitors.durations import Durations, measure_training
from tests.pictures import png


def dataset(num_pictures: int) -> Dataset:
    store = PictureStore()
    pictures = [Picture(f"{each}.png", store.add(png((each, 0, 0))), b"", b"") for each in range(num_pictures)]
    splits = [Split.TRAIN] * (num_pictures - 2) + [Split.VALIDATION] * 2
    samples = [
        Sample(each, number % 2, split) for number, (each, split) in enumerate(zip(pictures, splits, strict=True))
    ]
    return Dataset(("even", "odd"), tuple(samples), ())


def guess_s(picture_s: float, num_pictures: int, recipe: Recipe | None = None) -> float:
    size = measure_training(EMBEDDED, picture_s, dataset(num_pictures), recipe or Recipe(flips=False, crops=0))
    return Durations().expect(size)


def test_cold_work_is_guessed_by_the_seconds_that_the_network_was_measured_to_take() -> None:
    fitting_s = guess_s(0.0, 40)
    fast, slow = guess_s(0.02, 40) - fitting_s, guess_s(0.06, 40) - fitting_s
    assert slow == pytest.approx(3 * fast)
    assert 1.0 <= fast * num_cores() / (50 * 0.02) <= 2.0, "each core looks at its share of forty, and at ten beside"
    assert guess_s(0.02, 90) - fitting_s == pytest.approx(2 * fast)
    assert guess_s(0.02, 40, Recipe(trains=Trains.EVERYTHING, epochs=5, batch_size=8)) > 5 * fast
