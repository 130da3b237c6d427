"""A visitor's pictures: when their dataset is made, and what is kept of those that were there before."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from demo.data.collection import Collection, add_class, add_pictures, remove_class, switch_class
from demo.data.dataset import make_dataset
from demo.data.errors import ClassTooSmall, NoDataset, TooFewClasses
from demo.data.folders import read_collection, reread
from demo.data.layouts.errors import QuestionsOpen
from demo.data.reading import Answer, Choices, Doubt
from demo.settings import Settings
from demo.tasks.features import PLAIN
from demo.visitors.pictures import Pictures
from demo.visitors.registry import Sessions
from demo.visitors.session import Session
from tests.pictures import MakeZip, encode, noise


def collect(settings: Settings, **counts: int) -> Collection:
    """Return classes with so many pictures of noise each."""
    collection = Collection()
    for seed, (name, count) in enumerate(counts.items()):
        files = [(f"{number}.png", encode(noise(100 * seed + number))) for number in range(count)]
        collection = add_class(collection, name, settings=settings)
        collection = add_pictures(collection, name, files=files, settings=settings)
    return collection


@pytest.fixture
def session(settings: Settings) -> Session:
    return Sessions(settings).attach("")


def test_the_dataset_is_made_once_after_all_frames(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Collection] = []

    def note(collection: Collection, *values: Any) -> Any:
        made.append(collection)
        return make_dataset(collection, *values)

    monkeypatch.setattr("demo.visitors.pictures.make_dataset", note)
    session.choose_collection(collect(settings, cat=2, dog=2), settings)
    for number in range(5):
        files = [("frame.png", encode(noise(900 + number)))]
        session.edit_collection(partial(add_pictures, class_name="dog", files=files, settings=settings), settings)
    assert made == []
    dataset = session.pictures.find_dataset()
    assert len(dataset.samples) == 9
    assert session.pictures.dataset is dataset
    assert made == [session.pictures.collection]


def test_nothing_is_learned_before_what_is_asked_is_answered(make_zip: MakeZip, settings: Settings) -> None:
    images, masks = ([encode(noise(100 * place + number)) for number in range(4)] for place in range(2))
    files = {f"images/{number}.png": each for number, each in enumerate(images)}
    files |= {f"masks/{number}.png": each for number, each in enumerate(masks)}
    collection = read_collection(make_zip(files), settings)
    with pytest.raises(QuestionsOpen, match="images; masks: are these photographs and the masks"):
        Pictures(collection, settings).find_dataset()
    meant = reread(collection, Choices().answer(Doubt.MASKS, Answer.KEEP), settings)
    assert Pictures(meant, settings).find_dataset().class_names == ("images", "masks")
    without = Pictures(reread(collection, Choices().answer(Doubt.MASKS, Answer.LEAVE_OUT), settings), settings)
    with pytest.raises(TooFewClasses):
        without.find_dataset()
    assert len(without.digests) == 8  # those that are left out are kept, and counted
    assert without.memory_bytes == Pictures(collection, settings).memory_bytes


def test_what_makes_no_dataset_says_why(settings: Settings) -> None:
    for pictures, reason in (
        (Pictures(), NoDataset),
        (Pictures(collect(settings, cat=2), settings), TooFewClasses),
        (Pictures(collect(settings, cat=2, dog=1), settings), ClassTooSmall),
    ):
        assert pictures.dataset is None
        assert isinstance(pictures.error, reason) or reason is NoDataset
        for _ in range(2):
            with pytest.raises(reason):
                pictures.find_dataset()


def test_features_stay_with_a_class_that_is_off_and_go_with_one_that_is_removed(
    session: Session, settings: Settings
) -> None:
    session.choose_collection(collect(settings, cat=2, dog=2, owl=2), settings)
    rows = session.cache.rows("network")
    rows |= {(PLAIN, digest): np.zeros(1, np.float32) for digest in session.pictures.digests}
    for edit, count in ((partial(switch_class, is_on=False), 6), (remove_class, 4)):
        session.edit_collection(partial(edit, name="dog"), settings)
        assert len(session.cache.rows("network")) == count
