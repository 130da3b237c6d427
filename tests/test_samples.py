"""The examples: there, small, and allowed to be shown."""

import io

import numpy as np
import pytest
from PIL import Image

from demo.data.samples import EXAMPLES, Example, find_example, read_example, read_thumbnail
from demo.settings import Settings

EVERY_EXAMPLE = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


@EVERY_EXAMPLE
def test_every_example_lies_in_its_package(example: Example) -> None:
    assert example.path.is_file()
    assert example.package in example.path.parts


@EVERY_EXAMPLE
def test_every_example_decodes_to_a_picture_with_something_on_it(example: Example, settings: Settings) -> None:
    image = read_example(example, settings)
    assert image.mode == "RGB"
    assert min(image.size) >= 224  # what a network looks at is never enlarged
    assert np.asarray(image).std() > 10


@EVERY_EXAMPLE
def test_every_example_may_be_shown(example: Example) -> None:
    assert example.licence.strip()


@EVERY_EXAMPLE
def test_a_thumbnail_is_a_small_square_jpeg(example: Example) -> None:
    content = read_thumbnail(example)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (128, 128))
    assert len(content) < 12_000


def test_a_thumbnail_has_the_side_that_is_asked_for() -> None:
    with Image.open(io.BytesIO(read_thumbnail(EXAMPLES[0], side_px=40))) as image:
        assert image.size == (40, 40)


@EVERY_EXAMPLE
def test_an_example_is_found_by_its_name(example: Example) -> None:
    assert find_example(example.name) is example


def test_names_stand_for_one_example_each() -> None:
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)
    assert len({example.path for example in EXAMPLES}) == len(EXAMPLES)


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no_such_package"):
        _ = Example("lost", "no_such_package", "lost.png", "none").path
