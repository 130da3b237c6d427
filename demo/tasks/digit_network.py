"""The networks of the depth lab: convolutions in blocks of two, each with a shortcut or without."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.tasks.depth import NUM_CLASSES, Design

_CHANNELS = 8


class DigitNetwork(nn.Module):
    """A convolution, blocks of two convolutions each, the mean over all places, and a linear layer.

    Every convolution is 3 x 3 with 8 channels. With batch norms, the last of each residual block begins at zero, so
    that the block begins as its shortcut alone (Goyal et al. 2017, https://arxiv.org/abs/1706.02677, section 5.1).
    Without, all weights are torch's default ones.
    """

    def __init__(self, design: Design, *, batch_norm: bool, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):  # torch's own random weights would advance the global generator
            self.stem = nn.Sequential(*_convolve(1, batch_norm), nn.ReLU())
            self.blocks = nn.ModuleList(
                nn.Sequential(*_convolve(_CHANNELS, batch_norm), nn.ReLU(), *_convolve(_CHANNELS, batch_norm))
                for _ in range(design.num_blocks)
            )
            self.classifier = nn.Linear(_CHANNELS, NUM_CLASSES)
        self.to_empty(device="cpu")
        self._residual = design.residual
        _sample_defaults(self, generator)
        if design.residual and batch_norm:
            for block in self.blocks:
                nn.init.zeros_(block[-1].weight)  # type: ignore[index]

    def forward(self, scans: Tensor) -> Tensor:
        """Return logits (N, 10) of scans (N, 1, 8, 8)."""
        maps = self.stem(scans)  # (N, C, 8, 8)
        for block in self.blocks:
            maps = functional.relu(block(maps) + maps if self._residual else block(maps))
        logits: Tensor = self.classifier(maps.mean((2, 3)))
        return logits


def _convolve(num_inputs: int, batch_norm: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(num_inputs, _CHANNELS, 3, padding=1, bias=not batch_norm)
    return [convolution, nn.BatchNorm2d(_CHANNELS)] if batch_norm else [convolution]


def _sample_defaults(network: nn.Module, generator: torch.Generator) -> None:
    """Give each layer the random weights that torch gives by default, but from a generator of our own."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            bound = module.weight[0].numel() ** -0.5
            for each in (module.weight, module.bias):
                if each is not None:
                    nn.init.uniform_(each, -bound, bound, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
