"""The key by which the server seals what it will want to know again."""

import secrets
from contextlib import suppress
from pathlib import Path

from demo.models.weights import cache_folder
from demo.settings import Settings
from demo.system import is_own

FILE_NAME = "demo-seal.key"
_NUM_BYTES = 32


def find_seal_key(settings: Settings) -> bytes:
    """Return the key that the settings give, or else that of the file beside the weights' cache, which is made once.

    Where no file can be made, or it is not this user's own, the key is new, and lasts as long as the process.
    """
    if settings.seal_key:
        return settings.seal_key.encode()
    return _read_file(cache_folder().parent / FILE_NAME) or secrets.token_bytes(_NUM_BYTES)


def _read_file(path: Path) -> bytes:
    """Return the key of a file, which is made where there is none; nothing if that cannot be."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.touch(0o600, exist_ok=False)
            path.write_bytes(secrets.token_bytes(_NUM_BYTES))
        key = path.read_bytes() if is_own(path) and not path.is_symlink() else b""
        return key if len(key) == _NUM_BYTES else b""
    return b""
