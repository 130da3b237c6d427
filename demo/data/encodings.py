"""Bytes of an unknown encoding -> the encoding in which they make what people write.

The same bytes are valid in several encodings, and are different words in each. The bits that a text would take in a
code made for its language tell them apart: frequent characters take few, rare ones many, and the shortest text is the
likeliest. Packages that guess encodings want more text than folders' names: of two names in GBK, charset-normalizer
3.5 reads fewer than one pair in ten rightly, this file all 257 (`tests/data/class_names.toml`).
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from demo.data.characters import (
    STRANGE_BITS,
    rate_chinese,
    rate_japanese,
    rate_korean,
    rate_letter,
    rate_traditional,
)

_MAX_SAMPLE_BYTES = 8_000  # bytes of names by which their encoding is guessed
_MAX_NAME_BYTES = 1_000  # longer than any name; what is cut off there may end in half a character
_WORD = re.compile(r"[^\W\d_]+")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_EDGE = re.compile(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")  # a letter beside a character, as in groupA组
_PLAIN = {re.compile("[a-z]"): 4.2, re.compile("[A-Z]"): 5.0, re.compile(r"[\\\[\]^`{|}~@]"): 11.0}
_CAMEL = re.compile(r"[^\W\d_A-Z][A-Z]")
_BEFORE_ESZETT = tuple("aeiouyäöü")

Rate = Callable[[str], float]


def _rate_plain(text: str) -> float:
    """Return the bits of ASCII; it counts, because in East Asia's encodings some of it is half a character."""
    return sum(bits * len(pattern.findall(text)) for pattern, bits in _PLAIN.items())


def _rate_characters(rate_character: Rate) -> Rate:
    """Return what gives the bits of a text of characters, which plain letters seldom touch."""
    rate_one = lru_cache(maxsize=4096)(rate_character)

    def rate(text: str) -> float:
        return _rate_plain(text) + sum(map(rate_one, _FOREIGN.findall(text))) + 3.0 * len(_EDGE.findall(text))

    return rate


def _rate_letters(text: str) -> float:
    """Return the bits of a text of words in an alphabet."""
    bits = _rate_plain(text) + 4.0 * len(_CAMEL.findall(text))
    bits += STRANGE_BITS * len(_FOREIGN.findall(_WORD.sub("", text)))
    return bits + sum(_rate_word(word) for word in _WORD.findall(text) if not word.isascii())


def _rate_word(word: str) -> float:
    """Return the bits of a word's letters beyond ASCII: capitals begin words, accents stand apart, no scripts mix."""
    bits, scripts = 0.0, set()
    for place, letter in enumerate(word):
        script, letter_bits = ("LATIN", 0.0) if letter.isascii() else rate_letter(letter)
        scripts.add(script)
        bits += letter_bits
        if letter.isupper() and not letter.isascii():
            bits += 1.5 if place == 0 or word.isupper() else 9.0
        if letter == "ß" and word[place - 1 : place].lower() not in _BEFORE_ESZETT:
            bits += 6.0
        if script == "LATIN" and place and not (letter.isascii() or word[place - 1].isascii()):
            bits += 3.0
    if len(word) < 3:
        bits += 5.0
    if scripts == {"LATIN"} and not any(map(str.isascii, word)):
        bits += 3.0
    return bits + 15.0 * (len(scripts) - 1)


# Encoding -> bits that are added because it is met less often, and what gives the bits of a text. gb18030 contains GBK,
# and cp850, of Western Europe's DOS, has the letters of the zip format's own cp437 in the same places.
_ENCODINGS: dict[str, tuple[float, Rate]] = {
    "utf-8": (3.0, _rate_letters),
    "gb18030": (0.0, _rate_characters(rate_chinese)),
    "cp950": (1.5, _rate_characters(rate_traditional)),
    "cp932": (2.0, _rate_characters(rate_japanese)),
    "cp949": (3.5, _rate_characters(rate_korean)),
    "cp850": (0.5, _rate_letters),
    "cp866": (5.0, _rate_letters),
    "cp1252": (1.0, _rate_letters),
    "cp1251": (6.0, _rate_letters),
}


def guess_encoding(names: Iterable[bytes]) -> str:
    """Guess the one encoding of names.

    Args:
        names: Names or words, of which the first 8,000 bytes that are not ASCII count, each word once.

    Returns:
        The name of the encoding that makes the likeliest text of them all together.
    """
    sample = _take_sample(names)
    return min(_ENCODINGS, key=lambda encoding: _rate(sample, encoding))


def _take_sample(names: Iterable[bytes]) -> Iterable[bytes]:
    sample: dict[bytes, None] = {}
    num_bytes = 0
    for name in names:
        if not name.isascii() and name not in sample:
            sample[name[:_MAX_NAME_BYTES]] = None
            num_bytes += len(name)
        if num_bytes > _MAX_SAMPLE_BYTES:
            break
    return sample


def _rate(names: Iterable[bytes], encoding: str) -> float:
    bits, rate = _ENCODINGS[encoding]
    for name in names:
        try:
            text = name.decode(encoding)
        except UnicodeDecodeError:
            plain = name.decode("ascii", "ignore")
            bits += 20.0 + 12.0 * (len(name) - len(plain)) + _rate_plain(plain)
        else:
            # What is valid UTF-8 of characters of three bytes is hardly ever anything else.
            bits += 0.0 if encoding == "utf-8" and max(text) >= "\u0800" else rate(text)
    return bits
