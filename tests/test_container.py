"""The image and the proxy before it: what their files say, and their steps, followed without Docker."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import PROJECT
from tests.dockerfile import Build, is_sent, read_steps
from tests.opened import free_port

STEPS = read_steps((PROJECT / "Dockerfile").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))


def of(word: str) -> list[str]:
    return [step.rest for step in STEPS if step.word == word]


def test_the_image_is_small_and_its_base_is_one_version() -> None:
    (base,) = of("FROM")
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base)
    assert all("--no-cache-dir" in each for each in of("RUN") if "pip install" in each)
    assert all("-c constraints.txt" in each for each in of("RUN") if "pip install" in each)


def test_the_page_is_not_run_by_root() -> None:
    words = [step.word for step in STEPS]
    assert "--uid 1000" in of("RUN")[0]
    assert words.count("USER") == 1
    assert words.index("USER") < words.index("COPY") < words.index("CMD")
    assert all(each.startswith("--chown=demo:demo ") for each in of("COPY"))


def test_what_is_copied_exists_and_is_sent() -> None:
    copied = [word for each in of("COPY") for word in each.split()[1:-1]]
    assert {"app.py", "demo/", "requirements.txt", "constraints.txt"} <= set(copied)
    assert all((PROJECT / each).exists() and is_sent(PROJECT, PROJECT / each) for each in copied)


@pytest.mark.parametrize("name", [".git", ".env", "tests", "docs/predict.png", "demo/__pycache__", "demo/data/x.pyc"])
def test_what_the_image_does_not_need_is_not_sent(name: str) -> None:
    assert not is_sent(PROJECT, PROJECT / name)


def test_every_argument_is_used_and_every_command_is_a_list() -> None:
    for argument in of("ARG"):
        assert f"${{{argument.partition('=')[0]}" in str(STEPS) or f"${argument.partition('=')[0]}" in str(of("RUN"))
    assert json.loads(of("CMD")[0]) == ["python", "app.py"]
    (check,) = of("HEALTHCHECK")
    assert "127.0.0.1:7860/healthz" in json.loads(check.partition("CMD ")[2])[-1]
    assert of("EXPOSE") == ["7860"]


def test_the_proxy_alone_is_reached_from_outside() -> None:
    page, proxy = COMPOSE["services"]["page"], COMPOSE["services"]["proxy"]
    assert "ports" not in page
    assert page["expose"] == ["7860"]
    assert proxy["depends_on"]["page"]["condition"] == "service_healthy"
    assert page["environment"]["DEMO_PUBLIC"] == "1"
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert page["environment"]["DEMO_PROXY"] == network["subnet"]


def test_what_compose_names_exists() -> None:
    page, proxy = COMPOSE["services"]["page"], COMPOSE["services"]["proxy"]
    assert set(page["build"]["args"]) <= {each.partition("=")[0] for each in of("ARG")}
    named = {each.partition(":")[0] for service in (page, proxy) for each in service["volumes"]}
    assert {each for each in named if not each.startswith("./")} == set(COMPOSE["volumes"])
    assert all((PROJECT / each).is_file() for each in named if each.startswith("./"))


@pytest.mark.ways
@pytest.mark.slow
def test_the_steps_of_the_image_are_followed_and_its_page_is_healthy(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    build = Build(PROJECT, home, {"TORCH_INDEX": "", "NETWORKS": "efficientnet_lite0"})
    build.follow(STEPS)
    port = free_port()
    here = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    python = str(home / "venv/bin/python")
    page = build.start(
        [python, *json.loads(of("CMD")[0])[1:]], tmp_path / "log", DEMO_BACKBONE="efficientnet_lite0", **here
    )
    try:
        check = json.loads(of("HEALTHCHECK")[0].partition("CMD ")[2])[-1].replace("7860", str(port))
        until = time.monotonic() + 300
        while subprocess.run([python, "-c", check], capture_output=True, check=False).returncode:
            assert page.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(2)
    finally:
        page.send_signal(signal.SIGTERM)
        page.wait(60)


class Slow(BaseHTTPRequestHandler):
    """A page that tells of its upload as it comes, and of a training as it goes."""

    protocol_version = "HTTP/1.1"
    received: list[tuple[float, int]] = []  # noqa: RUF012 time and bytes

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(part := self.rfile.read1(min(left, 65_536)))
            self.received.append((time.monotonic(), len(part)))
        self._end(b"")

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(3):
            self.wfile.write(f"data: {number} {self.headers['X-Forwarded-Proto']}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.5)
        self.close_connection = True

    def _end(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    """Caddy with the project's own file, before a page that answers slowly; with a certificate of its own."""
    if (caddy := shutil.which("caddy")) is None:
        pytest.skip("caddy is not installed")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    Thread(target=server.serve_forever, daemon=True).start()
    port, plain, Slow.received = free_port(), free_port(), []
    config = tmp_path / "Caddyfile"
    options = f"{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {plain}\n\thttps_port {port}\n}}\n"
    config.write_text(options + (PROJECT / "deploy" / "Caddyfile").read_text(encoding="utf-8"), encoding="utf-8")
    environment = {"SITE": "localhost", "PAGE": f"127.0.0.1:{server.server_port}", "HOME": str(tmp_path)}
    command = [caddy, "run", "--adapter", "caddyfile", "--config", str(config)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, env=environment, stderr=log) as running:
        try:
            wait_for(port)
            yield f"https://localhost:{port}"
        finally:
            running.terminate()
            server.shutdown()
            server.server_close()


def wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.2)


@pytest.mark.ways
@pytest.mark.slow
def test_the_proxy_passes_events_and_uploads_on_as_they_come(proxy: str) -> None:
    told: list[tuple[float, str]] = []
    with httpx.Client(verify=False, trust_env=False, timeout=30) as client:
        with client.stream("GET", f"{proxy}/events") as response:
            told += [(time.monotonic(), line) for line in response.iter_lines() if line]
        assert [line for _, line in told] == [f"data: {number} https" for number in range(3)]
        assert told[1][0] - told[0][0] > 0.3, "events come one by one"

        def send() -> Iterator[bytes]:
            for _ in range(4):
                yield bytes(1_000_000)
                time.sleep(0.3)

        client.post(f"{proxy}/upload", content=send(), headers={"Content-Length": "4000000"})
        assert Slow.received[-1][0] - Slow.received[0][0] > 0.5, "a body comes while it is sent"
        assert client.post(f"{proxy}/upload", content=bytes(81_000_000)).status_code == 413
