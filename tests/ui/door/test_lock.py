"""Without the password nothing answers but the login."""

import asyncio
import base64
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from demo.ui.door.lock import Lock
from demo.words.language import CHINESE, ENGLISH, Words

INSIDE = "what is behind the door"
PASSWORD = "k7mp-2xwd-9hqt"
BROWSER = {"accept": "text/html,application/xhtml+xml"}
# Of everything that the page is made of, one.
PATHS = [
    *("/", "/zh", "/zh/teacher", "/worksheet", "/config", "/theme.css", "/assets/index-1.js", "/qr.svg", "/metrics"),
    *("/gradio_api/info", "/gradio_api/queue/data", "/gradio_api/heartbeat/x", "/gradio_api/file=a", "/robots.txt"),
    *("/healthz/", "/HEALTHZ", "//healthz", "/a/healthz", "/login", "/nowhere"),
]
POSTED = ["/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/call/predict", "/gradio_api/cancel", "/healthz"]


class House:
    """A locked house, and a visitor with a browser or a program."""

    def __init__(
        self, scheme: str = "http", frames: tuple[str, ...] = (), *, password: str = PASSWORD, **options: Any
    ) -> None:
        self.entered: list[str] = []
        self.lock = Lock(self._open, password, frames, **options)
        self.scheme = scheme

    async def _open(self, scope: Any, receive: Any, send: Any) -> None:
        self.entered.append(scope["path"])
        await PlainTextResponse(INSIDE)(scope, receive, send)

    def send(self, method: str, path: str, *, address: str = "192.168.1.20", **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.lock, client=(address, 5000))
            async with httpx.AsyncClient(transport=transport, base_url=f"{self.scheme}://school:7860") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def log_in(self, password: str = PASSWORD, **options: Any) -> httpx.Response:
        return self.send("POST", "/login", data={"password": password}, **options)


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


@pytest.mark.parametrize("headers", [{}, BROWSER, {"authorization": "Bearer wrong"}, {"cookie": "demo_pass_7860=x"}])
def test_nothing_answers_without_the_password(headers: dict[str, str]) -> None:
    house = House()
    house.send("GET", "/gradio_api/startup-events")  # gradio's own first request
    house.entered.clear()
    asked = [("GET", path) for path in PATHS] + [("POST", path) for path in POSTED] + [("PUT", "/"), ("OPTIONS", "/")]
    answers = [house.send(method, path, headers=headers) for method, path in asked]
    assert [each.status_code for each in answers if each.status_code not in (401, 429)] == []
    assert all(INSIDE not in each.text for each in answers)
    assert house.entered == []


def test_only_the_first_of_gradios_own_requests_needs_no_password_and_no_other_does() -> None:
    house = House()
    assert [house.send("GET", "/gradio_api/startup-events").status_code for _ in range(2)] == [200, 401]


def test_whether_the_server_is_alive_is_told_to_everybody() -> None:
    assert House().send("GET", "/healthz").text == INSIDE


def test_a_socket_is_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": []}
    nothing: Any = None
    asyncio.run(House().lock(scope, nothing, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_browser_logs_in_once_and_comes_to_the_page_that_it_wanted() -> None:
    house = House()
    shown = house.send("GET", "/zh/teacher?a=1", headers=BROWSER)
    assert 'name="next" value="teacher?a=1"' in shown.text
    entry = house.send("POST", "/zh/login", data={"password": PASSWORD, "next": "teacher?a=1"}, headers=BROWSER)
    assert (entry.status_code, entry.headers["location"]) == (303, "teacher?a=1")
    assert house.send("GET", "/zh/teacher", headers=BROWSER | cookie_of(entry)).text == INSIDE
    assert house.send("POST", "/gradio_api/upload", headers=cookie_of(entry)).text == INSIDE


@pytest.mark.parametrize(
    "place", ["https://evil.example", "//evil.example", "/\\evil", "a/b", "x\r\nSet-Cookie: a=b", ""]
)
def test_the_login_leads_nowhere_else(place: str) -> None:
    entry = House().send("POST", "/login", data={"password": PASSWORD, "next": place}, headers=BROWSER)
    assert entry.headers["location"] == "./"


def test_pages_behind_one_address_let_in_whom_another_has_and_nobody_else() -> None:
    key = "a secret of all pages, of 24 signs"
    entry = cookie_of(House(key=key).log_in())
    assert House(key=key).send("GET", "/config", headers=entry).text == INSIDE
    others = (House(), House(key=key + "x"), House(key=key, password=PASSWORD + "x"))
    assert [each.send("GET", "/config", headers=entry).status_code for each in others] == [401, 401, 401]
    assert House().send("GET", "/config", headers=cookie_of(House().log_in())).status_code == 401  # each its own


def authorizations() -> list[dict[str, str]]:
    basic = base64.b64encode(f"anybody:{PASSWORD}".encode()).decode()
    bearer = f"Bearer {PASSWORD}"
    return [{"Authorization": bearer}, {"X-HF-Authorization": bearer}, {"Authorization": f"Basic {basic}"}]


@pytest.mark.parametrize("headers", authorizations())
def test_a_program_sends_the_password_with_each_request(headers: dict[str, str]) -> None:
    answer = House().send("GET", "/config", headers=headers)
    assert answer.text == INSIDE
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "form", [{"data": {"username": "a", "password": PASSWORD}}, {"files": {"password": (None, PASSWORD)}}]
)
def test_gradios_clients_log_in_by_their_own_form(form: Any) -> None:
    entry = House().send("POST", "/login", **form)
    assert entry.json() == {"success": True}
    assert "HttpOnly" in entry.headers["set-cookie"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": b"x" * 10_000},
        {"data": {"pass": PASSWORD}},
        {"data": {"password": PASSWORD + "x"}},
        {"json": {"password": PASSWORD}},
        {"files": {"password": ("a.txt", PASSWORD)}},
        {"content": b"--x", "headers": {"content-type": "multipart/form-data"}},
    ],
)
def test_a_form_without_the_password_is_refused(body: Any) -> None:
    answer = House().send("POST", "/login", **body)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("scheme", "frames", "rule"),
    [
        ("http", (), "SameSite=Lax"),
        ("https", (), "SameSite=Lax; Secure"),
        ("https", ("https://moodle.school",), "SameSite=None; Secure; Partitioned"),
        ("http", ("https://moodle.school",), "SameSite=Lax"),
    ],
)
def test_a_cookie_is_sent_within_a_frame_only_where_that_is_asked_for_and_safe(
    scheme: str, frames: tuple[str, ...], rule: str
) -> None:
    told = House(scheme, frames).log_in().headers["set-cookie"]
    assert told.endswith(f"; Path=/; HttpOnly; {rule}")


def test_the_login_page_loads_nothing_and_is_shown_by_the_named_sites_alone() -> None:
    headers = House(frames=("https://moodle.school",)).send("GET", "/", headers=BROWSER).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'nonce-")
    assert headers["content-security-policy"].endswith("frame-ancestors 'self' https://moodle.school")
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize(
    ("path", "headers", "words"),
    [
        ("/", {}, ENGLISH),
        ("/zh", {}, CHINESE),
        ("/zh/quiz", {}, CHINESE),
        ("/", {"accept-language": "zh-CN"}, CHINESE),
        ("/login", {"referer": "http://school:7860/zh"}, CHINESE),
    ],
)
def test_the_login_speaks_the_language_of_the_page_or_of_the_visitor(
    path: str, headers: dict[str, str], words: Words
) -> None:
    text = House().send("GET", path, headers=BROWSER | headers).text
    assert f'<html lang="{words.language}">' in text
    assert words.door.lead in text


def test_a_password_that_is_read_out_is_seen_while_it_is_typed() -> None:
    kinds = [House(is_spoken=each).send("GET", "/", headers=BROWSER).text for each in (True, False)]
    assert ['type="password"' in each for each in kinds] == [False, True]


def test_one_address_soon_has_to_wait_and_others_do_not() -> None:
    house = House()
    statuses = [house.log_in(f"guess {number}").status_code for number in range(25)]
    assert statuses == [401] * 20 + [429] * 5
    refused = house.log_in(headers=BROWSER)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert house.log_in(address="192.168.1.21").status_code == 200
    entered = cookie_of(house.log_in(address="192.168.1.21"))
    assert house.send("GET", "/", headers=entered).status_code == 200, "who is in stays in"
