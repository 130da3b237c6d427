"""Untrusted zips become labelled bytes in memory or one named error."""

import bz2
import copy
import gzip
import io
import lzma
import random
import re
import stat
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from demo.data.archives import Entry, iter_archive
from demo.data.errors import (
    ArchiveBytesExceeded,
    ArchiveDamaged,
    ArchiveEncrypted,
    ArchiveError,
    EntryDamaged,
    EntryError,
    EntryInflated,
    EntryMethodUnknown,
    EntryUnsupported,
    NotAZip,
    TooManyEntries,
    UnpackedBytesExceeded,
)
from demo.settings import Settings
from tests.attacks import End, Raw, many_entries, pack
from tests.pictures import MakeZip, png

LOCAL_HEADER, CENTRAL_HEADER, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

WINDOWS, UNIX = 0, 3  # what the directory says of the system that wrote it; macOS is a Unix

Write = Callable[[bytes | bytearray], Path]


def read_all(path: Path, settings: Settings, **options: str) -> list[Entry]:
    return list(iter_archive(path, settings, **options))


def paths_of(entries: list[Entry]) -> list[str]:
    return [entry.path for entry in entries]


def zip_bytes(*names: str, compression: int = zipfile.ZIP_STORED, content: bytes = b"content") -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name in names:
            archive.writestr(name, content)
    return bytearray(buffer.getvalue())


def zip_with_raw_name(raw: bytes, system: int = UNIX) -> bytearray:
    """Return a zip whose only name is these bytes, without the flag that says UTF-8, and the system it is from."""
    stand_in = "N" * len(raw)
    content = zip_bytes(stand_in).replace(stand_in.encode(), raw)
    put(content, CENTRAL_HEADER, 5, "<B", system)
    return content


def zip_of_kind(name: str, kind: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = UNIX  # which keeps the kind of a file here
        info.external_attr = (kind | 0o644) << 16
        archive.writestr(info, b"/etc/passwd")
    return buffer.getvalue()


def put(content: bytearray, header: bytes, offset: int, layout: str, value: int) -> None:
    """Overwrite one number of the first header of a kind."""
    struct.pack_into(layout, content, content.index(header) + offset, value)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_upload(content: bytes | bytearray) -> Path:
        path = tmp_path / "upload.zip"
        path.write_bytes(content)
        return path

    return write_upload


def outcome(path: Path, settings: Settings) -> str:
    try:
        entries = read_all(path, settings)
    except ArchiveError as error:
        assert str(error)
        return "error"
    for entry in entries:
        assert isinstance(entry.content, bytes | EntryError)
        assert entry.name
        assert not {"", ".", ".."} & {*entry.folders, entry.name}
        assert not re.search(r"[/\\\0\r\n]", "".join((*entry.folders, entry.name)))
    return "entries"


def test_files_come_in_order_with_their_folders(make_zip: MakeZip, settings: Settings) -> None:
    entries = read_all(make_zip({"b/2.png": b"two", "a/inner/1.png": b"one", "3.png": b""}), settings)
    assert entries == [
        Entry(("b",), "2.png", b"two"),
        Entry(("a", "inner"), "1.png", b"one"),
        Entry((), "3.png", b""),
    ]
    assert paths_of(entries) == ["b/2.png", "a/inner/1.png", "3.png"]


def test_packed_files_are_unpacked(write: Write, settings: Settings) -> None:
    content = bytes(range(256)) * 1000  # more than is read at a time
    path = write(zip_bytes("a.png", compression=zipfile.ZIP_DEFLATED, content=content))
    assert read_all(path, settings)[0].content == content


def test_a_zip_without_files_has_no_entries(make_zip: MakeZip, settings: Settings) -> None:
    assert read_all(make_zip({}), settings) == []


def test_litter_is_left_out_in_silence(make_zip: MakeZip, settings: Settings) -> None:
    litter = [
        "__MACOSX/cats/._1.png",
        "__macosx/1.png",
        "cats/.DS_Store",
        "cats/._1.png",
        ".git/cats/1.png",
        "cats/Thumbs.db",
        "cats/thumbs.db",
        "cats/Desktop.ini",
        "$RECYCLE.BIN/S-1-5/$R1.png",
        "cats/@eaDir/1.png/SYNOFILE_THUMB_M.png",
        "System Volume Information/1.png",
        "#recycle/1.png",
        "cats/.ipynb_checkpoints/1-checkpoint.png",
        "cats/~$labels.xlsx",
    ]
    assert paths_of(read_all(make_zip(dict.fromkeys([*litter, "cats/1.png"], b"")), settings)) == ["cats/1.png"]


def test_directories_are_left_out_in_silence(make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip({"data/": b"", "data/cats/": b"", "data/cats/1.png": b""})
    assert paths_of(read_all(path, settings)) == ["data/cats/1.png"]


def test_directories_with_backslashes_are_left_out_too(make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip({"data\\cats\\": b"", "data\\cats\\1.png": b""})
    assert paths_of(read_all(path, settings)) == ["data/cats/1.png"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../etc/passwd.png", "etc/passwd.png"),
        ("cats/../../../1.png", "cats/1.png"),
        ("./cats/./1.png", "cats/1.png"),
        ("/etc/cats/1.png", "etc/cats/1.png"),
        ("//server/share/1.png", "server/share/1.png"),
        ("cats\\1.png", "cats/1.png"),
        ("..\\..\\cats\\1.png", "cats/1.png"),
        ("C:\\Users\\me\\1.png", "Users/me/1.png"),
        (" cats / 1.png ", "cats/1.png"),
        (".. /1.png", "1.png"),
        ("cats\x1b[2J/1\r\n.png", "cats[2J/1.png"),
        ("cats/gnp\u202e1.png", "cats/gnp1.png"),
        ("cats/1\u200b\u2028.png", "cats/1.png"),
        ("cafe\u0301/1.png", "caf\u00e9/1.png"),
        ("小猫/一.png", "小猫/一.png"),
    ],
)
def test_names_become_harmless_labels(name: str, label: str, make_zip: MakeZip, settings: Settings) -> None:
    assert paths_of(read_all(make_zip({name: b""}), settings)) == [label]


@pytest.mark.parametrize("name", ["..", "../..", "/", ".", " ", "\u200b", "cats/.."])
def test_names_of_which_nothing_is_left_do_no_harm(name: str, make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip({name: b"", "cats/1.png": b"kept"})
    assert read_all(path, settings)[-1] == Entry(("cats",), "1.png", b"kept")
    assert outcome(path, settings) == "entries"


def test_an_empty_name_is_left_out(write: Write, settings: Settings) -> None:
    # Everything from a zero byte on is cut away when the directory is read.
    assert read_all(write(zip_with_raw_name(b"\0hidden.png")), settings) == []


# The GBK bytes of the second and third name are good UTF-8 as well, for something else.
@pytest.mark.parametrize("name", ["七个房间/一.png", "小猫/一.png", "学校/小猫.png"])
def test_chinese_names_of_windows_are_right(name: str, write: Write, settings: Settings) -> None:
    assert paths_of(read_all(write(zip_with_raw_name(name.encode("gbk"), WINDOWS)), settings)) == [name]


@pytest.mark.parametrize("name", ["七个房间/一.png", "小猫/一.png", "café/1.png"])
def test_names_of_macos_are_right_though_it_does_not_say_utf8(name: str, write: Write, settings: Settings) -> None:
    assert paths_of(read_all(write(zip_with_raw_name(name.encode(), UNIX)), settings)) == [name]


# Of the kind that classes have. Each is tried alone as well: nothing else in the archive says what it is, then.
CHINESE = (
    "猫 狗 金鱼 老虎 狮子 熊猫 鹦鹉 蚂蚁 蜜蜂 苹果 香蕉 西瓜 葡萄 柠檬 玫瑰 向日葵 汽车 飞机 "
    "剪刀 石头 布 可回收物 学校 红 绿 一 雪"
)
JAPANESE = (
    "猫 犬 鳥 馬 ねこ いぬ ネコ ライオン パンダ りんご バナナ 桜 薔薇 ひまわり 自動車 飛行機 蟻 蜂 "
    "東京 日本 晴れ 曇り 白い猫 人々 ラーメン 檸檬 雪 赤"
)
GERMAN = "Käse Bär Vögel Hündin Mädchen Äpfel Müll Straße Größe Kühe schön Türen Löwe"
FRENCH = "forêt chèvre éléphant façade pêche père garçon hérisson hôtel château fenêtre"


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        *(("gbk", word) for word in CHINESE.split()),
        *(("cp932", word) for word in JAPANESE.split()),
        *(("cp437", word) for word in [*GERMAN.split(), *FRENCH.split(), "niño", "pájaro", "león"]),
        *(("cp850", word) for word in ("rødgrød", "smørrebrød", "Ærø", "São", "Àrea")),
    ],
)
def test_names_of_any_windows_are_right(encoding: str, word: str, write: Write, settings: Settings) -> None:
    path = write(zip_with_raw_name(f"{word}/1.png".encode(encoding), WINDOWS))
    assert paths_of(read_all(path, settings)) == [f"{word}/1.png"]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("gbk", CHINESE.split()),
        ("gbk", ["乗", "誠", "猫"]),
        ("cp932", JAPANESE.split()),
        ("cp932", ["ｲﾇ", "いぬ", "cats"]),
        ("cp437", ["Öl", "Füße", "Käse", "été"]),
        ("cp850", ["Öl", "Fuß", "À la carte", "Èze"]),
        ("utf-8", ["猫", "ねこ", "café", "cats"]),
    ],
)
def test_one_archive_has_one_encoding(encoding: str, words: list[str], write: Write, settings: Settings) -> None:
    names = [f"{word}/{number}.png" for number, word in enumerate(words)]
    path = write(pack([Raw(name.encode(encoding), b"", system=WINDOWS) for name in names]))
    assert paths_of(read_all(path, settings)) == names


def test_names_that_say_utf8_do_not_count_with_the_others(write: Write, settings: Settings) -> None:
    entries = [Raw("ねこ.png".encode("cp932"), b"", system=WINDOWS), Raw("été.png".encode(), b"", flags=0x800)]
    assert paths_of(read_all(write(pack(entries)), settings)) == ["ねこ.png", "été.png"]


def test_a_damaged_name_does_not_spoil_the_others(write: Write, settings: Settings) -> None:
    entries = [
        Raw(raw, b"", system=WINDOWS) for raw in ("猫.png".encode("gbk"), "狗.png".encode("gbk"), b"\xff\xff.png")
    ]
    assert paths_of(read_all(write(pack(entries)), settings))[:2] == ["猫.png", "狗.png"]


def unicode_path(raw: bytes, name: str, *, version: int = 1) -> bytes:
    content = struct.pack("<BL", version, zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(content)) + content


def test_a_name_that_is_repeated_in_unicode_is_that(write: Write, settings: Settings) -> None:
    raw = b"\xa7A\xa6n.png"  # Big5
    entry = Raw(raw, b"", extra=struct.pack("<HHH", 7, 2, 0) + unicode_path(raw, "你好.png"), system=WINDOWS)
    assert paths_of(read_all(write(pack([entry])), settings)) == ["你好.png"]


# Python 3.12 and later look at the field themselves, and refuse one that is broken.
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="zipfile itself decides")
@pytest.mark.parametrize(
    "extra", [unicode_path(b"another", "x"), unicode_path(b"\x82.png", "x", version=2), b"up\1\0\1"]
)
def test_a_unicode_name_that_belongs_to_nothing_is_ignored(extra: bytes, write: Write, settings: Settings) -> None:
    path = write(pack([Raw(b"\x82.png", b"", extra=extra, system=WINDOWS)]))
    assert paths_of(read_all(path, settings)) == ["é.png"]


def test_a_backslash_inside_a_gbk_character_splits_nothing(write: Write, settings: Settings) -> None:
    raw = "乗/誠.png".encode("gbk")
    assert b"\\" in raw
    assert paths_of(read_all(write(zip_with_raw_name(raw, WINDOWS)), settings)) == ["乗/誠.png"]


@pytest.mark.parametrize("system", [WINDOWS, UNIX])
def test_a_foreign_name_that_a_zero_cuts_off_is_left_out(system: int, write: Write, settings: Settings) -> None:
    entries = [Raw(b"\0\xff.png", b"", system=system), Raw(b"1.png", b"")]
    assert paths_of(read_all(write(pack(entries)), settings)) == ["1.png"]


def test_names_longer_than_any_files_are_cut(write: Write, settings: Settings) -> None:
    path = write(pack([Raw("ä".encode() * 10_000 + b"/" + b"1" * 10_000, b"", flags=0x800)]))
    assert paths_of(read_all(path, settings)) == ["ä" * 255 + "/" + "1" * 255]


def test_a_name_in_no_known_encoding_is_still_a_label(write: Write, settings: Settings) -> None:
    path = write(zip_with_raw_name(b"caf\x82\xff.png"))
    assert outcome(path, settings) == "entries"
    assert read_all(path, settings)[0].name.startswith("caf")


def test_a_real_zip_of_chinese_windows_is_right(shared_data: Path, settings: Settings) -> None:
    path = shared_data / "bad_inputs" / "zips" / "zip_rs" / "data__chinese.zip"
    assert paths_of(read_all(path, settings)) == ["七个房间.txt"]


def test_a_name_that_stands_twice_gives_both_files(write: Write, settings: Settings) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("1.png", b"first")
        archive.writestr("1.png", b"second")
    assert [entry.content for entry in read_all(write(buffer.getvalue()), settings)] == [b"first", b"second"]


@pytest.mark.parametrize("flag", [0x1, 0x41])
def test_a_password_is_noticed(flag: int, write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png", "2.png")
    put(content, LOCAL_HEADER, 6, "<H", flag)
    put(content, CENTRAL_HEADER, 8, "<H", flag)
    with pytest.raises(ArchiveEncrypted, match="password"):
        read_all(write(content), settings)


def tar_bytes() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("cats/1.png")
        info.size = len(png())
        archive.addfile(info, io.BytesIO(png()))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (tar_bytes(), "tar"),
        (b"Rar!\x1a\x07\x00" + bytes(100), "RAR"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(100), "RAR"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "7z"),
        (gzip.compress(tar_bytes()), "gzip"),
        (bz2.compress(tar_bytes()), "bzip2"),
        (lzma.compress(tar_bytes()), "xz"),
        (b"\x28\xb5\x2f\xfd" + bytes(100), "Zstandard"),
        (b"MSCF" + bytes(100), "CAB"),
        (b"ALZ\x01" + bytes(100), "ALZ"),
        (b"EGGA" + bytes(100), "EGG"),
        (b"\x20\x00-lh5-" + bytes(100), "LZH"),
    ],
)
def test_other_archives_are_called_by_their_kind(content: bytes, kind: str, write: Write, settings: Settings) -> None:
    with pytest.raises(NotAZip, match=re.escape(f'"upload.zip" is not a zip file ({kind}).')):
        read_all(write(content), settings)


@pytest.mark.parametrize("content", [b"", b"P", b"PK", b"just a text", png(), END, bytes(100_000)])
def test_what_is_no_archive_is_refused_by_name(content: bytes, write: Write, settings: Settings) -> None:
    with pytest.raises(NotAZip, match=r'"my pictures\.zip" is not a zip file\.'):
        read_all(write(content), settings, name="my pictures.zip")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_zip_that_is_cut_off_cannot_be_used(share: float, write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png", "2.png", content=bytes(1000))
    with pytest.raises((NotAZip, ArchiveDamaged)):
        read_all(write(content[: int(len(content) * share)]), settings)


def test_a_broken_directory_is_damage(write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png", "2.png")
    put(content, CENTRAL_HEADER, 0, "<I", 0)
    with pytest.raises(ArchiveDamaged):
        read_all(write(content), settings)


def test_a_comment_at_the_end_does_no_harm(write: Write, settings: Settings) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.png", b"")
        archive.comment = b"c" * 65_535
    assert paths_of(read_all(write(buffer.getvalue()), settings)) == ["1.png"]


def test_too_many_bytes_are_refused(write: Write, settings: Settings) -> None:
    path = write(bytes(2_600_000))
    with pytest.raises(ArchiveBytesExceeded, match=r'"upload\.zip" has 2\.6 MB; a zip may have at most 2 MB'):
        read_all(path, replace(settings, max_archive_bytes=2_000_000))


def test_too_many_entries_are_refused(write: Write, settings: Settings) -> None:
    path = write(zip_bytes("1.png", "2.png", "3.png"))
    assert len(read_all(path, replace(settings, max_archive_entries=3))) == 3
    with pytest.raises(TooManyEntries, match="lists 3 entries; at most 2"):
        read_all(path, replace(settings, max_archive_entries=2))


def test_a_number_of_entries_that_lies_is_found_out(write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png", "2.png", "3.png")
    put(content, END, 8, "<H", 1)
    put(content, END, 10, "<H", 1)
    with pytest.raises(TooManyEntries, match="lists 3 entries"):
        read_all(write(content), replace(settings, max_archive_entries=2))


def test_a_small_zip64_is_read(write: Write, settings: Settings) -> None:
    placeholders = End(count=0xFFFF, num_bytes=0xFFFF_FFFF, place=0xFFFF_FFFF, count_64=2, comment=b"c" * 60_000)
    path = write(pack([Raw(b"1.png", b"one"), Raw(b"2.png", b"two")], placeholders))
    assert [entry.content for entry in read_all(path, settings)] == [b"one", b"two"]


@pytest.mark.parametrize(
    "end",
    [
        End(count_64=3),
        End(count=0xFFFF, num_bytes=0xFFFF_FFFF, count_64=3),
        End(count=1, num_bytes=0, count_64=1),
        End(count=1, num_bytes=0, count_64=1, record_at=0),
        End(count=1, count_64=1, record_at=2**64 - 1),
        End(count_64=2**64 - 1),
        End(num_bytes_64=2**64 - 1),
    ],
    ids=str,
)
def test_a_zip64_that_lies_is_found_out_before_its_directory_is_read(
    end: End, write: Write, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(many_entries(60_000, end))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(TooManyEntries):
        read_all(path, replace(settings, max_archive_entries=2_000))


def test_a_record_of_zip64_at_the_place_that_the_locator_says_counts_too(write: Write, settings: Settings) -> None:
    """Python 3.14 looks there first."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 9_999, 9_999, 46, 0)
    locator, end = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1), struct.pack("<4s4H2LH", END, 0, 0, 1, 1, 46, 0, 0)
    with pytest.raises(TooManyEntries, match="9999"):
        read_all(write(record + bytes(60) + locator + end), replace(settings, max_archive_entries=2_000))


@pytest.mark.parametrize("offset", [100, 2**31, 2**32 - 2])
def test_a_header_that_is_not_there_spoils_only_its_own_entry(offset: int, write: Write, settings: Settings) -> None:
    lost, found = read_all(write(pack([Raw(b"1.png", b"", offset=offset), Raw(b"2.png", b"two")])), settings)
    assert isinstance(lost.content, EntryDamaged)
    assert found.content == b"two"


def test_sizes_are_added_up_before_anything_is_unpacked(write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png", "2.png", "3.png", compression=zipfile.ZIP_DEFLATED, content=bytes(400_000))
    assert len(content) < 4000
    assert len(read_all(write(content), replace(settings, max_unpacked_bytes=1_200_000))) == 3
    with pytest.raises(UnpackedBytesExceeded, match="more than 1 MB"):
        read_all(write(content), replace(settings, max_unpacked_bytes=1_199_999))


def test_one_huge_declared_size_is_enough(write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png", "2.png")
    put(content, CENTRAL_HEADER, 24, "<I", 4_000_000_000)
    with pytest.raises(UnpackedBytesExceeded):
        read_all(write(content), settings)


def test_a_size_that_lies_spoils_only_its_own_entry(write: Write, settings: Settings) -> None:
    large = random.Random(0).randbytes(5_000_000)
    content = zip_bytes("1.png", "2.png", compression=zipfile.ZIP_DEFLATED, content=large)
    put(content, LOCAL_HEADER, 22, "<I", 10)
    put(content, CENTRAL_HEADER, 24, "<I", 10)
    liar, honest = read_all(write(content), replace(settings, max_unpacked_bytes=6_000_000))
    assert isinstance(liar.content, EntryDamaged)
    assert honest.content == large


@pytest.mark.parametrize(("name", "is_read"), [("a.png", False), ("a.txt", False), ("A.BMP", True)])
def test_what_grows_more_than_pictures_do_is_not_unpacked(
    name: str, is_read: bool, write: Write, settings: Settings
) -> None:
    """A drawing in the only format that is not packed already may be all white."""
    bomb, small = Raw.deflated(name.encode(), bytes(1_500_000)), Raw.deflated(b"b.png", bytes(1_000_000))
    first, second = read_all(write(pack([bomb, small])), settings)
    assert isinstance(first.content, bytes if is_read else EntryInflated)
    assert second.content == bytes(1_000_000)


def test_a_file_larger_than_a_picture_may_be_is_left_out(write: Write, settings: Settings) -> None:
    path = write(zip_bytes("1.png", content=bytes(1001)))
    (entry,) = read_all(path, replace(settings, max_image_bytes=1000))
    assert not isinstance(entry.content, bytes)


def test_a_wrong_checksum_spoils_only_its_own_entry(write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png", "2.png")
    content[content.index(b"content")] ^= 0xFF
    damaged, whole = read_all(write(content), settings)
    assert isinstance(damaged.content, EntryDamaged)
    assert whole.content == b"content"


def test_an_overlap_bomb_is_refused(write: Write, settings: Settings) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.png", bytes(100_000))
        for number in range(1, 100):
            twin = copy.copy(archive.filelist[0])
            twin.filename = f"{number}.png"
            archive.filelist.append(twin)
    with pytest.raises(ArchiveDamaged):
        read_all(write(buffer.getvalue()), settings)


def test_files_that_overlap_in_part_are_refused(write: Write, settings: Settings) -> None:
    inner = zip_bytes("inner.png")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("outer.png", inner[: inner.index(CENTRAL_HEADER)])
        quoted = copy.copy(archive.filelist[0])
        quoted.filename = "inner.png"
        quoted.file_size = quoted.compress_size = len(b"content")
        quoted.header_offset = buffer.getvalue().index(LOCAL_HEADER, 1)
        archive.filelist.append(quoted)
    with pytest.raises(ArchiveDamaged):
        read_all(write(buffer.getvalue()), settings)


@pytest.mark.parametrize(
    ("method", "called"), [(1, "Shrink"), (6, "Implode"), (9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (95, "XZ")]
)
def test_an_unusual_method_spoils_only_its_own_entry(
    method: int, called: str, write: Write, settings: Settings
) -> None:
    path = write(pack([Raw(b"1.png", b"packed", method), Raw(b"2.png", b"plain")]))
    packed, plain = read_all(path, settings)
    assert isinstance(packed.content, EntryMethodUnknown)
    assert str(packed.content) == f"it is packed by the method {called}; only plain zip (Deflate) is read"
    assert plain.content == b"plain"


def test_a_method_that_does_not_exist_is_left_out(write: Write, settings: Settings) -> None:
    content = zip_bytes("1.png")
    put(content, LOCAL_HEADER, 8, "<H", 77)
    put(content, CENTRAL_HEADER, 10, "<H", 77)
    (entry,) = read_all(write(content), settings)
    assert isinstance(entry.content, EntryMethodUnknown)
    assert entry.content.values == {"method": 77}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_left_out(kind: int, write: Write, settings: Settings) -> None:
    (entry,) = read_all(write(zip_of_kind("cats/1.png", kind)), settings)
    assert isinstance(entry.content, EntryUnsupported)


@pytest.mark.parametrize("kind", [0, stat.S_IFREG])
def test_plain_files_are_kept(kind: int, write: Write, settings: Settings) -> None:
    (entry,) = read_all(write(zip_of_kind("cats/1.png", kind)), settings)
    assert entry.content == b"/etc/passwd"


def test_nothing_is_ever_written(
    make_zip: MakeZip, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "one" / "two"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    absolute = str(tmp_path / "absolute.png")
    path = make_zip(dict.fromkeys(["here.png", "../beside.png", "..\\..\\above.png", absolute, "new/deep.png"], b"x"))
    before = sorted(tmp_path.rglob("*"))
    assert len(read_all(path, settings)) == 5
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_any_changed_byte_gives_entries_or_a_named_error(compression: int, write: Write, settings: Settings) -> None:
    content = zip_bytes("cats/1.png", "2.png", compression=compression, content=b"content" * 4)
    small = replace(settings, max_unpacked_bytes=1_000_000)
    outcomes = set()
    for position in range(len(content)):
        for value in (0, content[position] ^ 0x01, content[position] ^ 0x80, 255):
            changed = content.copy()
            changed[position] = value
            outcomes.add(outcome(write(changed), small))
    assert outcomes == {"entries", "error"}


# Python 3.12 and later say of one of them that its extra field is empty.
@pytest.mark.filterwarnings("ignore:Empty unicode path extra field")
def test_odd_and_hostile_zips_give_entries_or_a_named_error(shared_data: Path, settings: Settings) -> None:
    small = replace(settings, max_unpacked_bytes=20_000_000)  # bounds what a hostile file can take
    paths = sorted(path for path in (shared_data / "bad_inputs" / "zips").rglob("*") if path.is_file())
    assert len(paths) > 100
    assert {outcome(path, small) for path in paths} == {"entries", "error"}
