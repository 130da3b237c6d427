"""Labels are found in tables of any kind and in files' names, by content; nothing in them raises an error."""

import json
from collections.abc import Mapping, Sequence

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.data.labels.file_names import find_name_labels
from demo.data.labels.labels import Labelling, LabelsFound, find_labels, may_have_labels
from demo.data.layouts.errors import BoxesNoClasses, SeveralLabels
from demo.data.reading import Role
from tests.data.label_files import WRITERS, write_csv

TRUTH = {f"{label}{number}": label for label in ("cat", "黑猫", "Bär") for number in range(4)}


def place(folder: str, *, suffix: str = ".jpg", labels: Mapping[str, str] = TRUTH) -> dict[str, str]:
    """Return paths of pictures that lie in a folder under numbers, and their labels."""
    return {f"{folder}{number}{suffix}": label for number, label in enumerate(labels.values())}


def only(found: LabelsFound) -> Labelling:
    assert not found.refused
    (labelling,) = found.labellings
    return labelling


def first_labels(found: LabelsFound) -> Mapping[str, str]:
    labelling = only(found)
    return labelling.labels[labelling.table.column]


def read_csv(text: str, paths: Sequence[str], *, name: str = "labels.csv") -> LabelsFound:
    return find_labels([(name, text.encode())], paths)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("folder", "mention"),
    [
        ("", "{}"),
        ("images/", "{}"),
        ("images/", "images/{}"),
        ("data/images/", "/home/me/pets/images/{}"),
        ("images/", "C:\\Users\\me\\images\\{}"),
        ("Images/", "./images/{}"),
    ],
)
def test_every_kind_of_table_is_read_whatever_it_calls_the_pictures(name: str, folder: str, mention: str) -> None:
    truth = place(folder)
    rows = [(mention.format(path.rpartition("/")[2]), label) for path, label in truth.items()]
    found = find_labels([(name, WRITERS[name](rows).encode())], list(truth))
    assert first_labels(found) == truth
    assert only(found).files == (name,)
    assert only(found).table.num_pictures == len(truth)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_is_read_in_any_encoding_and_with_any_delimiter(coding: str, delimiter: str) -> None:
    truth = place("images/", labels={"1": "猫", "2": "猫", "3": "小狗", "4": "小狗"})
    rows = [(path.rpartition("/")[2], label) for path, label in truth.items()]
    text = write_csv(rows, delimiter=delimiter, header=("文件名", "标签"))
    assert first_labels(find_labels([("标签.csv", text.encode(coding))], list(truth))) == truth


@pytest.mark.parametrize(
    ("coding", "labels"),
    [("cp932", "ねこ いぬ"), ("cp949", "고양이 강아지"), ("cp1252", "Bär Vögel"), ("big5", "貓咪 小狗")],
)
def test_a_csv_of_any_windows_is_read(coding: str, labels: str) -> None:
    truth = place("", labels=dict(enumerate(labels.split() * 3)))  # type: ignore[arg-type]
    assert first_labels(find_labels([("x.csv", write_csv(list(truth.items())).encode(coding))], list(truth))) == truth


@pytest.mark.parametrize("mention", ["{:03}", "{}", "{:03}.png"])
def test_names_without_suffix_or_zeros_or_with_another_suffix_are_understood(mention: str) -> None:
    truth = {f"train/{number:03}.jpg": ("a", "b")[number % 2] for number in range(6)}
    rows = [(mention.format(number), ("a", "b")[number % 2]) for number in range(6)]
    assert first_labels(read_csv(write_csv(rows), list(truth))) == truth


def test_columns_are_told_by_content_and_the_likeliest_comes_first() -> None:
    lines = ["no,width,colour,path,breed,caption,score"]
    lines += [f"{n},{640 + n % 2},{'red' if n < 4 else 'blue'},{n}.jpg,{'ab'[n % 2]},dog {n},0.{n}1" for n in range(8)]
    labelling = only(read_csv("\n".join(lines), [f"{n}.jpg" for n in range(8)]))
    assert labelling.table.columns == ("breed", "colour", "width")
    assert labelling.table.column == "breed"
    assert set(labelling.labels["colour"].values()) == {"red", "blue"}
    found = LabelsFound((labelling,))
    assert found.choose(labelling.table.key("colour")) == (labelling, "colour")
    assert found.choose("labels.csv#caption") is None


@pytest.mark.parametrize(
    ("header", "values"),
    [("split", ("train", "val", "test")), ("子集", ("训练", "验证", "测试")), ("is_valid", ("False", "True"))],
)
def test_a_column_of_splits_is_no_label(header: str, values: Sequence[str]) -> None:
    rows = [(f"{n}.jpg", "ab"[n % 2], values[n // 2]) for n in range(2 * len(values))]
    text = f"file,label,{header}\n" + "\n".join(map(",".join, rows))
    labelling = only(read_csv(text, [row[0] for row in rows]))
    assert labelling.table.columns == ("label",)
    roles = [labelling.splits[row[0]] for row in rows[::2]]
    assert roles == [Role.TRAIN, Role.VALIDATION, Role.TEST][: len(values)]


def test_names_of_classes_come_before_their_numbers() -> None:
    lines = ["class_id,class_name,file", *(f"{n % 2},{'ab'[n % 2]},{n}.jpg" for n in range(6))]
    assert only(read_csv("\n".join(lines), [f"{n}.jpg" for n in range(6)])).table.columns == ("class_name", "class_id")


def test_tables_of_one_kind_are_one_and_their_names_tell_splits() -> None:
    files = [
        (f"{split}.csv", write_csv([(f"{split}{n}.jpg", "ab"[n % 2]) for n in range(4)]).encode())
        for split in ("train", "val")
    ]
    labelling = only(find_labels(files, [f"images/{split}{n}.jpg" for split in ("train", "val") for n in range(4)]))
    assert labelling.files == ("train.csv", "val.csv")
    assert labelling.table.num_pictures == 8
    assert labelling.splits["images/train0.jpg"] is Role.TRAIN
    assert labelling.splits["images/val3.jpg"] is Role.VALIDATION


def test_pictures_of_one_name_are_those_in_the_folder_of_the_table() -> None:
    files = [(f"{split}/labels.csv", b"file,label\n0.jpg,a\n1.jpg,b\n") for split in ("x", "y")]
    paths = [f"{split}/images/{n}.jpg" for split in ("x", "y") for n in range(2)]
    assert first_labels(find_labels(files, paths)) == {path: "ab"[n % 2] for n, path in enumerate(paths)}
    assert find_labels([("labels.csv", files[0][1])], paths) == LabelsFound()  # which ones are meant, nobody can say


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other.csv", "day,rain\nmonday,yes\ntuesday,no\nwednesday,yes\n"),
        ("list.csv", "file\n0.jpg\n1.jpg\n2.jpg\n3.jpg\n"),
        ("captions.csv", "file,caption\n0.jpg,a cat\n1.jpg,two cats\n2.jpg,no cat\n3.jpg,a dog\n"),
        ("scores.csv", "file,score\n0.jpg,0.5\n1.jpg,0.5\n2.jpg,0.25\n3.jpg,0.25\n"),
        ("sizes.csv", "file,width\n0.jpg,640\n1.jpg,640\n2.jpg,480\n3.jpg,480\n4.jpg,480\n"),
        ("constant.csv", "file,label\n0.jpg,a\n1.jpg,a\n2.jpg,a\n3.jpg,a\n"),
        ("0.jpg.json", json.dumps({"title": "0.jpg", "description": "", "imageViews": "3"})),
        ("metadata.json", json.dumps({"title": "Holidays", "date": {"timestamp": "1"}})),
        ("README.txt", "Pictures of cats.\nTaken in 2024.\n"),
    ],
)
def test_what_names_no_classes_is_no_table_of_labels(name: str, text: str) -> None:
    assert find_labels([(name, text.encode())], [f"{n}.jpg" for n in range(5)]) == LabelsFound()


def coco(categories: Sequence[int]) -> bytes:
    """Return a file in which picture n has a box of each of two categories, or twice of one."""
    pairs = zip((0, 0, 1, 1, 2, 2), categories, strict=True)
    return json.dumps(
        {
            "images": [{"id": n, "file_name": f"{n}.jpg"} for n in range(3)],
            "annotations": [{"image_id": n, "category_id": category} for n, category in pairs],
            "categories": [{"id": n, "name": "xyz"[n]} for n in range(3)],
        }
    ).encode()


YOLO = [(f"train/labels/{n}.txt", f"{n % 2} 0.5 0.5 0.2 0.2\n".encode()) for n in range(4)]
YOLO_PICTURES = [f"train/images/{n}.jpg" for n in range(4)]


@pytest.mark.parametrize(
    ("files", "paths"),
    [
        ([("coco.json", coco((0, 1, 0, 1, 2, 2)))], ["0.jpg", "1.jpg", "2.jpg"]),
        ([("coco.json", coco((0, 0, 0, 0, 0, 0)))], ["0.jpg", "1.jpg", "2.jpg"]),
        ([(path, b"0 0.5 0.5 0.2 0.2\n") for path, _ in YOLO], YOLO_PICTURES),
        ([(path, b"0 .5 .5 1 1\n1 0 0 1e-1 1\n") for path, _ in YOLO], YOLO_PICTURES),
        ([("0.xml", b"<annotation><object><name>cat</name><bndbox></bndbox></object></annotation>")], ["0.jpg"]),
        (
            [("b.csv", b"filename,class,xmin,xmax\n0.jpg,a,1,2\n0.jpg,b,3,4\n1.jpg,a,1,2\n1.jpg,b,3,4")],
            ["0.jpg", "1.jpg"],
        ),
    ],
)
def test_boxes_are_no_classes(files: Sequence[tuple[str, bytes]], paths: Sequence[str]) -> None:
    found = find_labels(files, paths)
    assert not found.labellings
    assert {type(reason) for _, reason in found.refused} == {BoxesNoClasses}


def test_boxes_of_one_class_in_each_picture_are_its_class() -> None:
    assert first_labels(find_labels([("a.json", coco((0, 0, 1, 1, 1, 1)))], ["0.jpg", "1.jpg", "2.jpg"])) == {
        "0.jpg": "x",
        "1.jpg": "y",
        "2.jpg": "y",
    }
    for names in (b"names: [cat, 'dog']", b"nc: 2\nnames:\n- cat\n- dog\n", b"names:\n  0: cat\n  1: dog\nnc: 2"):
        labels = first_labels(find_labels([*YOLO, ("data.yaml", names)], YOLO_PICTURES))
        assert labels == {path: ("cat", "dog")[n % 2] for n, path in enumerate(YOLO_PICTURES)}


def test_several_labels_for_one_picture_are_refused_by_name() -> None:
    files = [("tags.csv", b"file, cat, dog\n0.jpg, 1, 1\n1.jpg, 0, 1\n2.jpg, 1, 1\n")]
    ((path, reason),) = find_labels(files, ["0.jpg", "1.jpg", "2.jpg"]).refused
    assert path == "tags.csv"
    assert isinstance(reason, SeveralLabels)
    assert '"tags.csv"' in str(reason)
    records = [{"file_name": f"{n}.jpg", "labels": ["cat", "dog"]} for n in range(3)]
    ((_, reason),) = find_labels([("x.json", json.dumps(records).encode())], ["0.jpg", "1.jpg", "2.jpg"]).refused
    assert isinstance(reason, SeveralLabels)


def test_labels_are_safe_to_show() -> None:
    found = read_csv(
        "file,label\n0.jpg,\u202e cat\x1b\n1.jpg,dog\n2.jpg, cat\n3.jpg,dog \n", [f"{n}.jpg" for n in range(4)]
    )
    assert set(first_labels(found).values()) == {"cat", "dog"}


NUMBER_OF_PICTURES = 40


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.json", b"[" * 1_000_000),
        ("deep.json", b'{"images":' * 100_000),
        ("number.json", b"[" + b"9" * 1_000_000 + b"]"),
        ("odd.json", b'{"images":[1,null,{"id":[1]}],"annotations":[{"image_id":[]},2],"categories":7}'),
        ("odd.jsonl", b'{"a":1,"b":2}\nnull\n[]\n{"c":[{}],"d":[[[]]]}\n'),
        ("commas.csv", b"," * 1_000_000),
        ("quote.csv", b'0.jpg,"' + b"a,b\n" * 50_000),
        ("wide.csv", b",".join(b"%d.jpg" % (n % 40) for n in range(150_000))),
        ("zeros.csv", b"\0" * 1_000_000),
        ("half.csv", b"\xff\xfea"),
        ("spaces.txt", b" " * 1_000_000),
        ("titles.txt", b"a\n" * 100_000),
        ("boxes.txt", b"0 " + b"1" * 1_000_000),
        ("data.yaml", b"names:[" * 100_000),
        ("many.csv", b"".join(b"%d.jpg,%d\n" % (n, n % 3) for n in range(20_000))),
    ],
)
def test_hostile_tables_are_no_more_than_no_tables(name: str, content: bytes) -> None:
    paths = [f"{n % 20}/{n}.jpg" for n in range(NUMBER_OF_PICTURES)]
    for each in find_labels([(name, content)], paths).labellings:
        assert each.table.num_pictures <= NUMBER_OF_PICTURES


@hypothesis.settings(deadline=None, database=None, derandomize=True)
@given(
    st.sampled_from(["a.csv", "a.tsv", "a.txt", "a.json", "a.jsonl", "a.yaml", "a.xml", "classes.txt"]),
    st.one_of(st.binary(max_size=200), st.text("0.jpg,;\t\n\"'[]{}:ab1é", max_size=200).map(str.encode)),
)
def test_no_content_raises_an_error(name: str, content: bytes) -> None:
    assert may_have_labels(name)
    find_labels([(name, content)], ["0.jpg", "a/1.jpg", "b/1.jpg"])


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ("cat.0.jpg cat.1.jpg dog.0.jpg dog.1.jpg", "cat dog"),
        ("cat_001.jpg cat_002.jpg dog_001.jpg dog_002.png", "cat dog"),
        ("cat1 cat2 dog1 dog2", "cat dog"),
        ("IMG_cat_12.jpg IMG_cat_13.jpg IMG_dog_12.jpg IMG_dog_13.jpg", "cat dog"),
        ("0-cat.jpg 1-cat.jpg 2-dog.jpg 3-dog.jpg", "cat dog"),
        ("猫1.jpg 猫2.jpg 狗1.jpg 狗2.jpg", "狗 猫"),
        (
            "american_bulldog_1.jpg american_bulldog_2.jpg Abyssinian_1.jpg Abyssinian_2.jpg",
            "Abyssinian american_bulldog",
        ),
        ("Cat_1.jpg Cat_2.jpg cat_3.jpg dog_1.jpg dog_2.jpg", "Cat dog"),
        ("cat_a7f.jpg cat_b81c.jpg dog_c9.jpg dog_dd4.jpg", "cat dog"),
        ("train_cat_1.jpg test_cat_2.jpg train_dog_1.jpg test_dog_2.jpg", "cat dog"),
        ("x0_jpg.rf.0a1b.jpg x1_jpg.rf.7c2d.jpg y0_jpg.rf.0a1b.jpg", ""),
        ("IMG_0001.jpg IMG_0002.jpg IMG_0003.jpg", ""),
        ("IMG_0001.jpg IMG_0002.jpg DSC00001.jpg DSC00002.jpg", ""),
        ("DSC0001.jpg DSC0002.jpg PXL_2024.jpg PXL_2025.jpg", ""),
        ("Screenshot_2024_com.instagram.jpg Screenshot_2025_com.whatsapp.jpg Screenshot_2026_com.instagram.jpg", ""),
        ("微信图片_2024.jpg 微信图片_2025.jpg mmexport1.jpg mmexport2.jpg", ""),
        ("0a1.jpg 0b2.jpg 1a3.jpg 2b4.jpg 3c5.jpg 3c6.jpg", ""),
        ("lion.jpg tiger.jpg bear.jpg wolf.jpg", ""),
        ("1.jpg 2.jpg 3.jpg", ""),
        ("", ""),
    ],
)
def test_labels_in_names_are_told_from_what_cameras_write(names: str, labels: str) -> None:
    found = find_name_labels([f"train/{name}" for name in names.split()])
    assert " ".join(sorted(set(found.values()))) == labels


def test_dates_of_messengers_are_no_labels() -> None:
    assert not find_name_labels([f"WhatsApp Image 2024-01-0{n} at 10.00.0{n}.jpeg" for n in range(6)])
