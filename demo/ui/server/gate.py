"""The gate in front of gradio: it refuses routes and large bodies, and sets the headers of answers."""

import asyncio
import json
import math
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.data.store import no_room
from demo.errors import DemoError, log_unexpected
from demo.settings import MEGABYTE, Settings
from demo.ui.server.document import Document, words_at
from demo.ui.server.errors import (
    AddressRefused,
    BodyTooLarge,
    BodyUnreadable,
    DiskFull,
    UploadTooSlow,
)
from demo.ui.server.internals import API_PREFIX
from demo.words.language import CHINESE, ENGLISH, Words

# What the page and its programs send to and ask for; gradio has more (monitoring, recordings, code editing, reloading,
# documents of its own), which neither needs.
_SENT_TO = re.compile(rf"{API_PREFIX}/(upload|queue/join|call/.+|mcp|stream/\w+(/close)?|cancel|reset)/?$")
_ASKED_FOR = re.compile(
    rf"{API_PREFIX}/(info|openapi\.json|heartbeat/[\w-]+|queue/data|upload_progress|call/(v2/)?\w+/[\w-]+|file=.+|app_id|mcp"
    r"|theme\.css)/?$"
)
_STARTUP = f"{API_PREFIX}/startup-events"
# gradio would fetch what is named by an address, and sends files whose names begin with a dot: they are the server's.
_NOT_SENT = re.compile(r"file=\s*[a-z][a-z0-9+.-]*:/|/\.[^/]*$", re.I)
_NOT_OURS = re.compile(r"/(monitoring|openapi\.json|docs|redoc|deep_link|user|token|logout|login_check)\b")
_ADDRESS = re.compile(
    r"\s*[a-z][a-z0-9+.-]+:/", re.I
)  # two letters at least, so that the drive of a Windows path is no address
_FILE = f"{API_PREFIX}/file="
_IN_MEMORY_BYTES = 64_000  # bytes of a body that stay in memory before it spills to disk; nearly every body is smaller


def words_for(headers: Headers) -> Words:
    """Return the words of the page that a request comes from; for a program, of the language that it accepts."""
    page = headers.get("referer", "")
    if page:
        return words_at(page)
    return CHINESE if headers.get("accept-language", "").lower().startswith("zh") else ENGLISH


def refuse(error: DemoError, scope: Scope) -> Response:
    """Answer a request with an error, in its language: text for an upload and for a page, else JSON."""
    sentence, status = words_for(Headers(scope=scope)).explain(error), getattr(error, "status", 400)
    headers = {"Connection": "close", "X-Content-Type-Options": "nosniff"}
    if status == 429 or status >= 500:
        headers["Retry-After"] = str(math.ceil(getattr(error, "seconds", 5.0)))
    takes_pages = "text/html" in Headers(scope=scope).get("accept", "")
    if takes_pages or scope["path"].rstrip("/").endswith("/upload"):
        return PlainTextResponse(sentence, status, headers)
    return JSONResponse({"detail": sentence}, status, headers)


def frame_ancestors(sites: tuple[str, ...]) -> str:
    """Return the directive of a content-security policy that says who may show a page in a frame."""
    return " ".join(["frame-ancestors 'self'", *sites])


def content_policy(frames: tuple[str, ...] = ()) -> str:
    """Return the page's content-security policy.

    The page loads nothing from other machines, sends nothing to them, and runs no attribute of an element as a script.
    gradio itself needs inline scripts and evaluates its own (Vega's plots, the `js` of events).

    Args:
        frames: Other sites that may show the page in a frame.
    """
    return "; ".join(
        [
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "script-src-attr 'none'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            frame_ancestors(frames),
        ]
    )


class Gate:
    """ASGI middleware that opens only the routes that the page needs, limits bodies and sets the headers of answers."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        document: Document,
        *,
        read_call: Callable[[str, Any], Any] = lambda _path, _body: None,
    ) -> None:
        """Stand before an app; `read_call` is asked about each body, and returns that of a program's call checked."""
        self._app, self._settings, self._document, self._read_call = app, settings, document, read_call
        self._page_policy = content_policy(settings.entrance.frames)
        self._has_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._label(scope, send)
        if scope["method"] in ("GET", "HEAD") and API_PREFIX not in scope["path"]:
            send = self._document.send(scope["path"], send)
        if not self._is_open(scope["method"], scope["path"]):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
            return
        if scope["method"] == "POST" and not scope["path"].rstrip("/").endswith("/upload"):
            try:
                body = self._check(scope["path"], await self._read(scope, receive))
            except DemoError as error:
                await refuse(error, scope)(scope, receive, send)
                return
            receive = _replay(body, receive)
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # the server would log its message, which may hold a visitor's values
            log_unexpected(error, "a request")
            if not scope.get("demo.has_answered"):
                await PlainTextResponse(words_for(Headers(scope=scope)).unexpected, 500)(scope, receive, send)

    def _is_open(self, method: str, path: str) -> bool:
        if method == "POST":
            return _SENT_TO.search(path) is not None
        if path == _STARTUP and not self._has_started:
            self._has_started = True  # gradio begins by a request of its own
            return True
        if method not in ("GET", "HEAD", "OPTIONS") or _NOT_SENT.search(path):
            return False
        return bool(_ASKED_FOR.search(path)) if API_PREFIX in path else not _NOT_OURS.search(path)

    def _check(self, path: str, body: bytes) -> bytes:
        """Return a body as it goes on: of a program's call, whose files are looked at by us, as the door leaves it."""
        value = _parse(body)
        call = self._read_call(path, value)
        if call is None:
            _check_addresses(value)
        return body if call is None or call is value else json.dumps(call).encode()

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the whole body, within the limit."""
        limit = self._settings.max_body_bytes
        deadline = time.monotonic() + self._settings.max_body_s
        stated = Headers(scope=scope).get("content-length", "0")
        if not stated.isdecimal() or int(stated) > limit:
            raise BodyTooLarge(limit=limit / MEGABYTE)
        with no_room(DiskFull()), tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
            while True:
                try:
                    message = await asyncio.wait_for(receive(), deadline - time.monotonic())
                except TimeoutError as error:
                    raise UploadTooSlow() from error
                if message["type"] == "http.disconnect":
                    raise BodyUnreadable()
                body.write(message.get("body", b""))
                if body.tell() > limit:
                    raise BodyTooLarge(limit=limit / MEGABYTE)
                if not message.get("more_body", False):
                    body.seek(0)
                    return body.read()

    def _label(self, scope: Scope, send: Send) -> Send:
        """Add headers that forbid browsers to guess the types of answers."""
        # A visitor's file is never a page: no script in it may run.
        policy = "default-src 'none'; sandbox" if _FILE in scope["path"] else self._page_policy

        async def send_labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["demo.has_answered"] = True
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Content-Security-Policy"] = policy
                headers["Referrer-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
            await send(message)

        return send_labelled


def _parse(body: bytes) -> Any:
    """Return the JSON value of a body, None for an empty one.

    Raises:
        BodyUnreadable: If it is no JSON.
    """
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise BodyUnreadable() from error


def _check_addresses(value: Any) -> None:
    """Refuse a body of the page in which a file is given by a web address; gradio does not read the `url` of an input.

    Raises:
        AddressRefused: In that case.
    """
    for key, text in _find_texts(value):
        if key == "path" and _ADDRESS.match(text):
            raise AddressRefused(address=text.strip()[:40])


def _find_texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield all texts in a JSON value, each with its key, without recursion."""
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        key, each = left.pop()
        match each:
            case str():
                yield key, each
            case dict():
                left += each.items()
            case list():
                left += [(key, one) for one in each]


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive function that gives the body once, and then the messages after it: that the visitor has left."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
