"""The Hugging Face Hub's copies of checkpoints: in the cache of its own library, and fetched into it by the library.

So what the library is told counts here: HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE. What a Space has
preloaded, and what other programs of this machine have fetched, is found.

Source:
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

import re
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from demo.models.download import Received, host_of
from demo.models.errors import (
    CacheUnwritable,
    DownloadCut,
    DownloadRefused,
    DownloadUnreachable,
    HubOffline,
    SourceError,
)
from demo.settings import MEGABYTE

_FILE = "model.safetensors"
_PRELOADED = Path("~/.cache/huggingface/hub")  # where a Space's build puts files, wherever HF_HOME is

constants.HF_HUB_DISABLE_TELEMETRY = True
constants.HF_HUB_DISABLE_XET = True  # its transfers neither tell how far they are nor end when they are told to
constants.DOWNLOAD_CHUNK_SIZE = MEGABYTE  # after each, a download tells how far it is, and whoever waits may leave


class _Left(Exception):
    """Whoever waited for a download has left."""


def hub_host() -> str:
    """Return the host of the Hub, or of the mirror that HF_ENDPOINT names."""
    return host_of(constants.ENDPOINT)


def find_copies(repo: str) -> Iterator[Path]:
    """Yield where a repository's checkpoint lies in the Hub's cache, and among what a Space has preloaded."""
    for folder in dict.fromkeys((Path(constants.HF_HUB_CACHE), _PRELOADED.expanduser())):
        with suppress(OSError):  # the folder belongs to another user
            found = huggingface_hub.try_to_load_from_cache(repo, _FILE, cache_dir=folder)
            if isinstance(found, str):
                yield Path(found)


def published_digest(path: Path) -> str:
    """Return the SHA-256 of a copy by its name in the Hub's cache, where copies are links to it; "" without links."""
    name = path.readlink().name if path.is_symlink() else ""
    return name if re.fullmatch(r"[0-9a-f]{64}", name) else ""


def remove_copy(path: Path) -> None:
    """Remove a copy and what it links to, as far as that may be."""
    with suppress(OSError):
        if path.is_symlink():
            (path.parent / path.readlink()).unlink(missing_ok=True)
        path.unlink()


def fetch_copy(repo: str) -> Generator[Received, None, Path]:
    """Fetch a repository's checkpoint into the Hub's cache; whoever closes this ends it after the bytes on their way.

    Yields:
        How many bytes are here and, if the host tells, how many there are in all.

    Returns:
        Where it lies.

    Raises:
        SourceError: If it cannot be had.
    """
    told, left, last = SimpleQueue[Received | None](), Event(), (0, 0)
    with ThreadPoolExecutor(1, "hub") as pool:
        fetching = pool.submit(_fetch, repo, _bar_that_tells(told, left))
        fetching.add_done_callback(lambda _: told.put(None))
        try:
            while (received := told.get()) is not None:
                last = (received[0], received[1] or 0)
                yield received
        finally:
            left.set()
        try:
            return fetching.result()
        except Exception as error:
            raise _explain(error, *last) from error


def _fetch(repo: str, bar: type) -> Path:
    # Asked for first, for the library itself asks again for half a minute where there is no connection.
    huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(repo, _FILE))
    return Path(huggingface_hub.hf_hub_download(repo, _FILE, tqdm_class=bar))


def _bar_that_tells(told: "SimpleQueue[Received | None]", left: Event) -> type:
    """Return what the library takes for a progress bar."""

    class Bar:
        def __init__(self, *_: Any, total: int | None = None, initial: int = 0, **__: Any) -> None:
            self._done, self._total = initial, total

        def update(self, num_bytes: int = 1) -> None:
            if left.is_set():
                raise _Left
            self._done += num_bytes
            told.put((self._done, self._total))

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    return Bar


def _explain(error: BaseException, done: int, total: int) -> SourceError:
    """Return what the library's error means; it may be behind others."""
    causes, each = list[BaseException](), error
    while each is not None and each not in causes:
        causes.append(each)
        each = each.__cause__ or each.__context__  # type: ignore[assignment]
    host = hub_host()
    if any(isinstance(each, OfflineModeIsEnabled) for each in causes):
        return HubOffline()
    for each in causes:
        if isinstance(each, HfHubHTTPError):
            return DownloadRefused(host=host, status=each.response.status_code)
    if isinstance(error, OSError) and error.errno:
        return CacheUnwritable(place=Path(constants.HF_HUB_CACHE).name, reason=error.strerror)
    if done:
        return DownloadCut(host=host, done_mb=done / MEGABYTE, total_mb=f"{total / MEGABYTE:.1f}" if total else "?")
    return DownloadUnreachable(host=host)
