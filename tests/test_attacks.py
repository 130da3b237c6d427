"""Each attack is refused by the error that names it, or read and harmless; and nothing is ever written."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.data.folders import read_collection
from demo.models.headfile import read_head, write_head
from demo.settings import Settings
from tests.attacks import ARCHIVES, NAMES, PICTURES, Attack, try_picture, try_zip, zip_of_name
from tests.head_attacks import HEADS, try_head
from tests.models.test_headfile import FORGED, SPEC, head_of

# What Pillow and zipfile only warn of, a server goes on with.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder that is the one for temporary files as well; in the end nothing is there but an upload."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    upload = tmp_path / "upload.zip"
    yield upload
    upload.unlink(missing_ok=True)
    assert list(tmp_path.rglob("*")) == [folder]


def each(attacks: dict[str, Attack]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", attacks.values(), ids=attacks)


@each(PICTURES)
def test_pictures_do_no_harm(attack: Attack, untouched: Path) -> None:
    error = try_picture(attack.make())
    assert (error and type(error)) is attack.expected, error
    assert not untouched.exists()


@each(ARCHIVES)
def test_zips_do_no_harm(attack: Attack, untouched: Path) -> None:
    untouched.write_bytes(attack.make())
    error = try_zip(untouched)
    assert (error and type(error)) is attack.expected, error


@each(HEADS)
def test_heads_do_no_harm(attack: Attack, untouched: Path) -> None:
    error = try_head(attack.make())
    assert (error and type(error)) is attack.expected, error
    assert not untouched.exists()


@pytest.mark.usefixtures("untouched")
def test_forged_heads_write_nothing() -> None:
    for forge, _ in FORGED.values():
        assert try_head(forge()) is not None


@pytest.mark.parametrize(("name", "left"), NAMES.items(), ids=range(len(NAMES)))
def test_hostile_names_become_harmless_classes(name: str, left: str, untouched: Path, settings: Settings) -> None:
    untouched.write_bytes(zip_of_name(name))
    collection = read_collection(untouched, settings)
    assert sorted(each.name for each in collection.classes) == sorted([left, "other"])
    assert left.isprintable()


def test_hostile_names_go_through_a_head_as_they_are(settings: Settings) -> None:
    names = tuple(dict.fromkeys(NAMES.values()))[: settings.max_classes]
    assert read_head(write_head(head_of(class_names=names), SPEC), settings).class_names == names
