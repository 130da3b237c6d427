"""The whole app in a Space's environment, as it starts it: with a processor alone, and on ZeroGPU."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from gradio_client import Client, handle_file

from demo.data.samples import find_example
from demo.models.zoo import ZOO
from demo.words.language import ENGLISH
from tests.conftest import PROJECT
from tests.zerogpu import Platform, space_environment

CARD = yaml.safe_load((PROJECT / "README.md").read_text(encoding="utf-8").split("---")[1])


def test_the_card_names_the_models_that_the_hub_has_copies_of() -> None:
    copies = {spec.hub_repo for spec in ZOO.values() if spec.hub_repo}
    assert set(CARD["models"]) == copies
    assert {each.split()[0] for each in CARD["preload_from_hub"]} <= copies
    assert CARD["preload_from_hub"] == [f"{ZOO['resnet50'].hub_repo} model.safetensors"]


def test_the_torch_of_a_space_is_one_that_the_requirements_allow() -> None:
    pinned = dict(line.split("==") for line in lines("pre-requirements.txt"))
    ranges = dict(line.split(">=", 1) for line in lines("requirements.txt") if line.startswith("torch"))
    assert pinned.keys() == ranges.keys()
    for name, version in pinned.items():
        assert version.startswith(ranges[name].split(",")[0]), "the oldest that is allowed"


def lines(file: str) -> list[str]:
    text = (PROJECT / file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@contextmanager
def open_space(log: Path, platform: Platform | None = None) -> Iterator[str]:
    """Start app.py as a Space does; yield its address, once the page is there."""
    environment = space_environment(platform, GRADIO_SERVER_PORT="7941", GRADIO_NUM_PORTS="50")
    environment |= {"DEMO_BACKBONE": "efficientnet_lite0", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as file:
        app = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment, stdout=file, stderr=file)
    try:
        yield wait_for_address(app, log)
    finally:
        app.terminate()
        app.wait(60)


def wait_for_address(app: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + 300
    while True:
        told = [line for line in log.read_text(encoding="utf-8").splitlines() if "http://" in line]
        if told:
            return str(re.findall(r"http://[\w.:]+", told[0])[0])
        assert app.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < until, log.read_text(encoding="utf-8")
        time.sleep(0.5)


@pytest.fixture(autouse=True)
def no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio's client, which plays a program on another machine, asks the Hub for news."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def ask(address: str) -> Any:
    """Ask the page's API about the cat."""
    client = Client(address, verbose=False, httpx_kwargs={"timeout": 120})
    return client.predict(handle_file(str(find_example("cat").path)), "", 3, api_name="/predict")


@pytest.mark.ways
@pytest.mark.slow
def test_a_space_with_a_processor_answers(tmp_path: Path) -> None:
    with open_space(tmp_path / "log") as address:
        assert "cat" in json.dumps(ask(address))
        assert ENGLISH.strip.hardware["cpu"] in httpx.get(address, trust_env=False).text


@pytest.mark.ways
@pytest.mark.slow
def test_a_space_on_zerogpu_answers_and_has_its_gpu_function(tmp_path: Path) -> None:
    platform = Platform()
    try:
        with open_space(tmp_path / "log", platform) as address:
            assert platform.asked("/startup-report"), "without this the platform refuses the Space"
            assert "cat" in json.dumps(ask(address))
            assert ENGLISH.strip.hardware["lent"] in httpx.get(address, trust_env=False).text
        assert not platform.asked("/schedule"), "a prediction asks for no GPU"
    finally:
        platform.close()
