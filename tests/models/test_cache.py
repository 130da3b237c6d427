"""One copy of each backbone, within a budget."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from demo.models.backbone import Backbone, load_backbone
from demo.models.cache import BackboneCache
from demo.models.errors import UnknownBackbone, WeightsMissing
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec

SMALL = 12 * sum(ZOO[name].facts.num_parameters for name in ("resnet18", "resnet34"))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, embedded: Backbone) -> Iterator[list[str]]:
    """Note what is loaded, without needing the real weights; everything is the embedded network."""
    names: list[str] = []

    def load(spec: BackboneSpec, _device: str, **_options: str) -> Backbone:
        names.append(spec.name)
        return embedded

    monkeypatch.setattr("demo.models.cache.load_backbone", load)
    yield names


def use(cache: BackboneCache, *names: str) -> None:
    for name in names:
        with cache.lend(name):
            pass


def test_a_backbone_is_loaded_once_for_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def count(spec: BackboneSpec, device: str, **_options: str) -> Backbone:
        loaded.append(spec.name)
        return load_backbone(spec, device)

    monkeypatch.setattr("demo.models.cache.load_backbone", count)
    cache, start = BackboneCache(), threading.Barrier(8, timeout=120)

    def borrow(_thread: int) -> Backbone:
        start.wait()
        with cache.lend(EMBEDDED) as backbone:
            return backbone

    with ThreadPoolExecutor(8) as pool:
        backbones = list(pool.map(borrow, range(8)))
    assert loaded == [EMBEDDED]
    assert all(backbone is backbones[0] for backbone in backbones)


@pytest.mark.usefixtures("loads")
def test_a_load_is_tried_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_spec: BackboneSpec, _device: str, **_options: str) -> Backbone:
        raise WeightsMissing(backbone="ResNet-18", tried=[])

    cache = BackboneCache(budget_bytes=SMALL)
    with monkeypatch.context() as broken:
        broken.setattr("demo.models.cache.load_backbone", fail)
        with pytest.raises(WeightsMissing):
            use(cache, "resnet34")
    use(cache, "resnet18", "resnet34")
    assert cache.names == ("resnet18", "resnet34"), "a failed load kept its share of the budget"


def test_there_are_no_other_names() -> None:
    with pytest.raises(UnknownBackbone, match="resnet19"):
        use(BackboneCache(), "resnet19")


def test_the_least_recently_used_leaves(loads: list[str]) -> None:
    cache = BackboneCache(budget_bytes=SMALL)
    use(cache, "resnet18", "resnet34", "resnet18", "googlenet")
    assert cache.names == ("resnet18", "googlenet")
    use(cache, "resnet34")
    assert loads.count("resnet34") == 2


@pytest.mark.usefixtures("loads")
def test_what_is_lent_stays() -> None:
    cache = BackboneCache(budget_bytes=SMALL)
    with cache.lend("resnet18"):
        use(cache, "resnet34", "googlenet")
        assert cache.names == ("resnet18", "googlenet")


@pytest.mark.usefixtures("loads")
def test_what_a_head_needs_leaves_last() -> None:
    cache = BackboneCache(budget_bytes=SMALL, needed=lambda: ["resnet18"])
    use(cache, "resnet18", "resnet34", "googlenet")
    assert cache.names == ("resnet18", "googlenet")
    use(cache, "resnet50")
    assert [*cache.names] == ["resnet50"]


@pytest.mark.usefixtures("loads")
def test_more_than_the_budget_is_taken_only_for_what_is_lent() -> None:
    cache = BackboneCache(budget_bytes=1)
    with cache.lend("resnet18"), cache.lend("resnet34"):
        assert cache.names == ("resnet18", "resnet34")
    use(cache, "googlenet")
    assert [*cache.names] == ["googlenet"]


@pytest.mark.usefixtures("loads")
def test_an_error_gives_back_what_was_lent() -> None:
    cache: Any = BackboneCache(budget_bytes=1)
    with pytest.raises(RuntimeError), cache.lend("resnet18"):
        raise RuntimeError
    use(cache, "resnet34")
    assert cache.names == ("resnet34",)
