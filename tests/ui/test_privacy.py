"""What the page promises, sentence by sentence; each has its test below, named by the sentence's key."""

import gc
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.ui.lifetime.upkeep import sweep_up
from demo.ui.privacy import draw_promise, draw_time_left
from demo.ui.server.uploads import KEPT, sweep
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.conftest import PROJECT
from tests.hub_host import TOKEN, replace_hub
from tests.opened import free_port
from tests.patience import wait_for
from tests.pictures import MakeZip, colour_folders, encode, files_below, noise
from tests.served import Server
from tests.visitor import Refused, Visit, Visitor, recipe_values

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
MARK = "zebra7391"  # in the names of all that a visitor brings


@pytest.fixture
def visitor(visit: Visit, tmp_path: Path, make_zip: MakeZip) -> Visitor:
    """A visitor who has done all that leaves something behind."""
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(write_photo(tmp_path)))
    visitor.refresh()
    files = {f"{MARK}{path}": content for path, content in colour_folders().items()}
    visitor.bring(make_zip(files))
    visitor.call("make_class", f"{MARK} typed")
    visitor.call("drop_class", f"{MARK} typed")
    visitor.train(*recipe_values(epochs=2))
    visitor.call("export_trained")
    visitor.call("make_report")
    return visitor


def write_photo(folder: Path) -> Path:
    path = folder / f"{MARK}.png"
    path.write_bytes(encode(noise(3, (320, 240))))
    return path


def uploads(server: Server) -> Path:
    return Path(server.page.app.uploaded_file_dir)


def files_of(session: Session) -> list[Path]:
    return [path for path in session.offers._paths if path.is_file()]


def all_files(server: Server) -> set[Path]:
    return files_below(uploads(server))


def remains_of(session: Session) -> list[Any]:
    """Return weak references to what a session holds that can be referred to weakly."""
    assert session.pictures.collection is not None
    assert session.trained is not None
    things = [session, session.pictures.collection.store, session.cache, session.peaks, session.trained.head.module]
    return [weakref.ref(each) for each in (*things, session.trained.dataset, session.trained.features.values)]


def test_the_page_says_it_in_both_languages(server: Server) -> None:
    config = httpx.get(f"{server.url}/config", verify=False).json()
    values = [each["props"].get("value") for each in config["components"]]
    for words in (ENGLISH, CHINESE):
        assert draw_promise(words, server.rooms.settings) in values
        assert f"<p>{words.privacy.yours}</p>" in values


def test_the_minutes_are_those_of_the_settings(settings: Settings) -> None:
    other = replace(settings, session_idle_s=420.0, session_closed_s=180.0, unread_upload_s=660.0)
    for words in (ENGLISH, CHINESE):
        assert set(re.findall(r"\d+", draw_promise(words, other))) == {"7", "3", "11"}


def test_held(visitor: Visitor, server: Server) -> None:
    """The photograph as it is seen, the pictures, what the network makes of them, and the head; nothing else."""
    session = server.rooms.sessions.attach(visitor.token)
    assert session.photos.photo is not None
    assert session.photos.photo.size == (320, 240)
    assert not session.photos.photo.info
    assert session.pictures.collection is not None
    assert len(session.pictures.collection.pictures) == 12
    assert session.cache.num_bytes > 0
    assert session.state.head is not None
    assert session.memory_bytes < 2_000_000


def test_where(visitor: Visitor, server: Server, tmp_path: Path) -> None:
    """In memory and in a file without a name; an upload is deleted as soon as it was read."""
    session = server.rooms.sessions.attach(visitor.token)
    offered = files_of(session)
    assert {path.name for path in offered} == {"head.zip", "report.html"}
    assert all(path.parent.parent == uploads(server) / KEPT for path in offered)
    assert not [path for path in all_files(server) if MARK in str(path) and path not in offered]
    assert session.pictures.collection is not None
    store = os.fstat(session.pictures.collection.store._descriptor)
    assert store.st_nlink == 0  # no name in any folder
    unread = Path(visitor.upload(write_photo(tmp_path))["path"])
    assert unread.is_file()
    sweep(uploads(server), server.rooms.settings.unread_upload_s)
    assert unread.is_file()
    sweep(uploads(server), -1)  # its time is over
    assert not unread.exists()
    assert files_of(session) == offered


def press_the_button(_server: Server, visitor: Visitor) -> None:
    assert visitor.call("forget", True) == [True]


def leave_idle(server: Server, visitor: Visitor) -> None:
    session = server.rooms.sessions.attach(visitor.token)
    session.presence.touched -= server.rooms.settings.session_idle_s + 1
    sweep_up(server.page, server.rooms, server.page.app.state_holder, uploads(server))


def close_the_page(server: Server, visitor: Visitor) -> None:
    session = server.rooms.sessions.attach(visitor.token)
    for page in set(session.presence.open):
        server.rooms.sessions.close_page(page)
    sweep_up(server.page, server.rooms, server.page.app.state_holder, uploads(server))
    assert server.rooms.sessions.seconds_left(session.ref) > 0  # it may be a reload, or a gap in the Wi-Fi
    session.presence.touched -= server.rooms.settings.session_closed_s + 1
    sweep_up(server.page, server.rooms, server.page.app.state_holder, uploads(server))


@pytest.mark.parametrize("end", [press_the_button, leave_idle, close_the_page], ids=lambda end: end.__name__)
def test_until(end: Callable[[Server, Visitor], None], visitor: Visitor, server: Server) -> None:
    """Nothing stays in memory or on disk: no object, no file, no state or answer of gradio's, no name."""
    session = server.rooms.sessions.attach(visitor.token)
    remains, offered, pages = remains_of(session), files_of(session), set(session.presence.open)
    descriptor = session.pictures.collection.store._descriptor if session.pictures.collection else -1
    assert all(reference() is not None for reference in remains)
    assert offered
    assert pages
    del session
    end(server, visitor)

    def is_gone() -> bool:
        gc.collect()
        return not any(reference() is not None for reference in remains)

    wait_for(is_gone)  # a thread that has just answered may hold what it answered with
    assert not any(path.exists() for path in offered)
    assert not [path for path in all_files(server) if MARK in str(path)]
    assert not is_open(descriptor)
    assert not any(page in server.page.app.state_holder for page in pages)
    assert MARK not in repr(vars(server.page._queue)) + repr(vars(server.rooms))
    with pytest.raises(Refused, match="This session has ended"):
        visitor.call("keep_photo")


def is_open(descriptor: int) -> bool:
    """Whether a descriptor still belongs to a file without a name."""
    try:
        return os.fstat(descriptor).st_nlink == 0
    except OSError:
        return False


def test_who(visitor: Visitor, visit: Visit, server: Server) -> None:
    """Nobody else sees them: another visitor has another session, and cannot guess the token."""
    other = visit()
    assert MARK not in str(other.call("show_session"))
    assert MARK not in other.refresh().strip
    assert len(visitor.token) >= 20
    stranger = visit(token=visitor.token[:-1])
    assert stranger.token != visitor.token
    assert MARK not in httpx.get(f"{server.url}/config", verify=False).text


def test_use(visitor: Visitor, visit: Visit, server: Server, make_zip: MakeZip) -> None:
    """Another visitor's training changes neither this one's head nor the shared network."""
    session = server.rooms.sessions.attach(visitor.token)
    head = session.state.head
    assert head is not None
    with server.rooms.backbones.lend(EMBEDDED) as backbone:
        before = {name: tensor.clone() for name, tensor in backbone.network.state_dict().items()}
        weights = {name: tensor.clone() for name, tensor in head.module.state_dict().items()}
        other = visit()
        other.bring(make_zip(colour_folders()))
        other.train(*recipe_values(epochs=2))
        assert all(before[name].equal(tensor) for name, tensor in backbone.network.state_dict().items())
    assert session.state.head is head
    assert all(weights[name].equal(tensor) for name, tensor in head.module.state_dict().items())


def test_export(visitor: Visitor, server: Server) -> None:
    """The exported head holds numbers and class names, and no picture."""
    content = visitor.download(visitor.call("export_trained")[0])
    session = server.rooms.sessions.attach(visitor.token)
    assert session.pictures.collection is not None
    for picture in session.pictures.collection.pictures:
        assert picture.stored.read()[:64] not in content
        assert picture.thumbnail[:64] not in content
    assert b"\x89PNG" not in content
    assert b"\xff\xd8\xff" not in content


def test_copy(visitor: Visitor, server: Server) -> None:
    """What the browser keeps holds the head and its class names, and no picture; when it goes, browser tests show."""
    headers = {"X-Demo-Session": visitor.token, "X-Demo-Secret": "f" * 32}
    content = httpx.get(f"{server.url}/keepsake", headers=headers, verify=False).content
    session = server.rooms.sessions.attach(visitor.token)
    assert MARK.encode() in content
    assert session.pictures.collection is not None
    for picture in session.pictures.collection.pictures:
        assert picture.stored.read()[:64] not in content
        assert picture.thumbnail[:64] not in content
    assert visitor.token.encode() not in content


def test_share(visitor: Visitor, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent to the Hub holds numbers and class names, and no picture; the token is used and not kept."""
    hub = replace_hub(monkeypatch)
    visitor.call("push_trained", "my-model", TOKEN)
    hub.close()
    assert hub.is_private == {"pupil/my-model": True}
    files = hub.repositories["pupil/my-model"]
    assert MARK in files["config.json"].decode()
    session = server.rooms.sessions.attach(visitor.token)
    assert session.pictures.collection is not None
    for picture in session.pictures.collection.pictures:
        assert not any(picture.stored.read()[:64] in content for content in files.values())
        assert not any(picture.thumbnail[:64] in content for content in files.values())
    assert TOKEN not in repr(vars(server.page._queue)) + repr(vars(server.rooms))


@LANGUAGES
def test_the_promise_says_that_pictures_travel_to_an_engine_where_there_is_one(
    words: Words, settings: Settings
) -> None:
    """What travels, and that no name does, is tested in `tests/tasks/test_engine.py`."""
    assert words.privacy.engine not in draw_promise(words, settings)
    assert words.privacy.engine in draw_promise(words, replace(settings, engine="http://engine:8000"))


LOGGED = f"""
import logging, sys, threading
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
for noisy in ("matplotlib", "PIL"):
    logging.getLogger(noisy).setLevel(logging.WARNING)
from pathlib import Path
from demo.settings import Settings
from demo.ui.finetune.gather import panel
from demo.visitors.rooms import Rooms
from demo.ui.page import build_page
from demo.ui.server.launch import launch
from tests.opened import free_port
from tests.patience import wait_for
from tests.pictures import colour_folders, write_zip
from tests.visitor import Refused, Visitor, recipe_values

said = "{MARK} in an error"  # not in the line that raises it, which a log may show

def fail(*values, **options):
    raise ValueError(said)

def attempt(*call):
    try:
        visitor.call(*call)
    except Refused as refused:
        print("refused")

rooms = Rooms.of(Settings(backbone="{EMBEDDED}"))
page = build_page(rooms)
visitor = Visitor(launch(page, rooms, wait=False).rstrip("/"))
folder = Path(sys.argv[1])
files = {{"{MARK}" + path: content for path, content in colour_folders().items()}}
visitor.bring(write_zip(folder / "{MARK}.zip", files))
visitor.train(*recipe_values(epochs=1))
bad = folder / "{MARK}.png"
bad.write_bytes(b"no picture")
attempt("choose_photo", visitor.upload(bad))
attempt("choose_archive", [visitor.upload(bad)])
attempt("choose_photo", {{"path": "/{MARK}", "meta": {{"_type": "gradio.FileData"}}}})
attempt("choose_photo", "{MARK}")
attempt("drop_class", ["{MARK}"])
attempt("switch_classes", ["{MARK}"])
attempt("show_ascent", "{MARK}", "{MARK}")
attempt("push_trained", "{MARK}", "{MARK} is no token")
panel.add_archives = fail  # what nobody has foreseen
attempt("choose_archive", [visitor.upload(bad)])
print("unforeseen errors are logged without their words")
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All that a server writes while a visitor does right and wrong."""
    folder = tmp_path_factory.mktemp("logged")
    done = subprocess.run(
        [sys.executable, "-c", LOGGED, str(folder)],
        cwd=PROJECT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads"), "GRADIO_SERVER_PORT": str(free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert "unforeseen errors are logged" in done.stdout, done.stdout
    return done.stdout


@pytest.mark.slow
def test_logs(log: str, server: Server) -> None:
    """Nothing of a visitor's is in the log, whatever goes wrong; nothing is counted; there are no cookies."""
    assert "unexpected ValueError" in log
    assert MARK not in log
    assert not server.page.analytics_enabled
    assert server.page.app.monitoring_enabled is False
    assert "Set-Cookie" not in httpx.get(server.url, verify=False).headers
    assert server.page.config.get("run_history") in (None, False)


@LANGUAGES
def test_people(words: Words) -> None:
    """A request to the visitor, which no program can keep; it stands last, where it is read."""
    assert list(words.privacy.promise)[-1] == "people"


def test_no_sentence_is_without_a_test() -> None:
    assert all(f"test_{key}" in globals() for key in ENGLISH.privacy.promise)


@LANGUAGES
def test_the_line_says_how_long(words: Words, server: Server) -> None:
    rooms = replace(server.rooms, words=words)
    assert 'data-left="600"' in draw_time_left(rooms, 600.0)
    assert ">10<" in draw_time_left(rooms, 600.0)
    assert words.privacy.over in draw_time_left(rooms, 0.0)


def test_a_page_with_an_unknown_token_says_that_its_session_has_ended(visit: Visit) -> None:
    assert ENGLISH.notice.anew in visit(token="of a server before").attached.opened.notice
    assert visit().attached.opened.notice == ""
    known = visit()
    assert visit(token=known.token).attached.opened.notice == ""


def test_to_ask_how_long_is_no_use(visit: Visit, server: Server) -> None:
    visitor = visit()
    session = server.rooms.sessions.attach(visitor.token)
    session.presence.touched -= 1000
    (line,) = visitor.call("tell_left")
    left = int(re.findall(r'data-left="(\d+)"', line)[0])
    assert left <= server.rooms.settings.session_idle_s - 1000
    server.rooms.sessions.end(visitor.token)
    (line,) = visitor.call("tell_left")
    assert ENGLISH.privacy.over in line


def test_who_is_not_sure_keeps_everything(visitor: Visitor, server: Server) -> None:
    assert visitor.call("forget", False) == [False]
    assert server.rooms.sessions.attach(visitor.token).photos.photo is not None
