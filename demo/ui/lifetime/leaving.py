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
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

logger = logging.getLogger("demo")

_LOOK_S = 0.5  # Windows sees a signal only between two waits
_GOODBYE_S = 8.0
_IN_ALL_S = 15.0  # after which the process ends, whatever still hangs
_CLEAN_UP_S = 3.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
    asked = threading.Event()

    def take(number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            leave(128 + number)  # as a shell tells that a signal has ended a process
        asked.set()

    _listen(take)
    while not asked.wait(_LOOK_S):
        pass
    logger.info("asked to end: nothing new is taken, pages are told, and what runs is ended")
    _begin_timer(_IN_ALL_S, 0)
    with suppress(TimeoutError):
        say_goodbye(_GOODBYE_S)
    close()
    leave(0)


def leave(code: int) -> NoReturn:
    """Do what is registered for the end of the process, which deletes its files, and end it."""
    _begin_timer(_CLEAN_UP_S, code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # whoever read it is gone, or there is none
            stream.flush()
    os._exit(code)


def _listen(take: Callable[[int, FrameType | None], None]) -> None:
    for each in _SIGNALS:
        signal.signal(each, take)


def _begin_timer(seconds: float, code: int) -> None:
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()
