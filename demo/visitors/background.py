"""Threads that give way: what takes long runs on whatever the predictions leave of the cores."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from demo.system import give_way

_MAX_THREADS = 16  # more than all lines of slow events let through, but for recordings: a frame takes milliseconds

_slow = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="slow", initializer=give_way)


def run_slowly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a thread that gives way, and wait for what it returns or raises."""
    # In the caller's rooms, by which gradio knows that a component that is made here changes one of the page.
    return _slow.submit(copy_context().run, function, *arguments).result()
