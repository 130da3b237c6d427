"""What one address may have answered at once, and may send."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from demo.logs import Seldom
from demo.settings import MEGABYTE, Settings
from demo.ui.budgets.errors import PageFull, TooManyAtOnce, TooMuchSent
from demo.ui.budgets.requests import Requests
from demo.words.language import CHINESE, ENGLISH

SMALL = replace(
    Settings(),
    max_streams=3,
    max_streams_of_address=2,
    max_uploads_of_address=1,
    max_requests=2,
    max_requests_of_address=1,
    max_sent_bytes=3 * MEGABYTE,
    max_sent_bytes_of_address=2 * MEGABYTE,
    forgotten_bytes_per_s=1000,
)
STREAM, UPLOAD, EVENT = "/gradio_api/heartbeat/x", "/gradio_api/upload", "/gradio_api/queue/join"


class House:
    """A house whose answers wait until they may come."""

    def __init__(self) -> None:
        self.budget = Requests(self._answer, SMALL)
        self.may_answer = asyncio.Event()
        self.num_waiting = 0

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            while (await receive()).get("more_body"):
                pass
        self.num_waiting += 1
        await self.may_answer.wait()
        self.num_waiting -= 1
        await PlainTextResponse("answered")(scope, receive, send)

    async def send(self, method: str, path: str, *, of: str = "10.0.0.1", **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.budget, client=(of, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://school") as client:
            return await client.request(method, path, **options)

    @asynccontextmanager
    async def busy_with(self, *asked: tuple[str, str, str]) -> AsyncIterator[None]:
        """Have requests under way: method, path, address."""
        self.may_answer.clear()
        tasks = [asyncio.create_task(self.send(method, path, of=of)) for method, path, of in asked]
        while self.num_waiting < len(tasks):
            await asyncio.sleep(0.001)
        yield
        self.may_answer.set()
        assert {each.status_code for each in await asyncio.gather(*tasks)} <= {200}


@pytest.fixture(autouse=True)
def every_line_is_written() -> Iterator[None]:
    """Take off what holds lines back, where a page of this process has put it."""
    logger = logging.getLogger("demo.budgets")
    held = [each for each in logger.filters if isinstance(each, Seldom)]
    logger.filters = [each for each in logger.filters if each not in held]
    yield
    logger.filters += held


@pytest.mark.parametrize(
    ("kind", "method", "path", "most"),
    [("streams", "GET", STREAM, 2), ("uploads", "POST", UPLOAD, 1), ("requests", "POST", EVENT, 1)],
)
def test_who_has_as_much_as_one_may_is_told_and_nobody_else_waits_for_it(
    kind: str, method: str, path: str, most: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def live() -> None:
        house = House()
        async with house.busy_with(*[(method, path, "10.0.0.1")] * most):
            refused = await house.send(method, path, headers={"Accept-Language": "zh"})
            assert (refused.status_code, refused.headers["connection"]) == (429, "close")
            told = refused.text if kind == "uploads" else refused.json()["detail"]
            assert told == CHINESE.explain(TooManyAtOnce(limit=most))
            house.may_answer.set()
            assert (await house.send(method, path, of="10.0.0.2")).text == "answered"
        assert (await house.send(method, path)).text == "answered", "places are given back"
        lines = [each.getMessage() for each in caplog.records if each.name == "demo.budgets"]
        assert lines == [f"{kind} are refused: TooManyAtOnce"]

    asyncio.run(live())


def test_a_full_page_says_so_and_operators_are_answered_all_the_same() -> None:
    async def live() -> None:
        house = House()
        async with house.busy_with(*[("GET", STREAM, f"10.0.0.{each}") for each in range(3)]):
            refused = await house.send("GET", STREAM, of="10.0.0.9")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.json()["detail"] == ENGLISH.explain(PageFull())
            house.may_answer.set()
            assert (await house.send("GET", "/healthz")).text == "answered"
            assert (await house.send("GET", "/")).text == "answered", "streams leave requests their places"

    asyncio.run(live())


def test_bytes_are_counted_and_reading_goes_on() -> None:
    async def live() -> None:
        house = House()
        house.may_answer.set()
        for _ in range(2):
            assert (await house.send("POST", EVENT, content=bytes(MEGABYTE + 5000))).status_code == 200
        refused = await house.send("POST", EVENT, content=b"a")
        assert refused.status_code == 429
        assert refused.json()["detail"] == ENGLISH.explain(TooMuchSent(seconds=float(refused.headers["retry-after"])))
        assert (await house.send("GET", "/")).status_code == 200
        assert (await house.send("POST", EVENT, of="10.0.0.2", content=bytes(MEGABYTE))).status_code == 200
        assert (await house.send("POST", EVENT, of="10.0.0.3", content=b"a")).status_code == 503, "all together"

    asyncio.run(live())
