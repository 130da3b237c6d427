"""Networks for the tests of this floor."""

from tests.networks import backbones, embedded

__all__ = ["backbones", "embedded"]
