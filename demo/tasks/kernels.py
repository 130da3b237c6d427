"""One picture -> the kernels of the first convolution as pictures, and the map that each computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.models.backbone import Backbone, draw_transformed
from demo.models.batching import set_num_threads
from demo.models.late import Tensor, fx, nn, torch
from demo.models.zoo import StageLabel
from demo.system import num_cores


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """The kernels of a network's first convolution, and the map of each for one picture.

    `name` is the convolution's module. `tiles` are its C kernels as RGB pictures of (`kernel_px`, `kernel_px`): grey is
    a weight of 0, brighter red a positive weight for red, and each kernel has its own scale, the largest magnitude.
    `maps` are float32 (C, H, W), the convolution's output, of either sign, before norm and ReLU.
    `stride` is the step of the kernels in pixels, and `network_input` the picture as the network sees it.
    """

    name: str
    tiles: tuple[Image.Image, ...]
    maps: NDArray[np.float32]
    stride: int
    kernel_px: int
    network_input: Image.Image


def show_kernels(backbone: Backbone, picture: Image.Image) -> FirstLayer:
    """Draw the kernels of the first convolution, and run one picture through it and no further.

    No other layer can be drawn like this, because only here the three channels of a kernel are colours. The weights
    are drawn unchanged, although they multiply normalised colours: the transforms' standard deviations differ little
    between red, green and blue.

    Args:
        backbone: Network to look into, shared or private; left unchanged.
        picture: RGB image of any size; it goes through the weights' own transforms.

    Returns:
        ResNet-50 at 224 px: 64 kernels of 7 x 7 px, maps (64, 112, 112).

    Source:
        Krizhevsky et al. 2012, their figure 3,
        https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks
    """
    name, convolution = _find_first(backbone.network)
    transformed = backbone.transform(picture)  # (3, H, W)
    batch = transformed[None].to(backbone.device, memory_format=torch.channels_last)
    with set_num_threads(num_cores()), torch.inference_mode():
        maps = _cut_after(backbone.subgraph(None, StageLabel.LOW), name)(batch)[0].cpu().contiguous()  # (C, H, W)
    return FirstLayer(
        name,
        tuple(_draw_tile(kernel) for kernel in convolution.weight.detach().cpu()),
        maps.numpy(),
        stride=int(convolution.stride[0]),
        kernel_px=int(convolution.kernel_size[0]),
        network_input=draw_transformed(backbone.spec, transformed),
    )


def _find_first(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """Return the first convolution that takes colours; every network of the table has one."""
    return next(
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.in_channels == 3
    )


def _cut_after(layers: fx.GraphModule, name: str) -> fx.GraphModule:
    """Change a subgraph, which nobody else holds, to end with one of its modules.

    The layers before that module stay: GoogLeNet and Inception begin with a change of colours.
    """
    nodes = list(layers.graph.nodes)
    last = next(node for node in nodes if node.op == "call_module" and node.target == name)
    nodes[-1].args = (last,)
    layers.graph.eliminate_dead_code()
    layers.recompile()
    return layers


def _draw_tile(kernel: Tensor) -> Image.Image:
    """Draw one kernel (3, k, k); grey is a weight of 0."""
    largest = float(kernel.abs().max())
    levels = 127.5 + 127.5 * kernel / (largest or 1.0)
    return Image.fromarray(levels.round().to(torch.uint8).permute(1, 2, 0).numpy())  # (k, k, 3)
