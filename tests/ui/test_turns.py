"""Whose work is whose, as gradio tells it; and reading in turns."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from demo import pace
from demo.visitors.fairness import Owner
from tests.patience import PATIENCE_S
from tests.pictures import MakeZip, colour_folders, data_url
from tests.served import Server
from tests.visitor import Visit


def test_a_session_knows_the_address_of_its_page(visit: Visit, server: Server) -> None:
    visitor = visit()
    session = server.rooms.sessions.attach(visitor.token)
    assert session.owner == Owner(visitor.token, "127.0.0.1")


def test_a_small_reading_does_not_wait_for_a_large_one(visit: Visit, server: Server) -> None:
    one, other = visit(), visit()
    large = server.rooms.sessions.attach(one.token)
    begun, enough = threading.Event(), threading.Event()

    def read() -> None:
        with server.rooms.reading("large", large.ref):
            begun.set()
            while not enough.is_set():
                time.sleep(0.01)
                pace.rest()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            assert begun.wait(PATIENCE_S)
            other.call("choose_starter", "signs")
            assert not reading.done()
        finally:
            enough.set()
        reading.result(PATIENCE_S)
    assert server.rooms.sessions.attach(other.token).pictures.dataset is not None


@pytest.mark.usefixtures("held_line")
def test_a_program_is_known_by_its_address(server: Server, make_zip: MakeZip) -> None:
    sent = {"dataset_zip": data_url(make_zip(colour_folders(6)).read_bytes()), "epochs": 5}
    begun = httpx.post(f"{server.url}/gradio_api/call/v2/fine_tune", json=sent, verify=False).json()["event_id"]
    address = f"{server.url}/gradio_api/call/v2/fine_tune/{begun}"
    with httpx.stream("GET", address, verify=False, timeout=PATIENCE_S) as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("data: ["))
        job = server.rooms.scheduler.jobs[-1]
        assert server.rooms.scheduler._jobs[job].work.owner == Owner(address="127.0.0.1", is_program=True)
