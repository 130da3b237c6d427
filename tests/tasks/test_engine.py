"""A page and its engine: what travels, what is refused, what is asked again, and what the page does without it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import Any

import httpx
import pytest
import torch
from starlette.requests import Request

from demo.data.dataset import Dataset, read_dataset
from demo.errors import SettingWrong
from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.engine.breaker import Breaker
from demo.models.engine.client import Engine, EngineLost
from demo.models.engine.errors import EngineTokenWrong
from demo.models.engine.wire import (
    ANSWERS,
    FEATURES,
    FINGERPRINT,
    MODEL,
    TRAINING,
    Network,
    from_crops,
    pack,
    unpack_stream,
)
from demo.models.errors import WeightsMissing
from demo.models.recipe import Optimizer, Recipe, Trains
from demo.models.zoo import EMBEDDED, find_spec
from demo.settings import Settings
from demo.tasks import desk, engine_work, finetune, lease
from demo.tasks.broker import WAITING
from demo.tasks.engine_work import WAITS, write_step, write_training
from demo.tasks.errors import EngineAway
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import FineTuned
from demo.tasks.fit import EpochResult
from demo.tasks.gpu_work import Album, Trained, Training
from tests.engine_host import TOKEN, Host
from tests.networks import summary
from tests.patience import PATIENCE_S
from tests.pictures import MakeZip, colour_folders

SPEC = find_spec(EMBEDDED)
DEEPER = Recipe(Trains.LAST_STAGE, Optimizer.SGD, learning_rate=0.005, epochs=2, flips=False, batch_size=8)
NAMES = ("crimson house", "azure lake")  # of classes
Answer = Callable[[httpx.Request], httpx.Response]


class Clock:
    """Seconds that pass where a test says so, and where it sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def script(clock: Clock, *answers: Any) -> tuple[Engine, list[httpx.Request]]:
    """Return an engine that answers as told, one request after the other, and what it was asked."""
    asked: list[httpx.Request] = []
    left = iter(answers)

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(answer)

    engine = Engine("http://engine", TOKEN, clock=clock, sleep=clock.sleep, transport=httpx.MockTransport(respond))
    return engine, asked


def look(engine: Engine) -> torch.Tensor | None:
    return engine.look(SPEC, "float32", [b"picture"], [(0, False, 0)])


ROW = httpx.Response(200, content=bytes(4 * SPEC.num_features))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dataset(make_zip: MakeZip, settings: Settings) -> Dataset:
    files = colour_folders(5)
    first, second = dict.fromkeys(path.partition("/")[0] for path in files)
    named = {path.replace(first, NAMES[0]).replace(second, NAMES[1]): content for path, content in files.items()}
    return read_dataset(make_zip(named), settings)


@pytest.fixture(scope="module")
def host(backbones: BackboneCache, settings: Settings) -> Iterator[Host]:
    with closing(Host(backbones, settings)) as host:
        host.open()
        yield host


@pytest.fixture
def by_engine(embedded: Backbone, host: Host) -> Iterator[Backbone]:
    """The embedded network, as a page with an engine has it."""
    host.asked.clear()
    with closing(Engine(host.url, TOKEN)) as engine:
        yield replace(embedded, engine=engine)


def test_a_breaker_lets_one_try_after_pauses_that_grow(clock: Clock) -> None:
    breaker = Breaker(clock)
    assert [breaker.admit(), breaker.open("away"), breaker.open("away"), breaker.admit()] == [True, True, False, False]
    clock.now += 2.1
    assert [breaker.admit(), breaker.admit()] == [True, False], "one tries for all"
    assert not breaker.open("away")
    clock.now += 2.1
    assert not breaker.admit(), "the second pause is longer"
    clock.now += 2.1
    assert breaker.admit()
    breaker.leave()
    assert breaker.admit(), "whoever gave up says nothing of the engine"
    assert [breaker.close(), breaker.close(), breaker.admit(), breaker.is_open] == [True, False, True, False]
    for _ in range(20):
        breaker.open("away")
        clock.now += 60.1
        assert breaker.admit(), "no pause is longer than a minute"


def test_what_fails_is_asked_again(clock: Clock) -> None:
    engine, asked = script(clock, 503, httpx.ConnectError(""), 500, httpx.ReadError(""), ROW)
    assert look(engine) is not None
    assert len({request.content for request in asked}) == 1
    assert len(asked) == 5
    assert not engine.is_away(SPEC, "float32")
    assert {(each.headers["authorization"], each.headers[MODEL]) for each in asked} == {
        (f"Bearer {TOKEN}", f"{EMBEDDED}:float32")
    }


def test_an_engine_that_is_away_is_left_in_peace_and_found_again(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "demo")
    engine, asked = script(clock, *[httpx.ConnectError("")] * 5, 503, ROW, ROW)
    assert [look(engine), look(engine)] == [None, None]
    assert len(asked) == 5
    assert engine.is_away(SPEC, "float32")
    clock.now += 2.1
    assert look(engine) is None
    assert len(asked) == 6, "who tries for all tries once"
    clock.now += 4.1
    assert look(engine) is not None
    assert not engine.is_away(SPEC, "float32")
    assert look(engine) is not None
    lost, other, found = [record.getMessage() for record in caplog.records]
    assert "this page computes by itself" in lost
    assert "ConnectError" in lost
    assert "503" in other
    assert "answers again" in found


def test_no_question_takes_longer_than_its_time(clock: Clock) -> None:
    waited: list[float] = []

    def hang(request: httpx.Request) -> httpx.Response:
        waited.append(request.extensions["timeout"]["read"])
        clock.now += waited[-1]
        raise httpx.ReadTimeout("")

    picture = torch.full((1, 3, 224, 224), 127, dtype=torch.uint8)
    for ask, limit_s in (
        (lambda engine: engine.answer(SPEC, "float32", from_crops(SPEC, picture)), 10.0),
        (look, 60.0),
    ):
        engine = Engine("http://engine", clock=clock, sleep=clock.sleep, transport=httpx.MockTransport(hang))
        began = clock.now
        assert ask(engine) is None
        assert clock.now - began == limit_s == waited.pop()


@pytest.mark.parametrize(("status", "is_away"), [(401, True), (404, True), (409, True), (413, False), (422, False)])
def test_a_refusal_is_logged_once_and_not_asked_again(
    clock: Clock, caplog: pytest.LogCaptureFixture, status: int, is_away: bool
) -> None:
    engine, asked = script(clock, *[httpx.Response(status, text="The reason.")] * 2)
    assert look(engine) is None
    assert (len(asked), engine.is_away(SPEC, "float32")) == (1, is_away)
    assert not engine.is_away(SPEC, "bfloat16"), "of other networks nothing is known"
    (record,) = caplog.records
    assert f"{status} The reason." in record.getMessage()


@pytest.mark.parametrize("content", [b"", bytes(4 * SPEC.num_features - 4), bytes(4 * SPEC.num_features + 1)])
def test_an_answer_of_another_size_is_none(clock: Clock, content: bytes) -> None:
    engine, _ = script(clock, httpx.Response(200, content=content))
    assert look(engine) is None
    assert engine.is_away(SPEC, "float32")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_parcels_are_read_as_they_come(size: int) -> None:
    parcels = [({"kind": "a"}, [b"\n", b"", b"picture"]), ({"kind": "b"}, [])]
    content = b"".join(pack(dict(about), parts) for about, parts in parcels)
    chunks = [content[first : first + size] for first in range(0, len(content), size)]
    assert list(unpack_stream(chunks)) == parcels
    for wrong in (content[:-1], content + b"x", b"[]\n", b'{"sizes":[-1]}\n', b'{"sizes":[1.0]}\nx', b"x" * 1_000_001):
        with pytest.raises(ValueError, match=r".+"):
            list(unpack_stream([wrong]))


def train(engine: Engine, embedded: Backbone, dataset: Dataset, settings: Settings) -> Iterator[Any]:
    return engine_work.ask(engine, embedded, Training(EMBEDDED, Album.of(dataset), DEEPER, settings))


def test_a_training_that_breaks_off_goes_on_where_it_was(
    clock: Clock, embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    epochs = [EpochResult(epoch, 2, float("nan"), 0.5, 0.5, 0.5, 1.0) for epoch in (1, 2)]
    first, second = (write_step(each) for each in epochs)
    end = Trained(
        {"weight": torch.ones(2).numpy()}, {}, summary(DEEPER), torch.zeros(3, 2).numpy(), torch.ones(3).numpy()
    )
    steps = [WAITS + first, WAITS + first + second + write_step(end)]
    engine, asked = script(clock, *(httpx.Response(200, content=each) for each in steps))
    waits, *told, trained = train(engine, embedded, dataset, settings)
    assert waits is WAITING
    assert [each.epoch for each in told] == [1, 2]
    assert trained.summary == end.summary
    assert (trained.head["weight"] == 1).all()
    assert len(asked) == 2


def test_a_training_that_fails_there_says_nothing_of_the_engine(
    clock: Clock, embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    engine, asked = script(clock, httpx.Response(200, content=engine_work.FAILED), 503, 503)
    with pytest.raises(EngineLost):
        list(train(engine, embedded, dataset, settings))
    assert not engine.is_away(SPEC, "float32")
    with closing(lease.fine_tune(replace(embedded, engine=engine), dataset, DEEPER, settings)) as steps:
        assert isinstance(next(steps), EngineAway)
        assert isinstance(next(steps), FeatureProgress), "all begins anew, here"
    assert engine.is_away(SPEC, "float32")
    assert len(asked) == 3


def test_predictions_are_the_same_and_only_pictures_travel(
    embedded: Backbone, by_engine: Backbone, host: Host, cat: Any
) -> None:
    batch = torch.stack([embedded.transform(each) for each in (cat, cat.rotate(90), cat.crop((0, 0, 90, 300)))])
    for pictures in (batch[:1], batch):
        for here, there in zip(embedded.answer(pictures), by_engine.answer(pictures), strict=True):
            torch.testing.assert_close(there, here, rtol=0, atol=2e-5)
    shares = [torch.softmax(each.answer(batch).logits, 1) for each in (embedded, by_engine)]
    torch.testing.assert_close(*shares, rtol=0, atol=1e-6)
    assert [(path, len(content)) for path, content in host.asked] == [
        (ANSWERS, number * 3 * 224 * 224) for number in (1, 3, 3)
    ]
    erased = batch.clone()
    erased[:, :, 50:90] = 0.123
    assert torch.equal(by_engine.answer(erased).logits, embedded.answer(erased).logits)
    assert len(host.asked) == 3, "what is no picture is computed here"


def test_a_head_is_the_same_and_no_name_travels(
    embedded: Backbone, by_engine: Backbone, host: Host, dataset: Dataset, settings: Settings
) -> None:
    recipe = Recipe(epochs=3, crops=1)
    ends = [list(lease.fine_tune(each, dataset, recipe, settings))[-1] for each in (embedded, by_engine)]
    here, there = (end for end in ends if isinstance(end, FineTuned))
    assert (here.features.values == there.features.values).all()
    for name, tensor in here.head.module.state_dict().items():
        torch.testing.assert_close(there.head.module.state_dict()[name], tensor, rtol=0, atol=1e-6)
    assert there.head.class_names == here.head.class_names == tuple(sorted(NAMES))
    sent = b"".join(content for _, content in host.asked)
    assert {path for path, _ in host.asked} == {FEATURES}
    assert all(sample.image_bytes in sent for sample in dataset.samples)
    parts = [part for name in NAMES for part in name.split()] + [dataset.samples[0].path]
    assert not [part for part in parts if part.encode() in sent]


def test_the_page_answers_while_the_engine_is_gone_and_uses_it_when_it_is_back(
    embedded: Backbone, host: Host, cat: Any, clock: Clock
) -> None:
    with closing(Engine(host.url, TOKEN, clock=clock, sleep=clock.sleep)) as engine:
        by_engine, batch = replace(embedded, engine=engine), embedded.transform(cat)[None]
        expected = embedded.answer(batch).logits.softmax(1)

        def answers() -> tuple[int, bool]:
            host.asked.clear()
            torch.testing.assert_close(by_engine.answer(batch).logits.softmax(1), expected, rtol=0, atol=1e-6)
            return len(host.asked), engine.is_away(SPEC, "float32")

        assert answers() == (1, False)
        host.shut()
        assert [answers(), answers()] == [(0, True), (0, True)]
        host.open()
        assert answers() == (0, True), "until its pause is over"
        clock.now += 2.1
        assert [answers(), answers()] == [(1, False), (1, False)]


def test_a_wrong_token_is_refused_and_the_page_computes(
    embedded: Backbone, host: Host, cat: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for token in ("another one of some length", ""):
        with closing(Engine(host.url, token)) as engine:
            batch = embedded.transform(cat)[None]
            assert torch.equal(replace(embedded, engine=engine).answer(batch).logits, embedded.answer(batch).logits)
            assert engine.is_away(SPEC, "float32")
    assert [record.getMessage().count("takes another token") for record in caplog.records] == [1, 1]


def test_what_does_not_fit_is_refused_before_anything_is_computed(
    host: Host, dataset: Dataset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {
        "authorization": f"Bearer {TOKEN}",
        MODEL: f"{EMBEDDED}:float32",
        FINGERPRINT: Network(SPEC, "float32").fingerprint,
    }
    picture = dataset.samples[0].image_bytes
    training = unpack_training(write_training(Training(EMBEDDED, Album.of(dataset), DEEPER, settings)))
    monkeypatch.setattr(host, "answer", lambda *_: pytest.fail("computed"))
    monkeypatch.setattr(host, "train", lambda *_: pytest.fail("computed"))
    cases: list[tuple[int, str, dict[str, str], bytes]] = [
        (401, ANSWERS, {"authorization": "Bearer nobody"}, b""),
        (404, ANSWERS, {MODEL: "resnet9:float32"}, b""),
        (404, ANSWERS, {MODEL: f"{EMBEDDED}:int8"}, b""),
        (409, ANSWERS, {FINGERPRINT: "torch 1.0"}, b""),
        (409, ANSWERS, {MODEL: f"{EMBEDDED}:bfloat16"}, b""),
        (422, "/elsewhere", {}, b""),
        (422, ANSWERS, {}, b""),
        (422, ANSWERS, {}, bytes(3 * 224 * 224 - 1)),
        (422, ANSWERS, {}, bytes(9 * 3 * 224 * 224)),
        (413, ANSWERS, {}, bytes(16_000_001)),
        (422, FEATURES, {}, b"no parcel"),
        (422, FEATURES, {}, pack({"views": "all"}, [picture])),
        (422, FEATURES, {}, pack({"views": []}, [picture])),
        (422, FEATURES, {}, pack({"views": [[1, False, 0]]}, [picture])),
        (422, FEATURES, {}, pack({"views": [[-1, False, 0]]}, [picture])),
        (422, FEATURES, {}, pack({"views": [[0, False, 99]]}, [picture])),
        (422, FEATURES, {}, pack({"views": [[0, False, 0]] * 33}, [picture])),
        (422, FEATURES, {}, pack({"views": [[0, False, 0]]}, [b"no picture"])),
        *((422, TRAINING, {}, pack(training[0] | wrong, training[1])) for wrong in WRONG_TRAININGS),
        (422, TRAINING, {}, pack(training[0], training[1][:-1])),
    ]
    for status, path, headers, content in cases:
        response = httpx.post(host.url + path, headers=good | headers, content=content, trust_env=False)
        assert (response.status_code, response.text != "") == (status, True), (path, headers, content[:80])


def test_a_network_whose_weights_the_engine_lacks_is_computed_by_the_page(
    embedded: Backbone, by_engine: Backbone, host: Host, cat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(_network: Network) -> Backbone:
        raise WeightsMissing(backbone=EMBEDDED, tried=[])

    monkeypatch.setattr(host, "find", find)
    batch = embedded.transform(cat)[None]
    assert torch.equal(by_engine.answer(batch).logits, embedded.answer(batch).logits)
    assert by_engine.engine is not None
    assert by_engine.engine.is_away(SPEC, "float32")


def test_an_engine_without_a_token_is_for_its_own_machine_alone() -> None:
    for token, address in (("", "127.0.0.1"), ("", "localhost"), (TOKEN, "0.0.0.0")):
        desk.check_reach(token, address)
    with pytest.raises(SettingWrong, match="DEMO_ENGINE_TOKEN"):
        desk.check_reach("", "0.0.0.0")
    for peer, is_answered in (("127.0.0.1", True), ("10.0.0.7", False), (None, False)):
        request = Request({"type": "http", "headers": [], "client": peer and (peer, 1)})
        with nullcontext() if is_answered else pytest.raises(EngineTokenWrong):
            desk.check_token(request, "")


WRONG_TRAININGS: list[dict[str, Any]] = [
    {"recipe": None},
    {"recipe": {"epochs": 10**9}},
    {"recipe": {"code": "import os"}},
    {"num_classes": 0},
    {"num_classes": 1},
    {"num_classes": 10**6},
    {"labels": []},
    {"labels": "all"},
    {"max_training_s": "long"},
    {"max_training_s": None},
]


def unpack_training(content: bytes) -> tuple[dict[str, Any], list[bytes]]:
    (parcel,) = unpack_stream([content])
    return parcel


@pytest.mark.slow
def test_a_deeper_training_is_the_same_and_ends_when_it_is_left(
    embedded: Backbone, by_engine: Backbone, host: Host, dataset: Dataset, settings: Settings
) -> None:
    steps = list(lease.fine_tune(by_engine, dataset, DEEPER, settings))
    *_, here = finetune.fine_tune(embedded, dataset, DEEPER, settings)
    there = steps[-1]
    assert isinstance(here, FineTuned)
    assert isinstance(there, FineTuned)
    pairs = [(there.head.module.state_dict(), here.head.module.state_dict()), (there.head.tuned, here.head.tuned)]
    assert max(float((a[name] - b[name]).abs().max()) for a, b in pairs for name in b) < 1e-6
    assert there.head.class_names == here.head.class_names
    assert there.head.summary.val_correct == here.head.summary.val_correct
    assert [each.epoch for each in steps if isinstance(each, EpochResult)] == [1, 2]
    assert [path for path, _ in host.asked] == [TRAINING]
    with closing(lease.fine_tune(by_engine, dataset, replace(DEEPER, epochs=200), settings)) as leaving:
        assert isinstance(next(leaving), FeatureProgress)
    assert host.left.wait(PATIENCE_S)
