"""Pictures to learn from: classes made on the page, a zip, a starter set; what is said of them, and what is refused."""

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from demo.data import collection
from demo.data.collection import Collection
from demo.data.dataset import Dataset, Split
from demo.data.errors import (
    ClassNameEmpty,
    ClassNameTaken,
    ClassNameTooLong,
    ClassTooSmall,
    NoArchive,
    NoDataset,
    NoImage,
    NotAnImage,
    TooFewClasses,
    TooManyClasses,
    TooManyPictures,
    UnknownClass,
)
from demo.data.formats.errors import IsText
from demo.data.starters import STARTERS
from demo.errors import DemoError
from demo.settings import Settings
from demo.ui.finetune.gather.shown import Gathered
from demo.visitors.errors import NotAgreed, TrainingRunning
from demo.visitors.jobs import JobKind
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.patience import PATIENCE_S
from tests.pictures import MakeZip, colour_folders, encode, noise
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, fill, recipe_values

LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
HOSTILE = "<img src=x onerror=alert(1)>"

Pictures = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


@pytest.fixture
def pictures(visitor: Visitor, tmp_path: Path) -> Pictures:
    """Upload pictures of noise under their names, each with a number as its seed."""

    def upload(**seeds: int) -> list[dict[str, Any]]:
        uploads = []
        for name, seed in seeds.items():
            path = tmp_path / f"{name}.png"
            path.write_bytes(encode(noise(seed)))
            uploads.append(visitor.upload(path))
        return uploads

    return upload


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[[str, int], None]:
    """Lower one of the limits of the page that runs."""
    return lambda limit, value: monkeypatch.setitem(vars(settings), limit, value)


def frame(seed: int) -> dict[str, str]:
    """Return what a camera's stream hands over: a picture of noise as a data URL."""
    return {"url": f"data:image/png;base64,{base64.b64encode(encode(noise(seed))).decode()}"}


class Made(NamedTuple):
    """What is filled when a class has been made."""

    new_class: str
    gathered: Gathered


class Dropped(NamedTuple):
    """What is filled when the pictures have been dropped."""

    ref: Any
    gathered: Gathered


def paths(session: Session) -> dict[str, list[str]]:
    """Return the paths of the pictures by class."""
    classes = session.pictures.collection.classes if session.pictures.collection else ()
    return {each.name: [picture.path for picture in each.pictures] for each in classes}


def count_classes(num_classes: int, num_pictures: int) -> str:
    """Return the title of the report."""
    return ENGLISH.finetune.gather.dataset_report.format(classes=num_classes, count=num_pictures)


def wait_for_training(session: Session) -> None:
    job = session.jobs[JobKind.TRAINING]
    assert job.done.wait(PATIENCE_S)
    assert job.error is None


def learnable(session: Session) -> Dataset:
    assert session.pictures.dataset is not None
    return session.pictures.dataset


def test_classes_are_made_and_filled_on_the_page(visitor: Visitor, session: Session, pictures: Pictures) -> None:
    new_class, (report, chosen, switches, *_) = fill(Made, visitor.call("make_class", " cat "))
    assert new_class == ""
    assert ENGLISH.explain(TooFewClasses(count=1, names="cat", limit=2)) in Markup(report).texts
    assert (chosen["value"], switches["value"], switches["visible"]) == ("cat", ["cat"], True)
    visitor.call("add_uploads", "cat", pictures(one=1, two=2))
    report, chosen, *_ = fill(Made, visitor.call("make_class", "dog")).gathered
    assert ENGLISH.explain(ClassTooSmall(class_name="dog", count=0, limit=2)) in Markup(report).texts
    assert chosen == {"choices": [["cat", "cat"], ["dog", "dog"]], "value": "dog", "__type__": "update"}
    report = Gathered(*visitor.call("add_uploads", "dog", pictures(three=3, four=4, five=5))).report
    assert count_classes(2, 5) in report
    assert paths(session) == {"cat": ["one.png", "two.png"], "dog": ["three.png", "four.png", "five.png"]}
    assert Markup(report).values("alt") == [f"Picture {name}.png" for name in ("one", "two", "three", "four", "five")]
    assert learnable(session).class_names == ("cat", "dog")


@LANGUAGES
def test_you_and_not_you_are_made_only_once_all_have_agreed(visit: Visit, server: Server, words: Words) -> None:
    visitor = visit(language=words.language[:2])
    session = server.rooms.sessions.attach(visitor.token)
    with pytest.raises(Refused) as refused:
        visitor.call("make_faces", False)
    assert str(refused.value) == words.explain(NotAgreed())
    assert paths(session) == {}
    you, not_you = words.finetune.gather.faces_classes
    for _ in range(2):  # a second press makes no third class
        _, chosen, switches, *_ = Gathered(*visitor.call("make_faces", True))
        assert switches["value"] == [you, not_you]
        assert chosen["value"] == you
    assert paths(session) == {you: [], not_you: []}
    visitor.call("drop_pictures")
    assert session.pictures.collection is None


def test_a_file_that_is_no_picture_is_named_and_skipped(
    visitor: Visitor, session: Session, pictures: Pictures, tmp_path: Path
) -> None:
    path = tmp_path / "notes.png"
    path.write_bytes(b"not a picture")
    visitor.call("make_class", "cat")
    first, last = pictures(first=1, last=2)
    report = Gathered(*visitor.call("add_uploads", "cat", [first, visitor.upload(path), last])).report
    assert paths(session) == {"cat": ["first.png", "last.png"]}
    texts = Markup(report).texts
    assert "1 left out" in texts
    assert f"notes.png: {ENGLISH.explain(NotAnImage(name='', what=IsText()))}" in texts


def test_a_picture_of_the_camera_goes_to_the_chosen_class(visitor: Visitor, session: Session) -> None:
    for name in ("cat", "dog"):
        visitor.call("make_class", name)
    for count in (1, 2):
        (recorded,) = visitor.call("record_frame", "cat", frame(count))
        assert Markup(recorded).texts == [ENGLISH.finetune.gather.recorded.format(name="cat", count=count)]
    report, chosen, *_ = Gathered(*visitor.call("show_recorded", "cat"))
    assert chosen["value"] == "cat"
    assert "cat (2)" in Markup(report).texts
    assert paths(session) == {"cat": ["cat.jpg", "cat.jpg~2"], "dog": []}


def test_what_was_recorded_is_learned_from_although_the_page_never_asked_for_its_report(
    visitor: Visitor, session: Session
) -> None:
    for seed, name in enumerate(("cat", "dog")):
        visitor.call("make_class", name)
        for number in range(2):
            visitor.call("record_frame", name, frame(10 * seed + number))
    visitor.train(*recipe_values(optimizer="ridge"))
    wait_for_training(session)
    assert session.results is not None
    assert len(session.results.dataset.samples) == 4


def test_whoever_records_waits_for_nobody_who_records(server: Server) -> None:
    frames = [each for each in server.page.config["dependencies"] if each["api_name"].startswith("record_frame")]
    assert len(frames) == 2
    for each in frames:  # each holds its place for as long as a recording runs
        assert server.page.fns[each["id"]].concurrency_limit is None
        assert server.page.fns[each["id"]].concurrency_id == "record"


def test_a_class_is_renamed_switched_and_removed(visitor: Visitor, session: Session, make_zip: MakeZip) -> None:
    files = {f"{name}/{number}.png": encode(noise(number)) for name in ("cat", "dog", "owl") for number in range(3)}
    visitor.bring(make_zip(files))
    _, chosen, switches, *_ = Gathered(*visitor.call("name_class", "dog", " wolf "))
    assert (chosen["value"], switches["value"]) == ("wolf", ["cat", "wolf", "owl"])
    assert Gathered(*visitor.call("name_class", "wolf", "wolf")).chosen["value"] == "wolf"
    report, _, switches, *_ = Gathered(*visitor.call("switch_classes", ["cat", "owl"]))
    assert f"wolf (3) {ENGLISH.finetune.gather.class_off}" in Markup(report).texts
    assert switches["value"] == ["cat", "owl"]
    assert learnable(session).class_names == ("cat", "owl")
    visitor.call("switch_classes", ["cat", "wolf", "owl"])
    assert learnable(session).class_names == ("cat", "wolf", "owl")
    report, chosen, *_ = Gathered(*visitor.call("drop_class", "cat"))
    assert chosen["value"] == "wolf"
    assert "cat" not in Markup(report).values("value")
    assert learnable(session).class_names == ("wolf", "owl")


def test_a_zip_is_counted_by_class_and_split(visitor: Visitor, session: Session, make_zip: MakeZip) -> None:
    files = {
        f"data/{split}/{name}/{number}.png": encode(noise(seed + number))
        for split, count, seed in (("train", 4, 0), ("val", 2, 100), ("test", 3, 200))
        for name in ("bee", "ant")
        for number in range(count)
    }
    report = visitor.bring(make_zip({**files, "data/readme.txt": b"hello"}))
    assert {name: list(counts.values()) for name, counts in learnable(session).counts.items()} == {
        "ant": [4, 2, 3],
        "bee": [4, 2, 3],
    }
    markup = Markup(report)
    texts, names = markup.texts, markup.values("value")
    header = [
        ENGLISH.finetune.gather.dataset_class,
        *(ENGLISH.finetune.splits[split] for split in Split),
        ENGLISH.finetune.gather.dataset_total,
    ]
    assert texts[:2] == [ENGLISH.finetune.reading.title, count_classes(2, 18)]
    assert texts[3:16] == [*header, "4", "2", "3", "9", "4", "2", "3", "9"]
    assert names[:2] == ["ant", "bee"]  # fields in which they are changed
    assert any(text.startswith("data/readme.txt: ") for text in texts)


@pytest.mark.parametrize(("turn", "name"), list(enumerate(STARTERS)))
@LANGUAGES
def test_a_starter_set_has_its_classes_in_the_language_of_the_page(
    visit: Visit, server: Server, lower: Callable[[str, int], None], turn: int, name: str, words: Words
) -> None:
    lower("max_pictures", 30)  # few of each class
    visitor = visit(language=words.language[:2])
    report, _, switches, *_ = Gathered(*visitor.call("choose_starter", None, turn=turn))
    dataset = learnable(server.rooms.sessions.attach(visitor.token))
    names = [words.finetune.gather.starter_classes.get(each, each) for each in STARTERS[name].class_names]
    assert [*dataset.class_names] == switches["value"] == names
    title = words.finetune.gather.dataset_report.format(classes=len(names), count=len(dataset.samples))
    assert title in Markup(report).texts
    assert 2 * len(names) < len(dataset.samples) <= 30


SIGNS = tuple(ENGLISH.finetune.gather.starter_classes[name] for name in STARTERS["signs"].class_names)
ZEICHEN = tuple(CHINESE.finetune.gather.starter_classes[name] for name in STARTERS["signs"].class_names)


def choose_signs(visitor: Visitor) -> None:
    visitor.call("choose_starter", None, turn=list(STARTERS).index("signs"))


def test_a_starter_set_and_what_was_learned_from_it_follow_the_language(
    visit: Visit, visitor: Visitor, session: Session, lower: Callable[[str, int], None]
) -> None:
    lower("max_pictures", 30)  # few of each class
    choose_signs(visitor)
    visitor.call("name_class", SIGNS[0], "my own")
    visitor.train(*recipe_values(optimizer="ridge"))
    before = session.results
    assert before is not None
    assert before.head.class_names == ("my own", *SIGNS[1:])

    zh = visit(language="zh", token=visitor.token)
    after, names = session.results, ("my own", *ZEICHEN[1:])
    assert after is not None
    assert after.head.class_names == after.features.class_names == after.dataset.class_names == names
    assert tuple(after.dataset.counts) == tuple(after.dataset.report.counts) == tuple(paths(session)) == names
    assert learnable(session).class_names == names
    assert (after.number, after.dataset.samples) == (before.number, before.dataset.samples)
    assert after.features.values is before.features.values
    assert after.head.module is before.head.module
    assert after.head.summary == before.head.summary
    shown = str([zh.refresh(), zh.call("show_session"), zh.call("show_results", "test", -1)])
    assert [name for name in SIGNS[1:] if name in shown] == []
    assert [name for name in names if name not in shown] == []
    assert CHINESE.finetune.training.next_train not in shown
    visit(token=visitor.token)
    assert session.state.head is not None
    assert session.state.head.class_names == before.head.class_names


def test_a_training_that_ends_in_another_language_speaks_it(
    visit: Visit, visitor: Visitor, session: Session, held_line: threading.Event, lower: Callable[[str, int], None]
) -> None:
    lower("max_pictures", 30)
    choose_signs(visitor)
    visitor.call("start_training", *recipe_values(optimizer="ridge"))
    visit(language="zh", token=visitor.token)
    held_line.set()
    wait_for_training(session)
    assert session.results is not None
    assert session.results.features.class_names == session.state.class_names == ZEICHEN


def test_classes_of_ones_own_keep_their_names_in_every_language(
    visit: Visit, visitor: Visitor, session: Session, make_zip: MakeZip, lower: Callable[[str, int], None]
) -> None:
    lower("max_pictures", 30)
    colours = colour_folders().items()
    visitor.bring(make_zip({path.replace("red", SIGNS[0]).replace("blue", SIGNS[1]): file for path, file in colours}))
    visitor.train(*recipe_values(optimizer="ridge"))
    visit(language="zh", token=visitor.token)
    assert tuple(paths(session)) == session.state.class_names == SIGNS[:2]
    choose_signs(visitor)
    visit(language="zh", token=visitor.token)
    assert tuple(paths(session)) == ZEICHEN
    assert session.state.class_names == SIGNS[:2]


@LANGUAGES
def test_what_is_odd_about_the_pictures_is_said(visit: Visit, make_zip: MakeZip, words: Words) -> None:
    files = {f"many/{number}.png": encode(noise(number)) for number in range(9)}
    files |= {f"few/{number}.png": encode(noise(50 + number)) for number in range(2)}
    files |= {"many/again.bmp": encode(noise(1), "BMP"), "few/2.png": files["many/2.png"]}
    drawn = Markup(visit(language=words.language[:2]).bring(make_zip(files))).texts
    separator = words.list_separator
    for sentence in (
        words.finetune.gather.warn_small.format(names="few"),
        words.finetune.gather.warn_imbalance.format(times=8 / 2),
        words.finetune.gather.warn_duplicates.format(count=2, groups=1),
        words.finetune.gather.warn_across_classes.format(
            count=1, first="few/2.png", second="many/2.png", classes=f"few{separator}many"
        ),
    ):
        assert sentence in drawn
    alike = Markup(visit(language=words.language[:2]).bring(make_zip(colour_folders()))).texts
    assert words.finetune.gather.warn_split_by_picture.format(names=separator.join(["blue", "red"])) in alike


@LANGUAGES
def test_a_held_out_picture_that_is_learned_from_is_named(visit: Visit, make_zip: MakeZip, words: Words) -> None:
    files = {
        f"{split}/{name}/{number}.png": encode(noise(seed + number))
        for split, seed in (("train", 0), ("val", 40))
        for name, seed in (("ant", seed), ("bee", seed + 20))
        for number in range(3)
    }
    files["val/bee/1.png"] = files["train/bee/2.png"]
    report = visit(language=words.language[:2]).bring(make_zip(files))
    pair = {"first": "train/bee/2.png", "second": "val/bee/1.png"}
    assert words.finetune.gather.warn_across_splits.format(count=1, **pair) in Markup(report).texts


def test_dropping_the_pictures_leaves_the_head(visitor: Visitor, session: Session, make_zip: MakeZip) -> None:
    visitor.bring(make_zip(colour_folders()))
    visitor.train(*recipe_values(optimizer="ridge"))
    head, cache = session.state.head, session.cache
    report, chosen, switches, *_ = fill(Dropped, visitor.call("drop_pictures")).gathered
    assert Markup(report).texts == [ENGLISH.finetune.gather.no_dataset]
    assert (chosen["choices"], switches["visible"]) == ([], False)
    assert (session.pictures.collection, session.pictures.dataset) == (None, None)
    assert session.cache is not cache
    assert session.state.head is head is not None
    with pytest.raises(Refused) as refused:
        visitor.call("start_training", *recipe_values())
    assert str(refused.value) == ENGLISH.explain(NoDataset())


def test_names_are_text_wherever_they_are_shown(visitor: Visitor, make_zip: MakeZip) -> None:
    files = {f"{HOSTILE}/{HOSTILE}{number}.png": encode(noise(1)) for number in range(3)}
    files |= {f"ant/{number}.png": encode(noise(1)) for number in range(3)}
    markup = Markup(visitor.bring(make_zip({**files, f"ant/{HOSTILE}.txt": b"", f"ant/{HOSTILE}.png": b"no picture"})))
    assert not any(name.startswith("on") for name, _ in markup.attributes)
    assert all(source.startswith("data:image/jpeg;base64,") for source in markup.values("src"))
    assert f"Picture {HOSTILE}/{HOSTILE}0.png" in markup.values("alt")
    assert HOSTILE in markup.values("value")  # in the table
    assert any(text.startswith(f"ant/{HOSTILE}.png: ") for text in markup.texts)
    with pytest.raises(Refused, match="&lt;img src=x onerror=alert\\(1\\)&gt;") as refused:
        visitor.call("make_class", HOSTILE.upper())
    assert "<" not in str(refused.value)


NO_NAME, LONG = ClassNameEmpty(), ClassNameTooLong(class_name="x" * 41, count=41, limit=40)


WRONG: list[tuple[str, list[Any], DemoError]] = [
    ("make_class", ["  "], NO_NAME),
    ("make_class", [None], NO_NAME),
    ("make_class", ["x" * 41], LONG),
    ("make_class", ["CAT"], ClassNameTaken(class_name="cat")),
    ("name_class", ["cat", ""], NO_NAME),
    ("name_class", ["cat", "x" * 41], LONG),
    ("name_class", ["cat", "Dog"], ClassNameTaken(class_name="dog")),
    ("name_class", [None, "owl"], UnknownClass(class_name="")),
    ("drop_class", [None], UnknownClass(class_name="")),
    ("add_uploads", ["cat", None], NoImage()),
    ("add_uploads", ["cat", []], NoImage()),
    ("record_frame", ["cat", None], NoImage()),
    ("record_frame", ["cat", {"url": "https://example.org/cat.png"}], NotAnImage(name="camera")),
    ("choose_archive", [None], NoArchive()),
]


@LANGUAGES
def test_what_cannot_be_is_said_and_changes_nothing(visit: Visit, server: Server, words: Words) -> None:
    visitor = visit(language=words.language[:2])
    for name in ("cat", "dog"):
        visitor.call("make_class", name)
    session = server.rooms.sessions.attach(visitor.token)
    before = session.pictures.collection
    for handler, values, reason in WRONG:
        with pytest.raises(Refused) as refused:
            visitor.call(handler, *values)
        assert str(refused.value) == words.explain(reason), (handler, values)
        assert session.pictures.collection is before, (handler, values)


def test_pictures_for_a_class_that_is_gone_are_refused(visitor: Visitor, session: Session, pictures: Pictures) -> None:
    visitor.call("make_class", "cat")
    before, uploads = session.pictures.collection, pictures(one=1)
    with pytest.raises(Refused) as refused:
        visitor.call("add_uploads", "dog", uploads)
    assert str(refused.value) == ENGLISH.explain(UnknownClass(class_name="dog"))
    (recorded,) = visitor.call("record_frame", "dog", frame(1))  # no toast for each frame that was on its way
    assert Markup(recorded).texts == [ENGLISH.explain(UnknownClass(class_name="dog"))]
    assert session.pictures.collection is before


def test_there_is_no_class_beyond_the_last(visitor: Visitor, session: Session, settings: Settings) -> None:
    for number in range(settings.max_classes):
        visitor.call("make_class", f"class {number}")
    with pytest.raises(Refused) as refused:
        visitor.call("make_class", "one more")
    assert str(refused.value) == ENGLISH.explain(TooManyClasses(count=21, limit=20))
    assert len(paths(session)) == settings.max_classes == 20


def test_there_is_no_picture_beyond_the_last(
    visitor: Visitor, session: Session, pictures: Pictures, lower: Callable[[str, int], None]
) -> None:
    lower("max_pictures", 4)
    visitor.call("make_class", "cat")
    visitor.call("add_uploads", "cat", pictures(one=1, two=2, three=3))
    before, sentence = session.pictures.collection, ENGLISH.explain(TooManyPictures(limit=4))
    with pytest.raises(Refused) as refused:
        visitor.call("add_uploads", "cat", pictures(four=4, five=5))
    assert str(refused.value) == sentence
    assert session.pictures.collection is before
    visitor.call("record_frame", "cat", frame(4))
    assert len(paths(session)["cat"]) == 4
    with pytest.raises(Refused) as refused:
        visitor.call("record_frame", "cat", frame(5))
    assert str(refused.value) == sentence


def test_nothing_can_be_edited_while_it_is_learned_from(
    visitor: Visitor, session: Session, pictures: Pictures, make_zip: MakeZip, held_line: threading.Event
) -> None:
    visitor.bring(make_zip(colour_folders()))
    uploads, archive = pictures(one=1), visitor.upload(make_zip(colour_folders(2)))
    visitor.call("start_training", *recipe_values(1))
    before = session.pictures.collection
    for handler, *values in (
        ("make_class", "green"),
        ("add_uploads", "red", uploads),
        ("name_class", "red", "rot"),
        ("drop_class", "red"),
        ("switch_classes", ["red"]),
        ("choose_archive", [archive]),
        ("choose_starter", None),
        ("drop_pictures",),
    ):
        with pytest.raises(Refused) as refused:
            visitor.call(handler, *values)
        assert str(refused.value) == ENGLISH.explain(TrainingRunning()), handler
        assert session.pictures.collection is before
    held_line.set()
    wait_for_training(session)
    assert learnable(session).class_names == ("blue", "red")


def test_of_two_changes_at_once_none_is_lost(
    visitor: Visitor, session: Session, pictures: Pictures, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, reading, go_on = collection.read_picture, threading.Event(), threading.Event()

    def read_slowly(*values: Any, **options: Any) -> Any:
        reading.set()
        assert go_on.wait(PATIENCE_S)
        return read(*values, **options)

    visitor.call("make_class", "cat")
    uploads, second_page = pictures(one=1), visit(token=visitor.token)
    monkeypatch.setattr(collection, "read_picture", read_slowly)
    with ThreadPoolExecutor() as pool:
        adding = pool.submit(visitor.call, "add_uploads", "cat", uploads)
        assert reading.wait(PATIENCE_S)
        making = pool.submit(second_page.call, "make_class", "dog")
        with pytest.raises(TimeoutError):
            making.result(0.3)  # it waits, or one of the two would go on from what the other replaces
        go_on.set()
        adding.result()
        making.result()
    assert paths(session) == {"cat": ["one.png"], "dog": []}


def test_an_archive_that_is_read_does_not_hold_up_what_is_shown(session: Session, settings: Settings) -> None:
    with ThreadPoolExecutor() as pool:

        def look(before: Collection) -> Collection:
            assert pool.submit(lambda: session.ref).result(PATIENCE_S) == session.ref
            assert not pool.submit(lambda: session.is_training).result(PATIENCE_S)
            return before

        session.edit_collection(look, settings)
    assert session.pictures.collection == Collection()
