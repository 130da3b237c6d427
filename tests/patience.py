"""How long tests wait for what has to come: other processes may have the machine meanwhile."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0


def wait_for(is_there: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds; fail if it does not in time."""
    deadline = time.monotonic() + patience_s
    while not is_there():
        assert time.monotonic() < deadline, "what was waited for has not come"
        time.sleep(0.01)
