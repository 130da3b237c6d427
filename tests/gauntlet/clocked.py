"""The page in a process whose wall clock jumps: it is ahead by as many seconds as a file says.

    python -m tests.gauntlet.clocked FILE [options of `demo serve`]

A laptop that slept goes on like this: its wall clock has jumped, its monotonic clock has not.
"""

import datetime as clocks
import runpy
import sys
import time
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path

_plain_time = time.time
_file = Path(sys.argv[1])


def _ahead_s() -> float:
    with suppress(OSError, ValueError):
        return float(_file.read_text(encoding="ascii"))
    return 0.0


class Jumped(datetime):
    """A `datetime` that knows of the jump, and is as large as the plain one, which compiled packages compare."""

    __slots__ = ()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Jumped":
        """Return the time of the clock that jumps."""
        return cls.fromtimestamp(time.time(), tz)


if __name__ == "__main__":
    time.time = lambda: _plain_time() + _ahead_s()
    clocks.datetime = Jumped  # type: ignore[misc]
    sys.argv = ["demo", "serve", *sys.argv[2:]]
    runpy.run_module("demo", run_name="__main__", alter_sys=True)
