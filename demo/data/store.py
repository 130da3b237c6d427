"""The encoded pictures of one visitor, on disk and out of memory."""

import errno
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from demo.data.errors import StorageFull
from demo.errors import DemoError
from demo.settings import MEGABYTE
from demo.system import read_at, write_at

# The disk is full, the user's share of it is, or a file may not grow any more.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class StoredPicture:
    """Where the bytes of one picture lie; two are equal when their bytes are, wherever those lie."""

    store: "PictureStore" = field(compare=False, repr=False)
    offset: int = field(compare=False)
    num_bytes: int
    digest: str

    def read(self) -> bytes:
        """Return the picture's bytes; any number of threads may do so at once."""
        return self.store.read(self.offset, self.num_bytes)


class PictureStore:
    """One anonymous file to which pictures are appended.

    The file has no name (on Windows one that nobody can guess), so that nobody else can open it, and the system frees
    it when the last reference to the store is gone or the process ends, however it ends. It lies where
    `tempfile.gettempdir()` says (TMPDIR).
    """

    def __init__(self) -> None:
        with no_room(StorageFull(megabytes=0)):
            # Not closed here but with the store: every StoredPicture keeps its store alive.
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        weakref.finalize(self, file.close)
        self._descriptor = file.fileno()
        self._lock = threading.Lock()
        self._num_bytes = 0

    @property
    def num_bytes(self) -> int:
        """The bytes of all pictures that were ever added; what lies in between is never given back."""
        return self._num_bytes

    def add(self, content: bytes) -> StoredPicture:
        """Append one picture.

        Args:
            content: The encoded picture.

        Returns:
            Where it lies, with the SHA-256 of its bytes in hexadecimal.

        Raises:
            StorageFull: If the disk has no room for it. The store stays as it was.
        """
        with self._lock, no_room(StorageFull(megabytes=len(content) / MEGABYTE)):
            offset, left = self._num_bytes, memoryview(content)
            while left:  # a disk that is nearly full takes a part before it refuses
                left = left[write_at(self._descriptor, left, offset + len(content) - len(left)) :]
            self._num_bytes += len(content)
        return StoredPicture(self, offset, len(content), sha256(content).hexdigest())

    def read(self, offset: int, num_bytes: int) -> bytes:
        """Return bytes that were added; needs no lock, for what was added is never written again."""
        return read_at(self._descriptor, num_bytes, offset)


@contextmanager
def no_room(sentence: DemoError) -> Iterator[None]:
    """Raise a sentence of ours in the place of the system's error that there is no room."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise sentence from error
        raise
