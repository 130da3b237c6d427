"""Untrusted zip -> the bytes of its files, never extracted under their names."""

import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from os import SEEK_END
from pathlib import Path
from typing import IO

from demo.data.errors import (
    ArchiveBytesExceeded,
    ArchiveDamaged,
    ArchiveEncrypted,
    EntryDamaged,
    EntryError,
    EntryInflated,
    EntryMethodUnknown,
    EntryTooLarge,
    EntryUnsupported,
    NotAZip,
    TooManyEntries,
    UnpackedBytesExceeded,
)
from demo.data.listing import is_litter
from demo.data.names import clean_parts, decode_names
from demo.errors import DemoError
from demo.settings import MEGABYTE, Settings

_CHUNK_BYTES = 65_536
_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
_LOCATOR_64 = struct.Struct("<4sLQL")
_END_OF_DIRECTORY_64 = struct.Struct("<4sQ2H2L4Q")
_IN_ZIP64 = 0xFFFF_FFFF  # value of a field whose number stands in the zip64 record
_MAX_DIRECTORY_ENTRY_BYTES = 512  # bytes of one directory entry: 46 fixed ones, the name and extra fields
_MAX_RATIO = 200  # largest ratio of a file's size to its packed size; deflate reaches 1,032
_BYTES_FOR_RATIO = MEGABYTE  # size from which on the ratio is checked
_METHODS = {
    1: "Shrink",
    **dict.fromkeys((2, 3, 4, 5), "Reduce"),
    6: "Implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
}
_WINZIP_AES = 99
# Archives of other formats, by their first bytes.
_OTHER_ARCHIVES = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"MSCF": "CAB",
    b"ALZ\x01": "ALZ",
    b"EGGA": "EGG",
}


@dataclass(frozen=True)
class Entry:
    """One file of an archive: its folders and name, cleaned, and its bytes or the reason why they cannot be read."""

    folders: tuple[str, ...]
    name: str
    content: bytes | EntryError

    @property
    def path(self) -> str:
        """The folders and the name, joined by slashes."""
        return "/".join((*self.folders, self.name))


class Budget:
    """What the zips of one reading may still list and unpack together."""

    def __init__(self, settings: Settings) -> None:
        self.entries = settings.max_archive_entries
        self.num_bytes = self.limit = settings.max_unpacked_bytes


class Archive:
    """An open zip: the files that it lists, and the bytes of each that is asked for.

    Directories and the litter of operating systems (`__MACOSX`, dot files, `Thumbs.db`) are not among the files. Names
    become labels, never paths, so that no file can be written anywhere.
    """

    def __init__(self, archive: zipfile.ZipFile, budget: Budget, settings: Settings) -> None:
        self._archive, self._budget = archive, budget
        infos = archive.infolist()
        _check_directory(infos, settings)
        budget.entries -= len(infos)
        named = [(info, path, clean_parts(path)) for info, path in zip(infos, decode_names(infos), strict=True)]
        # ZipInfo.is_dir() fails on an empty name.
        files = [(info, parts) for info, path, parts in named if parts and not path.endswith(("/", "\\"))]
        self._infos = [info for info, parts in files if not any(map(is_litter, parts))]
        self.paths = [(tuple(parts[:-1]), parts[-1]) for _, parts in files if not any(map(is_litter, parts))]

    @property
    def comment(self) -> bytes:
        """What the zip says of itself, untrusted."""
        return self._archive.comment

    def mark(self, number: int) -> tuple[int, int]:
        """Return the size and the checksum of a file, as the directory tells them."""
        return self._infos[number].file_size, self._infos[number].CRC

    def read(self, number: int, max_bytes: int) -> bytes | EntryError:
        """Return the bytes of a file by its place in `paths`, or the reason why they cannot be read.

        Raises:
            UnpackedBytesExceeded: If other zips have used up what all may unpack together.
        """
        left_bytes = self._budget.num_bytes
        if left_bytes < self._infos[number].file_size <= max_bytes:
            raise UnpackedBytesExceeded(limit=self._budget.limit / MEGABYTE)
        content = _read_entry(self._archive, self._infos[number], min(left_bytes, max_bytes))
        if isinstance(content, bytes):
            self._budget.num_bytes -= len(content)
        return content

    def peek(self, number: int, num_bytes: int) -> bytes:
        """Return the first bytes of a file; nothing of one that cannot be read. They are not counted as unpacked."""
        if _find_fault(self._infos[number]) is not None:
            return b""
        try:
            with self._archive.open(self._infos[number]) as file:
                return file.read(num_bytes)
        except MemoryError:
            raise
        except Exception:  # zipfile raises many kinds on hostile files
            return b""


@contextmanager
def open_archive(
    source: Path | IO[bytes], settings: Settings, *, name: str = "", budget: Budget | None = None
) -> Iterator[Archive]:
    """Open one untrusted zip and list its files.

    Args:
        source: The uploaded file, or an open one.
        settings: Limits on bytes, entries and unpacked bytes.
        name: Name of the file in errors; its own by default.
        budget: What it shares with other zips.

    Raises:
        ArchiveError: One of its kinds, if the archive as a whole cannot be used.
    """
    budget = budget or Budget(settings)
    name = name or (source.name if isinstance(source, Path) else "")
    with source.open("rb") if isinstance(source, Path) else source as file:
        _check_file(file, settings, name, budget)
        try:
            archive = Archive(zipfile.ZipFile(file), budget, settings)
        except (DemoError, MemoryError):
            raise
        except Exception as error:  # zipfile raises many kinds on hostile files
            raise ArchiveDamaged() from error
        yield archive


def iter_archive(path: Path, settings: Settings, *, name: str = "") -> Iterator[Entry]:
    """Read the files of one untrusted zip, one after the other.

    Args:
        path: The uploaded file.
        settings: Limits on bytes, entries and unpacked bytes.
        name: Name of the file in errors; its own by default.

    Yields:
        The files in the archive's order, without directories and litter.

    Raises:
        ArchiveError: One of its kinds, if the archive as a whole cannot be used.
    """
    with open_archive(path, settings, name=name) as archive:
        for number, (folders, file_name) in enumerate(archive.paths):
            yield Entry(folders, file_name, archive.read(number, settings.max_image_bytes))


def _check_file(file: IO[bytes], settings: Settings, name: str, budget: Budget) -> None:
    num_bytes = file.seek(0, SEEK_END)
    if num_bytes > settings.max_archive_bytes:
        raise ArchiveBytesExceeded(
            name=name, megabytes=num_bytes / MEGABYTE, limit=settings.max_archive_bytes / MEGABYTE
        )
    head = _read_at(file, 0, 512)
    tail_at = max(0, num_bytes - 65_557)  # 22 bytes of the end record and the longest comment, 65,535
    tail = _read_at(file, tail_at, num_bytes)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 and head.startswith(b"PK\x03\x04"):
        raise ArchiveDamaged()  # a file that begins as a zip and has no end was cut off
    kind = _find_kind(head)
    if kind or end < 0 or len(tail) - end < _END_OF_DIRECTORY.size:
        raise NotAZip(name=name, kind=kind and f" ({kind})")
    # Entries are counted here because ZipFile() builds an object for each of them.
    num_entries = _count_entries(file, tail_at + end)
    if num_entries > budget.entries:
        before = settings.max_archive_entries - budget.entries
        raise TooManyEntries(count=before + num_entries, limit=settings.max_archive_entries)


def _read_at(file: IO[bytes], place: int, num_bytes: int) -> bytes:
    file.seek(max(0, place))
    return file.read(num_bytes)


def _find_kind(head: bytes) -> str:
    """Return the name of another archive format, or an empty text."""
    if head[257:262] == b"ustar":
        return "tar"
    if head[2:5] == b"-lh":
        return "LZH"
    return next((kind for magic, kind in _OTHER_ARCHIVES.items() if head.startswith(magic)), "")


def _count_entries(file: IO[bytes], end_at: int) -> int:
    """Return how many entries a directory claims to have, or has room for, whichever is more.

    The number of entries may be a lie: zipfile reads as many as the directory's bytes hold. The zip64 record, which
    replaces the older one, may lie as well; its place differs between versions of Python.
    """
    *_, count, num_bytes, _, _ = _END_OF_DIRECTORY.unpack(_read_at(file, end_at, _END_OF_DIRECTORY.size))
    claims = [(count, num_bytes)]
    locator_at = end_at - _LOCATOR_64.size
    locator = _read_at(file, locator_at, _LOCATOR_64.size)
    if locator_at >= 0 and locator.startswith(b"PK\x06\x07"):
        size = _END_OF_DIRECTORY_64.size
        places = {locator_at - size, min(_LOCATOR_64.unpack(locator)[2], end_at)}
        records = [_read_at(file, place, size) for place in places if 0 <= place <= end_at - size]
        found = [_END_OF_DIRECTORY_64.unpack(record) for record in records if record.startswith(b"PK\x06\x06")]
        if found:  # the older record holds _IN_ZIP64 in fields that only the zip64 record fills
            claims = [(0, num_bytes if num_bytes < _IN_ZIP64 else 0), *(record[7:9] for record in found)]
    return max(int(max(count, num_bytes // _MAX_DIRECTORY_ENTRY_BYTES)) for count, num_bytes in claims)


def _check_directory(infos: list[zipfile.ZipInfo], settings: Settings) -> None:
    if len(infos) > settings.max_archive_entries:
        raise TooManyEntries(count=len(infos), limit=settings.max_archive_entries)
    if any(info.flag_bits & 0x1 or info.compress_type == _WINZIP_AES for info in infos):
        raise ArchiveEncrypted()
    if sum(info.file_size for info in infos) > settings.max_unpacked_bytes:
        raise UnpackedBytesExceeded(limit=settings.max_unpacked_bytes / MEGABYTE)
    # A small file can unpack to terabytes if its entries share bytes (Fifield 2019, "A better zip bomb").
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for info, following in pairwise(ordered):
        if info.header_offset + info.compress_size > following.header_offset:
            raise ArchiveDamaged()


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit_bytes: int) -> bytes | EntryError:
    if reason := _find_fault(info):
        return reason
    content = bytearray()
    try:
        with archive.open(info) as file:  # opened by ZipInfo, because two entries may have the same name
            while chunk := file.read(_CHUNK_BYTES):
                content += chunk
                if len(content) > limit_bytes:  # the size in the directory may be a lie
                    return EntryTooLarge(limit=limit_bytes / MEGABYTE)
    except MemoryError:
        raise
    except Exception:  # zipfile raises many kinds on hostile files
        return EntryDamaged()
    return bytes(content)


def _find_fault(info: zipfile.ZipInfo) -> EntryError | None:
    """Return why an entry cannot be used, as far as the directory tells; None if it may be read."""
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return EntryUnsupported()
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return EntryMethodUnknown(method=_METHODS.get(info.compress_type, info.compress_type))
    # Every picture format but BMP is compressed already, and hardly shrinks a second time.
    is_inflated = info.file_size > max(_BYTES_FOR_RATIO, _MAX_RATIO * info.compress_size)
    if is_inflated and not info.filename.lower().endswith(".bmp"):
        return EntryInflated(ratio=_MAX_RATIO)
    return None
