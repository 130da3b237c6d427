"""More files than can be used -> a part of them that stands for all: evenly by class, and the same at every reading."""

from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

from demo.data.listing import ListedFile

_SEED = "0"
_FEWEST = 2  # files of a split that are drawn, if it has them

Stratum = TypeVar("Stratum", bound=Hashable)


def draw_evenly(strata: Mapping[str, Mapping[Stratum, int]], limit: int) -> dict[tuple[str, Stratum], int]:
    """Share a number of files out: the same to each class, and within a class to each split by its size.

    What a class does not have goes to the others.

    Args:
        strata: Number of files of each class and each of its splits.
        limit: How many files there may be in all.

    Returns:
        Number of files of each class and split; all of them where these are within the limit.
    """
    shares: dict[tuple[str, Stratum], int] = {}
    left = limit
    by_size = sorted(strata.items(), key=lambda each: (sum(each[1].values()), each[0]))
    for place, (name, splits) in enumerate(by_size):
        share = min(sum(splits.values()), left // (len(by_size) - place))
        left -= share
        shares |= {(name, split): count for split, count in _divide(splits, share).items()}
    return shares


def _divide(counts: Mapping[Stratum, int], share: int) -> dict[Stratum, int]:
    """Divide a share by the sizes of the parts; a small part gets a few if it can."""
    total = sum(counts.values())
    if share >= total:
        return dict(counts)
    given = {part: min(count, max(_FEWEST, share * count // total)) for part, count in counts.items()}
    by_size = sorted(given, key=lambda part: (-counts[part], str(part)))
    while sum(given.values()) > share:  # the largest part gives what the small ones have more
        largest = max(by_size, key=lambda part: given[part])
        given[largest] -= 1
    for part in by_size:  # what rounding has left
        more = min(share - sum(given.values()), counts[part] - given[part])
        given[part] += more
    return given


def shuffle_files(files: Sequence[ListedFile]) -> list[ListedFile]:
    """Return files in a random order, in which each one's place depends on nothing but its path and its content."""

    def rank(file: ListedFile) -> bytes:
        return sha256(f"{_SEED}/{file.path}/{file.mark}".encode()).digest()

    return sorted(files, key=rank)
