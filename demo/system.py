"""Functions that only some operating systems have, with a fallback for the others."""

import ctypes
import ipaddress
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from math import ceil
from pathlib import Path

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1  # malloc.h
_NICENESS = 15  # on a scale to 19: the thread gets a thirtieth of a core beside a prediction, and all of it alone

# What the drivers of NVIDIA's and AMD's GPUs, and those of Windows seen from Linux, make in the file system.
_GPU_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
# The request for an interface's IPv4 address (SIOCGIFADDR), and where it stands in the answer.
_ASK_ADDRESS = {"linux": 0x8915, "darwin": 0xC0206921}
_OF_CONTAINERS = ("docker", "br-", "veth", "virbr", "podman", "cni")  # bridges that no other machine reaches

_position = threading.Lock()  # held from a file's seek to the read or write after it


def num_cores() -> int:
    """Return how many processor cores this process may use.

    In a container with a limit that is as many as it grants, and fewer where `OMP_NUM_THREADS` says so, as to torch.
    """
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(own, count_granted_cores() or own, int(told) if told.isdecimal() else own))


@cache
def count_granted_cores(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return how many cores' time this process gets from its control groups, rounded up; None without a limit.

    Such a limit hides no core: with a thread for each core of the machine a process would be halted most of the time.

    Args:
        proc: Where the kernel tells of this process.
        groups: Where it tells of control groups, https://docs.kernel.org/admin-guide/cgroup-v2.html.
    """
    granted = []
    for folder in _groups_of(proc, groups):
        with suppress(OSError, ValueError):  # "max" is no limit, and the topmost group has none
            microseconds, period = map(int, (folder / "cpu.max").read_text(encoding="ascii").split())
            granted.append(max(1, ceil(microseconds / period)))
    return min(granted, default=None)


def has_gpu_driver() -> bool:
    """Say whether a GPU may be there, without asking torch; other systems than Linux have no triton to hide."""
    return any(Path(each).exists() for each in _GPU_DRIVERS)


def may_have_gpu() -> bool:
    """Say whether there is any use in asking torch for a GPU: on Linux there is none without a driver."""
    return sys.platform != "linux" or has_gpu_driver()


def lan_addresses() -> list[str]:
    """Return the IPv4 addresses by which other machines of the same network reach this one.

    Nothing is sent, and no name is looked up but this machine's own, on Windows.
    """
    if sys.platform not in _ASK_ADDRESS:
        return _keep_reachable(socket.gethostbyname_ex(socket.gethostname())[2])
    found = []
    with suppress(ImportError, OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        import fcntl

        for _, name in socket.if_nameindex():
            if not name.startswith(_OF_CONTAINERS):
                with suppress(OSError):  # an interface without an address
                    answer = fcntl.ioctl(asking, _ASK_ADDRESS[sys.platform], struct.pack("256s", name[:15].encode()))
                    found.append(socket.inet_ntoa(answer[20:24]))
    return _keep_reachable(found)


def _keep_reachable(addresses: Iterable[str]) -> list[str]:
    parsed = [(each, ipaddress.ip_address(each)) for each in dict.fromkeys(addresses)]
    return [text for text, each in parsed if not (each.is_loopback or each.is_link_local or each.is_unspecified)]


def try_port(address: str, port: int) -> OSError | None:
    """Return why a server could not listen at a port; None if it could.

    A port whose connections have just ended is free. On Windows a second program could share the port of one that
    listens, unless it asks not to.
    """
    alone = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
    with socket.socket() as server:
        try:
            server.setsockopt(socket.SOL_SOCKET, alone, 1)
            server.bind((address, port))
        except OSError as error:
            return error
    return None


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


def count_allowed_files() -> int | None:
    """Return how many files and connections this process may have open; None where the system sets no limit."""
    with suppress(ImportError):
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return None if soft == resource.RLIM_INFINITY else soft
    return None


def end_dead_connections(connection: socket.socket, after_s: float) -> None:
    """Let the system end a connection whose other end has not answered for so long: a phone that has gone, say.

    Without this such a one counts for a quarter of an hour, and more.
    """
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", after_s // 2), ("TCP_KEEPINTVL", after_s // 6), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), int(value))
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: also where what was sent is never taken
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(after_s * 1000))


def limit_process(*, max_bytes: int, max_cpu_s: int) -> None:
    """Let the system refuse this process more memory, and end it when it has computed for so long, where it can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (max_cpu_s, max_cpu_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (max_bytes, max_bytes))


def keep_memory_together() -> None:
    """Let glibc keep what is freed for what is allocated next, in one arena, until `give_back_free_memory`.

    By default it maps each activation of a forward pass anew, and the kernel fills it with zeros, which takes a third
    of the time of a batch; and each of two hundred threads may have an arena of its own that never shrinks. Larger
    blocks, such as whole decoded photographs, go back at once, and so does what is free beyond the last threshold.
    """
    _call_allocator("mallopt", _M_ARENA_MAX, 1)
    _call_allocator("mallopt", _M_MMAP_THRESHOLD, 64_000_000)
    _call_allocator("mallopt", _M_TRIM_THRESHOLD, 256_000_000)


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


def free_memory_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the memory that this process may still take; None where it is not known.

    On Linux that is what the machine has available, or less in a container or service that has a limit.

    Args:
        proc: Where the kernel tells of the machine and of this process.
        groups: Where it tells of control groups, https://docs.kernel.org/admin-guide/cgroup-v2.html.
    """
    with suppress(OSError, ValueError, StopIteration):
        lines = (proc / "meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        return min([available, *_left_in_groups(proc, groups)])
    return None


def _left_in_groups(proc: Path, groups: Path) -> Iterator[int]:
    """Yield what each control group with a limit has left."""
    for folder in _groups_of(proc, groups):
        with suppress(OSError, ValueError):  # "max" is no limit, and the topmost group has none
            limit = int((folder / "memory.max").read_text(encoding="ascii"))
            cached = _read_statistic(folder / "memory.stat", "inactive_file")
            yield limit - int((folder / "memory.current").read_text()) + cached


def _groups_of(proc: Path, groups: Path) -> Iterator[Path]:
    """Yield the folders of the control groups of this process, from its own upwards."""
    with suppress(OSError, ValueError):
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
        inside = groups / "".join(line[3:] for line in lines if line.startswith("0::")).strip("/")
        for folder in (inside, *inside.parents):
            yield folder
            if folder == groups:
                return


def _read_statistic(path: Path, name: str) -> int:
    return sum(
        int(line.split()[1]) for line in path.read_text(encoding="ascii").splitlines() if line.startswith(f"{name} ")
    )


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
