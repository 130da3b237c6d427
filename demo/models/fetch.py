"""Find a checkpoint or download it, once for all threads and processes that ask, from the first host that has it."""

import sys
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from demo.errors import DemoError
from demo.models.download import Received, download, host_of, part_of, size_bytes
from demo.models.errors import CacheUnwritable, ChecksumWrong, SourceError, WeightsMissing
from demo.models.hub_cache import fetch_copy, hub_host
from demo.models.weights import Remote, Source, WeightsFile, find_whole, remote, remove_damaged, tried_here
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


# How far this process's download of each file is, for those that wait for it.
_progress: dict[Path, FetchProgress] = {}

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
    if (origin := remote(spec)) is None:
        raise WeightsMissing(backbone=spec.display_name, tried=tried_here(spec))
    return (yield from _fetch_once(spec, origin))


def _fetch_once(spec: BackboneSpec, origin: Remote) -> Generator[FetchProgress, None, WeightsFile]:
    """Fetch alone, or wait for the download of another thread or process and use its file."""
    since, path = time.monotonic(), origin.path
    # The lock is not thread-local, because a server may resume the generator in another thread.
    lock = FileLock(f"{path}.lock", thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while not _take(lock):
            host, begun = host_of(origin.address), size_bytes(part_of(path))
            yield _progress.get(path) or FetchProgress(Source.DOWNLOAD, host, begun, None)
            time.sleep(POLL_S)
    except OSError as error:
        unwritable = CacheUnwritable(place=path.parent.name, reason=error.strerror)
        raise WeightsMissing(backbone=spec.display_name, tried=[*tried_here(spec), unwritable]) from error
    try:
        file = find_whole(spec)
        failed_at, tried = _failures.get(path, (since, []))
        if file is None and failed_at > since:
            raise WeightsMissing(backbone=spec.display_name, tried=tried)
        return file or (yield from _fetch_alone(spec, origin))
    finally:
        _progress.pop(path, None)
        lock.release()


def _take(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


def _fetch_alone(spec: BackboneSpec, origin: Remote) -> Generator[FetchProgress, None, WeightsFile]:
    """Fetch from the authors' host or, if that fails, from the Hub."""
    tried = tried_here(spec)
    remove_damaged(spec)
    try:
        receiving = download(origin.address, origin.path, origin.checksum)
        path = yield from _tell(origin.path, Source.DOWNLOAD, host_of(origin.address), receiving)
        return WeightsFile(path, Source.DOWNLOAD)
    except SourceError as error:
        tried.append(error)
    if spec.hub_repo and not isinstance(tried[-1], CacheUnwritable):  # the Hub's cache is most often on the same disk
        try:
            path = yield from _tell(origin.path, Source.HUB, hub_host(), fetch_copy(spec.hub_repo))
            if find_whole(spec) is None:
                raise ChecksumWrong(place=hub_host())
            return WeightsFile(path, Source.HUB)
        except SourceError as error:
            tried.append(error)
    _failures[origin.path] = (time.monotonic(), tried)
    raise WeightsMissing(backbone=spec.display_name, tried=tried)


def _tell(
    wanted: Path, source: Source, host: str, receiving: Generator[Received, None, Path]
) -> Generator[FetchProgress, None, Path]:
    """Yield the progress of a download from a host, and return where the file is."""
    done, total = size_bytes(part_of(wanted)), None
    with closing(receiving):
        while True:
            _progress[wanted] = FetchProgress(source, host, done, total)
            yield _progress[wanted]
            try:
                done, total = next(receiving)
            except StopIteration as end:
                path: Path = end.value
                return path


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
