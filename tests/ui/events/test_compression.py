"""Answers in streams are compressed, and leave event by event."""

import asyncio
import zlib
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from demo.ui.events.compression import Compression
from demo.ui.server.internals import API_PREFIX
from tests.visitor import Visit

EVENTS = [b"data: starts\n\n", b"data: " + b"Espresso " * 100 + b"\n\n"]


async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
        }
    )
    for event in EVENTS:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def read(path: str, accepted: bytes = b"gzip, deflate") -> tuple[dict[bytes, bytes], list[bytes]]:
    """Return the headers and the pieces in which a stream at a path comes."""
    told: list[Message] = []

    async def take(message: Message) -> None:
        told.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept-encoding", accepted)]}
    asyncio.run(Compression(stream)(scope, None, take))  # type: ignore[arg-type]
    return dict(told[0]["headers"]), [each["body"] for each in told[1:]]


@pytest.mark.parametrize("path", ["/queue/data", "/call/predict/1"])
def test_each_event_of_an_answer_can_be_read_at_once(path: str) -> None:
    headers, pieces = read(API_PREFIX + path)
    assert headers[b"content-encoding"] == b"gzip"
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert [reader.decompress(each) for each in pieces] == [*EVENTS, b""]
    assert reader.eof
    assert sum(map(len, pieces)) < sum(map(len, EVENTS)) / 4


@pytest.mark.parametrize(("path", "accepted"), [("/queue/data", b"br"), ("/heartbeat/1", b"gzip"), ("/mcp", b"gzip")])
def test_what_nobody_could_read_and_what_says_little_is_sent_as_it_is(path: str, accepted: bytes) -> None:
    headers, pieces = read(API_PREFIX + path, accepted)
    assert b"content-encoding" not in headers
    assert pieces == [*EVENTS, b""]


def test_the_page_sends_its_answers_so(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, codings = visit(), []
    monkeypatch.setattr(
        visitor._http,
        "event_hooks",
        {"response": [lambda answer: codings.append(answer.headers.get("content-encoding"))], "request": []},
    )
    visitor.call("choose_example", "", of="example-cat")
    assert codings == [None, "gzip"]  # the event is taken with a few bytes, and answered in a stream
