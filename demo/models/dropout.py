"""A dropout that can be repeated."""

import torch
from torch import Tensor, nn


class SeededDropout(nn.Dropout):
    """Dropout with a generator of its own, so that the same seed gives the same training."""

    generator: torch.Generator

    def forward(self, activation: Tensor) -> Tensor:
        """Drop activations in training mode; pass them on in evaluation mode."""
        if not self.training or not self.p:
            return activation
        kept = torch.empty_like(activation, device=self.generator.device).bernoulli_(
            1 - self.p, generator=self.generator
        )
        return activation * kept.to(activation.device) / (1 - self.p)
