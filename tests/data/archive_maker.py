"""Archives as people make them, by chance from layouts, languages, encodings and litter, with what is true of each."""

import random
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from demo.data.reading import Answer, Doubt
from tests.data.label_files import WRITERS
from tests.pictures import encode, noise

CLASS_NAMES: Mapping[str, Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("class_names.toml").read_text(encoding="utf-8")
)
# The code page of each language's Windows.
CODE_PAGES: Mapping[str, str] = {
    "simplified": "gbk",
    "traditional": "cp950",
    "japanese": "cp932",
    "korean": "cp949",
    "western": "cp850",
    "russian": "cp866",
}
_ENGLISH = (
    "cat dog bird fish horse apple pear plum car bus train truck rose tulip healthy rust blight scratch dent paper "
    "rock scissors NORMAL PNEUMONIA n0 n1 n2 daisy buildings forest glacier 0 1 2 10 Class_A Class_B Bus_stop oak"
)
# Words for splits in several languages: of training, of validation and of test pictures.
_SPLITS = {
    "english": (
        "train val test, train valid test, Training Validation Testing, TRAIN VAL TEST, seg_train seg_val seg_test, "
        "training_set dev_set test_set, train_images val_images test_images, 01_train 02_val 03_test, "
        "TrainSet ValSet TestSet, train-256 eval-256 test-256, images_train images_val images_test"
    ),
    "western": (
        "Training Validierung Test, Trainingsbilder Validierungsbilder Testbilder, Lernen Evaluierung Prüfung, "
        "Trainingsdaten Validierungsdaten Testdaten, entrenamiento validación prueba"
    ),
    "simplified": (
        "训练 验证 测试, 训练集 验证集 测试集, 训练数据 验证数据 测试数据, 训练图片 验证图片 测试图片, "
        "1-训练样本 2-验证样本 3-测试样本"
    ),
    "traditional": "訓練集 驗證集 測試集, 訓練資料 驗證資料 測試資料",
    "japanese": "学習用 検証用 テスト用",
    "korean": "훈련 검증 시험",
    "russian": "обучение проверка тест",
}
# Folders that are parts of one set, which only the classes in them tell.
_ODD_SPLITS = {
    "english": (
        "part1 part2, A B, fold_0 fold_1 fold_2, 2023 2024, set1 set2, phone camera, red blue, trian tset, mine yours"
    ),
    "western": "Montag Dienstag, Gruppe_1 Gruppe_2, Käthe Jürgen",
    "simplified": "上学期 下学期, 小明 小红 小刚, 第一次 第二次, 甲班 乙班",
}
_FILE_NAMES = (
    "{}.jpg",
    "{}.png",
    "IMG_{:04}.JPG",
    "{}",
    "IMG_{}.HEIC",
    "{:03}.jpeg",
    "微信图片_{}.jpg",
    "a b ({}).webp",
)
_LABELLED_NAMES = ("{1}.{0}.jpg", "{1}_{0:03}.jpg", "{1} ({0}).png", "IMG_{1}_{0}.jpg", "{0}-{1}.jpg", "{1}{0}.jpg")
_CODINGS = ("utf-8", "utf-8-sig", "utf-16")
ROLES = ("train", "validation", "test")


@dataclass(frozen=True)
class Item:
    """One file: where it lies, and the class and the split that it belongs to; no class where it is not to be used."""

    folders: tuple[str, ...]
    name: str
    content: bytes
    label: str = ""
    split: str = ""

    def within(self, *folders: str) -> "Item":
        """Return the file in further folders."""
        return replace(self, folders=(*folders, *self.folders))


@cache
def _pictures() -> Sequence[bytes]:
    return [encode(noise(seed, (12, 12)), ("PNG", "JPEG")[seed % 2]) for seed in range(200)]


class Maker:
    """Makes one archive from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._left = self.rng.sample(_pictures(), len(_pictures()))
        self._file_name = self.rng.choice(_FILE_NAMES) if self.has(0.5) else "{}.jpg"
        names = self.rng.choices(["english", *CODE_PAGES], weights=[6, 5, 2, 2, 2, 2, 2])
        self.language = names[0]
        words = _ENGLISH if self.language == "english" else CLASS_NAMES["new"][self.language]
        self.labels = self.rng.sample(words.split(), self.rng.randint(2, 3))

    def has(self, chance: float) -> bool:
        return self.rng.random() < chance

    def pictures(self, folders: Sequence[str], label: str = "", split: str = "", *, least: int = 2) -> list[Item]:
        """Return a few pictures in a folder."""
        count = self.rng.randint(least, least + 1)
        contents = [self._left.pop() for _ in range(count)]
        return [Item(tuple(folders), self._file_name.format(n), one, label, split) for n, one in enumerate(contents)]

    def choose(self, groups: Mapping[str, str]) -> list[str]:
        """Choose one of several groups of words, in the language of the classes or in one that goes with it."""
        near = {"english": ("english", "english", "western", "simplified")}
        language = self.rng.choice(near.get(self.language, (self.language, "english")))
        return self.rng.choice(groups.get(language, groups["english"]).split(", ")).split()


def _make_flat(maker: Maker) -> list[Item]:
    """Put the pictures of each class into its folder, or into the only folder in it."""
    inner = maker.rng.choice([lambda _: [], lambda _: [], lambda _: ["images"], lambda label: [label]])
    return [item for label in maker.labels for item in maker.pictures([label, *inner(label)], label)]


def _make_vehicles(maker: Maker) -> list[Item]:
    """Make classes of which one is called as a split is."""
    maker.labels = ["bus", "car", maker.rng.choice(["train", "Train"])]
    return _make_flat(maker)


def _make_splits(maker: Maker, *, depth: int = 1) -> list[Item]:
    """Put the classes into splits; a class may be without pictures in some that are not learned from."""
    words = maker.choose(_SPLITS)
    roles = maker.rng.choice([ROLES, ROLES[:2], (ROLES[0], ROLES[2])])
    inner = maker.rng.choice([[], [], [], ["images"]])
    return [
        item
        for role in roles
        for label in maker.labels
        if role == ROLES[0] or label == maker.labels[0] or not maker.has(0.1)
        for item in maker.pictures([words[ROLES.index(role)]] * depth + [*inner, label], label, role)
    ]


def _make_doubled(maker: Maker) -> list[Item]:
    return _make_splits(maker, depth=2)


def _make_class_first(maker: Maker) -> list[Item]:
    return [replace(item, folders=(item.label, item.folders[0])) for item in _make_splits(maker)]


def _make_training_alone(maker: Maker) -> list[Item]:
    """Put the classes into a training folder, beside one of pictures whose classes are to be found out."""
    train, _, test = maker.choose(_SPLITS)
    labelled = [item for label in maker.labels for item in maker.pictures([train, label], label)]
    return [*labelled, *maker.pictures([test])]


def _make_odd_splits(maker: Maker) -> list[Item]:
    parts = maker.choose(_ODD_SPLITS)
    return [item for part in parts for label in maker.labels for item in maker.pictures([part, label], label)]


def _make_joint_words(maker: Maker) -> list[Item]:
    """Write split and class into one name, as in train_cat: what is a class there, only the visitor knows."""
    words = maker.choose(_SPLITS)
    names = [f"{word}_{label}" for word in words[:2] for label in maker.labels]
    return [item for name in names for item in maker.pictures([name], name)]


def _make_nested(maker: Maker) -> list[Item]:
    kinds = [f"kind {number}" for number in range(len(maker.labels) * 2)]
    return [
        item
        for number, label in enumerate(maker.labels)
        for kind in kinds[2 * number : 2 * number + 2]
        for item in maker.pictures([label, kind], label)
    ]


def _make_names(maker: Maker) -> list[Item]:
    """Put all pictures into one folder, or into those of their splits; their names have the labels, which are words."""
    pattern = maker.rng.choice(_LABELLED_NAMES)
    places: Sequence[Mapping[str, Sequence[str]]] = (
        {"": ()},
        {"": ("train",)},
        {"": ("images",)},
        {"train": ("a", "train"), "test": ("a", "test")},
    )
    folders = maker.rng.choice(places)
    labels = [label for label in maker.labels if len(label) > 1 and not any(map(str.isdigit, label))] or ["cat"]
    labels = [*labels, *[label for label in ("lamp", "chair") if label not in labels][: 3 - len(labels)]]
    return [
        replace(item, name=pattern.format(number, label))
        for split, folder in folders.items()
        for label in labels
        for number, item in enumerate(maker.pictures(folder, label, split))
    ]


def _make_table(maker: Maker) -> list[Item]:
    """Put all pictures into one folder, or into that of their split, and their labels into a table."""
    name, write = maker.rng.choice(list(WRITERS.items()))
    splits = ["train", "val"] if maker.has(0.4) else [""]
    inner = maker.rng.choice(["", "images"])
    folders = {split: tuple(part for part in (split, inner) if part) for split in splits}
    coding = maker.rng.choice(_CODINGS if name.endswith("csv") else ["utf-8"])
    if name.endswith("csv") and maker.language in CODE_PAGES and maker.has(0.3):
        coding = CODE_PAGES[maker.language]
    items = [
        replace(item, name=f"{number}{item.name}", split=ROLES[splits.index(split)] if split else "")
        for split in splits
        for number, item in enumerate(
            one for label in maker.labels for one in maker.pictures(folders[split], label, least=3)
        )
    ]
    tables = maker.pictures(["unknown"], least=len(items)) if maker.has(0.2) else []
    for split in splits:
        own = [item for item in items if not split or item.folders[0] == split]
        rows = [("/".join((*item.folders[bool(split) :], item.name)), item.label) for item in own]
        try:
            content = write(rows).encode(coding)
        except UnicodeEncodeError:
            content = write(rows).encode()
        tables.append(Item((split,) if split else (), name, content))
    return [*items, *tables]


# Layout -> how often it is made, what makes it, and what has to be asked about it and to be answered, if anything.
LAYOUTS: Mapping[str, tuple[int, Callable[[Maker], list[Item]], tuple[Doubt, Answer] | None]] = {
    "flat": (4, _make_flat, None),
    "vehicles": (1, _make_vehicles, None),
    "training alone": (2, _make_training_alone, None),
    "splits": (8, _make_splits, None),
    "doubled": (2, _make_doubled, None),
    "class first": (2, _make_class_first, None),
    "odd splits": (2, _make_odd_splits, (Doubt.SPLITS, Answer.SPLITS)),
    "joint words": (1, _make_joint_words, (Doubt.SPLITS, Answer.KEEP)),
    "nested": (1, _make_nested, (Doubt.NESTED, Answer.KEEP)),
    "names": (2, _make_names, (Doubt.NAMES, Answer.NAMES)),
    "table": (4, _make_table, None),
    "zip of zips": (1, _make_flat, None),
    "parts": (2, _make_flat, None),
}
