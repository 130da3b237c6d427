"""Connections that ask nothing, by the thousand: whether everybody else is answered meanwhile, and what the log says.

    python -m tests.gauntlet.connections

opens the page in a process of its own and prints a line for each attack.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from demo.system import allow_open_files
from tests.conftest import PROJECT
from tests.opened import command, environment, free_port

SILENT = b""
STREAM = b"GET /gradio_api/heartbeat/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ONE, TEN = ["127.0.0.2"], [f"127.0.0.{each}" for each in range(2, 12)]
ATTACKS = {
    "nothing, for comparison": (SILENT, ONE, 0),
    "2,000 silent connections by one address": (SILENT, ONE, 2000),
    "2,000 streams by one address": (STREAM, ONE, 2000),
    "400 silent connections by ten addresses": (SILENT, TEN, 400),
    "400 streams by ten addresses": (STREAM, TEN, 400),
    "450 streams by one address, where 400 files may be open": (STREAM, ONE, 450),
}
_FEW_FILES = 400
OTHER = "127.0.0.99"  # everybody else
ASKED = ("/", "/zh", "/config", "/gradio_api/info", "/healthz")
_ANEW_S = 5.0  # after which a connection that was ended is opened anew


class Result(NamedTuple):
    """What came of one attack."""

    attack: str
    num_held: int  # connections that were open in the end
    longest_s: float  # for which somebody else waited
    num_refused: int  # of their requests
    num_lines: int  # in the log
    after_s: float  # until an answer once it is over

    def holds(self) -> bool:
        """Say whether everybody else was answered, soon, and the log stayed short."""
        return self.longest_s < 1.0 and self.num_refused == 0 and self.num_lines < 100 and self.after_s < 1.0


@contextmanager
def opened(folder: Path, num_files: int = 0) -> Iterator[tuple[str, Path]]:
    """Open the page in a process of its own, with so many open files at most; yield its address and its log's file."""
    port, log = free_port(), folder / "log"
    limit = ["prlimit", f"--nofile={num_files}:{num_files}"] if num_files else []
    program = [*limit, *command("--port", str(port))]
    with log.open("wb") as file:
        page = subprocess.Popen(program, cwd=PROJECT, env=environment(folder), stdout=file, stderr=file)
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + 300
        while not _answers(url):
            assert page.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < until, "the page does not open"
            time.sleep(1)
        yield url, log
    finally:
        page.terminate()
        page.wait(60)


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz", timeout=5, trust_env=False).status_code in (200, 503)
    return False


async def attack(name: str, url: str, log: Path, *, seconds: float) -> Result:
    """Hold the connections of an attack for some seconds, those that are ended anew, and ask as somebody else."""
    sent, addresses, number = ATTACKS[name]
    num_lines, held = _count_lines(log), set[int]()
    hogs = [
        asyncio.create_task(_hold(url, addresses[idx % len(addresses)], sent, held, idx, idx / number * seconds / 4))
        for idx in range(number)
    ]
    waits, refused = await _ask(url, seconds)
    num_held = len(held)
    for each in hogs:
        each.cancel()
    await asyncio.gather(*hogs, return_exceptions=True)
    after, _ = await _ask(url, 0.0)
    return Result(name, num_held, max(waits), refused, _count_lines(log) - num_lines, max(after))


async def _hold(url: str, address: str, sent: bytes, held: set[int], idx: int, begin_s: float) -> None:
    place = urlsplit(url)
    await asyncio.sleep(begin_s)
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(place.hostname, place.port, local_addr=(address, 0))
            held.add(idx)
            try:
                writer.write(sent)
                while await reader.read(4096):
                    pass
            finally:
                held.discard(idx)
                writer.close()
        await asyncio.sleep(_ANEW_S)


async def _ask(url: str, seconds: float) -> tuple[list[float], int]:
    """Ask for the page as somebody else does, each time by a new connection; return the waits, and refusals."""
    waits: list[float] = []
    refused, until = 0, time.monotonic() + seconds
    while not waits or time.monotonic() < until:
        for path in ASKED:
            transport = httpx.AsyncHTTPTransport(local_address=OTHER, verify=False)
            began = time.monotonic()
            try:
                async with httpx.AsyncClient(transport=transport, timeout=20, trust_env=False) as client:
                    refused += (await client.get(url + path)).status_code != 200
            except httpx.TransportError:
                refused += 1
            waits.append(time.monotonic() - began)
    return waits, refused


def _count_lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def measure(seconds: float = 15.0) -> list[Result]:
    """Try all attacks on a page of their own, and the last one on a page that may have few files open."""
    allow_open_files(16_384)
    results = []
    for num_files, names in ((0, list(ATTACKS)[:-1]), (_FEW_FILES, list(ATTACKS)[-1:])):
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder), num_files) as (url, log):
            results += [asyncio.run(attack(name, url, log, seconds=seconds)) for name in names]
    return results


def main() -> int:
    """Print a line for each attack; return 1 if one of them kept somebody out."""
    results = measure()
    for each in results:
        print(
            f"{'holds' if each.holds() else 'FAILS'}  {each.attack}: {each.num_held} held, longest wait "
            f"{each.longest_s:.2f} s, {each.num_refused} refused, {each.num_lines} lines, {each.after_s:.2f} s after"
        )
    return int(not all(each.holds() for each in results))


if __name__ == "__main__":
    sys.exit(main())
