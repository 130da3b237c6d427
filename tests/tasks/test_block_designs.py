"""Designs of blocks: what the formulas count is what torch's modules have, and what torch counts when they run."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.densenet import _DenseLayer
from torchvision.models.googlenet import Inception
from torchvision.models.resnet import BasicBlock, Bottleneck

from demo.tasks.block_designs import BlockDesign, Conv, DesignKind, count_saving, design_blocks
from demo.tasks.blocks import BlockKind

WIDTHS = (64, 128, 256, 512)


def build(conv: Conv) -> nn.Conv2d:
    groups = conv.num_in if conv.depthwise else 1
    padding = conv.kernel // 2
    return nn.Conv2d(conv.num_in, conv.num_out, conv.kernel, padding=padding, groups=groups, bias=False, device="meta")


def count_convolutions(module: nn.Module) -> int:
    return sum(each.weight.numel() for each in module.modules() if isinstance(each, nn.Conv2d))


def design(kind: DesignKind, width: int, side: int = 14) -> BlockDesign:
    return next(each for each in design_blocks(width, side) if each.kind is kind)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", DesignKind)
def test_weights_and_multiply_adds_are_those_of_torch(kind: DesignKind, width: int) -> None:
    block, weights, multiply_adds = design(kind, width), 0, 0
    for branch in block.branches:
        x = torch.empty(1, branch[0].num_in, block.side, block.side, device="meta")
        for conv in branch:
            module = build(conv)
            weights += module.weight.numel()
            with FlopCounterMode(display=False) as counter:
                x = module(x)
            multiply_adds += counter.get_total_flops() // 2  # it counts a multiplication and an addition as two
        assert x.shape[1:] == block.shape(branch[-1].num_out)
    assert (block.num_weights, block.num_multiply_adds) == (weights, multiply_adds)


def test_the_designs_are_those_of_the_networks() -> None:
    with torch.device("meta"):
        basic, bottleneck = BasicBlock(256, 256), Bottleneck(256, 64)
        dense = [_DenseLayer(256 + 32 * each, 32, 4, 0.0) for each in range(4)]
        # Torchvision's block has a 3 x 3 convolution where the paper, and the design, have one of 5 x 5.
        inception = Inception(256, 64, 96, 128, 16, 32, 32)
    assert design(DesignKind.BASIC, 256).num_weights == count_convolutions(basic)
    assert design(DesignKind.BOTTLENECK, 256).num_weights == count_convolutions(bottleneck)
    assert design(DesignKind.DENSE, 256).num_weights == sum(map(count_convolutions, dense))
    assert design(DesignKind.INCEPTION, 256).num_weights == count_convolutions(inception) + (25 - 9) * 16 * 32


def test_the_inverted_residual_is_that_of_the_embedded_network() -> None:
    from timm.models._efficientnet_blocks import InvertedResidual

    with torch.device("meta"):
        block = InvertedResidual(40, 40, exp_ratio=6.0)
    assert design(DesignKind.INVERTED, 40).num_weights == count_convolutions(block)


def test_a_bottleneck_of_256_channels_saves_as_the_paper_says() -> None:
    saving = count_saving(256)
    assert (saving.basic, saving.bottleneck) == (1_179_648, 69_632)
    assert round(saving.ratio, 1) == 16.9


@pytest.mark.parametrize("width", WIDTHS)
def test_what_comes_out_is_what_came_in_but_for_the_dense_block(width: int) -> None:
    for block in design_blocks(width, 7):
        assert block.num_out == (width * 3 // 2 if block.kind is DesignKind.DENSE else width)


@pytest.mark.parametrize("kind", list(DesignKind)[:3])
def test_a_design_with_a_shortcut_is_a_block_to_draw(kind: DesignKind) -> None:
    block = design(kind, 64, 28).as_block()
    assert block.kind is BlockKind(kind.value)
    assert block.input_shape == block.output_shape == (64, 28, 28)
    assert [each.description for each in block.layers if "conv" in each.description] == [
        each.description for each in design(kind, 64).branches[0]
    ]
    assert block.layers[-1].description == "BN"
