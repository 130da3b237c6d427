"""The registry of sessions and the reference that the page holds."""

import copy
import threading
import time
from collections.abc import Generator
from dataclasses import replace

import pytest
from PIL import Image

from demo.data.collection import Collection
from demo.data.starters import read_starter
from demo.models.state import ModelState
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.finetune import Progress
from demo.visitors.errors import SessionExpired, TrainingRunning, TrainingStopped
from demo.visitors.jobs import Job
from demo.visitors.registry import Sessions
from demo.visitors.session import Ref
from demo.words.language import CHINESE
from tests.patience import PATIENCE_S


def nothing() -> Generator[Progress, None, None]:
    yield from ()


def test_a_known_token_finds_its_session_again(settings: Settings) -> None:
    sessions = Sessions(settings)
    session = sessions.attach("")
    assert sessions.attach(session.ref.token) is session
    assert sessions.find(session.ref) is session


def test_an_unknown_token_gets_a_session_under_another_one(settings: Settings) -> None:
    sessions = Sessions(settings)
    assert sessions.attach("chosen by a stranger").ref.token != "chosen by a stranger"


def test_two_visitors_share_nothing(settings: Settings) -> None:
    sessions = Sessions(settings)
    one, other = sessions.attach(""), sessions.attach("")
    one.choose_photo(Image.new("RGB", (2, 2)))
    one.change_state(lambda state: state.with_answers(own=True))
    assert other.photos.kept is None
    assert not other.state.use_head
    assert one.ref.token != other.ref.token


def test_a_reference_changes_its_hash_with_every_change(settings: Settings) -> None:
    session = Sessions(settings).attach("")
    refs = [
        session.ref,
        session.choose_photo(None),
        session.change_state(ModelState.without_head),
    ]
    assert len({hash(ref) for ref in refs}) == 3


def test_a_copied_reference_is_empty() -> None:
    assert copy.deepcopy(Ref("secret", 3)) == Ref()


def test_an_empty_reference_has_no_session(settings: Settings) -> None:
    with pytest.raises(SessionExpired):
        Sessions(settings).find(Ref())


def test_an_idle_session_expires_and_a_training_one_does_not(settings: Settings) -> None:
    sessions = Sessions(replace(settings, session_idle_s=10.0))
    idle, training = sessions.attach(""), sessions.attach("")
    training.begin(Job(nothing))
    idle.presence.touched -= 11
    training.presence.touched -= 11
    sessions.sweep()
    assert sessions.find(training.ref) is training
    with pytest.raises(SessionExpired):
        sessions.find(idle.ref)


def test_the_longest_idle_session_makes_room(settings: Settings) -> None:
    sessions = Sessions(replace(settings, max_sessions=2))
    first, second = sessions.attach(""), sessions.attach("")
    second.presence.touched = first.presence.touched - 1
    third = sessions.attach("")
    assert len(sessions) == 2
    assert sessions.find(first.ref) is first
    assert sessions.find(third.ref) is third


def test_a_page_that_was_closed_after_a_long_rest_may_still_come_back(settings: Settings) -> None:
    sessions = Sessions(replace(settings, session_idle_s=1000.0, session_closed_s=100.0))
    session = sessions.attach("", page="page")
    session.presence.touched -= 500
    sessions.close_page("page")
    sessions.sweep()
    assert sessions.seconds_left(session.ref) == pytest.approx(100, abs=10)
    session.presence.touched -= 101
    sessions.sweep()
    assert sessions.seconds_left(session.ref) == 0


def test_work_is_left_once_all_pages_are_closed_or_silent(settings: Settings) -> None:
    sessions = Sessions(settings)
    presence = sessions.attach("", page="first").presence
    assert sessions.attach("").presence.find_left_s() is None  # a program, or the lesson's own, has no page
    sessions.attach(next(iter(sessions._sessions)), page="second")
    sessions.close_page("first")
    assert presence.find_left_s() is None
    sessions.close_page("second")
    presence.touch()  # by an event that was on its way
    assert presence.find_left_s() == pytest.approx(0, abs=1)
    presence.open_page("third")
    assert presence.find_left_s() is None
    presence.touched -= 100
    assert presence.find_left_s() == pytest.approx(40, abs=5)


def test_who_changes_the_language_does_not_wait_for_a_zip_that_is_read(settings: Settings) -> None:
    session, started, release = Sessions(settings).attach(""), threading.Event(), threading.Event()

    def read(_: Collection) -> Collection:
        started.set()
        assert release.wait(PATIENCE_S)
        return read_starter("signs", replace(settings, max_pictures=8))

    reading = threading.Thread(target=session.edit_collection, args=(read, settings))
    reading.start()
    assert started.wait(PATIENCE_S)
    names = dict(CHINESE.finetune.gather.starter_classes)
    session.translate(names)
    release.set()
    reading.join(PATIENCE_S)
    assert session.pictures.collection is not None
    assert {each.name for each in session.pictures.collection.classes} <= set(names.values())


def test_who_would_be_missed_least_makes_room_first(settings: Settings) -> None:
    """Most that are missed more were used longer ago here, so that time alone would choose others."""
    unused_s = {"left": 5, "empty": 70, "resting": 700, "new": 50, "busy": 590, "trains": 10_000}
    sessions, gone = Sessions(replace(settings, max_sessions=len(unused_s))), list[str]()
    pages = {name: sessions.attach("", page=name) for name in unused_s}
    names = {page.ref.token: name for name, page in pages.items()}
    sessions.when_over = lambda session: gone.append(names[session.ref.token])
    for name in ("left", "resting", "busy"):
        pages[name].choose_photo(Image.new("RGB", (2, 2)))
    sessions.close_page("left")
    pages["trains"].begin(Job(nothing))
    for name, seconds in unused_s.items():
        pages[name].presence.touched = time.monotonic() - seconds
    for _ in unused_s:
        sessions.attach("").begin(Job(nothing))  # the last one to go
    assert gone == list(unused_s)


def test_a_session_that_must_go_stops_its_training(settings: Settings) -> None:
    sessions = Sessions(replace(settings, max_sessions=1))
    job = Job(nothing)
    sessions.attach("").begin(job)
    sessions.attach("")
    assert isinstance(job.error, TrainingStopped)
    assert len(sessions) == 1


def test_a_second_training_or_other_pictures_have_to_wait(settings: Settings) -> None:
    session = Sessions(settings).attach("")
    session.begin(Job(nothing))
    with pytest.raises(TrainingRunning):
        session.begin(Job(nothing))
    with pytest.raises(TrainingRunning):
        session.choose_collection(None, settings)


def test_a_backbone_without_weights_gives_way_to_the_embedded_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.models.weights.has_weights", lambda _spec: False)
    sessions = Sessions(replace(settings, backbone="resnet50"))
    assert sessions.attach("").state.backbone_name == EMBEDDED
