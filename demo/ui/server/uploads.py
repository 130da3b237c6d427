"""Uploads of visitors: each in an unguessable folder of its own, deleted as soon as it is read."""

import asyncio
import math
import re
import secrets
import shutil
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from demo.data.store import no_room
from demo.errors import DemoError
from demo.settings import MEGABYTE, Settings
from demo.ui.server.errors import DiskFull, RequestTooLarge, TooManyUploads, UploadGone, UploadTooSlow, UploadUnreadable
from demo.ui.server.gate import refuse
from demo.ui.server.internals import (
    GradioMultiPartParser,
    MultiPartException,
    close_files,
    file_upload_statuses,
    get_upload_folder,
    strip_invalid_filename_characters,
)
from demo.ui.server.upload_folder import LOCK, reserve_bytes

KEPT = "kept"  # folder of the files that sessions offer for download until they end
ANSWERS = "answers"  # folder of the files that programs are answered with; they are swept as uploads are
_GRACE_S = 10.0  # time before an upload can be too slow
_NEW_S = 2.0  # time before the rate of an upload is measured
_POLL_S = 1.0
_MAX_POLLS = 4  # polls for a free place before an upload is refused
_MAKE_ROOM_EVERY_S = 5.0
_MAX_NAME_LENGTH = 80  # limited because Windows' paths may have 260 characters in all
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d) *(\.|$)", re.IGNORECASE)  # names that Windows reserves for devices

# Of each unread file or folder its last change and size, and since when these are so, on the monotonic clock.
_seen: dict[Path, tuple[tuple[float, int], float]] = {}


class Uploads:
    """The route for uploads, with limits on their number, size and slowness."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: list[_Pace] = []
        self._made_room = -math.inf
        self._kept_free = reserve_bytes(Path(get_upload_folder()))

    async def receive(self, request: Request) -> Response:
        """Receive the files of one request and answer with their paths, as gradio's own route does."""
        if not await self._make_place():
            return refuse(TooManyUploads(count=len(self._open)), request.scope)
        pace = _Pace()
        self._open.append(pace)
        part = Path(get_upload_folder(), secrets.token_hex(16))
        try:
            with no_room(DiskFull()):
                return JSONResponse([str(path) for path in await self._receive(request, part, pace)])
        except ClientDisconnect:
            return Response(status_code=400)  # the visitor is gone and does not see it
        except DemoError as error:
            return refuse(error, request.scope)
        except MultiPartException:
            return refuse(UploadUnreadable(limit=self._settings.max_pictures), request.scope)
        finally:
            self._open.remove(pace)
            shutil.rmtree(part, ignore_errors=True)  # files that were not moved to their own folders

    async def _receive(self, request: Request, part: Path, pace: "_Pace") -> list[Path]:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise UploadUnreadable(limit=self._settings.max_pictures)
        if int(request.headers.get("content-length") or 0) > self._settings.max_upload_bytes:
            raise RequestTooLarge(limit=self._settings.max_upload_bytes / MEGABYTE)
        await self.make_room()
        part.mkdir()
        upload_id = request.query_params.get("upload_id")
        parser = GradioMultiPartParser(
            request.headers,
            self._count(request.stream(), pace),
            max_files=self._settings.max_pictures,
            max_fields=0,  # a form's other fields would be kept in memory
            upload_dir=part,
            max_file_size=self._settings.max_upload_bytes,
            upload_id=upload_id,
            upload_progress=file_upload_statuses if upload_id else None,
        )
        try:
            form = await parser.parse()
            return [_settle(file) for file in form.getlist("files")]
        finally:
            close_files(parser)

    async def _make_place(self) -> bool:
        """Say whether one more upload may begin; if there are too many, the slowest is ended for it.

        This polls for a few seconds, because an upload that has just begun does not count as slow.
        """
        for _ in range(_MAX_POLLS):
            staying = [each for each in self._open if each.ended_by is None]
            if len(staying) < self._settings.max_uploads:
                return True
            slowest = min(staying, key=_Pace.rate)
            if slowest.rate() < self._settings.min_upload_bytes_per_s:
                slowest.ended_by = UploadTooSlow()
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _count(self, stream: AsyncIterator[bytes], pace: "_Pace") -> AsyncGenerator[bytes, None]:
        """Pass on the chunks of a body as long as it is small and fast enough."""
        settings = self._settings
        while True:
            chunk = await self._next(stream, pace)
            if chunk is None:
                return
            pace.num_bytes += len(chunk)
            if pace.ended_by is not None:
                raise pace.ended_by
            if pace.num_bytes > settings.max_upload_bytes:
                raise RequestTooLarge(limit=settings.max_upload_bytes / MEGABYTE)
            if pace.seconds() > _GRACE_S and pace.rate() < settings.min_upload_bytes_per_s:
                raise UploadTooSlow()
            yield chunk

    async def _next(self, stream: AsyncIterator[bytes], pace: "_Pace") -> bytes | None:
        """Return the next chunk of a body, or None at its end; an upload that has to end does so within a second."""
        waiting = asyncio.ensure_future(anext(stream, None))
        try:
            for _ in range(max(1, math.ceil(self._settings.upload_idle_s / _POLL_S))):
                wait_s = min(_POLL_S, self._settings.upload_idle_s)
                done, _ = await asyncio.wait([waiting], timeout=wait_s)
                if done:
                    return waiting.result()
                if pace.ended_by is not None:
                    raise pace.ended_by
            raise UploadTooSlow()
        finally:
            waiting.cancel()

    def close(self, error: DemoError) -> None:
        """End the uploads that are coming in with an error, within a second."""
        for each in self._open:
            each.ended_by = error

    async def make_room(self) -> None:
        """Make room on the disk, at most every few seconds; raise DiskFull if deleting uploads does not help."""
        folder, now = Path(get_upload_folder()), time.monotonic()
        if now > self._made_room + _MAKE_ROOM_EVERY_S:
            self._made_room = now
            settings = self._settings
            await asyncio.to_thread(
                make_room,
                folder,
                max_bytes=settings.max_unread_bytes,
                max_number=settings.max_unread_uploads,
                kept_free=self._kept_free,
            )
        if shutil.disk_usage(folder).free < self._kept_free:
            raise DiskFull()


class _Pace:
    """How fast one upload comes in."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.num_bytes = 0
        self.ended_by: DemoError | None = None

    def seconds(self) -> float:
        """Return the seconds since its begin."""
        return time.monotonic() - self._began

    def rate(self) -> float:
        """Return the bytes per second; infinite for an upload that has just begun."""
        return self.num_bytes / self.seconds() if self.seconds() > _NEW_S else math.inf


@contextmanager
def taken_file(payload: Any, nothing: type[DemoError]) -> Iterator[tuple[Path, str]]:
    """Lend the path of an upload, and its name at the visitor's, to be read; afterwards the file is deleted.

    Events with `preprocess=False` hand the file over without decoding it, which is for `demo/data` to do.

    Args:
        payload: A component's file data: at least `path`.
        nothing: Error to raise if there is no file.

    Raises:
        UploadGone: If it is not in the folder of uploads, or was deleted.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("path"), str) or not payload["path"]:
        raise nothing()
    path = Path(payload["path"])
    name = str(payload.get("orig_name") or path.name)[-_MAX_NAME_LENGTH:]
    if not lies_in(path):
        raise UploadGone(name=name)
    try:
        yield path, name
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)


def keep_file(content: bytes | Callable[[Path], object], name: str, *, place: str = KEPT) -> Path:
    """Write a file that a session offers for download; the session deletes it at its end, `sweep` does not.

    Args:
        content: The bytes, or for large files a function that writes them to a path.
        name: Its name at the visitor's.
        place: ANSWERS for the answer to a program, or "" for what could have been an upload; `sweep` deletes these.

    Raises:
        DiskFull: If there is no room for it; then nothing of it stays.
    """
    folder = Path(get_upload_folder(), place, secrets.token_hex(16))
    try:
        with no_room(DiskFull()):
            folder.mkdir(parents=True)
            (folder / name).write_bytes(content) if isinstance(content, bytes) else content(folder / name)
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder / name


def lies_in(path: Path, place: str = "") -> bool:
    """Say whether a file has a folder of its own at a place among the uploads; no folder elsewhere may be deleted."""
    try:
        resolved = path.resolve(strict=True)
    except (OSError, ValueError):
        return False
    return resolved.is_file() and resolved.parent.parent == Path(get_upload_folder(), place).resolve()


def sweep(folder: Path, max_age_s: float) -> None:
    """Delete uploads, and files of the API's answers, that were not read within `max_age_s`."""
    oldest = time.monotonic() - max_age_s
    for each in _list_unread(folder):
        if each.since < oldest:
            each.delete()


def make_room(folder: Path, *, max_bytes: int, max_number: int, kept_free: int) -> None:
    """Delete the oldest unread files until the rest is within the limits and the disk has `kept_free` bytes.

    A visitor who uploads masses of files loses their own, because the uploads of others are read within seconds.
    """
    unread = deque(_list_unread(folder))
    num_bytes = sum(each.num_bytes for each in unread)
    max_bytes = min(max_bytes, num_bytes + shutil.disk_usage(folder).free - kept_free)
    while unread and (num_bytes > max_bytes or len(unread) > max_number):
        longest = unread.popleft()
        longest.delete()
        num_bytes -= longest.num_bytes


class _Unread(NamedTuple):
    """An unread file or folder among the uploads: since when it is as it is, its last change, its size and its path.

    `since` is when it was first seen so, on the monotonic clock: that of files jumps with the clock of the wall.
    """

    since: float
    written: float
    num_bytes: int
    path: Path

    def delete(self) -> None:
        with suppress(OSError):  # another thread has deleted it
            shutil.rmtree(self.path) if self.path.is_dir() else self.path.unlink()


def _list_unread(folder: Path) -> list[_Unread]:
    """Return all unread files, the oldest first; uploads that are still coming in are the newest."""
    unread, answers, now = [], folder / ANSWERS, time.monotonic()
    for path in (*folder.iterdir(), *(answers.iterdir() if answers.is_dir() else ())):
        if path.name not in (KEPT, ANSWERS, LOCK):
            with suppress(OSError):  # other threads may delete files meanwhile
                stats = [each.stat() for each in (path, *path.rglob("*"))]
                state = max(each.st_mtime for each in stats), sum(each.st_size for each in stats)
                before, since = _seen.get(path, (state, now))
                since = since if before == state else now
                _seen[path] = state, since
                unread.append(_Unread(since, *state, path))
    listed = {each.path for each in unread}
    for path in [each for each in list(_seen) if each not in listed and each.is_relative_to(folder)]:
        _seen.pop(path, None)
    return sorted(unread)


def _settle(file: Any) -> Path:
    """Move one uploaded file, under its name, to a folder of its own, so that equal files of two visitors are two."""
    file.file.close()
    folder = Path(get_upload_folder(), secrets.token_hex(16))
    folder.mkdir()
    return Path(file.file.name).rename(folder / clean_name(file.filename or ""))


def clean_name(name: str) -> str:
    """Return the name under which a file can lie on any system."""
    name = strip_invalid_filename_characters(Path(name).name)[-_MAX_NAME_LENGTH:].strip(". ")
    return f"_{name}" if _DEVICE.match(name) else name or "upload"
