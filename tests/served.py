"""The page, served from this process, and its visitors."""

import gc
import threading
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub.constants
import pytest

from demo.settings import Settings
from demo.ui.page import build_page
from demo.ui.server.launch import launch
from demo.visitors import rooms as rooms_module
from demo.visitors.jobs import Job
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session
from tests.patience import PATIENCE_S
from tests.visitor import Visit, Visitor

__all__ = ["WATCH_EVERY_S", "Server", "held_line", "serve", "session", "visit"]

WATCH_EVERY_S = rooms_module._WATCH_EVERY_S

# gradio's client, which plays the program on another machine here, asks the Hugging Face Hub for news.
huggingface_hub.constants.HF_HUB_OFFLINE = True


class Server(NamedTuple):
    """The page, served from this process."""

    url: str
    rooms: Rooms
    page: Any  # gradio's Blocks


def serve(uploads: Path, settings: Settings) -> Iterator[Server]:
    """Open the page for all tests of this process; uploads lie below a folder."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GRADIO_TEMP_DIR", str(uploads))
        environment.setattr(rooms_module, "_WATCH_EVERY_S", 0.02)  # no test waits for the next look
        rooms = Rooms.of(settings)
        page = build_page(rooms)
        url = launch(page, rooms, wait=False, quiet=True)
        assert rooms.arrival.over.wait(240)  # no test runs while the first networks are loaded and measured
        # What a test drops is collected when it says so: for visitors' sake a sweep may leave it out.
        environment.setattr(gc, "freeze", lambda: None)
        environment.setattr(gc, "unfreeze", lambda: None)
        yield Server(url.rstrip("/"), rooms, page)
        page.close()


@pytest.fixture
def visit(server: Server) -> Iterator[Visit]:
    """Open pages, each like a browser tab of its own, and close them in the end."""
    visitors: list[Visitor] = []

    def open_page(**options: Any) -> Visitor:
        visitors.append(Visitor(server.url, **options))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def session(visitor: Visitor, server: Server) -> Session:
    """What the server holds of the page that a test file calls its `visitor`."""
    return server.rooms.sessions.attach(visitor.token)


@pytest.fixture
def held_line(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Keep all trainings of the page waiting until the event is set; who reads does not wait meanwhile."""
    begun, released = threading.Event(), threading.Event()

    def hold() -> Generator[Any, None, None]:
        begun.set()
        released.wait()
        yield from ()

    monkeypatch.setattr(server.rooms.scheduler, "turn", lambda *_, **__: nullcontext())
    server.rooms.scheduler.submit(Job(hold))
    assert begun.wait(PATIENCE_S)  # what a test before has stopped may not have ended
    yield released
    released.set()
    for job in server.rooms.scheduler.jobs:
        assert job.done.wait(PATIENCE_S)  # no training of this test is left to the next
