"""What a visitor gathers: values that nobody changes, on a disk that it does not fill."""

import errno
import gc
import hashlib
import os
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from demo.data.collection import (
    MAX_CLASS_NAME_LENGTH,
    Collection,
    add_class,
    add_pictures,
    find_class,
    read_picture,
    remove_class,
    rename_class,
    switch_class,
)
from demo.data.dataset import Split
from demo.data.errors import (
    ClassNameEmpty,
    ClassNameTaken,
    ClassNameTooLong,
    CollectionBytesExceeded,
    ImageBytesExceeded,
    ImageDamaged,
    NotAnImage,
    StorageFull,
    TooManyClasses,
    TooManyPictures,
    UnknownClass,
)
from demo.data.folders import read_collection
from demo.data.formats.tones import Note
from demo.data.images import read_image
from demo.data.kinds import Kind, find_kind
from demo.data.store import PictureStore
from demo.errors import DemoError
from demo.settings import Settings
from tests.pictures import MakeZip, encode, heic, noise, png, smooth

Edit = Callable[[Collection], Collection]
SETTINGS = Settings()


@pytest.fixture
def gathered(settings: Settings) -> Collection:
    """Two classes of two pictures."""
    collection = Collection()
    for name, seeds in (("cat", (1, 2)), ("dog", (3, 4))):
        collection = add_class(collection, name, settings=settings)
        files = [(f"{seed}.png", encode(noise(seed))) for seed in seeds]
        collection = add_pictures(collection, name, files=files, settings=settings)
    return collection


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let this process write no file beyond 100,000 bytes, as if the disk were full there."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names_of(collection: Collection) -> list[str]:
    return [each.name for each in collection.classes]


def paths_of(collection: Collection, class_name: str) -> list[str]:
    return [picture.path for picture in find_class(collection, class_name).pictures]


def test_a_store_gives_back_what_it_was_given() -> None:
    store = PictureStore()
    contents = [os.urandom(size) for size in (1, 0, 70_000, 3)]
    stored = [store.add(content) for content in contents]
    assert [each.read() for each in reversed(stored)] == contents[::-1]
    assert [each.digest for each in stored] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [each.num_bytes for each in stored] == [1, 0, 70_000, 3]
    assert store.num_bytes == 70_004


def test_equal_bytes_are_equal_wherever_they_lie() -> None:
    first, second = PictureStore(), PictureStore()
    second.add(b"before")
    assert first.add(b"cat") == second.add(b"cat")
    assert first.add(b"cat") != second.add(b"dog")


def test_many_threads_read_while_others_add() -> None:
    store = PictureStore()

    def add_and_read(seed: int) -> bool:
        contents = [bytes([seed]) * (1000 + seed * size) for size in range(20)]
        stored = [store.add(content) for content in contents]
        return all(each.read() == content for each, content in zip(stored, contents, strict=True))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(add_and_read, range(64)))


def test_a_store_has_no_name_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stored = PictureStore().add(b"cat")
    assert list(tmp_path.iterdir()) == []
    assert stored.read() == b"cat"


def test_the_file_lives_as_long_as_a_picture_of_it() -> None:
    stored = PictureStore().add(b"cat")
    gc.collect()
    assert stored.read() == b"cat"
    descriptor = stored.store._descriptor
    del stored
    gc.collect()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(descriptor)


def test_pictures_do_not_stay_in_memory() -> None:
    store = PictureStore()
    tracemalloc.start()
    stored = [store.add(os.urandom(500_000)) for _ in range(20)]
    taken_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(stored) == 20
    assert taken_bytes < 100_000


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_said_and_the_store_goes_on() -> None:
    store = PictureStore()
    first = store.add(b"1" * 60_000)
    with pytest.raises(StorageFull, match=r"no room for another 0\.1 MB"):
        store.add(b"2" * 60_000)
    third = store.add(b"3" * 30_000)
    assert first.read() == b"1" * 60_000
    assert third.read() == b"3" * 30_000


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_ends_the_adding_and_skips_nothing(gathered: Collection, settings: Settings) -> None:
    large = [("large.png", encode(noise(5, (200, 200))))]
    with pytest.raises(StorageFull):
        add_pictures(gathered, "cat", files=large, settings=settings)


@pytest.mark.parametrize(
    "edit",
    [
        lambda collection: add_class(collection, "fox", settings=SETTINGS),
        lambda collection: rename_class(collection, "cat", new_name="fox"),
        lambda collection: remove_class(collection, "cat"),
        lambda collection: switch_class(collection, "cat", is_on=False),
        lambda collection: add_pictures(collection, "cat", files=[("1", png())], settings=SETTINGS),
        lambda collection: add_pictures(collection, "cat", files=[("1", b"")], settings=SETTINGS),
    ],
)
def test_an_edit_returns_another_collection_and_leaves_the_first(edit: Edit, gathered: Collection) -> None:
    before = replace(gathered)
    after = edit(gathered)
    assert gathered == before
    assert after != gathered
    assert [picture.stored.read() for picture in gathered.pictures] == [encode(noise(seed)) for seed in (1, 2, 3, 4)]


def test_classes_are_added_at_the_end_renamed_in_place_and_removed(gathered: Collection, settings: Settings) -> None:
    collection = add_class(gathered, "ant", settings=settings)
    assert names_of(collection) == ["cat", "dog", "ant"]
    collection = rename_class(collection, "dog", new_name="fox")
    assert names_of(collection) == ["cat", "fox", "ant"]
    assert paths_of(collection, "fox") == ["3.png", "4.png"]
    assert names_of(remove_class(collection, "cat")) == ["fox", "ant"]


def test_a_class_that_is_off_keeps_its_pictures(gathered: Collection) -> None:
    off = switch_class(gathered, "cat", is_on=False)
    assert [each.is_on for each in off.classes] == [False, True]
    assert off.pictures == gathered.pictures
    assert switch_class(off, "cat", is_on=True) == gathered


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  fox ", "fox"),
        ("re\u0301d", "r\u00e9d"),
        ("\u202efox\u200b\n\x00", "fox"),
        ("狐狸", "狐狸"),
        ("../fox", "../fox"),
        ("f" * MAX_CLASS_NAME_LENGTH, "f" * MAX_CLASS_NAME_LENGTH),
    ],
)
def test_names_are_cleaned(typed: str, name: str, gathered: Collection, settings: Settings) -> None:
    assert names_of(add_class(gathered, typed, settings=settings))[-1] == name
    assert names_of(rename_class(gathered, "cat", new_name=typed))[0] == name


@pytest.mark.parametrize(
    ("typed", "error", "match"),
    [
        ("", ClassNameEmpty, "has no name yet"),
        (" \u200b\t", ClassNameEmpty, "has no name yet"),
        ("f" * 41, ClassNameTooLong, f'"{"f" * 41}" has 41 characters; at most 40 fit'),
        ("dog", ClassNameTaken, 'There is a class "dog" already'),
        ("DOG\u200b", ClassNameTaken, 'There is a class "dog" already'),
    ],
)
def test_names_that_cannot_be_used_are_refused(
    typed: str, error: type[DemoError], match: str, gathered: Collection, settings: Settings
) -> None:
    with pytest.raises(error, match=match):
        add_class(gathered, typed, settings=settings)
    with pytest.raises(error, match=match):
        rename_class(gathered, "cat", new_name=typed)


def test_a_class_may_be_renamed_to_itself_in_capitals(gathered: Collection) -> None:
    assert names_of(rename_class(gathered, "cat", new_name="CAT")) == ["CAT", "dog"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda collection: rename_class(collection, "fox", new_name="ant"),
        lambda collection: remove_class(collection, "fox"),
        lambda collection: switch_class(collection, "fox", is_on=False),
        lambda collection: add_pictures(collection, "fox", files=[("1", png())], settings=SETTINGS),
    ],
)
def test_a_class_that_is_not_there_is_named(edit: Edit, gathered: Collection) -> None:
    with pytest.raises(UnknownClass, match='There is no class "fox"'):
        edit(gathered)


def test_too_many_classes_are_refused(gathered: Collection, settings: Settings) -> None:
    with pytest.raises(TooManyClasses, match="makes 3 classes; at most 2"):
        add_class(gathered, "fox", settings=replace(settings, max_classes=2))


def test_pictures_come_from_files_and_from_bytes(gathered: Collection, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "b93c.png"
    path.write_bytes(png("green"))
    files: list[tuple[str, Path | bytes]] = [("photo.png", path), ("shot.webp", encode(noise(5), "WEBP"))]
    collection = add_pictures(gathered, "dog", files=files, settings=settings)
    assert paths_of(collection, "dog") == ["3.png", "4.png", "photo.png", "shot.webp"]
    contents = [picture.stored.read() for picture in collection.pictures[-2:]]
    assert contents == [png("green"), encode(noise(5), "WEBP")]
    assert {picture.split for picture in collection.pictures} == {None}


def test_pictures_that_cannot_be_used_are_skipped_with_their_reason(gathered: Collection, settings: Settings) -> None:
    files = [
        ("page.jpg", b"<html>"),
        ("good.png", png()),
        ("half.png", encode(noise(0))[:3000]),
        ("big.png", encode(noise(0, (128, 128)))),
    ]
    collection = add_pictures(gathered, "cat", files=files, settings=replace(settings, max_image_bytes=20_000))
    assert paths_of(collection, "cat") == ["1.png", "2.png", "good.png"]
    assert {each.path: type(each.reason) for each in collection.skipped} == {
        "page.jpg": NotAnImage,
        "half.png": ImageDamaged,
        "big.png": ImageBytesExceeded,
    }


def test_a_file_that_is_too_large_is_not_read(gathered: Collection, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole, more than any memory
    collection = add_pictures(gathered, "cat", files=[("huge.png", path)], settings=settings)
    assert [type(each.reason) for each in collection.skipped] == [ImageBytesExceeded]


def test_labels_are_last_parts_of_paths_without_hidden_characters_and_differ(
    gathered: Collection, settings: Settings
) -> None:
    files = [(name, png()) for name in ("webcam.png", "/tmp/webcam.png", "C:\\Webcam.png", "\u202e1.png", "\u200b")]
    collection = add_pictures(gathered, "dog", files=files, settings=settings)
    assert paths_of(collection, "dog")[2:] == ["webcam.png", "webcam.png~2", "Webcam.png~3", "1.png~2", "dog"]


def test_more_pictures_than_the_limit_are_refused(gathered: Collection, settings: Settings) -> None:
    files = [(f"{number}.png", png()) for number in range(3)]
    tight = replace(settings, max_pictures=6)
    assert len(add_pictures(gathered, "cat", files=files[:2], settings=tight).pictures) == 6
    with pytest.raises(TooManyPictures, match="than the 6 that"):
        add_pictures(gathered, "cat", files=files, settings=tight)


def test_more_bytes_than_the_limit_are_refused(gathered: Collection, settings: Settings) -> None:
    content = encode(noise(9, (200, 200)))
    tight = replace(settings, max_unpacked_bytes=gathered.num_bytes + len(content))
    assert (
        add_pictures(gathered, "cat", files=[("5.png", content)], settings=tight).num_bytes == tight.max_unpacked_bytes
    )
    with pytest.raises(CollectionBytesExceeded, match="more than 0 MB together"):
        add_pictures(gathered, "cat", files=[("5.png", content), ("6.png", png())], settings=tight)


def test_adding_and_removing_again_and_again_does_not_fill_the_disk(gathered: Collection, settings: Settings) -> None:
    content = encode(noise(9, (100, 100)))
    tight = replace(settings, max_unpacked_bytes=2 * (gathered.num_bytes + len(content)))
    collection = gathered
    for _ in range(30):
        collection = add_class(collection, "fox", settings=tight)
        collection = add_pictures(collection, "fox", files=[("new.png", content)], settings=tight)
        collection = remove_class(collection, "fox")
        assert collection.store.num_bytes <= 3 * tight.max_unpacked_bytes
    assert collection.classes == gathered.classes
    assert [picture.stored.read() for picture in collection.pictures] == [encode(noise(seed)) for seed in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("size", "thumbnail"), [((400, 300), (128, 96)), ((90, 200), (90, 200)), ((96, 600), (96, 600))]
)
def test_thumbnails_are_small_jpegs_and_never_enlarged(
    size: tuple[int, int], thumbnail: tuple[int, int], gathered: Collection, settings: Settings
) -> None:
    files = [("new.png", encode(noise(5, (6, 6)).resize(size)))]
    (*_, picture) = add_pictures(gathered, "dog", files=files, settings=settings).pictures
    with Image.open(BytesIO(picture.thumbnail)) as image:
        assert (image.format, image.size) == ("JPEG", thumbnail)
    assert len(picture.thumbnail) < 10_000


def test_a_zip_becomes_a_collection_with_what_its_folders_say(make_zip: MakeZip, settings: Settings) -> None:
    splits = {"train": Split.TRAIN, "val": Split.VALIDATION, "test": Split.TEST}
    files = {f"{folder}/{name}/1.png": png() for folder in splits for name in ("cat", "dog")}
    collection = read_collection(make_zip(files), settings, name="pets.zip")
    assert names_of(collection) == ["cat", "dog"]
    assert collection.source == "pets.zip"
    assert {picture.path: picture.split for picture in collection.pictures} == {
        path: splits[path.split("/")[0]] for path in files
    }


def test_a_zip_of_one_class_may_be_added_to(make_zip: MakeZip, settings: Settings) -> None:
    collection = read_collection(make_zip({"cat/1.png": png(), "cat/2.png": png()}), settings)
    collection = add_class(collection, "dog", settings=settings)
    assert names_of(add_pictures(collection, "dog", files=[("1", png())], settings=settings)) == ["cat", "dog"]


@pytest.mark.parametrize(
    "content", [heic(smooth(0, (300, 200))), encode(smooth(0, (300, 200)), "TIFF")], ids=["HEIC", "TIFF"]
)
def test_a_picture_of_a_rare_format_is_kept_as_one_that_is_soon_decoded(content: bytes, settings: Settings) -> None:
    store = PictureStore()
    picture = read_picture(content, store, settings, path="a")
    assert find_kind(picture.stored.read()) is Kind.PNG
    assert read_image(picture.stored.read(), settings).tobytes() == read_image(content, settings).tobytes()
    assert read_picture(png(), store, settings, path="b").stored.read() == png()


def test_what_there_is_to_know_of_a_picture_is_kept_with_it(settings: Settings) -> None:
    assert read_picture(png(), PictureStore(), settings, path="a").notes == (Note.ONE_COLOUR,)
    assert read_picture(encode(noise(0)), PictureStore(), settings, path="b").notes == ()
