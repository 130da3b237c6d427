"""The examples: there, small, and allowed to be shown."""

import io
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.data.samples import ASSETS, EXAMPLES, Example, find_example, read_example, read_thumbnail
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings

EVERY_EXAMPLE = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


@pytest.mark.parametrize(
    ("name", "package", "folder"),
    [
        ("cat", "skimage", "data"),
        ("coffee", "skimage", "data"),
        ("photographer", "skimage", "data"),
        ("rocket", "skimage", "data"),
        ("astronaut", "skimage", "data"),
        ("palace", "sklearn", "datasets/images"),
        ("flower", "sklearn", "datasets/images"),
    ],
)
def test_every_example_is_the_file_that_its_package_carries(name: str, package: str, folder: str) -> None:
    path = find_example(name).path
    found = find_spec(package)  # to import it would take a second
    assert found is not None
    assert found.origin is not None
    assert path.read_bytes() == Path(found.origin).parent.joinpath(folder, path.name).read_bytes()


def test_imagenet_has_a_class_for_the_first_four_examples() -> None:
    names = ZOO[EMBEDDED].class_names
    found = {each.name: {names[idx] for idx in each.class_idxs} for each in EXAMPLES if each.class_idxs}
    assert list(found) == [each.name for each in EXAMPLES[:4]]
    right = {"cat": {"tabby", "tiger cat"}, "coffee": {"espresso"}, "palace": {"palace"}, "photographer": {"tripod"}}
    assert found == right


@EVERY_EXAMPLE
def test_every_example_decodes_to_a_picture_with_something_on_it(example: Example, settings: Settings) -> None:
    image = read_example(example, settings)
    assert image.mode == "RGB"
    assert min(image.size) >= 224  # what a network looks at is never enlarged
    assert np.asarray(image).std() > 10


def test_every_asset_is_named_with_its_licence() -> None:
    table = (ASSETS / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(.+?)` \|.*\| (.+?) \|$", table, re.MULTILINE))
    assert rows.keys() == {path.name for path in ASSETS.iterdir()} - {"README.md"}
    assert all(example.licence.split(" (")[0] in rows[example.file] for example in EXAMPLES)


@EVERY_EXAMPLE
def test_a_thumbnail_is_a_small_square_jpeg(example: Example) -> None:
    content = read_thumbnail(example)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (96, 96))
    assert len(content) < 5_000


def test_a_thumbnail_has_the_side_that_is_asked_for() -> None:
    with Image.open(io.BytesIO(read_thumbnail(find_example("cat"), side_px=40))) as image:
        assert image.size == (40, 40)


@EVERY_EXAMPLE
def test_an_example_is_found_by_its_name(example: Example) -> None:
    assert find_example(example.name) is example


def test_names_stand_for_one_example_each() -> None:
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)
    assert len({example.path for example in EXAMPLES}) == len(EXAMPLES)
