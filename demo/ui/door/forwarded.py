"""Where a request came from: what a named proxy says of it counts, what anybody else says does not."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.entrance import ANYBODY

# The headers with which proxies tell of a request, and those by which gradio and others take an address.
_TOLD = re.compile(rb"x-forwarded-.*|forwarded|x-real-ip|x-gradio-server|x-original-.*|x-rewrite-url")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


PROXIED = "demo.proxied"  # of a scope: whether what leads visitors here is named, and believed


@dataclass
class Relay:
    """The host of a share link, once there is one: its visitors come from this machine, by the relay's program."""

    host: str = ""


class Trust:
    """Whose word counts on where a request came from.

    Args:
        proxies: Networks of the proxies that are believed, or ANYBODY, for a host that only its proxies reach.
        relay: The share link.
    """

    def __init__(self, proxies: tuple[str, ...], relay: Relay) -> None:
        self.relay, self.is_for_all = relay, ANYBODY in proxies
        self._networks = [ipaddress.ip_network(each, strict=False) for each in proxies if each != ANYBODY]

    def names(self, address: str) -> bool:
        """Say whether an address is that of a proxy that is named."""
        parsed = _parse(address)
        return parsed is not None and any(parsed in each for each in self._networks)

    def passes_over(self, address: str) -> bool:
        """Say whether an address in a chain is a proxy's own, and no visitor's."""
        is_open = self.is_for_all or bool(self.relay.host)
        return self.names(address) or (is_open and _is_private(address))

    def has_many_visitors(self, peer: str) -> bool:
        """Say whether the connections of an address are many visitors': a proxy's, or those of the share link."""
        return self.is_for_all or self.names(peer) or (bool(self.relay.host) and _is_here(peer))


class Forwarded:
    """ASGI middleware that puts host, scheme and client of a request right, and takes off what was said of them.

    Args:
        app: What is behind it.
        proxies: Networks of the proxies that are believed, or ANYBODY, for a host that only its proxies reach.
        relay: The share link.
    """

    def __init__(self, app: ASGIApp, proxies: tuple[str, ...] = (), relay: Relay | None = None) -> None:
        self._app, self._trust = app, Trust(proxies, relay or Relay())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as its visitor sent it."""
        if scope["type"] != "lifespan":
            said = Headers(scope=scope)
            plain = [pair for pair in scope["headers"] if not _TOLD.fullmatch(pair[0].lower())]
            scope = {**scope, "headers": plain, PROXIED: False, **self._settle(scope, said, plain)}
        await self._app(scope, receive, send)

    def _settle(self, scope: Scope, said: Headers, plain: list[tuple[bytes, bytes]]) -> Mapping[str, Any]:
        """Return what of the scope is otherwise than it came."""
        peer = scope["client"][0] if scope.get("client") else ""
        if self._is_relayed(said, peer):
            client = (self._find_client(said, peer), 0)
            return {
                "scheme": "https",
                "client": client,
                "headers": _with_host(plain, self._trust.relay.host),
                PROXIED: True,
            }
        if not (self._trust.is_for_all or self._trust.names(peer)):
            return {}
        told: dict[str, Any] = {"client": (self._find_client(said, peer), 0), PROXIED: True}
        if (scheme := self._pick(said, "x-forwarded-proto")) in ("http", "https"):
            told["scheme"] = scheme
        if _HOST.fullmatch(host := self._pick(said, "x-forwarded-host")):
            told["headers"] = _with_host(plain, host)
        return told

    def _is_relayed(self, said: Headers, peer: str) -> bool:
        """Say whether a request came through the share link: a program of this machine asks for its host."""
        named = [said.get("host", ""), *_split(said, "x-forwarded-host")]
        return bool(self._trust.relay.host) and self._trust.relay.host in named and _is_here(peer)

    def _pick(self, said: Headers, name: str) -> str:
        """Return what the nearest proxy says; of a chain that is trusted as a whole, what the first one says."""
        values = _split(said, name) or [""]
        return values[0] if self._trust.is_for_all else values[-1]

    def _find_client(self, said: Headers, peer: str) -> str:
        """Return the last address of the chain that is no proxy's own: what stands before it anybody may have said."""
        for each in reversed(_split(said, "x-forwarded-for")):
            if not self._trust.passes_over(each):
                return each[:64]
        return peer


def _with_host(headers: list[tuple[bytes, bytes]], host: str) -> list[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0].lower() != b"host"] + [(b"host", host.encode())]


def _split(said: Headers, name: str) -> list[str]:
    return [each.strip() for value in said.getlist(name) for each in value.split(",") if each.strip()]


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _is_here(address: str) -> bool:
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def _is_private(address: str) -> bool:
    parsed = _parse(address)
    return parsed is not None and parsed.is_private
