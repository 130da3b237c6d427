"""Where files lie becomes classes and splits, whatever the folders are called and in whatever order they come."""

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import hypothesis
import hypothesis.strategies as draw
import pytest

from demo.data.collection import Split
from demo.data.layouts.errors import FolderChosenOut, FolderTwin, FolderUnlabelled, FolderUnlike
from demo.data.layouts.layout import Layout, lay_out
from demo.data.listing import ListedFile, natural_key, strip_zip_name
from demo.data.reading import Answer, Choices, Doubt, Role
from demo.data.split_words import find_split

T, V, E = Split.TRAIN.value, Split.VALIDATION.value, Split.TEST.value

Shown = dict[str, dict[str | None, int]]
Tree = Mapping[str, Any]  # name of a folder -> what is inside, or the number of its files


def files_in(tree: Tree, *, source: str = "a.zip", folders: tuple[str, ...] = ()) -> list[ListedFile]:
    """Return the files of a tree of folders; no two are copies."""
    found: list[ListedFile] = []
    for name, inside in tree.items():
        path = (*folders, *name.split("/"))
        if isinstance(inside, int):
            names = [f"{number}.jpg" for number in range(inside)]
            found += [ListedFile(source, path, each, (7, crc32(repr((source, path, each)).encode()))) for each in names]
        else:
            found += files_in(inside, source=source, folders=path)
    return found


def show(layout: Layout) -> Shown:
    """Return the number of files of each class and each of its splits."""
    shown: Shown = {}
    for name, placed in layout.classes.items():
        for _, split in placed:
            counts = shown.setdefault(name, {})
            counts[split and split.value] = counts.get(split and split.value, 0) + 1
    return shown


def read(tree: Tree, choices: Choices | None = None) -> Layout:
    return lay_out(files_in(tree), choices or Choices())


def left_out(layout: Layout) -> dict[str, type[Exception]]:
    return {each.folder: type(each.reason) for each in layout.left_out}


TWO = {"cat": 4, "dog": 4}
FEW = {"cat": 2, "dog": 2}
NO_SPLITS: Shown = {"cat": {None: 4}, "dog": {None: 4}}
LEARNED: Shown = {"cat": {T: 4, E: 2}, "dog": {T: 4, E: 2}}
CHOSEN_BY: Shown = {"cat": {T: 4, V: 2}, "dog": {T: 4, V: 2}}

SURE: dict[str, tuple[Tree, Shown, list[str]]] = {
    # Without a question: the folders, what they make, and what is left out.
    "Intel's scenes": (
        {"seg_train/seg_train": TWO, "seg_test/seg_test": FEW, "seg_pred/seg_pred": 3},
        LEARNED,
        ["seg_pred"],
    ),
    "a doubled split": ({"training/training": TWO, "validation/validation": FEW}, CHOSEN_BY, []),
    "sets": ({"training_set/training_set": TWO, "test_set/test_set": FEW}, LEARNED, []),
    "a folder of loose pictures beside": (
        {"f/Training": TWO, "f/Test": FEW, "f/test-multiple_fruits": 3},
        LEARNED,
        ["f/test-multiple_fruits"],
    ),
    "one known word is enough": ({"train": TWO, "zweiter Teil": FEW}, LEARNED, []),
    "Chinese": ({"训练数据": TWO, "测试数据": FEW}, LEARNED, []),
    "Japanese": ({"学習用": TWO, "検証": FEW}, CHOSEN_BY, []),
    "German": ({"Trainingsbilder": TWO, "Testbilder": FEW}, LEARNED, []),
    "French": ({"entraînement": TWO, "essai": FEW}, LEARNED, []),
    "Russian": ({"обучение": TWO, "проверка": FEW}, CHOSEN_BY, []),
    "prefixes and suffixes": ({"dogs-train": TWO, "dogs-eval": FEW}, CHOSEN_BY, []),
    "pictures of a split in a folder more": ({"train/images": TWO, "test/images": FEW}, LEARNED, []),
    "classes of splits": (
        {"cat": {"train": 4, "test": 2}, "dog": {"train": 4, "test": 2}},
        LEARNED,
        [],
    ),
    "classes of splits that lack one": (
        {"cat": {"train": 4, "val": 2}, "dog": {"train": 4}, "hen": {"train": 1, "val": 1}},
        {"cat": {T: 4, V: 2}, "dog": {T: 4}, "hen": {T: 1, V: 1}},
        [],
    ),
    "one folder in each class": ({"cat/images": 4, "dog/images": 4}, NO_SPLITS, []),
    "one folder in each class, of which one is called train": (
        {"bus/images": 3, "train/images": 3},
        {"bus": {None: 3}, "train": {None: 3}},
        [],
    ),
    "a test folder with a folder of no class": (
        {"train": TWO, "val": FEW, "test1/inner": 3},
        CHOSEN_BY,
        ["test1"],
    ),
    "outer folders": ({"My zip/data/v2": {"train": TWO, "val": FEW}}, CHOSEN_BY, []),
    "a set beside pictures": ({"set": {"train": TWO, "val": FEW}, "figures": 3}, CHOSEN_BY, ["figures"]),
    "a set beside other folders": (
        {"set": {"train": TWO, "val": FEW}, "figures": {"a": 1, "b": 1}},
        CHOSEN_BY,
        ["figures"],
    ),
    "a sample of the splits that is no copy": (
        {"train": TWO, "val": FEW, "sample": {"train": TWO, "val": FEW}},
        CHOSEN_BY,
        ["sample"],
    ),
    "labelled beside unlabelled": ({"labelled": TWO, "unlabelled": 9}, NO_SPLITS, ["unlabelled"]),
    "training alone": ({"train": TWO}, NO_SPLITS, []),
    "unlabelled test": ({"train": TWO, "test": 5}, {"cat": {T: 4}, "dog": {T: 4}}, ["test"]),
    "unlabelled pictures": ({"train": TWO, "unlabeled": 5}, {"cat": {T: 4}, "dog": {T: 4}}, ["unlabeled"]),
    "another set beside": (
        {"train": TWO, "test": FEW, "extra": {"fox": 2, "hen": 2}},
        LEARNED,
        ["extra"],
    ),
    "a class that is missing in a split": (
        {"train": TWO, "val": {"cat": 2}},
        {"cat": {T: 4, V: 2}, "dog": {T: 4}},
        [],
    ),
    "splits by name alone": (
        {"train": {"cat": 4, "dog": 4}, "val": {"Katze": 2, "Hund": 2}},
        {"cat": {T: 4}, "dog": {T: 4}, "Hund": {V: 2}, "Katze": {V: 2}},
        [],
    ),
    "capitals": (
        {"train": {"Cat": 4, "DOG": 4}, "test": {"cat": 2, "dog": 2}},
        {"Cat": {T: 4, E: 2}, "DOG": {T: 4, E: 2}},
        [],
    ),
    "dots": ({"train": {"cat": 4, "dog.": 4}, "test": {"cat.": 2, "dog": 2}}, LEARNED, []),
    "widths and forms": (
        {"train": {"ｃａｔ": 4, "été": 4}, "test": {"cat": 2, "e\u0301te\u0301": 2}},
        {"été": {T: 4, E: 2}, "ｃａｔ": {T: 4, E: 2}},
        [],
    ),
    "a class called train": (
        {"bus": 3, "car": 3, "train": 3},
        {"bus": {None: 3}, "car": {None: 3}, "train": {None: 3}},
        [],
    ),
    "letters": ({"a": 3, "A": 3}, {"A": {None: 3}, "a~2": {None: 3}}, []),
    "letters in splits": (
        {"train": {"b": 3, "B": 3}, "test": {"b": 1, "B": 1}},
        {"B": {T: 3, E: 1}, "b~2": {T: 3, E: 1}},
        [],
    ),
    "doubled classes": ({"cat/cat": 4, "dog/dog": 4}, NO_SPLITS, []),
}


@pytest.mark.parametrize("case", SURE)
def test_structure_says_what_is_a_split_and_what_a_class(case: str) -> None:
    tree, expected, out = SURE[case]
    layout = read(tree)
    assert show(layout) == expected
    assert sorted(left_out(layout)) == out
    assert layout.questions == ()
    assert {each.path for each in layout.folders if each.role is Role.OUT} == set(out)


def test_classes_are_in_natural_order() -> None:
    assert list(read({"10": 1, "9": 1, "b2": 1, "b": 1, "B10": 1, "a": 1}).classes) == [
        "9",
        "10",
        "a",
        "b",
        "b2",
        "B10",
    ]
    assert sorted(["2.jpg", "10.jpg", "1.jpg", "x10", "x9"], key=natural_key) == [
        "1.jpg",
        "2.jpg",
        "10.jpg",
        "x9",
        "x10",
    ]


def copies(files: Sequence[ListedFile], *folders: str) -> list[ListedFile]:
    return [ListedFile(each.source, (*folders, *each.folders), each.name, each.mark, 1) for each in files]


@pytest.mark.parametrize(
    ("tree", "twin"),
    [({"train": TWO, "val": FEW}, "chest_xray"), (TWO, "rps-cv-images"), ({"train": TWO, "val": FEW}, "train2")],
)
def test_a_tree_that_is_there_twice_counts_once(tree: Tree, twin: str) -> None:
    files = files_in(tree)
    once = lay_out(files, Choices())
    twice = lay_out([*files, *copies(files, twin)], Choices())
    assert show(twice) == show(once)
    assert left_out(twice) == {twin: FolderTwin}
    assert twice.num_twins == len(files)


def test_a_sample_of_the_splits_counts_once_and_splits_of_the_same_pictures_are_two() -> None:
    files = files_in({"train": TWO, "val": FEW})
    some = [each for each in files if each.name == "0.jpg"]
    assert left_out(lay_out([*files, *copies(some, "sample")], Choices())) == {"sample": FolderTwin}
    train = files_in(TWO)
    both = lay_out([*copies(train, "train"), *copies(train, "test")], Choices())
    assert show(both) == {"cat": {T: 4, E: 4}, "dog": {T: 4, E: 4}}


def test_splits_of_unknown_names_are_asked_about() -> None:
    tree = {"alpha": TWO, "beta": FEW}
    layout = read(tree)
    (question,) = layout.questions
    assert (question.doubt, question.subjects) == (Doubt.SPLITS, ("alpha", "beta"))
    assert show(layout) == LEARNED
    assert show(read(tree, Choices().answer(Doubt.SPLITS, Answer.KEEP))) == {"alpha": {None: 8}, "beta": {None: 4}}


@pytest.mark.parametrize(
    "tree", [{"train": 4, "test": 3}, {"训练集": 4, "测试集": 3}, {"train": 4, "val": 2, "other": 3}]
)
def test_loose_pictures_in_folders_called_as_splits_are_asked_about(tree: Tree) -> None:
    layout = read(tree)
    (question,) = layout.questions
    assert question.doubt is Doubt.SPLITS
    assert set(question.subjects) == set(tree) - {"other"}
    assert set(show(layout)) == set(tree)
    assert not read(tree, Choices().answer(Doubt.SPLITS, Answer.SPLITS)).classes


def test_folders_inside_classes_are_asked_about() -> None:
    tree = {"animals": TWO, "plants": {"rose": 3, "tulip": 3}}
    layout = read(tree)
    (question,) = layout.questions
    assert (question.doubt, question.subjects) == (Doubt.NESTED, ("animals", "plants"))
    assert show(layout) == {"animals": {None: 8}, "plants": {None: 6}}
    assert layout.flattened["plants"] == ("plants/rose", "plants/tulip")
    inner = read(tree, Choices().answer(Doubt.NESTED, Answer.INNER))
    assert show(inner) == {"cat": {None: 4}, "dog": {None: 4}, "rose": {None: 3}, "tulip": {None: 3}}


def test_a_visitor_gives_folders_other_roles() -> None:
    tree = {"train": TWO, "test": FEW, "pred": 3}
    as_class = show(read(tree, Choices().assign("pred", Role.CLASS)))
    assert as_class == {**LEARNED, "pred": {None: 3}}
    without = read(tree, Choices().assign("test", Role.OUT))
    assert show(without) == {"cat": {T: 4}, "dog": {T: 4}}
    assert left_out(without) == {"pred": FolderUnlabelled, "test": FolderChosenOut}
    other_way = show(read(tree, Choices().assign("test", Role.TRAIN).assign("train", Role.VALIDATION)))
    assert other_way == {"cat": {T: 2, V: 4}, "dog": {T: 2, V: 4}}
    as_classes = Choices().assign("train", Role.CLASS).assign("test", Role.CLASS)
    assert show(read(tree, as_classes)) == {"test": {None: 4}, "train": {None: 8}}
    twin = files_in(TWO)
    kept = lay_out([*twin, *copies(twin, "again")], Choices().assign("again", Role.CLASS))
    assert set(kept.classes) == {"cat", "dog", "again"}


def test_a_visitor_says_that_classes_are_splits() -> None:
    tree = {"eins": {"a": 2, "b": 2}, "zwei": {"c": 2, "d": 2}}
    choices = Choices().assign("eins", Role.TRAIN).assign("zwei", Role.TEST)
    assert show(read(tree, choices)) == {"a": {T: 2}, "b": {T: 2}, "c": {E: 2}, "d": {E: 2}}
    assert left_out(read(tree, Choices().assign("eins", Role.TRAIN).assign("zwei", Role.OUT))) == {
        "zwei": FolderChosenOut
    }


def test_another_set_of_classes_is_said_to_be_unlike() -> None:
    assert left_out(read({"train": TWO, "val": FEW, "more": {"x": 2, "y": 1}})) == {"more": FolderUnlike}


@pytest.mark.parametrize(
    ("zips", "expected"),
    [
        ({"cat.zip": {"": 0, "x": 3}, "dog.zip": {"x": 2}}, {"x": {None: 5}}),
        (
            {"Pets-001.zip": {"Pets": {"cat": 3, "dog": 1}}, "Pets-002.zip": {"Pets": {"dog": 2, "hen": 4}}},
            {"cat": {None: 3}, "dog": {None: 3}, "hen": {None: 4}},
        ),
        ({"train.zip": TWO, "test.zip": FEW}, LEARNED),
        ({"one.zip": {"train": TWO}, "two.zip": {"val": FEW}}, CHOSEN_BY),
    ],
)
def test_several_zips_are_one(zips: Mapping[str, Tree], expected: Shown) -> None:
    files = [file for source, tree in zips.items() for file in files_in(tree, source=source)]
    assert show(lay_out(files, Choices())) == expected


def test_zips_of_loose_pictures_are_classes() -> None:
    files = [ListedFile(f"{name}-samples.zip", (), f"{number}.jpg") for name in TWO for number in range(4)]
    assert show(lay_out(files, Choices())) == NO_SPLITS
    assert lay_out(files[:4], Choices()).classes == {}


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("cat-samples.zip", "cat"),
        ("Pets-20260131T101112Z-001.zip", "Pets"),
        ("Pets-20260131T101112Z-1-002.ZIP", "Pets"),
        ("dog (1).zip", "dog"),
        ("samples.zip", "samples"),
        ("folder\\x.zip", "x"),
    ],
)
def test_what_programs_add_to_the_name_of_a_zip_is_no_part_of_it(name: str, stem: str) -> None:
    assert strip_zip_name(name) == stem


WORDS = {
    Role.TRAIN: (
        "train Train TRAINING training_set trainset trainData train2 images_train my-train 训练 训练集样本 "
        "訓練データ TrainingImages Trainingsdaten entrainement entrenamiento treino addestramento обучение trainval"
    ),
    Role.VALIDATION: "val valid Validation validation_set dev eval evaluation 验证集 検証用 검증 Validierung",
    Role.TEST: "test Testing test1 test_images TestSet 测试 テスト 시험 prueba teste тест holdout",
    None: "cat trainer_shoes station contest latest valley devil attest protest evil 火车 class1 images data stain",
}


def test_words_of_splits_are_known_in_many_languages_and_others_are_not() -> None:
    found = {word: find_split(word) for words in WORDS.values() for word in words.split()}
    expected = {word: role for role, words in WORDS.items() for word in words.split()}
    assert found == expected


LABELS = draw.lists(draw.sampled_from(["cat", "dog", "hen", "fox", "10", "9", "été", "猫"]), min_size=2, unique=True)
NAMES = draw.lists(draw.text("abcdefghij", min_size=4, max_size=8), min_size=3, max_size=3, unique=True)
SIZES = draw.permutations([5, 2, 1]).map(lambda sizes: dict(zip(("train", "test", "val"), sizes, strict=True)))
TREES = draw.builds(
    lambda labels, sizes: {name: dict.fromkeys(labels, size) for name, size in sizes.items()}, LABELS, SIZES
)
QUIET = hypothesis.settings(deadline=None, database=None, derandomize=True, max_examples=60)


@QUIET
@hypothesis.given(TREES, draw.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(tree: Tree, random: Any) -> None:
    files = files_in(tree)
    mixed = random.sample(files, len(files))
    assert lay_out(mixed, Choices()) == lay_out(files, Choices())


@QUIET
@hypothesis.given(TREES, draw.lists(draw.sampled_from(["data", "My zip", "2024", "图片", "images"]), max_size=4))
def test_outer_folders_do_not_matter(tree: Tree, outer: list[str]) -> None:
    inside = {"/".join(outer): tree} if outer else tree
    assert show(read(inside)) == show(read(tree))
    assert read(inside).outer == tuple("/".join(outer[: depth + 1]) for depth in range(len(outer)))


@QUIET
@hypothesis.given(LABELS, NAMES)
def test_the_names_of_splits_do_not_matter_but_for_which_is_which(labels: list[str], names: list[str]) -> None:
    hypothesis.assume(not any(map(find_split, names)))
    sizes = dict(zip(names, (5, 2, 1), strict=True))
    shown = show(read({name: dict.fromkeys(labels, size) for name, size in sizes.items()}))
    assert shown == {label: {T: 5, V: 1, E: 2} for label in shown}
    assert set(shown) == set(labels)


PARTS = draw.sampled_from(
    ["train", "Test", "val", "a", "A", "a.", "b", "masks", "images", "pred", "sample", "训练集", "10"]
)
PATHS = draw.tuples(draw.lists(PARTS, max_size=4), draw.sampled_from(["1.jpg", "2.jpg"]), draw.integers(1, 3))
FILES = draw.lists(
    draw.builds(
        lambda path, source, number: ListedFile(source, tuple(path[0]), path[1], (path[2], 1), number),
        PATHS,
        draw.sampled_from(["x.zip", "x.zip", "train.zip", "cat.zip"]),
        draw.integers(0, 99),
    ),
    max_size=24,
    unique=True,
)
ROLES = draw.dictionaries(draw.lists(PARTS, min_size=1, max_size=3).map("/".join), draw.sampled_from(Role), max_size=3)
ANSWERS = draw.dictionaries(draw.sampled_from(Doubt), draw.sampled_from(Answer))


@hypothesis.settings(QUIET, max_examples=300)
@hypothesis.given(FILES, ROLES, ANSWERS)
def test_whatever_lies_wherever_each_file_is_used_or_said_not_to_be(
    files: list[ListedFile], roles: dict[str, Role], answers: dict[Doubt, Answer]
) -> None:
    layout = lay_out(files, Choices(roles=roles, answers=answers))
    placed = [file for each in layout.classes.values() for file, _ in each]
    assert sorted([*placed, *layout.loose, *layout.unused], key=repr) == sorted(files, key=repr)
    assert sum(each.num_pictures for each in layout.left_out) == len(layout.unused)
    assert len({name.casefold() for name in layout.classes}) == len(layout.classes)
    assert all(layout.classes.values())
