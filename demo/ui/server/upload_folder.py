"""The folder of this process's uploads, and the removal of folders that killed processes left behind."""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from demo.errors import SettingWrong
from demo.settings import MEGABYTE
from demo.system import is_own, user_name

LOCK = ".lock"  # held until the process ends, however it ends
ROOMY_BYTES = 1000 * MEGABYTE  # what a disk should have left, and what is kept free of one that has enough
_KEPT_SHARE = 4  # of a smaller disk, one part in so many is kept free


def open_folder() -> Path:
    """Make a folder for this process's uploads, deleted at its end, and tell gradio by GRADIO_TEMP_DIR.

    It is made in the folder that GRADIO_TEMP_DIR names, or in the system's folder for temporary files. Folders of
    processes that were killed are deleted.

    Raises:
        SettingWrong: If it cannot be made there.
    """
    parent = find_parent()
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _delete_left_behind(parent)
        folder = Path(tempfile.mkdtemp(prefix="demo-", dir=parent))
        lock = FileLock(folder / LOCK, thread_local=False)  # any thread may end the process and release it
        lock.acquire()
    except OSError as error:
        raise unwritable(parent, error) from error
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(_delete_folder, folder, lock)
    return folder


def find_parent() -> Path:
    """Return the folder in which `open_folder` makes one, whether or not it is there yet.

    It is the one that GRADIO_TEMP_DIR names, or a usual one among the system's temporary files, where another user may
    own it. A folder of another user is not used, even if it is writable: its owner could replace the files in it.
    """
    if wanted := os.environ.get("GRADIO_TEMP_DIR", ""):
        parent = Path(wanted)
        is_of_this_process = (parent / LOCK).exists()  # it is the folder of an earlier page
        return parent.parent if is_of_this_process else parent
    place = Path(tempfile.gettempdir())
    usual = place / "gradio"
    with suppress(OSError):
        usual.mkdir(exist_ok=True)
        if is_own(usual):
            return usual
    return place / f"gradio-{user_name()}"


def unwritable(parent: Path, error: OSError) -> SettingWrong:
    """Return what is to be said of a folder in which no folder can be made."""
    possible = f"a folder in which files can be made ({error.strerror or error})"
    return SettingWrong(variable="GRADIO_TEMP_DIR", value=str(parent), possible=possible)


def reserve_bytes(folder: Path) -> int:
    """Return how much of the disk below a folder is to be kept free: as much of a small one as leaves room for uploads.

    It is asked once, at the start; the other programs of this machine write to the same disk.
    """
    return min(ROOMY_BYTES, shutil.disk_usage(folder).free // _KEPT_SHARE)


def _delete_folder(folder: Path, lock: FileLock) -> None:
    lock.release()  # Windows does not delete open files
    shutil.rmtree(folder, ignore_errors=True)


def _delete_left_behind(parent: Path) -> None:
    """Delete the folders whose processes have ended without deleting them: their locks are free."""
    for folder in parent.glob("demo-*"):
        lock = FileLock(folder / LOCK, timeout=0)
        with suppress(Timeout, OSError):
            with lock:
                shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)  # on Windows the lock's own file was still open
