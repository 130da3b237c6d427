"""A dataset -> a head."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from demo.data.dataset import Dataset, Split, read_dataset
from demo.errors import OptionOutOfRange
from demo.models.backbone import Backbone
from demo.models.head import build_head
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.finetune import (
    EpochResult,
    FeatureProgress,
    Features,
    FineTuneConfig,
    FineTuned,
    Progress,
    evaluate,
    fine_tune,
    fit_head,
)
from tests.conftest import MakeZip, colour_folders

CONFIG = FineTuneConfig(epochs=4)


@pytest.fixture
def dataset(make_zip: MakeZip, settings: Settings) -> Dataset:
    return read_dataset(make_zip(colour_folders(10)), settings)


@pytest.fixture(scope="module")
def points() -> Features:
    """Two clouds of points in eight dimensions, a validation point after each five; the clouds overlap."""
    generator = np.random.default_rng(0)
    class_idxs = np.arange(43) % 2
    values = generator.normal(size=(43, 8)) + 2.0 * class_idxs[:, np.newaxis]
    splits = tuple(Split.VALIDATION if idx % 6 == 5 else Split.TRAIN for idx in range(43))
    return Features(EMBEDDED, ("low", "high"), values.astype(np.float32), class_idxs.astype(np.int64), splits)


def drain(run: Generator[EpochResult, None, nn.Module]) -> tuple[list[EpochResult], dict[str, Tensor]]:
    """Run to the end; return the epochs and the head's tensors."""
    epochs = []
    while True:
        try:
            epochs.append(next(run))
        except StopIteration as end:
            return epochs, end.value.state_dict()


def fit(features: Features, config: FineTuneConfig = CONFIG) -> tuple[list[EpochResult], dict[str, Tensor]]:
    return drain(fit_head(features, config))


def finish(steps: list[Progress]) -> FineTuned:
    last = steps[-1]
    assert isinstance(last, FineTuned)
    return last


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    torch.testing.assert_close(dict(first), dict(second), rtol=0, atol=0)


def assert_close(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    """Compare heads whose features were computed anew, which may differ in their last digits."""
    torch.testing.assert_close(dict(first), dict(second), rtol=1e-4, atol=1e-6)


def assert_different(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert not torch.allclose(first["weight"], second["weight"])


def with_other_classes(features: Features, split: Split) -> Features:
    """Turn the classes of one split round."""
    chosen = np.array([each is split for each in features.splits])
    return replace(features, class_idxs=np.where(chosen, 1 - features.class_idxs, features.class_idxs))


def test_a_run_reads_then_learns_then_ends(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    steps = list(fine_tune(embedded, dataset, CONFIG, settings))
    assert steps[:4] == [FeatureProgress(done, 20) for done in (0, 8, 16, 20)]
    epochs = [step for step in steps if isinstance(step, EpochResult)]
    assert steps[4:-1] == epochs
    assert [(each.epoch, each.num_epochs) for each in epochs] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert isinstance(steps[-1], FineTuned)


def test_a_run_learns_red_from_blue(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    steps = list(fine_tune(embedded, dataset, CONFIG, settings))
    epochs = [step for step in steps if isinstance(step, EpochResult)]
    assert epochs[-1].train_loss < 0.7 * epochs[0].train_loss
    assert epochs[-1].val_loss < epochs[0].val_loss
    assert epochs[-1].val_accuracy == 1.0
    head = finish(steps).head
    assert head.class_names == ("blue", "red")
    assert head.backbone_name == EMBEDDED
    assert not head.module.training
    assert not any(parameter.requires_grad for parameter in head.module.parameters())
    summary = head.summary
    assert (summary.epochs, summary.train_accuracy, summary.val_accuracy) == (4, 1.0, 1.0)
    assert (summary.val_correct, summary.val_count) == (4, 4)
    assert (summary.test_accuracy, summary.test_count) == (None, 0)
    assert summary.seconds > 0


def test_the_features_are_those_of_the_samples_in_their_order(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    features = finish(list(fine_tune(embedded, dataset, FineTuneConfig(epochs=1), settings))).features
    assert features.backbone_name == EMBEDDED
    assert features.class_names == dataset.class_names
    assert features.class_idxs.tolist() == [sample.class_idx for sample in dataset.samples]
    assert features.splits == tuple(sample.split for sample in dataset.samples)
    backwards = replace(dataset, samples=dataset.samples[::-1])
    turned = finish(list(fine_tune(embedded, backwards, FineTuneConfig(epochs=1), settings))).features
    np.testing.assert_allclose(turned.values[::-1], features.values, rtol=1e-4, atol=1e-4)


def test_cached_features_skip_the_reading(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    first = finish(list(fine_tune(embedded, dataset, CONFIG, settings)))
    steps = list(fine_tune(embedded, dataset, CONFIG, settings, features=first.features))
    assert not any(isinstance(step, FeatureProgress) for step in steps)
    assert_same(finish(steps).head.module.state_dict(), first.head.module.state_dict())
    assert finish(steps).features is first.features


def test_features_of_another_backbone_are_not_used(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    first = finish(list(fine_tune(embedded, dataset, CONFIG, settings)))
    foreign = replace(first.features, backbone_name="resnet18", values=np.zeros_like(first.features.values))
    steps = list(fine_tune(embedded, dataset, CONFIG, settings, features=foreign))
    assert steps[0] == FeatureProgress(0, 20)
    assert_close(finish(steps).head.module.state_dict(), first.head.module.state_dict())


@pytest.mark.parametrize("num_steps", [2, 6])
def test_a_run_that_is_stopped_leaves_nothing(
    embedded: Backbone, dataset: Dataset, settings: Settings, num_steps: int
) -> None:
    expected = finish(list(fine_tune(embedded, dataset, CONFIG, settings))).head
    network = embedded.network.state_dict()
    before = {name: tensor.clone() for name, tensor in network.items()}
    seed = torch.get_rng_state()
    stopped = fine_tune(embedded, dataset, CONFIG, settings)
    assert isinstance(stopped, Generator)
    for _ in range(num_steps):
        next(stopped)
    stopped.close()
    assert list(stopped) == []
    assert_same(network, before)
    assert torch.equal(torch.get_rng_state(), seed)
    again = finish(list(fine_tune(embedded, dataset, CONFIG, settings))).head
    assert_close(again.module.state_dict(), expected.module.state_dict())


def test_the_test_split_is_reported_apart(embedded: Backbone, make_zip: MakeZip, settings: Settings) -> None:
    files = {
        **{f"train/{path}": content for path, content in colour_folders(8).items()},
        **{f"val/{path}": content for path, content in colour_folders(3).items()},
        **{f"test/{path}": content for path, content in colour_folders(2).items()},
    }
    tuned = finish(list(fine_tune(embedded, read_dataset(make_zip(files), settings), CONFIG, settings)))
    assert (tuned.head.summary.val_accuracy, tuned.head.summary.val_count) == (1.0, 6)
    assert (tuned.head.summary.test_accuracy, tuned.head.summary.test_count) == (1.0, 4)


def test_wrong_test_pictures_change_only_the_test_accuracy(
    embedded: Backbone, make_zip: MakeZip, settings: Settings
) -> None:
    turned_round = {"red": "blue", "blue": "red"}
    files = {f"train/{path}": content for path, content in colour_folders(10).items()}
    for path, content in colour_folders(2).items():
        class_name, file_name = path.split("/")
        files[f"test/{turned_round[class_name]}/{file_name}"] = content
    summary = finish(list(fine_tune(embedded, read_dataset(make_zip(files), settings), CONFIG, settings))).head.summary
    assert (summary.train_accuracy, summary.val_accuracy, summary.val_count) == (1.0, 1.0, 4)
    assert (summary.test_accuracy, summary.test_count) == (0.0, 4)


@pytest.mark.parametrize("epochs", [-1, 0, 201])
def test_a_number_of_epochs_out_of_range_is_told(epochs: int) -> None:
    with pytest.raises(OptionOutOfRange, match=f"epochs is {epochs}; .* from 1 to 200"):
        FineTuneConfig(epochs=epochs)


def test_the_most_epochs_can_be_set_lower() -> None:
    assert FineTuneConfig(epochs=30, max_epochs=30).epochs == 30
    with pytest.raises(OptionOutOfRange, match="from 1 to 30"):
        FineTuneConfig(epochs=31, max_epochs=30)


def test_the_same_seed_gives_the_same_losses_and_head(points: Features) -> None:
    (first_epochs, first), (second_epochs, second) = fit(points), fit(points)
    assert first_epochs == second_epochs
    assert_same(first, second)


def test_another_seed_gives_another_head(points: Features) -> None:
    assert_different(fit(points)[1], fit(points, replace(CONFIG, seed=1))[1])


def test_a_fit_leaves_the_global_seed_alone(points: Features) -> None:
    before = torch.get_rng_state()
    fit(points)
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_training_split_is_learned_from(points: Features) -> None:
    epochs, head = fit(points)
    turned_epochs, turned = fit(with_other_classes(points, Split.VALIDATION))
    assert_same(turned, head)
    assert turned_epochs[-1].train_loss == epochs[-1].train_loss
    assert turned_epochs[-1].val_accuracy == pytest.approx(1 - epochs[-1].val_accuracy)
    assert_different(fit(with_other_classes(points, Split.TRAIN))[1], head)


@pytest.mark.parametrize("seed", [0, 5])
def test_a_fit_is_the_plain_loop_of_the_lesson(points: Features, seed: int) -> None:
    config = FineTuneConfig(epochs=3, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    fc = nn.Linear(8, 2)
    fc.load_state_dict(build_head(8, 2, generator=generator).state_dict())
    optimizer = torch.optim.SGD(fc.parameters(), lr=0.001, momentum=0.9)
    train = [idx for idx, split in enumerate(points.splits) if split is Split.TRAIN]
    inputs, labels = torch.tensor(points.values[train]), torch.tensor(points.class_idxs[train])
    for _ in range(3):
        order = torch.randperm(len(train), generator=generator)
        for first in range(0, len(order), 4):
            batch = order[first : first + 4]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(fc(inputs[batch]), labels[batch])
            loss.backward()
            optimizer.step()
    epochs, head = fit(points, config)
    torch.testing.assert_close(dict(head), dict(fc.state_dict()), rtol=1e-6, atol=1e-7)
    with torch.no_grad():
        assert epochs[-1].train_loss == pytest.approx(float(nn.functional.cross_entropy(fc(inputs), labels)))
        assert epochs[-1].train_accuracy == pytest.approx(float((fc(inputs).argmax(1) == labels).float().mean()))


def test_a_split_without_samples_counts_as_nothing(points: Features) -> None:
    nothing = evaluate(nn.Linear(8, 2), points, Split.TEST)
    assert (nothing.loss, nothing.correct, nothing.count, nothing.accuracy) == (0.0, 0, 0, 0.0)


def test_a_head_that_always_says_the_same_is_right_as_often_as_that_class_is_there(points: Features) -> None:
    head = nn.Linear(8, 2)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([0.0, 9.0])
    found = evaluate(head, points, Split.VALIDATION)
    is_high = [
        bool(idx) for idx, split in zip(points.class_idxs, points.splits, strict=True) if split is Split.VALIDATION
    ]
    assert (found.correct, found.count) == (sum(is_high), len(is_high))


def test_ants_and_bees_are_told_apart(embedded: Backbone, settings: Settings, shared_data: Path) -> None:
    dataset = read_dataset(shared_data / "hymenoptera.zip", settings)
    summary = finish(list(fine_tune(embedded, dataset, FineTuneConfig(), settings))).head.summary
    assert summary.val_count == 153
    assert summary.val_correct >= 141
