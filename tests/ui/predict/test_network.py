"""Choosing a network on the page, and every network of the table from its file to a visitor's head."""

import asyncio
import html
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo.data.dataset import read_dataset
from demo.models.backbone import load_backbone
from demo.models.fetch import fetch_weights
from demo.models.recipe import Recipe
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec
from demo.settings import Settings
from demo.tasks.activations import capture_stages
from demo.tasks.finetune import FineTuned, fine_tune
from demo.tasks.predict import predict
from demo.ui.predict.network import NetworkChoice, await_network, describe_hardware
from demo.visitors.arrival import Arrival
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import CHINESE, ENGLISH, Words
from tests.conftest import names_to_try
from tests.opened import nobody_there
from tests.pictures import MakeZip, colour_folders, noise
from tests.served import Server
from tests.visitor import Visitor, fill, recipe_values
from tests.weights_host import Resource, WeightsHost, path_of, random_checkpoint, stand_in


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    visitor = Visitor(server.url)
    yield visitor
    visitor.close()


def choose(visitor: Visitor, name: str) -> NetworkChoice:
    return fill(NetworkChoice, visitor.call("choose_backbone", name))


SLOWEST = ("resnet34", "resnet50", "resnet101", "resnet152", "densenet121", "inception_v3")


@pytest.mark.parametrize("name", names_to_try([name for name in ZOO if name != EMBEDDED], slow=SLOWEST))
def test_every_backbone_loads_predicts_shows_its_stages_and_takes_a_head(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, make_zip: MakeZip
) -> None:
    content = random_checkpoint(ZOO[name])
    # The name goes with the content; the rest of the row is the table's.
    spec = replace(ZOO[name], weights=stand_in("http://nowhere", content).weights)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / spec.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    backbone = load_backbone(spec)
    picture = noise(1, (320, 240))
    prediction = predict(backbone, picture)
    assert len(prediction.top) == 5
    assert prediction.backbone_name == name
    stages = capture_stages(backbone, picture).stages
    assert [each.stage for each in stages] == list(spec.stages)
    dataset = read_dataset(make_zip(colour_folders(3)), settings)
    *_, last = fine_tune(backbone, dataset, Recipe(epochs=1), settings)
    assert isinstance(last, FineTuned)
    assert last.features.values.shape == (6, spec.num_features)
    own = predict(backbone, picture, head=last.head)
    assert {best.class_name for best in own.top} == {"blue", "red"}


def test_a_network_is_fetched_when_it_is_chosen(
    visitor: Visitor, host: WeightsHost, resnet18: BackboneSpec, checkpoint: bytes
) -> None:
    host.resources[path_of(resnet18)] = Resource(checkpoint)
    assert choose(visitor, "resnet18").notice.sentence == ""
    strip = html.unescape(visitor.refresh().strip)
    assert "ResNet-18" in strip
    assert ENGLISH.predict.network.sources["cache"] in strip


def test_a_network_that_cannot_be_had_leaves_the_one_in_use_and_can_be_tried_again(
    visitor: Visitor, host: WeightsHost, resnet18: BackboneSpec, checkpoint: bytes
) -> None:
    shown = choose(visitor, "resnet18")
    assert "The weights of ResNet-18 could not be had" in shown.notice.sentence
    assert "404" in shown.notice.sentence
    assert "HF_HUB_OFFLINE" in shown.notice.sentence
    assert (shown.backbone, shown.notice.again["visible"]) == (EMBEDDED, True)
    assert "EfficientNet-Lite0" in visitor.refresh().strip
    host.resources[path_of(resnet18)] = Resource(checkpoint)
    visitor.call("choose_backbone", shown.notice.wanted, of="try-again")
    assert "ResNet-18" in visitor.refresh().strip


def test_the_page_says_what_failed_in_its_language(server: Server, resnet18: BackboneSpec) -> None:
    visitor = Visitor(server.url, language="zh")
    sentence = choose(visitor, resnet18.name).notice.sentence
    assert "ResNet-18" in sentence
    assert "could not" not in sentence
    assert "404" in sentence
    visitor.close()


def test_a_head_waits_for_its_backbone(
    visitor: Visitor, host: WeightsHost, resnet18: BackboneSpec, checkpoint: bytes, make_zip: MakeZip
) -> None:
    host.resources[path_of(resnet18)] = Resource(checkpoint)
    visitor.call("choose_archive", [visitor.upload(make_zip(colour_folders()))])
    visitor.call("start_training", *recipe_values(1))
    visitor.call("watch_training")
    choose(visitor, "resnet18")
    shown = visitor.refresh()
    assert "was trained on EfficientNet-Lite0" in shown.strip
    assert shown.network.answers["visible"] is False
    choose(visitor, EMBEDDED)
    assert "your 2 classes" in visitor.refresh().strip


def test_the_preferred_network_arrives_behind_the_page(
    host: WeightsHost, resnet18: BackboneSpec, checkpoint: bytes
) -> None:
    host.resources[path_of(resnet18)] = Resource(checkpoint)
    arrival = Arrival("resnet18")
    arrival.run()
    assert arrival.over.is_set()
    assert arrival.error is None
    assert arrival.progress is not None
    assert [*fetch_weights(resnet18)] == []


@pytest.mark.usefixtures("host")
def test_a_failed_arrival_is_kept_for_who_asks(resnet18: BackboneSpec) -> None:
    arrival = Arrival(resnet18.name)
    arrival.run()
    assert arrival.over.is_set()
    assert "404" in str(arrival.error)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
def test_what_computes_is_an_engine_until_it_does_not_answer(words: Words, settings: Settings) -> None:
    with nobody_there() as closed:
        spec = ZOO[EMBEDDED]
        rooms = [replace(Rooms.of(replace(settings, engine=each)), words=words) for each in ("", closed)]
        here, there = (describe_hardware(each, spec) for each in rooms)
        assert (here, there) == (words.strip.hardware["cpu"], words.strip.hardware["engine"])
        engine = rooms[1].backbones.engine
        assert engine is not None
        assert engine.look(spec, settings.precision, [b""], [(0, False, 0)]) is None
    assert describe_hardware(rooms[1], spec) == words.strip.engine_away.format(here=here)
    engine.close()


def test_a_page_that_was_opened_early_asks_anew_once_the_network_is_there(settings: Settings) -> None:
    rooms = Rooms.of(settings)

    async def wait() -> Ref:
        waiting = asyncio.ensure_future(anext(await_network(rooms, Ref("early", 3))))
        await asyncio.sleep(0)
        assert not waiting.done()
        rooms.arrival.is_waking = False
        return await asyncio.wait_for(waiting, 60)

    rooms.arrival.is_waking = True
    told = asyncio.run(wait())
    assert told.token == "early"
    assert hash(told) != hash(Ref("early", 3)), "it is what lets the page's event fire"
