"""What survives cut connections, reloads, closed pages and kill -9, and what goes with them."""

import errno
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from demo.models.fetch import fetch_weights
from demo.models.weights import find_weights, has_weights
from demo.models.zoo import BackboneSpec
from demo.tasks.finetune import fine_tune
from demo.tasks.fit import EpochResult
from demo.ui.finetune.steps import Controls
from demo.ui.finetune.tab import FineTuneTab, Training
from demo.visitors.jobs import Job, JobKind
from demo.visitors.session import Session
from demo.words.language import ENGLISH
from tests.benchmarks.__main__ import running_app
from tests.benchmarks.abuse import is_own
from tests.conftest import PROJECT
from tests.patience import PATIENCE_S, wait_for
from tests.pictures import MakeZip, colour_folders, encode, files_below, noise
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, best_classes, fill, recipe_values
from tests.weights_host import Resource, WeightsHost, path_of, stand_in

MARK = "zebra7391"  # in the names of all that a visitor brings
LAST_STAGE = recipe_values(200, trains="last_stage", batch_size=4, flips=False)
TWELVE = ENGLISH.finetune.gather.dataset_report.format(classes=2, count=12)
CONTENT = bytes(range(256)) * 2000

needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")


@pytest.fixture
def visitor(visit: Visit, make_zip: MakeZip) -> Visitor:
    visitor = visit()
    visitor.bring(make_zip(colour_folders()))
    return visitor


@pytest.fixture
def going_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let trainings wait after their first epoch until the event is set."""
    going_on = threading.Event()

    def wait_after_the_first(*values: Any, **options: Any) -> Iterator[Any]:
        for step in fine_tune(*values, **options):
            yield step
            if isinstance(step, EpochResult):
                going_on.wait(PATIENCE_S)

    monkeypatch.setattr("demo.visitors.rooms.fine_tune_and_compare", wait_after_the_first)
    yield going_on
    going_on.set()


class Watched(NamedTuple):
    """What the watcher of a training fills."""

    ref: Any
    training: Training
    controls: Controls


def watch(visitor: Visitor) -> Watched:
    """Watch a training until it has ended; return what is shown last."""
    return fill(Watched, visitor.call("watch_training"))


def show_session(visitor: Visitor) -> FineTuneTab:
    return fill(FineTuneTab, visitor.call("show_session"))


def job_of(session: Session) -> Job:
    return session.jobs[JobKind.TRAINING]


# A connection that is cut.


def watch_until_cut(visitor: Visitor, server: Server) -> None:
    """Watch the training as the page does, and lose the connection when the first epoch is seen."""
    event = {
        "data": [None],
        "fn_index": visitor._find("watch_training", 0),
        "session_hash": visitor._session_hash,
        "event_data": None,
    }
    with httpx.Client(base_url=f"{server.url}/gradio_api", timeout=PATIENCE_S, verify=False) as http:
        http.post("/queue/join", json=event).raise_for_status()
        with http.stream("GET", "/queue/data", params={"session_hash": visitor._session_hash}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_generating" and "Epoch 1 of 3" in line:
                    return
    pytest.fail("the stream ended first")


def is_heard(server: Server, visitor: Visitor) -> bool:
    """Whether the server still means to tell the page what comes out of its events."""
    events = server.page._queue._events()
    return any(event.alive for event in events if event.session_hash == visitor._session_hash)


def test_a_training_goes_on_when_its_page_is_cut_off(
    visitor: Visitor, session: Session, server: Server, visit: Visit, going_on: threading.Event
) -> None:
    visitor.call("start_training", *recipe_values(3))
    watch_until_cut(visitor, server)
    wait_for(lambda: not is_heard(server, visitor))
    assert job_of(session).is_running
    again = visit(token=visitor.token)
    assert "Epoch 1 of 3" in show_session(again).jobs.training.status
    going_on.set()
    assert "Done in" in watch(again).training.status
    assert "blue, red" in again.refresh().strip
    assert "blue, red" in visitor.refresh().strip  # the page itself, if its connection comes back


def test_a_training_ends_although_nobody_is_there(
    visitor: Visitor, session: Session, server: Server, visit: Visit, going_on: threading.Event
) -> None:
    visitor.call("start_training", *recipe_values(3))
    watch_until_cut(visitor, server)
    visitor.close()
    server.rooms.sessions.close_page(visitor._session_hash)
    assert not session.presence.open
    going_on.set()
    assert job_of(session).done.wait(PATIENCE_S)
    again = visit(token=visitor.token)
    assert "Done in" in watch(again).training.status
    assert "blue, red" in again.refresh().strip


# A reload.


def test_a_reload_at_any_moment_finds_what_was_there(
    visit: Visit, make_zip: MakeZip, tmp_path: Path, going_on: threading.Event
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(encode(noise(1, (320, 240))))

    def reload() -> Visitor:
        reloaded = visit(token=first.token)
        assert reloaded.token == first.token
        assert reloaded.attached.opened.notice == ""
        return reloaded

    first = visit()
    first.call("choose_photo", first.upload(photo))
    assert [is_picture(each) for each in reload().attached.opened.photos] == [True, True]
    reload().bring(make_zip(colour_folders()))
    assert TWELVE in show_session(reload()).pictures.report
    starting = reload()
    starting.call("start_training", *recipe_values(3))
    wait_for(lambda: "Epoch 1 of 3" in show_session(starting).jobs.training.status)
    shown = show_session(reload())
    assert TWELVE in shown.pictures.report
    assert len({epoch for epoch, *_ in shown.jobs.training.loss["value"]["data"]}) == 1
    with pytest.raises(Refused, match="training"):
        reload().call("start_training", *recipe_values(3))
    going_on.set()
    assert "Done in" in watch(reload()).training.status
    after = reload()
    training = show_session(after).jobs.training
    assert "Done in" in training.status
    assert "After epoch 3" in training.summary
    assert len({epoch for epoch, *_ in training.loss["value"]["data"]}) == 3
    assert [is_picture(each) for each in after.attached.opened.photos] == [True, True]
    assert next(iter(best_classes(after.refresh().shown.answer))) in ("blue", "red")


def is_picture(shown: Any) -> bool:
    return isinstance(shown, dict) and bool(shown.get("url") or shown.get("path"))


# A page that is closed.


def test_a_page_that_is_opened_again_in_time_keeps_its_session(
    visitor: Visitor, session: Session, server: Server, visit: Visit
) -> None:
    sessions, settings = server.rooms.sessions, server.rooms.settings
    sessions.close_page(visitor._session_hash)
    assert sessions.seconds_left(session.ref) <= settings.session_closed_s
    session.presence.touched -= settings.session_closed_s - 60
    sessions.sweep()
    again = visit(token=visitor.token)
    assert again.token == visitor.token
    assert sessions.seconds_left(session.ref) > settings.session_closed_s
    session.presence.touched -= settings.session_closed_s + 60  # open, and idle for no longer than it may be
    sessions.sweep()
    assert TWELVE in show_session(again).pictures.report


def test_one_of_two_pages_that_is_closed_ends_nothing(
    visitor: Visitor, session: Session, server: Server, visit: Visit
) -> None:
    other = visit(token=visitor.token)
    server.rooms.sessions.close_page(visitor._session_hash)
    assert session.presence.open == {other._session_hash}
    session.presence.touched -= server.rooms.settings.session_closed_s + 60
    server.rooms.sessions.sweep()
    assert TWELVE in show_session(other).pictures.report


def test_a_heartbeat_that_ends_closes_the_page_and_to_attach_opens_it(
    visitor: Visitor, session: Session, server: Server
) -> None:
    page = visitor._session_hash
    assert session.presence.open == {page}
    for _ in range(2):
        with httpx.stream("GET", f"{server.url}/gradio_api/heartbeat/{page}", verify=False) as heartbeat:
            beats = heartbeat.iter_text()  # by name: the stream ends with whoever reads it
            assert "ALIVE" in next(beats)
            assert session.presence.open == {page}
        wait_for(lambda: not session.presence.open)
        left = server.rooms.sessions.seconds_left(session.ref)
        assert left <= server.rooms.settings.session_closed_s
        assert visitor.call("attach", visitor.token)[0] == visitor.token
        assert session.presence.open == {page}
        assert server.rooms.sessions.seconds_left(session.ref) > server.rooms.settings.session_closed_s


# A process that is killed.


@pytest.mark.slow
@needs_kill
def test_nothing_of_a_visitor_outlives_a_process_that_is_killed_in_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_zip: MakeZip
) -> None:
    uploads, temporary = tmp_path / "uploads", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    monkeypatch.setenv("TMPDIR", str(temporary))
    archive = make_zip({f"{MARK}{path}": content for path, content in colour_folders().items()})
    with running_app() as (url, process, _):
        visitor = bring_everything(url, archive, tmp_path)
        (left,) = uploads.glob("demo-*")
        assert names_with_mark(left) == {f"{MARK}.png"}  # which nobody has read so far
        process.kill()
        process.wait(60)
        visitor.close()
    assert not files_below(temporary)  # the pictures' file has no name
    assert left.is_dir()
    with running_app() as (url, _, _):
        assert not left.exists()
        assert names_with_mark(tmp_path) == {f"{MARK}.png"}  # the test's own
        again = Visitor(url, token=visitor.token)
        assert again.token != visitor.token
        assert ENGLISH.notice.anew in again.attached.opened.notice
        assert ENGLISH.finetune.gather.no_dataset in show_session(again).pictures.report
        again.bring(archive)
        assert "Done in" in again.train()
        assert f"{MARK}red" in again.refresh().strip
        again.close()


def bring_everything(url: str, archive: Path, folder: Path) -> Visitor:
    """Bring a photograph, pictures, and a file that is not read; train, and be in the next training."""
    photo = folder / f"{MARK}.png"
    photo.write_bytes(encode(noise(3, (320, 240))))
    visitor = Visitor(url)
    visitor.call("choose_photo", visitor.upload(photo))
    visitor.bring(archive)
    visitor.train()
    visitor.download(visitor.call("export_trained")[0])
    visitor.upload(photo)
    visitor.call("start_training", *LAST_STAGE)
    wait_for(lambda: "Epoch " in show_session(visitor).jobs.training.status)
    return visitor


def names_with_mark(folder: Path) -> set[str]:
    return {path.name for path in files_below(folder) if MARK in path.name}


@pytest.fixture
def slow_host(host: WeightsHost) -> WeightsHost:
    """A host that sends a part and then nothing more, and an empty cache."""
    host.resources[path_of(stand_in(host.url, CONTENT))] = Resource(CONTENT, stops_after=100_000)
    return host


FETCH = """
import sys
from pathlib import Path
from demo.models.fetch import fetch_weights
from tests.weights_host import stand_in
print("ready", flush=True)
input()
for progress in fetch_weights(stand_in(sys.argv[1], Path(sys.argv[2]).read_bytes())):
    print(progress.done_bytes, flush=True)
"""


@pytest.mark.slow
@needs_kill
def test_a_download_survives_the_processes_that_are_killed_in_it(slow_host: WeightsHost, tmp_path: Path) -> None:
    spec, content = stand_in(slow_host.url, CONTENT), tmp_path / "content"
    content.write_bytes(CONTENT)
    part = tmp_path / "torch" / "hub" / "checkpoints" / f"{spec.file_name}.part"
    with ExitStack() as running:

        def prepare() -> subprocess.Popen[str]:
            command = [sys.executable, "-c", FETCH, slow_host.url, str(content)]
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            return running.enter_context(subprocess.Popen(command, cwd=PROJECT, text=True, **pipes))

        first, second = prepare(), prepare()
        for each in (first, second):
            assert each.stdout
            assert each.stdout.readline() == "ready\n"
        begin(first)
        wait_for(lambda: part.exists() and part.stat().st_size)
        assert begin(second) > 0  # it waits, and watches the first one's download
        assert len(slow_host.log) == 1
        kill(first)
        assert_begun(spec, part)
        wait_for(lambda: len(slow_host.log) == 2)  # the lock is free, and the second one goes on
        kill(second)
        assert_begun(spec, part)
    slow_host.resources[path_of(spec)].stops_after = None
    for _ in fetch_weights(spec):
        pass
    file = find_weights(spec)
    assert file is not None
    assert file.path.read_bytes() == CONTENT
    assert not part.exists()
    assert all(sent.range.startswith("bytes=") for sent in slow_host.log[1:])  # nothing began anew


def begin(process: subprocess.Popen[str]) -> int:
    """Let a process begin to fetch; return how many bytes it sees at first."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(60)


def assert_begun(spec: BackboneSpec, part: Path) -> None:
    assert not has_weights(spec)
    assert 0 < part.stat().st_size < len(CONTENT)


# What the machine runs out of.


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("demo.data.store.PictureStore.read", OSError(errno.ENOSPC, f"No space left on device: {MARK}")),
        ("demo.data.store.PictureStore.read", MemoryError(MARK)),
        ("demo.tasks.finetune.build_head", MemoryError(MARK)),
        ("demo.visitors.session.Session.adopt", OSError(errno.ENOSPC, f"No space left on device: {MARK}")),
    ],
    ids=["a disk in the pictures", "memory in the pictures", "memory in the head", "a disk in the end"],
)
def test_a_training_that_runs_out_of_something_changes_nothing(
    visitor: Visitor,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    place: str,
    failure: Exception,
) -> None:
    def fail(*_values: Any, **_options: Any) -> Any:
        raise failure

    visitor.train()
    before, results = session.state, session.results
    others = recipe_values(2, crops=1)  # views that are not looked at so far
    with monkeypatch.context() as broken:
        broken.setattr(place, fail)
        visitor.call("start_training", *others)
        watched = watch(visitor)
    status, buttons = Markup(watched.training.status), watched.controls.buttons
    (sentence,) = status.texts
    assert is_own(sentence) or sentence == ENGLISH.unexpected
    assert "failed" in status.values("class")[0]
    assert [buttons.train["interactive"], buttons.stop["interactive"]] == [True, False]
    assert (session.state, session.results) == (before, results)
    assert MARK not in caplog.text
    assert "Done in" in visitor.train(*others)
    assert session.state.head is not before.head


def test_a_disk_that_is_full_keeps_the_pictures_that_were_there(
    visitor: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch, make_zip: MakeZip
) -> None:
    def fail(*_values: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = session.pictures.collection
    others = make_zip({f"a{path}": content for path, content in colour_folders().items()})
    with monkeypatch.context() as broken:
        broken.setattr("demo.data.store.write_at", fail)
        with pytest.raises(Refused) as refused:
            visitor.bring(others)
    assert is_own(str(refused.value))
    assert session.pictures.collection is before
    assert "ared" in visitor.bring(others)
