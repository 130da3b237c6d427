"""The page as `python -m demo serve` opens it, in a process of its own."""

import itertools
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.conftest import PROJECT
from tests.patience import PATIENCE_S

# Nothing is asked of the outside, and what would be is refused at once.
OFFLINE = {
    "DEMO_BACKBONE": "efficientnet_lite0",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
    "PYTHONUTF8": "1",
}
_FIRST_PORT, _PORTS_EACH, _NUM_PROCESSES = 20_000, 100, 120
_ports = itertools.count()


class Opened(NamedTuple):
    """A page that is open: its address on this machine, what was printed, and its process."""

    url: str
    port: int
    told: str
    process: "subprocess.Popen[str]"

    @property
    def password(self) -> str:
        """The password that was made."""
        found = re.search(r"^Password: (\S+)$", self.told, re.MULTILINE)
        assert found, self.told
        return found[1]


def free_port() -> int:
    """Return a port on which nobody listens, for somebody who listens later.

    It is below those that a system hands out by itself, and each process has a hundred of its own, one after the other:
    nobody else is likely to take it meanwhile.
    """
    while True:
        port = _FIRST_PORT + _PORTS_EACH * (os.getpid() % _NUM_PROCESSES) + next(_ports) % _PORTS_EACH
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def nobody_there() -> Iterator[str]:
    """Yield an address of this machine at which nobody answers, nor can begin to meanwhile."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        yield f"http://127.0.0.1:{nobody.getsockname()[1]}"


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "demo", "serve", *options]


def environment(uploads: Path, **more: str) -> dict[str, str]:
    # The usual port may be somebody else's, and that of this process its own page's.
    own = {"GRADIO_TEMP_DIR": str(uploads), "GRADIO_SERVER_PORT": str(free_port())}
    return {**os.environ, **OFFLINE, **own, **more}


@contextmanager
def opened(uploads: Path, *options: str, until: str = "Running on") -> Iterator[Opened]:
    """Open the page with options of the command, and end it; `until` is in the last line of its start."""
    port = free_port()
    process = subprocess.Popen(
        command("--port", str(port), *options),
        cwd=PROJECT,
        env=environment(uploads),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if until in line:
            break
    reading = threading.Thread(target=process.stdout.read)  # a full pipe would halt it
    reading.start()
    assert process.poll() is None, "".join(lines)
    try:
        yield Opened(f"http://127.0.0.1:{port}", port, "".join(lines), process)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        reading.join()
        process.stdout.close()
