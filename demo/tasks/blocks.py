"""The residual blocks of a network: which there are, their layers, and the shapes at each.

He et al. 2015, https://arxiv.org/abs/1512.03385, give each block a shortcut: it computes x + F(x).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakKeyDictionary

from demo.models.backbone import Backbone
from demo.models.graph import copy_sharing_memory
from demo.models.late import Tensor, models, nn, torch

Shape = tuple[int, int, int]  # (C, H, W)


class BlockKind(StrEnum):
    """How the layers of a block are made up.

    `BASIC` has two 3 x 3 convolutions, `BOTTLENECK` narrows before its 3 x 3 convolution; both end in a ReLU after the
    addition. `INVERTED` widens in between and ends without a ReLU, so that nothing is cut off where it is narrow
    (Sandler et al. 2018, https://arxiv.org/abs/1801.04381).
    """

    BASIC = "basic"
    BOTTLENECK = "bottleneck"
    INVERTED = "inverted"


@dataclass(frozen=True)
class Layer:
    """One layer, in the notation of the papers, and the shape (C, H, W) of its output for one picture."""

    description: str
    shape: Shape


@dataclass(frozen=True)
class Block:
    """A block with a shortcut, in a form that can be drawn.

    `layers` are the layers of F, in order, without the addition and the ReLU after it; `projection` are the layers on
    the shortcut, none where it is the identity.
    """

    name: str
    kind: BlockKind
    input_shape: Shape
    layers: tuple[Layer, ...]
    projection: tuple[Layer, ...]

    @property
    def output_shape(self) -> Shape:
        """The shape (C, H, W) of the block's output."""
        return self.layers[-1].shape

    @property
    def has_projection(self) -> bool:
        """Whether the shortcut is a convolution that changes shapes; otherwise it passes x on unchanged."""
        return bool(self.projection)

    @property
    def ends_in_relu(self) -> bool:
        """Whether a ReLU follows the addition."""
        return self.kind is not BlockKind.INVERTED


@dataclass(frozen=True, eq=False)
class Parts:
    """The modules of a block: those of F, and those on the shortcut, none where it is the identity."""

    kind: BlockKind
    residual: nn.Sequential
    projection: nn.Sequential


def list_blocks(backbone: Backbone) -> tuple[Block, ...]:
    """Return the blocks of a network that add a shortcut, from the picture upwards.

    AlexNet, GoogLeNet and Inception have none. DenseNet concatenates maps instead of adding them, so there is no
    x + F(x) and the result is empty, too. Blocks that `switch_off` changed are left out.

    Args:
        backbone: Network to look into; left unchanged.

    Returns:
        The blocks, with their shapes for a picture that went through the weights' own transforms. ResNet-50 has 16,
        4 of them with a projection; EfficientNet-Lite0 has 9.
    """
    known = _listed.get(backbone)
    if known is None:
        known = _listed[backbone] = _trace_shapes(backbone, find_parts(backbone.network))
    return known


def find_parts(network: nn.Module) -> dict[str, Parts]:
    """Return the parts of each block that adds a shortcut, by its name, from the picture upwards."""
    return {name: take_apart(module) for name, module in network.named_modules() if _adds_shortcut(module)}


def take_apart(block: nn.Module) -> Parts:
    """Return the parts of a block; they share its modules."""
    if not isinstance(block, models.resnet.BasicBlock | models.resnet.Bottleneck):
        return Parts(BlockKind.INVERTED, nn.Sequential(*block.children()), nn.Sequential())
    layers = [block.conv1, block.bn1, block.relu, block.conv2, block.bn2]
    if isinstance(block, models.resnet.Bottleneck):
        layers += [block.relu, block.conv3, block.bn3]
    kind = BlockKind.BOTTLENECK if isinstance(block, models.resnet.Bottleneck) else BlockKind.BASIC
    return Parts(kind, nn.Sequential(*layers), block.downsample or nn.Sequential())


def cut_shortcut(block: nn.Module) -> None:
    """Change a block of a private copy to give F(x) alone; its layers keep their names."""
    if isinstance(block, models.resnet.BasicBlock | models.resnet.Bottleneck):
        from demo.tasks.block_layers import Nothing

        block.downsample = Nothing()
    else:
        block.has_skip = False  # type: ignore[assignment]  # mypy takes any attribute of a module for a tensor or module


def _adds_shortcut(module: nn.Module) -> bool:
    if isinstance(module, models.resnet.BasicBlock | models.resnet.Bottleneck):
        from demo.tasks.block_layers import Nothing

        return not isinstance(module.downsample, Nothing)
    return bool(getattr(module, "has_skip", False))  # a block of timm, whose import would take seconds


_listed: WeakKeyDictionary[Backbone, tuple[Block, ...]] = WeakKeyDictionary()  # a network never changes its shapes


def _trace_shapes(backbone: Backbone, names: Collection[str]) -> tuple[Block, ...]:
    """Run an empty batch through a copy on torch's meta device, which computes shapes alone, and keep the shapes."""
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
    return tuple(_describe_block(name, network.get_submodule(name), inputs[name]) for name in names)


def _describe_block(name: str, module: nn.Module, x: Tensor) -> Block:
    parts = take_apart(module)
    return Block(name, parts.kind, _shape(x), _list_layers(parts.residual, x), _list_layers(parts.projection, x))


def _list_layers(layers: nn.Sequential, x: Tensor) -> tuple[Layer, ...]:
    """Return the layers that are no identity, with the shapes of their outputs."""
    listed = []
    for layer in layers:
        x = layer(x)
        if not isinstance(layer, nn.Identity):
            listed.append(Layer(_describe_layer(layer), _shape(x)))
    return tuple(listed)


def _describe_layer(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d):
        high, wide = layer.kernel_size
        depthwise = "depthwise " if layer.groups > 1 else ""
        stride = f", stride {layer.stride[0]}" if layer.stride[0] > 1 else ""
        return f"{high}×{wide} {depthwise}conv{stride}"
    if isinstance(layer, nn.BatchNorm2d):
        rectifies = getattr(layer, "act", None)  # timm's norms include the activation function
        return "BN" if isinstance(rectifies, nn.Identity | None) else f"BN + {type(rectifies).__name__}"
    return type(layer).__name__


def _shape(x: Tensor) -> Shape:
    _, num_channels, height, width = x.shape
    return num_channels, height, width
