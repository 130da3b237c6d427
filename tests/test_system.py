"""A system that lacks what only some have: nothing is assumed to be there."""

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo import system
from demo.data.store import PictureStore
from tests.conftest import PROJECT
from tests.pictures import MakeZip, colour_folders

# Before anything is imported, as on a system that never had them.
BARE = """
import ctypes, os, sys

class Library(ctypes.CDLL):
    def __init__(self, name, *values, **options):
        if name is None:  # as on Windows
            raise TypeError("argument of type 'NoneType' is not iterable")
        super().__init__(name, *values, **options)

ctypes.CDLL = Library
for name in ("pread", "pwrite", "sched_getaffinity", "setpriority", "geteuid"):
    if hasattr(os, name):
        delattr(os, name)
if sys.version_info >= (3, 13):
    os.process_cpu_count = os.cpu_count  # Python's own asks for sched_getaffinity
sys.modules["resource"] = None
"""

VISIT = """
from pathlib import Path
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.visitors.rooms import Rooms
from demo.ui.page import build_page
from demo.ui.server.launch import launch
from tests.visitor import Visitor, recipe_values

if __name__ == "__main__":
    rooms = Rooms.of(Settings(backbone=EMBEDDED))
    page = build_page(rooms)
    visitor = Visitor(launch(page, rooms, wait=False, quiet=True).rstrip("/"))
    visitor.bring(Path(sys.argv[1]))
    print(visitor.train(*recipe_values(epochs=25)))
    visitor.call("choose_photo", visitor.upload(Path(sys.argv[2])))
    print(visitor.refresh().shown.inside)
    visitor.close()
    rooms.arrival.over.wait(60)
"""


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what only some systems have."""
    for name in ("pread", "pwrite", "sched_getaffinity", "setpriority", "geteuid"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setitem(sys.modules, "resource", None)

    def refuse(_name: str | None) -> None:
        raise TypeError("argument of type 'NoneType' is not iterable")

    monkeypatch.setattr(ctypes, "CDLL", refuse)


@pytest.mark.usefixtures("bare")
def test_without_them_nothing_happens() -> None:
    system.give_way()
    system.allow_open_files(1)
    system.limit_process(max_bytes=1, max_cpu_s=1)
    system.keep_memory_together()
    system.give_back_free_memory()
    assert system.num_cores() == os.cpu_count()
    assert system.is_own(PROJECT)
    assert system.user_name() == ""


@pytest.mark.parametrize(("limit", "left"), [("max", 8_000_000), ("6000000", 3_500_000), (None, 8_000_000)])
def test_free_memory_is_what_machine_and_container_leave(limit: str | None, left: int, tmp_path: Path) -> None:
    group = tmp_path / "groups" / "service"
    (tmp_path / "proc" / "self").mkdir(parents=True)
    group.mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   7813 kB\n")
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/service\n")
    if limit is not None:
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text("3000000\n")
        (group / "memory.stat").write_text("anon 1\ninactive_file 500000\n")
    found = system.free_memory_bytes(tmp_path / "proc", tmp_path / "groups")
    assert found is not None
    assert found == pytest.approx(left, rel=1e-3)
    assert system.free_memory_bytes(tmp_path / "nowhere", tmp_path / "groups") is None


@pytest.mark.parametrize(
    ("inner", "outer", "granted"),
    [
        ("200000 100000", None, 2),
        ("50000 100000", "max 100000", 1),
        ("400000 100000", "150000 100000", 2),
        ("max 100000", None, None),
        (None, None, None),
    ],
)
def test_the_cores_of_a_container_are_those_that_it_grants(
    inner: str | None, outer: str | None, granted: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "groups" / "slice" / "service"
    (tmp_path / "proc" / "self").mkdir(parents=True)
    group.mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/slice/service\n")
    for folder, limit in ((group, inner), (group.parent, outer)):
        if limit is not None:
            (folder / "cpu.max").write_text(f"{limit}\n")
    assert system.count_granted_cores(tmp_path / "proc", tmp_path / "groups") == granted
    own = os.cpu_count() or 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(own), raising=False)
    monkeypatch.setattr(system, "count_granted_cores", lambda: granted)
    assert system.num_cores() == min(own, granted or own)


def test_a_port_on_which_somebody_listens_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert system.try_port("127.0.0.1", server.getsockname()[1]) is not None
    assert system.try_port("127.0.0.1", 0) is None


@pytest.mark.parametrize("is_bare", [False, True])
def test_many_threads_read_each_its_own_picture_while_more_are_added(
    is_bare: bool, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seek_slowly(*values: int) -> int:
        position = seek(*values)
        time.sleep(1e-4)  # others get their turn between a seek and what it was for
        return position

    seek = os.lseek
    if is_bare:
        request.getfixturevalue("bare")
        monkeypatch.setattr(os, "lseek", seek_slowly)
    store, start = PictureStore(), threading.Barrier(8, timeout=120)
    pictures = {number: bytes([number]) * (1000 + number) for number in range(200)}
    stored = {number: store.add(pictures[number]) for number in range(100)}

    def read(first: int) -> bool:
        start.wait()
        return all(stored[number].read() == pictures[number] for number in [*range(first, 100), *range(first)])

    def add() -> bool:
        start.wait()
        return all(store.add(pictures[number]).read() == pictures[number] for number in range(100, 200))

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(read, 10 * first) for first in range(7)] + [pool.submit(add)]
        assert all(each.result() for each in results)


@pytest.mark.slow
def test_the_page_opens_trains_and_predicts_without_them(make_zip: MakeZip, tmp_path: Path) -> None:
    script, archive, picture = tmp_path / "visit.py", make_zip(colour_folders()), tmp_path / "red.png"
    script.write_text(BARE + VISIT, encoding="utf-8")
    picture.write_bytes(next(iter(colour_folders().values())))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    run = subprocess.run(
        [sys.executable, str(script), str(archive), str(picture)],
        cwd=PROJECT,
        env=environment | {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert run.returncode == 0, run.stderr
    assert "Done in" in run.stdout
    assert "Traceback" not in run.stderr
    assert ">red<" in run.stdout.splitlines()[-1]
