"""Untrusted zip -> the bytes of its files, never extracted under their names."""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from demo.errors import (
    ArchiveBytesExceeded,
    ArchiveDamaged,
    ArchiveEncrypted,
    EntryDamaged,
    EntryError,
    EntryTooLarge,
    EntryUnsupported,
    NotAZip,
    TooManyEntries,
    UnpackedBytesExceeded,
)
from demo.settings import MEGABYTE, Settings

_CHUNK_BYTES = 65_536
_UNIX = 3  # what macOS and Linux write into ZipInfo.create_system
_DRIVE = re.compile("[A-Za-z]:")
_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
_MAX_DIRECTORY_ENTRY_BYTES = 512  # 46, a name, and what packers add
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}
# What people take for a zip, by the first bytes.
_OTHER_ARCHIVES = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}


@dataclass(frozen=True)
class Entry:
    """One file of an archive: its folders and name, cleaned, and its bytes or why they cannot be had."""

    folders: tuple[str, ...]
    name: str
    content: bytes | EntryError

    @property
    def path(self) -> str:
        """The folders and the name, joined by slashes."""
        return "/".join((*self.folders, self.name))


def read_archive(path: Path, settings: Settings, *, name: str = "") -> list[Entry]:
    """Read the files of one untrusted zip into memory, all at once; see `iter_archive`."""
    return list(iter_archive(path, settings, name=name))


def iter_archive(path: Path, settings: Settings, *, name: str = "") -> Iterator[Entry]:
    """Read the files of one untrusted zip, one after the other.

    Directories and the litter of operating systems (`__MACOSX`, dot files, `Thumbs.db`) are left out in
    silence. Names become labels, never paths, so that nothing can be written anywhere.

    Args:
        path: The uploaded file.
        settings: Limits on bytes, entries and unpacked bytes.
        name: What to call the file in an error; its own name unless given.

    Yields:
        The files in the archive's order.

    Raises:
        ArchiveError: One of its kinds, if the archive as a whole cannot be used.
    """
    name = name or path.name
    _check_file(path, settings, name)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _check_directory(infos, settings)
            yield from _read_entries(archive, infos, settings)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ArchiveDamaged() from error


def clean_name(name: str) -> str:
    """Return a name that is safe to show: composed (NFC), without control, format or direction characters."""
    return "".join(c for c in unicodedata.normalize("NFC", name) if _is_visible(c)).strip()


def _check_file(path: Path, settings: Settings, name: str) -> None:
    num_bytes = path.stat().st_size
    if num_bytes > settings.max_archive_bytes:
        raise ArchiveBytesExceeded(
            name=name, megabytes=num_bytes / MEGABYTE, limit=settings.max_archive_bytes / MEGABYTE
        )
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(max(0, num_bytes - 65_557))  # the directory's end and the longest comment
        tail = file.read()
    if head.startswith(b"PK\x03\x04") and b"PK\x05\x06" not in tail:
        raise ArchiveDamaged()  # it began as a zip and was cut off
    kinds = [kind for magic, kind in _OTHER_ARCHIVES.items() if head.startswith(magic)]
    if head[257:262] == b"ustar":
        kinds.append("tar")
    end = tail.rfind(b"PK\x05\x06")
    if kinds or end < 0 or len(tail) - end < _END_OF_DIRECTORY.size:
        raise NotAZip(name=name, kind=f" ({kinds[0]})" if kinds else "")
    # Before ZipFile() builds an object for each entry. zip64 says 65535 here, which is over the limit too.
    *_, num_entries, directory_bytes, _, _ = _END_OF_DIRECTORY.unpack_from(tail, end)
    # The number may be a lie, which the directory's size then belies: zipfile goes by that.
    num_entries = max(num_entries, directory_bytes // _MAX_DIRECTORY_ENTRY_BYTES)
    if num_entries > settings.max_archive_entries:
        raise TooManyEntries(count=num_entries, limit=settings.max_archive_entries)


def _check_directory(infos: list[zipfile.ZipInfo], settings: Settings) -> None:
    if len(infos) > settings.max_archive_entries:
        raise TooManyEntries(count=len(infos), limit=settings.max_archive_entries)
    if any(info.flag_bits & 0x1 for info in infos):
        raise ArchiveEncrypted()
    if sum(info.file_size for info in infos) > settings.max_unpacked_bytes:
        raise UnpackedBytesExceeded(limit=settings.max_unpacked_bytes / MEGABYTE)
    # Entries that share bytes are how a small file unpacks to terabytes (Fifield 2019, "A better zip bomb").
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for info, following in pairwise(ordered):
        if info.header_offset + info.compress_size > following.header_offset:
            raise ArchiveDamaged()


def _read_entries(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], settings: Settings) -> Iterator[Entry]:
    left_bytes = settings.max_unpacked_bytes
    for info in infos:
        *folders, name = _clean_parts(info) or [""]
        if _is_folder(info) or not name or any(_is_litter(part) for part in (*folders, name)):
            continue
        content = _read_entry(archive, info, min(left_bytes, settings.max_image_bytes))
        if isinstance(content, bytes):
            left_bytes -= len(content)
        yield Entry(tuple(folders), name, content)


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit_bytes: int) -> bytes | EntryError:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return EntryUnsupported()
    content = bytearray()
    try:
        with archive.open(info) as file:  # by ZipInfo: a name may stand twice
            while chunk := file.read(_CHUNK_BYTES):
                content += chunk
                if len(content) > limit_bytes:  # what the directory says of the size may be a lie
                    return EntryTooLarge(limit=limit_bytes / MEGABYTE)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
        return EntryDamaged()
    return bytes(content)


def _clean_parts(info: zipfile.ZipInfo) -> list[str]:
    """Split an entry's name into parts that are safe to show; `..`, drives and control characters go."""
    parts = _decode_name(info).replace("\\", "/").split("/")
    cleaned = (clean_name(part) for part in parts)
    return [part for part in cleaned if part not in ("", ".", "..") and not _DRIVE.fullmatch(part)]


def _decode_name(info: zipfile.ZipInfo) -> str:
    """Undo zipfile's cp437 where the UTF-8 flag is missing: macOS writes UTF-8, Chinese Windows GB 18030."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    with suppress(UnicodeDecodeError):
        name = raw.decode("utf-8")
        # Many a Chinese word in GBK is good UTF-8 as well, for two-byte characters that nobody writes.
        if info.create_system == _UNIX or max(name) >= "\u0800":
            return name
    with suppress(UnicodeDecodeError):
        return raw.decode("gb18030")
    return info.filename


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return _decode_name(info).endswith(("/", "\\"))  # ZipInfo.is_dir() fails on an empty name


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _is_litter(part: str) -> bool:
    return part.startswith(".") or part.lower() in _LITTER
