"""When garbage is collected: while it is, nobody is answered."""

import gc
import time

from demo.models.cache import give_back_memory

_WORTH_S = 0.5  # seconds of computing after which there is something to collect
_ALL_EVERY_S = 600.0  # with visitors there; a panel that is opened first imports what is a third of all objects


class Garbage:
    """What becomes of objects that hold each other: while they are looked for, nobody is answered.

    A look at all objects of the process takes some tenths of a second, at those of the last seconds a hundredth. So
    what is there once the first network is, is left out, until nobody is there who would have to wait, or for long, or
    until a visitor leaves of whom something may be among it.
    """

    def __init__(self) -> None:
        self._swept_s = self._seen_all_s = 0.0
        self._all_seen_at = time.monotonic()
        self._is_due = False

    def note_end(self, began_at: float) -> None:
        """Note that a visitor has left who came at that time of the monotonic clock; nothing of theirs shall stay."""
        self._is_due |= began_at <= self._all_seen_at

    def look_at_all(self) -> None:
        """Drop what nobody holds, leave out what stays from now on, and collect again after an import."""
        self._is_due = False
        gc.enable()
        gc.unfreeze()
        give_back_memory()
        gc.freeze()
        self._swept_s = self._seen_all_s = time.process_time()
        self._all_seen_at = time.monotonic()

    def sweep(self, *, is_anybody_there: bool) -> None:
        """Drop what is new, if enough was computed since the last time."""
        now_s = time.process_time()
        may_look_at_all = not is_anybody_there or time.monotonic() - self._all_seen_at > _ALL_EVERY_S
        if self._is_due or (may_look_at_all and now_s - self._seen_all_s > _WORTH_S):
            self.look_at_all()
        elif now_s - self._swept_s > _WORTH_S:
            give_back_memory()
            self._swept_s = time.process_time()
