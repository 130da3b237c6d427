"""The 1,000 Chinese class names fit what WordNet says the classes are, and stand wherever one is shown."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from demo.models.zoo import EMBEDDED, find_spec
from demo.words.classes import CHINESE_CLASSES
from demo.words.language import CHINESE, ENGLISH

NAMES = [name for _, name in CHINESE_CLASSES]
NOT_ALL_CHINESE = {"iPod", "T恤衫", "T型车"}
WORDNET = Path("/usr/share/wordnet/data.noun")  # Debian's wordnet-base: WordNet 3.0, as the classes' numbers are
NEEDS_WORDNET = pytest.mark.skipif(not WORDNET.exists(), reason="wordnet-base is not installed")


class Kind(NamedTuple):
    """The classes below a synset of WordNet 3.0, by class index, and what their names have in common."""

    synset: str
    places: tuple[range, ...]
    pattern: str


def span(*bounds: int | tuple[int, int]) -> tuple[range, ...]:
    pairs = [(each, each) if isinstance(each, int) else each for each in bounds]
    return tuple(range(first, last + 1) for first, last in pairs)


KINDS = {
    "fish": Kind("02512053", span((0, 6), (389, 397)), "[鱼鲨鳐鲭鲑鲀鳝鱥]"),
    "bird": Kind(
        "01503061",
        span((7, 24), (80, 100), (127, 146)),
        "[鸟鸡鸭鹅雀鸦鹊鸢鹉鹬鹭鹀鸫鹎鸮鹑鹃䴕鹳鳽鹤鸨鹕雕鹫乌]|蜂虎|信天翁",
    ),
    "salamander": Kind("01629276", span((25, 29)), "螈$"),
    "turtle": Kind("01662784", span((33, 37)), "龟$"),
    "lizard": Kind("01674464", span((38, 48)), "蜥|壁虎|变色龙"),
    "snake": Kind("01726692", span((52, 68)), "[蛇蚺蟒蝰]$"),
    "spider": Kind("01772222", span((72, 77)), "蛛$"),
    "crab": Kind("01976957", span((118, 121)), "蟹$"),
    "dog": Kind("02084071", span((151, 268)), "[犬獒]$"),
    "terrier": Kind("02092468", span((179, 204)), "梗犬$|雪纳瑞犬$|拉萨犬"),
    "wolf": Kind("02114100", span((269, 272)), "狼$"),
    "fox": Kind("02118333", span((277, 280)), "狐$"),
    "feline": Kind("02120997", span((281, 293)), "[猫狮豹虎猁]"),
    "bear": Kind("02131653", span((294, 297)), "熊$"),
    "butterfly": Kind("02274259", span((321, 326)), "蝶$"),
    "monkey": Kind("02484322", span((370, 382)), "[猴狒猕]"),
    "ape": Kind("02470325", span((365, 369)), "猩猩$|猿$"),
    "fungus": Kind("12992868", span((991, 997)), "菌$|鬼笔|地星|灰树花"),
    "squash": Kind("07715561", span((939, 942)), "瓜$|西葫芦"),
    "car": Kind("02958343", span(407, 436, 468, 511, 609, 627, 656, 661, 751, 817), "车$"),
    "watercraft": Kind(
        "04530566", span(403, 472, 484, 510, 554, 576, 625, 628, 724, 780, 814, 833, 871, 913, 914), "[船舰艇舟轮]"
    ),
    "ball": Kind("02778669", span(429, 430, 522, 574, 722, 747, 768, 805, 852, 890), "球$|沙袋"),
    "hat": Kind("03497657", span(439, 452, 515, 808), "帽$"),
    "shop": Kind("04202417", span(415, 424, 454, 467, 509, 788, 860, 865), "[店铺]$"),
}


class Synset(NamedTuple):
    """The words of one meaning, and the synsets right above it."""

    words: list[str]
    above: list[str]


@cache
def read_nouns() -> dict[str, Synset]:
    """Return the synsets of WordNet's nouns by number (the manual's page wndb(5WN) describes the file)."""
    nouns = {}
    for line in WORDNET.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):  # the licence
            continue
        number, _, _, count, *rest = line.split(" | ")[0].split()
        words, pointers = rest[: 2 * int(count, 16) : 2], rest[2 * int(count, 16) + 1 :]
        above = [pointers[idx + 1] for idx in range(0, len(pointers), 4) if pointers[idx] in ("@", "@i")]
        nouns[number] = Synset([word.replace("_", " ") for word in words], above)
    return nouns


def all_above(nouns: dict[str, Synset], number: str) -> Iterator[str]:
    yield number
    for each in nouns[number].above:
        yield from all_above(nouns, each)


def test_there_are_a_thousand_names_and_none_twice() -> None:
    assert len(NAMES) == len(set(NAMES)) == 1000
    assert len({number for number, _ in CHINESE_CLASSES}) == 1000


def test_the_rows_stand_in_the_order_of_the_networks() -> None:
    numbers = [number for number, _ in CHINESE_CLASSES]
    assert all(re.fullmatch(r"n\d{8}", number) for number in numbers)
    assert numbers == sorted(numbers)  # as the class folders of ILSVRC 2012 are, whose index a network answers


def test_names_are_one_short_chinese_word_each() -> None:
    chinese = re.compile(r"[\u3400-\u9fff]{1,10}")
    assert {name for name in NAMES if not chinese.fullmatch(name)} == NOT_ALL_CHINESE


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_name_says_what_kind_of_thing_it_is(kind: Kind) -> None:
    assert [NAMES[idx] for idx in chain(*kind.places) if not re.search(kind.pattern, NAMES[idx])] == []


@pytest.mark.parametrize("kind", ["snake", "fox", "wolf", "butterfly"])
def test_nothing_else_is_called_so(kind: str) -> None:
    places = set(chain(*KINDS[kind].places))
    assert {idx for idx, name in enumerate(NAMES) if re.search(KINDS[kind].pattern, name)} == places


@NEEDS_WORDNET
def test_the_kinds_are_those_of_wordnet() -> None:
    nouns = read_nouns()
    kinds = [set(all_above(nouns, number[1:])) for number, _ in CHINESE_CLASSES]
    for name, kind in KINDS.items():
        expected = [idx for idx, synsets in enumerate(kinds) if kind.synset in synsets]
        assert sorted(chain(*kind.places)) == expected, name


@NEEDS_WORDNET
def test_a_row_is_of_the_class_that_the_network_names_in_english() -> None:
    nouns, told_apart = read_nouns(), (" bird", " tank suit")
    for (number, _), english in zip(CHINESE_CLASSES, find_spec(EMBEDDED).class_names, strict=True):
        words = nouns[number[1:]].words
        assert english in words or english.endswith(told_apart), (number, english, words)


def test_a_class_is_shown_in_chinese_with_its_english_name() -> None:
    assert CHINESE.class_name(281, "tabby") == "虎斑猫 (tabby)"
    assert ENGLISH.class_name(281, "tabby") == "tabby"
    assert CHINESE.class_name(134, "crane") != CHINESE.class_name(517, "crane")
