"""The encoded pictures of one visitor, on disk."""

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

# The disk is full, the user's quota is used up, or the file has reached the largest size.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class StoredPicture:
    """The place of one picture's bytes in a store; two are equal if their bytes are, wherever these lie."""

    store: "PictureStore" = field(compare=False, repr=False)
    offset: int = field(compare=False)
    num_bytes: int
    digest: str

    def read(self) -> bytes:
        """Return the picture's bytes; any number of threads may do so at once."""
        return self.store.read(self.offset, self.num_bytes)


class PictureStore:
    """One anonymous file to which pictures are appended.

    The file has no name (on Windows an unguessable one), so that no one else can open it. The system frees it when the
    last reference to the store is gone or the process ends, however it ends. It is in `tempfile.gettempdir()` (TMPDIR).
    """

    def __init__(self) -> None:
        with no_room(StorageFull(megabytes=0)):
            # The file is closed with the store, which every StoredPicture keeps alive.
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        weakref.finalize(self, file.close)
        self._descriptor = file.fileno()
        self._lock = threading.Lock()
        self._num_bytes = 0

    @property
    def num_bytes(self) -> int:
        """The bytes of all pictures that were ever added; the space of removed ones is never used again."""
        return self._num_bytes

    def add(self, content: bytes) -> StoredPicture:
        """Append one picture.

        Args:
            content: The encoded picture.

        Returns:
            The picture's place, with the SHA-256 of its bytes in hexadecimal.

        Raises:
            StorageFull: If the disk has no room for it. The store is unchanged.
        """
        with self._lock, no_room(StorageFull(megabytes=len(content) / MEGABYTE)):
            offset, left = self._num_bytes, memoryview(content)
            while left:  # a disk that is nearly full writes a part before it refuses
                left = left[write_at(self._descriptor, left, offset + len(content) - len(left)) :]
            self._num_bytes += len(content)
        return StoredPicture(self, offset, len(content), sha256(content).hexdigest())

    def read(self, offset: int, num_bytes: int) -> bytes:
        """Return bytes that were added; it takes no lock, because added bytes never change."""
        return read_at(self._descriptor, num_bytes, offset)


@contextmanager
def no_room(sentence: DemoError) -> Iterator[None]:
    """Replace the system's error that there is no room by one of this program."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise sentence from error
        raise
