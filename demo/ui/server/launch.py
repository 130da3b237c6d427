"""The launch of gradio's server: with the gate in front of it, and all that makes it ours."""

import logging
import os
from functools import partial
from typing import Any, cast

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from demo.errors import log_unexpected
from demo.logs import take_over
from demo.system import allow_open_files, keep_memory_together
from demo.ui.api.agents import PATH as AGENTS_PATH
from demo.ui.api.agents import Agents, welcomes_agents
from demo.ui.api.door import Door
from demo.ui.api.openapi import openapi_route
from demo.ui.api_panel import make_api_panels
from demo.ui.door.front import FrontDoor
from demo.ui.events.failures import answer_failures
from demo.ui.events.streams import Streams
from demo.ui.events.threads import is_light
from demo.ui.lifetime.farewell import Farewell, Guard
from demo.ui.lifetime.leaving import stay
from demo.ui.lifetime.place import one_sentence_for_ports
from demo.ui.lifetime.upkeep import keep_up
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
    call_at_once,
    check_internals,
    exchange_queue,
    hold_states,
    let_rest,
    queue_of,
    quieten_errors,
)
from demo.ui.server.queue import FairQueue, Rest
from demo.ui.server.scripts import later_script, scripts, shrinker_script
from demo.ui.server.uploads import Uploads
from demo.ui.server.visits import Visits
from demo.ui.survival.route import keepsake_route
from demo.visitors.rooms import Rooms

_MAX_WAITING = 250  # waiting events of all visitors together; one network, such as a school, may have 200 of them
_TELL_PLACES_S = 1.0  # after which all who wait are told their places again; by itself gradio does so at each start
_MAX_THREADS = 200  # handlers that compute and handlers that watch a training, together
_CUT_AFTER_S = 2  # seconds, at the end, for a download that is on its way
_MIN_FILES = 65_536  # open files: every file of a form is one, and so is every page


def launch(page: gr.Blocks, rooms: Rooms, *, wait: bool = True, **options: Any) -> str:
    """Open the page, then load torch and the default network in the background.

    Args:
        page: Page from `build_page`.
        rooms: The rooms that it was built with.
        wait: Whether to stay until the process is asked to end, and to end it then.
        options: Further options of gradio's `launch`: server_port, quiet, ...

    Returns:
        The local address of the page.

    Raises:
        GradioDiffers: If the installed gradio lacks private names, or has new ones.
        PortTaken: If no port is free.
        NoShareLink, MetricsMissing: If what the settings ask for cannot be had.
    """
    check_internals()
    _prepare_process()
    queue, uploads = _make_fair(page), Uploads(rooms.settings)
    visits = Visits(page, 2 * rooms.settings.max_sessions, rooms.sessions.token_of)
    front, farewell = FrontDoor(rooms, queue.count_lines), Farewell(rooms, queue, uploads)
    document, own = _launch_options(page, rooms, uploads, front, farewell)
    own["app_kwargs"] |= {"lifespan": hold_states(page, visits)}
    _tell_programs(page, rooms, uploads, own["app_kwargs"])
    with one_sentence_for_ports(rooms.settings.entrance):
        _, url, _ = page.launch(**own | options)
    take_over("uvicorn", "uvicorn.access")
    _drop_what_no_browser_reads(page)
    front.announce(str(url), page.server_port)
    _announce_agents(rooms, url, is_quiet=bool(options.get("quiet")))
    keep_up(page, rooms, visits, document)
    if wait:
        stay(farewell.say, partial(_close, page))
    return str(url)


def _prepare_process() -> None:
    allow_open_files(_MIN_FILES)
    keep_memory_together()
    quieten_errors(log_unexpected)


def _make_fair(page: gr.Blocks) -> FairQueue:
    """Give a page the queue that takes turns between visitors, and a sentence for each event that fails."""
    page.max_threads = _MAX_THREADS
    page.queue(max_size=_MAX_WAITING, api_open=False, status_update_rate=_TELL_PLACES_S)
    let_rest(Rest)
    exchange_queue(page, FairQueue)
    answer_failures(page)
    call_at_once(is_light)
    queue: Any = queue_of(page)
    return cast(FairQueue, queue)


def _close(page: gr.Blocks) -> None:
    """Close the server; streams and downloads that have not ended are cut after a while."""
    page.server.config.timeout_graceful_shutdown = _CUT_AFTER_S
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would log a traceback for each that is cut
    page.close(verbose=False)


def _launch_options(
    page: gr.Blocks, rooms: Rooms, uploads: Uploads, front: FrontDoor, farewell: Farewell
) -> tuple[Document, dict[str, Any]]:
    """Return the document, and what gradio is told at launch.

    Its `app_kwargs` hold all that stands before gradio: the goodbye, the front door and the gate, and our own routes.
    """
    settings, door = rooms.settings, Door(page)
    assets = Assets(page, glossary_script() + later_script(settings), shrinker_script())
    document = Document(scripts(settings, assets.shrinker) + front.script, first_css(), assets.links)
    os.environ["GRADIO_DEBUG"] = "0"  # with 1 gradio would wait within its launch, before anything is swept up
    return document, {
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
                Middleware(Guard, farewell=farewell),
                Middleware(Shelf, files=assets.files | make_papers(settings.entrance.frames) | make_api_panels()),
                Middleware(GZipMiddleware, compresslevel=6),
                Middleware(Gate, settings=settings, document=document, read_call=door.read),
                Middleware(Streams, page=page),
            ],
            "routes": [
                keepsake_route(rooms),
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
