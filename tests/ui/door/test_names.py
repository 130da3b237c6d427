"""By which names the page is called, and that pages of other sites can have nothing done here."""

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from demo.entrance import Entrance
from demo.ui.door.errors import HostUnknown, OriginForeign
from demo.ui.door.forwarded import PROXIED
from demo.ui.door.front import FrontDoor
from demo.ui.door.names import Names
from demo.visitors.rooms import Rooms
from demo.words.language import CHINESE, ENGLISH
from tests.served import Server

LAN = Entrance(is_reachable=True)
HERE, EVIL = "127.0.0.1:7860", "http://evil.example"
UPLOAD, JOIN = "/gradio_api/upload", "/gradio_api/queue/join"


def ask(
    entrance: Entrance, host: str, method: str = "GET", path: str = "/", *, is_proxied: bool = False, **headers: Any
) -> httpx.Response:
    """Send a request with headers, named with _ for -, to an app that permits every site to read its answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        permits = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}
        await PlainTextResponse("answered", headers=permits)(scope, receive, send)

    async def marked(scope: Any, receive: Any, send: Any) -> None:
        await Names(app, entrance)({**scope, PROXIED: is_proxied}, receive, send)

    async def live() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(marked), base_url="http://any") as client:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, headers={"Host": host, **sent})

    return asyncio.run(live())


def answered(*asked: Any, **headers: Any) -> bool:
    return ask(*asked, **headers).status_code == 200


def test_a_page_on_this_machine_answers_to_its_names_alone() -> None:
    ours = ["localhost", HERE, "[::1]:7860", "0.0.0.0:7860", "127.0.0.5", "vision.localhost:7860", "LOCALHOST.:80"]
    others = [
        "rebind.example:7860",
        "192.168.1.5:7860",
        "school-server",
        "localhost.evil.example",
        "a b",
        "127.0.0.1.x",
    ]
    assert [each for each in ours if not answered(Entrance(), each)] == []
    assert [each for each in others if ask(Entrance(), each).status_code != 421] == []


def test_a_page_for_others_answers_to_what_nobody_can_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "lab7.uni.example")
    ours = [
        HERE,
        "192.168.1.5:7860",
        "[fe80::1]",
        "203.0.113.9",
        "page:7860",
        "annas-mac.local",
        "pc.lan",
        "lab7.uni.example",
    ]
    others = ["rebind.example", "evil.lan.example", "lab7.evil.example", "local.example:7860"]
    assert [each for each in ours if not answered(LAN, each)] == []
    assert [each for each in others if ask(LAN, each).status_code != 421] == []


def test_names_that_it_was_given_and_those_that_a_named_proxy_knows_are_its_own() -> None:
    named = Entrance(hosts=("vision.school", "*.lab.example"), known_as=("someone-demo.hf.space",))
    assert all(answered(named, each) for each in ("vision.school:7860", "a.lab.example", "someone-demo.hf.space", HERE))
    assert not answered(named, "vision.school.evil.example")
    assert answered(Entrance(), "vision.school", is_proxied=True)
    assert not answered(named, "other.school", is_proxied=True), "who names names means these"


def test_a_strange_name_is_told_what_to_do() -> None:
    told = ask(Entrance(), "rebind.example:7860", accept="text/html", accept_language="zh")
    assert told.text == CHINESE.explain(HostUnknown(host="rebind.example"))
    assert told.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", [UPLOAD, JOIN, "/login", "/gradio_api/call/predict"])
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_other_sites_have_nothing_done(method: str, path: str) -> None:
    foreign: list[dict[str, Any]] = [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://localhost:7860"},
        {"origin": "http://[::1"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "https://127.0.0.1:7860", "sec_fetch_site": "cross-site"},
    ]
    for headers in foreign:
        refused = ask(Entrance(), HERE, method, path, **headers)
        is_same_host = headers.get("origin", "").startswith("https://127")
        assert (refused.status_code == 403) != is_same_host, headers
        assert "access-control-allow-origin" not in refused.headers or is_same_host


def test_programs_the_page_itself_and_links_from_elsewhere_are_answered() -> None:
    own: list[dict[str, str]] = [
        {},
        {"origin": "http://127.0.0.1:7860"},
        {"origin": "http://upstream.example", "sec_fetch_site": "same-origin"},  # behind a proxy that changes the host
    ]
    assert all(answered(Entrance(), HERE, "POST", JOIN, **headers) for headers in own)
    assert answered(
        Entrance(hosts=("vision.school",)), "vision.school", "POST", JOIN, origin="https://vision.school:8443"
    )
    assert answered(Entrance(known_as=("a.hf.space",)), HERE, "POST", JOIN, origin="https://a.hf.space")
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert answered(Entrance(), HERE, **link)
    assert answered(Entrance(), HERE, "GET", "/gradio_api/openapi.json", **link)
    assert not answered(Entrance(), HERE, "GET", "/gradio_api/heartbeat/x", sec_fetch_site="cross-site")


def test_what_other_sites_get_they_may_not_read() -> None:
    told = ask(Entrance(), HERE, "GET", "/config", origin=EVIL)
    assert not [name for name in told.headers if name.startswith("access-control")]


@pytest.fixture(scope="module")
def permitting(settings: Any) -> Any:
    """The whole door of a page that pages of some sites may call, before an app."""
    from dataclasses import replace

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("answered")(scope, receive, send)

    def stand(*origins: str) -> Any:
        return FrontDoor(Rooms.of(replace(settings, entrance=Entrance(origins=origins))), dict)._stand_before(app)

    return stand


@pytest.mark.parametrize(
    ("origins", "asking", "permitted"),
    [
        (("https://blog.school",), "https://blog.school", "https://blog.school"),
        (("https://*.school",), "https://blog.school", "https://blog.school"),
        (("*",), EVIL, "*"),
        (("https://blog.school",), EVIL, None),
        (("https://blog.school",), "https://blogxschool", None),
    ],
)
def test_a_site_that_is_named_may_call_from_a_browser(
    permitting: Any, origins: tuple[str, ...], asking: str, permitted: str | None
) -> None:
    async def live() -> list[httpx.Response]:
        transport = httpx.ASGITransport(permitting(*origins))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HERE}") as client:
            asked = {"Origin": asking, "Access-Control-Request-Method": "POST", "Sec-Fetch-Site": "cross-site"}
            return [await client.options(JOIN, headers=asked), await client.post(JOIN, headers=asked)]

    answers = asyncio.run(live())
    assert {each.headers.get("access-control-allow-origin") for each in answers} == {permitted}
    credentials = "true" if permitted not in (None, "*") else None
    assert {each.headers.get("access-control-allow-credentials") for each in answers} == {credentials}
    assert answers[1].status_code == (200 if permitted else 403)


def test_on_the_served_page_nothing_is_written_for_them(server: Server) -> None:
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    before = set(folder.rglob("*"))
    forged = [{"Host": "rebind.example"}, {"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
    for headers in forged:
        sent = httpx.post(server.url + UPLOAD, files={"files": b"a"}, headers=headers, verify=False)
        assert sent.status_code in (403, 421)
        assert sent.headers.get("access-control-allow-origin") is None
    assert set(folder.rglob("*")) <= before  # of which some may be swept meanwhile
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    preflight = httpx.options(server.url + JOIN, headers=asked, verify=False)
    assert preflight.json()["detail"] == ENGLISH.explain(OriginForeign(origin=EVIL))
    assert preflight.headers.get("access-control-allow-origin") is None
    own = httpx.post(server.url + UPLOAD, files={"files": b"a"}, headers={"Origin": server.url}, verify=False)
    assert own.status_code == 200
