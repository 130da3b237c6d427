"""A dataset -> a head."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from demo.data.dataset import Dataset, Split, read_dataset, read_sample
from demo.data.images import read_image
from demo.models.backbone import Backbone
from demo.models.head import build_head
from demo.models.recipe import SUGGESTED_RECIPES, HeadConfig, Optimizer, Recipe, Trains, lesson_recipe
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.errors import TooManyTrained
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureCache, FeatureProgress, Features
from demo.tasks.finetune import FineTuned, FittedHead, Progress, count_trained, fine_tune, fit_head, score
from demo.tasks.fit import BatchProgress, EpochResult, Examples, FitEnd, evaluate
from demo.tasks.inputs import StoredInputs
from demo.tasks.views import View, choose_views
from tests.pictures import MakeZip, colour_folders

RECIPE = lesson_recipe(epochs=4)


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


def drain(
    run: Generator[BatchProgress | EpochResult, None, FittedHead],
) -> tuple[list[EpochResult], dict[str, Tensor]]:
    """Run to the end; return the epochs and the head's tensors."""
    epochs: list[EpochResult] = []
    while True:
        try:
            step = next(run)
        except StopIteration as end:
            return epochs, end.value.module.state_dict()
        if isinstance(step, EpochResult):
            epochs.append(step)


def fit(features: Features, recipe: Recipe = RECIPE) -> tuple[list[EpochResult], dict[str, Tensor]]:
    return drain(fit_head(features, recipe))


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
    steps = list(fine_tune(embedded, dataset, RECIPE, settings))
    assert steps[:6] == [FeatureProgress(done, 20) for done in (0, 2, 4, 8, 16, 20)]
    learned = [step for step in steps[6:-1] if not isinstance(step, BatchProgress)]  # a slow machine's epochs are long
    epochs = [step for step in steps if isinstance(step, EpochResult)]
    assert learned == epochs
    assert [(each.epoch, each.num_epochs) for each in epochs] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert isinstance(steps[-1], FineTuned)


def test_a_run_learns_red_from_blue(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    steps = list(fine_tune(embedded, dataset, RECIPE, settings))
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
    assert (summary.test_accuracy, summary.test_correct, summary.test_count) == (1.0, 4, 4)
    assert summary.seconds > 0


def test_the_features_are_those_of_the_samples_in_their_order(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    features = finish(list(fine_tune(embedded, dataset, lesson_recipe(epochs=1), settings))).features
    assert features.backbone_name == EMBEDDED
    assert features.class_names == dataset.class_names
    assert features.class_idxs.tolist() == [sample.class_idx for sample in dataset.samples]
    assert features.splits == tuple(sample.split for sample in dataset.samples)
    backwards = replace(dataset, samples=dataset.samples[::-1])
    turned = finish(list(fine_tune(embedded, backwards, lesson_recipe(epochs=1), settings))).features
    np.testing.assert_allclose(turned.values[::-1], features.values, rtol=1e-4, atol=1e-4)


def test_cached_features_skip_the_reading(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    cache = FeatureCache()
    first = finish(list(fine_tune(embedded, dataset, RECIPE, settings, cache=cache)))
    steps = list(fine_tune(embedded, dataset, RECIPE, settings, cache=cache))
    assert not any(isinstance(step, FeatureProgress) for step in steps)
    assert_same(finish(steps).head.module.state_dict(), first.head.module.state_dict())


def test_a_cache_knows_backbones_and_pictures_apart(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    cache = FeatureCache()
    list(fine_tune(embedded, dataset, RECIPE, settings, cache=cache))
    assert cache.rows("resnet18") == {}
    known = {key[1] for key in cache.rows(EMBEDDED)}
    assert known == {sample.digest for sample in dataset.samples}
    cache.keep_only({dataset.samples[0].digest})
    steps = list(fine_tune(embedded, dataset, RECIPE, settings, cache=cache))
    assert steps[0] == FeatureProgress(0, len(known) - 1)


@pytest.mark.parametrize("num_steps", [2, 6])
def test_a_run_that_is_stopped_leaves_nothing(
    embedded: Backbone, dataset: Dataset, settings: Settings, num_steps: int
) -> None:
    expected = finish(list(fine_tune(embedded, dataset, RECIPE, settings))).head
    network = embedded.network.state_dict()
    before = {name: tensor.clone() for name, tensor in network.items()}
    seed = torch.get_rng_state()
    stopped = fine_tune(embedded, dataset, RECIPE, settings)
    assert isinstance(stopped, Generator)
    for _ in range(num_steps):
        next(stopped)
    stopped.close()
    assert list(stopped) == []
    assert_same(network, before)
    assert torch.equal(torch.get_rng_state(), seed)
    again = finish(list(fine_tune(embedded, dataset, RECIPE, settings))).head
    assert_close(again.module.state_dict(), expected.module.state_dict())


def test_the_test_split_is_reported_apart(embedded: Backbone, make_zip: MakeZip, settings: Settings) -> None:
    files = {
        **{f"train/{path}": content for path, content in colour_folders(8).items()},
        **{f"val/{path}": content for path, content in colour_folders(3).items()},
        **{f"test/{path}": content for path, content in colour_folders(2).items()},
    }
    tuned = finish(list(fine_tune(embedded, read_dataset(make_zip(files), settings), RECIPE, settings)))
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
    summary = finish(list(fine_tune(embedded, read_dataset(make_zip(files), settings), RECIPE, settings))).head.summary
    assert (summary.train_accuracy, summary.val_accuracy, summary.val_count) == (1.0, 1.0, 4)
    assert (summary.test_accuracy, summary.test_count) == (0.0, 4)


def test_the_same_seed_gives_the_same_losses_and_head(points: Features) -> None:
    (first_epochs, first), (second_epochs, second) = fit(points), fit(points)
    assert first_epochs == second_epochs
    assert_same(first, second)


def test_another_seed_gives_another_head(points: Features) -> None:
    assert_different(fit(points)[1], fit(points, replace(RECIPE, seed=1))[1])


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
    recipe = lesson_recipe(epochs=3, seed=seed)
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
    epochs, head = fit(points, recipe)
    torch.testing.assert_close(dict(head), dict(fc.state_dict()), rtol=1e-6, atol=1e-7)
    with torch.no_grad():
        assert epochs[-1].train_loss == pytest.approx(float(nn.functional.cross_entropy(fc(inputs), labels)))
        assert epochs[-1].train_accuracy == pytest.approx(float((fc(inputs).argmax(1) == labels).float().mean()))


def test_a_split_without_samples_counts_as_nothing(points: Features) -> None:
    nothing = evaluate(nn.Linear(8, 2), *points.of(Split.TEST))
    assert (nothing.loss, nothing.accuracy) == (0.0, Accuracy.of(0, 0))


def test_a_head_that_always_says_the_same_is_right_as_often_as_that_class_is_there(points: Features) -> None:
    head = nn.Linear(8, 2)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([0.0, 9.0])
    found = evaluate(head, *points.of(Split.VALIDATION))
    is_high = [
        bool(idx) for idx, split in zip(points.class_idxs, points.splits, strict=True) if split is Split.VALIDATION
    ]
    assert (found.accuracy.correct, found.accuracy.count) == (sum(is_high), len(is_high))


@pytest.fixture(scope="module")
def insects(settings: Settings, shared_data: Path) -> tuple[Dataset, FeatureCache]:
    return read_dataset(shared_data / "hymenoptera.zip", settings), FeatureCache()


def right_of_153(embedded: Backbone, insects: tuple[Dataset, FeatureCache], recipe: Recipe, settings: Settings) -> int:
    dataset, cache = insects
    summary = finish(list(fine_tune(embedded, dataset, recipe, settings, cache=cache))).head.summary
    assert summary.val_count == 153
    return summary.val_correct


@pytest.mark.slow
def test_ants_and_bees_are_told_apart(
    embedded: Backbone, insects: tuple[Dataset, FeatureCache], settings: Settings
) -> None:
    """The default recipe, median of five seeds: at least 145; the lesson's: at least 141."""
    right = [right_of_153(embedded, insects, Recipe(seed=seed), settings) for seed in range(5)]
    assert sorted(right)[2] >= 145
    assert right_of_153(embedded, insects, lesson_recipe(), settings) >= 141
    assert right_of_153(embedded, insects, Recipe(optimizer=Optimizer.RIDGE), settings) >= 141


def test_the_same_pictures_and_seed_give_the_same_losses(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    """From the pictures on, with nothing cached, whatever others ask meanwhile."""
    runs = [list(fine_tune(embedded, dataset, Recipe(epochs=3), settings)) for _ in range(2)]
    losses = [[step for step in run if isinstance(step, EpochResult)] for run in runs]
    assert losses[0] == losses[1]
    assert_same(finish(runs[0]).head.module.state_dict(), finish(runs[1]).head.module.state_dict())


def test_hidden_layers_learn_and_repeat(points: Features) -> None:
    recipe = Recipe(head=HeadConfig(2, 16, 0.3), epochs=20)
    (first_epochs, first), (second_epochs, second) = fit(points, recipe), fit(points, recipe)
    assert first_epochs == second_epochs
    assert_same(first, second)
    assert [tuple(tensor.shape) for tensor in first.values()] == [(16, 8), (16,), (16, 16), (16,), (2, 16), (2,)]
    assert first_epochs[-1].train_loss < first_epochs[0].train_loss


def test_mirrored_pictures_are_learned_from_and_never_checked(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    features = finish(list(fine_tune(embedded, dataset, Recipe(epochs=1), settings))).features
    num_training = int(features.chosen(Split.TRAIN).sum())
    assert features.augmented is not None
    assert features.augmented.shape == (1, num_training, 1280)
    assert len(features.training()[0]) == 2 * num_training
    assert len(features.of(Split.VALIDATION)[0]) == int(features.chosen(Split.VALIDATION).sum())


def test_early_stopping_keeps_the_epoch_with_the_lowest_validation_loss(points: Features) -> None:
    recipe = Recipe(epochs=100, learning_rate=0.3, patience=5)
    run, epochs = fit_head(points, recipe), []
    try:
        while True:
            step = next(run)
            if isinstance(step, EpochResult):
                epochs.append(step)
    except StopIteration as end:
        fitted: FittedHead = end.value
    best = min(epochs, key=lambda each: each.val_loss)
    assert fitted.end.chosen_epoch == best.epoch
    assert fitted.end.epochs == len(epochs) == best.epoch + 5
    assert evaluate(fitted.module, *points.of(Split.VALIDATION)).loss == pytest.approx(best.val_loss)


def test_a_training_ends_at_its_deadline_with_what_it_has(
    embedded: Backbone, dataset: Dataset, settings: Settings
) -> None:
    tuned = finish(list(fine_tune(embedded, dataset, Recipe(epochs=50), replace(settings, max_training_s=0.0))))
    assert tuned.head.summary.epochs == 1


@pytest.mark.parametrize("trains", [Trains.LAST_STAGE, pytest.param(Trains.EVERYTHING, marks=pytest.mark.slow)])
def test_deeper_layers_are_trained_in_a_private_copy(
    embedded: Backbone, dataset: Dataset, settings: Settings, cat: Image.Image, trains: Trains
) -> None:
    before = {name: tensor.clone() for name, tensor in embedded.network.state_dict().items()}
    answers = embedded.run([cat])
    recipe = lesson_recipe(trains, epochs=2)
    steps = list(fine_tune(embedded, dataset, recipe, settings))
    head = finish(steps).head
    assert_same(embedded.network.state_dict(), before)
    assert torch.equal(embedded.run([cat]).features, answers.features)
    changed = {name for name, tensor in head.tuned.items() if not torch.equal(tensor, before[name])}
    assert any(name.startswith("blocks.6") for name in changed)
    assert any(name.startswith("blocks.0") for name in head.tuned) == (trains is Trains.EVERYTHING)
    # With the last stage alone the statistics of the batch norms stay; the lesson's own code moves them.
    assert any("running_mean" in name for name in changed) == (trains is Trains.EVERYTHING)
    assert sum(each.numel() for each in head.module.parameters()) < count_trained(embedded, 2, recipe)
    private = embedded.for_head(head)
    assert private is embedded.for_head(head)
    assert not torch.equal(private.run([cat]).features, answers.features)
    features = finish(steps).features
    sample = dataset.samples[0]
    seen = private.run([read_image(sample.image_bytes, settings)]).features[0]
    torch.testing.assert_close(seen, torch.from_numpy(features.values[0]), rtol=1e-3, atol=1e-3)
    losses = [step.train_loss for step in steps if isinstance(step, EpochResult)]
    assert losses[-1] < losses[0]


def test_all_layers_learn_from_each_view_of_a_picture_and_memory_holds_none(
    embedded: Backbone, dataset: Dataset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head that they begin with learns from features, which whoever trains next finds in the cache."""
    taught: list[Examples] = []

    def note(_learner: nn.Module, examples: Examples, *_: Any, **__: Any) -> Generator[Any, None, FitEnd]:
        taught.append(examples)
        yield from ()
        return FitEnd(1, 1)

    monkeypatch.setattr("demo.tasks.finetune.fit", note)
    few = replace(dataset, samples=dataset.samples[::2])
    training, checked = (
        [each for each in few.samples if each.split is split] for split in (Split.TRAIN, Split.VALIDATION)
    )
    recipe, cache = replace(SUGGESTED_RECIPES[Trains.EVERYTHING], flips=True, crops=1), FeatureCache()
    list(fine_tune(embedded, few, recipe, settings, cache=cache))
    (known, examples), views = taught, (View(), *choose_views(recipe))
    assert isinstance(examples.inputs, StoredInputs)
    assert isinstance(examples.val_inputs, StoredInputs)
    shown = [each.show(read_sample(sample, settings), sample.digest) for each in views for sample in training]
    expected = torch.stack([embedded.transform(picture) for picture in shown]).half()
    assert torch.equal(examples.inputs[: len(shown)], expected)
    assert torch.equal(examples.plain_inputs[: len(shown)], expected[: len(training)])
    assert torch.equal(examples.targets, torch.tensor([each.class_idx for each in training] * len(views)))
    assert len(examples.val_inputs) == len(checked)
    rows = [cache.find(EMBEDDED, each, sample.digest) for each in views for sample in training]
    assert np.array_equal(np.asarray(known.inputs), np.stack([row for row in rows if row is not None]))
    for found, wanted in ((known.targets, examples.targets), (known.val_targets, examples.val_targets)):
        assert torch.equal(found, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("flips", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_with_a_warm_start_deeper_layers_begin_with_a_trained_head(
    embedded: Backbone, dataset: Dataset, settings: Settings, flips: bool
) -> None:
    """With steps too small to change anything, what is left is the head as it is trained alone."""
    still = Recipe(Trains.LAST_STAGE, epochs=1, batch_size=8, learning_rate=1e-6, flips=flips, warm_start=True)
    steps = list(fine_tune(embedded, dataset, still, settings))
    found, alone = finish(steps), finish(list(fine_tune(embedded, dataset, still.warm_up, settings)))
    for split in (Split.TRAIN, Split.VALIDATION):
        ours, theirs = (score(each.head, each.features, split).logits for each in (found, alone))
        np.testing.assert_allclose(ours, theirs, atol=0.05)
        assert np.abs(theirs).max() > 0.5
    assert len([step for step in steps if isinstance(step, EpochResult)]) == 1
    progress = [step for step in steps if isinstance(step, FeatureProgress)]
    assert all(step.done <= step.total <= len(dataset.samples) for step in progress)


@pytest.mark.slow
def test_a_warm_start_keeps_the_norms(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    recipe = replace(SUGGESTED_RECIPES[Trains.EVERYTHING], epochs=1)
    head = finish(list(fine_tune(embedded, dataset, recipe, settings))).head
    network = embedded.network.state_dict()
    norms = {name for name in head.tuned if "running_" in name}
    assert norms
    assert all(torch.equal(head.tuned[name], network[name]) for name in norms)
    assert not torch.equal(head.tuned["conv_stem.weight"], network["conv_stem.weight"])


@pytest.mark.slow
def test_deeper_trainings_repeat(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    recipe = lesson_recipe(Trains.EVERYTHING, epochs=1)  # with the network's own dropout
    runs = [list(fine_tune(embedded, dataset, recipe, settings)) for _ in range(2)]
    first, second = ([step for step in run if isinstance(step, EpochResult)] for run in runs)
    assert first[0].train_loss == pytest.approx(second[0].train_loss, rel=1e-6)


def test_a_private_copy_has_a_limit_and_says_so(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    small = replace(settings, max_tuned_parameters=1_000_000)
    with pytest.raises(TooManyTrained, match=r"needs 2\.7 million parameters of your own; at most 1 million"):
        list(fine_tune(embedded, dataset, lesson_recipe(Trains.LAST_STAGE), small))


def test_scores_are_what_the_head_says_of_a_split(embedded: Backbone, dataset: Dataset, settings: Settings) -> None:
    tuned = finish(list(fine_tune(embedded, dataset, RECIPE, settings)))
    scores = score(tuned.head, tuned.features, Split.VALIDATION)
    assert [dataset.samples[idx].split for idx in scores.sample_idxs] == [Split.VALIDATION] * len(scores.class_idxs)
    assert (scores.answers == scores.class_idxs).sum() == tuned.head.summary.val_correct
