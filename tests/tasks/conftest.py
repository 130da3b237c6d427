"""Networks for the tests of this floor."""

from tests.networks import backbones, checkpoint, embedded, host, resnet18
from tests.second_device import open_second_device

# torch counts the devices when it first computes a gradient, so this one is there before any test runs.
open_second_device()

__all__ = ["backbones", "checkpoint", "embedded", "host", "resnet18"]
