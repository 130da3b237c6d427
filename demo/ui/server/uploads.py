"""Files that visitors bring: each in a place of its own that nobody can guess, deleted as soon as it was read."""

import asyncio
import math
import re
import secrets
import shutil
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
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
from demo.ui.server.upload_folder import LOCK

KEPT = "kept"  # what sessions offer for download, until they end
_GRACE_S = 10.0
_NEW_S = 2.0
_LOOK_EVERY_S = 1.0
_MAX_LOOKS = 4  # for a place, before an upload is refused
_MAKE_ROOM_EVERY_S = 5.0
_MAX_NAME_LENGTH = 80  # Windows' paths may have 260 characters in all
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d) *(\.|$)", re.IGNORECASE)  # names that Windows keeps for itself
_MIN_FREE_BYTES = 1000 * MEGABYTE


class Uploads:
    """The door for files: at most so many at once, so large, and not slower than that."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: list[_Pace] = []
        self._made_room = -math.inf

    async def receive(self, request: Request) -> Response:
        """Take the files of one request and answer with their paths, as gradio's own door does."""
        if not await self._make_place():
            return refuse(TooManyUploads(count=len(self._open)), request.scope)
        pace = _Pace()
        self._open.append(pace)
        part = Path(get_upload_folder(), secrets.token_hex(16))
        try:
            with no_room(DiskFull()):
                return JSONResponse([str(path) for path in await self._receive(request, part, pace)])
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody hears any more
        except DemoError as error:
            return refuse(error, request.scope)
        except MultiPartException:
            return refuse(UploadUnreadable(limit=self._settings.max_pictures), request.scope)
        finally:
            self._open.remove(pace)
            shutil.rmtree(part, ignore_errors=True)  # whatever is not settled by now

    async def _receive(self, request: Request, part: Path, pace: "_Pace") -> list[Path]:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise UploadUnreadable(limit=self._settings.max_pictures)
        if int(request.headers.get("content-length") or 0) > self._settings.max_upload_bytes:
            raise RequestTooLarge(limit=self._settings.max_upload_bytes / MEGABYTE)
        await self._make_room()
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
        """Say whether one more upload may begin; where there are too many, the slowest has to end for it.

        That takes a look or two: nobody is called slow who has just begun.
        """
        for _ in range(_MAX_LOOKS):
            staying = [each for each in self._open if not each.has_to_end]
            if len(staying) < self._settings.max_uploads:
                return True
            slowest = min(staying, key=_Pace.rate)
            if slowest.rate() < self._settings.min_upload_bytes_per_s:
                slowest.has_to_end = True
                return True
            await asyncio.sleep(_LOOK_EVERY_S)
        return False

    async def _count(self, stream: AsyncIterator[bytes], pace: "_Pace") -> AsyncGenerator[bytes, None]:
        """Pass a body on as long as it is small and fast enough."""
        settings = self._settings
        while True:
            chunk = await self._next(stream, pace)
            if chunk is None:
                return
            pace.num_bytes += len(chunk)
            if pace.num_bytes > settings.max_upload_bytes:
                raise RequestTooLarge(limit=settings.max_upload_bytes / MEGABYTE)
            if pace.seconds() > _GRACE_S and pace.rate() < settings.min_upload_bytes_per_s:
                raise UploadTooSlow()
            yield chunk

    async def _next(self, stream: AsyncIterator[bytes], pace: "_Pace") -> bytes | None:
        """Return the next piece of a body, or None in its end; whoever has to end does so within a second."""
        waiting = asyncio.ensure_future(anext(stream, None))
        try:
            for _ in range(max(1, math.ceil(self._settings.upload_idle_s / _LOOK_EVERY_S))):
                wait_s = min(_LOOK_EVERY_S, self._settings.upload_idle_s)
                done, _ = await asyncio.wait([waiting], timeout=wait_s)
                if done:
                    return waiting.result()
                if pace.has_to_end:
                    break
            raise UploadTooSlow()
        finally:
            waiting.cancel()

    async def _make_room(self) -> None:
        """Make room for more, looking every few seconds; raise DiskFull where nothing of ours takes it."""
        folder, now = Path(get_upload_folder()), time.monotonic()
        if now > self._made_room + _MAKE_ROOM_EVERY_S:
            self._made_room = now
            settings = self._settings
            await asyncio.to_thread(
                make_room, folder, max_bytes=settings.max_unread_bytes, max_number=settings.max_unread_uploads
            )
        if shutil.disk_usage(folder).free < _MIN_FREE_BYTES:
            raise DiskFull()


class _Pace:
    """How fast one upload comes in."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.num_bytes = 0
        self.has_to_end = False

    def seconds(self) -> float:
        """Return how long it has been coming in."""
        return time.monotonic() - self._began

    def rate(self) -> float:
        """Return the bytes of a second; infinite for one that has just begun."""
        return self.num_bytes / self.seconds() if self.seconds() > _NEW_S else math.inf


@contextmanager
def taken_file(payload: Any, nothing: type[DemoError]) -> Iterator[tuple[Path, str]]:
    """Lend an upload to whoever reads it, and what the visitor calls it; afterwards it is deleted.

    Events with `preprocess=False` hand the file over without decoding it, which is for `demo/data` to do.

    Args:
        payload: A component's file data: at least `path`.
        nothing: What to raise where there is no file.

    Raises:
        UploadGone: If it is not where uploads are, or no more.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("path"), str) or not payload["path"]:
        raise nothing()
    path = Path(payload["path"])
    name = str(payload.get("orig_name") or path.name)[-_MAX_NAME_LENGTH:]
    if not _is_upload(path):
        raise UploadGone(name=name)
    try:
        yield path, name
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)


def keep_file(content: bytes, name: str) -> Path:
    """Write what a session offers for download; `sweep` leaves it alone, and the session deletes it in its end.

    Raises:
        DiskFull: If there is no room for it; then nothing of it stays.
    """
    folder = Path(get_upload_folder(), KEPT, secrets.token_hex(16))
    try:
        with no_room(DiskFull()):
            folder.mkdir(parents=True)
            (folder / name).write_bytes(content)
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder / name


def sweep(folder: Path, max_age_s: float) -> None:
    """Delete what nobody has read for so long: uploads, and files of the API's answers."""
    oldest = time.time() - max_age_s
    for each in _list_unread(folder):
        if each.written < oldest:
            each.delete()


def make_room(folder: Path, *, max_bytes: int, max_number: int) -> None:
    """Delete what has waited longest to be read, until the rest is within the limits and the disk has room.

    Whoever brings masses that nobody reads drives out their own, for the uploads of others are read within seconds.
    """
    unread = deque(_list_unread(folder))
    num_bytes = sum(each.num_bytes for each in unread)
    max_bytes = min(max_bytes, num_bytes + shutil.disk_usage(folder).free - _MIN_FREE_BYTES)
    while unread and (num_bytes > max_bytes or len(unread) > max_number):
        longest = unread.popleft()
        longest.delete()
        num_bytes -= longest.num_bytes


class _Unread(NamedTuple):
    """What lies among the uploads: when it was last written, its size, and where."""

    written: float
    num_bytes: int
    path: Path

    def delete(self) -> None:
        with suppress(OSError):  # somebody else was faster
            shutil.rmtree(self.path) if self.path.is_dir() else self.path.unlink()


def _list_unread(folder: Path) -> list[_Unread]:
    """Return all that waits to be read, the longest first; what is still coming in has just been written."""
    unread = []
    for path in folder.iterdir():
        if path.name not in (KEPT, LOCK):
            with suppress(OSError):  # others delete meanwhile
                stats = [each.stat() for each in (path, *path.rglob("*"))]
                unread.append(_Unread(max(each.st_mtime for each in stats), sum(each.st_size for each in stats), path))
    return sorted(unread)


def _is_upload(path: Path) -> bool:
    """Whether a file lies where `_settle` puts them, and nowhere else, for its folder will be deleted."""
    try:
        resolved = path.resolve(strict=True)
    except (OSError, ValueError):
        return False
    return resolved.is_file() and resolved.parent.parent == Path(get_upload_folder()).resolve()


def _settle(file: Any) -> Path:
    """Give one uploaded file its name, in a folder of its own: the same file of two visitors lies in two places."""
    file.file.close()
    folder = Path(get_upload_folder(), secrets.token_hex(16))
    folder.mkdir()
    name = strip_invalid_filename_characters(Path(file.filename or "").name)[-_MAX_NAME_LENGTH:].strip(". ")
    return Path(file.file.name).rename(folder / (f"_{name}" if _DEVICE.match(name) else name or "upload"))
