"""The tools for agents, by the official client: they do what the API does, and nothing of a picture stays."""

import asyncio
import base64
import io
import json
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.types import CallToolResult, ImageContent
from PIL import Image

from demo.data.samples import find_example
from demo.ui.api import agents
from demo.ui.api.agents import PATH, describe_tools, welcomes_agents
from demo.ui.api.endpoints import ENDPOINTS
from demo.ui.api_panel import draw_api
from demo.ui.server.internals import get_upload_folder
from demo.ui.server.uploads import ANSWERS
from demo.visitors.errors import TrainingStopped
from demo.words.language import ENGLISH
from tests.agent import call_tools, open_agent, text_of
from tests.patience import PATIENCE_S
from tests.pictures import MakeZip, colour_folders, data_url, encode, files_below, noise
from tests.served import Server

PICTURE = encode(noise(1, (300, 200)))
HEAVY = find_example("rocket").path


def ask(server: Server, *calls: tuple[str, dict[str, Any]]) -> list[CallToolResult]:
    return asyncio.run(call_tools(server.url, calls))


def data_of(result: CallToolResult) -> dict[str, Any]:
    """Return the data of an answer, which are also its text."""
    assert not result.isError, result.content
    data = result.structuredContent
    assert data == json.loads(text_of(result))
    return data or {}


def uploads() -> set[Path]:
    """The files that lie among the uploads, but for those of answers."""
    folder = Path(get_upload_folder())
    return {path for path in files_below(folder) if ANSWERS not in path.parts}


def drawn() -> set[Path]:
    """The pictures among the answers."""
    return set(Path(get_upload_folder(), ANSWERS).rglob("*.png"))


def bring(server: Server, name: str, content: bytes, part_bytes: int) -> str:
    """Upload a file in parts, and return its path."""

    async def send() -> str:
        path = ""
        async with open_agent(server.url) as session:
            for start in range(0, len(content), part_bytes):
                part = base64.b64encode(content[start : start + part_bytes]).decode()
                said = await session.call_tool("upload", {"name": name, "data": part, "path": path})
                path = data_of(said)["path"]
        return path

    return asyncio.run(send())


def test_the_tools_are_described_whole(server: Server) -> None:
    async def find() -> dict[str, Any]:
        async with open_agent(server.url) as session:
            return {each.name: each for each in (await session.list_tools()).tools}

    tools = asyncio.run(find())
    assert set(tools) == {"predict", "fine_tune", "class_map", "networks", "upload"}
    for name, tool in tools.items():
        properties = tool.inputSchema["properties"]
        assert all(each["description"] for each in properties.values())
        if name in ENDPOINTS:
            assert ENGLISH.api.does[name] in tool.description
            assert ENGLISH.api.tools.get(name, ENGLISH.api.answers[name]) in tool.description
            assert list(properties) == list(ENDPOINTS[name].defaults)
            assert tool.inputSchema["required"] == ENDPOINTS[name].required
    assert tools["predict"].inputSchema["properties"]["backbone"]["enum"][:2] == ["", "alexnet"]
    assert tools["fine_tune"].inputSchema["properties"]["recipe"]["properties"]["optimizer"]["enum"]


def test_a_picture_is_a_data_url_or_an_upload_and_nothing_of_it_stays(server: Server) -> None:
    before, pictures, content = uploads(), drawn(), HEAVY.read_bytes()
    path = bring(server, "../rocket?.jpg", content, len(content) // 3 + 1)
    assert Path(path).read_bytes() == content
    first, second, third = ask(
        server,
        ("predict", {"image": data_url(PICTURE), "top_k": 2}),
        ("predict", {"image": path, "top_k": 1}),
        ("predict", {"image": path, "top_k": 1}),
    )
    assert len(data_of(first)["predictions"]) == 2
    assert data_of(second)["predictions"][0]["class_name"] == "missile"
    assert third.isError  # it was read, and is gone
    assert "is no longer here" in text_of(third)
    mapped = ask(server, ("class_map", {"image": data_url(PICTURE), "stage": "low"}))[0]
    assert data_of(mapped)["stage"] == "low"
    assert len(text_of(mapped)) < 1000  # the picture tells where, not thousands of numbers
    assert isinstance(mapped.content[1], ImageContent)
    with Image.open(io.BytesIO(base64.b64decode(mapped.content[1].data))) as image:
        assert image.format == "PNG"
    refused = ask(server, ("predict", {"image": data_url(PICTURE), "top_k": 99}))[0]
    assert refused.isError
    assert uploads() <= before  # of which some may be swept meanwhile
    assert drawn() <= pictures


def test_a_head_is_trained_with_progress_and_asked(server: Server, make_zip: MakeZip) -> None:
    said: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        said.append(f"{progress} {total} {message}")

    async def train(path: str) -> CallToolResult:
        async with open_agent(server.url) as session:
            values = {"dataset_zip": path, "recipe": {"epochs": 3}, "split": 2}
            return await session.call_tool("fine_tune", values, progress_callback=note)

    archive = make_zip(colour_folders(10)).read_bytes()
    report = data_of(asyncio.run(train(bring(server, "colours.zip", archive, 700_000))))
    assert (report["state"], report["split"], report["test_count"]) == ("done", 2, 4)
    assert said
    for _ in range(2):  # a head is used more than once
        answer = ask(server, ("predict", {"image": data_url(PICTURE), "head": report["head"]}))[0]
        assert {each["class_name"] for each in data_of(answer)["predictions"]} == {"blue", "red"}
    assert httpx.get(report["export_url"], verify=False).content[:2] == b"PK"


def test_an_upload_has_a_limit_and_no_other_file_is_added_to(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = agents._append
    monkeypatch.setattr(agents, "_append", lambda path, content, _limit: append(path, content, 10))
    other, part = tmp_path / "other" / "file", base64.b64encode(b"abcdef").decode()
    other.parent.mkdir()
    other.write_bytes(b"")
    begun = bring(server, "a.bin", b"abcdef", 6)
    results = ask(
        server,
        ("upload", {"name": "a.bin", "data": part, "path": begun}),
        ("upload", {"name": "a.bin", "data": part, "path": str(other)}),
        ("upload", {"name": "a.bin", "data": "not base64"}),
        ("upload", {"data": part}),
    )
    says = ["More than 0 MB came at once", "is no file that has come here", "cannot be decoded", "upload needs name"]
    for result, sentence in zip(results, says, strict=True):
        assert result.isError
        assert sentence in text_of(result)
    assert not Path(begun).exists()
    assert other.read_bytes() == b""


def test_too_large_a_call_is_told_of_the_upload(server: Server) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "predict", "x": "a" * 1_100_000}}
    answer = httpx.post(f"{server.url}{PATH}", json=message, verify=False)
    assert answer.status_code == 413
    assert "Upload the file first" in answer.json()["detail"]


def test_what_is_no_call_is_refused_and_no_stream_is_kept_open(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Accept": "application/json, text/event-stream"}
    for body in (b"", b"{}", b"[]", b'{"jsonrpc": "2.0", "id": 1, "method": "nothing"}'):
        answer = httpx.post(f"{server.url}{PATH}", content=body, headers=headers, verify=False)
        assert answer.status_code < 500
    assert httpx.get(f"{server.url}{PATH}", headers=headers, verify=False).status_code in (404, 405)
    assert not caplog.records


def test_without_the_package_nothing_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_spec("mcp")
    assert welcomes_agents()
    assert PATH in draw_api(ENGLISH)
    monkeypatch.setattr(agents, "find_spec", lambda _: None)
    assert not welcomes_agents()
    assert PATH not in draw_api(ENGLISH)
    monkeypatch.undo()
    monkeypatch.setenv("GRADIO_MCP_SERVER", "False")
    assert not welcomes_agents()


def test_every_tool_is_told_of_its_files() -> None:
    for name, (_, schema) in describe_tools(ENGLISH.api).items():
        for parameter in ENDPOINTS[name].required if name in ENDPOINTS else []:
            assert ENGLISH.api.tools["file"] in schema["properties"][parameter]["description"]


def test_an_agent_that_leaves_ends_its_training(server: Server, held_line: threading.Event, make_zip: MakeZip) -> None:
    sent = {"name": "fine_tune", "arguments": {"dataset_zip": data_url(make_zip(colour_folders(6)).read_bytes())}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**sent, "_meta": {"progressToken": 1}}}
    headers = {"Accept": "application/json, text/event-stream"}
    with httpx.stream("POST", f"{server.url}{PATH}", json=message, headers=headers, verify=False) as stream:
        assert any("notifications/progress" in line for line in stream.iter_lines())
        job = server.rooms.scheduler.jobs[-1]
    assert job.done.wait(PATIENCE_S)
    assert isinstance(job.error, TrainingStopped)
    assert not held_line.is_set()
