"""Connections, counted at a server of their own with few places."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.settings import Settings
from demo.ui.budgets.connections import Connections, counted
from demo.ui.budgets.errors import PageFull, TooManyConnections
from demo.words.language import CHINESE, ENGLISH
from tests.patience import PATIENCE_S, wait_for

PROXY, HERE, FIRST, SECOND = "127.0.0.9", "127.0.0.1", "127.0.0.2", "127.0.0.3"
FEW = replace(Settings(), max_connections=8, max_connections_of_address=4, idle_connection_s=0.4)


class Host:
    """A server with few places, and its visitors, who come from several addresses of this machine."""

    def __init__(self, settings: Settings) -> None:
        self.budget = Connections(settings, lambda address: address == PROXY)
        self._over = threading.Event()
        routes = [Route("/stream", self._stream), Route("/{path:path}", self._answer)]
        options: Any = {"http": counted(self.budget), "ws": "none", "log_config": None, "lifespan": "off"}
        self._server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, **options))
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_for(lambda: self._server.started)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]
        self._open = ExitStack()

    def close(self) -> None:
        self._open.close()
        self._over.set()
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)

    async def _answer(self, _request: Request) -> Response:
        return PlainTextResponse("answered")

    async def _stream(self, _request: Request) -> Response:
        async def words() -> Any:
            while not self._over.is_set():
                yield "word "
                await asyncio.sleep(0.05)

        return StreamingResponse(words())

    def connect(self, address: str, asked: str = "") -> socket.socket:
        """Open a connection, and send the head of a request by it, or nothing."""
        place = (HERE, self._port)
        connection = self._open.enter_context(socket.create_connection(place, PATIENCE_S, source_address=(address, 0)))
        connection.settimeout(PATIENCE_S)
        if asked:
            connection.sendall(f"GET {asked} HTTP/1.1\r\nHost: a\r\nAccept-Language: zh\r\n\r\n".encode())
        return connection

    def ask(self, address: str, path: str = "/") -> str:
        connection = self.connect(address, path)
        answer = b""
        while b"answered" not in answer and (part := _receive(connection)):
            answer += part
        return answer.decode()

    def stream(self, address: str) -> socket.socket:
        connection = self.connect(address, "/stream")
        assert b"200 OK" in _receive(connection)
        return connection


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except ConnectionError:
        return b""


def is_over(connection: socket.socket) -> bool:
    """Wait until the other end has closed a connection."""
    while part := _receive(connection):
        assert part
    return True


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host(FEW)
    yield host
    host.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost"])
def test_who_asks_nothing_is_let_go_and_who_waits_for_an_answer_is_not(host: Host, begun: bytes) -> None:
    stream, silent = host.stream(FIRST), host.connect(FIRST)
    silent.sendall(begun)
    assert is_over(silent)
    time.sleep(0.5)
    assert b"word" in _receive(stream)
    wait_for(lambda: len(host.budget) == 1)


def test_silent_connections_give_way_to_those_that_ask(host: Host) -> None:
    silent = [host.connect(FIRST) for _ in range(12)]
    assert "answered" in host.ask(FIRST)
    assert "answered" in host.ask(SECOND)
    assert is_over(silent[0])


def test_who_has_all_of_ones_places_is_told_so_and_operators_are_answered(host: Host) -> None:
    streams = [host.stream(FIRST) for _ in range(4)]
    refused = host.ask(FIRST)
    assert refused.startswith("HTTP/1.1 429 ")
    assert CHINESE.explain(TooManyConnections(limit=4)) in refused
    assert "answered" in (told := host.ask(FIRST, "/healthz"))
    assert "connection: close" in told
    assert "answered" in host.ask(SECOND)
    assert all(b"word" in _receive(each) for each in streams)


def test_where_all_places_are_taken_who_has_most_gives_way(host: Host) -> None:
    crowd = [host.stream(each) for each in (FIRST, SECOND) for _ in range(4)]
    assert "answered" in host.ask(HERE)
    assert is_over(crowd[0])
    assert b"word" in _receive(crowd[-1])


def test_a_page_that_is_full_of_people_with_few_each_says_so() -> None:
    host = Host(replace(FEW, max_connections=4, max_connections_of_address=2))
    try:
        streams = [host.stream(f"127.0.0.{each}") for each in range(20, 24)]
        refused = host.ask(HERE)
        assert refused.startswith("HTTP/1.1 503 ")
        assert CHINESE.explain(PageFull()) in refused
        streams[0].close()
        wait_for(lambda: "answered" in host.ask(HERE))  # places are given back
    finally:
        host.close()


def test_a_proxy_that_is_named_has_many_visitors(host: Host) -> None:
    streams = [host.stream(PROXY) for _ in range(7)]
    assert "answered" in host.ask(PROXY)
    assert all(b"word" in _receive(each) for each in streams)


@pytest.mark.parametrize(
    ("num_files", "in_all", "of_address"), [(None, 4000, 600), (65_536, 4000, 600), (400, 236, 118)]
)
def test_files_are_left_for_uploads_where_the_system_allows_few(
    num_files: int | None, in_all: int, of_address: int
) -> None:
    budget = Connections(Settings(), lambda _address: False, num_files)
    assert (budget.in_all, budget.of_address) == (in_all, of_address)
    assert ENGLISH.explain(TooManyConnections(limit=of_address)).startswith(f"Your network has {of_address} ")
