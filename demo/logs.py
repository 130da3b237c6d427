"""The log, as text for people or as one JSON object a line for programs; never what an error says of a visitor."""

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MAX_KINDS = 1_000  # kinds of lines that are remembered
_ErrorInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def set_up(kind: str) -> None:
    """Write the log of the whole process to the standard error, from now on.

    Args:
        kind: "text", or "json": objects with `time` (ISO 8601, UTC), `level`, `logger` and `message`, and for an
            unexpected error `error` and `trace`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if kind == "json" else Text(_TEXT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("demo").setLevel(logging.INFO)
    logging.captureWarnings(True)


def take_over(*names: str) -> None:
    """Let loggers that have written by themselves write to the one log."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def write_seldom(*names: str) -> None:
    """Let loggers, whose lines anybody may cause, write one a minute of each kind."""
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(each, Seldom) for each in logger.filters):
            logger.addFilter(Seldom())


class Seldom(logging.Filter):
    """A filter that lets one line a minute of each kind through, which also says how many were held back.

    Lines are of one kind if they begin with the same line of text.
    """

    def __init__(self, every_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s, self._clock = every_s, clock
        self._seen: dict[
            tuple[str, str], tuple[float, int]
        ] = {}  # when a kind was last let through, and how many since

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is let through."""
        kind, now = (record.name, record.getMessage().partition("\n")[0]), self._clock()
        let_through, held_back = self._seen.get(kind, (-self._every_s, 0))
        if now - let_through < self._every_s:
            self._seen[kind] = let_through, held_back + 1
            return False
        if len(self._seen) >= _MAX_KINDS:
            self._seen.clear()
        self._seen[kind] = now, 0
        if held_back:
            record.msg = f"{record.msg} ({held_back} more since the last such line)"
        return True


class Text(logging.Formatter):
    """Lines for people. Of an error it has the kind and where it came from; what it says may name a visitor's file."""

    converter = staticmethod(time.gmtime)

    def formatException(self, ei: _ErrorInfo) -> str:  # noqa: N802
        """Return the kind of an error, and the places that it came through."""
        return f"{_name(ei[1])}\n{_places(ei[1])}".rstrip()


class Json(Text):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        told: dict[str, Any] = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told |= {"error": _name(record.exc_info[1]), "trace": _places(record.exc_info[1])}
        return json.dumps(told, ensure_ascii=False)


def _name(error: BaseException | None) -> str:
    return type(error).__name__ if error is not None else ""


def _places(error: BaseException | None) -> str:
    return "".join(traceback.format_tb(error.__traceback__)).rstrip() if error is not None else ""
