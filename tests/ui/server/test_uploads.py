"""Where uploads lie, and when they go."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from demo.data.errors import NoImage
from demo.errors import SettingWrong
from demo.settings import MEGABYTE, Settings
from demo.ui.server.errors import DiskFull, UploadGone
from demo.ui.server.upload_folder import open_folder
from demo.ui.server.uploads import KEPT, keep_file, make_room, sweep, taken_file
from demo.visitors.errors import SessionExpired
from demo.visitors.registry import Sessions
from tests.conftest import PROJECT

HOLD_FOLDER = """
import time
from demo.ui.lifetime.leaving import end_at_once_if_asked
from demo.ui.server.upload_folder import open_folder
end_at_once_if_asked()
print(open_folder(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    yield open_folder()


@pytest.fixture
def upload(folder: Path) -> Path:
    path = folder / ("a" * 32) / "cat.png"
    path.parent.mkdir()
    path.write_bytes(b"cat")
    return path


def test_an_upload_is_gone_once_it_was_read(upload: Path) -> None:
    with taken_file({"path": str(upload), "orig_name": "my cat.png"}, NoImage) as (path, name):
        assert (path.read_bytes(), name) == (b"cat", "my cat.png")
    assert not upload.parent.exists()
    with (
        pytest.raises(UploadGone, match=r"my cat\.png"),
        taken_file({"path": str(upload), "orig_name": "my cat.png"}, NoImage),
    ):
        pass


def test_an_upload_that_is_refused_is_gone_too(upload: Path) -> None:
    with pytest.raises(ValueError, match="no cat"), taken_file({"path": str(upload)}, NoImage):
        raise ValueError("no cat")
    assert not upload.parent.exists()


@pytest.mark.parametrize("payload", [None, {}, {"path": None}, {"path": ""}, {"path": 7}, "text", ["a"], 3])
def test_where_there_is_no_file_one_is_asked_for(payload: object) -> None:
    with pytest.raises(NoImage), taken_file(payload, NoImage):
        pass


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "{folder}", "{folder}/.lock", "{folder}/x/../../y/z", "{folder}/..", "relative/a.png", "\0"]
)
def test_nothing_but_an_upload_can_be_taken_or_deleted(path: str, folder: Path, upload: Path) -> None:
    with pytest.raises(UploadGone), taken_file({"path": path.format(folder=folder)}, NoImage):
        pass
    assert upload.is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="a link needs a right of its own there")
def test_a_link_among_the_uploads_is_no_upload(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / "secret.txt"
    outside.parent.mkdir()
    outside.write_text("secret", encoding="utf-8")
    (folder / "link").symlink_to(outside.parent)
    with pytest.raises(UploadGone), taken_file({"path": str(folder / "link" / "secret.txt")}, NoImage):
        pass
    assert outside.is_file()


def test_what_nobody_reads_is_swept_and_what_is_offered_stays(
    folder: Path, upload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = keep_file(b"head", "head.zip")
    sweep(folder, max_age_s=60)
    assert upload.is_file()
    for path in (upload, upload.parent, offered, offered.parent, folder / KEPT):
        os.utime(path, (0, 0))  # what files say of their age may be wrong
    sweep(folder, max_age_s=60)
    assert upload.is_file()
    (tmp_path / "another page's").mkdir()
    sweep(tmp_path / "another page's", max_age_s=60)  # says nothing of this one's
    # Of this module alone: a served page's own clock would stand still, and all that it waits for.
    monkeypatch.setattr("demo.ui.server.uploads.time", SimpleNamespace(monotonic=lambda: time.monotonic() + 61))
    sweep(folder, max_age_s=60)
    assert not upload.parent.exists()
    assert offered.read_bytes() == b"head"


def bring(folder: Path, number: int, num_bytes: int = 1000) -> Path:
    """Return an upload; the higher its number, the shorter it has been waiting."""
    path = folder / f"{number:032}" / "picture.png"
    path.parent.mkdir()
    path.write_bytes(bytes(num_bytes))
    for each in (path, path.parent):
        os.utime(each, (1e9 + number, 1e9 + number))
    return path


def test_where_too_much_waits_the_longest_waiting_make_room(folder: Path) -> None:
    offered = keep_file(bytes(100_000), "head.zip")
    uploads = [bring(folder, number) for number in range(5)]
    size = sum(each.stat().st_size for each in (uploads[0], uploads[0].parent))
    make_room(folder, max_bytes=5 * size, max_number=5, kept_free=0)
    assert all(each.is_file() for each in uploads)
    make_room(folder, max_bytes=4 * size - 1, max_number=5, kept_free=0)
    assert [each.is_file() for each in uploads] == [False, False, True, True, True]
    make_room(folder, max_bytes=4 * size, max_number=1, kept_free=0)
    assert [each.is_file() for each in uploads] == [False, False, False, False, True]
    assert offered.is_file()


def test_an_upload_that_is_still_coming_in_does_not_make_room(folder: Path) -> None:
    coming, waiting = bring(folder, 1), bring(folder, 2)
    coming.write_bytes(b"more of it")
    make_room(folder, max_bytes=10**9, max_number=1, kept_free=0)
    assert (coming.is_file(), waiting.is_file()) == (True, False)


def test_where_the_disk_is_full_uploads_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = [bring(folder, number, 100_000) for number in range(2)]
    full = shutil.disk_usage(folder)._replace(free=1000 * MEGABYTE - 50_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: full)
    make_room(folder, max_bytes=10**9, max_number=10, kept_free=1000 * MEGABYTE)
    assert [each.is_file() for each in uploads] == [False, True]


@pytest.mark.usefixtures("folder")
def test_a_visitor_is_offered_so_many_files_and_no_more() -> None:
    session = Sessions(Settings()).attach("")
    paths = [session.offers.add(keep_file(b"table", "table.csv")) for _ in range(10)]
    assert [path.is_file() for path in paths] == [False] * 2 + [True] * 8


@pytest.mark.usefixtures("folder")
def test_a_visitor_is_offered_so_many_bytes_and_the_newest_file_in_any_case() -> None:
    session = Sessions(Settings()).attach("")

    def write(path: Path, size: int) -> None:
        with path.open("wb") as file:
            file.truncate(size * MEGABYTE)  # which takes no room on the disk

    paths = [session.offers.add(keep_file(partial(write, size=size), "model.onnx")) for size in (250, 250, 250)]
    assert [path.is_file() for path in paths] == [False, True, True]
    last = session.offers.add(keep_file(partial(write, size=700), "model.onnx"))
    assert [path.is_file() for path in (*paths, last)] == [False, False, False, True]


@pytest.mark.usefixtures("folder")
def test_two_offers_of_the_same_name_lie_apart() -> None:
    assert keep_file(b"same", "head.zip") != keep_file(b"same", "head.zip")


@pytest.mark.usefixtures("folder")
def test_a_full_disk_leaves_nothing_of_an_offer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def write_a_part(path: Path, content: bytes) -> int:
        write(path, content[:2])
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(Path, "write_bytes", write_a_part)
    with pytest.raises(DiskFull):
        keep_file(b"report", "report.html")
    assert not list((folder / KEPT).iterdir())


def test_a_session_that_is_over_offers_nothing(folder: Path, settings: Settings) -> None:
    sessions = Sessions(settings)
    session = sessions.attach("")
    sessions.end(session.ref.token)
    with pytest.raises(SessionExpired):
        session.offers.add(keep_file(b"report", "report.html"))
    assert not list((folder / KEPT).iterdir())


def test_a_second_page_of_a_process_opens_a_folder_beside_the_first(folder: Path) -> None:
    second = open_folder()
    assert second.parent == folder.parent
    assert folder.is_dir()


def test_a_folder_of_somebody_elses_is_left_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    theirs = tmp_path / "gradio"
    monkeypatch.setattr("demo.ui.server.upload_folder.is_own", lambda folder: folder != theirs)
    folder = open_folder()
    assert folder.parent.parent == tmp_path
    assert not list(theirs.iterdir())


def test_a_folder_that_cannot_be_entered_is_left_to_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "gradio").write_bytes(b"in the way")
    assert open_folder().parent.parent == tmp_path


def test_where_no_folder_can_be_made_the_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(in_the_way / "folder"))
    with pytest.raises(SettingWrong, match=r"GRADIO_TEMP_DIR is .* it must be a folder"):
        open_folder()


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Yield a process that holds a folder of its own beside ours, and that folder, with a picture in it."""
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    command = [sys.executable, "-c", HOLD_FOLDER]
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        (held / "picture.png").write_bytes(b"somebody's")
        yield process, held
        process.kill()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_what_a_killed_process_leaves_is_deleted_by_the_next_one(
    other_process: tuple[subprocess.Popen[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, left = other_process
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    open_folder()
    assert left.is_dir()  # its process lives
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    open_folder()
    assert not left.exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Control-C is no signal there")
def test_a_process_that_is_interrupted_deletes_its_folder(other_process: tuple[subprocess.Popen[str], Path]) -> None:
    process, held = other_process
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert not held.exists()
