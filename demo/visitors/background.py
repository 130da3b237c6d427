"""Threads of low priority: long work runs on the cores that predictions leave free."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from demo.system import give_way

_MAX_THREADS = 128  # more than all lines of slow events let through, but for recordings: a frame takes milliseconds

_slow = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="slow", initializer=give_way)


def begin_slowly(function: Callable[[], None]) -> None:
    """Let a function run in a thread of low priority; nobody waits for it here."""
    _slow.submit(function)


def run_slowly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a thread of low priority, and return or raise its result."""
    # The caller's context variables tell gradio that a component made here is an update of one on the page.
    return _slow.submit(copy_context().run, function, *arguments).result()
