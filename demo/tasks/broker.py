"""A process beside the page's that asks for a lent GPU; the processes that get one are forked from it.

They cannot be forked from the page's. After a first gradient torch keeps how many GPUs there were, which is none, and
its engine fails on the GPU of a forked process. This process computes nothing, and its few threads hold no locks.
It is started with the page, and ends when the page does.
"""

import logging
import multiprocessing
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from functools import cache
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from demo.models.hardware import ask_as, find_token
from demo.models.late import import_torch
from demo.tasks.gpu_work import Work, compute

_log = logging.getLogger("demo")

_COMMAND = [sys.executable, "-m", "demo.tasks.broker"]
_WAKE_S = 180.0  # time in which the process has to be there
_KEY_BYTES = 32
_END = None  # what is sent after the last step
_LOOK_S = 1.0  # time after which whoever waits for a GPU may leave

WAITING = object()  # what is yielded while there is no GPU yet


class Refused(OSError):
    """The GPU was not lent, or was taken back; what it says is the host's own title of the reason."""


@cache
def open_broker() -> "Broker":
    """Return the broker of this process, which starts with the first call."""
    return Broker()


class Broker:
    """The process, and where it listens; nobody but this process knows the key."""

    def __init__(self) -> None:
        """Start it; it is ready some seconds later."""
        self._folder = tempfile.TemporaryDirectory(prefix="demo-broker-")  # nobody else's, and gone with this process
        self.address = str(Path(self._folder.name, "socket"))
        self.key = secrets.token_bytes(_KEY_BYTES)
        self._process = subprocess.Popen([*_COMMAND, self.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None, "a pipe was asked for"
        self._process.stdin.write(self.key)  # it stays open: its end is the end of this process
        self._process.stdin.flush()
        self._is_ready = threading.Event()
        threading.Thread(target=self._wait, name="broker", daemon=True).start()

    def connect(self) -> Connection:
        """Return a connection for one piece of work.

        Raises:
            OSError: If the process has ended, or is not there in time.
        """
        if not self._is_ready.wait(_WAKE_S) or self._process.poll() is not None:
            raise Refused("there is no broker")
        return Client(self.address, "AF_UNIX", self.key)

    def _wait(self) -> None:
        """Read what the process says: first that it listens, then what the host's package prints, for the log."""
        assert self._process.stdout is not None, "a pipe was asked for"
        for line in self._process.stdout:
            self._is_ready.set()
            _log.info("broker: %s", line.decode(errors="replace").rstrip())
        self._is_ready.set()


def borrow(work: Work) -> Generator[Any, None, None]:
    """Do a piece of work with a lent GPU, and yield what it yields, and WAITING before; closing gives the GPU back.

    Raises:
        Refused: If no GPU was lent, or it was taken back.
        OSError: If the broker is not there.
        EOFError: If the broker ended.
    """
    with open_broker().connect() as connection:
        connection.send((work, find_token()))
        while not connection.poll(_LOOK_S):
            yield WAITING
        while (step := connection.recv()) is not _END:
            if isinstance(step, Refused):
                raise step
            yield step


def serve(address: str, key: bytes) -> None:
    """Take work, each piece in a thread of its own, for as long as this process lives."""
    with Listener(address, "AF_UNIX", authkey=key) as listener:
        print("ready", flush=True)
        while True:
            with suppress(OSError):  # who called has left
                threading.Thread(target=_answer, args=(listener.accept(),), daemon=True).start()


def _answer(connection: Connection) -> None:
    with connection, suppress(OSError, EOFError):  # who called has left
        work, token = connection.recv()
        ask_as(token)
        try:
            with closing(compute(work)) as steps:
                for step in steps:
                    connection.send(step)
            connection.send(_END)
        except OSError:
            raise
        except Exception as error:  # the host's own kinds, which are errors of gradio's
            connection.send(Refused(getattr(error, "title", type(error).__name__)))


def _end_with_the_page() -> None:
    os.read(0, 1)  # not by sys.stdin, whose lock would be held in a forked process, which closes it first of all
    for each in multiprocessing.active_children():  # those that have had the GPU wait for more work
        each.kill()
    os._exit(0)


def main(address: str) -> None:
    """Serve until standard input ends, which begins with the key."""
    key = os.read(0, _KEY_BYTES)
    threading.Thread(target=_end_with_the_page, daemon=True).start()
    import_torch()  # once, and not in each process that is forked
    serve(address, key)


if __name__ == "__main__":
    from demo.tasks import broker  # by its own name: the page could not read what a module "__main__" has sent

    broker.main(sys.argv[1])
