"""What deeper recipes train: private layers of a network, and a head."""

from torch import Tensor, nn


class DeepLearner(nn.Module):
    """Private layers of a network with a head on them.

    With `keeps_norms` batch norms keep the statistics of ImageNet, which small batches would estimate badly.
    """

    def __init__(self, body: nn.Module, head: nn.Module, *, keeps_norms: bool) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self._keeps_norms = keeps_norms

    def train(self, mode: bool = True) -> "DeepLearner":
        """Set the mode of the head, and of the body unless its norms are kept."""
        super().train(mode)
        if self._keeps_norms:
            self.body.eval()
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (N, K) of inputs (N, ...), which may be kept in half precision."""
        logits: Tensor = self.head(self.body(inputs.float()))
        return logits
