"""Find a checkpoint or download it, once for all threads and processes that ask, from the first host that has it."""

import os
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from demo.errors import DemoError
from demo.models.download import download, host_of, part_of, size_bytes
from demo.models.errors import CacheUnwritable, HubOffline, SourceError, WeightsMissing
from demo.models.weights import (
    Remote,
    Source,
    WeightsFile,
    find_whole,
    keep_digest,
    remotes,
    remove_damaged,
    tried_here,
)
from demo.models.zoo import BackboneSpec, find_spec
from demo.settings import MEGABYTE

POLL_S = 0.2  # time between two checks whether another process's download has ended


@dataclass(frozen=True)
class FetchProgress:
    """How far a download is; `total_bytes` is None if the host does not say, or another process downloads."""

    source: Source
    host: str
    done_bytes: int
    total_bytes: int | None


# Time and reasons of the last failure to fetch a file: callers that waited for that try fail with it at once.
_failures: dict[Path, tuple[float, list[SourceError]]] = {}


def fetch_weights(spec: BackboneSpec) -> Generator[FetchProgress, None, WeightsFile]:
    """Find a backbone's checkpoint, or download it; one download runs, however many threads or processes ask.

    A damaged file in the cache is removed and fetched again. A download that is closed before its end, or whose process
    is killed, leaves the bytes it has, and the next download goes on from there.

    Args:
        spec: Row of the zoo's table.

    Yields:
        The progress of the download, about five times a second; nothing if the file is here.

    Returns:
        The file on this machine.

    Raises:
        WeightsMissing: If no source has it; `tried` has the reason of each.
    """
    file = find_whole(spec)
    if file is not None:
        return file
    if not remotes(spec):
        raise WeightsMissing(backbone=spec.display_name, tried=tried_here(spec))
    return (yield from _fetch_once(spec))


def _fetch_once(spec: BackboneSpec) -> Generator[FetchProgress, None, WeightsFile]:
    """Fetch alone, or wait for the download of another thread or process and use its file."""
    since = time.monotonic()
    path = remotes(spec)[0].path
    # The lock is not thread-local, because a server may resume the generator in another thread.
    lock = FileLock(f"{path}.lock", thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while not _take(lock):
            yield _progress_of_another(spec)
            time.sleep(POLL_S)
    except OSError as error:
        unwritable = CacheUnwritable(place=path.parent.name, reason=error.strerror)
        raise WeightsMissing(backbone=spec.display_name, tried=[*tried_here(spec), unwritable]) from error
    try:
        file = find_whole(spec)
        failed_at, tried = _failures.get(path, (since, []))
        if file is None and failed_at > since:
            raise WeightsMissing(backbone=spec.display_name, tried=tried)
        return file or (yield from _fetch_alone(spec))
    finally:
        lock.release()


def _take(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


def _fetch_alone(spec: BackboneSpec) -> Generator[FetchProgress, None, WeightsFile]:
    tried = tried_here(spec)
    remove_damaged(spec)
    sources = remotes(spec)
    for remote in sources:
        try:
            return (yield from _fetch_from(remote))
        except SourceError as error:
            tried.append(error)
            if isinstance(error, CacheUnwritable):
                break  # a file from the next source could not be written either
    _failures[sources[0].path] = (time.monotonic(), tried)
    raise WeightsMissing(backbone=spec.display_name, tried=tried)


def _fetch_from(remote: Remote) -> Generator[FetchProgress, None, WeightsFile]:
    if remote.source is Source.HUB and os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise HubOffline
    host = host_of(remote.address)
    yield FetchProgress(remote.source, host, size_bytes(part_of(remote.path)), None)
    receiving = download(remote.address, remote.path, remote.checksum)
    while True:
        try:
            done, total = next(receiving)
        except StopIteration as end:
            digest: str = end.value
            break
        yield FetchProgress(remote.source, host, done, total)
    if not remote.checksum:
        keep_digest(remote.path, digest)
    return WeightsFile(remote.path, remote.source)


def _progress_of_another(spec: BackboneSpec) -> FetchProgress:
    """Return how far the download of another process is, from the size of the file that grows."""
    # A part that an earlier download left behind does not grow; the one that was written last does.
    growing = max(remotes(spec), key=lambda remote: _changed_at(part_of(remote.path)))
    return FetchProgress(growing.source, host_of(growing.address), size_bytes(part_of(growing.path)), None)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _fetch_showing(name: str) -> WeightsFile:
    """Fetch one backbone's weights, with the progress in one line on stderr."""
    fetching, line = fetch_weights(find_spec(name)), ""
    try:
        while True:
            progress = next(fetching)
            done, total = progress.done_bytes / MEGABYTE, progress.total_bytes
            line = f"\r{name}: {done:.1f}{f' of {total / MEGABYTE:.1f}' if total else ''} MB from {progress.host}"
            print(line.ljust(79), end="", file=sys.stderr, flush=True)
    except StopIteration as end:
        file: WeightsFile = end.value
        return file
    finally:
        if line:
            print(file=sys.stderr)


def main(names: Sequence[str]) -> int:
    """Fetch the weights of some backbones and print where they are; return 1 if one could not be fetched, else 0."""
    failed = False
    for name in names:
        try:
            file = _fetch_showing(name)
        except DemoError as error:
            failed = True
            print(error, file=sys.stderr)
        else:
            print(f"{name}: {file.path} ({file.source.value})")
    return int(failed)
