"""The balancer: whose cookie leads where, what is passed on as it comes, and what its files say."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.balancer import CONFIGURATION, COOKIE, PAGES, Balancer, balancing, find_haproxy
from tests.conftest import PROJECT
from tests.patience import PATIENCE_S

COMPOSE = yaml.safe_load((PROJECT / "compose.pages.yaml").read_text(encoding="utf-8"))


# What the files say.


def test_the_balancer_takes_its_file_and_knows_the_pages_of_the_compose_file() -> None:
    checked = subprocess.run([find_haproxy(), "-c", "-f", str(CONFIGURATION)], capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stderr
    assert [name for name in COMPOSE["services"] if name.startswith("page-")] == list(PAGES)
    servers = [line.split() for line in CONFIGURATION.read_text().splitlines() if line.strip().startswith("server ")]
    assert [each[1] for each in servers] == [each[each.index("cookie") + 1] for each in servers] == list(PAGES)
    assert [each[2].partition("-")[2].strip('}"') for each in servers] == [f"{name}:7860" for name in PAGES]


def test_each_page_has_limits_and_a_place_of_its_own_and_all_have_one_key() -> None:
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    own = [COMPOSE["services"][name] for name in PAGES]
    single = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))["services"]["page"]
    assert single["environment"]["DEMO_PROXY"] == network["subnet"]
    assert f"BALANCER_PROXY-{network['subnet']}" in CONFIGURATION.read_text()
    for each in own:
        assert each["extends"] == {"file": "compose.yaml", "service": "page"}
        assert each["cpus"]
        assert each["mem_limit"]
        assert each["environment"]["DEMO_SEAL_KEY"].startswith("${DEMO_SEAL_KEY:?")
    places = [volume.partition(":")[0] for each in own for volume in each["volumes"]]
    assert len(places) == len(set(places)) == len(PAGES)
    assert {*places, "certificates"} == set(COMPOSE["volumes"])
    assert [name for name, each in COMPOSE["services"].items() if "ports" in each] == ["proxy"]
    assert COMPOSE["services"]["proxy"]["environment"]["PAGE"] == "balancer:8080"


# What the balancer does, before pages that do next to nothing.


class Page(ThreadingHTTPServer):
    """A page that says which one it is, and hands out events and takes a body piece by piece."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.name, self.is_ready = name, True
        self.heard, self.begun = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Page

    def do_GET(self) -> None:
        if self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            if self.server.heard.wait(PATIENCE_S):
                self.wfile.write(b"data: second\n\n")
            self.close_connection = True
        elif self.path == "/healthz":
            self._end(200 if self.server.is_ready else 503, b"")
        else:
            told = [[name.lower(), value] for name, value in self.headers.items()]
            self._end(200, json.dumps({"page": self.server.name, "headers": told}).encode())

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read1(min(left, 65_536)))
            self.server.begun.set()
        self._end(200, b"")

    def _end(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # so that a page that has ended answers nothing more
        self.end_headers()
        if body:
            self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[list[Page]]:
    find_haproxy()
    opened = [Page("page-1"), Page("page-2")]
    yield opened
    for page in opened:
        page.end()


@contextmanager
def before(pages: list[Page], log: Path, **options: str) -> Iterator[Balancer]:
    with balancing(log, *(f"127.0.0.1:{page.server_port}" for page in pages), **options) as balancer:
        yield balancer


@contextmanager
def browser(balancer: Balancer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=balancer.url, timeout=PATIENCE_S, verify=False) as client:
        yield client


def whose(client: httpx.Client) -> str:
    return str(client.get("/").raise_for_status().json()["page"])


def newcomers(balancer: Balancer, count: int = 4) -> set[str]:
    with ExitStack() as stack:
        return {whose(stack.enter_context(browser(balancer))) for _ in range(count)}


def test_a_cookie_leads_back_and_is_followed_while_a_page_takes_nobody_new(pages: list[Page], tmp_path: Path) -> None:
    with before(pages, tmp_path / "log") as balancer, browser(balancer) as visitor:
        home = whose(visitor)
        other = next(page.name for page in pages if page.name != home)
        assert {whose(visitor) for _ in range(5)} == {home}
        assert visitor.cookies[COOKIE] == home
        assert newcomers(balancer) == {page.name for page in pages}
        balancer.tell(f"set server pages/{home} state drain")
        assert newcomers(balancer) == {other}
        assert whose(visitor) == home
        assert "used_cur" in balancer.tell("show servers conn pages")
        balancer.tell(f"set server pages/{home} state ready")
        assert home in newcomers(balancer)
        next(page for page in pages if page.name == home).end()
        assert whose(visitor) == other  # without an error, although nobody has noticed so far
        assert visitor.cookies[COOKIE] == other


@pytest.mark.slow
def test_a_page_that_is_not_ready_gets_nobody_and_without_any_a_sentence_says_so(
    pages: list[Page], tmp_path: Path
) -> None:
    for page in pages:
        page.is_ready = False
    with before(pages, tmp_path / "log") as balancer, browser(balancer) as visitor:
        balancer.wait_for("DOWN", "page-1", "page-2")
        refused = visitor.get("/")
        assert refused.status_code == 503
        assert "Please try again" in refused.text
        assert "请" in refused.text
        pages[1].is_ready = True
        balancer.wait_for("UP", "page-2")
        assert newcomers(balancer) == {"page-2"}


def test_events_and_bodies_are_passed_on_as_they_come(pages: list[Page], tmp_path: Path) -> None:
    with before(pages, tmp_path / "log") as balancer, browser(balancer) as visitor:
        page = next(each for each in pages if each.name == whose(visitor))
        with visitor.stream("GET", "/events") as response:
            lines = response.iter_lines()
            assert next(lines) == "data: first"
            page.heard.set()
            assert [line for line in lines if line] == ["data: second"]

        def send() -> Iterator[bytes]:
            yield bytes(100_000)
            assert page.begun.wait(PATIENCE_S), "nothing came before the end of the body"
            yield bytes(100_000)

        visitor.post("/upload", content=send(), headers={"Content-Length": "200000"}).raise_for_status()


def test_where_a_request_came_from_is_believed_of_the_proxy_alone(pages: list[Page], tmp_path: Path) -> None:
    said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "vision.school"}
    said |= {"Forwarded": "for=203.0.113.7", "Cookie": "mine=1"}
    for proxy, chain in (("127.0.0.1", ["203.0.113.7", "127.0.0.1"]), ("192.0.2.1", ["127.0.0.1"])):
        with before(pages, tmp_path / "log", proxy=proxy) as balancer:
            answer = httpx.get(balancer.url, headers=said, verify=False, timeout=PATIENCE_S)
        told = answer.json()["headers"]
        assert [value for name, value in told if name == "x-forwarded-for"] == chain
        is_believed = proxy == "127.0.0.1"
        others = {name for name, _ in told if name.startswith(("x-forwarded", "forwarded"))} - {"x-forwarded-for"}
        assert others == ({"x-forwarded-proto", "x-forwarded-host", "forwarded"} if is_believed else set())
        assert [value for name, value in told if name == "cookie"] == ["mine=1"]
        site = "SameSite=None; Secure; Partitioned" if is_believed else "SameSite=Lax"
        given = answer.headers["set-cookie"]
        assert given.startswith(f"{COOKIE}=page-")
        assert "HttpOnly" in given
        assert given.endswith(f"; {site}")
