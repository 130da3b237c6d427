"""The script that sets the browser's language: in pages, in front of all others, and in nothing else."""

import asyncio
from typing import Any

import httpx
import pytest
from demo.ui.server.page_language import tell_language

from tests.served import Server

HTML = (b"content-type", b"text/html; charset=utf-8")
BODY = b'<!doctype html><html><head lang="en"><script>1</script></head><body><head></body></html>'


def pass_on(headers: list[tuple[bytes, bytes]], *bodies: bytes, status: int = 200, path: str = "/") -> list[Any]:
    """Return what comes out of the messages of one answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def serve() -> None:
        told = tell_language(path, send)
        await told({"type": "http.response.start", "status": status, "headers": list(headers)})
        for number, body in enumerate(bodies, 1):
            await told({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    asyncio.run(serve())
    return sent


def length(body: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", str(len(body)).encode())


@pytest.mark.parametrize(("path", "tag"), [("/", b'"en"'), ("/zh", b'"zh-CN"'), ("/deep/zh/", b'"zh-CN"')])
def test_the_script_comes_first_and_the_length_is_right(path: str, tag: bytes) -> None:
    start, body = pass_on([HTML, length(BODY)], BODY, path=path)
    before, after = BODY.split(b"<script>1", 1)
    assert body["body"].startswith(before + b"<script>\n")
    assert body["body"].endswith(b"</script><script>1" + after)
    assert b"own = " + tag in body["body"]
    assert dict(start["headers"])[b"content-length"] == length(body["body"])[1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([HTML], 200),
        ([HTML, length(BODY), (b"content-encoding", b"br")], 200),
        ([(b"content-type", b"application/json"), length(BODY)], 200),
        ([length(BODY)], 200),
        ([HTML, length(BODY)], 404),
        ([HTML, length(b"no head here")], 200),
    ],
    ids=["streamed", "compressed", "json", "unnamed", "missing", "headless"],
)
def test_all_else_is_passed_on_as_it_is(headers: list[tuple[bytes, bytes]], status: int) -> None:
    content = b"no head here" if length(b"no head here") in headers else BODY
    start, body = pass_on(headers, content, status=status)
    assert sorted(start["headers"]) == sorted(headers)
    assert body["body"] == content


def test_a_body_in_pieces_is_passed_on_as_it_is() -> None:
    start, *bodies = pass_on([HTML, length(BODY)], BODY[:40], BODY[40:])
    assert start["headers"] == [HTML, length(BODY)]
    assert b"".join(each["body"] for each in bodies) == BODY


@pytest.mark.parametrize(("path", "tag"), [("/", "en"), ("/zh", "zh-CN")])
def test_the_served_page_has_it_before_any_other_script(server: Server, path: str, tag: str) -> None:
    for coding in ("identity", "gzip, br"):
        answer = httpx.get(server.url + path, headers={"Accept-Encoding": coding}, verify=False)
        first = answer.text.partition("<script")[2].partition("</script>")[0]
        assert f'own = "{tag}"' in first
        assert "set-cookie" not in answer.headers
    assert httpx.head(server.url + path, verify=False).status_code == 200
