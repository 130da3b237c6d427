"""Whose word counts on where a request came from."""

import asyncio
from typing import Any

import pytest

from demo.ui.door.forwarded import Forwarded, Relay

FORGED = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "203.0.113.9",
    "x-gradio-server": "http://evil.example",
    "forwarded": "host=evil.example",
    "x-real-ip": "203.0.113.9",
}
SPACE, RELAY = ("*",), Relay("abc.gradio.live")


def settle(
    headers: dict[str, str], peer: str = "127.0.0.1", proxies: tuple[str, ...] = (), relay: Relay | None = None
) -> tuple[str, str, str, dict[str, str]]:
    """Return scheme, host, client and all headers with which a request arrives behind the middleware."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.update(scope)

    sent = [(name.encode(), value.encode()) for name, value in ({"host": "localhost:7860"} | headers).items()]
    scope = {"type": "http", "scheme": "http", "client": (peer, 5000), "headers": sent, "path": "/"}
    nothing: Any = None
    asyncio.run(Forwarded(app, proxies, relay)(scope, nothing, nothing))
    arrived = {name.decode(): value.decode() for name, value in seen["headers"]}
    return seen["scheme"], arrived["host"], seen["client"][0], arrived


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "192.168.1.20", "10.0.0.3"])
@pytest.mark.parametrize("proxies", [(), ("10.0.0.2",), ("172.16.0.0/12",)])
def test_what_nobody_named_says_is_without_effect(peer: str, proxies: tuple[str, ...]) -> None:
    scheme, host, client, headers = settle(FORGED, peer, proxies)
    assert (scheme, host, client) == ("http", "localhost:7860", peer)
    assert headers.keys() == {"host"}


@pytest.mark.parametrize("peer", ["10.0.0.2", "::ffff:10.0.0.2"])
def test_what_a_named_proxy_says_is_right(peer: str) -> None:
    headers = {"x-forwarded-host": "vision.school", "x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.4"}
    scheme, host, client, left = settle(headers, peer, ("10.0.0.0/24",))
    assert (scheme, host, client) == ("https", "vision.school", "198.51.100.4")
    assert left.keys() == {"host"}


def test_what_stands_before_a_named_proxys_word_is_a_visitors_and_does_not_count() -> None:
    chain = {
        "x-forwarded-host": "evil.example, vision.school",
        "x-forwarded-proto": "gopher, https",
        "x-forwarded-for": "127.0.0.1, 203.0.113.9, 198.51.100.4, 10.0.0.9",
    }
    assert settle(chain, "10.0.0.2", ("10.0.0.0/24",))[:3] == ("https", "vision.school", "198.51.100.4")


@pytest.mark.parametrize("host", ["a b", 'x"><script>', "evil.example/path", "-a", "user@host", ""])
def test_a_host_that_is_none_is_passed_over(host: str) -> None:
    told = settle({"x-forwarded-host": host, "x-forwarded-proto": "ftp"}, "10.0.0.2", ("10.0.0.2",))
    assert told[:2] == ("http", "localhost:7860")


def test_a_space_is_reached_by_its_own_proxies_only() -> None:
    headers = {
        "x-forwarded-host": "someone-demo.hf.space",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "203.0.113.9, 9.9.9.9, 10.1.2.3",
    }
    assert settle(headers, "10.20.0.7", SPACE)[:3] == ("https", "someone-demo.hf.space", "9.9.9.9")


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_a_share_links_visitors_come_from_this_machine_over_https(header: str) -> None:
    headers = {header: RELAY.host, "x-forwarded-for": "203.0.113.9, 9.9.9.9, 10.1.2.3"}
    assert settle(headers, relay=RELAY)[:3] == ("https", RELAY.host, "9.9.9.9")
    scheme, _, client, _ = settle(headers, "192.168.1.20", relay=RELAY)
    assert (scheme, client) == ("http", "192.168.1.20")
    assert settle(FORGED, relay=RELAY)[:3] == ("http", "localhost:7860", "127.0.0.1")
