"""The copies of heads that browsers keep: whose they are, and which of them are taken back."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from demo.errors import SettingWrong
from demo.models.errors import HeadFileDamaged
from demo.models.headfile import read_head, write_head
from demo.models.state import ModelState
from demo.models.zoo import EMBEDDED, find_spec
from demo.settings import Settings
from demo.visitors import keepsake as keepsake_module
from demo.visitors.errors import KeepsakeAltered, KeepsakeForeign, KeepsakeOlder, KeepsakeUnreadable
from demo.visitors.keepsake import Keepsakes, Manifest
from demo.visitors.seal_key import FILE_NAME, find_seal_key
from demo.visitors.session import Session
from tests.heads import light_head

MINE, YOURS = "a" * 32, "b" * 32


def server(key: bytes = b"key") -> Keepsakes:
    return Keepsakes(lambda: key)


@pytest.fixture
def session() -> Session:
    session = Session("token", ModelState(EMBEDDED))
    session.change_state(lambda state: state.with_head(light_head()))
    return session


def made(keepsakes: Keepsakes, session: Session, secret: str = MINE) -> bytes:
    keepsake = keepsakes.make(session, secret)
    assert keepsake
    return keepsake


def train_again(session: Session) -> None:
    session.change_state(lambda state: state.with_head(light_head(("one", "two"))))


def test_a_head_comes_back_from_its_owner_alone_with_a_seal_or_as_a_stranger(
    session: Session, settings: Settings
) -> None:
    keepsakes = server()
    keepsake = made(keepsakes, session)
    assert session.state.head is not None
    for other, is_sealed in (
        (keepsakes, True),
        (server(), True),
        (server(b"another"), False),
    ):  # the last two restarted
        opened = other.open(keepsake, MINE)
        assert (opened.is_sealed, opened.manifest.number) == (is_sealed, 1)
        head = read_head(opened.content, settings)
        assert head.class_names == session.state.head.class_names
        assert torch.equal(head.module.weight, session.state.head.module.weight)  # type: ignore[arg-type]
        with pytest.raises(KeepsakeForeign):
            other.open(keepsake, YOURS)
    assert b"token" not in keepsake
    assert MINE.encode() not in keepsake


def test_a_keepsake_that_was_changed_anywhere_is_refused(session: Session) -> None:
    keepsakes = server()
    keepsake = made(keepsakes, session)
    seal, manifest, content = keepsake.split(b"\n", 2)
    told = json.loads(manifest)

    def tell(**other: object) -> bytes:
        return json.dumps(told | other).encode()

    yours = json.loads(made(keepsakes, session, YOURS).split(b"\n", 2)[1])["owner"]
    changed = bytes([content[-1] ^ 1])
    for forged, secret in (
        (b"\n".join((seal, manifest, content[:-1] + changed)), MINE),
        (b"\n".join((seal, manifest, content + b"\0")), MINE),
        (b"\n".join((seal, tell(number=9), content)), MINE),
        (b"\n".join((seal, tell(owner=yours), content)), YOURS),  # somebody else's head, said to be one's own
        (b"\n".join((b"0" * 64, manifest, content)), MINE),
    ):
        with pytest.raises(KeepsakeAltered):
            keepsakes.open(forged, secret)
    broken = [b"", b"\n\n", keepsake[:70], content, seal + b"\n" + b"[" * 9_000 + b"\n"]
    broken += [b"\n".join((seal, tell(**wrong), content)) for wrong in WRONG]
    for each in broken:
        with pytest.raises((KeepsakeUnreadable, HeadFileDamaged)):
            keepsakes.open(each, MINE)
    for secret in ("", "None", "A" * 32, "a" * 33, "ä" * 32):
        with pytest.raises(KeepsakeUnreadable):
            keepsakes.open(keepsake, secret)


WRONG = (
    {"number": 0},
    {"number": True},
    {"number": 1.5},
    {"number": 2**60},
    {"owner": 1},
    {"owner": "ä"},
    {"more": 1},
    {"classes": "ab"},
)


def test_an_older_head_is_not_taken_in_place_of_a_newer_one(session: Session) -> None:
    keepsakes = server()
    first = made(keepsakes, session)
    assert keepsakes.make(session, MINE, known=1) == b""  # the browser has it
    assert made(keepsakes, session) == first
    train_again(session)
    second = made(keepsakes, session)
    with pytest.raises(KeepsakeOlder):
        keepsakes.open(first, MINE)
    after = server()  # which knows of neither, until one was taken back
    after.open(first, MINE)
    after.accept(after.open(second, MINE).manifest)
    with pytest.raises(KeepsakeOlder):
        after.open(first, MINE)
    assert json.loads(made(after, session).split(b"\n")[1])["number"] == 3


def test_a_head_that_was_dropped_or_forgotten_is_not_taken(session: Session) -> None:
    for drop in ("the head", "everything", "the copy"):
        keepsakes = server()
        train_again(session)
        keepsake = made(keepsakes, session)
        if drop == "the head":
            session.change_state(ModelState.without_head)
            assert keepsakes.make(session, MINE) is None
        elif drop == "everything":
            keepsakes.forget_session(session)
        else:
            keepsakes.forget(MINE)
        with pytest.raises(KeepsakeOlder):
            keepsakes.open(keepsake, MINE)


def test_what_is_known_of_owners_is_bounded_and_holds_no_head(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepsake_module, "_MAX_OWNERS", 3)
    monkeypatch.setattr(keepsake_module, "MAX_BYTES", 10_000)
    keepsakes = server()
    for number in range(5):
        keepsakes.accept(Manifest(number, str(number), "key"))
    assert list(keepsakes._newest) == ["2", "3", "4"]
    large = light_head(tuple(map(str, range(20))))
    session.change_state(lambda state: state.with_head(large))
    assert keepsakes.make(session, MINE) is None  # it would take too long to send


def test_the_key_is_that_of_the_settings_or_of_a_file_of_ones_own(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    given = replace(settings, seal_key="what only the operator knows")
    assert find_seal_key(given) == b"what only the operator knows"
    assert given.seal_key not in repr(given)
    settings = replace(settings, seal_key="")
    key = find_seal_key(settings)
    file = tmp_path / "hub" / FILE_NAME
    assert (len(key), file.read_bytes(), find_seal_key(settings)) == (32, key, key)
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(b"short")
    assert find_seal_key(settings) != find_seal_key(settings)  # each lasts as long as its process
    monkeypatch.setenv("TORCH_HOME", str(file))  # where nothing can be made
    assert len(find_seal_key(settings)) == 32


def test_a_key_that_could_be_guessed_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingWrong, match="DEMO_SEAL_KEY") as told:
        Settings.from_environment({"DEMO_SEAL_KEY": "secret"})
    assert "secret" not in str(told.value)
    key = "k" * 24
    assert Settings.from_environment({"DEMO_SEAL_KEY": key}).seal_key == key


def test_a_file_of_a_head_is_no_keepsake(session: Session) -> None:
    assert session.state.head is not None
    with pytest.raises(KeepsakeUnreadable):
        server().open(write_head(session.state.head, find_spec(EMBEDDED)), MINE)
