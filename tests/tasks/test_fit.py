"""Learners, examples and recipes: the steps of torch's own optimizers, and when they end."""

import copy
import itertools
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.models.batching import set_num_threads
from demo.models.head import build_head, seeded_dropout
from demo.models.recipe import Balance, HeadConfig, Optimizer, Recipe
from demo.tasks import fit as fitting
from demo.tasks.fit import BatchProgress, EpochResult, Examples, FitEnd, evaluate, fit, measure_loss
from demo.tasks.learner import DeepLearner

NUM_FEATURES = 6
SGD = Recipe(optimizer=Optimizer.SGD, learning_rate=0.05, momentum=0.8, weight_decay=0.02, epochs=12)
ADAMW = Recipe(optimizer=Optimizer.ADAMW, learning_rate=0.01, weight_decay=0.1, epochs=12)
EVERY_OPTIMIZER = pytest.mark.parametrize("recipe", [SGD, ADAMW], ids=["sgd", "adamw"])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Do not wait for helpers: all learners here are small."""
    with set_num_threads(1):
        yield


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clouds(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return points of three clouds that overlap, and which cloud each is of."""
    targets = torch.arange(count) % 3
    inputs = torch.randn((count, NUM_FEATURES), generator=generator(seed))
    inputs[torch.arange(count), targets] += 1.5
    return inputs, targets


def examples(count: int = 30) -> Examples:
    inputs, targets = clouds(count, seed=1)
    return Examples(inputs, targets, inputs, targets, *clouds(24, seed=2))


def uneven() -> Examples:
    """Return thirty points of one cloud, and five of each other."""
    inputs, targets = clouds(90, seed=1)
    kept = torch.cat([torch.nonzero(targets == idx)[: 30 if idx == 0 else 5, 0] for idx in range(3)])
    return Examples(inputs[kept], targets[kept], inputs[kept], targets[kept], *clouds(24, seed=2))


def head(config: HeadConfig | None = None) -> nn.Module:
    return build_head(NUM_FEATURES, 3, config, generator=generator(5))


def tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a module's parameters and buffers."""
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def drain(
    run: Generator[BatchProgress | EpochResult, None, FitEnd],
) -> tuple[list[BatchProgress | EpochResult], FitEnd]:
    steps: list[BatchProgress | EpochResult] = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as end:
            return steps, end.value


def follow(
    learner: nn.Module, recipe: Recipe, data: Examples, seed: int = 0
) -> tuple[list[EpochResult], list[dict[str, Tensor]], FitEnd]:
    """Train a learner; return the epochs, the weights after each, and the end."""
    run = fit(learner, data, recipe, generator=generator(seed))
    epochs: list[EpochResult] = []
    weights: list[dict[str, Tensor]] = []
    while True:
        try:
            step = next(run)
        except StopIteration as end:
            return epochs, weights, end.value
        if isinstance(step, EpochResult):
            epochs.append(step)
            weights.append(tensors(learner))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of trainings, in seconds; it stands still but for learners that are slow."""
    clock = [100.0]
    monkeypatch.setattr(fitting, "working_s", lambda: clock[0])
    return clock


class Slow(nn.Module):
    """A learner that takes its time, as a large one does."""

    def __init__(self, pause_s: float, clock: list[float]) -> None:
        super().__init__()
        self.layer = head()
        self.pause_s, self.clock = pause_s, clock

    def forward(self, inputs: Tensor) -> Tensor:
        self.clock[0] += self.pause_s
        logits: Tensor = self.layer(inputs)
        return logits


def body() -> nn.Module:
    """Return a small part of a network, with a batch norm whose statistics are its own."""
    network = nn.Sequential(
        nn.Linear(NUM_FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8), nn.BatchNorm1d(8)
    )
    for number, tensor in enumerate(network.state_dict().values()):
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5, generator=generator(number))
    return network


def plain_optimizer(learner: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return a recipe's optimizer as torch writes it down in Python, without fused kernels."""
    options: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    options |= {"foreach": False, "fused": False}
    if recipe.optimizer is Optimizer.SGD:
        return torch.optim.SGD(learner.parameters(), momentum=recipe.momentum, **options)
    return torch.optim.AdamW(learner.parameters(), **options)


@EVERY_OPTIMIZER
@pytest.mark.parametrize("batch_size", [30, 7], ids=["one step an epoch", "five steps an epoch"])
@pytest.mark.parametrize("hidden_layers", [0, 2])
def test_each_step_is_that_of_torchs_plain_optimizer(recipe: Recipe, batch_size: int, hidden_layers: int) -> None:
    data, recipe = examples(), replace(recipe, batch_size=batch_size)
    learner = head(HeadConfig(hidden_layers, 16))
    theirs = copy.deepcopy(learner)
    optimizer, order = plain_optimizer(theirs, recipe), generator(3)
    _, weights, _ = follow(learner, recipe, data, seed=3)
    assert len(weights) == recipe.epochs
    before = tensors(theirs)
    for after in weights:
        for batch in torch.randperm(30, generator=order).split(batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(theirs(data.inputs[batch]), data.targets[batch]).backward()
            optimizer.step()
        torch.testing.assert_close(after, tensors(theirs), rtol=0, atol=1e-6)
        assert min(float((after[name] - before[name]).abs().max()) for name in before) > 1e-4
        before = after


def test_a_balanced_loss_is_that_of_pictures_by_hand() -> None:
    logits, targets = torch.randn((7, 3), generator=generator(1)), torch.tensor([0, 0, 0, 1, 1, 2, 0])
    counts = torch.tensor([40, 9, 1])
    odds = logits.exp() * counts  # each class starts ahead by its number of pictures
    losses = -(odds[torch.arange(7), targets] / odds.sum(dim=1)).log()
    weights = counts[targets] ** -0.5
    expected = (weights * losses).sum() / weights.sum()
    torch.testing.assert_close(measure_loss(logits, targets, counts), expected)
    alike = torch.tensor([5, 5, 5])
    torch.testing.assert_close(measure_loss(logits, targets, alike), functional.cross_entropy(logits, targets))
    assert torch.equal(measure_loss(logits, targets), functional.cross_entropy(logits, targets))


@EVERY_OPTIMIZER
@pytest.mark.parametrize("balance", list(Balance))
def test_each_balanced_step_is_that_of_the_balanced_loss(recipe: Recipe, balance: Balance) -> None:
    data = uneven()
    is_balanced = balance is not Balance.OFF
    counts = torch.bincount(data.plain_targets)
    assert max(counts) >= 3 * min(counts)
    learner = head()
    theirs = copy.deepcopy(learner)
    optimizer, order = plain_optimizer(theirs, recipe), generator(3)
    epochs, weights, _ = follow(learner, replace(recipe, balance=balance, epochs=3), data, seed=3)
    for epoch, after in zip(epochs, weights, strict=True):
        for batch in torch.randperm(len(data.inputs), generator=order).split(recipe.batch_size):
            optimizer.zero_grad()
            chosen = data.targets[batch]
            measure_loss(theirs(data.inputs[batch]), chosen, counts if is_balanced else None).backward()
            optimizer.step()
        torch.testing.assert_close(after, tensors(theirs), rtol=0, atol=1e-6)
        with torch.no_grad():
            loss = measure_loss(theirs(data.val_inputs), data.val_targets, counts if is_balanced else None)
        assert epoch.val_loss == pytest.approx(float(loss), rel=1e-4)  # what early stopping goes by


@EVERY_OPTIMIZER
def test_balanced_training_finds_more_of_the_rare_classes(recipe: Recipe) -> None:
    data = uneven()
    found = {}
    for balance in (Balance.OFF, Balance.ON):
        learner = head()
        follow(learner, replace(recipe, balance=balance, epochs=40), data)
        found[balance] = evaluate(learner, *clouds(900, seed=8)).accuracy.share
    assert found[Balance.ON] > found[Balance.OFF] + 0.04


@EVERY_OPTIMIZER
def test_where_classes_hardly_differ_nothing_changes(recipe: Recipe) -> None:
    """Down to the last bit: the default is what it was before it minded the sizes of classes."""
    data = examples(29)  # ten, ten and nine
    auto, off = (follow(head(), replace(recipe, balance=each), data) for each in (Balance.AUTO, Balance.OFF))
    assert auto[0] == off[0]
    torch.testing.assert_close(auto[1], off[1], rtol=0, atol=0)


@EVERY_OPTIMIZER
def test_a_training_learns_and_tells_what_it_gets_right(recipe: Recipe) -> None:
    data = examples(90)
    learner = head()
    epochs, weights, end = follow(learner, replace(recipe, epochs=40), data)
    assert [(each.epoch, each.num_epochs) for each in epochs] == [(number, 40) for number in range(1, 41)]
    assert end == FitEnd(40, 40)
    assert epochs[-1].train_loss < 0.8 * epochs[0].train_loss
    assert epochs[-1].val_accuracy > 0.6
    seconds = [each.seconds for each in epochs]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    for epoch, state in zip(epochs[::13], weights[::13], strict=True):
        again = head()
        again.load_state_dict(state)
        train, val = (
            evaluate(again, *each)
            for each in ((data.plain_inputs, data.plain_targets), (data.val_inputs, data.val_targets))
        )
        assert (epoch.train_loss, epoch.train_accuracy) == pytest.approx((train.loss, train.accuracy.share))
        assert (epoch.val_loss, epoch.val_accuracy) == pytest.approx((val.loss, val.accuracy.share))


def test_views_are_learned_from_and_only_the_plain_pictures_are_measured() -> None:
    data, (inputs, targets) = examples(), clouds(30, seed=1)
    turned = replace(data, inputs=torch.cat([inputs, -inputs]), targets=targets.repeat(2))
    one_epoch = replace(SGD, epochs=1, batch_size=60)
    (epoch,), (weights,), _ = follow(head(), one_epoch, turned)
    assert not torch.allclose(weights["weight"], follow(head(), one_epoch, data)[1][0]["weight"])
    again = head()
    again.load_state_dict(weights)
    assert epoch.train_loss == pytest.approx(evaluate(again, data.inputs, data.targets).loss)


def test_only_parameters_that_ask_for_a_gradient_are_trained() -> None:
    learner = head(HeadConfig(1, 16))
    assert isinstance(learner, nn.Sequential)
    learner[0].requires_grad_(False)
    before = tensors(learner)
    _, weights, _ = follow(learner, replace(ADAMW, epochs=2), examples())
    changed = {name for name in before if not torch.equal(before[name], weights[-1][name])}
    assert changed == {"3.weight", "3.bias"}  # neither steps nor weight decay touch the others


def test_without_patience_the_weights_are_those_of_the_last_epoch() -> None:
    learner = head()
    epochs, weights, end = follow(learner, replace(SGD, learning_rate=0.9, epochs=30), examples())
    assert end == FitEnd(30, 30)
    assert epochs[-1].val_loss > min(each.val_loss for each in epochs)  # and there were better ones
    torch.testing.assert_close(dict(learner.state_dict()), weights[-1], rtol=0, atol=0)
    assert not learner.training


@pytest.mark.parametrize("patience", [1, 4])
def test_with_patience_it_ends_when_nothing_gets_better_and_the_best_epoch_is_kept(patience: int) -> None:
    learner = head()
    epochs, weights, end = follow(learner, replace(SGD, learning_rate=0.3, epochs=100, patience=patience), examples())
    losses = [each.val_loss for each in epochs]
    best = losses.index(min(losses))
    assert end == FitEnd(len(epochs), best + 1)
    assert len(epochs) == best + 1 + patience < 100
    torch.testing.assert_close(dict(learner.state_dict()), weights[best], rtol=0, atol=0)
    assert not torch.equal(weights[best]["weight"], weights[-1]["weight"])
    data = examples()
    assert evaluate(learner, data.val_inputs, data.val_targets).loss == pytest.approx(min(losses))


def test_with_patience_it_goes_on_for_as_long_as_it_gets_better() -> None:
    learner = head()
    epochs, weights, end = follow(learner, replace(SGD, learning_rate=1e-4, epochs=20, patience=1), examples())
    assert all(later.val_loss < earlier.val_loss for earlier, later in itertools.pairwise(epochs))
    assert end == FitEnd(20, 20)
    torch.testing.assert_close(dict(learner.state_dict()), weights[-1], rtol=0, atol=0)


def test_patience_runs_out_where_the_losses_are_no_numbers() -> None:
    data = examples()
    endless = replace(data, val_inputs=torch.full((24, NUM_FEATURES), float("nan")))
    learner = head()
    epochs, weights, end = follow(learner, replace(SGD, patience=3), endless)
    assert end == FitEnd(3, 3)
    assert len(epochs) == 3
    torch.testing.assert_close(dict(learner.state_dict()), weights[-1], rtol=0, atol=0)


def test_it_ends_at_its_deadline_and_not_before_the_first_epoch(clock: list[float]) -> None:
    recipe = replace(SGD, epochs=200, batch_size=30)
    steps, end = drain(fit(Slow(0.01, clock), examples(), recipe, generator=generator(), deadline=clock[0] - 1))
    assert end == FitEnd(1, 1)
    assert [type(step) for step in steps] == [EpochResult]
    deadline = clock[0] + 0.3
    _, end = drain(fit(Slow(0.01, clock), examples(), recipe, generator=generator(), deadline=deadline))
    assert 1 < end.epochs < 200  # of which all would take 6 s
    assert deadline < clock[0] < deadline + 0.05  # an epoch takes less


def test_at_its_deadline_the_best_epoch_is_kept_too(clock: list[float]) -> None:
    learner, recipe = Slow(0.005, clock), replace(SGD, learning_rate=0.9, epochs=200, patience=200, batch_size=30)
    steps, end = drain(fit(learner, examples(), recipe, generator=generator(), deadline=clock[0] + 0.4))
    losses = [step.val_loss for step in steps if isinstance(step, EpochResult)]
    assert 1 < len(losses) < 200
    assert end.chosen_epoch == losses.index(min(losses)) + 1
    data = examples()
    assert evaluate(learner, data.val_inputs, data.val_targets).loss == pytest.approx(min(losses))


def test_within_a_long_epoch_it_tells_how_far_it_is(clock: list[float]) -> None:
    recipe = replace(SGD, epochs=2, batch_size=1)
    begin = clock[0]
    steps, _ = drain(fit(Slow(0.025, clock), examples(), recipe, generator=generator()))
    elapsed = clock[0] - begin
    for epoch in (1, 2):
        progress = [step for step in steps if isinstance(step, BatchProgress) and step.epoch == epoch]
        assert len(progress) >= 2  # an epoch takes 0.75 s
        done = [step.done for step in progress]
        assert done == sorted(set(done))
        assert 0 < done[0] < done[-1] <= 30
        assert {step.total for step in progress} == {30}
    assert len(steps) - 2 <= elapsed / fitting._REPORT_EVERY_S  # and no oftener than that
    kinds = [isinstance(step, EpochResult) for step in steps]
    assert kinds.count(True) == 2
    assert kinds[-1]


@pytest.mark.usefixtures("clock")
def test_short_epochs_tell_only_their_results() -> None:
    steps, _ = drain(fit(head(), examples(), SGD, generator=generator()))
    assert [type(step) for step in steps] == [EpochResult] * SGD.epochs


def test_a_training_that_is_closed_within_an_epoch_does_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_REPORT_EVERY_S", -1.0)  # after each batch
    num_threads = torch.get_num_threads()
    learner = head()
    run = fit(learner, examples(), replace(SGD, batch_size=5), generator=generator(), num_threads=num_threads + 1)
    assert next(run) == BatchProgress(1, 1, 6)
    assert next(run) == BatchProgress(1, 2, 6)
    before = tensors(learner)
    run.close()
    assert list(run) == []
    torch.testing.assert_close(dict(learner.state_dict()), before, rtol=0, atol=0)
    assert torch.get_num_threads() == num_threads


@pytest.mark.parametrize("count", [1, 64, 65, 150])
def test_an_evaluation_is_that_of_all_samples_together(count: int) -> None:
    inputs, targets = clouds(count, seed=7)
    learner = head(HeadConfig(1, 16, dropout=0.5)).train()
    found = evaluate(learner, inputs, targets)
    logits = learner.eval()(inputs).detach()
    assert found.loss == pytest.approx(float(functional.cross_entropy(logits, targets)), rel=1e-5)
    right = int((logits.argmax(1) == targets).sum())
    assert (found.accuracy.correct, found.accuracy.count) == (right, count)


def test_an_evaluation_leaves_no_gradient_and_changes_nothing() -> None:
    learner = DeepLearner(body(), build_head(8, 3, generator=generator()), keeps_norms=False).train()
    before = tensors(learner)
    inputs, targets = clouds(100, seed=7)
    inputs.requires_grad_(True)
    evaluate(learner, inputs, targets)
    assert all(parameter.requires_grad and parameter.grad is None for parameter in learner.parameters())
    assert inputs.grad is None
    torch.testing.assert_close(dict(learner.state_dict()), before, rtol=0, atol=0)  # nor counts a batch
    functional.cross_entropy(learner(inputs), targets).backward()  # and it can still be trained
    assert all(parameter.grad is not None for parameter in learner.parameters())


@pytest.mark.parametrize("keeps_norms", [True, False])
def test_a_deep_learner_keeps_its_norms_where_it_is_told_to(keeps_norms: bool) -> None:
    learner = DeepLearner(body(), build_head(8, 3, generator=generator()), keeps_norms=keeps_norms)
    before = tensors(learner)
    follow(learner, replace(SGD, epochs=2), examples())
    changed = {name for name, tensor in learner.state_dict().items() if not torch.equal(tensor, before[name])}
    statistics = {name for name in before if "running" in name or "num_batches" in name}
    assert len(statistics) == 6
    assert changed == set(before) - (statistics if keeps_norms else set())


@pytest.mark.parametrize("keeps_norms", [True, False])
def test_a_deep_learner_sets_the_modes_of_its_parts(keeps_norms: bool) -> None:
    learner = DeepLearner(body(), head(HeadConfig(1, 16, 0.5)), keeps_norms=keeps_norms)
    assert learner.train() is learner
    assert {module.training for module in learner.head.modules()} == {True}
    assert {module.training for module in learner.body.modules()} == {not keeps_norms}
    assert {module.training for module in learner.eval().modules()} == {False}


def test_a_deep_learner_takes_inputs_in_half_precision() -> None:
    learner = DeepLearner(body(), build_head(8, 3, generator=generator()), keeps_norms=True).eval()
    inputs = clouds(4, seed=0)[0].half()
    logits = learner(inputs)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, learner.head(learner.body(inputs.float())), rtol=0, atol=0)


def test_dropout_keeps_the_expectation_of_each_activation() -> None:
    activation = torch.tensor([-2.0, 0.0, 0.5, 3.0])
    dropout = seeded_dropout(0.25, generator()).train()
    mean = dropout(activation.expand(40_000, 4)).mean(dim=0)
    # The deviation of one is |a| (p / (1 - p))^(1/2); of the mean of 40,000 a two-hundredth of that.
    torch.testing.assert_close(mean, activation, rtol=4 * 0.58 / 200, atol=0)
    assert torch.equal(dropout.eval()(activation), activation)


def test_dropout_lets_gradients_through_where_it_keeps_an_activation() -> None:
    activation = torch.ones(1000, requires_grad=True)
    dropped = seeded_dropout(0.5, generator()).train()(activation)
    dropped.sum().backward()
    assert activation.grad is not None
    assert torch.equal(activation.grad, dropped.detach())
    assert set(activation.grad.tolist()) == {0.0, 2.0}


def test_a_training_with_dropout_repeats_and_leaves_the_global_seed_alone() -> None:
    def train(seed: int) -> dict[str, Tensor]:
        order = generator(seed)
        learner = build_head(NUM_FEATURES, 3, HeadConfig(2, 16, 0.5), generator=order)
        drain(fit(learner, examples(), replace(ADAMW, batch_size=7), generator=order))
        return tensors(learner)

    before = torch.get_rng_state()
    first, second, other = train(1), train(1), train(2)
    assert torch.equal(torch.get_rng_state(), before)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.allclose(first["0.weight"], other["0.weight"])
