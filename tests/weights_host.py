"""A host of weights on this machine that can do everything that goes wrong on a real one."""

import hashlib
import io
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants

from demo.models.fetch import fetch_weights
from demo.models.weights import WeightsFile
from demo.models.zoo import ZOO, BackboneSpec, Published


@dataclass
class Resource:
    """What the host does when it is asked for one path."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    has_ranges: bool = True
    tells_length: bool = True
    chunk_bytes: int = 16_384
    pause_s: float = 0.0  # before each chunk
    before_chunk: Callable[[], object] = lambda: None  # waits before each chunk for what a test is about
    cuts: list[int] = field(default_factory=list)  # each of the next connections ends after so many bytes
    always_cut: int | None = None
    stops_after: int | None = None  # -1: it takes the request and does not even begin to answer


@dataclass
class Sent:
    """One answered request: the range that was asked for and the bytes that went out."""

    path: str
    range: str
    status: int
    num_bytes: int = 0


class WeightsHost:
    """Serves resources by their path and keeps a log of what it sent."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.log: list[Sent] = []
        self.closing = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host._answer(self)

            def do_HEAD(self) -> None:
                host._answer(self)

            def log_message(self, *_arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, *_arguments: Any) -> None:
                pass  # a client may leave at any time

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        resource = self.resources.get(handler.path, Resource(b"no such file", status=404))
        asked = handler.headers.get("Range", "")
        if resource.stops_after == -1:
            self.log.append(Sent(handler.path, asked, 0))
            self.closing.wait()
            return
        start, status = self._choose(resource, asked)
        sent = Sent(handler.path, asked, status)
        self.log.append(sent)
        body = resource.content[start:] if status != 416 else b""
        handler.send_response(status)
        for name, value in resource.headers.items():
            handler.send_header(name, value)
        if status == 206:
            last, total = len(resource.content) - 1, len(resource.content)
            handler.send_header("Content-Range", f"bytes {start}-{last}/{total}")
        if resource.tells_length:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command == "GET":
            self._send(handler, resource, body, sent)

    @staticmethod
    def _choose(resource: Resource, asked: str) -> tuple[int, int]:
        found = re.fullmatch(r"bytes=(\d+)-", asked)
        if not found or not resource.has_ranges or resource.status != 200:
            return 0, resource.status
        start = int(found[1])
        return (start, 206) if start < len(resource.content) else (0, 416)

    def _send(self, handler: BaseHTTPRequestHandler, resource: Resource, body: bytes, sent: Sent) -> None:
        end = resource.cuts.pop(0) if resource.cuts else resource.always_cut
        limit = resource.stops_after if resource.stops_after is not None else end
        body = body[:limit] if limit is not None else body
        handler.wfile.flush()
        for start in range(0, len(body), resource.chunk_bytes):
            resource.before_chunk()
            self.closing.wait(resource.pause_s)
            chunk = body[start : start + resource.chunk_bytes]
            sent.num_bytes += len(chunk)  # before it is on its way: the client may be done before this thread goes on
            handler.wfile.write(chunk)
        if resource.stops_after is not None:
            self.closing.wait()


HUB_COMMIT = "0" * 40


def publish_on_hub(host: WeightsHost, content: bytes, *, etag: str = "", repo: str = "timm/resnet18.tv_in1k") -> None:
    """Put a checkpoint on the Hub as it does it: its checksum comes with a redirect to where the bytes are."""
    etag = etag or hashlib.sha256(content).hexdigest()
    headers = {
        "Location": f"{host.url.replace('127.0.0.1', 'localhost')}/bytes",  # another host, as the Hub has
        "X-Repo-Commit": HUB_COMMIT,
        "X-Linked-Etag": f'"{etag}"',
        "X-Linked-Size": str(len(content)),
    }
    host.resources[f"/{repo}/resolve/main/model.safetensors"] = Resource(status=302, headers=headers)
    host.resources["/bytes"] = Resource(content)


def use_hub(monkeypatch: pytest.MonkeyPatch, endpoint: str, cache: Path, *, offline: bool = False) -> None:
    """Let the Hub's library ask a host, keep what it fetches in a folder, and find nothing anywhere else."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr("demo.models.hub_cache._PRELOADED", cache)


def stand_in(url: str, content: bytes, *, hub_repo: str = "") -> BackboneSpec:
    """Return a row of the table whose weights are this content, published under the name that goes with it."""
    digits = hashlib.sha256(content).hexdigest()[:8]
    return replace(ZOO["resnet18"], weights=Published("", f"{url}/resnet18-{digits}.pth"), hub_repo=hub_repo)


def path_of(spec: BackboneSpec) -> str:
    """Return the path under which a host has a stand-in's file."""
    return f"/{spec.file_name}"


def fetch_in_process(url: str, content: bytes, torch_home: Path) -> WeightsFile:
    """Fetch a stand-in's weights; for a process of its own."""
    os.environ |= {"TORCH_HOME": str(torch_home), "NO_PROXY": "127.0.0.1"}
    os.environ.pop("DEMO_WEIGHTS_DIR", None)
    fetching = fetch_weights(stand_in(url, content))
    while True:
        try:
            next(fetching)
        except StopIteration as end:
            file: WeightsFile = end.value
            return file


def random_checkpoint(spec: BackboneSpec) -> bytes:
    """Return seeded random weights as their authors would publish them: with what only training uses."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tensors = dict(spec.build().state_dict())
    tensors |= {f"{beginning}weight": torch.zeros(1) for beginning in spec.training_only}
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()
