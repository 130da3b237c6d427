"""Whatever bytes come, reading them gives a value or an error of the demo's own, and nothing else.

Cases are drawn with a fixed seed, so that they are the same in every run; `tests.benchmarks.hostile` draws more.
"""

import copy
import json
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as draw
from hypothesis.configuration import set_hypothesis_home_dir

from demo.data.archives import iter_archive
from demo.data.images import read_image
from demo.errors import DemoError
from demo.models.headfile import read_head
from demo.settings import Settings
from tests.attacks import End, Raw, deflate, exif_bomb, pack, with_exif
from tests.models.test_headfile import DATA, GOOD, HEADER, in_zip, put_together
from tests.pictures import COMMON, encode, noise, png

NUM_CASES = 300  # of each kind, in the default run
NUM_CASES_IN_FULL = 2_000

SMALL = replace(Settings(), max_image_pixels=4_000_000, max_unpacked_bytes=20_000_000)  # bounds what a case can take

Strategy = draw.SearchStrategy[bytes]

set_hypothesis_home_dir(os.devnull)  # nothing of it is written


def flipped(contents: Strategy) -> Strategy:
    """Change some bytes of a file, and sometimes cut it off or put something into it."""
    places = draw.integers(0, 2**20)
    flips = draw.lists(draw.tuples(places, draw.integers(1, 255)), max_size=6)
    return draw.builds(spoil, contents, flips, draw.none() | places, draw.tuples(places, draw.binary(max_size=12)))


def spoil(content: bytes, flips: list[tuple[int, int]], cut: int | None, more: tuple[int, bytes]) -> bytes:
    spoilt = bytearray(content)
    for place, bits in flips:
        spoilt[place % len(spoilt)] ^= bits
    if len(more[1]) > 6:  # half of the time
        spoilt[more[0] % len(spoilt) : more[0] % len(spoilt)] = more[1]
    return bytes(spoilt if cut is None or cut % 3 else spoilt[: cut % len(spoilt)])


def mend_png(content: bytes) -> bytes:
    """Write the right checksums into a PNG, without which no change to it gets far."""
    mended, place = bytearray(content), 8
    while place + 12 <= len(mended):
        end = place + 8 + int.from_bytes(mended[place : place + 4], "big")
        mended[end : end + 4] = zlib.crc32(mended[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(mended)


def pictures() -> Strategy:
    seeds = [encode(noise(0, (24, 16)), image_format) for image_format in COMMON]
    seeds += [with_exif(image_format, exif_bomb(3, 80, 6)) for image_format in ("JPEG", "PNG", "WEBP", "AVIF")]
    seeds += [encode(noise(1).convert(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGBA", "I;16")]
    seeds += [encode(noise(1).convert(mode), kind) for mode, kind in (("CMYK", "JPEG"), ("P", "BMP"), ("RGBA", "GIF"))]
    spoilt = flipped(draw.sampled_from(seeds))
    return spoilt | spoilt.map(lambda content: mend_png(content) if content.startswith(b"\x89PNG") else content)


def seldom(lie: draw.SearchStrategy[int]) -> draw.SearchStrategy[int | None]:
    """Draw None, which is the truth, most of the time: what lies in every word is refused for the first of them."""
    return draw.integers(0, 4).flatmap(lambda turn: draw.none() if turn else lie)


SIZES = draw.sampled_from([0, 1, 2**16 - 1, 2**31, 2**32 - 1]) | draw.integers(0, 300) | draw.integers(0, 2**32 - 1)
NAMES = draw.sampled_from(
    [
        b"a.png",
        b"cats/1.png",
        b"..\\x",
        b"",
        b"\0",
        b"\0\xff",
        b"/",
        b"\xff\xfe.png",
        "猫/1.png".encode("gbk"),
        "ねこ".encode("cp932"),
    ]
)
FLAGS = draw.sampled_from([0, 0, 0, 0, 8, 0x20, 0x40, 0x800, 0x2000, 1]) | draw.integers(0, 2**15 - 1).map(
    lambda n: 2 * n
)
EXTRAS = (
    draw.binary(max_size=40)
    | draw.binary(max_size=28).map(lambda content: b"\1\0" + len(content).to_bytes(2, "little") + content)
    | draw.binary(max_size=28).map(lambda content: b"up" + len(content).to_bytes(2, "little") + b"\1" + content)
)
CONTENTS = draw.sampled_from([b"", b"content", png(), deflate(png()), deflate(bytes(2_000_000)), b"\xff" * 50])


def archives() -> Strategy:
    """Draw zips whose words lie, and good ones of which bytes are changed."""
    entries = draw.builds(
        Raw,
        NAMES | draw.binary(max_size=20),
        CONTENTS,
        method=draw.sampled_from([0, 8, 8, 9, 12, 14, 99]),
        flags=FLAGS,
        checksum=seldom(SIZES),
        size=seldom(SIZES),
        packed_size=seldom(SIZES),
        offset=seldom(SIZES),
        attributes=draw.sampled_from([0, 0, 0o100644 << 16, 0o120777 << 16]),
        system=draw.integers(0, 3),
        extra=draw.just(b"") | EXTRAS,
        local_name=draw.none() | NAMES,
    )
    large = seldom(draw.integers(0, 2**64 - 1) | draw.integers(0, 500))
    lies = draw.builds(
        End,
        count=seldom(draw.integers(0, 2**16 - 1)),
        num_bytes=seldom(SIZES),
        place=seldom(SIZES),
        comment=draw.binary(max_size=30),
        count_64=large,
        num_bytes_64=large,
        record_at=large,
    )
    good = pack([Raw(b"cats/1.png", png()), Raw.deflated(b"dogs/1.png", png())], End(count_64=2))
    few = draw.lists(entries, max_size=4)
    return draw.builds(pack, few, draw.just(End()) | lies) | flipped(draw.just(good)) | flipped(draw.builds(pack, few))


ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    2**63,
    10**400,
    "",
    "a",
    "\ud800",
    "9" * 5_000,
    [],
    {},
    [[[]]],
    {"a": 1},
    [0],
]
VALUES = draw.recursive(
    draw.sampled_from(ODD_VALUES),
    lambda inner: draw.lists(inner, max_size=3) | draw.dictionaries(draw.sampled_from(["a", "dtype", ""]), inner),
    max_leaves=5,
)


def heads() -> Strategy:
    """Draw heads of which a part of the header is another value, and ones of which bytes are changed."""
    places = draw.lists(draw.integers(0, 20), min_size=1, max_size=6)
    changed = draw.builds(change_header, places, VALUES, draw.booleans())
    return changed | flipped(draw.just(GOOD)) | flipped(draw.just(GOOD[:3000])) | flipped(draw.just(in_zip(GOOD)))


def change_header(places: list[int], value: Any, is_removed: bool) -> bytes:
    return put_together(json.dumps(change(copy.deepcopy(HEADER), places, value, is_removed=is_removed)).encode(), DATA)


def change(node: Any, places: list[int], value: Any, *, is_removed: bool) -> Any:
    """Go down into JSON, and into JSON in its texts, and put a value there or take one away."""
    if isinstance(node, str) and node.startswith(("{", "[")):
        return json.dumps(change(json.loads(node), places, value, is_removed=is_removed))
    if not places or not isinstance(node, dict | list) or not node:
        return value
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = keys[places[0] % len(keys)]
    if is_removed and len(places) == 1:
        del node[key]
    else:
        node[key] = change(node[key], places[1:], value, is_removed=is_removed)
    return node


def open_archive(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:  # Windows opens no temporary file twice
        path = Path(folder, "random.zip")
        path.write_bytes(content)
        for entry in iter_archive(path, SMALL):
            assert isinstance(entry.content, bytes | DemoError)


def open_picture(content: bytes) -> None:
    assert read_image(content, SMALL).mode == "RGB"


def open_head(content: bytes) -> None:
    read_head(content, SMALL)


KINDS: dict[str, tuple[Callable[[], Strategy], Callable[[bytes], None]]] = {
    "pictures": (pictures, open_picture),
    "archives": (archives, open_archive),
    "heads": (heads, open_head),
}


def fuzz(kind: str, num_cases: int) -> tuple[int, int]:
    """Read so many cases; return how many could be read and how many were refused.

    Raises:
        Exception: What a case raised that is no error of the demo's.
    """
    contents, read = KINDS[kind]
    outcomes = {True: 0, False: 0}

    @hypothesis.settings(
        max_examples=num_cases,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(contents())
    def survive(content: bytes) -> None:
        try:
            read(content)
        except DemoError as error:
            assert str(error)
            outcomes[False] += 1
        else:
            outcomes[True] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow and zipfile only warn of, a server goes on with
        survive()
    return outcomes[True], outcomes[False]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_comes_is_read_or_refused(kind: str) -> None:
    num_read, num_refused = fuzz(kind, NUM_CASES)
    assert min(num_read, num_refused) > NUM_CASES // 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_comes_is_read_or_refused_in_full(kind: str) -> None:
    assert sum(fuzz(kind, NUM_CASES_IN_FULL)) >= NUM_CASES_IN_FULL
