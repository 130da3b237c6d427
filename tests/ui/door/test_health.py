"""What operators may ask, and that nothing of visitors is in it."""

import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from demo.entrance import HEALTH
from demo.settings import Settings
from demo.ui.door.errors import MetricsMissing
from demo.ui.door.health import Health
from demo.ui.door.metrics import make_metrics
from demo.visitors.rooms import Rooms
from tests.served import Server, held_line

__all__ = ["held_line"]

SECRET = "grandmother"


@pytest.fixture
def rooms(settings: Settings) -> Rooms:
    return Rooms.of(settings)


def health_of(rooms: Rooms, *, is_ready: bool = True) -> Health:
    return Health(rooms, lambda: {"predict": (3, 2)}, lambda: is_ready)


def ask(server: Server) -> httpx.Response:
    return httpx.get(server.url + HEALTH)


def test_the_served_page_becomes_ready_and_says_so(server: Server) -> None:
    for _ in range(600):
        if ask(server).status_code == 200:
            break
        time.sleep(0.1)
    told = ask(server).json()
    assert (told["alive"], told["ready"], told["device"]) == (True, True, "cpu")
    assert "efficientnet_lite0" in told["networks"]["loaded"]


def test_a_training_that_runs_is_in_its_line(server: Server, held_line: threading.Event) -> None:
    assert ask(server).json()["lines"]["training"] == {"waiting": 0, "running": 1}
    held_line.set()


def test_to_answer_takes_no_time(server: Server) -> None:
    began = time.monotonic()
    for _ in range(20):
        ask(server)
    assert (time.monotonic() - began) / 20 < 0.25


def test_until_the_first_answer_it_is_alive_and_not_ready(rooms: Rooms) -> None:
    client = TestClient(Starlette(routes=[Route(HEALTH, health_of(rooms, is_ready=False).send)]))
    answer = client.get(HEALTH)
    assert answer.status_code == 503
    assert (answer.json()["alive"], answer.json()["ready"]) == (True, False)
    assert answer.json()["networks"]["arriving"]


@pytest.fixture
def operator(rooms: Rooms) -> Iterator[TestClient]:
    """A page with metrics, and a program that reads them."""
    pytest.importorskip("prometheus_client")
    route, counted = make_metrics(health_of(rooms))
    with TestClient(Starlette(routes=[route], middleware=[counted])) as client:
        yield client


def test_metrics_count_requests_and_lines_and_name_no_file(operator: TestClient) -> None:
    for path in (f"/gradio_api/file={SECRET}.jpg", f"/{SECRET}", "/gradio_api/call/predict"):
        operator.get(path, headers={"User-Agent": SECRET})
    operator.request(SECRET, "/")
    told = operator.get("/metrics").text
    assert SECRET not in told
    assert 'demo_requests_total{kind="file",method="GET",status="404"} 1.0' in told
    assert 'demo_requests_total{kind="page",method="other",status="404"} 1.0' in told
    assert 'demo_line{line="predict",state="waiting"} 3.0' in told
    assert "demo_ready 1.0" in told


def test_without_its_package_metrics_end_the_start_with_a_sentence(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MetricsMissing, match="requirements-operators"):
        make_metrics(health_of(rooms))


def test_the_page_has_no_metrics_unless_they_are_asked_for(server: Server) -> None:
    assert httpx.get(f"{server.url}/metrics").status_code == 404
