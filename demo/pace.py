"""Where long work may rest while others have their turn, and a clock that stands still meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_here = threading.local()  # of each thread: what it offers its turn to, and for how long it has rested


def rest() -> None:
    """Let others have their turn, if the work of this thread takes turns; elsewhere nothing happens.

    Long work calls it between two small pieces, where it holds nothing that others wait for.
    """
    offer: Callable[[], None] | None = getattr(_here, "offer", None)
    if offer is None:
        return
    start = time.monotonic()
    try:
        offer()
    finally:
        _here.rested_s = getattr(_here, "rested_s", 0.0) + time.monotonic() - start


def working_s() -> float:
    """Return a clock in seconds that stands still while this thread rests, so that what it times is work."""
    rested_s: float = getattr(_here, "rested_s", 0.0)
    return time.monotonic() - rested_s


def is_paced() -> bool:
    """Say whether the work of this thread takes turns."""
    return getattr(_here, "offer", None) is not None


@contextmanager
def pace_by(offer: Callable[[], None]) -> Iterator[None]:
    """Let `rest` in this thread call a function, which returns once it is this work's turn again."""
    before = getattr(_here, "offer", None)
    _here.offer = offer
    try:
        yield
    finally:
        _here.offer = before
