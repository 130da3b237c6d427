"""Threads that give way: what takes long runs on whatever the predictions leave of the cores."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any

_NICENESS = 15  # of 19: at the side of a prediction it gets a thirtieth of a core, alone all of it
_MAX_THREADS = 16  # more than all lines of slow events together let through


def give_way() -> None:
    """Let the operating system prefer all other threads to this one, and to those that it starts from now on.

    Linux alone has a priority for each thread; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


_slow = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="slow", initializer=give_way)


def run_slowly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a thread that gives way, and wait for what it returns or raises."""
    # In the caller's context, by which gradio knows that a component that is made here changes one of the page.
    return _slow.submit(copy_context().run, function, *arguments).result()
