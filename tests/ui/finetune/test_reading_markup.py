"""How files were read, as HTML: short, complete when it is unfolded, and every name as text."""

from dataclasses import replace

import pytest
from PIL import Image

from demo.data.collection import Collection, Picture, PictureClass, Split
from demo.data.duplicates import fingerprint
from demo.data.errors import EntryOutsideClass
from demo.data.formats.tones import Note
from demo.data.reading import (
    ANSWERS,
    NAMES,
    Answer,
    Choices,
    Doubt,
    FolderRead,
    Joined,
    LabelTable,
    LeftOut,
    Question,
    Reading,
    Role,
)
from demo.data.store import PictureStore
from demo.ui.finetune.gather.picks import find_marked, mark
from demo.ui.finetune.gather.question_markup import draw_questions
from demo.ui.finetune.gather.report_markup import draw_report
from demo.visitors.pictures import Pictures
from demo.words.language import CHINESE, ENGLISH, Words
from tests.pictures import png
from tests.visitor import Markup

PLAIN = Image.new("RGB", (32, 24))
BOTH = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
HOSTILE = "<img src=x onerror=alert(1)>\"'&"
TABLE = LabelTable("labels.csv", "label", ("label", "kind"), 12)


def collect(reading: Reading, *names: str, num_pictures: int = 3) -> Collection:
    """Return a collection with so many pictures of each class, as a reading says."""
    store = PictureStore()
    classes = tuple(
        PictureClass(
            name,
            tuple(
                Picture(f"train/{name}/{number}.png", store.add(png()), png(), fingerprint(PLAIN), Split.TRAIN)
                for number in range(num_pictures)
            ),
        )
        for name in names
    )
    return Collection(classes, source="a.zip", reading=reading, store=store)


def draw(words: Words, collection: Collection) -> Markup:
    return Markup(draw_report(words, Pictures(collection)))


@BOTH
def test_every_question_and_every_answer_has_its_words(words: Words) -> None:
    asks = words.finetune.reading.ask
    assert {*asks.answers} == {*Doubt}
    assert {doubt: {*answers} for doubt, answers in asks.answers.items()} == {
        doubt: {*answers} for doubt, answers in ANSWERS.items()
    }
    assert {*words.finetune.reading.right.roles} == {*Role}


@BOTH
@pytest.mark.parametrize("note", Note)
def test_how_a_picture_was_decoded_is_said_with_one_of_them(words: Words, note: Note) -> None:
    collection = collect(Reading(), "cat", "dog")
    noted = [
        replace(each, pictures=(replace(each.pictures[0], notes=(note,)), *each.pictures[1:]))
        for each in collection.classes
    ]
    drawn = draw(words, replace(collection, classes=tuple(noted)))
    assert words.finetune.reading.notes[note].format(count=2, example="train/cat/0.png") in drawn.texts


@BOTH
def test_a_reading_is_short_and_the_rest_is_folded(words: Words) -> None:
    reading = Reading(
        sources=("a.zip", "b.zip"),
        folders=(FolderRead("seg_train", Role.TRAIN, 8), FolderRead("seg_pred", Role.OUT, 3)),
        outer=("data",),
        tables=(TABLE,),
        joined=(Joined("cat", ("cat", "Cat ")),),
        flattened={"dog": ("train/dog/big", "train/dog/small")},
        left_out=(LeftOut("seg_pred", EntryOutsideClass(), 3, "seg_pred/7.jpg"),),
        num_twins=2,
        drawn_of=502,
    )
    drawn, ours, separator = draw(words, collect(reading, "cat", "dog")), words.finetune.reading, words.list_separator
    summary = [
        ours.joined_zips.format(names=separator.join(reading.sources)),
        ours.splits[Role.TRAIN].format(folders="seg_train"),
        ours.by_inner,
        ours.splits[Role.OUT].format(folders="seg_pred"),
        ours.drawn.format(count=6, total=502),
    ]
    assert words.sentence_separator.join(summary) in drawn.texts
    reason = words.explain(EntryOutsideClass())
    for sentence in (
        ours.joined.format(name="cat", spellings=separator.join(("cat", "Cat "))),
        ours.flattened.format(name="dog", folders=separator.join(("train/dog/big", "train/dog/small"))),
        ours.left_out.format(folder="seg_pred", count=3, reason=reason, example="seg_pred/7.jpg"),
        ours.twins.format(count=2),
        ours.outer.format(folders="data"),
        ours.other_table.format(path="labels.csv"),
    ):
        assert sentence in drawn.texts
    assert drawn.elements.count("details") == 2
    assert not [name for name, _ in drawn.attributes if name == "open"]


@BOTH
def test_the_place_of_the_labels_is_said_and_can_be_chosen(words: Words) -> None:
    ours = words.finetune.reading
    drawn = draw(words, collect(Reading(labels=TABLE.key(), tables=(TABLE,)), "cat", "dog"))
    assert any(text.startswith(ours.by_table.format(path="labels.csv", column="label")) for text in drawn.texts)
    assert {mark(TABLE.key()), mark(TABLE.key("kind"))} <= {*drawn.values("value")}
    drawn = draw(words, collect(Reading(labels=NAMES), "cat", "dog"))
    assert any(text.startswith(ours.by_names) for text in drawn.texts)
    assert ours.right.labels not in draw(words, collect(Reading(), "cat", "dog")).texts  # there is nothing to choose


@BOTH
@pytest.mark.parametrize("doubt", Doubt)
def test_a_question_is_shown_with_pictures_and_answers_until_it_is_answered(words: Words, doubt: Doubt) -> None:
    question = Question(doubt, ("cat", "dog"))
    reading = Reading(questions=(question,))
    collection, asks = collect(reading, "cat", "dog"), words.finetune.reading.ask
    drawn = Markup(draw_questions(words, Pictures(collection)))
    assert drawn.elements.count("img") == 6
    picks = drawn.values("data-pick")
    assert picks == [f"answer-{doubt}-{answer}" for answer in ANSWERS[doubt]]
    assert [asks.answers[doubt][answer] for answer in ANSWERS[doubt]] == drawn.texts[-len(picks) :]
    answered = Reading(questions=(question,), choices=Choices().answer(doubt, ANSWERS[doubt][0]))
    assert Markup(draw_questions(words, Pictures(collect(answered, "cat", "dog")))).texts == [asks.is_settled]
    assert f"ask-{doubt}" in draw(words, collect(answered, "cat", "dog")).values("data-pick")  # it can be taken back


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert draw_questions(ENGLISH, Pictures(collect(Reading(), "cat", "dog"))) == ""
    assert draw_questions(ENGLISH, Pictures()) == ""


def test_every_name_is_text() -> None:
    reading = Reading(
        sources=(HOSTILE, "b.zip"),
        folders=(FolderRead(HOSTILE, Role.CLASS, 3),),
        outer=(HOSTILE,),
        tables=(LabelTable(HOSTILE, HOSTILE, (HOSTILE,), 3),),
        joined=(Joined(HOSTILE, (HOSTILE,)),),
        flattened={HOSTILE: (HOSTILE,)},
        left_out=(LeftOut(HOSTILE, EntryOutsideClass(), 3, HOSTILE),),
        questions=(Question(Doubt.MASKS, (HOSTILE,)), Question(Doubt.EMPTY, (HOSTILE,))),
        choices=Choices().answer(Doubt.EMPTY, Answer.KEEP),
    )
    collection = collect(reading, HOSTILE, "dog")
    for drawn in (draw(ENGLISH, collection), Markup(draw_questions(ENGLISH, Pictures(collection)))):
        assert "onerror" not in [name for name, _ in drawn.attributes]
        assert all(source.startswith("data:image/jpeg;base64,") for source in drawn.values("src"))
    assert HOSTILE in draw(ENGLISH, collection).values("value")  # of the field that renames it


def test_a_garbled_name_is_pointed_out() -> None:
    hint = ENGLISH.finetune.reading.garbled
    assert hint in draw(ENGLISH, collect(Reading(), "group╫Θ", "dog")).texts
    assert hint not in draw(ENGLISH, collect(Reading(), "forêt", "猫")).texts


def test_a_mark_stands_for_one_name_and_breaks_nothing() -> None:
    names = ["cat", "Cat", "cat ", HOSTILE, "猫", ""]
    assert len({mark(name) for name in names}) == len(names)
    assert all(mark(name).isalnum() for name in names)
    assert [find_marked(names, mark(name)) for name in names] == names
    assert find_marked(names, mark("dog")) is None
