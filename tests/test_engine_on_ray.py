"""The engine on Ray Serve itself, as `serve run` deploys it: what is killed loses nothing, and all digits are the same.

Ray is no requirement of the tests: .ci/run installs it for this file.
"""

import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
import yaml

from demo.data.dataset import Dataset, make_dataset
from demo.data.starters import read_starter
from demo.models.backbone import Backbone, load_backbone
from demo.models.engine.client import Engine
from demo.models.engine.wire import ANSWERS, FINGERPRINT, MODEL, Network
from demo.models.recipe import Optimizer, Recipe, Trains
from demo.models.zoo import EMBEDDED, find_spec
from demo.settings import Settings
from demo.tasks import lease
from demo.tasks.errors import NotLent
from demo.tasks.features import FeatureCache
from demo.tasks.finetune import FineTuned
from demo.tasks.fit import EpochResult
from tests.conftest import PROJECT
from tests.opened import OFFLINE, free_port
from tests.patience import wait_for
from tests.pictures import encode, noise

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="pip install -r requirements-engine.txt"),
]

SPEC = find_spec(EMBEDDED)
START_S, BACK_S = 240.0, 120.0
DEEPER = Recipe(Trains.LAST_STAGE, Optimizer.SGD, learning_rate=0.005, epochs=2, flips=False, batch_size=8)


@dataclass(frozen=True)
class Cluster:
    """Ray with the engine in it, on this machine; all its processes know its token, and nobody else does."""

    url: str
    token: str

    def find(self, title: str) -> list[int]:
        """Return the processes whose command line has a text."""
        return [pid for pid, command in self._processes() if title in command]

    def replicas(self) -> list[int]:
        """Return the processes that compute."""
        return self.find("ServeReplica:")

    def end(self) -> None:
        """Kill what is left."""
        for pid, _ in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _processes(self) -> Iterator[tuple[int, str]]:
        for process in Path("/proc").iterdir():
            with suppress(OSError):  # it has ended, or is somebody else's
                if process.name.isdecimal() and self.token.encode() in (process / "environ").read_bytes():
                    yield int(process.name), (process / "cmdline").read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    port, token = free_port(), secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:  # pytest's own is too long for a socket's name
        config = yaml.safe_load((PROJECT / "deploy" / "engine.yaml").read_text(encoding="utf-8"))
        config["http_options"] = {"host": "127.0.0.1", "port": port}
        config["applications"][0]["args"] = {"min_replicas": 2, "max_replicas": 2, "cpus": 0.5, "training_cpus": 0.5}
        file = Path(folder, "engine.yaml")
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("serve")), "run", str(file)]
        environment = (
            os.environ
            | OFFLINE
            | {
                "DEMO_ENGINE_TOKEN": token,
                "RAY_AUTH_TOKEN": token,  # or Ray would write one into the home folder
                "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
                "RAY_TMPDIR": folder,
                "RAY_USAGE_STATS_ENABLED": "0",
            }
        )
        cluster = Cluster(f"http://127.0.0.1:{port}", token)
        with Path(folder, "log").open("wb") as log:
            run = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
        try:
            try:
                wait_for(lambda: answers(cluster) or run.poll() is not None, START_S)
                assert run.poll() is None
            except AssertionError:
                print(Path(folder, "log").read_text(encoding="utf-8"))  # pytest shows it
                raise
            yield cluster
        finally:
            run.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                run.wait(30)
            cluster.end()
            run.wait(30)


def ask(cluster: Cluster, token: str) -> httpx.Response:
    """Ask about a grey picture."""
    network = Network(SPEC, "float32")
    headers = {"authorization": f"Bearer {token or 'none'}", MODEL: network.model, FINGERPRINT: network.fingerprint}
    content = bytes([127]) * (3 * 224 * 224)
    return httpx.post(cluster.url + ANSWERS, headers=headers, content=content, timeout=60, trust_env=False)


def answers(cluster: Cluster) -> bool:
    """Say whether both replicas are there, and one has answered."""
    with suppress(httpx.TransportError):
        return len(cluster.replicas()) == 2 and ask(cluster, cluster.token).status_code == 200
    return False


@pytest.fixture(scope="module")
def here() -> Backbone:
    return load_backbone(SPEC)


@pytest.fixture
def there(here: Backbone, cluster: Cluster) -> Iterator[Backbone]:
    """The network as a page with this engine has it, and a way to see whether the engine was asked."""
    with closing(Engine(cluster.url, cluster.token)) as engine:
        yield replace(here, engine=engine)


def read_signs(max_pictures: int) -> Dataset:
    settings = Settings(backbone=EMBEDDED, max_pictures=max_pictures)
    return make_dataset(read_starter("signs", settings), settings)


@pytest.fixture(scope="module")
def pictures(here: Backbone) -> torch.Tensor:
    return torch.stack([here.transform(noise(number, (260, 240))) for number in range(20)])


def test_who_has_another_token_is_refused(cluster: Cluster) -> None:
    assert [ask(cluster, token).status_code for token in ("", "another one", cluster.token)] == [401, 401, 200]


def test_nothing_is_lost_when_a_replica_is_killed(
    cluster: Cluster, here: Backbone, there: Backbone, pictures: torch.Tensor
) -> None:
    expected = here.answer(pictures[:8]).logits.softmax(1), here.answer(pictures[8:16]).logits.softmax(1)
    shares = torch.cat(expected)
    first, engine, answered = cluster.replicas(), there.engine, list[bool]()
    assert engine is not None
    wait_for(lambda: engine.answer(SPEC, "float32", pictures[:1]), BACK_S)

    def predict(number: int) -> float:
        if number == 100:
            os.kill(first[0], signal.SIGKILL)
        place = number % len(shares)
        answer = engine.answer(SPEC, "float32", pictures[place][None])
        answered.append(answer is not None)
        said = answer or here.answer(pictures[place][None])  # as the page does
        return float((said.logits.softmax(1) - shares[place]).abs().max())

    with ThreadPoolExecutor(16) as pool:
        differences = list(pool.map(predict, range(200)))
    assert len(differences) == 200
    assert max(differences) < 1e-6
    assert sum(answered) > 20, "the page has computed nearly all by itself"
    wait_for(lambda: len(set(cluster.replicas()) - {first[0]}) == 2, BACK_S)


def test_the_page_answers_while_the_engine_is_gone_and_asks_it_again(
    cluster: Cluster, here: Backbone, there: Backbone, pictures: torch.Tensor
) -> None:
    engine, expected = there.engine, here.answer(pictures[:1]).logits.softmax(1)
    assert engine is not None

    def answer() -> bool:
        torch.testing.assert_close(there.answer(pictures[:1]).logits.softmax(1), expected, rtol=0, atol=1e-6)
        return engine.is_away(SPEC, "float32")

    wait_for(lambda: not answer(), BACK_S)  # a new replica loads the network first
    proxies = cluster.find("ProxyActor")
    assert proxies
    for pid in proxies:
        os.kill(pid, signal.SIGKILL)
    wait_for(answer, BACK_S)
    wait_for(lambda: not answer(), BACK_S)


def test_heads_are_the_same(there: Backbone, here: Backbone, settings: Settings) -> None:
    dataset, caches, counts = read_signs(60), (FeatureCache(), FeatureCache()), list[set[int]]()
    engine, picture = there.engine, encode(noise(1, (260, 240)))
    assert engine is not None
    wait_for(lambda: engine.look(SPEC, "float32", [picture], [(0, False, 0)]) is not None, BACK_S)
    for seed in range(5):
        pairs = zip((here, there), caches, strict=True)
        ends = [last(each, dataset, Recipe(seed=seed), settings, cache) for each, cache in pairs]
        compare(*ends)
        counts.append({each.head.summary.val_correct for each in ends})
    assert [len(each) for each in counts] == [1] * 5


def test_a_deeper_training_streams_and_is_the_same(there: Backbone, here: Backbone, settings: Settings) -> None:
    dataset = read_signs(12)
    steps = list(lease.fine_tune(there, dataset, DEEPER, settings))
    assert not [each for each in steps if isinstance(each, NotLent)]
    assert [each.epoch for each in steps if isinstance(each, EpochResult)] == [1, 2]
    end = steps[-1]
    assert isinstance(end, FineTuned)
    expected = last(here, dataset, DEEPER, settings)
    compare(expected, end, atol=1e-4)  # in another number of threads sums are rounded in other places
    with closing(lease.fine_tune(there, dataset, replace(DEEPER, epochs=200), settings)) as leaving:
        assert not isinstance(next(leaving), NotLent)
    again = list(lease.fine_tune(there, dataset, DEEPER, settings))
    assert not [each for each in again if isinstance(each, NotLent)], "its place is free again"


def last(
    backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings, cache: FeatureCache | None = None
) -> FineTuned:
    *_, end = lease.fine_tune(backbone, dataset, recipe, settings, cache=cache)
    assert isinstance(end, FineTuned)
    return end


def compare(one: FineTuned, other: FineTuned, *, atol: float = 1e-6) -> None:
    pairs: list[tuple[Any, Any]] = [
        (one.head.module.state_dict(), other.head.module.state_dict()),
        (one.head.tuned, other.head.tuned),
    ]
    for ours, theirs in pairs:
        for name in ours:
            torch.testing.assert_close(theirs[name], ours[name], rtol=0, atol=atol)
    assert one.head.summary.val_correct == other.head.summary.val_correct
