"""Functions that only some operating systems have, with a fallback for the others."""

import ctypes
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # malloc.h
_NICENESS = 15  # on a scale to 19: the thread gets a thirtieth of a core beside a prediction, and all of it alone

_position = threading.Lock()  # held from a file's seek to the read or write after it


def num_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def give_way() -> None:
    """Lower the priority of this thread, and of those that it starts from now on.

    Only Linux has a priority for each thread; elsewhere the same call would slow down the whole process.
    """
    if sys.platform == "linux" and hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def allow_open_files(number: int) -> None:
    """Raise this process's limit of open files to a number, as far as the system allows; Windows has no such limit."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def keep_memory_together() -> None:
    """Let glibc allocate from two arenas for all threads, and return large blocks to the system at once.

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
    """Write bytes to a place of an open file, while others read; return how many were written."""
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, content, offset)
    with _position:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, content)


def is_own(folder: Path) -> bool:
    """Say whether a folder belongs to the user of this process; Windows gives each user folders of their own."""
    return not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid()


def user_name() -> str:
    """Return a name of this process's user, to tell files apart; empty where each user has folders of their own."""
    return str(os.geteuid()) if hasattr(os, "geteuid") else ""


def _call_allocator(function: str, *arguments: int) -> None:
    """Call a function of glibc; other C libraries lack it, and on Windows CDLL(None) raises TypeError."""
    with suppress(OSError, AttributeError, TypeError):
        getattr(ctypes.CDLL(None), function)(*arguments)
