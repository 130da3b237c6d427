"""Zips become one collection: what they list is laid out, drawn from, read, and laid out again as the visitor wants."""

import csv
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO

import pytest

from demo.data.collection import (
    Collection,
    add_class,
    add_pictures,
    join_classes,
    remove_class,
    rename_class,
    switch_class,
)
from demo.data.dataset import check_questions, make_dataset, read_dataset
from demo.data.errors import (
    ArchiveEncrypted,
    EntryNotAnImage,
    NotAZip,
    NothingUsable,
    TooManyEntries,
    TooManyPictures,
    UnpackedBytesExceeded,
)
from demo.data.folders import add_archives, read_again, read_collection, remove_source, reread
from demo.data.layouts.errors import EntryZipTooDeep, TooManyArchives
from demo.data.reading import FOLDERS, NAMES, Answer, Choices, Doubt, Reading, Role
from demo.data.starters import read_starter
from demo.errors import DemoError
from demo.settings import Settings
from tests.pictures import encode, noise, png, write_zip

Pack = Callable[..., tuple[Path, str]]


def shot(seed: int) -> bytes:
    return encode(noise(seed, (24, 16)))


def shots(*folders: str, count: int = 3, seed: int = 0) -> dict[str, bytes]:
    """Return so many pictures for each folder; no two are equal."""
    return {
        f"{folder}/{number}.png": shot(seed + 1000 * place + number)
        for place, folder in enumerate(folders)
        for number in range(count)
    }


def in_zip(files: Mapping[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    def write(name: str, files: Mapping[str, bytes], comment: bytes = b"") -> tuple[Path, str]:
        path = write_zip(tmp_path / f"{len(list(tmp_path.iterdir()))}", files)
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = comment
        return path, name

    return write


def sizes(collection: Collection) -> dict[str, int]:
    return {each.name: len(each.pictures) for each in collection.classes}


def sources_of(collection: Collection) -> tuple[str, ...]:
    assert collection.reading is not None
    return collection.reading.sources


def tell(collection: Collection) -> Reading:
    """Return how a collection was read, with the reasons as values that can be compared."""
    assert collection.reading is not None
    left_out = [
        (each.folder, str(each.reason), each.num_pictures, each.example) for each in collection.reading.left_out
    ]
    return replace(collection.reading, left_out=tuple(left_out))  # type: ignore[arg-type]


# Reports of users: what each zip has to become stands in EXPECT.tsv.


def read_report(path: Path, settings: Settings) -> tuple[Collection, set[Doubt]]:
    """Read a zip as a visitor does who says the likeliest to all that is asked."""
    collection = read_collection(path, settings)
    assert collection.reading is not None
    asked = collection.reading.open_questions
    choices = Choices(answers={each.doubt: each.answers[0] for each in asked})
    return reread(collection, choices, settings), {each.doubt for each in asked}


ASKED = {
    "labels-in-names.zip": {Doubt.NAMES},
    "segmentation-masks.zip": {Doubt.MASKS},
    "hierarchy.zip": {Doubt.NESTED},
    "copied-50.zip": {Doubt.COPIES},
}
REFUSED = {
    "yolo-roboflow.zip": "boxes",
    "yolo-ultralytics.zip": "boxes",
    "segmentation-masks.zip": r"1 class to tell apart \(images\)",
    "only-loose.zip": "lie in no class folder. Make a folder for each class",
    "rar-named.zip": "RAR",
    "targz-named.zip": "gzip",
    "password.zip": "password",
    "sevenz-named.zip": "7z",
    "bzip2.zip": "bzip2",
    "cut.zip": "damaged",
    "one-class.zip": r"1 class to tell apart \(a\)",
    "twenty-one.zip": "21 classes; at most 20",
}


def test_every_zip_of_the_reports_is_read_rightly_or_refused_for_its_reason(
    shared_data: Path, settings: Settings
) -> None:
    wrong = {}
    lines = (shared_data / "reports" / "EXPECT.tsv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(lines, delimiter="\t"):
        name, expected = row["file"], row["expected classes: pictures"]
        asked: set[Doubt] = set()
        try:
            collection, asked = read_report(shared_data / "reports" / name, settings)
            dataset = make_dataset(collection, settings)
        except DemoError as error:
            is_right = name in REFUSED and bool(re.search(REFUSED[name], str(error)))
            got: object = str(error)
        else:
            got = {each: sum(counts.values()) for each, counts in dataset.counts.items()}
            is_right = name not in REFUSED and got == json.loads(expected)
        if not is_right or asked != ASKED.get(name, set()):
            wrong[name] = got, asked
    assert not wrong


def test_the_parts_of_a_drive_are_one(shared_data: Path, settings: Settings) -> None:
    parts = [(shared_data / "reports" / f"drive-00{number}.zip", f"Pets-00{number}.zip") for number in (1, 2)]
    together = {"bird": 5, "cat": 5, "dog": 7}
    assert sizes(read_collection(parts, settings)) == together
    one_after_the_other = add_archives(read_collection(parts[:1], settings), parts[1:], settings)
    assert sizes(one_after_the_other) == together
    assert sources_of(one_after_the_other) == ("Pets-001.zip", "Pets-002.zip")


# Several zips, and zips inside one


def test_a_zip_of_the_same_name_replaces_the_one_before(pack: Pack, settings: Settings) -> None:
    first = read_collection([pack("a.zip", shots("cat", "dog"))], settings)
    second = add_archives(first, [pack("b.zip", shots("dog", "hen", seed=50))], settings)
    assert sizes(second) == {"cat": 3, "dog": 6, "hen": 3}
    third = add_archives(second, [pack("b.zip", shots("hen", "fox", count=2, seed=90))], settings)
    assert sizes(third) == {"cat": 3, "dog": 3, "fox": 2, "hen": 2}
    assert sources_of(third) == ("a.zip", "b.zip")
    assert sizes(remove_source(third, "a.zip", settings)) == {"fox": 2, "hen": 2}
    assert sizes(first) == {"cat": 3, "dog": 3}


def test_classes_of_the_page_stay_and_join_and_a_starter_set_goes(pack: Pack, settings: Settings) -> None:
    own = Collection()
    for name in ("Cat", "me"):
        own = add_class(own, name, settings=settings)
        own = add_pictures(own, name, files=[("shot.png", shot(7))], settings=settings)
    both = add_archives(own, [pack("a.zip", shots("cat", "dog"))], settings)
    assert sizes(both) == {"cat": 4, "dog": 3, "me": 1}
    assert sizes(remove_source(both, "a.zip", settings)) == {"cat": 1, "me": 1}
    starter = read_starter("signs", replace(settings, max_pictures=12))
    assert sizes(add_archives(starter, [pack("a.zip", shots("cat", "dog"))], settings)) == {"cat": 3, "dog": 3}
    assert sizes(add_archives(None, [pack("a.zip", shots("cat", "dog"))], settings)) == {"cat": 3, "dog": 3}


def test_what_a_zip_is_called_is_shown_and_is_cleaned(pack: Pack, settings: Settings) -> None:
    zips = [
        pack(f"\u202e{name}\n.zip", {f"{number}.png": shot(number + place) for number in range(3)})
        for place, name in ((0, "cat"), (9, "dog"))
    ]
    collection = read_collection(zips, settings)
    assert sizes(collection) == {"cat": 3, "dog": 3}
    assert sources_of(add_archives(collection, zips[:1], settings)) == ("dog.zip", "cat.zip")


def test_two_zips_of_one_name_at_once_are_two(pack: Pack, settings: Settings) -> None:
    both = [pack("a.zip", shots("cat", "dog")), pack("a.zip", shots("dog", "hen", seed=50))]
    assert sizes(read_collection(both, settings)) == {"cat": 3, "dog": 6, "hen": 3}


def test_a_zip_that_cannot_be_read_leaves_what_there_is(pack: Pack, settings: Settings, tmp_path: Path) -> None:
    before = read_collection([pack("a.zip", shots("cat", "dog"))], settings)
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(NotAZip):
        add_archives(before, [(tmp_path / "no.zip", "no.zip")], settings)
    with pytest.raises(NothingUsable):
        add_archives(before, [pack("b.zip", {"cat/1.png": b"no picture"})], settings)
    assert sizes(before) == {"cat": 3, "dog": 3}


def test_a_zip_of_zips_is_read_one_level_deep(pack: Pack, settings: Settings) -> None:
    inner = {f"{name}-samples.zip": in_zip(shots(".", seed=seed)) for name, seed in (("cat", 0), ("dog", 50))}
    assert sizes(read_collection([pack("model.zip", inner)], settings)) == {"cat": 3, "dog": 3}
    assert sizes(
        read_collection([pack("model.zip", {"export/" + name: each for name, each in inner.items()})], settings)
    )
    splits = {f"{name}.zip": in_zip(shots("cat", "dog", seed=seed)) for name, seed in (("train", 0), ("test", 50))}
    dataset = read_dataset([pack("all.zip", splits)], settings)
    assert dataset.counts["cat"] == {"train": 2, "validation": 1, "test": 3}
    deeper = read_collection([pack("deep.zip", {**inner, "more.zip": in_zip({"x.zip": in_zip(shots("x"))})})], settings)
    assert sizes(deeper) == {"cat": 3, "dog": 3}
    assert [(each.path, type(each.reason)) for each in deeper.skipped] == [("more/x.zip", EntryZipTooDeep)]


def test_a_zip_inside_that_cannot_be_read_is_named(pack: Pack, settings: Settings, shared_data: Path) -> None:
    secret = (shared_data / "reports" / "password.zip").read_bytes()
    files = shots("cat", "dog") | {"fox.zip": secret, "hen.zip": b"no zip"}
    skipped = read_collection([pack("a.zip", files)], settings).skipped
    assert {each.path: type(each.reason) for each in skipped} == {"fox.zip": ArchiveEncrypted, "hen.zip": NotAZip}


def test_all_zips_share_one_budget(pack: Pack, settings: Settings) -> None:
    parts = [pack("a.zip", shots("cat", "dog")), pack("b.zip", shots("hen", "fox", seed=50))]
    inner = pack("c.zip", {f"{name}.zip": in_zip(shots(name, seed=90)) for name in ("cat", "dog")})
    for sources in (parts, [inner]):
        with pytest.raises(TooManyEntries):
            read_collection(sources, replace(settings, max_archive_entries=7))
        with pytest.raises(TooManyArchives):
            read_collection(sources, replace(settings, max_archives=1))
    num_bytes = sum(map(len, shots("cat", "dog").values()))
    with pytest.raises(UnpackedBytesExceeded):
        read_collection(parts, replace(settings, max_unpacked_bytes=num_bytes * 3 // 2))


def test_a_folder_is_read_as_a_zip_of_it_is(pack: Pack, settings: Settings, tmp_path: Path) -> None:
    files = shots("train/cat", "train/dog") | shots("test/cat", "test/dog", seed=50) | {"train/cat/.DS_Store": b""}
    files |= {"copy/" + name: content for name, content in files.items()}
    files["train/notes.txt"] = b"text"
    top = tmp_path / "pets"
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)
    folder, archive = read_collection(top, settings), read_collection([pack("pets", files)], settings)
    assert tell(folder) == tell(archive)
    assert [each.path for each in folder.pictures] == [each.path for each in archive.pictures]
    assert make_dataset(folder, settings).counts == make_dataset(archive, settings).counts


# Drawing


def many(num_pictures: int) -> dict[str, bytes]:
    """Return train and test, four to one, of a class of nine tenths and a class of one."""
    paths = [
        f"{'test' if number % 5 == 2 else 'train'}/{'cat' if number % 10 else 'dog'}/{number}.png"
        for number in range(num_pictures)
    ]
    return {path: png((number % 256, number // 256, 9)) for number, path in enumerate(paths)}


def test_more_pictures_than_can_be_used_are_drawn_evenly_and_by_a_fixed_seed(pack: Pack, settings: Settings) -> None:
    few, files = replace(settings, max_pictures=60), many(500)
    collection = read_collection([pack("a.zip", files)], few)
    assert sizes(collection) == {"cat": 30, "dog": 30}
    assert collection.reading is not None
    assert collection.reading.drawn_of == 500
    counts = make_dataset(collection, few).counts
    assert counts["cat"]["test"] in (6, 7)
    drawn = {each.path for each in collection.pictures}
    assert len({path.rpartition("/")[2].removesuffix(".png")[:-2] for path in drawn}) > 4  # and not the first ones
    mixed = dict(reversed(files.items()))
    assert {each.path for each in read_collection([pack("b.zip", mixed)], few).pictures} == drawn
    assert tell(read_collection([pack("c.zip", many(60))], few)).drawn_of == 0


def test_pictures_of_the_page_leave_less_room_and_at_last_none(pack: Pack, settings: Settings) -> None:
    few = replace(settings, max_pictures=8)
    own = add_class(Collection(), "me", settings=few)
    for number in (1, 2):
        own = add_pictures(own, "me", files=[(f"{number}.png", shot(number))], settings=few)
    zipped = [pack("a.zip", shots("cat", "dog", count=9, seed=50))]
    assert sizes(add_archives(own, zipped, few)) == {"cat": 3, "dog": 3, "me": 2}
    with pytest.raises(TooManyPictures):
        add_archives(own, zipped, replace(settings, max_pictures=2))


def test_only_what_is_drawn_is_read(pack: Pack, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real, source = zipfile.ZipFile.open, pack("a.zip", many(500))

    def note(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
        read.append(info.filename)
        return real(archive, info)

    monkeypatch.setattr(zipfile.ZipFile, "open", note)
    read_collection([source], replace(settings, max_pictures=60))
    assert len(read) == 2 * len({*read}) == 120  # its head, and then all of it


def test_what_is_no_picture_is_replaced_by_the_next_of_its_class(pack: Pack, settings: Settings) -> None:
    files = many(500)
    for name in list(files)[::2]:
        files[name] = b"no picture"
    few = replace(settings, max_pictures=40)
    collection = read_collection([pack("a.zip", files)], few)
    assert sizes(collection) == {"cat": 40}  # every picture of a dog is broken
    assert len(collection.skipped) >= 50


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (b"drawn 6 of 900", 900),
        (b"drawn 6 of 6", 0),
        (b"drawn 6 of 5", 0),
        (b"drawn 6 of 99999999", 0),
        (b"drawn -6 of 900", 0),
        (b"x drawn 6 of 900", 0),
        (b"", 0),
    ],
)
def test_what_the_browser_has_drawn_is_said(comment: bytes, expected: int, pack: Pack, settings: Settings) -> None:
    collection = read_collection([pack("a.zip", shots("cat", "dog"), comment)], settings)
    assert collection.reading is not None
    assert collection.reading.drawn_of == expected


# Putting right


def test_a_class_that_was_left_out_can_be_had_without_its_file(pack: Pack, settings: Settings) -> None:
    files = shots("train/cat", "train/dog") | shots("test/cat", "test/dog", "pred", seed=50)
    path, name = pack("a.zip", files)
    collection = read_collection([(path, name)], settings)
    path.unlink()
    assert sizes(collection) == {"cat": 6, "dog": 6}
    assert {each.path.partition("/")[0] for each in collection.unused} == {"pred"}
    choices = Choices().assign("pred", Role.CLASS)
    again = reread(collection, choices, settings)
    assert sizes(again) == {"cat": 6, "dog": 6, "pred": 3}
    assert again.unused == ()
    back = reread(again, Choices(), settings)
    assert (tell(back), back.classes, back.unused) == (tell(collection), collection.classes, collection.unused)


def test_what_was_renamed_joined_removed_or_switched_off_stays_so(pack: Pack, settings: Settings) -> None:
    collection = read_collection(
        [pack("a.zip", shots("cat", "dog", "hen", "fox", "owl") | shots("pred/x/y"))], settings
    )
    collection = rename_class(collection, "cat", new_name="kitten")
    collection = join_classes(collection, ["dog", "fox", "dog"], new_name="canine")
    collection = switch_class(remove_class(collection, "owl"), "hen", is_on=False)
    before = sizes(collection)
    assert before == {"kitten": 3, "canine": 6, "hen": 3, "pred": 3}
    again = reread(collection, Choices().assign("pred", Role.OUT), settings)
    assert sizes(again) == {"kitten": 3, "canine": 6, "hen": 3}
    assert [each.name for each in again.classes if not each.is_on] == ["hen"]
    at_first = read_again(add_class(collection, "mine", settings=settings), settings)
    assert sizes(at_first) == {"cat": 3, "dog": 3, "fox": 3, "hen": 3, "pred": 3, "mine": 0}
    assert all(each.is_on for each in at_first.classes)
    more = add_archives(again, [pack("b.zip", shots("cat", "dog", seed=70))], settings)
    assert sizes(more) == {"kitten": 6, "canine": 9, "hen": 3}


def test_labels_in_names_are_taken_where_the_visitor_says_so(pack: Pack, settings: Settings) -> None:
    names = [f"{name}.{number}.png" for name in ("cat", "dog") for number in range(4)]
    paths = [f"{folder}/{name}" for folder in ("train", "test1") for name in names]
    files = {path: shot(number) for number, path in enumerate(paths)}
    collection = read_collection([pack("a.zip", files)], settings)
    assert collection.reading is not None
    assert Doubt.NAMES in {each.doubt for each in collection.reading.open_questions}
    named = reread(collection, Choices().answer(Doubt.NAMES, Answer.NAMES), settings)
    assert sizes(named) == {"cat": 8, "dog": 8}
    assert named.reading is not None
    assert (named.reading.labels, named.reading.open_questions) == (NAMES, ())
    by_folders = reread(named, replace(named.reading.choices, labels=FOLDERS), settings)
    assert tell(by_folders).labels == FOLDERS


def test_a_table_gives_the_classes_and_the_visitor_its_column(pack: Pack, settings: Settings) -> None:
    rows = [
        f"images/{number}.png,{'cat' if number % 2 else 'dog'},{'Ann' if number < 3 else 'Ben'}" for number in range(6)
    ]
    table = "\n".join(["file,species,author", *rows]).encode()
    files = shots("images", count=7) | {"labels.csv": table, "notes.md": b"text"}
    collection = read_collection([pack("a.zip", files)], settings)
    assert sizes(collection) == {"cat": 3, "dog": 3}
    assert [type(each.reason) for each in collection.skipped] == [EntryNotAnImage]  # not the table
    reading = collection.reading
    assert reading is not None
    assert [(each.folder, each.num_pictures) for each in reading.left_out] == [("images", 1)]
    (table_read,) = reading.tables
    other = reread(collection, replace(reading.choices, labels=table_read.key("author")), settings)
    assert sizes(other) == {"Ann": 3, "Ben": 3}
    assert {each.path for each in other.unused} == {"images/6.png"}
    assert sizes(reread(other, Choices(), settings)) == sizes(collection)


def test_questions_are_asked_before_anything_is_made_of_the_pictures(pack: Pack, settings: Settings) -> None:
    source = pack("a.zip", shots("old/cat", "old/dog", "new/fox", "new/hen"))
    with pytest.raises(DemoError, match="please answer: new; old: the pictures lie in several folders"):
        read_dataset([source], settings)
    choices = Choices().answer(Doubt.NESTED, Answer.INNER)
    assert read_dataset([source], settings, choices=choices).class_names == ("cat", "dog", "fox", "hen")
    check_questions(Collection())
