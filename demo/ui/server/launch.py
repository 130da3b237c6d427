"""The launch of gradio's server: with the gate in front of it, and a regular sweep of expired data."""

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from demo.data.samples import EXAMPLES
from demo.errors import SettingWrong, log_unexpected
from demo.logs import take_over
from demo.models.cache import give_back_memory
from demo.models.weights import usable_backbone
from demo.settings import Settings
from demo.system import allow_open_files, keep_memory_together
from demo.ui.answer import draw_opening
from demo.ui.api.agents import PATH as AGENTS_PATH
from demo.ui.api.agents import Agents, welcomes_agents
from demo.ui.api.door import Door
from demo.ui.api.openapi import openapi_route
from demo.ui.api_panel import make_api_panels
from demo.ui.door.front import FrontDoor
from demo.ui.events.failures import answer_failures
from demo.ui.events.streams import Streams
from demo.ui.papers.documents import make_papers
from demo.ui.papers.links import send_code
from demo.ui.parts import examples
from demo.ui.parts.glossary import glossary_script
from demo.ui.parts.style import css, first_css, theme
from demo.ui.server.assets import Assets, Shelf
from demo.ui.server.document import Document
from demo.ui.server.gate import Gate
from demo.ui.server.internals import (
    API_PREFIX,
    check_internals,
    clear_file_lists,
    exchange_queue,
    get_upload_folder,
    hold_states,
    let_rest,
    queue_of,
    quieten_errors,
)
from demo.ui.server.queue import FairQueue, Rest
from demo.ui.server.scripts import scripts, shrinker_script
from demo.ui.server.uploads import Uploads, sweep
from demo.ui.server.visits import Visits
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH

SWEEP_EVERY_S = 10.0
_WORTH_GIVING_BACK_S = 0.5  # seconds of computing after which there is memory to give back; to do so takes 0.1 s
_MAX_WAITING = 200  # waiting events of all visitors together
_MAX_THREADS = 200  # handlers that compute and handlers that watch a training, together
_MIN_FILES = 16_384  # open files: every file of a form is one, and so is every page


def launch(page: gr.Blocks, rooms: Rooms, *, wait: bool = True, **options: Any) -> str:
    """Open the page, then load the default network in the background.

    Args:
        page: Page from `build_page`.
        rooms: The rooms that it was built with.
        wait: Whether to stay until the process is interrupted.
        options: Further options of gradio's `launch`: server_port, quiet, ...

    Returns:
        The local address of the page.

    Raises:
        GradioDiffers: If the installed gradio lacks private names, or has new ones.
        SettingWrong: If no port is free.
        NoShareLink, MetricsMissing: If what the settings ask for cannot be had.
    """
    check_internals()
    _prepare_process()
    page.max_threads = _MAX_THREADS
    page.queue(max_size=_MAX_WAITING, api_open=False)
    let_rest(Rest)
    exchange_queue(page, FairQueue)
    answer_failures(page)
    visits = Visits(page, capacity=2 * rooms.settings.max_sessions)
    assets = Assets(page, glossary_script(), shrinker_script())
    queue: Any = queue_of(page)
    front = FrontDoor(rooms, queue.count_lines)
    document = Document(scripts(rooms.settings, assets.shrinker) + front.script, first_css(), assets.links)
    uploads = Uploads(rooms.settings)
    own = _launch_options(rooms.settings, document, assets, uploads, Door(page), front)
    own["app_kwargs"] |= {"lifespan": hold_states(page, visits)}
    own["app_kwargs"]["middleware"].append(Middleware(Streams, page=page))
    _tell_programs(page, rooms, uploads, own["app_kwargs"])
    with _one_sentence_for_ports():
        _, url, _ = page.launch(**own | options)
    take_over("uvicorn", "uvicorn.access")
    _drop_what_no_browser_reads(page)
    front.announce(str(url), page.server_port)
    _announce_agents(rooms, url, is_quiet=bool(options.get("quiet")))

    def forget_pages(session: Session) -> None:
        for each in session.presence.open | session.presence.closed:
            visits.forget(each)

    rooms.sessions.when_over = forget_pages
    _start(_sweep_for_ever, page, rooms, visits)
    _start(_warm_up, rooms, document, front.is_warm)
    if wait:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it so wants no less cleaned up
        page.block_thread()
    return str(url)


def _prepare_process() -> None:
    allow_open_files(_MIN_FILES)
    keep_memory_together()
    _collect_only_what_is_new()
    quieten_errors(log_unexpected)


def _launch_options(
    settings: Settings, document: Document, assets: Assets, uploads: Uploads, door: Door, front: FrontDoor
) -> dict[str, Any]:
    """Return what gradio is told at launch; `app_kwargs` hold the gate, and our own doors for files before gradio's."""
    os.environ["GRADIO_DEBUG"] = "0"  # with 1 gradio would wait within its launch, before anything is swept up
    return {
        **front.prepare(),
        "prevent_thread_lock": True,
        "theme": theme(),
        "css": css(),
        "max_threads": _MAX_THREADS,
        "max_file_size": settings.max_upload_bytes,
        "footer_links": [],  # gradio's own panel about the API is in English alone, and empty on the Chinese page
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "mcp_server": False,  # gradio's own keeps pictures outside the folder that is swept
        "app_kwargs": {
            # Documents are compressed after the gate has rewritten them; streams of events are not, nor is what gradio
            # has compressed.
            "middleware": [
                *front.middleware,
                Middleware(Shelf, files=assets.files | make_papers(settings.entrance.frames) | make_api_panels()),
                Middleware(GZipMiddleware, compresslevel=6),
                Middleware(Gate, settings=settings, document=document, read_call=door.read),
            ],
            "routes": [
                *front.routes,
                Route(f"{API_PREFIX}/upload", uploads.receive, methods=["POST"]),
                Route(examples.PATH, examples.send_example),
                Route("/qr.svg", send_code),
            ],
        },
    }


def _announce_agents(rooms: Rooms, url: str, *, is_quiet: bool) -> None:
    """Say beside gradio's own lines where agents find their tools."""
    if welcomes_agents() and not is_quiet:
        print(f"* {rooms.words.api.agents.format(address=url.rstrip('/') + AGENTS_PATH)}")


def _tell_programs(page: gr.Blocks, rooms: Rooms, uploads: Uploads, app_kwargs: dict[str, Any]) -> None:
    """Open what tells of the API, and the tools for agents where they are welcome.

    What the API takes and gives is kept out of the documents, 6 kB of each: programs ask for it, and no page does.
    """
    app_kwargs["routes"].append(openapi_route(rooms.words))
    if welcomes_agents():
        agents = Agents(rooms, uploads)
        app_kwargs["routes"].append(agents.route)
        app_kwargs["lifespan"] = agents.with_lifespan(app_kwargs["lifespan"])
    told = page.get_api_info()
    nothing: dict[str, Any] = {"named_endpoints": {}, "unnamed_endpoints": {}}
    page.get_api_info = lambda all_endpoints=False, page=None: told if page is None else nothing  # noqa: ARG005


def _drop_what_no_browser_reads(page: gr.Blocks) -> None:
    """Take off components what none of gradio's scripts reads, an eighth of each document.

    That is what is told to programs, the ids of classes that are not gradio's own, and what is Python's.
    """
    for component in page.config["components"]:
        for name in ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs", "component_class_id"):
            component.pop(name, None)
        for name in ("delete_callback", "preserved_by_key"):
            component["props"].pop(name, None)


@contextmanager
def _one_sentence_for_ports() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if "empty port" not in str(error):
            raise
        port = os.environ.get("GRADIO_SERVER_PORT", "7860")
        raise SettingWrong(variable="GRADIO_SERVER_PORT", value=port, possible="a port that is free here") from error


def _start(work: Any, *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name=work.__name__.strip("_"), daemon=True).start()


def _sweep_for_ever(page: gr.Blocks, rooms: Rooms, visits: Visits) -> None:
    folder, given_back_s = Path(get_upload_folder()), 0.0
    while True:
        time.sleep(SWEEP_EVERY_S)
        try:
            sweep_up(page, rooms, visits, folder)
            if time.process_time() - given_back_s > _WORTH_GIVING_BACK_S:
                give_back_memory()  # decoded pictures leave holes in memory, and streams are in reference cycles
                given_back_s = time.process_time()
        except Exception as error:  # the next sweep may succeed
            log_unexpected(error, "a sweep")


def sweep_up(page: gr.Blocks, rooms: Rooms, visits: Visits, folder: Path) -> None:
    """End expired sessions, and drop files and states that are no longer needed."""
    settings = rooms.settings
    rooms.sessions.sweep()
    sweep(folder, settings.unread_upload_s)
    visits.sweep(closed_s=settings.session_closed_s, idle_s=settings.session_idle_s)
    clear_file_lists(page)


def _warm_up(rooms: Rooms, document: Document, is_warm: threading.Event) -> None:
    """Show a network the examples, so that the first visitors need not wait; then fetch the preferred one."""
    with rooms.backbones.lend(usable_backbone(rooms.settings.backbone)) as backbone:
        first = rooms.exhibits.see(backbone, EXAMPLES[0], rooms.settings)
        document.examples = {words.language: draw_opening(words, first) for words in (ENGLISH, CHINESE)}
        is_warm.set()
        for example in EXAMPLES[1:]:
            rooms.exhibits.see(backbone, example, rooms.settings)
    rooms.arrival.run()


def _collect_only_what_is_new() -> None:
    """Exclude the half million objects of all imports, which stay for ever, from garbage collection.

    A collection then takes milliseconds instead of a fifth of a second, in which no one is answered.
    """
    gc.collect()
    gc.freeze()
