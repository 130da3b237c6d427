"""What a file is, is told by its bytes."""

import struct
from pathlib import Path

import numpy as np
import pytest

from demo.data.errors import NotAnImage
from demo.data.formats.errors import (
    IsArchive,
    IsDocument,
    IsDrawing,
    IsEmpty,
    IsOtherPicture,
    IsRaw,
    IsSequence,
    IsText,
    IsUnknown,
    IsVideo,
    IsWebPage,
    WhatItIs,
)
from demo.data.images import read_image
from demo.data.kinds import PICTURES, Kind, describe, find_kind
from demo.settings import Settings
from demo.words.language import CHINESE
from tests.pictures import FORMATS, encode, noise, tiff, write_zip


def boxes(major: bytes, *others: bytes) -> bytes:
    return struct.pack(">I4s4sI", 16 + 4 * len(others), b"ftyp", major, 0) + b"".join(others) + bytes(40)


def raw(tags: dict[int, int]) -> bytes:
    return tiff(np.zeros((2, 2, 3), np.uint16), tags=tags)


ODD: list[tuple[bytes, Kind, type[WhatItIs]]] = [
    (b"", Kind.EMPTY, IsEmpty),
    (bytes(3_000), Kind.EMPTY, IsEmpty),
    (b"<!DOCTYPE html><html><body>404 <svg></svg></body></html>", Kind.WEB_PAGE, IsWebPage),
    (b"\xef\xbb\xbf\n  <HTML lang='en'>\n", Kind.WEB_PAGE, IsWebPage),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Kind.SVG, IsDrawing),
    (b"<?xml version='1.0'?><!-- drawn --><svg:svg/><svg/>", Kind.SVG, IsDrawing),
    (boxes(b"hevc", b"msf1"), Kind.SEQUENCE, IsSequence),
    (boxes(b"msf1", b"hevc"), Kind.SEQUENCE, IsSequence),
    (b"\xff\x0a" + bytes(20) + b"x", Kind.JPEG_XL, IsOtherPicture),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind.JPEG_XL, IsOtherPicture),
    (encode(noise(0), "JPEG2000"), Kind.JPEG_2000, IsOtherPicture),
    (b"8BPS\0\1" + bytes(20), Kind.PHOTOSHOP, IsOtherPicture),
    (raw({254: 1}), Kind.RAW, IsRaw),
    (raw({50_706: 0x01040000}), Kind.RAW, IsRaw),
    (b"II*\0\x10\0\0\0CR\2\0" + bytes(20), Kind.RAW, IsRaw),
    (b"FUJIFILMCCD-RAW 0201", Kind.RAW, IsRaw),
    (boxes(b"crx ", b"crx ", b"isom"), Kind.RAW, IsRaw),
    (boxes(b"isom", b"iso2", b"mp41"), Kind.VIDEO, IsVideo),
    (boxes(b"qt  "), Kind.VIDEO, IsVideo),
    (b"\x1a\x45\xdf\xa3\x01webm", Kind.VIDEO, IsVideo),
    (b"RIFF\0\1\0\0AVI LIST", Kind.VIDEO, IsVideo),
    (b"\0\0\0\x08wide\0\0\1\0mdat", Kind.VIDEO, IsVideo),
    (b"%PDF-1.7\n%\xe2\xe3", Kind.PDF, IsDocument),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20), Kind.OFFICE, IsDocument),
    (b"Rar!\x1a\x07\1\0", Kind.ARCHIVE, IsArchive),
    (b"\x1f\x8b\x08\0", Kind.ARCHIVE, IsArchive),
    (b'{"file": "cat.jpg"}', Kind.TEXT, IsText),
    ("文件,类别\n猫.jpg,猫\n".encode(), Kind.TEXT, IsText),
    ("文件".encode("gbk"), Kind.TEXT, IsText),
    ("file\n".encode("utf-16"), Kind.TEXT, IsText),
    (b"RIFF\0\1\0\0WAVEfmt ", Kind.UNKNOWN, IsUnknown),
    (b"\0\5\x16\7\0\2\0\0Mac OS X", Kind.UNKNOWN, IsUnknown),
    (b"\x7fELF\2\1\1\0", Kind.UNKNOWN, IsUnknown),
]


@pytest.mark.parametrize(("content", "kind", "said"), ODD, ids=[f"{each[1]} {each[0][:12]!r}" for each in ODD])
@pytest.mark.parametrize("name", ["x.jpg", "x"])
def test_what_is_no_picture_is_named_for_what_it_is(
    content: bytes, kind: Kind, said: type[WhatItIs], name: str, settings: Settings
) -> None:
    assert find_kind(content) is kind
    assert not kind.is_picture
    with pytest.raises(NotAnImage) as refused:
        read_image(content, settings, name=name)
    assert isinstance(refused.value.what, said)
    assert str(refused.value).startswith(f'"{name}" is ')
    assert CHINESE.explain(refused.value).startswith(f"文件“{name}”是")


@pytest.mark.parametrize("image_format", FORMATS)
def test_pictures_are_told_by_their_bytes(image_format: str) -> None:
    content = encode(noise(0), image_format)
    assert find_kind(content) is find_kind(content[:64]) is Kind(image_format)


@pytest.mark.parametrize(
    "brands", [(b"heic", b"mif1"), (b"mif1", b"heic"), (b"heix",), (b"msf1", b"mif1", b"heic", b"hevc")]
)
def test_a_still_heic_is_one_under_every_brand(brands: tuple[bytes, ...]) -> None:
    assert find_kind(boxes(*brands)) is Kind.HEIC
    assert find_kind(boxes(b"mif1", b"avif")) is find_kind(boxes(b"avis")) is Kind.AVIF


def test_office_documents_are_told_from_other_zips(tmp_path: Path) -> None:
    office = write_zip(tmp_path / "a.docx", {"[Content_Types].xml": b"<Types/>", "word/document.xml": b""})
    other = write_zip(tmp_path / "a.zip", {"cat/1.jpg": b""})
    assert [find_kind(each.read_bytes()) for each in (office, other)] == [Kind.OFFICE, Kind.ARCHIVE]


def test_every_kind_that_is_no_picture_is_described() -> None:
    assert {kind for kind in Kind if kind not in PICTURES and isinstance(describe(kind), IsUnknown)} == {Kind.UNKNOWN}


def test_where_a_report_names_the_file_the_reason_does_not(settings: Settings) -> None:
    with pytest.raises(NotAnImage) as refused:
        read_image(b"<html>", settings, name="")
    assert str(refused.value) == "it is a web page, not a picture. Download the picture itself."
    assert CHINESE.explain(refused.value) == "这个文件是网页，不是图片。请下载图片本身。"
