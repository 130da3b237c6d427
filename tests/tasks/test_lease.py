"""On ZeroGPU long work runs with the lent GPU, by the real package over a host and a device that are stand-ins."""

import pickle
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from demo.data.dataset import Dataset, read_dataset
from demo.models.backbone import Backbone
from demo.models.recipe import Recipe, Trains
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks import lease
from demo.tasks.broker import WAITING, Refused
from demo.tasks.errors import GpuNotLent, TooManyTrained
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import FineTuned
from demo.tasks.fit import EpochResult
from demo.tasks.gpu_work import Album, Race, Work
from demo.tasks.race import Contender, Finish
from demo.visitors.jobs import Job
from tests.pictures import MakeZip, colour_folders
from tests.zerogpu import Platform, run_in_space

DEEPER = Recipe(Trains.LAST_STAGE, epochs=1, flips=False, batch_size=8)
REFUSALS: dict[str, tuple[int, dict[str, int]]] = {
    "used up": (429, {"left": 0, "wait": 3600}),
    "none free": (503, {}),
    "broken": (500, {}),
}


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()
    yield platform
    platform.close()


@pytest.fixture
def dataset(make_zip: MakeZip, settings: Settings) -> Dataset:
    return read_dataset(make_zip(colour_folders(10)), settings)


def test_pictures_travel_without_a_name(dataset: Dataset) -> None:
    packed = pickle.dumps(Album.of(dataset))
    assert not [name for name in (*dataset.class_names, dataset.samples[0].path) if name.encode() in packed]
    opened = pickle.loads(packed).open()
    assert [each.digest for each in opened.samples] == [each.digest for each in dataset.samples]
    assert opened.training_counts == dataset.training_counts


@pytest.mark.slow
def test_a_race_travels(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    work = pickle.loads(pickle.dumps(Race(EMBEDDED, Album.of(dataset), settings, seed=0)))
    finishes = [step.contender for step in work.run(embedded) if isinstance(step, Finish)]
    assert finishes == list(Contender)


def test_who_waits_for_a_gpu_may_leave(
    embedded: Backbone, dataset: Dataset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []

    def wait(_work: Work) -> Iterator[object]:
        try:
            while True:
                yield WAITING
        finally:
            left.append(True)

    monkeypatch.setattr(lease, "IS_LENT", True)
    monkeypatch.setattr(lease, "borrow", wait)
    with closing(lease.fine_tune(embedded, dataset, DEEPER, settings)) as steps:
        assert [next(steps) for _ in range(2)] == [FeatureProgress(0, len(dataset.samples))] * 2
    assert left


def test_what_is_refused_is_done_here(
    embedded: Backbone, dataset: Dataset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_work: Work) -> Iterator[object]:
        yield EpochResult(1, 1, 0.0, 0.0, 0.0, 0.0)
        raise Refused("ZeroGPU quota exceeded")

    monkeypatch.setattr(lease, "IS_LENT", True)
    monkeypatch.setattr(lease, "borrow", refuse)
    job = Job(lambda: lease.fine_tune(embedded, dataset, DEEPER, settings))
    job.run()
    assert isinstance(job.refusal, GpuNotLent)
    assert [each.epoch for each in job.points] == [1]
    assert job.result is not None


@pytest.mark.parametrize(
    "recipe", [Recipe(epochs=1), replace(DEEPER, trains=Trains.EVERYTHING)], ids=["a head", "too much"]
)
def test_no_gpu_is_asked_for_a_head_or_for_too_much(
    embedded: Backbone, dataset: Dataset, settings: Settings, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    monkeypatch.setattr(lease, "IS_LENT", True)
    monkeypatch.setattr(lease, "borrow", lambda _: pytest.fail("a GPU was asked for"))
    limited = replace(settings, max_tuned_parameters=1_000_000)
    if recipe.trains is Trains.HEAD:
        assert isinstance([*lease.fine_tune(embedded, dataset, recipe, limited)][-1], FineTuned)
    else:
        with pytest.raises(TooManyTrained):
            lease.fine_tune(embedded, dataset, recipe, limited)


@pytest.mark.ways
@pytest.mark.slow
def test_long_work_runs_with_the_lent_gpu(platform: Platform, tmp_path: Path) -> None:
    told = run_in_space(platform, "lend", tmp_path)
    assert set(told["kinds"]) - {"BatchProgress"} == {"EpochResult", "FeatureProgress", "FineTuned"}
    assert told["names"][0] == told["names"][1]
    assert told["difference"] < 1e-3
    assert told["climbed"][0] == pytest.approx(told["climbed"][1], abs=1e-4)
    assert [each["durationSeconds"] for each in platform.asked("/schedule")] == ["60", "20", "60"]
    assert [each["fail"] for each in platform.asked("/release")] == ["false"] * 3


@pytest.mark.ways
@pytest.mark.slow
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_where_no_gpu_is_lent_the_processor_trains(
    platform: Platform, tmp_path: Path, refusal: tuple[int, dict[str, int]]
) -> None:
    platform.refusal = refusal
    told = run_in_space(platform, "refuse", tmp_path)
    assert (told["refused"], told["trained"]) == (True, True)
    assert told["epochs"] == list(range(1, len(told["epochs"]) + 1))
    assert "no lent GPU" in told["log"]
    assert "Traceback" not in told["log"]


@pytest.mark.ways
@pytest.mark.slow
def test_a_training_that_breaks_off_begins_anew(platform: Platform, tmp_path: Path) -> None:
    told = run_in_space(platform, "break_off", tmp_path)
    assert (told["refused"], told["trained"]) == (True, True)
    assert told["epochs"] == list(range(1, len(told["epochs"]) + 1))
