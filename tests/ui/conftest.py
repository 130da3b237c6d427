"""The page and its visitors, for the tests of this floor."""

from tests.javascript import javascript
from tests.networks import backbones, checkpoint, embedded, host, resnet18
from tests.served import held_line, session, visit

__all__ = ["backbones", "checkpoint", "embedded", "held_line", "host", "javascript", "resnet18", "session", "visit"]
