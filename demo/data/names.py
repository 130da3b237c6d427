"""Untrusted names: bytes of unknown encoding -> text that is safe to show."""

import codecs
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress

from demo.data.encodings import guess_encoding

_UTF8_FLAG = 0x800  # bit of ZipInfo.flag_bits
_UNIX = 3  # value of ZipInfo.create_system that macOS and Linux write
_WESTERN = "cp850"  # what gives every byte a character, for a name that is not valid in the encoding of the others
_DRIVE = re.compile("[A-Za-z]:")
_MAX_NAME_LENGTH = 255  # characters that file systems allow in the name of a folder or a file
_NUM_HEAD_BYTES = 400  # bytes of a text that show whether each character has two
# Signs that are no half of a character in any encoding.
_BETWEEN_SIGNS = re.compile(rb"[^\s,;\"]+")
_UNICODE_PATH = 0x7075  # number of the extra field in which WinRAR and Info-ZIP repeat a name in UTF-8


def clean_name(name: str) -> str:
    """Return a name that is safe to show: composed (NFC), without control, format or direction characters.

    A name longer than any file's is cut, because the time to compose it grows with the square of its length.
    """
    composed = unicodedata.normalize("NFC", name[:_MAX_NAME_LENGTH])
    if composed.isprintable():  # most are, and a table has many
        return composed.strip()
    return "".join(c for c in composed if _is_visible(c)).strip()


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def clean_parts(path: str) -> list[str]:
    """Split an entry's path into parts that are safe to show; `..`, drives and control characters are dropped."""
    cleaned = (clean_name(part) for part in path.replace("\\", "/").split("/"))
    return [part for part in cleaned if part not in ("", ".", "..") and not _DRIVE.fullmatch(part)]


def decode_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Decode the names of entries; zipfile takes cp437 where the UTF-8 flag is missing, but packers write others.

    macOS and Linux write UTF-8, Windows the code page of its language: one archive has one encoding.
    """
    foreign = [info for info in infos if not info.flag_bits & _UTF8_FLAG and not info.orig_filename.isascii()]
    parts = [part for info in foreign for part in _raw_name(info).split(b"/")]
    is_unix = all(info.create_system == _UNIX for info in foreign)
    encoding = "utf-8" if is_unix and _is_utf8(b"/".join(parts)) else guess_encoding(parts)
    names = {id(info): _decode_name(info, encoding) for info in foreign}
    return [names.get(id(info), info.filename) for info in infos]


def decode_text(content: bytes) -> str:
    """Decode an untrusted text file: UTF-8, UTF-16, or the code page of some Windows; what is not valid is replaced."""
    head = content[:_NUM_HEAD_BYTES]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if head.count(0) > len(head) // 4:  # UTF-16 without a mark: ASCII has a zero byte beside each letter
        return content.decode("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be", "replace")
    if _is_utf8(content):
        return content.decode("utf-8-sig")
    encoding = guess_encoding(match[0] for match in _BETWEEN_SIGNS.finditer(content))
    return content.decode(encoding, "replace")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437").partition(b"\0")[0]


def _decode_name(info: zipfile.ZipInfo, encoding: str) -> str:
    raw = info.orig_filename.encode("cp437")
    with suppress(UnicodeDecodeError, struct.error):
        return _find_unicode_path(info.extra, raw) or _raw_name(info).decode(encoding)
    return _raw_name(info).decode(_WESTERN)


def _find_unicode_path(extra: bytes, raw: bytes) -> str:
    """Return the UTF-8 name in an entry's extra field if its checksum is that of the raw name, else an empty text.

    Source:
        https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.6.9
    """
    while len(extra) >= 4:
        kind, num_bytes = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and struct.unpack_from("<BL", extra, 4) == (1, zlib.crc32(raw)):
            return extra[9 : 4 + num_bytes].decode("utf-8")
        extra = extra[4 + num_bytes :]
    return ""
