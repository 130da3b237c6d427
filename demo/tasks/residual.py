"""The residual lab: what a shortcut carries, what its block adds, and what is left without them.

He et al. 2015, https://arxiv.org/abs/1512.03385, give each block a shortcut: it passes on x + F(x), so that its layers
need only learn what is to be added. Veit et al. 2016, https://arxiv.org/abs/1605.06431, leave single blocks out of
trained networks: a ResNet hardly suffers, for each shortcut is a way around, where a plain network falls to chance.
"""

from collections import OrderedDict
from collections.abc import Collection, Generator
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, Bottleneck

from demo.data.dataset import Dataset, Split
from demo.models.backbone import Backbone
from demo.models.batching import threads
from demo.models.graph import copy_sharing_memory, replace_module
from demo.models.head import Head
from demo.settings import Settings
from demo.system import num_cores
from demo.tasks.errors import UnknownBlock
from demo.tasks.evaluate import Accuracy, wilson
from demo.tasks.features import FeatureProgress, Look, run_looks

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
class Signal:
    """What flows at one place of a block, summed up.

    `magnitude` float32 (H, W) is the mean over channels of the magnitude; `norm` is the L2 norm of all numbers, and
    `mean_norm` the mean over positions of the L2 norm over channels.
    """

    magnitude: NDArray[np.float32]
    norm: float
    mean_norm: float


@dataclass(frozen=True, eq=False)
class BlockView:
    """What one block does with one picture.

    `x` comes in. `shortcut` is what the shortcut passes on: x itself, or its projection. `residual` is F(x), `total`
    the sum of the two, and `output` what the block gives: `total` after the ReLU where there is one.
    """

    name: str
    x: Signal
    shortcut: Signal
    residual: Signal
    total: Signal
    output: Signal

    @property
    def ratio(self) -> float:
        """The norm of F(x) to that of what it is added to; infinite where that is all 0."""
        return self.residual.norm / self.shortcut.norm if self.shortcut.norm else float("inf")


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
        known = _listed[backbone] = _trace_shapes(backbone, _find_parts(backbone.network))
    return known


def look_into(backbone: Backbone, block: str, picture: Image.Image) -> BlockView:
    """Run one picture through a network and see what one of its blocks adds to what comes in.

    Args:
        backbone: Network to look into, shared or private; left unchanged.
        block: Name of a block, from `list_blocks`.
        picture: RGB image of any size; it goes through the weights' own transforms.

    Raises:
        UnknownBlock: If the network has no such block.

    Source:
        He et al. 2015, https://arxiv.org/abs/1512.03385, and their figure 7 for the size of what is added.
    """
    _check_names(backbone, [block])
    network = copy_sharing_memory(backbone.network)
    watched = _Watched(_take_apart(network.get_submodule(block)))
    replace_module(network, block, watched)
    batch = backbone.transform(picture)[None]
    with threads(num_cores()), torch.inference_mode():
        network(batch.to(backbone.device, memory_format=torch.channels_last))
    return BlockView(block, **{name: _sum_up(values[0]) for name, values in watched.seen.items()})


def switch_off(backbone: Backbone, *, shortcuts: Collection[str] = (), blocks: Collection[str] = ()) -> Backbone:
    """Return a private view of a network in which shortcuts or whole blocks do nothing.

    Args:
        backbone: Network to start from, shared or private; left unchanged. For a head with layers of its own it is
            the one that `Backbone.for_head` returns.
        shortcuts: Names of blocks that give F(x), or ReLU(F(x)).
        blocks: Names of blocks that add nothing: they give x, or ReLU of its projection where shapes change. One
            that is named in both gives zeros, for then nothing leads through it.

    Returns:
        A network with modules of its own that shares the memory of the parameters; gone when nobody holds it. Its
        features are its own: a FeatureCache knows only the backbone's name and would take them for the backbone's.

    Raises:
        UnknownBlock: If the network has no block of one of the names.

    Source:
        Veit et al. 2016, https://arxiv.org/abs/1605.06431
    """
    _check_names(backbone, [*shortcuts, *blocks])
    network = copy_sharing_memory(backbone.network)
    for name in {*shortcuts, *blocks}:
        block = network.get_submodule(name)
        if name not in blocks:
            _cut_shortcut(block)
        else:
            replace_module(network, name, _keep_shortcut(block, passes=name not in shortcuts))
    return Backbone(backbone.spec, network, backbone.device, is_private=True)


def measure_without(
    backbone: Backbone, dataset: Dataset, head: Head, settings: Settings
) -> Generator[FeatureProgress | Accuracy, None, None]:
    """Count again what a head gets right of the validation pictures, on a network with parts switched off.

    The head stays as it was trained: it has not seen what such a network gives.

    Args:
        backbone: What `switch_off` returned; left unchanged.
        dataset: Pictures with class indices and splits.
        head: The visitor's head.
        settings: Limits for decoding the pictures.

    Yields:
        FeatureProgress, first for none and then for each chunk of pictures, and Accuracy at the end.
    """
    looks = [Look(sample) for sample in dataset.samples if sample.split is Split.VALIDATION]
    done = correct = 0
    yield FeatureProgress(done, len(looks))
    for chunk, features in run_looks(looks, backbone, settings, backbone.features):
        answers = head.logits(features).argmax(dim=1).tolist()
        correct += sum(answer == look.sample.class_idx for answer, look in zip(answers, chunk, strict=True))
        done += len(chunk)
        yield FeatureProgress(done, len(looks))
    yield Accuracy(correct, done, *wilson(correct, done))


@dataclass(frozen=True, eq=False)
class _Parts:
    """A block taken apart: the layers of F, and those on the shortcut, none where it is the identity."""

    kind: BlockKind
    residual: nn.Sequential
    projection: nn.Sequential


class _Watched(nn.Module):
    """A block written out as its formula, that keeps what flows in it: for the private copy of one caller."""

    def __init__(self, parts: _Parts) -> None:
        super().__init__()
        self.residual, self.projection = parts.residual, parts.projection
        self.rectifies = parts.kind is not BlockKind.INVERTED
        self.seen: dict[str, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        residual, shortcut = self.residual(x), self.projection(x)
        total = shortcut + residual
        output = functional.relu(total) if self.rectifies else total
        self.seen = {"x": x, "shortcut": shortcut, "residual": residual, "total": total, "output": output}
        return output


class _Nothing(nn.Module):
    """What is on a shortcut that is off: a zero, to be added to anything."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(())


class _Zeros(nn.Module):
    """What is left where neither a block nor its shortcut leads on."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


def _find_parts(network: nn.Module) -> dict[str, _Parts]:
    return {name: _take_apart(module) for name, module in network.named_modules() if _adds_shortcut(module)}


def _adds_shortcut(module: nn.Module) -> bool:
    if isinstance(module, BasicBlock | Bottleneck):
        return not isinstance(module.downsample, _Nothing)
    return bool(getattr(module, "has_skip", False))  # timm's; its class is not imported, for that takes seconds


def _take_apart(block: nn.Module) -> _Parts:
    """Return the parts of a block; they call its own modules."""
    if not isinstance(block, BasicBlock | Bottleneck):
        return _Parts(BlockKind.INVERTED, nn.Sequential(*block.children()), nn.Sequential())
    layers = [block.conv1, block.bn1, block.relu, block.conv2, block.bn2]
    if isinstance(block, Bottleneck):
        layers += [block.relu, block.conv3, block.bn3]
    kind = BlockKind.BOTTLENECK if isinstance(block, Bottleneck) else BlockKind.BASIC
    return _Parts(kind, nn.Sequential(*layers), block.downsample or nn.Sequential())


def _cut_shortcut(block: nn.Module) -> None:
    """Let a block of a private copy give F(x) alone; its layers keep their names."""
    if isinstance(block, BasicBlock | Bottleneck):
        block.downsample = _Nothing()
    else:
        block.has_skip = False  # type: ignore[assignment]  # a module may have anything


def _keep_shortcut(block: nn.Module, *, passes: bool) -> nn.Module:
    """Return what is left of a block without F: what its shortcut passes on, or zeros of that shape.

    Where x goes on as it is, the ReLU after the addition has nothing to do: x came out of one.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if getattr(block, "downsample", None) is not None:
        layers |= {"downsample": block.get_submodule("downsample"), "relu": block.get_submodule("relu")}
    if not passes:
        layers["zeros"] = _Zeros()
    return nn.Sequential(layers) if layers else nn.Identity()


def _check_names(backbone: Backbone, names: Collection[str]) -> None:
    known = _find_parts(backbone.network)
    for name in names:
        if name not in known:
            raise UnknownBlock(name=name, backbone=backbone.spec.display_name, known=", ".join(known) or "-")


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
    parts = _take_apart(module)
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


def _sum_up(values: Tensor) -> Signal:
    """Sum up what flows at one place, (C, H, W)."""
    lengths = torch.linalg.vector_norm(values.double(), dim=0)  # (H, W)
    magnitude: NDArray[np.float32] = values.abs().mean(dim=0).cpu().numpy()
    return Signal(magnitude, float(torch.linalg.vector_norm(lengths)), float(lengths.mean()))
