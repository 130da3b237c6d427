"""Class folders become samples with a split, and a report of what was left out."""

import hashlib
import stat
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from demo.data.collection import MAX_CLASS_NAME_LENGTH, Collection, add_class, add_pictures, switch_class
from demo.data.dataset import Dataset, Split, make_dataset, read_dataset
from demo.data.errors import (
    ArchiveError,
    ClassTooSmall,
    ClassWithoutTraining,
    DatasetError,
    EntryDamaged,
    EntryNotAnImage,
    EntryOutsideClass,
    EntryUnsupported,
    ImageDamaged,
    ImageTooLarge,
    NoPictures,
    NotAnImage,
    NotAZip,
    NothingUsable,
    ReadingTooLong,
    TooFewClasses,
    TooManyClasses,
    UploadError,
)
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.data.layouts.errors import PicturesWithoutFolders, QuestionsOpen
from demo.data.reading import Answer, Choices, Doubt
from demo.data.report import DataReport, NearPair
from demo.settings import Settings
from tests.pictures import MakeZip, colour_folders, encode, noise, png


def pictures(*paths: str) -> dict[str, bytes]:
    """Return one picture for each path; they differ, so that a mix-up shows."""
    return {path: png((number, 0, 0)) for number, path in enumerate(paths)}


def folders(prefix: str, names: Iterable[str], num_pictures: int = 2) -> list[str]:
    return [f"{prefix}{name}/{number}.png" for name in names for number in range(num_pictures)]


def paths_in(dataset: Dataset, split: Split) -> set[str]:
    return {sample.path for sample in dataset.samples if sample.split is split}


def reasons(dataset: Dataset) -> dict[str, type[UploadError]]:
    return {skipped.path: type(skipped.reason) for skipped in dataset.skipped}


def scene(seed: int) -> Image.Image:
    """Return a picture with large coloured patches, as a photograph has them."""
    return noise(seed, (6, 6)).resize((96, 96), Image.Resampling.BICUBIC)


def burst(folder: str, seed: int, num_shots: int) -> dict[str, bytes]:
    """Return shots of one scene that differ in light, by a pixel or two, and in what the JPEG loses."""
    shots = {}
    for shot in range(num_shots):
        lit = ImageEnhance.Brightness(scene(seed)).enhance(1 + 0.01 * shot)
        shots[f"{folder}/{shot}.jpg"] = encode(lit.crop((shot % 2, shot % 3, 95, 96)), "JPEG")
    return shots


SHOTS = 4


def bursts(name: str, seed: int, count: int) -> dict[str, bytes]:
    """Return a class of bursts of four, each in a folder of its own inside the class's."""
    return dict(chain(*(burst(f"{name}/{name}{number}", seed + number, SHOTS).items() for number in range(count))))


INSIDE = Choices().answer(Doubt.NESTED, Answer.KEEP)  # folders inside a class are meant to be of it


def sizes(**counts: int) -> list[tuple[str, int]]:
    return [(name, number) for name, count in counts.items() for number in range(count)]


def named(pair: NearPair) -> tuple[str, str]:
    return pair.first.path, pair.second.path


def test_each_folder_is_a_class(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(colour_folders()), settings)
    assert dataset.class_names == ("blue", "red")
    assert {(sample.path.split("/")[0], sample.class_idx) for sample in dataset.samples} == {("blue", 0), ("red", 1)}
    assert dataset.skipped == ()


def test_samples_keep_their_paths_and_bytes(make_zip: MakeZip, settings: Settings) -> None:
    files = colour_folders()
    dataset = read_dataset(make_zip(files), settings)
    assert {sample.path: sample.image_bytes for sample in dataset.samples} == files


def test_every_sample_decodes(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip({**colour_folders(2), "red/bad.png": png()[:40]}), settings)
    assert len(dataset.samples) == 4
    assert all(read_image(sample.image_bytes, settings).size == (32, 24) for sample in dataset.samples)


@pytest.mark.parametrize("outer", ["data/", "data/2024/pictures/", "__data__/", "照片/", "C:\\photos\\"])
def test_outer_folders_are_looked_through(outer: str, make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(pictures(*folders(outer, ["cat", "dog"]))), settings)
    assert dataset.class_names == ("cat", "dog")


def test_folders_inside_a_class_belong_to_it_if_that_is_meant(make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip(pictures("cat/old/1.png", "cat/new/1.png", "cat/1.png", "dog/a/b/1.png", "dog/2.png"))
    with pytest.raises(QuestionsOpen, match="cat: the pictures lie in several folders inside"):
        read_dataset(path, settings)
    dataset = read_dataset(path, settings, choices=INSIDE)
    assert dataset.class_names == ("cat", "dog")
    assert [sample.class_idx for sample in dataset.samples] == [0, 0, 0, 1, 1]


def test_litter_hides_no_outer_folder(make_zip: MakeZip, settings: Settings) -> None:
    files = pictures(*folders("data/", ["cat", "dog"])) | {"__MACOSX/data/cat/._0.png": b"", ".DS_Store": b""}
    dataset = read_dataset(make_zip(files), settings)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.skipped == ()


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Train", "VAL", "Test"),
        ("training", "validation", "testing"),
        ("train", "valid", "test"),
        ("训练", "验证", "测试"),
        ("训练集", "验证集", "测试集"),
    ],
)
@pytest.mark.parametrize("outer", ["", "data/"])
def test_split_folders_are_kept(
    train: str, validation: str, test: str, outer: str, make_zip: MakeZip, settings: Settings
) -> None:
    theirs = {
        split: folders(f"{outer}{name}/", ["cat", "dog"])
        for split, name in ((Split.TRAIN, train), (Split.VALIDATION, validation), (Split.TEST, test))
    }
    dataset = read_dataset(make_zip(pictures(*chain(*theirs.values()))), settings)
    assert dataset.class_names == ("cat", "dog")
    assert {split: paths_in(dataset, split) for split in Split} == {
        split: set(paths) for split, paths in theirs.items()
    }


def test_training_and_validation_folders_are_enough(make_zip: MakeZip, settings: Settings) -> None:
    files = pictures(*folders("train/", ["cat", "dog"], 5), *folders("val/", ["cat", "dog"], 1))
    assert read_dataset(make_zip(files), settings).counts == {
        "cat": {"train": 5, "validation": 1},
        "dog": {"train": 5, "validation": 1},
    }


def test_without_validation_it_is_drawn_from_training_and_never_from_test(
    make_zip: MakeZip, settings: Settings
) -> None:
    files = pictures(*folders("train/", ["cat", "dog"], 5), *folders("test/", ["cat", "dog"], 5))
    dataset = read_dataset(make_zip(files), settings)
    assert dataset.counts == {name: {"train": 4, "validation": 1, "test": 5} for name in ("cat", "dog")}
    assert all(path.startswith("test/") for path in paths_in(dataset, Split.TEST))


def test_training_folders_alone_are_classes_with_a_split_of_their_own(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(pictures(*folders("train/", ["cat", "dog"], 5))), settings)
    assert dataset.counts == {name: {"train": 4, "validation": 1} for name in ("cat", "dog")}


@pytest.mark.parametrize(("num_pictures", "held_out"), [(2, 1), (3, 1), (5, 1), (7, 1), (8, 2), (9, 2)])
def test_a_fifth_of_each_class_is_held_out(
    num_pictures: int, held_out: int, make_zip: MakeZip, settings: Settings
) -> None:
    dataset = read_dataset(make_zip(colour_folders(num_pictures)), settings)
    expected = {"train": num_pictures - held_out, "validation": held_out}
    assert dataset.counts == {"blue": expected, "red": expected}


@pytest.mark.parametrize(("num_pictures", "held_out"), [(10, 2), (12, 2), (13, 3), (25, 5)])
def test_classes_of_ten_and_more_give_another_fifth_for_the_test(
    num_pictures: int, held_out: int, make_zip: MakeZip, settings: Settings
) -> None:
    dataset = read_dataset(make_zip(colour_folders(num_pictures)), settings)
    expected = {"train": num_pictures - 2 * held_out, "validation": held_out, "test": held_out}
    assert dataset.counts == {"blue": expected, "red": expected}


def test_one_class_below_ten_leaves_all_without_a_test(make_zip: MakeZip, settings: Settings) -> None:
    files = colour_folders(10)
    del files["red/9.png"]
    assert read_dataset(make_zip(files), settings).counts == {
        "blue": {"train": 8, "validation": 2},
        "red": {"train": 7, "validation": 2},
    }


def test_a_second_read_gives_the_same_split(make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip(colour_folders(20))
    assert read_dataset(path, settings).samples == read_dataset(path, settings).samples


def test_the_split_is_drawn_and_not_the_first_ones(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(colour_folders(20)), settings)
    held_out = paths_in(dataset, Split.VALIDATION)
    assert {path.split("/")[0] for path in held_out} == {"blue", "red"}
    assert held_out != {f"{name}/{number}.png" for name in ("blue", "red") for number in range(4)}


def test_splits_do_not_share_a_picture(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(colour_folders(20)), settings)
    assert len({sample.path for sample in dataset.samples}) == len(dataset.samples) == 40


def test_what_cannot_be_used_is_skipped_with_its_reason(make_zip: MakeZip, settings: Settings) -> None:
    files = {
        **colour_folders(2),
        "red/notes.txt": b"red",
        "red/clip.mp4": b"",
        "red/half.png": encode(noise(0))[:3000],
        "red/page.jpg": b"<html>",
        "red/empty.png": b"",
        "stray.png": png(),
    }
    dataset = read_dataset(make_zip(files), settings)
    assert reasons(dataset) == {
        "red/notes.txt": EntryNotAnImage,
        "red/clip.mp4": EntryNotAnImage,
        "red/half.png": ImageDamaged,
        "red/page.jpg": NotAnImage,
        "red/empty.png": NotAnImage,
        "stray.png": EntryOutsideClass,
    }
    assert len(dataset.samples) == 4


def test_a_picture_outside_the_classes_of_a_split_is_skipped(make_zip: MakeZip, settings: Settings) -> None:
    files = pictures(*folders("data/train/", ["cat", "dog"]), *folders("data/val/", ["cat", "dog"]))
    strays = pictures("data/train/stray.png", "data/stray.png", "stray.png")
    dataset = read_dataset(make_zip(files | strays), settings)
    assert reasons(dataset) == dict.fromkeys(strays, EntryOutsideClass)
    assert dataset.class_names == ("cat", "dog")


def test_a_picture_with_too_many_pixels_is_skipped(make_zip: MakeZip, settings: Settings) -> None:
    files = colour_folders(2) | {"red/poster.png": png(size=(40, 40))}
    dataset = read_dataset(make_zip(files), replace(settings, max_image_pixels=1000))
    assert reasons(dataset) == {"red/poster.png": ImageTooLarge}


def test_a_picture_with_too_many_bytes_is_skipped_for_its_size(make_zip: MakeZip, settings: Settings) -> None:
    files = colour_folders(2) | {"red/big.png": encode(noise(0))}
    dataset = read_dataset(make_zip(files), replace(settings, max_image_bytes=5000))
    (skipped,) = dataset.skipped
    assert skipped.path == "red/big.png"
    assert not isinstance(skipped.reason, EntryUnsupported | EntryDamaged)


def test_links_are_skipped(make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip(colour_folders(2))
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("red/link.png")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "0.png")
    assert reasons(read_dataset(path, settings)) == {"red/link.png": EntryUnsupported}


def test_a_suffix_may_be_in_capitals(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(pictures("cat/1.PNG", "cat/2.Jpg", "dog/1.JPEG", "dog/2.png")), settings)
    assert len(dataset.samples) == 4


def test_one_class_is_too_few(make_zip: MakeZip, settings: Settings) -> None:
    with pytest.raises(TooFewClasses, match=r"is 1 class to tell apart \(cat\); at least 2"):
        read_dataset(make_zip(pictures(*folders("", ["cat"], 4))), settings)


def test_a_class_whose_pictures_are_all_unusable_does_not_count(make_zip: MakeZip, settings: Settings) -> None:
    files = pictures(*folders("data/", ["cat"])) | {"data/dog/1.png": b"", "data/dog/notes.txt": b""}
    with pytest.raises(TooFewClasses, match=r"\(cat\)"):
        read_dataset(make_zip(files), settings)


def test_pictures_without_folders_are_no_classes(make_zip: MakeZip, settings: Settings) -> None:
    with pytest.raises(PicturesWithoutFolders, match="The 2 pictures lie in no class folder"):
        read_dataset(make_zip(pictures("1.png", "2.png")), settings)


def test_too_many_classes_are_refused(make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip(pictures(*folders("", ["a", "b", "c"])))
    assert len(read_dataset(path, replace(settings, max_classes=3)).class_names) == 3
    with pytest.raises(TooManyClasses, match="makes 3 classes; at most 2"):
        read_dataset(path, replace(settings, max_classes=2))


def test_a_class_of_one_picture_is_too_small(make_zip: MakeZip, settings: Settings) -> None:
    with pytest.raises(ClassTooSmall, match=r'Class "dog" has 1 picture; each class needs at least 2'):
        read_dataset(make_zip(pictures("cat/1.png", "cat/2.png", "dog/1.png")), settings)


def test_a_class_with_one_picture_to_learn_from_and_none_to_check_is_too_small(
    make_zip: MakeZip, settings: Settings
) -> None:
    files = pictures(*folders("train/", ["cat"], 3), "train/dog/1.png", "test/dog/1.png", "test/dog/2.png")
    with pytest.raises(ClassTooSmall, match='Class "dog" has 1 '):
        read_dataset(make_zip(files), settings)


@pytest.mark.parametrize("folder", ["val", "test"])
def test_a_class_without_training_pictures_is_refused(folder: str, make_zip: MakeZip, settings: Settings) -> None:
    files = pictures(*folders("train/", ["cat"], 4), *folders(f"{folder}/", ["cat", "dog"]))
    with pytest.raises(ClassWithoutTraining, match='Class "dog" has no picture in the training folder'):
        read_dataset(make_zip(files), settings)


@pytest.mark.parametrize("files", [{}, {"cat/": b""}])
def test_a_zip_without_pictures_is_refused(files: dict[str, bytes], make_zip: MakeZip, settings: Settings) -> None:
    with pytest.raises(NoPictures):
        read_dataset(make_zip(files), settings)


def test_files_of_which_none_can_be_used_are_named(make_zip: MakeZip, settings: Settings) -> None:
    files = {"cat/notes.txt": b"cat", "dog/1.png": b"no picture", **{f"cat/{each}.png": b"" for each in range(3)}}
    with pytest.raises(
        NothingUsable, match=r"^None of the 5 .* cat/notes\.txt: it is no picture, .*; dog/1\.png: it is a text"
    ):
        read_dataset(make_zip(files), settings)


def test_a_zip_that_takes_too_long_is_refused(make_zip: MakeZip, settings: Settings) -> None:
    with pytest.raises(ReadingTooLong, match="The 0 pictures"):
        read_dataset(make_zip({"cat/1.png": png()}), replace(settings, max_reading_s=-1.0))


def test_errors_of_the_archive_carry_the_name(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a3f9"
    path.write_bytes(b"no zip")
    with pytest.raises(NotAZip, match=r"my pictures\.zip"):
        read_dataset(path, settings, name="my pictures.zip")


def test_long_class_names_are_cut(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(pictures(*folders("", ["a" * 60, "b" * MAX_CLASS_NAME_LENGTH]))), settings)
    assert dataset.class_names == ("a" * MAX_CLASS_NAME_LENGTH, "b" * MAX_CLASS_NAME_LENGTH)


def test_folders_with_the_same_long_beginning_stay_two_classes(make_zip: MakeZip, settings: Settings) -> None:
    beginning = "a" * MAX_CLASS_NAME_LENGTH
    dataset = read_dataset(make_zip(pictures(*folders("", [f"{beginning}1", f"{beginning}2", "b"]))), settings)
    assert len(set(dataset.class_names)) == 3
    assert max(map(len, dataset.class_names)) <= MAX_CLASS_NAME_LENGTH


def test_classes_are_in_the_order_of_their_names(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(pictures(*folders("", ["dog", "猫", "ant", "cat"]))), settings)
    assert dataset.class_names == ("ant", "cat", "dog", "猫")
    assert all(dataset.class_names[sample.class_idx] == sample.path.split("/")[0] for sample in dataset.samples)


def test_counts_add_up_to_the_samples(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(colour_folders(9)), settings)
    assert sum(sum(splits.values()) for splits in dataset.counts.values()) == len(dataset.samples) == 18
    assert list(dataset.counts) == list(dataset.class_names)


def test_the_ants_and_bees_of_the_transfer_learning_tutorial(shared_data: Path, settings: Settings) -> None:
    dataset = read_dataset(shared_data / "hymenoptera.zip", settings)
    assert dataset.class_names == ("ants", "bees")
    assert len(paths_in(dataset, Split.TRAIN)) == 245
    assert len(paths_in(dataset, Split.VALIDATION)) == 153
    assert dataset.skipped == ()
    assert dataset.report.num_groups == 0
    assert dataset.report.across_splits == dataset.report.across_classes == ()
    assert all(f"/{dataset.class_names[sample.class_idx]}/" in sample.path for sample in dataset.samples)


@pytest.mark.parametrize("num_bursts", [2, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_a_burst_lies_on_one_side_of_the_split(
    num_bursts: int, seed: int, make_zip: MakeZip, settings: Settings
) -> None:
    files = bursts("cat", 0, num_bursts) | bursts("dog", 50, num_bursts)
    dataset = make_dataset(read_collection(make_zip(files), settings), settings, seed=seed)
    sides = [{path.rpartition("/")[0] for path in paths_in(dataset, split)} for split in Split]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 2 * num_bursts
    assert all(set(counts) >= {"train", "validation"} for counts in dataset.counts.values())
    assert ("test" in dataset.counts["cat"]) == (num_bursts * SHOTS >= 10)
    assert dataset.report.num_groups == 2 * num_bursts
    assert dataset.report.num_near_duplicates == len(dataset.samples)
    assert dataset.report.split_by_picture == ()


def test_the_largest_burst_is_learned_from(make_zip: MakeZip, settings: Settings) -> None:
    files = burst("cat/long", 0, 7) | burst("cat/short", 1, 2) | bursts("dog", 50, 2)
    for seed in range(4):
        dataset = make_dataset(read_collection(make_zip(files), settings), settings, seed=seed)
        assert {path for path in paths_in(dataset, Split.VALIDATION) if "cat" in path} == {
            "cat/short/0.jpg",
            "cat/short/1.jpg",
        }


def test_validation_leaves_a_picture_to_the_test(make_zip: MakeZip, settings: Settings) -> None:
    """Beside a burst of eight there are two pictures, and each of the two parts would like two."""
    files = burst("cat/long", 0, 8) | burst("cat/one", 1, 1) | burst("cat/other", 2, 1) | bursts("dog", 50, 4)
    for seed in range(4):
        dataset = make_dataset(read_collection(make_zip(files), settings), settings, seed=seed)
        assert dataset.counts["cat"] == {"train": 8, "validation": 1, "test": 1}


def test_a_class_that_is_one_burst_is_split_by_picture_and_reported(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(burst("cat", 0, 5) | bursts("dog", 50, 2)), settings, choices=INSIDE)
    assert dataset.counts["cat"] == {"train": 4, "validation": 1}
    assert dataset.report.split_by_picture == ("cat",)


def test_two_bursts_are_too_few_for_three_splits(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(
        make_zip(burst("cat/a", 0, 5) | burst("cat/b", 1, 5) | bursts("dog", 50, 3)), settings, choices=INSIDE
    )
    assert dataset.counts["cat"] == {"train": 6, "validation": 2, "test": 2}
    assert dataset.report.split_by_picture == ("cat",)


def test_another_seed_gives_another_split_of_the_same_sizes(make_zip: MakeZip, settings: Settings) -> None:
    collection = read_collection(make_zip(colour_folders(20)), settings)
    first, again, other = (make_dataset(collection, settings, seed=seed) for seed in (0, 0, 1))
    assert first.samples == again.samples
    assert first.counts == other.counts
    assert paths_in(first, Split.TEST) != paths_in(other, Split.TEST)


def test_a_zip_is_read_and_then_made_a_dataset(make_zip: MakeZip, settings: Settings) -> None:
    path = make_zip(colour_folders() | {"stray.png": png()})
    collection = read_collection(path, settings, name="colours.zip")
    dataset = read_dataset(path, settings)
    assert collection.source == "colours.zip"
    assert [each.name for each in collection.classes] == list(dataset.class_names)
    assert [picture.path for picture in collection.pictures] == [sample.path for sample in dataset.samples]
    assert [skipped.path for skipped in collection.skipped] == [skipped.path for skipped in dataset.skipped]


def test_names_that_differ_in_capitals_alone_are_numbered(make_zip: MakeZip, settings: Settings) -> None:
    dataset = read_dataset(make_zip(pictures(*folders("", ["Cat", "cat"]))), settings)
    assert dataset.class_names == ("Cat", "cat~2")


def test_a_class_that_is_off_is_left_out(make_zip: MakeZip, settings: Settings) -> None:
    collection = read_collection(make_zip(pictures(*folders("", ["ant", "bee", "cat"]))), settings)
    dataset = make_dataset(switch_class(collection, "bee", is_on=False), settings)
    assert dataset.class_names == ("ant", "cat")
    assert {sample.path.split("/")[0] for sample in dataset.samples} == {"ant", "cat"}
    with pytest.raises(TooFewClasses, match=r"1 class to tell apart \(ant\)"):
        make_dataset(
            switch_class(switch_class(collection, "bee", is_on=False), "cat", is_on=False),
            settings,
        )


def test_an_empty_class_is_named(make_zip: MakeZip, settings: Settings) -> None:
    collection = add_class(read_collection(make_zip(colour_folders(2)), settings), "green", settings=settings)
    with pytest.raises(ClassTooSmall, match=r'Class "green" has 0 pictures'):
        make_dataset(collection, settings)


def test_nothing_gathered_is_no_dataset(settings: Settings) -> None:
    with pytest.raises(TooFewClasses, match="are 0 class"):
        make_dataset(Collection(), settings)


def test_a_class_made_on_the_page_is_split_beside_those_of_split_folders(make_zip: MakeZip, settings: Settings) -> None:
    files = pictures(*folders("train/", ["cat", "dog"], 5), *folders("val/", ["cat", "dog"]))
    collection = add_class(read_collection(make_zip(files), settings), "red", settings=settings)
    shots = [(f"{number}.png", png((200 + number, 0, 0))) for number in range(10)]
    dataset = make_dataset(add_pictures(collection, "red", files=shots, settings=settings), settings)
    assert dataset.counts == {
        "cat": {"train": 5, "validation": 2},
        "dog": {"train": 5, "validation": 2},
        "red": {"train": 8, "validation": 2},
    }


def test_pictures_added_to_a_class_of_split_folders_are_learned_from(make_zip: MakeZip, settings: Settings) -> None:
    files = pictures(*folders("train/", ["cat", "dog"], 5), *folders("val/", ["cat", "dog"]))
    collection = add_pictures(
        read_collection(make_zip(files), settings), "cat", files=[("new.png", png())], settings=settings
    )
    dataset = make_dataset(collection, settings)
    assert dataset.counts["cat"] == {"train": 6, "validation": 2}
    assert "new.png" in paths_in(dataset, Split.TRAIN)


def test_a_sample_tells_its_digest_and_shows_its_thumbnail(make_zip: MakeZip, settings: Settings) -> None:
    (sample, *_) = read_dataset(make_zip(colour_folders(2)), settings).samples
    assert sample.digest == hashlib.sha256(sample.image_bytes).hexdigest()
    assert read_image(sample.thumbnail, settings).size == (32, 24)


def test_few_pictures_and_uneven_classes_are_reported(make_zip: MakeZip, settings: Settings) -> None:
    files = {
        f"{name}/{number}.png": encode(noise(100 * number + len(name))) for name, number in sizes(a=31, bb=10, ccc=9)
    }
    report = read_dataset(make_zip(files), settings).report
    assert report.small_classes == ("ccc",)
    assert report.imbalance == pytest.approx(25 / 7)  # a fifth of each is for validation
    assert report.is_imbalanced
    assert report.counts == read_dataset(make_zip(files), settings).counts


def test_a_balanced_set_without_duplicates_has_nothing_to_report(make_zip: MakeZip, settings: Settings) -> None:
    files = {f"{name}/{number}.png": encode(noise(100 * number + len(name))) for name, number in sizes(a=30, bb=15)}
    dataset = read_dataset(make_zip(files), settings)
    assert dataset.report == DataReport(counts=dataset.counts, imbalance=2.0)
    assert not dataset.report.is_imbalanced
    assert dataset.training_counts == (18, 9)


def test_near_duplicates_across_dictated_splits_are_reported_and_stay(make_zip: MakeZip, settings: Settings) -> None:
    shots = list(burst("", 0, 4).values())
    files = {
        "train/cat/1.jpg": shots[0],
        "train/cat/2.jpg": encode(scene(1)),
        "train/dog/1.jpg": encode(scene(2)),
        "val/cat/3.jpg": shots[1],
        "val/dog/2.jpg": encode(scene(3)),
        "test/cat/4.jpg": encode(scene(4)),
        "test/dog/3.jpg": encode(scene(3)),
        "train/dog/4.jpg": encode(scene(5)),
    }
    dataset = read_dataset(make_zip(files), settings)
    assert {named(pair) for pair in dataset.report.across_splits} == {
        ("train/cat/1.jpg", "val/cat/3.jpg"),
        ("val/dog/2.jpg", "test/dog/3.jpg"),
    }
    assert paths_in(dataset, Split.VALIDATION) == {"val/cat/3.jpg", "val/dog/2.jpg"}
    pair = dataset.report.across_splits[0]
    assert (pair.first.split, pair.second.split) == (Split.TRAIN, Split.VALIDATION)
    assert dataset.samples[pair.second.sample_idx].path == pair.second.path


def test_the_same_picture_in_two_classes_is_reported_with_both_names(make_zip: MakeZip, settings: Settings) -> None:
    shots = list(burst("", 0, 2).values())
    files = {
        "cat/1.jpg": shots[0],
        "cat/2.png": encode(scene(1)),
        "dog/1.png": encode(scene(2)),
        "dog/2.jpg": shots[1],
        "fox/1.png": encode(scene(1)),
        "fox/2.png": encode(scene(3)),
    }
    report = read_dataset(make_zip(files), settings).report
    assert {named(pair) for pair in report.across_classes} == {("cat/1.jpg", "dog/2.jpg"), ("cat/2.png", "fox/1.png")}
    assert {(pair.first.class_name, pair.second.class_name) for pair in report.across_classes} == {
        ("cat", "dog"),
        ("cat", "fox"),
    }
    assert report.num_near_duplicates == report.num_groups == 0  # of one class


@pytest.mark.filterwarnings("ignore")
def test_no_hostile_zip_gets_past_the_named_errors(shared_data: Path, settings: Settings) -> None:
    small = replace(settings, max_unpacked_bytes=20_000_000)
    paths = sorted(path for path in (shared_data / "bad_inputs" / "zips").rglob("*") if path.is_file())
    for path in paths[::4]:
        with pytest.raises((ArchiveError, DatasetError)):
            read_dataset(path, small)
