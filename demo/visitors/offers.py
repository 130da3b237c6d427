"""The files that a visitor may download."""

import shutil
import threading
from pathlib import Path

from demo.settings import MEGABYTE
from demo.visitors.errors import SessionExpired

_MAX_OFFERED = 8  # of one visitor; a newer file takes the place of the oldest
_MAX_BYTES = 600 * MEGABYTE  # of all of a visitor's but the newest; the largest network takes 250 MB


class Offers:
    """Files, each in a folder of its own, that are deleted when the session ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_over = False
        self._paths: list[Path] = []

    @property
    def num_bytes(self) -> int:
        """What the files take of the disk."""
        return sum(path.stat().st_size for path in self._paths if path.is_file())

    def add(self, path: Path) -> Path:
        """Offer a file and return its path.

        Raises:
            SessionExpired: If the session is over; the file is deleted then.
        """
        with self._lock:
            is_late = self._is_over
            self._paths.append(path)
            self._delete(num_left=0 if is_late else _MAX_OFFERED)
        if is_late:
            raise SessionExpired()
        return path

    def end(self) -> None:
        """Delete all files, and each that is still to come."""
        with self._lock:
            self._is_over = True
            self._delete(num_left=0)

    def _delete(self, *, num_left: int) -> None:
        while len(self._paths) > num_left or (len(self._paths) > 1 and self.num_bytes > _MAX_BYTES):
            shutil.rmtree(self._paths.pop(0).parent, ignore_errors=True)
