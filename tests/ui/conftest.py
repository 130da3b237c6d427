"""The page and its visitors, for the tests of this floor."""

from tests.networks import backbones, checkpoint, embedded, host, resnet18
from tests.served import held_line, session, visit

__all__ = ["backbones", "checkpoint", "embedded", "held_line", "host", "resnet18", "session", "visit"]
