"""The launch of gradio's server: with the gate in front of it, and a regular sweep of expired data."""

import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Route

from demo.data.samples import EXAMPLES, read_example
from demo.errors import SettingWrong, log_unexpected
from demo.models.cache import give_back_memory
from demo.models.weights import usable_backbone
from demo.settings import Settings
from demo.system import allow_open_files, keep_memory_together
from demo.tasks.activations import capture_stages
from demo.ui.parts.style import css, theme
from demo.ui.privacy import watch_requests
from demo.ui.server.gate import Gate
from demo.ui.server.internals import (
    API_PREFIX,
    check_internals,
    clear_file_lists,
    exchange_queue,
    get_upload_folder,
    hold_states,
    quieten_errors,
)
from demo.ui.server.queue import FairQueue
from demo.ui.server.uploads import Uploads, sweep
from demo.ui.server.visits import Visits
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session

SWEEP_EVERY_S = 10.0
_MAX_WAITING = 200  # waiting events of all visitors together
_MAX_THREADS = 200  # handlers that compute and handlers that watch a training, together
_MIN_FILES = 16_384  # open files: every file of a form is one, and so is every page


def launch(page: gr.Blocks, rooms: Rooms, *, wait: bool = True, **options: Any) -> str:
    """Open the page, then load the default network in the background.

    Args:
        page: Page from `build_page`.
        rooms: The rooms that it was built with.
        wait: Whether to stay until the process is interrupted.
        options: Further options of gradio's `launch`: server_port, share, ...

    Returns:
        The local address of the page.

    Raises:
        GradioDiffers: If the installed gradio lacks private names, or has new ones.
        SettingWrong: If no port is free.
    """
    check_internals()
    allow_open_files(_MIN_FILES)
    keep_memory_together()
    _collect_only_what_is_new()
    quieten_errors(log_unexpected)
    page.max_threads = _MAX_THREADS
    page.queue(max_size=_MAX_WAITING, api_open=False)
    exchange_queue(page, FairQueue)
    visits = Visits(page, capacity=2 * rooms.settings.max_sessions)
    own = _launch_options(rooms.settings, is_shared=_is_shared(options))
    own["app_kwargs"] |= {"lifespan": hold_states(page, visits)}
    with _one_sentence_for_ports():
        _, url, _ = page.launch(**own, **options)

    def forget_pages(session: Session) -> None:
        for each in session.presence.open | session.presence.closed:
            visits.forget(each)

    rooms.sessions.when_over = forget_pages
    _start(_sweep_for_ever, page, rooms, visits)
    _start(_warm_up, rooms)
    if wait:
        page.block_thread()
    return str(url)


def _launch_options(settings: Settings, *, is_shared: bool) -> dict[str, Any]:
    """Return what gradio is told at launch; `app_kwargs` hold the gate, and our own door for files before gradio's."""
    os.environ["GRADIO_DEBUG"] = "0"  # with 1 gradio would wait within its launch, before anything is swept up
    return {
        "prevent_thread_lock": True,
        "theme": theme(),
        "css": css(),
        "head": watch_requests(settings),
        "max_threads": _MAX_THREADS,
        "max_file_size": settings.max_upload_bytes,
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "app_kwargs": {
            "middleware": [Middleware(Gate, settings=settings, is_shared=is_shared)],
            "routes": [Route(f"{API_PREFIX}/upload", Uploads(settings).receive, methods=["POST"])],
        },
    }


@contextmanager
def _one_sentence_for_ports() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if "empty port" not in str(error):
            raise
        port = os.environ.get("GRADIO_SERVER_PORT", "7860")
        raise SettingWrong(variable="GRADIO_SERVER_PORT", value=port, possible="a port that is free here") from error


def _is_shared(options: dict[str, Any]) -> bool:
    return bool(options.get("share")) or os.environ.get("GRADIO_SHARE", "").lower() == "true"


def _start(work: Any, *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name=work.__name__.strip("_"), daemon=True).start()


def _sweep_for_ever(page: gr.Blocks, rooms: Rooms, visits: Visits) -> None:
    folder = Path(get_upload_folder())
    while True:
        time.sleep(SWEEP_EVERY_S)
        try:
            sweep_up(page, rooms, visits, folder)
        except Exception as error:  # the next sweep may succeed
            log_unexpected(error, "a sweep")


def sweep_up(page: gr.Blocks, rooms: Rooms, visits: Visits, folder: Path) -> None:
    """End expired sessions, and drop files and states that are no longer needed."""
    settings = rooms.settings
    rooms.sessions.sweep()
    sweep(folder, settings.unread_upload_s)
    visits.sweep(closed_s=settings.session_closed_s, idle_s=settings.session_idle_s)
    clear_file_lists(page)
    give_back_memory()  # decoded pictures leave holes in memory, and streams are in reference cycles


def _warm_up(rooms: Rooms) -> None:
    """Load a network and run it once, so that the first visitor need not wait; then fetch the preferred one."""
    with rooms.backbones.lend(usable_backbone(rooms.settings.backbone)) as backbone:
        capture_stages(backbone, read_example(EXAMPLES[0], rooms.settings))
    rooms.arrival.run()


def _collect_only_what_is_new() -> None:
    """Exclude the half million objects of all imports, which stay for ever, from garbage collection.

    A collection then takes milliseconds instead of a fifth of a second, in which no one is answered.
    """
    gc.collect()
    gc.freeze()
