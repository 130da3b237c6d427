"""The place in which the page is to run, looked at before it opens: a finding for each thing that it needs.

What takes no torch comes first, whose import takes seconds.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.entrance import Entrance
from demo.errors import DemoError, SettingWrong, StartError
from demo.settings import MEGABYTE, Settings
from demo.system import free_memory_bytes, try_port
from demo.ui.lifetime.errors import (
    DiskMissing,
    DiskSmall,
    MemorySmall,
    NetworkMissing,
    PortForbidden,
    PortTaken,
    WeightsNoRoom,
    WeightsNotKept,
    WeightsUnusable,
)
from demo.ui.server.upload_folder import ROOMY_BYTES, find_parent, reserve_bytes, unwritable
from demo.words.language import Words

GIGABYTE = 1000 * MEGABYTE
CLASS = 40  # visitors that a page is for
# Measured on Linux: the process without a network, and of each visitor photograph, features, head and open page.
_PROCESS_BYTES, _VISITOR_BYTES = 900 * MEGABYTE, 10 * MEGABYTE
_NEARBY = 100  # ports after one that is taken, among which a free one is looked for


@dataclass(frozen=True)
class Finding:
    """What was found of one thing: that it is well, in a sentence, or an error, which ends the start if it has to."""

    said: str = ""
    error: DemoError | None = None

    def tell(self, words: Words) -> str:
        """Return a line that says it."""
        if self.error is None:
            return f"{words.start.well}: {self.said}"
        how = words.start.wrong if isinstance(self.error, StartError) else words.start.limited
        return f"{how}: {words.explain(self.error)}"


def look(settings: Settings, words: Words) -> Iterator[Finding]:
    """Look at one thing after the other.

    Args:
        settings: What the page is to be.
        words: Of whoever starts it.
    """
    yield Finding(words.start.settings)
    for check in (check_port, check_uploads, check_disk, check_device, check_memory, check_weights, check_kept):
        yield check(settings, words)


def find_address(entrance: Entrance) -> tuple[str, range]:
    """Return where the page is to be, and the ports that are tried: one, unless GRADIO_NUM_PORTS says more."""
    address = "0.0.0.0" if entrance.is_lan else os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    first = int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    return address, range(first, first + int(os.environ.get("GRADIO_NUM_PORTS", "1")))


def check_port(settings: Settings, words: Words) -> Finding:
    """Look whether the port is free."""
    address, ports = find_address(settings.entrance)
    refusals = []
    for port in ports:
        if (refused := try_port(address, port)) is None:
            return Finding(words.start.port.format(port=port, address=address))
        refusals.append(refused)
    if isinstance(refusals[0], PermissionError) and ports[0] < 1024:
        reason = refusals[0].strerror or str(refusals[0])
        return Finding(error=PortForbidden(port=ports[0], address=address, reason=reason))
    return Finding(error=_taken(address, ports))


@contextmanager
def one_sentence_for_ports(entrance: Entrance) -> Iterator[None]:
    """Let gradio's start say what `check_port` says, where another program was faster.

    Raises:
        PortTaken: If no port is free.
    """
    try:
        yield
    except OSError as error:
        if "empty port" not in str(error):
            raise
        raise _taken(*find_address(entrance)) from error


def _taken(address: str, ports: range) -> PortTaken:
    after = range(ports[-1] + 1, ports[-1] + _NEARBY)
    free = next((port for port in after if try_port(address, port) is None), after[0])
    named = str(ports[0]) if len(ports) == 1 else f"{ports[0]}-{ports[-1]}"
    return PortTaken(ports=named, address=address, free=free)


def check_uploads(_settings: Settings, words: Words) -> Finding:
    """Look whether the folder of uploads can be written to."""
    folder = find_parent()
    error = _try_folder(folder)
    return Finding(error=unwritable(folder, error)) if error else Finding(words.start.uploads.format(folder=folder))


def check_disk(settings: Settings, words: Words) -> Finding:
    """Look how much room there is for uploads."""
    folder = _existing(find_parent())
    free = _free_bytes(folder)
    if free is None:
        return Finding(words.start.disk_unknown.format(folder=folder))
    if free < settings.max_image_bytes:
        needed = settings.max_image_bytes / MEGABYTE
        return Finding(error=DiskMissing(folder=str(folder), free=free / MEGABYTE, needed=needed))
    if free < ROOMY_BYTES:
        room = (free - reserve_bytes(folder)) / MEGABYTE
        needed = ROOMY_BYTES / MEGABYTE
        return Finding(error=DiskSmall(folder=str(folder), free=free / MEGABYTE, room=room, needed=needed))
    return Finding(words.start.disk.format(folder=folder, free=free / GIGABYTE))


def check_device(settings: Settings, words: Words) -> Finding:
    """Look whether network and device of the settings exist."""
    from demo.models.hardware import name_device
    from demo.models.possible import check_possible, choose_device

    try:
        check_possible(settings)
    except SettingWrong as error:
        return Finding(error=error)
    return Finding(words.start.device.format(name=name_device(choose_device(settings.device))))


def check_memory(settings: Settings, words: Words) -> Finding:
    """Look whether there is memory for the preferred network and a class."""
    from demo.models.cache import BYTES_PER_PARAMETER
    from demo.models.zoo import find_spec

    spec = find_spec(settings.backbone)
    needed = _PROCESS_BYTES + BYTES_PER_PARAMETER * spec.facts.num_parameters + CLASS * _VISITOR_BYTES
    told: dict[str, Any] = {"network": spec.display_name, "visitors": CLASS, "needed": needed / GIGABYTE}
    free = free_memory_bytes()
    if free is None:
        return Finding(words.start.memory_unknown.format(**told))
    if free < needed:
        return Finding(error=MemorySmall(free=free / GIGABYTE, **told))
    return Finding(words.start.memory.format(free=free / GIGABYTE, **told))


def check_weights(settings: Settings, words: Words) -> Finding:
    """Look whether the embedded network and the preferred one can be loaded; the loading remembers the checksums."""
    from demo.models.errors import WeightsMissing
    from demo.models.weights import find_weights, find_whole, tried_here
    from demo.models.zoo import EMBEDDED, find_spec

    spec, embedded = find_spec(settings.backbone), find_spec(EMBEDDED)
    if find_whole(embedded) is None:
        reason = WeightsMissing(backbone=embedded.display_name, tried=tried_here(embedded))
        return Finding(error=NetworkMissing(reason=reason))
    told = {"network": spec.display_name, "embedded": embedded.display_name}
    if file := find_whole(spec):
        return Finding(words.start.weights.format(file=file.path, **told))
    if file := find_weights(spec):
        return Finding(error=WeightsUnusable(file=str(file.path), **told))
    return Finding(words.start.weights_absent.format(**told))


def check_kept(settings: Settings, words: Words) -> Finding:
    """Look whether weights that are fetched can be kept, and whether there is room for those that are still to come."""
    from demo.models.weights import cache_folder, find_weights
    from demo.models.zoo import find_spec

    spec, folder = find_spec(settings.backbone), cache_folder()
    if error := _try_folder(folder):
        return Finding(error=WeightsNotKept(folder=str(folder), reason=error.strerror or str(error)))
    free, needed = _free_bytes(_existing(folder)), spec.facts.file_megabytes
    if free is not None and free < needed * MEGABYTE and find_weights(spec) is None:
        told: dict[str, Any] = {"network": spec.display_name, "needed": needed}
        return Finding(error=WeightsNoRoom(folder=str(folder), free=free / MEGABYTE, **told))
    return Finding(words.start.kept.format(folder=folder))


def _existing(folder: Path) -> Path:
    """Return a folder, or what is nearest above it and is there; that may be a file."""
    for each in (folder, *folder.absolute().parents):
        with suppress(OSError):  # what lies above it may be closed to us
            if each.exists():
                return each
    return folder


def _try_folder(folder: Path) -> OSError | None:
    """Return why nothing can be made in a folder, or where it is to be made; None if it can."""
    try:
        with tempfile.TemporaryDirectory(prefix="check-", dir=_existing(folder)):
            return None
    except OSError as error:
        return error


def _free_bytes(folder: Path) -> int | None:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return None
