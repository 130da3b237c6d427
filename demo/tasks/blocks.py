"""The blocks of a network that add a shortcut: which there are, what they are made of, and how they are drawn."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from demo.models.backbone import Backbone
from demo.models.graph import copy_sharing_memory

Shape = tuple[int, int, int]  # (C, H, W)


class BlockKind(StrEnum):
    """How the layers of a block are made up.

    `BASIC`, of two 3 x 3 convolutions, and `BOTTLENECK`, which narrows before its 3 x 3 convolution, end in a ReLU
    after the addition. `INVERTED` widens in between and ends without one, so that nothing is cut off where it is
    narrow (Sandler et al. 2018, https://arxiv.org/abs/1801.04381).
    """

    BASIC = "basic"
    BOTTLENECK = "bottleneck"
    INVERTED = "inverted"


@dataclass(frozen=True)
class Layer:
    """One layer, in the notation of the papers, and the shape (C, H, W) of what it gives for one picture."""

    description: str
    shape: Shape


@dataclass(frozen=True)
class Block:
    """A block with a shortcut, as it can be drawn.

    `layers` are those of F, in order, without the addition and the ReLU after it; `projection` are those on the
    shortcut, none where it is the identity.
    """

    name: str
    kind: BlockKind
    input_shape: Shape
    layers: tuple[Layer, ...]
    projection: tuple[Layer, ...]

    @property
    def output_shape(self) -> Shape:
        """The shape (C, H, W) of what the block gives."""
        return self.layers[-1].shape

    @property
    def has_projection(self) -> bool:
        """Whether the shortcut changes shapes: a convolution, where others pass x on as it is."""
        return bool(self.projection)

    @property
    def ends_in_relu(self) -> bool:
        """Whether a ReLU follows the addition."""
        return self.kind is not BlockKind.INVERTED


@dataclass(frozen=True, eq=False)
class Parts:
    """A block taken apart: the layers of F, and those on the shortcut, none where it is the identity."""

    kind: BlockKind
    residual: nn.Sequential
    projection: nn.Sequential


def list_blocks(backbone: Backbone) -> tuple[Block, ...]:
    """Return the blocks of a network that add a shortcut, from the picture upwards.

    AlexNet, GoogLeNet and Inception have none. DenseNet's shortcuts are of another kind: they put maps side by side
    and add nothing, so there is no x + F(x) and the answer is empty, too. Where shortcuts or blocks were switched off,
    those are left out.

    Args:
        backbone: Network to look into; left unchanged.

    Returns:
        The blocks with the shapes that a picture has there after the weights' own transforms. ResNet-50 has 16, with
        a projection in 4 of them; EfficientNet-Lite0 has 9.
    """
    known = _listed.get(backbone)
    if known is None:
        known = _listed[backbone] = _trace_shapes(backbone, find_parts(backbone.network))
    return known


def find_parts(network: nn.Module) -> dict[str, Parts]:
    """Return the parts of each block that adds a shortcut, by its name, from the picture upwards."""
    return {name: take_apart(module) for name, module in network.named_modules() if _adds_shortcut(module)}


def take_apart(block: nn.Module) -> Parts:
    """Return the parts of a block; they call its own modules."""
    if not isinstance(block, BasicBlock | Bottleneck):
        return Parts(BlockKind.INVERTED, nn.Sequential(*block.children()), nn.Sequential())
    layers = [block.conv1, block.bn1, block.relu, block.conv2, block.bn2]
    if isinstance(block, Bottleneck):
        layers += [block.relu, block.conv3, block.bn3]
    kind = BlockKind.BOTTLENECK if isinstance(block, Bottleneck) else BlockKind.BASIC
    return Parts(kind, nn.Sequential(*layers), block.downsample or nn.Sequential())


def cut_shortcut(block: nn.Module) -> None:
    """Let a block of a private copy give F(x) alone; its layers keep their names."""
    if isinstance(block, BasicBlock | Bottleneck):
        block.downsample = _Nothing()
    else:
        block.has_skip = False  # type: ignore[assignment]  # a module may have anything


class _Nothing(nn.Module):
    """What is on a shortcut that is off: a zero, to be added to anything."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(())


def _adds_shortcut(module: nn.Module) -> bool:
    if isinstance(module, BasicBlock | Bottleneck):
        return not isinstance(module.downsample, _Nothing)
    return bool(getattr(module, "has_skip", False))  # timm's; its class is not imported, for that takes seconds


_listed: WeakKeyDictionary[Backbone, tuple[Block, ...]] = WeakKeyDictionary()  # no network changes its shapes


def _trace_shapes(backbone: Backbone, names: Collection[str]) -> tuple[Block, ...]:
    """Run a picture without numbers through a private copy without numbers, and keep the shapes."""
    if not names:
        return ()
    network = copy_sharing_memory(backbone.network).to("meta")
    inputs: dict[str, Tensor] = {}
    for name in names:
        network.get_submodule(name).register_forward_pre_hook(
            lambda _, arguments, name=name: inputs.__setitem__(name, arguments[0])
        )
    sides = backbone.spec.build_transforms().crop_size * 2
    network(torch.empty(1, 3, *sides, device="meta"))
    return tuple(_draw_up(name, network.get_submodule(name), inputs[name]) for name in names)


def _draw_up(name: str, module: nn.Module, x: Tensor) -> Block:
    parts = take_apart(module)
    return Block(name, parts.kind, _shape(x), _list_layers(parts.residual, x), _list_layers(parts.projection, x))


def _list_layers(layers: nn.Sequential, x: Tensor) -> tuple[Layer, ...]:
    """Return the layers that do something, with the shapes that they give."""
    listed = []
    for layer in layers:
        x = layer(x)
        if not isinstance(layer, nn.Identity):
            listed.append(Layer(_describe(layer), _shape(x)))
    return tuple(listed)


def _describe(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d):
        high, wide = layer.kernel_size
        depthwise = "depthwise " if layer.groups > 1 else ""
        stride = f", stride {layer.stride[0]}" if layer.stride[0] > 1 else ""
        return f"{high}×{wide} {depthwise}conv{stride}"
    if isinstance(layer, nn.BatchNorm2d):
        rectifies = getattr(layer, "act", None)  # timm's norms do as well what comes after them
        return "BN" if isinstance(rectifies, nn.Identity | None) else f"BN + {type(rectifies).__name__}"
    return type(layer).__name__


def _shape(x: Tensor) -> Shape:
    _, num_channels, height, width = x.shape
    return num_channels, height, width
