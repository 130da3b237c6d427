"""Every private name of gradio that the page relies on, what it buys, and whether the installed gradio has it.

    python -m demo.ui.server.internals

prints the list. gradio promises nothing about these names; where one is missing the start ends with a sentence.
"""

from __future__ import annotations  # annotations may name values that this gradio lacks

import asyncio
import dis
import inspect
import os
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

import anyio
import gradio as gr
import uvicorn
from starlette.concurrency import run_in_threadpool

from demo.ui.server.assets import READ_BY_SCRIPTS, STYLED, is_in_the_page
from demo.ui.server.errors import GradioDiffers

_not_found: ImportError | None = None
try:
    import fastapi.dependencies.utils
    import gradio.blocks
    import gradio.http_server
    import gradio.queueing
    from gradio.component_meta import ComponentMeta
    from gradio.data_classes import ImageData
    from gradio.networking import setup_tunnel
    from gradio.processing_utils import save_bytes_to_cache
    from gradio.queueing import Event, ProcessCompletedMessage, Queue
    from gradio.route_utils import API_PREFIX, GradioMultiPartParser, MultiPartException
    from gradio.routes import file_upload_statuses
    from gradio.state_holder import SessionState, StateHolder
    from gradio.utils import get_upload_folder
    from gradio_client.utils import strip_invalid_filename_characters
except ImportError as error:  # `check_internals` at the end names what is missing
    _not_found = error

__all__ = [
    "API_PREFIX",
    "ComponentMeta",
    "Event",
    "GradioMultiPartParser",
    "ImageData",
    "MultiPartException",
    "ProcessCompletedMessage",
    "Queue",
    "SessionState",
    "StateHolder",
    "file_upload_statuses",
    "get_upload_folder",
    "save_bytes_to_cache",
    "setup_tunnel",
    "strip_invalid_filename_characters",
]

TRIED = "6.31.0"  # the gradio with which all of this was tried
_NEVER = 10**9

# The names by what they buy: module:name, or module:class.attribute attribute ...
_PRIVATE = {
    "turns between visitors, and refusals in the visitor's language": [
        "gradio.blocks:Blocks._queue",
        "gradio.queueing:Queue.get_events push event_queue_per_concurrency_id active_jobs process_time_per_fn",
        "gradio.queueing:Queue.live_updates max_thread_count update_intervals max_size blocks",
        "gradio.queueing:EventQueue.queue concurrency_id",
        "gradio.queueing:Event.session_hash request concurrency_id alive",
        "gradio.queueing:ProcessTime.avg_time",
    ],
    "a last sentence at the end": ["gradio.queueing:Queue.send_message", "gradio.queueing:ProcessCompletedMessage"],
    "a third of a megabyte and 25 ms less for each visit, and that visitors are forgotten": [
        "gradio.routes:App.state_holder",
        "gradio.blocks:Blocks.default_config",
        "gradio.state_holder:StateHolder.session_data set_blocks update delete_all_expired_state",
        "gradio.state_holder:SessionState.blocks_config state_data is_closed _update_config _update_value_in_config",
        "gradio.queueing:Queue.pending_messages_per_session pending_event_ids_session",
    ],
    "a queue that costs nothing while no event comes": [
        "gradio.queueing:asyncio",
        "gradio.queueing:Queue.start_processing process_events sleep_when_free progress_update_sleep_when_free",
    ],
    "no thread for what takes microseconds": [
        "gradio.blocks:anyio",
        "gradio.queueing:run_sync",
        "fastapi.dependencies.utils:run_in_threadpool",
    ],
    "no names and values of visitors in the log": ["gradio.queueing:traceback"],
    "a sentence for every event that fails, and for what is over": [
        "gradio.blocks:Blocks.preprocess_data process_api",
        "gradio.queueing:Queue.event_ids_to_events",
    ],
    "no statistics after each event": ["gradio.queueing:Queue.ANAYLTICS_CACHE_FREQUENCY ANALYTICS_MAX_EVENTS"],
    "memory: lists of files that grow for ever": ["gradio.blocks:Blocks.temp_file_sets"],
    "uploads that are counted as they come, with gradio's progress bar": [
        "gradio.route_utils:GradioMultiPartParser.parse _files_to_close_on_error",
        "gradio.route_utils:MultiPartException",
        "gradio.routes:file_upload_statuses",
        "gradio_client.utils:strip_invalid_filename_characters",
    ],
    "one folder for all files, which is swept": [
        "gradio.utils:get_upload_folder",
        "gradio.processing_utils:save_bytes_to_cache",
    ],
    "connections that are counted, and other sites that are not answered": ["gradio.http_server:uvicorn"],
    "share links whose page loads nothing from elsewhere": ["gradio.networking:setup_tunnel"],
    "doors that are closed by their addresses": ["gradio.route_utils:API_PREFIX"],
    "pictures that are sent without a file": ["gradio.data_classes:ImageData", "gradio.component_meta:ComponentMeta"],
}
# All members of two classes of gradio; a new one may keep data of visitors.
_KNOWN = {
    "gradio.state_holder:StateHolder": (
        "__init__ __getitem__ __contains__ set_blocks update delete_all_expired_state delete_state "
        "blocks capacity lock session_data state_holder time_last_used"
    ),
    "gradio.state_holder:SessionState": (
        "__init__ __getitem__ __setitem__ __contains__ get components state_components _update_config "
        "_update_value_in_config blocks_config config_values state_data is_closed _state_ttl STATE_TTL_WHEN_CLOSED"
    ),
}


def check_internals() -> None:
    """Check that the installed gradio has every private name, and no new ones in the classes that keep states.

    Raises:
        GradioDiffers: At the first difference.
    """
    for name, buys in _names():
        if not _has(name):
            raise _differs(f"lacks {name} (it buys {buys})")
    for name in _new_names():
        raise _differs(f"has {name}, and nobody knows what it keeps of a visitor")


def print_internals() -> int:
    """Print each private name, what it buys, and whether it is there; return 1 if something is missing or new."""
    found = [(name, buys, _has(name)) for name, buys in _names()]
    found += [(name, buys, is_in_the_page(name)) for name, buys in (STYLED | READ_BY_SCRIPTS).items()]
    print(f"gradio {version('gradio')}, tried with {TRIED}")
    for name, buys, is_there in found:
        print(f"{'there  ' if is_there else 'MISSING'}  {name}: {buys}")
    new = list(_new_names())
    for name in new:
        print(f"NEW      {name}: nobody knows what it keeps of a visitor")
    return int(bool(new) or not all(is_there for *_, is_there in found))


def quieten_errors(log: Callable[[BaseException, str], None]) -> None:
    """Let gradio's queue log errors by `log`; it would print them with the names and values that they hold."""

    def print_exc(*_arguments: Any, **_options: Any) -> None:
        if (error := sys.exc_info()[1]) is not None:
            log(error, "gradio")

    gradio.queueing.traceback = _Instead(traceback, print_exc=print_exc)


def let_rest(kind: type[Any]) -> None:
    """Let the loops of gradio's queues wait by a time's own `wait` where the time is of a kind that has one."""

    async def sleep(seconds: Any) -> None:
        await (seconds.wait() if isinstance(seconds, kind) else asyncio.sleep(seconds))

    gradio.queueing.asyncio = _Instead(asyncio, sleep=sleep)


def call_at_once(is_light: Callable[[Any, tuple[Any, ...]], bool]) -> None:
    """Let what is light be called at once where gradio, and FastAPI for it, would let another thread call it."""

    def unless_light(leave_to_a_thread: Callable[..., Any]) -> Callable[..., Any]:
        async def call(function: Any, *arguments: Any, limiter: Any = None, **values: Any) -> Any:
            if is_light(function, arguments):
                return function(*arguments, **values)
            return await leave_to_a_thread(function, *arguments, **values, **({"limiter": limiter} if limiter else {}))

        return call

    run_sync = unless_light(anyio.to_thread.run_sync)
    gradio.blocks.anyio = _Instead(anyio, to_thread=_Instead(anyio.to_thread, run_sync=run_sync))
    gradio.queueing.run_sync = run_sync
    vars(fastapi.dependencies.utils).update(run_in_threadpool=unless_light(run_in_threadpool))


def serve_with(stand_before: Callable[[Any], Any], **options: Any) -> None:
    """Let gradio serve with uvicorn's own options, and something before its app and what it puts before ours."""
    gradio.http_server.uvicorn = _Instead(
        uvicorn, Config=lambda app, **told: uvicorn.Config(stand_before(app), **told | options)
    )


class _Instead:
    """A module with other values for some of its names."""

    def __init__(self, module: Any, **values: Any) -> None:
        vars(self).update(values, _module=module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def exchange_queue(page: gr.Blocks, kind: type[Queue]) -> None:
    """Replace the queue of a page by another kind, before the page is launched.

    The new queue computes no statistics of events; gradio's does so with pandas after each one, for a monitoring page
    that is not shown here.

    Raises:
        GradioDiffers: If gradio no longer reads these environment variables.
    """
    os.environ |= {"GRADIO_ANALYTICS_CACHE_FREQUENCY": str(_NEVER), "GRADIO_ANALYTICS_MAX_EVENTS": "1"}
    plain = page._queue
    queue = kind(
        live_updates=plain.live_updates,
        concurrency_count=plain.max_thread_count,
        update_intervals=plain.update_intervals,
        max_size=plain.max_size,
        blocks=page,
    )
    if (queue.ANAYLTICS_CACHE_FREQUENCY, queue.ANALYTICS_MAX_EVENTS) != (_NEVER, 1):
        raise _differs("reads no GRADIO_ANALYTICS_CACHE_FREQUENCY (it buys no statistics with pandas after each event)")
    page._queue = queue


def queue_of(page: gr.Blocks) -> Queue:
    """Return the queue of a page."""
    return page._queue


def hold_states(page: gr.Blocks, holder: StateHolder) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return a lifespan for the page's server that replaces gradio's holder of `gr.State`s.

    A lifespan begins before the port opens, so no page can have its states in the other holder.
    """

    @asynccontextmanager
    async def exchange(app: Any) -> AsyncIterator[None]:
        app.state_holder = page.state_holder = holder
        yield

    return exchange


def clear_file_lists(page: gr.Blocks) -> None:
    """Clear gradio's lists of files to delete, which grow for ever; the sweep deletes the files."""
    for names in page.temp_file_sets:
        names.clear()


def close_files(parser: GradioMultiPartParser) -> None:
    """Close the files of a parser, which closes them itself only after errors of its own."""
    for file in parser._files_to_close_on_error:
        file.close()


def _differs(difference: str) -> GradioDiffers:
    return GradioDiffers(version=version("gradio"), difference=difference, tried=TRIED)


def _names() -> Iterator[tuple[str, str]]:
    """Yield each private name, as module:name or module:class.attribute, with what it buys."""
    for buys, entries in _PRIVATE.items():
        for first, *others in map(str.split, entries):
            owner = first.rpartition(".")[0]
            yield from ((name, buys) for name in [first, *(f"{owner}.{each}" for each in others)])


def _new_names() -> Iterator[str]:
    """Yield the members of the classes in _KNOWN that are not listed there."""
    for name, known in _KNOWN.items():
        if _has(name):
            yield from (f"{name}.{each}" for each in sorted(_members(_find(name)) - set(known.split())))


def _find(name: str) -> Any:
    module, _, value = name.partition(":")
    return getattr(import_module(module), value)


def _has(name: str) -> bool:
    """Say whether a module has a value, or a class an attribute, of its own or of its instances."""
    module, _, path = name.partition(":")
    owner, _, attribute = path.partition(".")
    try:
        found = _find(f"{module}:{owner}")
    except (ImportError, AttributeError):
        return False
    return not attribute or hasattr(found, attribute) or attribute in _members(found)


@cache
def _members(kind: type) -> frozenset[str]:
    """Return the methods and properties of a class, and the attributes that its methods set."""
    names: set[str] = set()
    for base in kind.__mro__[:-1]:
        for name, value in vars(base).items():
            if inspect.isfunction(value) or isinstance(value, property):
                names.add(name)
            if inspect.isfunction(value):
                names |= {each.argval for each in dis.get_instructions(value) if each.opname == "STORE_ATTR"}
    return frozenset(names)


if __name__ == "__main__":
    sys.exit(print_internals())
if _not_found is not None:
    check_internals()
    raise _not_found
