"""Untrusted names: bytes of unknown encoding -> text that is safe to show."""

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress

_UTF8_FLAG = 0x800  # bit of ZipInfo.flag_bits
_UNIX = 3  # value of ZipInfo.create_system that macOS and Linux write
# The code page of Western Europe's Windows. The letters of cp437, the zip format's own, have the same codes in it.
_WESTERN = "cp850"
_WORD = re.compile(r"[^\W\d_]+")
_DRIVE = re.compile("[A-Za-z]:")
_MAX_NAME_LENGTH = 255  # characters that file systems allow in the name of a folder or a file
_UNICODE_PATH = 0x7075  # number of the extra field in which WinRAR and Info-ZIP repeat a name in UTF-8


def clean_name(name: str) -> str:
    """Return a name that is safe to show: composed (NFC), without control, format or direction characters.

    A name longer than any file's is cut, because the time to compose it grows with the square of its length.
    """
    composed = unicodedata.normalize("NFC", name[:_MAX_NAME_LENGTH])
    return "".join(c for c in composed if _is_visible(c)).strip()


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def clean_parts(path: str) -> list[str]:
    """Split an entry's path into parts that are safe to show; `..`, drives and control characters are dropped."""
    cleaned = (clean_name(part) for part in path.replace("\\", "/").split("/"))
    return [part for part in cleaned if part not in ("", ".", "..") and not _DRIVE.fullmatch(part)]


def decode_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Decode the names of entries; zipfile takes cp437 where the UTF-8 flag is missing, but packers write others."""
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


def _guess_encoding(names: Sequence[bytes], *, is_unix: bool) -> str:
    """Guess the encoding of an archive's names, from all of them together: one archive has one encoding.

    macOS and Linux write UTF-8. Windows writes the code page of its language. The same bytes are valid in other code
    pages as well, but only in the right one do they give letters that people use.
    """
    together = b"/".join(names)
    with suppress(UnicodeDecodeError):
        text = together.decode("utf-8")
        # Many Chinese words in GBK are valid UTF-8 as well, of two-byte characters that hardly anybody writes.
        if is_unix or max(text, default="") >= "\u0800":
            return "utf-8"
    if _is_western(together.decode(_WESTERN)):
        return _WESTERN
    chinese = _share(_is_chinese, together.decode("gb18030", "replace"))
    japanese = _share(_is_japanese, together.decode("cp932", "replace"))
    return "cp932" if japanese > chinese else "gb18030"


def _is_western(text: str) -> bool:
    """Say whether accented letters stand among plain ones, as in Käse; Asian characters stand among themselves."""
    foreign = [character for character in text if not character.isascii()]
    words = "".join(word for word in _WORD.findall(text) if not word.isascii())
    return all(character.isalpha() for character in foreign) and len(words) > 2 * len(foreign)


def _share(is_familiar: Callable[[str], bool], text: str) -> float:
    """Return the share of the characters beyond ASCII that are familiar, 0 to 1."""
    foreign = [character for character in text if not character.isascii()]
    return sum(map(is_familiar, foreign)) / max(1, len(foreign))


def _is_chinese(character: str) -> bool:
    """Say whether a character is Chinese and in GB 2312, which leaves out GB 18030's twenty thousand rare ones."""
    try:
        return character >= "\u4e00" and bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def _is_japanese(character: str) -> bool:
    """Say whether a character is a kanji or full-width kana; Chinese bytes read as cp932 give half-width kana."""
    return "\u3040" <= character <= "\u30ff" or "\u4e00" <= character <= "\u9fff" or character == "々"
