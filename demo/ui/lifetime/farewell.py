"""The goodbye of a server: it takes nothing new, tells every open page, and lets what runs end with a sentence."""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.ui.server.errors import ServerEnding
from demo.ui.server.gate import refuse, words_for
from demo.ui.server.internals import API_PREFIX
from demo.ui.server.queue import FairQueue
from demo.ui.server.uploads import Uploads
from demo.visitors.errors import WorkCutShort
from demo.visitors.rooms import Rooms

ENDING = b"data: ENDING\n\n"  # requests.js waits for it in the stream that every open page listens to
_LISTENS = f"{API_PREFIX}/heartbeat/"
_ANSWERS = tuple(f"{API_PREFIX}/{each}" for each in ("queue/data", "call/", "file=", "upload_progress"))
_GIVES_UP = tuple(f"{API_PREFIX}/{each}" for each in ("cancel", "reset"))
_TELL_S = 1.0  # time for pages that are slow to take the message
_FINISH_S = 3.0  # time for what runs to end by itself; a prediction takes less than one
_LOOK_S = 0.05
_DELIVER_S = 0.3  # time for the last answers on their way


class Farewell:
    """The goodbye of one server. Its own `Guard` stands in front of everything, and asks it at each request."""

    def __init__(self, rooms: Rooms, queue: FairQueue, uploads: Uploads) -> None:
        self._rooms, self._queue, self._uploads = rooms, queue, uploads
        self.error: ServerEnding | None = None  # why nothing new is taken, once that is so
        self.loop: asyncio.AbstractEventLoop | None = None  # of the server, while it runs
        self.listening: set[Send] = set()  # to each open page

    def say(self, timeout_s: float) -> None:
        """Say goodbye, from a thread that is not the server's.

        Raises:
            TimeoutError: If the server is so busy that it could not do so in time.
        """
        if self.loop is not None:
            asyncio.run_coroutine_threadsafe(self._say(), self.loop).result(timeout_s)

    async def _say(self) -> None:
        self.error = error = ServerEnding()
        await self._tell()
        self._queue.dismiss(error)
        self._rooms.scheduler.stop_all(WorkCutShort())
        self._uploads.close(error)
        until = time.monotonic() + _FINISH_S
        while self._queue.is_busy and time.monotonic() < until:
            await asyncio.sleep(_LOOK_S)
        self._queue.dismiss(WorkCutShort(), runs_too=True)
        await asyncio.sleep(_DELIVER_S)

    async def _tell(self) -> None:
        message: Message = {"type": "http.response.body", "body": ENDING, "more_body": True}
        telling = [asyncio.ensure_future(send(message)) for send in self.listening]
        if telling:
            _, late = await asyncio.wait(telling, timeout=_TELL_S)
            for each in late:
                each.cancel()


class Guard:
    """ASGI middleware in front of all others: it knows who listens, and refuses what is new once the end has begun."""

    def __init__(self, app: ASGIApp, farewell: Farewell) -> None:
        self._app, self._farewell = app, farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] == "lifespan":
            self._farewell.loop = asyncio.get_running_loop()
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif (error := self._farewell.error) is not None and not _goes_on(scope):
            text = PlainTextResponse(words_for(Headers(scope=scope)).explain(error), 503, {"Connection": "close"})
            answer = refuse(error, scope) if scope["method"] == "POST" else text
            await answer(scope, receive, send)
        elif _LISTENS in scope["path"]:
            await self._listen(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        listening = self._farewell.listening

        async def send_and_note(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body":  # from here on there may be more
                listening.add(send)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            listening.discard(send)


def _goes_on(scope: Scope) -> bool:
    """Say whether a request belongs to what was begun: it fetches an answer or a file, or gives something up."""
    kinds = _GIVES_UP if scope["method"] == "POST" else _ANSWERS
    return any(each in scope["path"] for each in kinds)
