"""What only some operating systems have: asked for, never assumed. Where one lacks it, the demo goes without."""

import ctypes
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # malloc.h
_NICENESS = 15  # of 19: at the side of a prediction it gets a thirtieth of a core, alone all of it

_position = threading.Lock()  # of every file that has to be moved to a place before it is read or written there


def num_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def give_way() -> None:
    """Let the operating system prefer all other threads to this one, and to those that it starts from now on.

    Linux alone has a priority for each thread: elsewhere the same call would slow down the whole process.
    """
    if sys.platform == "linux" and hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def allow_open_files(number: int) -> None:
    """Raise this process's limit of open files to a number, as far as the system lets it; Windows has no such limit."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def keep_memory_together() -> None:
    """Let all threads allocate from two arenas, and give large pieces back at once.

    By default each of two hundred threads may have an arena of its own that never shrinks.
    """
    _call_allocator("mallopt", _M_ARENA_MAX, 2)
    _call_allocator("mallopt", _M_MMAP_THRESHOLD, 4_000_000)


def give_back_free_memory() -> None:
    """Give the memory that was freed in this process back to the operating system."""
    _call_allocator("malloc_trim", 0)


def read_at(descriptor: int, num_bytes: int, offset: int) -> bytes:
    """Return bytes from a place of an open file; any number of threads may do so at once."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, num_bytes, offset)
    with _position:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, num_bytes)


def write_at(descriptor: int, content: memoryview, offset: int) -> int:
    """Write bytes to a place of an open file, while others read; return how many were taken."""
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, content, offset)
    with _position:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, content)


def is_own(folder: Path) -> bool:
    """Whether a folder belongs to the user of this process; Windows gives each user folders of their own."""
    return not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid()


def user_name() -> str:
    """Return what tells the users of one machine apart in the name of a file; empty where none have to be."""
    return str(os.geteuid()) if hasattr(os, "geteuid") else ""


def _call_allocator(function: str, *arguments: int) -> None:
    """Call a function of glibc's; other C libraries lack it, and Windows has no name for the process's own symbols."""
    with suppress(OSError, AttributeError, TypeError):
        getattr(ctypes.CDLL(None), function)(*arguments)
