"""What happens to a machine: the page is killed, its clock jumps, its disk fills up, lines are cut, it is told to end.

    python -m tests.gauntlet chaos

Each is done to a page in a process of its own.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx

from demo.words.language import ENGLISH
from tests.benchmarks.abuse import (
    Rows,
    Slow,
    crowd_row,
    cut_by_client,
    log_row,
    verdict,
    wait_for,
    watched_app,
)
from tests.conftest import PROJECT
from tests.opened import command, environment, free_port
from tests.pictures import encode, files_below, noise
from tests.ui.server.test_gate import FILE_PART, FORM
from tests.visitor import Refused, Visitor, recipe_values

STARTS_S, ENDS_S = 300.0, 20.0
SLEPT_S = 7200
SWEPT_S = 12.0  # in which every sweep of the page has passed
EPOCHS = 100


class Page(NamedTuple):
    """The page in a process of its own: its address, the process, what it has said, and its folder for files."""

    url: str
    process: "subprocess.Popen[str]"
    said: list[str]
    uploads: Path

    def count_unexpected(self) -> int:
        """Return how many errors of its own it has logged."""
        return sum("unexpected" in line or "Traceback" in line for line in self.said)


@contextmanager
def opened(folder: Path, port: int, *before: str) -> Iterator[Page]:
    """Open the page on a port; `before` starts it instead of `python -m demo serve`."""
    options = ("--port", str(port))
    process = subprocess.Popen(
        [*before, *options] if before else command(*options),
        cwd=PROJECT,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    page = Page(f"http://127.0.0.1:{port}", process, said, folder)
    try:
        wait_for(lambda: _answers(page.url) or process.poll() is not None, STARTS_S)
        assert process.poll() is None, said
        yield page
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        reader.join(30)


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url, timeout=5.0, trust_env=False).is_success
    return False


def begin_training(page: Page) -> Visitor:
    """Bring a visitor's pictures, and begin a training that takes a while; return when its first epoch has ended."""
    visitor = Visitor(page.url)
    visitor.call("choose_starter")
    visitor.call("start_training", *recipe_values(EPOCHS, trains="everything", batch_size=8))
    wait_for(lambda: "Epoch " in str(visitor.call("show_session")), 120)
    return visitor


def kill_and_restart() -> Rows:
    """Kill the page in a training, and open it anew in the same place."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        with opened(folder, port) as page:
            visitor = begin_training(page)
            left = {*files_below(folder)}
            page.process.send_signal(signal.SIGKILL)
            page.process.wait(30)
        with opened(folder, port) as page:
            wait_for(lambda: not left & {*files_below(folder)}, SWEPT_S)
            again = Visitor(page.url, token=visitor.token)
            is_told = again.token != visitor.token and ENGLISH.notice.anew in again.attached.opened.notice
            stale, wrong = left & {*files_below(folder)}, page.count_unexpected()
            again.call("choose_starter")
            is_trained = "Done in" in again.train(*recipe_values(1))
    holds = is_told and is_trained and not stale and not wrong
    measured = f"{verdict(holds)}: told {is_told}, trains again {is_trained}, {len(stale)} files, {wrong} lines"
    return [("kill -9 in a training, and a restart", "told so, works, no files, no errors in the log", measured)]


def clock() -> Rows:
    """Let two hours pass at once, as a laptop does that wakes up."""
    with tempfile.TemporaryDirectory() as name:
        jump = Path(name, "ahead")
        starter = (sys.executable, "-m", "tests.gauntlet.clocked", str(jump))
        with opened(Path(name, "uploads"), free_port(), *starter) as page:
            visitor, photo = Visitor(page.url), Path(name, "photo.png")
            photo.write_bytes(encode(noise(1, (320, 240))))
            sent = visitor.upload(photo)
            jump.write_text(str(SLEPT_S), encoding="ascii")
            time.sleep(SWEPT_S)
            said = try_call(visitor.refresh)
            read = try_call(partial(visitor.call, "choose_photo", sent))
            holds = not said and not read and not page.count_unexpected()
    measured = f"{verdict(holds)}: the session {said or 'goes on'}; an unread upload {read or 'is there'}"
    return [(f"the clock jumps by {SLEPT_S // 3600} hours", "the session goes on, nothing is lost", measured)]


def try_call(call: Callable[[], object]) -> str:
    """Call something; return with what sentence it was refused, empty if it was not."""
    try:
        call()
    except Refused as refused:
        return str(refused)
    except httpx.HTTPStatusError as error:
        return error.response.text if error.response.is_client_error else f"{error.response.status_code}"
    return ""


def disk() -> Rows:
    """Let no byte more be written to any file, and then again."""
    with tempfile.TemporaryDirectory() as name, opened(Path(name, "uploads"), free_port()) as page:
        visitor, photo = Visitor(page.url), Path(name, "photo.png")
        photo.write_bytes(encode(noise(1, (320, 240))))
        resource.prlimit(page.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        upload = visitor._http.post("/upload", files={"files": ("a.png", photo.read_bytes())})
        starter = try_call(partial(visitor.call, "choose_starter"))
        seen = try_call(visitor.refresh)
        resource.prlimit(page.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        after = try_call(lambda: visitor.call("choose_photo", visitor.upload(photo)))
        wrong = page.count_unexpected()
    holds = upload.status_code == 507 and ENGLISH.unexpected not in starter and not seen and not after and not wrong
    measured = f"{verdict(holds)}: {upload.status_code}, {starter or 'taken'}, {seen or 'shown'}, {wrong} lines"
    return [
        ("no room on the disk", "sentences, all else goes on, room again is used", f"{measured}; {after or 'well'}")
    ]


def cuts() -> Rows:
    """Cut uploads, and streams of events, in their midst."""
    with watched_app() as app:
        rows = [
            crowd_row(app, "uploads cut by the client", partial(cut_by_client, app)),
            crowd_row(app, "streams cut by the client", partial(cut_streams, app.url)),
        ]
        return [*rows, log_row(app)]


def cut_streams(url: str) -> str:
    """Begin events of fifty pages and hang up; say whether another page is answered then."""
    for _ in range(50):
        visitor = Visitor(url)
        event = {"data": [None], "fn_index": visitor._find("refresh", 0), "session_hash": visitor._session_hash}
        visitor._http.post("/queue/join", json=event).raise_for_status()
        with visitor._http.stream("GET", "/queue/data", params={"session_hash": visitor._session_hash}):
            pass
        visitor.close()
    other = Visitor(url)
    said = try_call(other.refresh)
    other.close()
    return f"FAILS: {said}" if said else "others are answered"


def goodbye() -> Rows:
    """Tell the page to end, in a training and an upload."""
    with tempfile.TemporaryDirectory() as name, opened(Path(name), free_port()) as page:
        visitor = begin_training(page)
        upload = Slow(page.url, "/upload", FORM["Content-Type"], FILE_PART + bytes(300_000), 1_000_000)
        start = time.monotonic()
        page.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            page.process.wait(3 * ENDS_S)
        seconds, code = time.monotonic() - start, page.process.poll()
        upload.close()
        visitor.close()
        left = [path.name for path in files_below(Path(name))]
        wrong = page.count_unexpected()
    holds = code == 0 and seconds < ENDS_S and not left and not wrong
    measured = f"{verdict(holds)}: exit {code} after {seconds:.1f} s, {len(left)} files {left[:3]}, {wrong} lines"
    return [("SIGTERM in a training and an upload", f"exit 0 within {ENDS_S:.0f} s, no files, no errors", measured)]


CHAOS: Sequence[Callable[[], Rows]] = (kill_and_restart, clock, disk, cuts, goodbye)


def measure() -> Rows:
    """Do all of it, one after the other."""
    assert os.name == "posix", "signals and limits of a process are Unix's"
    return [row for each in CHAOS for row in each()]
