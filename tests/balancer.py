"""HAProxy with the project's own file, in front of pages of a test."""

import csv
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import PROJECT
from tests.opened import free_port
from tests.patience import PATIENCE_S

CONFIGURATION = PROJECT / "deploy" / "haproxy.cfg"
COOKIE, PAGES = "demo_page", ("page-1", "page-2")


class Balancer(NamedTuple):
    """A running HAProxy: its address, and the port at which an operator tells it something."""

    url: str
    runtime: int

    def tell(self, command: str) -> str:
        """Tell it something by the very line that the documents give; return what it says."""
        (line,) = re.findall(r"bash -c '(.+)'", (PROJECT / "docs" / "pages.md").read_text(encoding="utf-8"))
        shell = ["bash", "-c", line.replace("9999", str(self.runtime)), "-", *command.split()]
        return subprocess.run(shell, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout

    def states(self) -> dict[str, str]:
        """Return of each page whether it is UP or DOWN, and what it has last said of its health."""
        rows = csv.DictReader(self.tell("show stat").removeprefix("# ").splitlines())
        return {row["svname"]: f"{row['status']} {row['check_status']}" for row in rows if row["pxname"] == "pages"}

    def wait_for(self, state: str, *pages: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until pages are in a state, by an answer of theirs."""
        deadline = time.monotonic() + patience_s
        while not all(re.match(rf"{state}\b.*L7", self.states()[each]) for each in pages):
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.05)


def find_haproxy() -> str:
    """Return where HAProxy is; skip the test where it is absent, or fail it where nothing may be."""
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing = "no HAProxy: apt-get install haproxy"
        if os.environ.get("DEMO_BROWSER_REQUIRED"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def balancing(log: Path, *pages: str, proxy: str = "127.0.0.1") -> Iterator[Balancer]:
    """Start it with nothing changed but addresses.

    Args:
        log: Where it writes what it has to say.
        pages: Address and port of each page.
        proxy: Who is believed on where a request came from.
    """
    haproxy, port, runtime = find_haproxy(), free_port(), free_port()
    own = {"ADDRESS": f"127.0.0.1:{port}", "PROXY": proxy, "RUNTIME": f"ipv4@127.0.0.1:{runtime}"}
    environment = dict(os.environ) | {f"BALANCER_{name}": value for name, value in own.items()}
    environment |= {f"PAGE_{number}": page for number, page in enumerate(pages, 1)}
    subprocess.run([haproxy, "-c", "-f", str(CONFIGURATION)], env=environment, check=True, timeout=PATIENCE_S)
    with log.open("wb") as file:
        running = subprocess.Popen(
            [haproxy, "-db", "-f", str(CONFIGURATION)], env=environment, stdout=file, stderr=file
        )
    try:
        balancer = Balancer(f"http://127.0.0.1:{port}", runtime)
        deadline = time.monotonic() + PATIENCE_S
        while not _is_there(balancer):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield balancer
    finally:
        running.kill()
        running.wait(PATIENCE_S)


def _is_there(balancer: Balancer) -> bool:
    try:
        return "pages" in balancer.tell("show stat")
    except subprocess.CalledProcessError:
        return False
