"""Networks, and hosts of their weights, for the tests of all floors that compute."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.head import TrainingSummary
from demo.models.recipe import Recipe
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec
from tests.weights_host import WeightsHost, random_checkpoint, stand_in, use_hub

__all__ = ["backbones", "checkpoint", "embedded", "host", "resnet18", "summary"]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WeightsHost]:
    """A host of weights for an empty cache; the Hugging Face Hub is switched off."""
    host = WeightsHost()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    use_hub(monkeypatch, host.url, tmp_path / "hub", offline=True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("DEMO_WEIGHTS_DIR", raising=False)
    yield host
    host.close()


@pytest.fixture(scope="session")
def checkpoint() -> bytes:
    return random_checkpoint(ZOO["resnet18"])


@pytest.fixture
def resnet18(host: WeightsHost, checkpoint: bytes, monkeypatch: pytest.MonkeyPatch) -> BackboneSpec:
    """ResNet-18 in the table, with random weights at the host, which answers 404 until it is told otherwise."""
    spec = stand_in(host.url, checkpoint, hub_repo="timm/resnet18.tv_in1k")
    monkeypatch.setitem(ZOO, "resnet18", spec)
    return spec


@pytest.fixture(scope="session")
def backbones() -> BackboneCache:
    return BackboneCache()


@pytest.fixture(scope="session")
def embedded(backbones: BackboneCache) -> Iterator[Backbone]:
    with backbones.lend(EMBEDDED) as backbone:
        yield backbone


def summary(recipe: Recipe | None = None) -> TrainingSummary:
    """Return how a head came about, where a test needs one and not what it says."""
    recipe = recipe or Recipe()
    return TrainingSummary(recipe, recipe.epochs, recipe.epochs, 20, 1.0, 0.9, 9, 10, None, 0, 0, 3.5)
