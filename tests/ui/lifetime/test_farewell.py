"""The goodbye of a server, one part at a time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from demo.settings import Settings
from demo.ui.lifetime.farewell import Farewell, Guard
from demo.ui.server.errors import ServerEnding
from demo.ui.server.upload_folder import open_folder
from demo.ui.server.uploads import Uploads
from demo.visitors.errors import WorkCutShort
from demo.words.language import CHINESE, ENGLISH
from tests.patience import PATIENCE_S

ENDS, ENDS_CHINESE = ENGLISH.explain(ServerEnding()), CHINESE.explain(ServerEnding())
UPLOAD = {"Content-Type": "multipart/form-data; boundary=cut"}
PART = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'


class Line:
    """What the goodbye asks of queue and trainings, noted."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.is_busy = False

    def dismiss(self, error: object, *, runs_too: bool = False) -> None:
        self.told.append((type(error), runs_too))

    def stop_all(self, error: object) -> None:
        self.told.append(type(error))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def farewell(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Farewell:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    open_folder()
    monkeypatch.setattr("demo.ui.lifetime.farewell._DELIVER_S", 0.0)
    return Farewell(cast(Any, SimpleNamespace(scheduler=line)), cast(Any, line), Uploads(Settings()))


async def beat(_request: Request) -> StreamingResponse:
    async def stream() -> AsyncIterator[str]:
        yield "data: ALIVE\n\n"
        await asyncio.sleep(PATIENCE_S)

    return StreamingResponse(stream())


async def answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


def serve(farewell: Farewell) -> Starlette:
    routes = [
        Route("/gradio_api/heartbeat/{page}", beat),
        Route("/gradio_api/upload", farewell._uploads.receive, methods=["POST"]),
        Route("/{path:path}", answer, methods=["GET", "POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, farewell=farewell)])


def test_open_pages_are_told_and_nothing_new_is_taken(farewell: Farewell, line: Line) -> None:
    app, heard = serve(farewell), list[bytes]()

    async def listen() -> None:
        sent = asyncio.Event()

        async def hear(message: Any) -> None:
            heard.append(message.get("body", b""))

        async def stay() -> Any:
            await sent.wait()

        scope = {"type": "http", "method": "GET", "path": "/gradio_api/heartbeat/a", "headers": [], "query_string": b""}
        page = asyncio.create_task(app(scope, stay, hear))
        while b"data: ALIVE\n\n" not in heard:
            await asyncio.sleep(0.01)
        await farewell._say()
        page.cancel()

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            chinese = {"Accept-Language": "zh-CN"}
            return [
                await client.get("/"),
                await client.post("/gradio_api/queue/join", headers=chinese),
                await client.post("/gradio_api/upload", headers={"Referer": "http://page/zh"}),
                await client.get("/gradio_api/queue/data"),
                await client.get("/gradio_api/file=head.zip"),
                await client.post("/gradio_api/cancel"),
            ]

    asyncio.run(asyncio.wait_for(listen(), PATIENCE_S))
    assert heard[-1] == b"data: ENDING\n\n"
    assert line.told == [(ServerEnding, False), WorkCutShort, (WorkCutShort, True)]
    assert farewell.listening == set()
    page, event, upload, stream, file, cancel = asyncio.run(asyncio.wait_for(ask(), PATIENCE_S))
    assert (page.status_code, page.text) == (503, ENDS)
    assert (event.status_code, event.json()) == (503, {"detail": ENDS_CHINESE})
    assert (upload.status_code, upload.text) == (503, ENDS_CHINESE)
    assert [each.text for each in (stream, file, cancel)] == ["here"] * 3


def test_an_upload_that_comes_in_ends_with_the_sentence_and_leaves_nothing(farewell: Farewell, tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield PART
        await farewell._say()
        for _ in range(100):
            yield bytes(1000)

    async def send() -> httpx.Response:
        # What is refused within the gate alone: the guard has let the upload in before the end began.
        app = Starlette(routes=[Route("/gradio_api/upload", farewell._uploads.receive, methods=["POST"])])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client:
            return await client.post("/gradio_api/upload", headers=UPLOAD, content=pieces())

    refused = asyncio.run(asyncio.wait_for(send(), PATIENCE_S))
    assert (refused.status_code, refused.text) == (503, ENDS)
    assert [each.name for each in tmp_path.glob("demo-*/*")] == [".lock"]
