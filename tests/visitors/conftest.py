"""Networks for the tests of this floor."""

from tests.networks import backbones, checkpoint, embedded, host, resnet18

__all__ = ["backbones", "checkpoint", "embedded", "host", "resnet18"]
