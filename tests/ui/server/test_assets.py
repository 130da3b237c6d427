"""What gradio's scripts ask for, told beforehand."""

import gzip
import re

import gradio as gr
import httpx
import pytest

from demo.ui.server import assets
from demo.ui.server.assets import Assets
from tests.served import Server

ASSET = re.compile(r'<link rel="(\w+)"(?: crossorigin)?( disabled)? href="\./(assets/[^"]+)">')


@pytest.fixture
def page() -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Image()
    return page


def test_a_kind_of_component_brings_its_files(page: gr.Blocks) -> None:
    before = set(Assets(page).files)
    assert any(path.startswith("/assets/ImagePreview") for path in before)
    with page:
        gr.Dropdown()
    more = set(Assets(page).files) - before
    assert any(path.startswith("/assets/Index") and path.endswith(".js") for path in more)


def test_an_unknown_bundler_costs_nothing_but_time(page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_ENTRY", re.compile("another bundler"))
    assert Assets(page).links == ""


def test_all_that_is_told_is_there(server: Server) -> None:
    links = ASSET.findall(httpx.get(server.url, verify=False).text)
    assert len(links) > 60
    with httpx.Client(base_url=server.url, headers={"Accept-Encoding": "gzip"}, verify=False) as client:
        answers = {path: client.get(f"/{path}") for _, _, path in links}
        assert all(answer.is_success for answer in answers.values())
        kept = [answers[path] for _, _, path in links if f"/{path}" in Assets(server.page).files]
        assert {answer.headers["cache-control"] for answer in kept} == {"public, max-age=31536000, immutable"}
        assert {answer.headers["x-content-type-options"] for answer in kept} == {"nosniff"}
    one = next(answers[path].text for _, _, path in links if "components" in path)
    assert all(answers[path].text in one for _, disabled, path in links if disabled)


def test_the_script_of_the_worker_is_fetched_when_it_is_needed_and_may_ask_nobody(server: Server) -> None:
    document = httpx.get(server.url, verify=False, timeout=30).text
    address = re.search(r'"shrinker": "\./(assets/shrinker-\w+\.js)"', document)
    assert address
    assert address[1] not in ASSET.findall(document)
    answer = httpx.get(f"{server.url}/{address[1]}", verify=False)
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "createImageBitmap" in answer.text


def test_an_old_browser_gets_them_as_they_are(server: Server) -> None:
    path = next(
        path for rel, _, path in ASSET.findall(httpx.get(server.url, verify=False).text) if rel == "modulepreload"
    )
    with httpx.stream("GET", f"{server.url}/{path}", headers={"Accept-Encoding": "identity"}, verify=False) as answer:
        raw = b"".join(answer.iter_raw())
    assert not raw.startswith(gzip.compress(b"")[:2])
    assert "content-encoding" not in answer.headers
