"""The end of a process that serves: in order, within seconds, with nothing left; or at once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.entrance import HEALTH
from demo.ui.server.errors import ServerEnding
from demo.visitors.errors import WorkCutShort
from demo.words.language import ENGLISH
from tests.conftest import PROJECT
from tests.opened import opened
from tests.patience import PATIENCE_S, wait_for
from tests.pictures import MakeZip, colour_folders
from tests.visitor import Visitor, recipe_values

ENDS, CUT = ENGLISH.explain(ServerEnding()), ENGLISH.explain(WorkCutShort())
FORM = {"Content-Type": "multipart/form-data; boundary=cut"}
PART = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'

# A process that computes as a page does, in threads that nobody waits for; it says when it has come so far.
COMPUTES = """
import atexit, signal, sys, threading, time
import torch
from demo.ui.lifetime.leaving import end_at_once_if_asked, stay

computed = threading.Semaphore(0)

def compute():
    while True:
        torch.nn.functional.conv2d(torch.rand(2, 64, 56, 56), torch.rand(64, 64, 3, 3))
        computed.release()

def say_when_it_listens():
    threading.Thread(target=wait_and_say, args=[signal.getsignal(signal.SIGTERM)], daemon=True).start()

def wait_and_say(handler):
    while signal.getsignal(signal.SIGTERM) is handler:
        time.sleep(0.01)
    print("begun", flush=True)

def hang(*_):
    print("hangs", flush=True)
    time.sleep(600)

for _ in range(4):
    threading.Thread(target=compute, daemon=True).start()
for _ in range(4):
    computed.acquire()
atexit.register(print, "cleaned up")
if sys.argv[1] == "sticks":
    atexit.register(hang)
if sys.argv[1] in ("stays", "hangs"):
    end_at_once_if_asked()
    say_when_it_listens()
    stay({"stays": lambda _: None, "hangs": hang}[sys.argv[1]], lambda: print("closed"))
say_when_it_listens()
end_at_once_if_asked()
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process that is sent a signal")
@pytest.mark.parametrize(
    ("how", "signals", "code", "told"),
    [
        ("starts", [signal.SIGTERM], 0, ["cleaned up"]),
        ("sticks", [signal.SIGTERM], 0, ["hangs"]),
        ("stays", [signal.SIGINT], 0, ["closed", "cleaned up"]),
        ("hangs", [signal.SIGTERM, signal.SIGTERM], 128 + signal.SIGTERM, ["cleaned up"]),
    ],
)
def test_a_process_ends_in_order_whatever_computes(
    how: str, signals: list[signal.Signals], code: int, told: list[str]
) -> None:
    command = [sys.executable, "-c", COMPUTES, how]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for each, awaited in zip(signals, ("begun\n", "hangs\n"), strict=False):
            assert process.stdout.readline() == awaited
            process.send_signal(each)
        printed, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, printed.splitlines()) == (code, told)


def begin(work: Callable[[], Any]) -> Callable[[], Any]:
    """Do something in a thread; return what waits for its result."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(PATIENCE_S)
        assert results, "no end within a minute"
        return results[0]

    return result


def upload_slowly(url: str) -> tuple[int, str]:
    def pieces() -> Iterator[bytes]:
        yield PART
        for _ in range(int(PATIENCE_S) * 10):
            yield bytes(20_000)
            time.sleep(0.1)

    answer = httpx.post(f"{url}/gradio_api/upload", headers=FORM, content=pieces(), timeout=PATIENCE_S)
    return answer.status_code, answer.text


def train_by_program(visitor: Visitor, archive: Path) -> str:
    sent = [visitor.upload(archive), "", 100, {"trains": "everything", "batch_size": 4}]
    with httpx.Client(base_url=visitor._http.base_url, timeout=PATIENCE_S) as client:
        event = client.post("call/fine_tune", json={"data": sent}).raise_for_status().json()["event_id"]
        last = client.get(f"call/fine_tune/{event}").text.split("event: ")[-1]
    kind, _, data = last.partition("\ndata: ")
    assert kind == "error", last
    return str(json.loads(data)["error"])


def are_in_line(url: str, **counts: int) -> bool:
    """Say whether so many events or trainings wait and run in each of these lines."""
    lines = httpx.get(url + HEALTH, timeout=PATIENCE_S).json()["lines"]
    return all(sum(lines[name].values()) >= count for name, count in counts.items())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process that is sent a signal")
def test_a_page_in_full_work_ends_within_seconds_and_leaves_nothing(tmp_path: Path, make_zip: MakeZip) -> None:
    archive, large = make_zip(colour_folders(10)), tmp_path / "large.png"
    large.write_bytes(os.urandom(30_000_000))
    uploads = tmp_path / "uploads"
    with opened(uploads) as page:
        visitor = Visitor(page.url)
        heart = begin(lambda: visitor._http.get(f"/heartbeat/{visitor._session_hash}").text)
        visitor.bring(archive)
        visitor.call("start_training", *recipe_values(epochs=100, trains="everything", batch_size=4))
        watching = begin(lambda: visitor.call("watch_training"))
        program = begin(lambda: train_by_program(visitor, archive))
        sending = begin(lambda: upload_slowly(page.url))
        path = visitor.upload(large)["path"]
        with httpx.stream("GET", f"{page.url}/gradio_api/file={path}", timeout=PATIENCE_S) as download:
            assert len(next(download.iter_bytes(1000))) == 1000
            wait_for(lambda: are_in_line(page.url, training=2, light=1))
            began = time.monotonic()
            page.process.send_signal(signal.SIGTERM)
            assert CUT in str(watching())
            assert program() == CUT
            assert sending() == (503, ENDS)
            assert heart().endswith("data: ENDING\n\n")
            assert page.process.wait(PATIENCE_S) == 0
            assert time.monotonic() - began < 20
    assert list(uploads.glob("demo-*")) == []
