"""Four ways to learn the same pictures: who starts when, on which clock, and what is left of them."""

import copy
import itertools
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from demo.data.collection import Picture
from demo.data.dataset import Dataset, Sample, Split
from demo.data.errors import NotAnImage
from demo.data.store import PictureStore
from demo.models.backbone import Backbone
from demo.models.batching import set_num_threads
from demo.models.lenet import LeNet5
from demo.models.recipe import Trains, lesson_recipe
from demo.models.zoo import ZOO, StageLabel
from demo.settings import Settings
from demo.tasks.features import FeatureProgress
from demo.tasks.finetune import count_trained
from demo.tasks.fit import BatchProgress
from demo.tasks.race import Contender, Finish, RacePoint, RaceProgress, open_random, race
from tests.models.test_backbone import assert_frozen, hooks
from tests.patience import wait_for
from tests.pictures import encode, noise

NUM_EACH = {Split.TRAIN: 5, Split.VALIDATION: 3, Split.TEST: 2}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Do not wait for helpers where the code does not ask for them: all batches here are small."""
    with set_num_threads(1):
        yield


def picture(number: int, *, is_bright: bool) -> bytes:
    """Return dark or bright noise, which anything can tell apart."""
    levels = np.asarray(noise(number, (48, 40))) // 4
    return encode(Image.fromarray((levels + 192 * is_bright).astype(np.uint8)))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Two classes; of each five pictures to learn from, three for validation, two for the test."""
    store, samples = PictureStore(), list[Sample]()
    for is_bright, split in itertools.product((False, True), Split):
        for _ in range(NUM_EACH[split]):
            number = len(samples)
            stored = store.add(picture(number, is_bright=is_bright))
            samples.append(Sample(Picture(f"{number}.png", stored, b"", b""), int(is_bright), split))
    return Dataset(("dark", "bright"), tuple(samples), ())


@pytest.fixture(scope="module")
def before(embedded: Backbone) -> dict[str, Tensor]:
    return copy.deepcopy(dict(embedded.network.state_dict()))


@dataclass(frozen=True)
class Watched:
    """One race: its steps, and when each came out, in seconds from the start."""

    steps: Sequence[RaceProgress]
    seconds: Sequence[float]


@pytest.fixture(scope="module")
def watched(embedded: Backbone, dataset: Dataset, settings: Settings, before: dict[str, Tensor]) -> Watched:
    assert before
    start = time.monotonic()
    steps = [(step, time.monotonic() - start) for step in race(embedded, dataset, settings, seed=3)]
    return Watched(*zip(*steps, strict=True))


@pytest.fixture(scope="module")
def steps(watched: Watched) -> Sequence[RaceProgress]:
    return watched.steps


def finishes(steps: Sequence[RaceProgress]) -> dict[Contender, Finish]:
    return {step.contender: step for step in steps if isinstance(step, Finish)}


def points(steps: Sequence[RaceProgress], contender: Contender) -> list[RacePoint]:
    return [step for step in steps if isinstance(step, RacePoint) and step.contender is contender]


def assert_unchanged(backbone: Backbone, before: dict[str, Tensor]) -> None:
    after = backbone.network.state_dict()
    assert list(after) == list(before)
    assert [name for name in before if not torch.equal(after[name], before[name])] == []
    assert hooks(backbone.network) == []
    assert_frozen(backbone.network)


def assert_nothing_runs() -> None:
    """Wait until no thread reads pictures any more; each ends what it has begun."""
    wait_for(lambda: not any(thread.name.startswith("features") for thread in threading.enumerate()))


def test_the_contenders_run_one_after_the_other(steps: Sequence[RaceProgress]) -> None:
    runs = [step.contender for step in steps if isinstance(step, RacePoint | Finish)]
    assert [contender for contender, _ in itertools.groupby(runs)] == list(Contender)
    assert list(finishes(steps)) == list(Contender)
    assert isinstance(steps[0], FeatureProgress)
    assert isinstance(steps[-1], Finish)
    assert all(steps.index(finishes(steps)[each]) > steps.index(points(steps, each)[-1]) for each in Contender)


def test_each_contender_reads_the_pictures_before_it_learns(steps: Sequence[RaceProgress]) -> None:
    started = [isinstance(step, FeatureProgress) and step.done == 0 for step in steps]
    first_points = [steps.index(points(steps, contender)[0]) for contender in Contender]
    begins = [0, *(steps.index(finish) + 1 for finish in finishes(steps).values())]
    for begin, first_point in zip(begins, first_points, strict=False):
        assert started[begin]
        assert begin < first_point
    totals = [step.total for step in steps if isinstance(step, FeatureProgress) and step.done == 0]
    assert totals[:3] == [20, 20, 20]


def test_the_clock_runs_on_within_a_contender_and_begins_anew_for_the_next(watched: Watched) -> None:
    previous, end = 0.0, 0.0  # seconds on the contender's clock, and on the watch when the one before had finished
    for step, now in zip(watched.steps, watched.seconds, strict=True):
        if isinstance(step, RacePoint):
            assert previous < step.seconds <= now - end
            previous = step.seconds
        elif isinstance(step, Finish):
            assert step.seconds == previous  # the clock stands while its answers are counted
            previous, end = 0.0, now


def test_each_contender_trains_its_epochs(steps: Sequence[RaceProgress]) -> None:
    for contender, finish in finishes(steps).items():
        assert finish.epochs == len(points(steps, contender)) > 1


def test_each_contender_answers_the_validation_pictures(steps: Sequence[RaceProgress]) -> None:
    for contender, finish in finishes(steps).items():
        assert finish.accuracy.count == 2 * NUM_EACH[Split.VALIDATION]
        for point in points(steps, contender):
            assert math.isclose(6 * point.val_accuracy, round(6 * point.val_accuracy), abs_tol=1e-9)
        assert points(steps, contender)[-1].val_accuracy == pytest.approx(finish.accuracy.share)
        assert finish.accuracy.correct == 6, contender


def test_the_trained_parameters_are_those_of_each_contender(embedded: Backbone, steps: Sequence[RaceProgress]) -> None:
    lenet = LeNet5(2, generator=torch.Generator())
    counts = {contender: finish.num_trained for contender, finish in finishes(steps).items()}
    assert counts == {
        Contender.SCRATCH: sum(parameter.numel() for parameter in lenet.parameters()),
        Contender.RANDOM: 2 * 1280 + 2,
        Contender.PRETRAINED: 2 * 1280 + 2,
        Contender.TUNED: count_trained(embedded, 2, lesson_recipe(Trains.LAST_STAGE)),
    }


def test_a_race_leaves_the_shared_network_as_it_was(
    embedded: Backbone, steps: Sequence[RaceProgress], before: dict[str, Tensor]
) -> None:
    assert steps
    assert_unchanged(embedded, before)
    assert_nothing_runs()


def computes_features(step: RaceProgress) -> bool:
    return step == FeatureProgress(8, 20)  # while others are under way


def learns(step: RaceProgress, contender: Contender) -> bool:
    return isinstance(step, RacePoint) and step.contender is contender


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(lambda _: True, id="at the start"),
        pytest.param(partial(learns, contender=Contender.SCRATCH), id="while LeNet-5 learns"),
        pytest.param(computes_features, id="while features are computed"),
        pytest.param(partial(learns, contender=Contender.RANDOM), id="while a head learns"),
        pytest.param(partial(learns, contender=Contender.TUNED), id="while the last stage learns"),
    ],
)
def test_a_race_that_is_closed_leaves_nothing_running(
    embedded: Backbone, dataset: Dataset, settings: Settings, before: dict[str, Tensor], moment: partial[bool]
) -> None:
    seed, num_threads = torch.get_rng_state(), torch.get_num_threads()
    running = race(embedded, dataset, replace(settings, race_s=0.0))
    next(step for step in running if moment(step))
    running.close()
    assert list(running) == []
    assert_nothing_runs()
    assert_unchanged(embedded, before)
    assert torch.equal(torch.get_rng_state(), seed)
    assert torch.get_num_threads() == num_threads


@pytest.mark.slow
def test_without_time_each_contender_trains_one_epoch(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    steps = list(race(embedded, dataset, replace(settings, race_s=0.0)))
    assert [(each.contender, each.epochs) for each in finishes(steps).values()] == [(each, 1) for each in Contender]
    assert not any(isinstance(step, BatchProgress) and step.epoch > 1 for step in steps)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_race(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    def run(seed: int) -> list[float]:
        """Return the accuracies of the two contenders that begin with random weights, for classes without a rule."""
        mixed = replace(
            dataset, samples=tuple(replace(each, class_idx=idx % 2) for idx, each in enumerate(dataset.samples))
        )
        running = race(embedded, mixed, settings, seed=seed)
        until = itertools.takewhile(lambda step: not learns(step, Contender.PRETRAINED), running)
        found = [step.val_accuracy for step in until if isinstance(step, RacePoint)]
        running.close()
        return found

    first, second, other = run(1), run(1), run(2)
    assert first == second
    assert first != other


def test_a_picture_that_cannot_be_read_ends_the_race_by_its_name(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    bad = replace(dataset.samples[0].picture, path="bad.png", stored=PictureStore().add(b"no picture"))
    broken = replace(dataset, samples=(*dataset.samples, replace(dataset.samples[0], picture=bad)))
    with pytest.raises(NotAnImage, match=r"bad\.png"):
        list(race(embedded, broken, settings))
    assert_nothing_runs()


def build(name: str, embedded: Backbone) -> Backbone:
    """Return a backbone whose like with random weights is opened; its own are those of torch's first seed."""
    if name == embedded.spec.name:
        return embedded
    spec = ZOO[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = spec.build().eval().requires_grad_(False)
    return Backbone(spec, network, torch.device("cpu"), is_private=True)


@pytest.fixture(scope="module", params=["efficientnet_lite0", pytest.param("resnet18", marks=pytest.mark.slow)])
def trained(request: pytest.FixtureRequest, embedded: Backbone) -> Backbone:
    return build(request.param, embedded)


def batch_of(dataset: Dataset, backbone: Backbone) -> Tensor:
    chosen = [sample for sample in dataset.samples if sample.split is Split.VALIDATION]
    return torch.stack([backbone.transform(noise(int(sample.path[:-4]))) for sample in chosen])


@pytest.mark.slow
def test_a_random_network_is_the_same_for_the_same_seed(
    trained: Backbone, dataset: Dataset, settings: Settings
) -> None:
    first, second, other = (open_random(trained, dataset, settings, seed=seed) for seed in (5, 5, 6))
    tensors, again = first.network.state_dict(), second.network.state_dict()
    torch.testing.assert_close(dict(tensors), dict(again), rtol=0, atol=0)
    weights = [
        f"{name}.weight" for name, module in first.network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    for name in weights:
        assert not torch.allclose(tensors[name], other.network.state_dict()[name])
        assert not torch.allclose(tensors[name], trained.network.state_dict()[name])
    batch = batch_of(dataset, trained)
    assert torch.equal(first.features(batch), second.features(batch))


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "alexnet"])
def test_the_features_of_a_random_network_neither_fade_nor_explode(
    embedded: Backbone, dataset: Dataset, settings: Settings, name: str
) -> None:
    """AlexNet has no norms; there it is the width of the weights alone."""
    trained = build(name, embedded)
    strange = open_random(trained, dataset, settings, seed=0)
    assert strange.spec == trained.spec
    assert strange.is_private
    assert_frozen(strange.network)
    batch = batch_of(dataset, trained)
    features = strange.features(batch)
    assert features.shape == (6, trained.spec.num_features)
    assert features.isfinite().all()
    assert 0.1 < float(features.abs().mean()) < 10
    assert float(features.std(dim=0).mean()) > 0.001  # pictures can be told apart
    assert not torch.allclose(features, trained.features(batch), rtol=0.1, atol=0.1)
    for stage in strange.run_transformed(batch).stages.values():
        assert 0.01 < float(stage.abs().mean()) < 10


def test_opening_a_random_network_leaves_all_else_as_it_was(
    trained: Backbone, dataset: Dataset, settings: Settings
) -> None:
    before = copy.deepcopy(dict(trained.network.state_dict()))
    seed = torch.get_rng_state()
    open_random(trained, dataset, settings, seed=0)
    assert torch.equal(torch.get_rng_state(), seed)
    assert_unchanged(trained, before)


@pytest.mark.slow
def test_the_norms_of_a_random_network_know_training_pictures_alone(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    """With other pictures held out it is the same; with other training pictures it is not."""

    def statistics(split: Split) -> Tensor:
        store = PictureStore()
        samples = tuple(
            replace(each, picture=replace(each.picture, stored=store.add(encode(noise(70 + number)))))
            if each.split is split
            else each
            for number, each in enumerate(dataset.samples)
        )
        network = open_random(embedded, replace(dataset, samples=samples), settings, seed=0).network
        return torch.cat([tensor for name, tensor in network.state_dict().items() if "running" in name])

    known = open_random(embedded, dataset, settings, seed=0)
    kept = torch.cat([tensor for name, tensor in known.network.state_dict().items() if "running" in name])
    torch.testing.assert_close(statistics(Split.VALIDATION), kept, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(statistics(Split.TRAIN), kept, rtol=0.1, atol=0.1)
    assert known.run([noise(1)]).stages[StageLabel.HIGH].isfinite().all()
