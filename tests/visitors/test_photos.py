"""The photographs of a visitor are kept as they came, within what a visitor may take of the memory."""

import pytest

from demo.data.images import read_image
from demo.data.samples import EXAMPLES
from demo.settings import Settings
from demo.visitors.photos import Photos
from tests.pictures import encode, noise


def test_photographs_are_looked_into_as_they_came() -> None:
    shared, second = noise(0, (33, 20)), noise(1, (7, 41))
    photos = Photos(EXAMPLES[0]).with_photo(shared).with_second(second)
    assert (photos.photo, photos.second) == (shared, second)
    assert photos.photo is not photos.photo  # whoever draws on it draws on their own
    assert photos.num_bytes == 3 * (33 * 20 + 7 * 41)
    assert photos.with_example(EXAMPLES[1]).num_bytes == 3 * 7 * 41
    assert photos.with_photo(None).photo is None


@pytest.mark.parametrize("size", [(2000, 1500), (900, 2000), (5000, 90)])
def test_a_photograph_takes_less_than_two_megabytes(size: tuple[int, int]) -> None:
    photo = read_image(encode(noise(0, size), "JPEG"), Settings(), name="1.jpg")
    assert Photos().with_photo(photo).num_bytes < 2_000_000
