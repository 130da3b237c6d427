"""Untrusted zip -> the bytes of its files, never extracted under their names."""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

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
from demo.errors import DemoError
from demo.settings import MEGABYTE, Settings

_CHUNK_BYTES = 65_536
_UTF8_FLAG = 0x800  # in ZipInfo.flag_bits
_UNIX = 3  # what macOS and Linux write into ZipInfo.create_system
# Of Western Europe's Windows. The letters that cp437 has, which the zip format names, are at the same places there.
_WESTERN = "cp850"
_WORD = re.compile(r"[^\W\d_]+")
_DRIVE = re.compile("[A-Za-z]:")
_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
_LOCATOR_64 = struct.Struct("<4sLQL")
_END_OF_DIRECTORY_64 = struct.Struct("<4sQ2H2L4Q")
_ELSEWHERE = 0xFFFF_FFFF  # of a number for which zip64 has room
_MAX_DIRECTORY_ENTRY_BYTES = 512  # 46, a name, and what packers add
_MAX_NAME_LENGTH = 255  # of a folder or a file, in every file system
_UNICODE_PATH = 0x7075  # the extra field in which WinRAR and Info-ZIP repeat a name in UTF-8
_MAX_RATIO = 200  # of a large file to its packed size; deflate reaches 1,032
_BYTES_FOR_RATIO = MEGABYTE
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
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}
# What people take for a zip, by the first bytes.
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
    except (DemoError, MemoryError):
        raise
    except Exception as error:  # zipfile raises many kinds on hostile files
        raise ArchiveDamaged() from error


def clean_name(name: str) -> str:
    """Return a name that is safe to show: composed (NFC), without control, format or direction characters.

    Of a name longer than any file's only the beginning is kept: to compose it takes time by the square of its length.
    """
    composed = unicodedata.normalize("NFC", name[:_MAX_NAME_LENGTH])
    return "".join(c for c in composed if _is_visible(c)).strip()


def _check_file(path: Path, settings: Settings, name: str) -> None:
    num_bytes = path.stat().st_size
    if num_bytes > settings.max_archive_bytes:
        raise ArchiveBytesExceeded(
            name=name, megabytes=num_bytes / MEGABYTE, limit=settings.max_archive_bytes / MEGABYTE
        )
    with path.open("rb") as file:
        head = file.read(512)
        tail_at = max(0, num_bytes - 65_557)  # the directory's end and the longest comment
        tail = _read_at(file, tail_at, num_bytes)
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 and head.startswith(b"PK\x03\x04"):
            raise ArchiveDamaged()  # it began as a zip and was cut off
        kind = _find_kind(head)
        if kind or end < 0 or len(tail) - end < _END_OF_DIRECTORY.size:
            raise NotAZip(name=name, kind=kind and f" ({kind})")
        # Before ZipFile() builds an object for each entry.
        num_entries = _count_entries(file, tail_at + end)
    if num_entries > settings.max_archive_entries:
        raise TooManyEntries(count=num_entries, limit=settings.max_archive_entries)


def _read_at(file: BinaryIO, place: int, num_bytes: int) -> bytes:
    file.seek(max(0, place))
    return file.read(num_bytes)


def _find_kind(head: bytes) -> str:
    """Return what people take for a zip and is none, or an empty text."""
    if head[257:262] == b"ustar":
        return "tar"
    if head[2:5] == b"-lh":
        return "LZH"
    return next((kind for magic, kind in _OTHER_ARCHIVES.items() if head.startswith(magic)), "")


def _count_entries(file: BinaryIO, end_at: int) -> int:
    """Return how many entries a directory claims to have, or has room for.

    Its number of entries may be a lie: zipfile goes by its bytes. So may be the zip64 record that takes the place of
    the older one; where zipfile looks for that changed from one Python to the next.
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
        if found:  # the older record has its largest number where the newer one counts
            claims = [(0, num_bytes if num_bytes < _ELSEWHERE else 0), *(record[7:9] for record in found)]
    return max(int(max(count, num_bytes // _MAX_DIRECTORY_ENTRY_BYTES)) for count, num_bytes in claims)


def _check_directory(infos: list[zipfile.ZipInfo], settings: Settings) -> None:
    if len(infos) > settings.max_archive_entries:
        raise TooManyEntries(count=len(infos), limit=settings.max_archive_entries)
    if any(info.flag_bits & 0x1 or info.compress_type == _WINZIP_AES for info in infos):
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
    for info, path in zip(infos, _decode_names(infos), strict=True):
        *folders, name = _clean_parts(path) or [""]
        is_folder = path.endswith(("/", "\\"))  # ZipInfo.is_dir() fails on an empty name
        if is_folder or not name or any(_is_litter(part) for part in (*folders, name)):
            continue
        content = _read_entry(archive, info, min(left_bytes, settings.max_image_bytes))
        if isinstance(content, bytes):
            left_bytes -= len(content)
        yield Entry(tuple(folders), name, content)


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit_bytes: int) -> bytes | EntryError:
    if reason := _find_fault(info):
        return reason
    content = bytearray()
    try:
        with archive.open(info) as file:  # by ZipInfo: a name may stand twice
            while chunk := file.read(_CHUNK_BYTES):
                content += chunk
                if len(content) > limit_bytes:  # what the directory says of the size may be a lie
                    return EntryTooLarge(limit=limit_bytes / MEGABYTE)
    except MemoryError:
        raise
    except Exception:  # zipfile raises many kinds on hostile files
        return EntryDamaged()
    return bytes(content)


def _find_fault(info: zipfile.ZipInfo) -> EntryError | None:
    """Say why an entry need not be read at all."""
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return EntryUnsupported()
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return EntryMethodUnknown(method=_METHODS.get(info.compress_type, info.compress_type))
    # All formats but BMP are packed already: so much cannot be gained twice.
    is_inflated = info.file_size > max(_BYTES_FOR_RATIO, _MAX_RATIO * info.compress_size)
    if is_inflated and not info.filename.lower().endswith(".bmp"):
        return EntryInflated(ratio=_MAX_RATIO)
    return None


def _clean_parts(path: str) -> list[str]:
    """Split an entry's path into parts that are safe to show; `..`, drives and control characters go."""
    cleaned = (clean_name(part) for part in path.replace("\\", "/").split("/"))
    return [part for part in cleaned if part not in ("", ".", "..") and not _DRIVE.fullmatch(part)]


def _decode_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Undo zipfile's cp437 where the UTF-8 flag is missing: what is written there depends on who packed the archive."""
    foreign = [info for info in infos if not info.flag_bits & _UTF8_FLAG and not info.orig_filename.isascii()]
    is_unix = all(info.create_system == _UNIX for info in foreign)
    encoding = _guess_encoding([_raw_name(info) for info in foreign], is_unix=is_unix) if foreign else _WESTERN
    names = {id(info): _decode_name(info, encoding) for info in foreign}
    return [names.get(id(info), info.filename) for info in infos]


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437").partition(b"\0")[0]


def _decode_name(info: zipfile.ZipInfo, encoding: str) -> str:
    raw = info.orig_filename.encode("cp437")
    with suppress(UnicodeDecodeError, struct.error):
        return _find_unicode_path(info.extra, raw) or _raw_name(info).decode(encoding)
    return _raw_name(info).decode(_WESTERN)


def _find_unicode_path(extra: bytes, raw: bytes) -> str:
    """Return the name in an entry's extra field, if it is there and meant for these bytes.

    Source:
        https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.6.9
    """
    while len(extra) >= 4:
        kind, num_bytes = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and struct.unpack_from("<BL", extra, 4) == (1, zlib.crc32(raw)):
            return extra[9 : 4 + num_bytes].decode("utf-8")
        extra = extra[4 + num_bytes :]
    return ""


def _guess_encoding(names: Sequence[bytes], *, is_unix: bool) -> str:
    """Guess in which encoding an archive's names were written; one archive has one, and all names together tell more.

    macOS and Linux write UTF-8. Windows writes what its language had before Unicode, and the bytes are those of
    characters in the others as well; only in the right one they are letters that people use.
    """
    together = b"/".join(names)
    with suppress(UnicodeDecodeError):
        text = together.decode("utf-8")
        # Many a Chinese word in GBK is good UTF-8 as well, for two-byte characters that nobody writes.
        if is_unix or max(text, default="") >= "\u0800":
            return "utf-8"
    if _is_western(together.decode(_WESTERN)):
        return _WESTERN
    chinese = _share(_is_chinese, together.decode("gb18030", "replace"))
    japanese = _share(_is_japanese, together.decode("cp932", "replace"))
    return "cp932" if japanese > chinese else "gb18030"


def _is_western(text: str) -> bool:
    """Say whether accented letters stand among plain ones, as in Käse and forêt; Asian bytes stand among themselves."""
    foreign = [character for character in text if not character.isascii()]
    words = "".join(word for word in _WORD.findall(text) if not word.isascii())
    return all(character.isalpha() for character in foreign) and len(words) > 2 * len(foreign)


def _share(is_familiar: Callable[[str], bool], text: str) -> float:
    """Return the share of what is not ASCII that people use in names, 0 to 1."""
    foreign = [character for character in text if not character.isascii()]
    return sum(map(is_familiar, foreign)) / max(1, len(foreign))


def _is_chinese(character: str) -> bool:
    """Say whether a character is a Chinese one of GB 2312; GB 18030 has twenty thousand rare ones besides."""
    try:
        return character >= "\u4e00" and bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def _is_japanese(character: str) -> bool:
    """Say whether a character is a kanji or kana of full width; Chinese bytes mostly give kana of half width."""
    return "\u3040" <= character <= "\u30ff" or "\u4e00" <= character <= "\u9fff" or character == "々"


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _is_litter(part: str) -> bool:
    return part.startswith(".") or part.lower() in _LITTER
