"""Labels that stand in the files' names, as in cat.0.jpg: they are only offered, because any name may look so."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from demo.data.labels.mentions import PICTURE_SUFFIXES
from demo.data.split_words import find_split

_MIN_SHARE = 0.9  # share of the pictures whose names have a label that others have too
_MIN_PICTURES = 2  # pictures of each label, and labels
_WORD = re.compile(r"[^\W\d_]+")
_EXPORT = re.compile(r"_(?:jpe?g|png|webp)\.rf\.\w+$", re.IGNORECASE)  # what Roboflow adds to a name
# First words of names that cameras and programs give: nothing in them is a label.
_CAMERA_WORDS = (
    "dsc dscn dscf dji gopr mvimg pxl vid pano burst camera cam scan capture screenshot screen whatsapp mmexport "
    "wechat wx snapchat signal telegram download unnamed untitled 微信图片 微信截图 屏幕截图 截图 截屏 扫描 未命名 下载"
)
# Words that say only that it is a picture: the label is what stands beside them.
_NEUTRAL_WORDS = (
    "img image images picture pictures pic pics photo photos foto bild file frame sample copy edited crop resized "
    "图片 图像 照片 相片 副本 画像 写真"
)
_CAMERAS, _NEUTRAL = frozenset(_CAMERA_WORDS.split()), frozenset(_NEUTRAL_WORDS.split())
_MAX_NAME_LENGTH = 255
_JOINT = r"[\W_]{0,3}"  # what may stand between two words of a label

Words = Sequence[str]


def find_name_labels(paths: Sequence[str]) -> Mapping[str, str]:
    """Find the labels in the names of files.

    A label is what is left of a name without its numbers and without the words that all names share: all of it, or
    else its first or its last word. Nearly all pictures must have one, and share it with others.

    Args:
        paths: Paths of the pictures.

    Returns:
        Path of a picture -> its label; empty if the names are no labels.
    """
    words = {path: _split(path) for path in paths}
    kept = _drop_shared({path: each for path, each in words.items() if each and each[0].casefold() not in _CAMERAS})
    rules: tuple[Callable[[Words], Words], ...] = (
        lambda words: words,
        lambda words: words[:1],
        lambda words: words[-1:],
    )
    for rule in rules:
        labels = {path: tuple(map(str.casefold, rule(each))) for path, each in kept.items()}
        counts = Counter(label for label in labels.values() if _is_label("".join(label)))
        shared = {label for label, count in counts.items() if count >= _MIN_PICTURES}
        if len(shared) >= _MIN_PICTURES and sum(counts[label] for label in shared) >= _MIN_SHARE * len(paths):
            return _spell({path: label for path, label in labels.items() if label in shared})
    return {}


def _split(path: str) -> Words:
    """Return the words of a picture's name, without numbers, and without words that say only that it is a picture."""
    return [word for word in _WORD.findall(_find_stem(path)) if word.casefold() not in _NEUTRAL]


def _find_stem(path: str) -> str:
    name = path.rpartition("/")[2][-_MAX_NAME_LENGTH:]
    stem, _, suffix = name.rpartition(".")
    return _EXPORT.sub("", stem if stem and suffix.lower() in PICTURE_SUFFIXES else name)


def _drop_shared(words: Mapping[str, Words]) -> Mapping[str, Words]:
    """Drop first words that all names share, or that are all splits' (train_cat_1, test_cat_1)."""
    while words and all(each[1:] for each in words.values()):
        firsts = {each[0].casefold() for each in words.values()}
        if len(firsts) != 1 and not all(map(find_split, firsts)):
            break
        words = {path: each[1:] for path, each in words.items()}
    return words


def _is_label(text: str) -> bool:
    """Say whether a text is more than a letter: names of hexadecimal digits begin with any."""
    return len(text) > 1 or text > "\u02ff"


def _spell(labels: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """Write labels as most of the names do: with their capitals, and with the signs between their words."""
    spellings: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for path, label in labels.items():
        written = re.search(_JOINT.join(map(re.escape, label)), _find_stem(path), re.IGNORECASE)
        spellings[label][written[0] if written else " ".join(label)] += 1
    return {path: spellings[label].most_common(1)[0][0] for path, label in labels.items()}
