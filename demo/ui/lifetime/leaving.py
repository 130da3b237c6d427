"""How the process ends: in order at the first SIGTERM or Ctrl-C, at once at the second.

It never takes the interpreter apart. Threads still compute in torch's native code then, and where they find no
interpreter any more the C++ runtime aborts the process. What is registered for the end is done, and then it is over.
"""

import atexit
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import FrameType
from typing import NoReturn

logger = logging.getLogger("demo")

_LOOK_S = 0.2
_GOODBYE_S = 8.0
_IN_ALL_S = 15.0  # after which the process ends, whatever still hangs
_CLEAN_UP_S = 3.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

# When the process ends at the latest, and with which code. A signal may come in the middle of anything, with any lock
# held, so what it calls takes none: it starts no thread and sets no event.
_deadlines: list[tuple[float, int]] = []


def end_at_once_if_asked() -> None:
    """Let a signal end the process at once, with nothing left on the disk: nobody has been let in yet."""
    if threading.current_thread() is threading.main_thread():
        _listen(lambda _number, _frame: leave(0))


def stay(say_goodbye: Callable[[float], None], close: Callable[[], None]) -> NoReturn:
    """Stay until a signal comes; then say goodbye, close the server, and leave.

    Args:
        say_goodbye: Does so within some seconds, or raises TimeoutError.
        close: Closes the server.
    """
    asked: list[int] = []

    def take(number: int, _frame: FrameType | None) -> None:
        if asked:
            leave(128 + number)  # as a shell tells that a signal has ended a process
        asked.append(number)

    _listen(take)
    while not asked:
        time.sleep(_LOOK_S)
    logger.info("asked to end: nothing new is taken, pages are told, and what runs is ended")
    _deadlines.append((time.monotonic() + _IN_ALL_S, 0))
    with suppress(TimeoutError):
        say_goodbye(_GOODBYE_S)
    close()
    leave(0)


def leave(code: int) -> NoReturn:
    """Do what is registered for the end of the process, which deletes its files, and end it."""
    _deadlines.append((time.monotonic() + _CLEAN_UP_S, code))
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # Whoever read it is gone, or there is none, or the signal came in the middle of a line.
        with suppress(OSError, ValueError, AttributeError, RuntimeError):
            stream.flush()
    os._exit(code)


def _listen(take: Callable[[int, FrameType | None], None]) -> None:
    _watch()
    for each in _SIGNALS:
        signal.signal(each, take)


@cache
def _watch() -> None:
    threading.Thread(target=_end_late, name="deadline", daemon=True).start()


def _end_late() -> None:
    """End the process at its deadline, once it has one."""
    while True:
        time.sleep(_LOOK_S)
        for until, code in list(_deadlines):
            if time.monotonic() > until:
                os._exit(code)
