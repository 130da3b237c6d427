"""Two customers on one network: nothing crosses between their sessions, and nothing stays of them."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from PIL import Image

from demo.data.starters import STARTERS
from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.errors import WeightsDamaged
from demo.models.head import Head
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.customers import Answer, Fingerprints, Outcome, ask, digest_network
from demo.visitors import customers
from demo.visitors.customers import (
    Asked,
    Asking,
    Bringing,
    Brought,
    Customer,
    Departure,
    Event,
    Held,
    Leaving,
    Step,
    Training,
    tell,
)
from demo.visitors.rooms import Rooms
from demo.words.language import CHINESE, ENGLISH, Words

FEW = 4  # pictures of each class, of which one is for validation
A, B = Customer


class Told(NamedTuple):
    """What two customers did, what came of it, and the heads that there were."""

    steps: list[Step]
    events: list[Event]
    heads: list["weakref.ref[Head]"]

    def of_kind(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.events if isinstance(each, kind)]


@pytest.fixture(scope="module")
def rooms(settings: Settings, backbones: BackboneCache) -> Rooms:
    return replace(Rooms.of(settings), backbones=backbones)


def listen_to(rooms: Rooms) -> Told:
    """Let two customers in, with few pictures."""
    told = Told([], [], [])

    def ask_and_note(backbone: Backbone, head: Head, pictures: list[Image.Image]) -> tuple[Answer, ...]:
        told.heads.append(weakref.ref(head))
        return ask(backbone, head, pictures)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(customers, "_PICTURES_PER_CLASS", FEW)
        patch.setattr(customers, "_WATCH_EVERY_S", 60)
        patch.setattr(customers, "ask", ask_and_note)
        for each in tell(rooms):
            if isinstance(each, Step):
                told.steps.append(each)
            else:
                told.events.append(each)
    return told


@pytest.fixture(scope="module")
def told(rooms: Rooms) -> Told:
    return listen_to(rooms)


def classes_of(words: Words) -> tuple[set[str], set[str]]:
    """Return the class names of A and of B."""
    names = words.finetune.gather.starter_classes
    return set(STARTERS["digits"].class_names), {names[each] for each in STARTERS["signs"].class_names}


def test_each_step_is_told_before_what_comes_of_it(told: Told) -> None:
    bringing = [Bringing(A, "digits"), Bringing(B, "signs")]
    assert told.steps == [*bringing, Training(A), Training(B), Asking(), Leaving(A)]
    kinds = [type(each) for each in told.events]
    trained = [Fingerprints, Outcome, Fingerprints, Outcome, Fingerprints]
    assert kinds == [Brought, Brought, *trained, *[Asked] * 4, Held, Fingerprints, Departure]


def test_the_network_is_the_same_from_first_to_last(told: Told, rooms: Rooms) -> None:
    taken = told.of_kind(Fingerprints)
    with rooms.backbones.lend(EMBEDDED) as backbone:
        assert [each.network for each in taken] == [digest_network(backbone)] * 4
    a, b = taken[2].heads
    assert None not in (a, b)
    assert a != b
    assert [each.heads for each in taken] == [(None, None), (a, None), (a, b), (None, b)]


@pytest.mark.parametrize(
    "words", [ENGLISH, pytest.param(CHINESE, marks=pytest.mark.slow)], ids=lambda words: words.language
)
def test_each_head_knows_its_own_customers_classes_alone(told: Told, rooms: Rooms, words: Words) -> None:
    digits, signs = classes_of(words)
    asked = (told if words is ENGLISH else listen_to(replace(rooms, words=words))).of_kind(Asked)
    assert len(asked) == 4
    for each in asked:
        of_a, of_b = each.answers
        assert set(of_a.class_names) == digits
        assert set(of_b.class_names) == signs
    assert [each.truth in digits for each in asked] == [True, True, False, False]
    assert [each.truth in signs for each in asked] == [False, False, True, True]


def test_each_gets_a_small_head_on_a_large_network(told: Told) -> None:
    a, b = told.of_kind(Outcome)
    assert (a.num_pictures, a.count, b.num_pictures, b.count) == (10 * FEW, 10, 6 * FEW, 6)
    assert a.num_shared == b.num_shared > 100 * a.num_own > 100 * b.num_own


def test_no_session_holds_anothers_pictures(told: Told) -> None:
    assert told.of_kind(Held) == [Held(((10 * FEW, 0), (0, 6 * FEW)))]


def test_when_one_leaves_the_others_head_answers_as_before(told: Told) -> None:
    assert told.of_kind(Departure) == [Departure(True, True, True, True, True)]


@pytest.mark.parametrize("place", range(5))
def test_one_check_that_fails_is_enough(place: int) -> None:
    assert Departure(*[True] * 5).is_clean
    assert not Departure(*[number != place for number in range(5)]).is_clean


def test_nothing_of_the_two_stays(told: Told, rooms: Rooms) -> None:
    assert len(rooms.sessions) == 0
    gc.collect()
    assert len(told.heads) == 3
    assert [head() for head in told.heads] == [None] * 3


@pytest.mark.parametrize("place", ["choose_questions", "take_fingerprints", "ask", "read_sample"])
def test_an_error_in_the_middle_ends_both_sessions(rooms: Rooms, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def fail(*_: Any) -> None:
        raise ValueError(f"{len(rooms.sessions)} sessions")

    monkeypatch.setattr(customers, "_STARTERS", ("signs", "signs"))
    monkeypatch.setattr(customers, "_PICTURES_PER_CLASS", 2)
    monkeypatch.setattr(customers, place, fail)
    with pytest.raises(ValueError, match="2 sessions"):
        list(tell(rooms))
    assert len(rooms.sessions) == 0


def test_a_training_that_fails_ends_both_sessions(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Iterator[None]:
        yield from ()
        raise WeightsDamaged(backbone="EfficientNet", file="a.pth")

    monkeypatch.setattr("demo.visitors.rooms.fine_tune_and_compare", fail)
    with pytest.raises(WeightsDamaged):
        list(tell(rooms))
    assert len(rooms.sessions) == 0
