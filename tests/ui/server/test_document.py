"""What is done to documents: the script of the language in front of all others, and a first picture of the page."""

import asyncio
import gzip
import re
from typing import Any

import httpx
import pytest

from demo.ui.server.document import Document
from demo.words.language import CHINESE, ENGLISH, Words
from tests.served import Server

HTML = (b"content-type", b"text/html; charset=utf-8")
CONFIG = b"<script>window.gradio_config = {};</script><link rel=stylesheet>"
HEAD = b'<!doctype html><html lang="en"><head lang="en"><script>1</script>'
BODY = HEAD + CONFIG + b"</head><body class=b><gradio-app></gradio-app></body></html>"
DOCUMENT = Document("<script>own</script>", "b { color: red }", "<link preloads>")
DOCUMENT.examples = {words.language: f"<p>{words.language}</p>" for words in (ENGLISH, CHINESE)}


def pass_on(headers: list[tuple[bytes, bytes]], *bodies: bytes, status: int = 200, path: str = "/") -> list[Any]:
    """Return what comes out of the messages of one answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def serve() -> None:
        told = DOCUMENT.send(path, send)
        await told({"type": "http.response.start", "status": status, "headers": list(headers)})
        for number, body in enumerate(bodies, 1):
            await told({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    asyncio.run(serve())
    return sent


def length(body: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", str(len(body)).encode())


@pytest.mark.parametrize(
    ("path", "tag", "words"),
    [("/", b'"en"', ENGLISH), ("/zh", b'"zh-CN"', CHINESE), ("/deep/zh/", b'"zh-CN"', CHINESE)],
)
def test_the_language_comes_first_and_the_length_is_right(path: str, tag: bytes, words: Words) -> None:
    start, body = pass_on([HTML, length(BODY)], BODY, path=path)
    assert dict(start["headers"])[b"content-length"] == length(body["body"])[1]
    first = re.search(rb"<script>(.*?)</script>", body["body"], re.S)
    assert first is not None
    assert b"own = " + tag in first[1]
    assert b'<html lang="' + words.language.encode() in body["body"]
    assert f"<title>{words.page.title}</title>".encode() in body["body"]


def test_nothing_that_is_fetched_stands_before_the_first_picture() -> None:
    sent = DOCUMENT.rewrite("/zh", BODY)
    order = [
        b"<body class=b>",
        b'id="first"',
        b"<p>zh-Hans</p>",
        b"<script>own",
        b"<link preloads>",
        CONFIG,
        b"<gradio",
    ]
    places = [sent.index(each) for each in order]
    assert places == sorted(places)
    assert sent.count(CONFIG) == 1


def test_a_document_without_what_is_looked_for_stays_whole() -> None:
    assert DOCUMENT.rewrite("/", HEAD + b"</head><p>whole").endswith(b"<script>1</script></head><p>whole")


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
        answer = httpx.get(server.url + path, headers={"Accept-Encoding": coding}, verify=False, timeout=30)
        first = answer.text.partition("<script")[2].partition("</script>")[0]
        assert f'own = "{tag}"' in first
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/zh", "/config", "/theme.css"])
def test_what_is_read_is_compressed(server: Server, path: str) -> None:
    with httpx.stream(
        "GET", server.url + path, headers={"Accept-Encoding": "gzip"}, verify=False, timeout=30
    ) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert int(answer.headers["content-length"]) == len(raw) < 100_000
    plain = httpx.get(server.url + path, headers={"Accept-Encoding": "identity"}, verify=False, timeout=30)
    assert len(plain.content) == len(gzip.decompress(raw))
    assert "content-encoding" not in plain.headers


def test_a_stream_of_events_is_not_held_back(server: Server) -> None:
    headers = {"Accept-Encoding": "gzip"}
    with httpx.stream("GET", f"{server.url}/gradio_api/heartbeat/a", headers=headers, verify=False) as answer:
        assert "content-encoding" not in answer.headers
        assert next(answer.iter_raw()) == b"data: ALIVE\n\n"  # held back, it would come with many more, each 15 s later


def test_the_head_of_a_page_may_still_be_asked_for(server: Server) -> None:
    answer = httpx.head(server.url + "/", headers={"Accept-Encoding": "gzip"}, verify=False, timeout=30)
    assert answer.status_code == 200
    assert answer.content == b""


def test_documents_tell_nothing_that_only_programs_read(server: Server) -> None:
    assert not [each for each in server.page.config["components"] if "api_info" in each]
    info = httpx.get(f"{server.url}/gradio_api/info", verify=False, timeout=30).json()
    assert {"/predict", "/fine_tune"} <= info["named_endpoints"].keys()
