"""Networks by depth: what vanishes, what degrades, and that a seed is all that a run depends on."""

import math
from typing import Any

import pytest
import torch

from demo.errors import OptionOutOfRange
from demo.tasks.depth import (
    DESIGNS,
    NUM_CLASSES,
    NUM_TRAINED,
    SEEDS,
    DepthEnd,
    DepthPoint,
    Design,
    _read_digits,
    gradient_ratio,
    judge,
    measure_gradients,
    train_depths,
)
from demo.tasks.digit_network import DigitNetwork

SMALL = (Design(4, residual=False), Design(4, residual=True))


def build(design: Design, *, batch_norm: bool) -> DigitNetwork:
    return DigitNetwork(design, batch_norm=batch_norm, generator=torch.Generator().manual_seed(0))


def run(seed: int, num_steps: int = 20) -> list[DepthPoint | DepthEnd]:
    return list(train_depths(seed, designs=SMALL, num_steps=num_steps))


def outcome(points: list[DepthPoint | DepthEnd]) -> list[Any]:
    return [(each.design, each.error if isinstance(each, DepthPoint) else each.train_error) for each in points]


@pytest.mark.parametrize("design", DESIGNS, ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_network_has_as_many_convolutions_as_its_design_says(design: Design, batch_norm: bool) -> None:
    network = build(design, batch_norm=batch_norm)
    convolutions = [each for each in network.blocks.modules() if isinstance(each, torch.nn.Conv2d)]
    assert len(convolutions) == design.depth
    assert len(network.blocks) == design.num_blocks
    assert network(torch.zeros(5, 1, 8, 8)).shape == (5, NUM_CLASSES)
    assert any(isinstance(each, torch.nn.BatchNorm2d) for each in network.modules()) == batch_norm


def test_weights_are_spread_as_torch_spreads_them() -> None:
    ours, theirs = build(DESIGNS[-1], batch_norm=False).blocks[0][0], torch.nn.Conv2d(8, 8, 3)  # type: ignore[index]
    for name in ("weight", "bias"):
        largest, bound = (float(getattr(each, name).detach().abs().max()) for each in (ours, theirs))
        assert largest == pytest.approx(bound, rel=0.3)
        assert largest <= (8 * 9) ** -0.5


def test_a_residual_block_begins_as_its_shortcut() -> None:
    network = build(Design(4, residual=True), batch_norm=True).eval()
    scans = _read_digits().scans[:8]
    maps = network.stem(scans)
    torch.testing.assert_close(network(scans), network.classifier(maps.mean((2, 3))))


def test_no_digit_is_both_trained_with_and_held_out() -> None:
    digits = _read_digits()
    assert len(digits.scans) == NUM_TRAINED
    assert len(digits.scans) + len(digits.held_out_scans) == 1797
    assert digits.scans.min() == -1
    assert digits.scans.max() == 1
    assert digits.targets.bincount(minlength=NUM_CLASSES).min() > 80


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_of_a_deep_plain_network_vanishes(seed: int) -> None:
    gradients = {each.design: each for each in measure_gradients(seed)}
    assert tuple(gradients) == DESIGNS
    assert gradient_ratio(list(gradients.values())) < 1e-3
    deepest = gradients[Design(32, residual=False)]
    assert len(deepest.norms) == 16
    assert deepest.norms[0] < 1e-9 * deepest.norms[-1]
    firsts = [gradients[Design(depth, residual=False)].norms[0] for depth in (4, 16, 32)]
    assert firsts == sorted(firsts, reverse=True)


def test_gradients_are_those_of_the_loss() -> None:
    """A step along one weight changes the loss by what the gradient of that block allows."""
    network = build(SMALL[1], batch_norm=False)
    drawn = torch.randint(NUM_TRAINED, (64,), generator=torch.Generator().manual_seed(0))
    digits = _read_digits()
    loss = torch.nn.functional.cross_entropy(network(digits.scans[drawn]), digits.targets[drawn])
    loss.backward()
    norms = [float(block[0].weight.grad.norm()) for block in network.blocks]  # type: ignore[index]
    assert measure_gradients(0)[1].norms == pytest.approx(norms, rel=1e-5)


def test_the_same_seed_gives_the_same_numbers_and_leaves_torchs_own_alone() -> None:
    before = torch.get_rng_state()
    first = outcome(run(0))
    assert outcome(run(0)) == first
    assert outcome(run(1)) != first
    assert torch.equal(torch.get_rng_state(), before)


def test_progress_comes_every_few_steps_and_errors_are_shares() -> None:
    points = run(3, num_steps=25)
    steps = [each.step for each in points if isinstance(each, DepthPoint)]
    assert steps == [10, 20, 25] * len(SMALL)
    assert [each.design for each in points if isinstance(each, DepthEnd)] == list(SMALL)
    shares = [share for _, share in outcome(points)]
    assert all(0 <= share <= 1 for share in shares)
    ends = [each for each in points if isinstance(each, DepthEnd)]
    assert [(each.train_error * NUM_TRAINED) % 1 for each in ends] == pytest.approx([0, 0])


def test_what_is_closed_trains_no_further() -> None:
    training = train_depths(0)
    assert isinstance(next(training), DepthPoint)
    training.close()
    assert list(training) == []


@pytest.mark.parametrize("seed", [-1, 5, math.nan])
def test_an_unknown_seed_is_refused(seed: Any) -> None:
    with pytest.raises(OptionOutOfRange):
        measure_gradients(seed)
    with pytest.raises(OptionOutOfRange):
        next(train_depths(seed))


def ends(errors: dict[Design, float]) -> list[DepthEnd]:
    return [DepthEnd(design, error, 0.5, 1.0) for design, error in errors.items()]


def test_the_verdict_says_what_the_numbers_say() -> None:
    shallow, deep = Design(4, residual=False), Design(32, residual=False)
    skips = Design(4, residual=True), Design(32, residual=True)
    as_paper = judge(ends({shallow: 0.01, skips[0]: 0.04, deep: 0.5, skips[1]: 0.01}))
    assert as_paper is not None
    assert (as_paper.plain_grew, as_paper.residual_grew) == (True, False)
    assert (as_paper.plain, as_paper.residual) == ((0.01, 0.5), (0.04, 0.01))
    other = judge(ends({shallow: 0.3, skips[0]: 0.01, deep: 0.2, skips[1]: 0.02}))
    assert other is not None
    assert (other.plain_grew, other.residual_grew) == (False, True)


def test_there_is_no_verdict_before_two_depths_of_both_kinds_have_ended() -> None:
    errors = dict.fromkeys(DESIGNS, 0.1)
    assert judge([]) is None
    assert judge(ends(errors)[:3]) is None
    assert judge(ends(errors)[:4]) is not None


@pytest.mark.slow
def test_plain_networks_degrade_with_depth_and_residual_ones_do_not() -> None:
    designs = [each for each in DESIGNS if each.depth != 16]
    found = judge([each for each in train_depths(0, designs=designs) if isinstance(each, DepthEnd)])
    assert found is not None
    assert found.plain[1] > found.plain[0] + 0.1
    assert not found.residual_grew
