"""What stands in front of gradio: which doors are open, how much may come through, how answers are labelled."""

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.data.store import no_room
from demo.errors import DemoError, log_unexpected
from demo.settings import MEGABYTE, Settings
from demo.ui.server.errors import (
    AddressRefused,
    BodyUnreadable,
    DiskFull,
    RequestTooLarge,
    TooManyUploads,
    UploadGone,
    UploadTooSlow,
)
from demo.ui.server.internals import API_PREFIX
from demo.ui.server.page_language import tell_language, words_at
from demo.words.language import CHINESE, ENGLISH, Words

# What may be sent to; gradio has more doors (monitoring, recordings, code editing), of which this page needs none.
_OPEN = re.compile(rf"{API_PREFIX}/(upload|queue/join|call/.+|stream/\w+(/close)?|cancel|reset)/?$")
# gradio would fetch what stands behind an address, for whoever asks.
_FETCHING = re.compile(rf"{API_PREFIX}/(file[=/]\s*[a-z][a-z0-9+.-]*:/|proxy=|deep_link)|/monitoring", re.I)
_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]+:/", re.I)  # and not the drive of a Windows path
_FILE = f"{API_PREFIX}/file="
_IN_MEMORY_BYTES = 64_000  # of each body that is coming in, which is all of nearly every one; the rest goes to the disk

_STATUS: dict[type[DemoError], int] = {
    RequestTooLarge: 413,
    UploadTooSlow: 408,
    UploadGone: 410,
    TooManyUploads: 503,
    DiskFull: 507,
}
_CDN = "https://gradio.s3-us-west-2.amazonaws.com"  # from where a share link's page loads gradio's own script


def words_for(headers: Headers) -> Words:
    """Return the language of the page that a request comes from; of a program's, what it says that it accepts."""
    page = headers.get("referer", "")
    if page:
        return words_at(page)
    return CHINESE if headers.get("accept-language", "").lower().startswith("zh") else ENGLISH


def refuse(error: DemoError, scope: Scope) -> Response:
    """Answer a request with an error, in its language: text for an upload, else JSON, as gradio reads them."""
    sentence, status = words_for(Headers(scope=scope)).explain(error), _STATUS.get(type(error), 400)
    headers = {"Connection": "close", "Retry-After": "5"} if status >= 500 else {"Connection": "close"}
    if scope["path"].rstrip("/").endswith("/upload"):
        return PlainTextResponse(sentence, status, headers)
    return JSONResponse({"detail": sentence}, status, headers)


def content_policy(*, is_shared: bool) -> str:
    """Return the page's content-security policy.

    Nothing is loaded from, or sent to, another machine, and no attribute of an element is run as a script. gradio
    itself needs scripts in the page and evaluates its own (Vega's plots, the `js` of events).

    Args:
        is_shared: Whether the page is reached through a share link, which loads gradio's script from its makers.
    """
    own = f"'self' {_CDN}" if is_shared else "'self'"
    return "; ".join(
        [
            f"default-src {own}",
            f"script-src {own} 'unsafe-inline' 'unsafe-eval' blob:",
            "script-src-attr 'none'",
            f"style-src {own} 'unsafe-inline'",
            f"img-src {own} data: blob:",
            f"media-src {own} data: blob:",
            f"font-src {own} data:",
            f"connect-src {own} data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self' https://huggingface.co https://*.hf.space",  # a Space is shown in a frame
        ]
    )


class Gate:
    """ASGI middleware: only the doors that the page needs, bodies counted as they come, headers on every answer."""

    def __init__(self, app: ASGIApp, settings: Settings, *, is_shared: bool = False) -> None:
        self._app, self._settings = app, settings
        self._page_policy = content_policy(is_shared=is_shared)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._label(scope, send)
        if scope["method"] in ("GET", "HEAD") and API_PREFIX not in scope["path"]:
            send = tell_language(scope["path"], send)
        if not _is_open(scope):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
            return
        if scope["method"] == "POST" and not scope["path"].rstrip("/").endswith("/upload"):
            try:
                body = await self._read(scope, receive)
                _check_addresses(scope["path"], body)
            except DemoError as error:
                await refuse(error, scope)(scope, receive, send)
                return
            receive = _replay(body, receive)
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # the server would log what it says, too
            log_unexpected(error, "a request")
            if not scope.get("demo.has_answered"):
                await PlainTextResponse(words_for(Headers(scope=scope)).unexpected, 500)(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the whole body, within the limit."""
        limit = self._settings.max_body_bytes
        deadline = time.monotonic() + self._settings.max_body_s
        stated = Headers(scope=scope).get("content-length", "0")
        if not stated.isdecimal() or int(stated) > limit:
            raise RequestTooLarge(limit=limit / MEGABYTE)
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
                    raise RequestTooLarge(limit=limit / MEGABYTE)
                if not message.get("more_body", False):
                    body.seek(0)
                    return body.read()

    def _label(self, scope: Scope, send: Send) -> Send:
        """Add headers that tell browsers to take nothing for what it does not say that it is."""
        # What a visitor has brought is never a page: whatever it holds, nothing in it is run.
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


def _is_open(scope: Scope) -> bool:
    if scope["method"] == "POST":
        return _OPEN.search(scope["path"]) is not None
    return scope["method"] in ("GET", "HEAD", "OPTIONS") and _FETCHING.search(scope["path"]) is None


def _check_addresses(path: str, body: bytes) -> None:
    """Refuse a body that is no JSON, or in which a file is given by its address.

    Raises:
        BodyUnreadable, AddressRefused: In those cases.
    """
    try:
        value = json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise BodyUnreadable() from error
    # A program's texts may be files, never somebody's class names; gradio does not look at a `url` that comes in.
    is_program = "/call/" in path
    for key, text in _find_texts(value):
        if (key == "path" or (is_program and key != "url")) and _ADDRESS.match(text):
            raise AddressRefused(address=text.strip()[:40])


def _find_texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield all texts in a JSON value, each with the key that it stands under, without recursion."""
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
    """Return what gives the body once, and then whatever comes after it: that the visitor has left."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
