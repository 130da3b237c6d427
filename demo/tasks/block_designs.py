"""Five designs of a block without any weights: its convolutions, and what they cost at a width and a side."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from demo.tasks.blocks import Block, BlockKind, Layer, Shape

_EXPANSION, _GROWTH_SHARE, _NUM_DENSE = 6, 8, 4


class DesignKind(StrEnum):
    """How a block is made up; the first three add a shortcut, the others put maps side by side."""

    BASIC = "basic"
    BOTTLENECK = "bottleneck"
    INVERTED = "inverted"
    INCEPTION = "inception"
    DENSE = "dense"


@dataclass(frozen=True)
class Conv:
    """A convolution with stride 1 and without biases, which the batch norm behind it would undo."""

    num_in: int
    num_out: int
    kernel: int
    depthwise: bool = False

    @property
    def num_weights(self) -> int:
        """How many weights it has."""
        return self.kernel**2 * self.num_out * (1 if self.depthwise else self.num_in)

    @property
    def description(self) -> str:
        """The convolution in the notation of the papers."""
        return f"{self.kernel}×{self.kernel} {'depthwise ' if self.depthwise else ''}conv"


@dataclass(frozen=True)
class BlockDesign:
    """A block that takes `width` channels on maps of `side` x `side` cells, which keep their size.

    `branches` hold its convolutions: one branch for F(x) of a block with a shortcut; in Inception's block those side by
    side; in a dense block its layers one after the other, each of which is given all maps before it.
    """

    kind: DesignKind
    width: int
    side: int
    branches: tuple[tuple[Conv, ...], ...]

    @property
    def num_weights(self) -> int:
        """How many weights its convolutions have."""
        return sum(each.num_weights for branch in self.branches for each in branch)

    @property
    def num_multiply_adds(self) -> int:
        """How many multiplications with an addition one picture costs: each weight is used once in each cell."""
        return self.num_weights * self.side**2

    @property
    def num_out(self) -> int:
        """How many channels the block gives."""
        kept = self.width if self.kind is DesignKind.DENSE else 0
        return kept + sum(branch[-1].num_out for branch in self.branches)

    def shape(self, num_channels: int) -> Shape:
        """Return the shape (C, H, W) of maps with so many channels in this block."""
        return num_channels, self.side, self.side

    def as_block(self) -> Block:
        """Return a design with a shortcut as those blocks are that are found in a network, to be drawn as they are."""
        kind = BlockKind(self.kind.value)
        rectifier = "ReLU6" if kind is BlockKind.INVERTED else "ReLU"
        layers = [
            Layer(text, self.shape(conv.num_out))
            for conv in self.branches[0]
            for text in (conv.description, "BN", rectifier)
        ][:-1]  # after the last there is a ReLU behind the addition, or none
        return Block(f"{self.kind}-{self.width}", kind, self.shape(self.width), tuple(layers), ())


@dataclass(frozen=True)
class Saving:
    """The weights of a basic block and of a bottleneck that take and give equally many channels."""

    basic: int
    bottleneck: int

    @property
    def ratio(self) -> float:
        """How many times as many the basic block has."""
        return self.basic / self.bottleneck


def design_blocks(width: int, side: int) -> tuple[BlockDesign, ...]:
    """Return the five designs for a width and a side.

    Args:
        width: Channels that come in, a multiple of 16.
        side: Cells along one side of the maps.

    Source:
        Basic block and bottleneck (a quarter of the width inside): He et al. 2015, https://arxiv.org/abs/1512.03385,
        figure 5. Inverted residual (six times the width inside): Sandler et al. 2018,
        https://arxiv.org/abs/1801.04381, table 1. Inception: Szegedy et al. 2014, https://arxiv.org/abs/1409.4842,
        table 1, with the shares of block 3a. Dense block (four layers, each of which adds an eighth of the width):
        Huang et al. 2016, https://arxiv.org/abs/1608.06993, section 3 (DenseNet-B).
    """
    return tuple(BlockDesign(kind, width, side, tuple(_branches(kind, width))) for kind in DesignKind)


def count_saving(width: int) -> Saving:
    """Return what a bottleneck saves at a width, a multiple of 16; how large the maps are does not matter."""
    weights = {each.kind: each.num_weights for each in design_blocks(width, 1)}
    return Saving(weights[DesignKind.BASIC], weights[DesignKind.BOTTLENECK])


def _branches(kind: DesignKind, width: int) -> Iterator[tuple[Conv, ...]]:
    match kind:
        case DesignKind.BASIC:
            yield Conv(width, width, 3), Conv(width, width, 3)
        case DesignKind.BOTTLENECK:
            inside = width // 4
            yield Conv(width, inside, 1), Conv(inside, inside, 3), Conv(inside, width, 1)
        case DesignKind.INVERTED:
            inside = _EXPANSION * width
            yield Conv(width, inside, 1), Conv(inside, inside, 3, depthwise=True), Conv(inside, width, 1)
        case DesignKind.INCEPTION:
            yield (Conv(width, width // 4, 1),)
            for kernel, inside, out in ((3, 3 * width // 8, width // 2), (5, width // 16, width // 8)):
                yield Conv(width, inside, 1), Conv(inside, out, kernel)
            yield (Conv(width, width // 8, 1),)  # behind a pooling, which has no weights
        case DesignKind.DENSE:
            growth = width // _GROWTH_SHARE
            for number in range(_NUM_DENSE):
                yield Conv(width + number * growth, 4 * growth, 1), Conv(4 * growth, growth, 3)
