"""How much of the server's work an address, and all together, may have at once, and how many bytes they may send."""

import logging
import re
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.entrance import HEALTH, network_of
from demo.settings import Settings
from demo.ui.budgets.errors import PageFull, TooManyAtOnce, TooMuchSent
from demo.ui.budgets.meter import Meter
from demo.ui.server.errors import RequestError
from demo.ui.server.gate import refuse
from demo.ui.server.internals import API_PREFIX

logger = logging.getLogger("demo.budgets")

_STREAM = re.compile(rf"{API_PREFIX}/(heartbeat/|queue/data|upload_progress|call/.|mcp)")
_UPLOAD = re.compile(rf"{API_PREFIX}/upload/?$")
_NUM_SENDERS = 4  # of all together as many times the bytes of one address are forgotten
_ALL = "all"  # in place of an address


class Requests:
    """ASGI middleware that refuses requests beyond what an address, or all together, may have at once.

    Streams, uploads and all others count apart: a room full of open pages leaves the requests their places.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._kinds = {
            "streams": _Places(settings.max_streams_of_address, settings.max_streams),
            "uploads": _Places(settings.max_uploads_of_address, settings.max_requests),
            "requests": _Places(settings.max_requests_of_address, settings.max_requests),
        }
        self._sent = Meter(settings.max_sent_bytes_of_address, settings.forgotten_bytes_per_s)
        self._all_sent = Meter(settings.max_sent_bytes, _NUM_SENDERS * settings.forgotten_bytes_per_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        owner, kind = network_of(scope["client"][0] if scope.get("client") else ""), _find_kind(scope)
        places = self._kinds[kind]
        if error := places.find_refusal(owner) or self._find_refusal(owner, scope["method"]):
            logger.warning("%s are refused: %s", kind, type(error).__name__)
            await refuse(error, scope)(scope, receive, send)
            return
        places.taken[owner] += 1
        try:
            await self._app(scope, self._count(owner, receive), send)
        finally:
            places.leave(owner)

    def _find_refusal(self, owner: str, method: str) -> RequestError | None:
        if method != "POST":
            return None
        if wait_s := self._sent.wait_s(owner):
            return TooMuchSent(seconds=wait_s)
        return PageFull() if self._all_sent.wait_s(_ALL) else None

    def _count(self, owner: str, receive: Receive) -> Receive:
        """Count the bytes of a body as they come."""

        async def receive_counted() -> Message:
            message = await receive()
            if num_bytes := len(message.get("body", b"")):
                self._sent.count(owner, num_bytes)
                self._all_sent.count(_ALL, num_bytes)
            return message

        return receive_counted


class _Places:
    """Places for requests of one kind."""

    def __init__(self, of_address: int, in_all: int) -> None:
        self._of_address, self._in_all = of_address, in_all
        self.taken = Counter[str]()

    def find_refusal(self, owner: str) -> RequestError | None:
        if self.taken[owner] >= self._of_address:
            return TooManyAtOnce(limit=self._of_address)
        return PageFull() if self.taken.total() >= self._in_all else None

    def leave(self, owner: str) -> None:
        self.taken[owner] -= 1
        if not self.taken[owner]:
            del self.taken[owner]


def _find_kind(scope: Scope) -> str:
    if scope["method"] == "POST":
        return "uploads" if _UPLOAD.search(scope["path"]) else "requests"
    return "streams" if _STREAM.search(scope["path"]) else "requests"
