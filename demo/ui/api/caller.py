"""Calls of the API from within this process, by the same gate and in the same lines as a program's own calls."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from starlette.types import Message, Scope

# What a call has of its own; everything else, such as the language, the cookies and the address, is its caller's.
_OWN_HEADERS = (b"accept", b"accept-encoding", b"content-length", b"content-type", b"transfer-encoding")
_COPIED = ("asgi", "http_version", "scheme", "server", "client", "root_path")


class CallRefused(Exception):
    """A call was refused, with the sentence that a program would be told."""


class Caller:
    """Calls functions for whoever sent a request, and in their name: turns and limits count for them."""

    def __init__(self, scope: Scope, prefix: str) -> None:
        """Call for the sender of a request.

        Args:
            scope: The request's; its `app` is what is called.
            prefix: Path of gradio's routes as this request sees it.
        """
        self._scope, self._prefix = scope, prefix

    async def ask(self, name: str, values: dict[str, Any]) -> AsyncGenerator[tuple[str, list[Any]], None]:
        """Call a function, and yield ("generating", outputs) for its progress and ("complete", outputs) in the end.

        Raises:
            CallRefused: If it was refused, or cannot be answered.
        """
        path = f"{self._prefix}/call/v2/{name}"
        content = b"".join([each async for each in self._request("POST", path, json.dumps(values).encode())])
        event_id, buffer = _read_answer(content)["event_id"], b""
        async with aclosing(self._request("GET", f"{path}/{event_id}")) as stream:
            async for chunk in stream:
                *messages, buffer = (buffer + chunk).split(b"\n\n")
                for event, data in map(_read_message, messages):
                    if event == "error":
                        raise CallRefused(data.get("error") if isinstance(data, dict) else str(data))
                    if event in ("generating", "complete"):
                        yield event, data

    async def _request(self, method: str, path: str, body: bytes = b"") -> AsyncGenerator[bytes, None]:
        """Yield the body of an answer as it comes; whoever closes the stream has left."""
        messages: asyncio.Queue[Message | None] = asyncio.Queue()
        has_left, sent = asyncio.Event(), iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            for message in sent:
                return message
            await has_left.wait()
            return {"type": "http.disconnect"}

        async def run() -> None:
            try:
                await self._scope["app"](self._make_scope(method, path, len(body)), receive, messages.put)
            finally:
                messages.put_nowait(None)

        running = asyncio.create_task(run())
        try:
            while (message := await messages.get()) is not None:
                yield message.get("body", b"")
            await running
        finally:
            has_left.set()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def _make_scope(self, method: str, path: str, num_bytes: int) -> Scope:
        headers = [(name, value) for name, value in self._scope["headers"] if name not in _OWN_HEADERS]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(num_bytes).encode())]
        return {
            **{name: self._scope[name] for name in _COPIED if name in self._scope},
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
        }


def _read_answer(content: bytes) -> dict[str, Any]:
    """Return the answer to a call that was taken on.

    Raises:
        CallRefused: If it says why it was not.
    """
    with suppress(ValueError):
        answer = json.loads(content)
        if isinstance(answer, dict) and "event_id" in answer:
            return answer
        if isinstance(answer, dict) and "detail" in answer:
            raise CallRefused(str(answer["detail"]))
    raise CallRefused(content.decode(errors="replace")[:200])


def _read_message(message: bytes) -> tuple[str, Any]:
    """Return the kind and the data of one event of a stream."""
    fields = dict(line.split(": ", 1) for line in message.decode().splitlines() if ": " in line)
    return fields.get("event", ""), json.loads(fields.get("data", "null"))
