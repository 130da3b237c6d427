"""How a network is best asked is chosen by measured times, and measured anew when they are no longer true."""

import threading
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from PIL import Image

from demo.models.backbone import Backbone, load_backbone
from demo.models.cache import BackboneCache
from demo.models.plan import MEASURING_S, Plan, Watch, choose_plan, guess_plan, measure_plan
from demo.models.zoo import EMBEDDED, ZOO
from tests.patience import PATIENCE_S


class Machine:
    """A clock, and a network whose passes take the seconds that were given for (pictures, threads)."""

    def __init__(self, seconds: Mapping[tuple[int, int], float]) -> None:
        self.now, self.seconds, self.asked = 0.0, seconds, list[tuple[int, int]]()

    def run(self, pictures: int, threads: int) -> None:
        self.asked.append((pictures, threads))
        self.now += self.seconds[pictures, threads]

    def clock(self) -> float:
        return self.now


def rounded(plan: Plan) -> Plan:
    return replace(plan, alone_s=round(plan.alone_s, 9), picture_s=round(plan.picture_s, 9))


@pytest.fixture(scope="module")
def network() -> Backbone:
    """A network of these tests alone, for they exchange its plan."""
    return load_backbone(ZOO[EMBEDDED])


@pytest.mark.parametrize(
    ("timings", "num_threads", "max_batch"),
    [
        ({(1, 1): 0.02}, 1, 1),
        ({(1, 1): 0.02, (1, 2): 0.02, (2, 1): 0.03, (4, 1): 0.056, (8, 1): 0.16}, 1, 4),
        ({(1, 1): 0.015, (1, 2): 0.01, (2, 1): 0.026}, 1, 2),  # a third of the time is too little for a second core
        ({(1, 1): 0.081, (1, 2): 0.044, (2, 1): 0.162}, 2, 1),  # a batch that saves nothing makes others wait
        ({(1, 1): 0.08, (1, 2): 0.045, (1, 4): 0.026, (1, 8): 0.025}, 4, 1),
        ({(1, 1): 0.08, (1, 2): 0.07, (1, 4): 0.02}, 1, 1),  # what two do not save four would take from others
    ],
)
def test_more_threads_and_larger_batches_have_to_be_worth_it(
    timings: Mapping[tuple[int, int], float], num_threads: int, max_batch: int
) -> None:
    plan = choose_plan(timings)
    assert (plan.num_threads, plan.max_batch, plan.is_measured) == (num_threads, max_batch, True)
    assert plan.alone_s == timings[1, num_threads]
    assert plan.picture_s == timings[max_batch, 1] / max_batch


def test_a_small_network_is_tried_in_all_ways_and_a_large_one_in_few() -> None:
    small = Machine({(1, 1): 0.004, (1, 2): 0.004, (2, 1): 0.006, (4, 1): 0.01, (8, 1): 0.02})
    assert rounded(measure_plan(small.run, 4, small.clock)) == Plan(1, 4, 0.004, 0.0025, is_measured=True)
    assert set(small.asked) == set(small.seconds), "four threads were tried where two are in vain"
    assert small.now < MEASURING_S
    large = Machine({(1, 1): 0.3, (1, 2): 0.16, (1, 3): 0.15})
    assert rounded(measure_plan(large.run, 3, large.clock)) == Plan(2, 1, 0.16, 0.3, is_measured=True)
    assert large.now < 3 * MEASURING_S


def test_a_pass_that_was_disturbed_once_is_not_what_counts() -> None:
    machine = Machine({(1, 1): 0.02})
    delays = iter([0.5, 0.0, 0.3, 0.0])

    def run(pictures: int, threads: int) -> None:
        machine.run(pictures, threads)
        machine.now += next(delays)

    assert measure_plan(run, 1, machine.clock).alone_s == pytest.approx(0.02)


def test_the_guess_gives_large_networks_all_cores() -> None:
    small, large = (guess_plan(gflops, num_cores=4) for gflops in (0.4, 4.1))
    assert (small.num_threads, large.num_threads) == (1, 4)
    assert small.picture_s < large.picture_s
    assert not small.is_measured


def test_a_plan_is_off_once_five_passes_took_far_longer_or_shorter_and_then_not_for_a_while() -> None:
    machine, plan = Machine({}), Plan(2, 4, alone_s=0.05, picture_s=0.08, is_measured=True)
    watch = Watch(machine.clock)
    machine.now = 40.0
    assert [watch.note(plan, 0.05 * factor) for factor in (1, 1.5, 0.7, 1, 9)] == [False] * 5
    assert [watch.note(plan, 0.2) for _ in range(4)] == [False, True, False, False]  # the median of five
    machine.now += 20.0
    assert not any(watch.note(plan, 0.2) for _ in range(9))
    machine.now += 20.0
    assert watch.note(plan, 0.2)
    machine.now += 40.0
    assert [watch.note(plan, 0.01) for _ in range(5)] == [False] * 4 + [True]
    machine.now += 40.0
    assert not any(watch.note(Plan(2, alone_s=0.05), 0.2) for _ in range(9)), "a guess is nothing to compare with"


def test_measuring_changes_no_feature_and_nearly_no_answer(
    network: Backbone, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = torch.stack([network.transform(each) for each in (cat, cat.rotate(90), cat.rotate(180))])
    features, answers = [network.features(part) for part in (batch, batch[:1])], network.answer(batch[:1])
    for num_threads in (2, 3, 1):
        monkeypatch.setattr("demo.models.backbone.measure_plan", lambda *_, threads=num_threads: Plan(threads, 2))
        network.measure()
        assert network.plan.num_threads == num_threads
        assert torch.equal(network.features(batch), features[0])
        assert torch.equal(network.features(batch[:1]), features[1])
        torch.testing.assert_close(network.answer(batch[:1]), answers, rtol=1e-4, atol=1e-4)


def test_networks_are_measured_from_when_that_began(network: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, found = BackboneCache(), [Plan(1, 2, 0.3, picture_s, is_measured=True) for picture_s in (0.2, 0.1)]
    monkeypatch.setattr("demo.models.cache.load_backbone", lambda *_, **__: network)
    monkeypatch.setattr("demo.models.backbone.measure_plan", lambda *_: found.pop())
    guess_s = cache.picture_s(EMBEDDED)
    network._batcher.plan = Plan(1, picture_s=guess_s)
    with cache.lend(EMBEDDED):
        assert (cache.picture_s(EMBEDDED), len(found)) == (guess_s, 2)
        cache.begin_measuring()
        assert (cache.picture_s(EMBEDDED), len(found)) == (0.1, 1)
    with cache.lend("resnet18"), cache.lend(EMBEDDED):
        assert (cache.picture_s("resnet18"), found) == (0.2, [])


def test_a_network_measures_itself_anew_when_its_passes_are_off(
    network: Backbone, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, batch = threading.Event(), network.transform(cat)[None]
    monkeypatch.setattr(Backbone, "measure", lambda _network: measured.set())
    network._batcher._watch, network._batcher.plan = Watch(iter(range(0, 10_000, 100)).__next__), Plan(1)
    for _ in range(5):
        network.answer(batch)
    assert not measured.is_set(), "a guess is no plan to hold to"
    network._batcher.plan = Plan(1, 4, alone_s=1e-6, picture_s=1e-6, is_measured=True)
    network.answer(batch)
    assert measured.wait(PATIENCE_S)
