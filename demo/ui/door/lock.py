"""The lock of a page that has a password: without it nothing answers but the login."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.entrance import HEALTH
from demo.ui.budgets.meter import Meter
from demo.ui.door.errors import PasswordMissing, PasswordWrong, TooManyTries
from demo.ui.door.login import draw_login, place_beside_login
from demo.ui.server.errors import RequestError
from demo.ui.server.gate import frame_ancestors
from demo.ui.server.internals import API_PREFIX
from demo.words.language import CHINESE, ENGLISH, Words

_STARTUP = f"{API_PREFIX}/startup-events"
_LOGIN = re.compile(r"/login/?$")
_NEXT = re.compile(r"(\./|[a-z]{1,40})(\?[!-~]{0,2000})?")  # a page beside the login; no other place
_TRIES_AT_ONCE = 20  # wrong passwords: a class behind one address may mistype so often
_TRY_EVERY_S = 3.0  # after which one more is allowed
_MAX_FORM_BYTES = 4_000
_MAX_FORM_S = 10.0


class Lock:
    """ASGI middleware that lets through who has the password.

    A browser sends it once and gets a cookie, which holds until the server ends, or where there is a key, for all
    servers that share key and password; a program sends it with each request, as `Authorization: Bearer`, or Basic with
    any name. What says that the server is alive needs none.

    Args:
        app: What is behind it.
        password: The page's.
        frames: Sites that show the page in a frame: over https they need a cookie for frames.
        key: A secret that pages behind one address share, so that each lets in whom another has; empty for none.
        is_spoken: Whether the password is one to be read out and typed, which nobody has to hide from neighbours.
    """

    def __init__(
        self, app: ASGIApp, password: str, frames: tuple[str, ...] = (), *, is_spoken: bool = False, key: str = ""
    ) -> None:
        self._app, self._password, self._frames, self._is_spoken = app, password, frames, is_spoken
        self._pass = _make_pass(key, password) if key else secrets.token_urlsafe(32)
        self._tries = Meter(_TRIES_AT_ONCE, 1 / _TRY_EVERY_S)
        self._has_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, log in, or refuse."""
        if scope["type"] == "lifespan" or self._is_open(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await (await self._answer(scope, receive))(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        if scope["path"] == _STARTUP and not self._has_started:
            self._has_started = True  # gradio begins by a request of its own
            return True
        return bool(scope["path"] == HEALTH)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | ASGIApp:
        """Return what answers a request: the page itself, or the door."""
        is_login = scope["method"] == "POST" and _LOGIN.search(scope["path"])
        if not is_login and self._has_cookie(scope):
            return self._app
        address = scope["client"][0] if scope.get("client") else ""
        form = await _read_form(scope, receive) if is_login else {}
        password = form.get("password") if is_login else _read_header(Headers(scope=scope))
        wanted = form["next"] if _NEXT.fullmatch(form.get("next", "")) else place_beside_login(scope)
        if password is None:
            return self._refuse(PasswordMissing(), scope, wanted)
        if wait_s := self._tries.wait_s(address, 1):
            return self._refuse(TooManyTries(seconds=wait_s), scope, wanted)
        if not hmac.compare_digest(password.strip().encode(), self._password.encode()):
            self._tries.count(address)
            return self._refuse(PasswordWrong(), scope, wanted)
        return self._let_in(scope, wanted) if is_login else self._app

    def _has_cookie(self, scope: Scope) -> bool:
        cookies: SimpleCookie = SimpleCookie()
        with suppress(Exception):  # whatever it is, it is no pass
            cookies.load(Headers(scope=scope).get("cookie", ""))
        told = cookies.get(_cookie_name(scope))
        return told is not None and hmac.compare_digest(told.value.encode(), self._pass.encode())

    def _let_in(self, scope: Scope, wanted: str) -> Response:
        """Answer a right password: a browser goes on to the page that it wanted, a program is told."""
        answer: Response = JSONResponse({"success": True})
        if _takes_pages(scope):
            answer = Response(status_code=303, headers={"Location": wanted})
        answer.headers["Cache-Control"] = "no-store"
        is_secure = scope["scheme"] == "https"
        # In a frame of another site a browser sends only a cookie that says so, and such a one over https alone.
        site = "None; Secure; Partitioned" if is_secure and self._frames else f"Lax{'; Secure' * is_secure}"
        answer.headers["Set-Cookie"] = f"{_cookie_name(scope)}={self._pass}; Path=/; HttpOnly; SameSite={site}"
        return answer

    def _refuse(self, error: RequestError, scope: Scope, wanted: str) -> Response:
        words = _find_words(scope)
        status = 429 if isinstance(error, TooManyTries) else 401
        answer: Response = JSONResponse({"detail": words.explain(error)})
        if _takes_pages(scope):
            said = "" if isinstance(error, PasswordMissing) else words.explain(error)
            answer = draw_login(words, wanted, said, is_spoken=self._is_spoken, ancestors=frame_ancestors(self._frames))
        answer.status_code = status
        if isinstance(error, TooManyTries):
            answer.headers["Retry-After"] = str(int(error.seconds) + 1)
        answer.headers["WWW-Authenticate"] = "Bearer"
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def _make_pass(key: str, password: str) -> str:
    """Return what the cookie says, from which neither can be told: who knows one of the two cannot guess the other."""
    return hmac.new(key.encode(), b"pass of a door\n" + password.encode(), hashlib.sha256).hexdigest()


def _cookie_name(scope: Scope) -> str:
    """Return the cookie's name: a browser shares cookies between the ports of one machine."""
    return f"demo_pass_{scope['server'][1] if scope.get('server') else ''}"


def _find_words(scope: Scope) -> Words:
    """Return the words of a Chinese page, of the page that led here, or of a visitor who prefers Chinese."""
    headers = Headers(scope=scope)
    pages = scope["path"], urlsplit(headers.get("referer", "")).path
    prefers = headers.get("accept-language", "").lower().startswith("zh")
    return CHINESE if prefers or any("zh" in each.split("/") for each in pages) else ENGLISH


def _takes_pages(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")


def _read_header(headers: Headers) -> str | None:
    """Return the password that a program sends; gradio's client puts it into a header of its own."""
    for name in ("authorization", "x-hf-authorization"):
        kind, _, value = headers.get(name, "").partition(" ")
        if kind.lower() == "bearer":
            return value
        if kind.lower() == "basic":
            with suppress(binascii.Error, ValueError):
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
    return None


async def _read_form(scope: Scope, receive: Receive) -> dict[str, str]:
    """Return the fields of a small form; none if it is no form, too large or too slow."""
    body = b""
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_MAX_FORM_S):
            async for chunk in Request(scope, receive).stream():
                body += chunk
                if len(body) > _MAX_FORM_BYTES:
                    return {}

    async def receive_again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(scope, receive_again).form(max_files=0, max_fields=4)
    except Exception:  # parsers raise various errors; what they cannot read is no form
        return {}
    return {name: value for name, value in form.items() if isinstance(value, str)}
