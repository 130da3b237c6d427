"""A backbone's architecture with random weights: a control that shows what training adds."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from demo.models.backbone import Backbone
from demo.models.batching import set_num_threads
from demo.models.late import nn, torch
from demo.system import num_cores


def open_untrained(backbone: Backbone, pictures: Sequence[Image.Image], generator: torch.Generator) -> Backbone:
    """Return a network of the same architecture with random weights, in `eval()`, on the same device.

    Its batch norms get their statistics from the pictures; without statistics the activations would vanish or explode
    from layer to layer.

    Args:
        backbone: Network whose architecture, transforms and device it has; left unchanged.
        pictures: RGB images of any size, at least one; they go through the network together.
        generator: Source of the weights, on the CPU: the same seed gives the same weights on each device.
    """
    with torch.device("meta"):  # torch's own random weights would advance the global generator
        network = backbone.spec.build()
    sample_weights(network.to_empty(device="cpu"), generator)
    network.eval().requires_grad_(False).to(backbone.device)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train().momentum = 1.0  # the running statistics become those of this one batch
    batch = torch.stack([backbone.transform(picture) for picture in pictures])  # (N, 3, H, W)
    with set_num_threads(num_cores()), torch.inference_mode():
        network(batch.to(backbone.device))
    network.eval().to(memory_format=torch.channels_last)
    return Backbone(backbone.spec, network, backbone.device, is_private=True)


def sample_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Replace a network's weights with random ones from a generator.

    Source:
        He et al. 2015, https://arxiv.org/abs/1502.01852
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
