"""Names and texts without an encoding become what was written, by what they make as a whole."""

import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.data.names import decode_names, decode_text

_UNIX, _WINDOWS = 3, 0
NAMES = tomllib.loads(Path(__file__).with_name("class_names.toml").read_text(encoding="utf-8"))
# Language, its code page, and the share of archives that may be read wrongly where one, two or five of their folders
# have names in it. A single character is often as common in one language as in another.
LIMITS = [
    ("simplified", "gbk", (0.04, 0.01, 0)),
    ("traditional", "cp950", (0.05, 0.01, 0)),
    ("japanese", "cp932", (0.03, 0.01, 0)),
    ("korean", "cp949", (0.12, 0.04, 0)),
    ("western", "cp850", (0.01, 0, 0)),
    ("western", "cp1252", (0.01, 0, 0)),
    ("russian", "cp866", (0.03, 0, 0)),
    ("russian", "cp1251", (0.04, 0, 0)),
    *((language, "utf-8", (0.01, 0, 0)) for language in NAMES["new"]),
]


def decode(names: Sequence[bytes], *, system: int = _WINDOWS) -> list[str]:
    """Decode names that stand in a zip without a flag."""
    infos = [zipfile.ZipInfo(name.decode("cp437")) for name in names]
    for info in infos:
        info.flag_bits, info.create_system = 0, system
    return decode_names(infos)


@pytest.mark.parametrize("words", ["seen", "new"])
@pytest.mark.parametrize(("language", "encoding", "limits"), LIMITS)
def test_names_of_many_languages_are_decoded(
    words: str, language: str, encoding: str, limits: tuple[float, ...]
) -> None:
    names = [
        name for name in NAMES[words][language].split() if name.encode(encoding, "replace").decode(encoding) == name
    ]
    assert len(names) > 90
    for size, limit in zip((1, 2, 5), limits, strict=True):
        archives = [names[start : start + size] for start in range(0, len(names) - size + 1, size)]
        paths = [[f"{name}/{number}.jpg" for name in each for number in range(2)] for each in archives]
        wrong = [each for each in paths if decode([path.encode(encoding) for path in each]) != each]
        assert len(wrong) <= limit * len(archives), (size, wrong)


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("gbk", ["groupA组", "groupB组"]),
        ("gbk", ["猫", "狗"]),
        ("gbk", ["第1组（红）", "第2组（蓝）"]),
        ("cp950", ["貓", "狗"]),
        ("cp950", ["蘋果A", "香蕉B", "許功蓋"]),
        ("cp932", ["ねこ", "犬"]),
        ("cp932", ["ソ連", "表示"]),
        ("cp949", ["고양이", "개"]),
        ("cp850", ["Käse", "Brot"]),
        ("cp1252", ["Käse", "Brot"]),
        ("cp866", ["кошки", "собаки"]),
        ("cp1251", ["Кошки", "Собаки"]),
    ],
)
def test_class_names_as_teachers_write_them(encoding: str, names: list[str]) -> None:
    assert decode([name.encode(encoding) for name in names]) == names


@pytest.mark.parametrize("names", [["小猫", "学校"], ["café"], ["Ещё"], ["ελιά"]])
def test_what_macs_write_is_utf8_if_it_can_be(names: list[str]) -> None:
    assert decode([name.encode() for name in names], system=_UNIX) == names


def test_names_of_the_reports_are_right(shared_data: Path) -> None:
    for file, words in (("gbk-mixed", {"groupA组", "groupB组"}), ("gbk", {"猫", "狗"}), ("gbk-5c", {"乗客", "苹果"})):
        with zipfile.ZipFile(shared_data / "reports" / f"{file}.zip") as archive:
            paths = decode_names(archive.infolist())
        assert {path.split("/")[-2] for path in paths if not path.endswith("/")} == words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "cp950"])
def test_texts_are_decoded(encoding: str) -> None:
    text = "file,label\n1.jpg,小狗\n2.jpg,草地\n3.jpg,公路\n"
    assert decode_text(text.encode(encoding)) == text


@pytest.mark.parametrize("content", [b"", b"\xff", b"\xff\xfe\xff", b"\0", b"\x81" * 99, bytes(range(256))])
def test_broken_texts_are_decoded_somehow(content: bytes) -> None:
    assert isinstance(decode_text(content), str)
