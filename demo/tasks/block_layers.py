"""What stands in a private copy of a network in the place of a block, or of its shortcut."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Nothing(nn.Module):
    """A shortcut that is switched off: it gives a zero that can be added to any shape."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a zero of the input's kind."""
        return x.new_zeros(())


class RecordingBlock(nn.Module):
    """A block as x + F(x) that keeps its intermediate tensors; it replaces the block in one caller's private copy."""

    def __init__(self, residual: nn.Module, projection: nn.Module, *, rectifies: bool) -> None:
        super().__init__()
        self.residual, self.projection, self.rectifies = residual, projection, rectifies
        self.seen: dict[str, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Return x + F(x), after a ReLU where the block has one."""
        residual, shortcut = self.residual(x), self.projection(x)
        total = shortcut + residual
        output = functional.relu(total) if self.rectifies else total
        self.seen = {"x": x, "shortcut": shortcut, "residual": residual, "total": total, "output": output}
        return output


class Zeros(nn.Module):
    """A block without F and without a shortcut: it gives zeros of the input's shape."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros of the input's shape."""
        return torch.zeros_like(x)
