"""The folder of this process's uploads, and the removal of folders that killed processes left behind."""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from demo.errors import SettingWrong
from demo.system import is_own, user_name

LOCK = ".lock"  # held until the process ends, however it ends


def open_folder() -> Path:
    """Make a folder for this process's uploads, deleted at its end, and tell gradio by GRADIO_TEMP_DIR.

    It is made in the folder that GRADIO_TEMP_DIR names, or in the system's folder for temporary files. Folders of
    processes that were killed are deleted.

    Raises:
        SettingWrong: If it cannot be made there.
    """
    wanted = os.environ.get("GRADIO_TEMP_DIR", "")
    try:
        folder = _make_folder(Path(wanted)) if wanted else _make_own_folder()
        lock = FileLock(folder / LOCK, thread_local=False)  # any thread may end the process and release it
        lock.acquire()
    except OSError as error:
        possible = f"a folder in which files can be made ({error.strerror or error})"
        raise SettingWrong(variable="GRADIO_TEMP_DIR", value=wanted, possible=possible) from error
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(_delete_folder, folder, lock)
    return folder


def _make_own_folder() -> Path:
    """Make a folder among the system's temporary files, where another user may own the usual one.

    A folder of another user is not used, even if it is writable, because its owner could replace the files in it.
    """
    place = Path(tempfile.gettempdir())
    usual = place / "gradio"
    with suppress(OSError):
        usual.mkdir(exist_ok=True)
        if is_own(usual):
            return _make_folder(usual)
    return _make_folder(place / f"gradio-{user_name()}")


def _make_folder(parent: Path) -> Path:
    if (parent / LOCK).exists():  # GRADIO_TEMP_DIR is the folder of an earlier page of this process
        parent = parent.parent
    parent.mkdir(parents=True, exist_ok=True)
    _delete_left_behind(parent)
    return Path(tempfile.mkdtemp(prefix="demo-", dir=parent))


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
