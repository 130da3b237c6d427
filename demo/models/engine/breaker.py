"""Whether an engine is asked: not for a while after it has failed, and then by one request, which tries for all."""

import threading
import time
from collections.abc import Callable

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0


class Breaker:
    """Lets requests through while the engine answers; after a failure one at a time, after pauses that grow.

    Source:
        Nygard, Release It!, https://martinfowler.com/bliki/CircuitBreaker.html
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Let all through.

        Args:
            clock: Seconds that never go back.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._pause_s, self._until = _FIRST_PAUSE_S, 0.0
        self._is_tried = False
        self.reason = ""  # why nobody asks; empty while all do

    @property
    def is_open(self) -> bool:
        """Whether nobody asks but who tries."""
        return bool(self.reason)

    @property
    def is_resting(self) -> bool:
        """Whether a request would not be let through now."""
        return self.is_open and (self._is_tried or self._clock() < self._until)

    def admit(self) -> bool:
        """Say whether a request may be sent; whoever may sends it, and tells by `close` or `open` how it ended."""
        with self._lock:
            if self.is_resting:
                return False
            self._is_tried = self.is_open
            return True

    def close(self) -> bool:
        """Note an answer; return whether it was the first after a failure."""
        with self._lock:
            was_open = bool(self.reason)
            self.reason, self._pause_s, self._is_tried = "", _FIRST_PAUSE_S, False
            return was_open

    def open(self, reason: str) -> bool:
        """Note a failure, with its reason; return whether that is news."""
        with self._lock:
            is_news = reason != self.reason
            if self._is_tried:
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            self.reason, self._is_tried = reason, False
            self._until = self._clock() + self._pause_s
            return is_news

    def leave(self) -> None:
        """Note that a request was given up before its end, which says nothing of the engine."""
        with self._lock:
            self._is_tried = False
