"""What is odd about archives: folders around and beside, litter, spellings, encodings; and the zips themselves."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from demo.data.reading import Answer, Doubt
from tests.attacks import Raw, pack
from tests.data.archive_maker import CODE_PAGES, LAYOUTS, ROLES, Item, Maker

_WINDOWS, _UNIX = 0, 3
_UTF8_FLAG = 0x800
_UNLABELLED = ("seg_pred", "test1", "unlabeled", "predict", "extra", "more pictures", "sample", "misc")
_OUTER = ("dataset", "data", "pets", "archive (1)", "my_project", "Downloads", "v2-final", "images")
_LITTER = (
    "__MACOSX/{top}/._{name}",
    "{top}/.DS_Store",
    "{top}/Thumbs.db",
    "{top}/desktop.ini",
    "{top}/@eaDir/{name}/SYNOPHOTO_THUMB_M.jpg",
    "$RECYCLE.BIN/S-1-5/desktop.ini",
    "System Volume Information/IndexerVolumeGuid",
    "{top}/.ipynb_checkpoints/{name}",
    "{top}/._{name}",
    "README.md",
    "{top}/LICENSE.txt",
    "{top}/notes.docx",
)
_IN_FOLDERS = ("flat", "vehicles", "splits", "doubled", "class first", "odd splits")
_IN_SPLITS = ("splits", "doubled")


@dataclass(frozen=True)
class Archive:
    """Zips, the kinds that they are of, the files that they hold, and what has to be asked and answered, if at all."""

    kinds: tuple[str, ...]
    zips: tuple[tuple[str, bytes], ...]
    items: tuple[Item, ...]
    talk: tuple[Doubt, Answer] | None


def make_archive(seed: int) -> Archive:
    """Make an archive by chance; the same seed gives the same one."""
    maker = Maker(seed)
    layout = maker.rng.choices(list(LAYOUTS), weights=[weight for weight, *_ in LAYOUTS.values()])[0]
    _, make, talk = LAYOUTS[layout]
    items, kinds = make(maker), [layout, maker.language]
    for name, (chance, layouts, change) in _ODDITIES.items():
        if layout in (layouts or LAYOUTS) and maker.has(chance):
            items = change(maker, items)
            kinds.append(name)
    coding = _choose_coding(maker, items)
    kinds.append(coding)
    zips = [(f"{name}.zip", _write(maker, some, coding)) for name, some in _split_up(maker, layout, items)]
    if layout == "zip of zips":
        zips = [("samples.zip", pack([Raw(name.encode(), one, flags=_UTF8_FLAG) for name, one in zips]))]
    return Archive(tuple(kinds), tuple(zips), tuple(items), talk)


def _add_unlabelled(maker: Maker, items: Sequence[Item]) -> list[Item]:
    folder = [maker.rng.choice(_UNLABELLED)]
    if maker.has(0.3):
        folder.append("inner")
    return [*items, *maker.pictures(folder)]


def _add_twins(maker: Maker, items: Sequence[Item]) -> list[Item]:
    """Put the same tree a second time beside its own folders."""
    name = maker.rng.choice(_OUTER)
    return [*items, *(replace(item, label="").within(name) for item in items)]


def _change_capitals(_: Maker, items: Sequence[Item]) -> list[Item]:
    return _respell(items, str.swapcase)


def _add_blanks(maker: Maker, items: Sequence[Item]) -> list[Item]:
    ending = maker.rng.choice([" ", ".", "  "])
    return _respell(items, lambda name: name + ending)


def _decompose(_: Maker, items: Sequence[Item]) -> list[Item]:
    return _respell(items, lambda name: unicodedata.normalize("NFD", name))


def _respell(items: Sequence[Item], change: Callable[[str], str]) -> list[Item]:
    """Spell the classes otherwise in all splits but the training one."""

    def respell(item: Item) -> Item:
        if not item.split or item.split == ROLES[0]:
            return item
        return replace(item, folders=tuple(change(each) if each == item.label else each for each in item.folders))

    return [respell(item) for item in items]


def _add_loose(maker: Maker, items: Sequence[Item]) -> list[Item]:
    return [*items, *maker.pictures([], least=1)]


def _add_outer(maker: Maker, items: Sequence[Item]) -> list[Item]:
    folders = maker.rng.sample(_OUTER, maker.rng.randint(1, 2))
    return [item.within(*folders) for item in items]


def _add_litter(maker: Maker, items: Sequence[Item]) -> list[Item]:
    litter = []
    for pattern in maker.rng.sample(_LITTER, maker.rng.randint(1, 4)):
        item = maker.rng.choice(items)
        path = pattern.format(top="/".join(item.folders) or "x", name=item.name)
        content = item.content if path.endswith("M.jpg") else b"\0\5\x16\7 litter"
        litter.append(Item(tuple(path.split("/")[:-1]), path.split("/")[-1], content))
    return [*litter, *items]


# What is odd -> its chance, the layouts in which its truth is known (all if none are named), and what makes it.
_ODDITIES: Mapping[str, tuple[float, Sequence[str], Callable[[Maker, Sequence[Item]], list[Item]]]] = {
    "capitals": (0.1, _IN_SPLITS, _change_capitals),
    "blanks": (0.1, _IN_SPLITS, _add_blanks),
    "NFD": (0.1, _IN_SPLITS, _decompose),
    "unlabelled": (0.25, _IN_SPLITS, _add_unlabelled),
    "twins": (0.1, _IN_FOLDERS, _add_twins),
    "loose": (0.1, _IN_FOLDERS, _add_loose),
    "outer": (0.4, [each for each in LAYOUTS if each != "zip of zips"], _add_outer),
    "litter": (0.4, (), _add_litter),
}


def _choose_coding(maker: Maker, items: Sequence[Item]) -> str:
    text = "".join("".join((*item.folders, item.name)) for item in items)
    if text.isascii():
        return maker.rng.choice(["ASCII", "ASCII", "backslashes"])
    code_page = CODE_PAGES.get(maker.language, "gbk" if max(text) >= "\u2e80" else "cp850")
    try:
        is_possible = text.encode(code_page).decode(code_page) == text
    except UnicodeEncodeError:
        is_possible = False
    return maker.rng.choice([*([code_page] if is_possible else []), "UTF-8", "UTF-8 without a flag"])


def _write(maker: Maker, items: Sequence[Item], coding: str) -> bytes:
    """Write a zip, in some order."""
    items = maker.rng.sample(list(items), len(items))
    slash = "\\" if coding == "backslashes" else "/"
    encoding = coding if coding in CODE_PAGES.values() else "utf-8"
    system = _UNIX if coding.startswith("UTF-8") else _WINDOWS
    flags = _UTF8_FLAG if coding == "UTF-8" else 0
    names = [slash.join((*item.folders, item.name)).encode(encoding) for item in items]
    return pack([Raw(name, item.content, flags=flags, system=system) for name, item in zip(names, items, strict=True)])


def _split_up(maker: Maker, layout: str, items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """Part files into the zips in which they come: most often one."""
    if layout == "zip of zips":
        labels = dict.fromkeys(item.label for item in items if item.label)
        return [
            (f"{each}-samples", [replace(one, folders=()) for one in items if one.label == each]) for each in labels
        ]
    if layout == "parts":
        place = maker.rng.randint(1, len(items) - 1)
        return [(f"Pets-20240501T100000Z-00{n}", list(some)) for n, some in enumerate((items[:place], items[place:]))]
    return [("upload", list(items))]
