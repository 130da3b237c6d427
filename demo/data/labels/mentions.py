"""Pictures by what a table calls them: a path from anywhere, a name, a name without its suffix, a number."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from demo.data.names import clean_parts
from demo.data.reading import Role
from demo.data.split_words import find_split

PICTURE_SUFFIXES = frozenset(
    ("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "webp", "gif", "bmp", "avif", "heic", "heif", "tif", "tiff")
)
_NUM_PARTS = 8  # last parts of a path by which a picture may be called
_MAX_NAMESAKES = 10  # pictures of one name, of which the one that is meant is looked for
_MAX_LENGTH = 300


class PictureIndex:
    """The pictures of an upload by the ends of their paths."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.num_pictures = len(paths)
        self._by_end: dict[str, list[str]] = defaultdict(list)
        self._by_path: dict[str, str] = {}
        self._last_parts: set[str] = set()
        for path in paths:
            parts = _normalise(path) or [path]
            self._last_parts |= {parts[-1], _drop_suffix(parts[-1]), _number(_drop_suffix(parts[-1]))}
            whole = "/".join(parts)
            stem = _drop_suffix(whole)
            self._by_path |= {stem: "" if stem in self._by_path else path, whole: path}
            for end in _ends(parts):
                if len(self._by_end[end]) <= _MAX_NAMESAKES:
                    self._by_end[end].append(path)

    def looks_known(self, mention: str) -> bool:
        """Say whether a picture may be meant; it is quick, because most cells of a table mean none."""
        last = mention.replace("\\", "/").rpartition("/")[2].strip().casefold()
        return not last.isascii() or not self._last_parts.isdisjoint((last, _drop_suffix(last), _number(last)))

    def get(self, whole: str) -> str:
        """Return the picture of a whole path, with or without suffix, or an empty text."""
        return self._by_path.get(whole) or self._by_path.get(_drop_suffix(whole), "")

    def get_namesakes(self, end: str) -> list[str]:
        """Return the pictures whose path ends so, with or without suffix; none if there are too many."""
        found = self._by_end.get(end, [])
        return found if len(found) <= _MAX_NAMESAKES else []


class Finder:
    """Looks pictures up for one table: those in its own folder, or in the split of its name, come first."""

    def __init__(self, index: PictureIndex, folder: str, split: Role | None) -> None:
        self.num_pictures = index.num_pictures
        self._index, self._folder, self._split = index, folder, split
        self._known: dict[str, str] = {}

    def find(self, mention: str) -> str:
        """Return the path of the picture that is meant, or an empty text."""
        if not mention or len(mention) > _MAX_LENGTH or not self._index.looks_known(mention):
            return ""
        if mention not in self._known:
            self._known[mention] = self._look_up(_normalise(mention))
        return self._known[mention]

    def _look_up(self, parts: list[str]) -> str:
        if not parts:
            return ""
        folders = _normalise(self._folder) if self._folder else []
        for whole in (folders + parts, parts):
            if path := self._index.get("/".join(whole[-_NUM_PARTS:])):
                return path
        for start in range(len(parts)):
            text = "/".join(parts[start:])
            found = self._index.get_namesakes(text) or self._index.get_namesakes(_drop_suffix(text))
            if found:
                return self._choose(found)
        number = parts[-1]
        return self._choose(self._index.get_namesakes(_number(number))) if number.isdecimal() else ""

    def _choose(self, found: Sequence[str]) -> str:
        inside = [path for path in found if path.startswith(f"{self._folder}/")]
        for some in (found, inside, [path for path in found if self._is_of_split(path)]):
            if len(some) == 1:
                return some[0]
        return ""

    def _is_of_split(self, path: str) -> bool:
        return self._split is not None and any(find_split(part) is self._split for part in path.split("/")[:-1])


def _normalise(path: str) -> list[str]:
    parts = clean_parts(path[-_NUM_PARTS * _MAX_LENGTH :])[-_NUM_PARTS:]
    return [unicodedata.normalize("NFC", part.casefold()) for part in parts]


def _ends(parts: Sequence[str]) -> set[str]:
    texts = ["/".join(parts[start:]) for start in range(len(parts))]
    number = _drop_suffix(parts[-1])
    return {*texts, *map(_drop_suffix, texts), *([_number(number)] if number.isdecimal() else [])}


def _number(digits: str) -> str:
    """Return the key of a picture whose name is a number: Excel turns 007 into 7."""
    return "#" + digits.lstrip("0")


def _drop_suffix(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return stem if suffix in PICTURE_SUFFIXES and stem else name
