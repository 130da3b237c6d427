"""Download of one file: checked, and resumed where the connection was cut."""

import hashlib
import time
from collections.abc import Generator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from demo.models.errors import (
    CacheUnwritable,
    ChecksumWrong,
    DownloadCut,
    DownloadRefused,
    DownloadStalled,
    DownloadUnreachable,
)
from demo.settings import MEGABYTE

STALL_S = 15.0  # time without a connection or a byte after which a host has stalled
MAX_CONNECTIONS = 4  # connections for one file: the first, and three that resume after a cut
REPORT_EVERY_S = 0.2

Received = tuple[int, int | None]


def part_of(path: Path) -> Path:
    """Return the path of a file's bytes until the file is whole."""
    return path.with_name(f"{path.name}.part")


def size_bytes(path: Path) -> int:
    """Return the size of a file, 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def host_of(address: str) -> str:
    """Return the host of an address, without the user name and password that a mirror's address may have."""
    with suppress(ValueError):  # the environment may name a mirror with a malformed address
        return urlsplit(address).hostname or address
    return address


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(address: str, path: Path, checksum: str) -> Generator[Received, None, Path]:
    """Fetch a file, going on where an earlier try of this or of another process ended.

    The bytes are written to a part beside the file, which is renamed when it is whole and its checksum is right. The
    caller makes sure that no one else downloads the same file.

    Args:
        address: Address of the file; redirects are followed.
        path: Where the file is to be; its folder exists.
        checksum: The SHA-256 or its first digits.

    Yields:
        How many bytes are here and, if the host tells, how many there are in all; at most five times a second.

    Returns:
        The path.

    Raises:
        SourceError: If the file cannot be fetched from there.
    """
    try:
        return (yield from _download(address, path, checksum))
    except OSError as error:
        with suppress(OSError):
            part_of(path).unlink(missing_ok=True)  # the part would keep a full disk full
        raise CacheUnwritable(place=path.parent.name, reason=error.strerror) from error


def _download(address: str, path: Path, checksum: str) -> Generator[Received, None, Path]:
    part = part_of(path)
    for connections_left in reversed(range(MAX_CONNECTIONS)):
        has_begun = part.exists()
        try:
            yield from _receive(address, part)
        except DownloadCut:
            if not connections_left:
                raise
            continue
        if digest_of(part).startswith(checksum):
            part.replace(path)
            return path
        part.unlink()
        if not has_begun:
            break  # this host sent all the wrong bytes; otherwise they may be those of an earlier try
    raise ChecksumWrong(place=host_of(address))


def _receive(address: str, part: Path) -> Generator[Received, None, None]:
    """Append the missing bytes to a part, from one connection."""
    host = host_of(address)
    done, total = size_bytes(part), None
    try:
        with _open_client(host) as client, closing(_ask(client, address, part)) as response:
            if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                raise DownloadRefused(host=host, status=response.status_code)
            goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
            done = done if goes_on else 0
            total = done + int(response.headers["Content-Length"]) if "Content-Length" in response.headers else None
            yield done, total
            reported = time.monotonic()
            with part.open("ab" if goes_on else "wb") as file:
                for chunk in response.iter_raw():
                    done += file.write(chunk)
                    if time.monotonic() - reported >= REPORT_EVERY_S:
                        file.flush()  # other processes read the progress from the file's size
                        yield done, total
                        reported = time.monotonic()
            yield done, total
    except httpx.TimeoutException as error:
        raise DownloadStalled(host=host, seconds=STALL_S) from error
    except (httpx.ReadError, httpx.RemoteProtocolError) as error:
        total_mb = f"{total / MEGABYTE:.1f}" if total else "?"
        raise DownloadCut(host=host, done_mb=done / MEGABYTE, total_mb=total_mb) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadUnreachable(host=host) from error


def _open_client(host: str) -> httpx.Client:
    try:
        # A compressed transfer could not be resumed.
        return httpx.Client(timeout=STALL_S, follow_redirects=True, headers={"Accept-Encoding": "identity"})
    except (OSError, ValueError, ImportError) as error:  # the environment's proxies or certificates are wrong
        raise DownloadUnreachable(host=host) from error


def _ask(client: httpx.Client, address: str, part: Path) -> httpx.Response:
    """Ask for the missing bytes, or for all if the host cannot resume."""
    start = size_bytes(part)
    if start:
        response = _get(client, address, {"Range": f"bytes={start}-"})
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            if response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                return response
        elif response.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return response
        response.close()
        part.unlink()
    return _get(client, address, {})


def _get(client: httpx.Client, address: str, headers: dict[str, str]) -> httpx.Response:
    return client.send(client.build_request("GET", address, headers=headers), stream=True)
