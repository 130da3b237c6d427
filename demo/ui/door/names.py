"""By which names the page is called, and which other sites may call it.

A site can lead its own name to this machine (DNS rebinding): its pages would then be the page's own. And any page may
let its visitor's browser send something here. Neither is answered.
"""

import ipaddress
import logging
import re
import socket
from contextlib import suppress
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.entrance import ANYBODY, Entrance
from demo.ui.door.errors import HostUnknown, OriginForeign
from demo.ui.door.forwarded import PROXIED
from demo.ui.server.errors import RequestError
from demo.ui.server.gate import refuse
from demo.ui.server.internals import API_PREFIX

logger = logging.getLogger("demo.door")

# Names that only a network's own machines answer for: nobody elsewhere can lead one of these here.
_PRIVATE = re.compile(r"[^.]+(\.(local|lan|home|internal|localdomain|home\.arpa))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SHOWN_LENGTH = 80


class Names:
    """ASGI middleware that refuses requests to names that are not the page's, and those of other sites' pages."""

    def __init__(self, app: ASGIApp, entrance: Entrance) -> None:
        self._app, self._entrance = app, entrance
        self._machine = socket.gethostname().lower()
        self._allowed = re.compile(origin_pattern(entrance.origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it before its body is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_foreign = self._is_foreign(headers)
        if error := self._find_refusal(scope, headers, is_foreign=is_foreign):
            logger.warning("a request is refused: %s", type(error).__name__)
            await refuse(error, scope)(scope, receive, send)
            return
        await self._app(scope, receive, _without_permission(send) if is_foreign else send)

    def _find_refusal(self, scope: Scope, headers: Headers, *, is_foreign: bool) -> RequestError | None:
        host = headers.get("host", "")
        if host and not self._answers_to(_name_of(host), is_proxied=scope.get(PROXIED, False)):
            return HostUnknown(host=_name_of(host)[:_SHOWN_LENGTH])
        does_something = scope["method"] not in ("GET", "HEAD") or API_PREFIX in scope["path"]
        if is_foreign and does_something and headers.get("sec-fetch-mode") != "navigate":
            return OriginForeign(origin=headers.get("origin", "cross-site")[:_SHOWN_LENGTH])
        return None

    def _answers_to(self, name: str, *, is_proxied: bool) -> bool:
        ours = self._entrance
        if _is_local(name) or name in ours.known_as or any(fnmatchcase(name, each) for each in ours.hosts):
            return True
        if is_proxied:  # what leads visitors here knows for which names
            return not ours.hosts
        is_own = _is_address(name) or name == self._machine or bool(_PRIVATE.fullmatch(name))
        return ours.is_reachable and is_own

    def _is_foreign(self, headers: Headers) -> bool:
        """Say whether a page of another site asks, which is not allowed to."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site in ("same-origin", "none"):  # said by browsers alone, whatever a proxy has made of the host
            return False
        if origin is None:
            return site == "cross-site"
        return not (self._is_own(origin, headers.get("host", "")) or self._allowed.fullmatch(origin.lower()))

    def _is_own(self, origin: str, host: str) -> bool:
        with suppress(ValueError):
            theirs, ours = urlsplit(origin.lower()), urlsplit(f"//{host.lower()}")
            if theirs.hostname in self._entrance.known_as:
                return True
            port = theirs.port or _DEFAULT_PORTS.get(theirs.scheme)
            return theirs.hostname is not None and theirs.hostname == ours.hostname and ours.port in (None, port)
        return False


def origin_pattern(sites: tuple[str, ...]) -> str:
    """Return a regular expression of the origins that sites have; nothing matches that of none."""
    if ANYBODY in sites:
        return r".*"
    return "|".join(re.escape(each).replace(r"\*", r"[a-z0-9.-]+") for each in sites) or r"(?!)"


def _name_of(host: str) -> str:
    with suppress(ValueError):
        return (urlsplit(f"//{host.lower()}").hostname or "").rstrip(".")
    return ""


def _is_local(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    with suppress(ValueError):
        parsed = ipaddress.ip_address(name)
        return parsed.is_loopback or parsed.is_unspecified
    return False


def _is_address(name: str) -> bool:
    """Say whether a name is an address, which nobody can lead elsewhere."""
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return False


def _without_permission(send: Send) -> Send:
    """Take off an answer that another site's page may read it, which gradio permits to all."""

    async def send_plain(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in [each for each in headers if each.lower().startswith("access-control-")]:
                del headers[name]
        await send(message)

    return send_plain
