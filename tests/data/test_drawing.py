"""A part of many files stands for all: evenly by class, by size within a class, and the same at every reading."""

import hypothesis
import hypothesis.strategies as draw
import pytest

from demo.data.drawing import draw_evenly, shuffle_files
from demo.data.listing import ListedFile

COUNTS = draw.dictionaries(
    draw.text("abc", max_size=3),
    draw.dictionaries(draw.sampled_from(["train", "val", "test"]), draw.integers(1, 400), min_size=1),
    max_size=12,
)


@pytest.mark.parametrize(
    ("counts", "limit", "expected"),
    [
        ({"a": {"": 251}, "b": {"": 251}}, 500, {"a": 250, "b": 250}),
        ({"a": {"": 900}, "b": {"": 100}}, 500, {"a": 400, "b": 100}),
        ({"a": {"": 3}, "b": {"": 9}, "c": {"": 9}}, 12, {"a": 3, "b": 4, "c": 5}),
        ({"a": {"train": 80, "val": 20}}, 50, {"a/train": 40, "a/val": 10}),
        ({"a": {"train": 990, "val": 5, "test": 5}}, 50, {"a/train": 46, "a/val": 2, "a/test": 2}),
    ],
)
def test_classes_share_alike_and_splits_by_size(
    counts: dict[str, dict[str, int]], limit: int, expected: dict[str, int]
) -> None:
    shares = {f"{name}/{split}".rstrip("/"): share for (name, split), share in draw_evenly(counts, limit).items()}
    assert shares == expected


@hypothesis.settings(deadline=None, database=None, derandomize=True, max_examples=200)
@hypothesis.given(COUNTS, draw.integers(0, 600))
def test_no_more_is_drawn_than_there_is_room_for_and_no_less(counts: dict[str, dict[str, int]], limit: int) -> None:
    shares = draw_evenly(counts, limit)
    total = sum(sum(splits.values()) for splits in counts.values())
    assert sum(shares.values()) == min(limit, total)
    assert all(0 <= share <= counts[name][split] for (name, split), share in shares.items())
    drawn = {name: sum(shares[name, split] for split in splits) for name, splits in counts.items()}
    full = {name for name, splits in counts.items() if drawn[name] == sum(splits.values())}
    others = [drawn[name] for name in counts if name not in full]
    assert max(others, default=0) - min(others, default=0) <= 1


def test_the_order_is_mixed_and_a_files_place_is_its_own() -> None:
    files = [ListedFile("a.zip", ("cat",), f"{number}.jpg", (number, number)) for number in range(100)]
    mixed = shuffle_files(files)
    assert sorted(mixed, key=files.index) == files
    assert mixed != files
    assert shuffle_files(files[::-1]) == mixed
    assert [file for file in mixed if file in files[::2]] == shuffle_files(files[::2])
