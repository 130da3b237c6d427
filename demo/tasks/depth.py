"""Plain and residual networks of several depths on the scans of digits: does more depth help, or harm?

Two measurements, as He et al. 2015 (https://arxiv.org/abs/1512.03385) keep two things apart. Without batch norms and
with small random weights, the gradient that reaches the first block of a deep plain network vanishes. With batch norms
it does not (section 4.1), and still a deeper plain network ends with a higher error on the digits that it was trained
with: degradation, which is no overfitting. Shortcuts help against both.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from demo.data.starters import INK_LEVELS, read_scans
from demo.errors import check_range
from demo.models.batching import set_num_threads
from demo.models.late import Tensor, functional, torch
from demo.pace import rest, working_s

if TYPE_CHECKING:
    from demo.tasks.digit_network import DigitNetwork

DEPTHS = (4, 16, 32)
SEEDS = (0, 1, 2, 3, 4)
NUM_STEPS = 200
NUM_TRAINED, NUM_CLASSES = 1000, 10
_BATCH_SIZE = 64
_LARGEST_RATE, _MOMENTUM, _WEIGHT_DECAY = 0.1, 0.9, 1e-4
_REPORT_EVERY = 10  # steps


@dataclass(frozen=True)
class Design:
    """A network of the lab: its number of convolutions in blocks of two, and whether each block has a shortcut."""

    depth: int
    residual: bool

    @property
    def num_blocks(self) -> int:
        """The number of its blocks."""
        return self.depth // 2


# By depth, so that the small ones are there at once.
DESIGNS = tuple(Design(depth, residual) for depth in DEPTHS for residual in (False, True))


@dataclass(frozen=True)
class Gradients:
    """The norm of the loss's gradient by each block's first weights, before the first step; without batch norms."""

    design: Design
    norms: tuple[float, ...]


@dataclass(frozen=True)
class DepthPoint:
    """Progress of one network: the share of the digits that it got wrong in the last few batches, 0 to 1."""

    design: Design
    step: int
    error: float


@dataclass(frozen=True)
class DepthEnd:
    """What one network ended with: the shares that it gets wrong of the digits trained with and of others, 0 to 1."""

    design: Design
    train_error: float
    held_out_error: float
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """Training errors of the shallowest and the deepest networks of both kinds, 0 to 1."""

    shallow: Design
    deep: Design
    plain: tuple[float, float]
    residual: tuple[float, float]

    @property
    def plain_grew(self) -> bool:
        """Whether plain networks got worse with depth."""
        return self.plain[1] > self.plain[0]

    @property
    def residual_grew(self) -> bool:
        """Whether residual networks got worse with depth."""
        return self.residual[1] > self.residual[0]


@dataclass(frozen=True, eq=False)
class _Digits:
    """Scans (N, 1, 8, 8) from -1 to 1, and the digits that they show (N,), to train with and held out."""

    scans: Tensor
    targets: Tensor
    held_out_scans: Tensor
    held_out_targets: Tensor


@cache
def measure_gradients(seed: int = 0) -> tuple[Gradients, ...]:
    """Return the gradients of all designs before their first step, on the same batch; once for the process.

    Raises:
        OptionOutOfRange: If the seed is none of SEEDS.
    """
    check_range("seed", seed, SEEDS[0], SEEDS[-1])
    with set_num_threads(1):
        return tuple(_measure(design, seed) for design in DESIGNS)


def train_depths(
    seed: int = 0, *, designs: Sequence[Design] = DESIGNS, num_steps: int = NUM_STEPS
) -> Generator[DepthPoint | DepthEnd, None, None]:
    """Train networks with batch norms one after the other; the same seed gives the same numbers.

    Stochastic gradient descent with a rate that rises to 0.1 and falls again, in batches of 64 digits. All that is
    yielded between two steps may be the last: whoever has seen enough closes the generator.

    Args:
        seed: One of SEEDS: source of weights and batches.
        designs: The networks, in this order.
        num_steps: Steps of each; with half as many, residual networks are still on their way.

    Yields:
        DepthPoint every few steps, and DepthEnd at the end of each network.

    Raises:
        OptionOutOfRange: If the seed is none of them.
    """
    check_range("seed", seed, SEEDS[0], SEEDS[-1])
    for design in designs:
        yield from _train(design, seed, num_steps)


def judge(ends: Sequence[DepthEnd]) -> Verdict | None:
    """Compare the shallowest with the deepest networks that have ended; None until both kinds have two depths."""
    errors = {each.design: each.train_error for each in ends}
    both = sorted(each.depth for each in errors if each.residual and Design(each.depth, residual=False) in errors)
    if len(both) < 2:
        return None
    plain, residual = ((errors[Design(both[0], kind)], errors[Design(both[-1], kind)]) for kind in (False, True))
    return Verdict(Design(both[0], residual=False), Design(both[-1], residual=False), plain, residual)


def gradient_ratio(gradients: Sequence[Gradients]) -> float:
    """Return the norm at the first block of the deepest plain network, as a part of the residual one's."""
    plain, residual = (
        max((each for each in gradients if each.design.residual is kind), key=lambda each: each.design.depth)
        for kind in (False, True)
    )
    return plain.norms[0] / residual.norms[0]


def _measure(design: Design, seed: int) -> Gradients:
    from demo.tasks.digit_network import DigitNetwork

    generator, digits = torch.Generator().manual_seed(seed), _read_digits()
    network = DigitNetwork(design, batch_norm=False, generator=generator)
    drawn = torch.randint(NUM_TRAINED, (_BATCH_SIZE,), generator=torch.Generator().manual_seed(seed))
    loss = functional.cross_entropy(network(digits.scans[drawn]), digits.targets[drawn])
    weights = [block[0].weight for block in network.blocks]  # type: ignore[index]
    return Gradients(design, tuple(float(each.norm()) for each in torch.autograd.grad(loss, weights)))


def _train(design: Design, seed: int, num_steps: int) -> Generator[DepthPoint | DepthEnd, None, None]:
    from demo.tasks.digit_network import DigitNetwork

    generator, digits, start = torch.Generator().manual_seed(seed), _read_digits(), working_s()
    network = DigitNetwork(design, batch_norm=True, generator=generator)
    optimizer = torch.optim.SGD(
        network.parameters(), _LARGEST_RATE, momentum=_MOMENTUM, weight_decay=_WEIGHT_DECAY, foreach=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LARGEST_RATE, total_steps=num_steps)
    reports = [*range(0, num_steps, _REPORT_EVERY), num_steps]
    for begin, end in pairwise(reports):
        with set_num_threads(1):  # the layers are too small for two
            wrong = sum(_step(network, digits, optimizer, schedule, generator) for _ in range(begin, end))
        rest()
        yield DepthPoint(design, end, wrong / (_BATCH_SIZE * (end - begin)))
    with set_num_threads(1):
        trained = _measure_error(network, digits.scans, digits.targets)
        held_out = _measure_error(network, digits.held_out_scans, digits.held_out_targets)
    yield DepthEnd(design, trained, held_out, working_s() - start)


def _step(
    network: DigitNetwork,
    digits: _Digits,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    generator: torch.Generator,
) -> int:
    """Learn from one batch; return how many of it were wrong before."""
    drawn = torch.randint(NUM_TRAINED, (_BATCH_SIZE,), generator=generator)
    logits, targets = network(digits.scans[drawn]), digits.targets[drawn]
    optimizer.zero_grad()
    functional.cross_entropy(logits, targets).backward()
    optimizer.step()
    schedule.step()
    return int((logits.argmax(1) != targets).sum())


def _measure_error(network: DigitNetwork, scans: Tensor, targets: Tensor) -> float:
    network.eval()
    with torch.inference_mode():
        return float((network(scans).argmax(1) != targets).double().mean())


@cache
def _read_digits() -> _Digits:
    scans, digits = read_scans()
    order = torch.randperm(len(scans), generator=torch.Generator().manual_seed(0))
    inputs = torch.tensor(scans, dtype=torch.float32)[order, None] / (INK_LEVELS / 2) - 1
    targets = torch.tensor(digits)[order]
    return _Digits(inputs[:NUM_TRAINED], targets[:NUM_TRAINED], inputs[NUM_TRAINED:], targets[NUM_TRAINED:])
