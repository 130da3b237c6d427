"""A visitor puts right how a zip was read: each control changes what it says and no more; what cannot be is said."""

from collections.abc import Callable
from typing import Any

import pytest

from demo.data.errors import ClassNameTaken
from demo.data.reading import ANSWERS, FOLDERS, Answer, Choices, Doubt, Reading, Role
from demo.errors import DemoError
from demo.ui.finetune.gather.picks import mark
from demo.ui.finetune.gather.shown import Gathered
from demo.ui.parts.errors import NothingToJoin, PageOutdated, UnknownChoice
from demo.visitors.errors import TrainingRunning
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.pictures import MakeZip, encode, noise
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, Visitor, recipe_values

Put = Callable[..., Gathered]
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)
NESTED = [("animals", "cats"), ("animals", "dogs"), ("plants", "oaks"), ("plants", "elms")]


def zip_files(*folders: str, first: int = 0, num_pictures: int = 3) -> dict[str, bytes]:
    """Return pictures of noise in folders, each of its own."""
    return {
        f"{folder}/{number}.png": encode(noise(first + 50 * place + number))
        for place, folder in enumerate(folders)
        for number in range(num_pictures)
    }


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()


@pytest.fixture
def put(visitor: Visitor) -> Put:
    """Use a control of the report."""

    def put_right(pick: str, value: str = "", of: str = "report") -> Gathered:
        return Gathered(*visitor.call("put_right", of=of, event_data={"pick": pick, "value": value}))

    return put_right


def sizes(session: Session) -> dict[str, int]:
    """Return the number of pictures by class."""
    assert session.pictures.collection is not None
    return {each.name: len(each.pictures) for each in session.pictures.collection.classes}


def reading(session: Session) -> Reading:
    assert session.pictures.collection is not None
    assert session.pictures.collection.reading is not None
    return session.pictures.collection.reading


@LANGUAGES
def test_nothing_is_trained_before_the_question_is_answered(
    visit: Visit, server: Server, make_zip: MakeZip, words: Words
) -> None:
    visitor = visit(language=words.language[:2])
    session = server.rooms.sessions.attach(visitor.token)
    visitor.bring(make_zip(zip_files(*map("/".join, NESTED))))
    (question,) = reading(session).open_questions
    with pytest.raises(Refused) as refused:
        visitor.call("start_training", *recipe_values())
    assert all(subject in str(refused.value) for subject in question.subjects)
    assert not session.jobs
    answer = {"pick": f"answer-{Doubt.NESTED}-{Answer.INNER}", "value": ""}
    shown = Gathered(*visitor.call("put_right", of="train-questions", event_data=answer))
    assert Markup(shown.asked).texts == Markup(shown.questions).texts == [words.finetune.reading.ask.is_settled]
    assert {*sizes(session)} == {inner for _, inner in NESTED}
    visitor.train(*recipe_values(optimizer="ridge"))
    assert session.results is not None


def test_an_answer_can_be_taken_back(visitor: Visitor, session: Session, make_zip: MakeZip, put: Put) -> None:
    visitor.bring(make_zip(zip_files(*map("/".join, NESTED))))
    put(f"answer-{Doubt.NESTED}-{Answer.INNER}", of="questions")
    assert len(sizes(session)) == 4
    shown = put(f"ask-{Doubt.NESTED}")
    assert sizes(session) == {"animals": 6, "plants": 6}
    assert reading(session).open_questions
    picks = Markup(shown.questions).values("data-pick")
    assert picks == [f"answer-{Doubt.NESTED}-{answer}" for answer in ANSWERS[Doubt.NESTED]]


def test_each_control_changes_what_it_says(visitor: Visitor, session: Session, make_zip: MakeZip, put: Put) -> None:
    visitor.bring(make_zip(zip_files("cat", "dog", "owl")))
    put(f"role-{mark('owl')}", Role.OUT)
    assert sizes(session) == {"cat": 3, "dog": 3}
    assert reading(session).choices.roles == {"owl": Role.OUT}
    put(f"role-{mark('owl')}", Role.CLASS)
    put(f"name-{mark('owl')}", " eagle owl ")
    assert sizes(session) == {"cat": 3, "dog": 3, "eagle owl": 3}
    shown = put("join", " ".join(map(mark, ("cat", "dog"))))
    assert sizes(session) == {"cat": 6, "eagle owl": 3}
    assert shown.switches["value"] == ["cat", "eagle owl"]
    put("reset")
    assert reading(session).choices == Choices()
    assert sizes(session) == {"cat": 3, "dog": 3, "owl": 3}


def test_the_place_of_the_labels_can_be_chosen(visitor: Visitor, session: Session, make_zip: MakeZip, put: Put) -> None:
    files = zip_files("images", num_pictures=6)
    rows = [f"{name},{'cat' if place < 3 else 'dog'}" for place, name in enumerate(files)]
    visitor.bring(make_zip({**files, "labels.csv": "\n".join(["file,label", *rows]).encode()}))
    assert sizes(session) == {"cat": 3, "dog": 3}
    key = reading(session).labels
    put("labels", mark(FOLDERS))
    assert sizes(session) == {"images": 6}
    put("labels", mark(key))
    assert sizes(session) == {"cat": 3, "dog": 3}


def test_zips_are_joined_and_taken_out_again(
    visitor: Visitor, session: Session, make_zip: MakeZip, put: Put, tmp_path: Any
) -> None:
    first = make_zip(zip_files("cat", "dog")).rename(tmp_path / "first.zip")
    second = make_zip(zip_files("dog", "owl", first=500)).rename(tmp_path / "second.zip")
    visitor.call("choose_archive", [visitor.upload(first)])
    report = Gathered(*visitor.call("choose_archive", [visitor.upload(second)])).report
    assert sizes(session) == {"cat": 3, "dog": 6, "owl": 3}
    assert "first.zip; second.zip" in " ".join(Markup(report).texts)
    put(f"source-{mark('first.zip')}")
    assert sizes(session) == {"dog": 3, "owl": 3}
    visitor.call("drop_pictures")
    visitor.call("choose_archive", [visitor.upload(first), visitor.upload(second)])  # both at once
    assert sizes(session) == {"cat": 3, "dog": 6, "owl": 3}


WRONG: list[tuple[str, str, DemoError]] = [
    (f"name-{mark('cat')}", "DOG", ClassNameTaken(class_name="dog")),
    (f"name-{mark('cow')}", "bull", PageOutdated()),
    (f"role-{mark('cow')}", "class", PageOutdated()),
    (f"source-{mark('cow.zip')}", "", PageOutdated()),
    (f"role-{mark('cat')}", "king", UnknownChoice(option="roles", value="king", known=", ".join(Role))),
    ("labels", mark("cow.csv#label"), PageOutdated()),
    ("join", mark("cat"), NothingToJoin()),
    ("join", f"{mark('cat')} {mark('cow')}", PageOutdated()),
    ("answer-king-keep", "", UnknownChoice(option="answers", value="king", known=", ".join(Doubt))),
    (
        "answer-masks-names",
        "",
        UnknownChoice(option="answers.masks", value="names", known=", ".join(ANSWERS[Doubt.MASKS])),
    ),
    ("ask-king", "", UnknownChoice(option="answers", value="king", known=", ".join(Doubt))),
    ("None", "None", PageOutdated()),
    ("<img src=x onerror=alert(1)>", "x" * 10_000, PageOutdated()),
]


@LANGUAGES
def test_what_cannot_be_is_said_and_changes_nothing(
    visit: Visit, server: Server, make_zip: MakeZip, words: Words
) -> None:
    visitor = visit(language=words.language[:2])
    visitor.bring(make_zip(zip_files("cat", "dog")))
    session = server.rooms.sessions.attach(visitor.token)
    before = session.pictures.collection
    for pick, value, reason in WRONG:
        with pytest.raises(Refused) as refused:
            visitor.call("put_right", of="report", event_data={"pick": pick, "value": value})
        assert str(refused.value) == words.explain(reason), pick
        assert session.pictures.collection is before, pick


def test_nothing_is_put_right_while_it_is_learned_from(
    visitor: Visitor, session: Session, make_zip: MakeZip, put: Put, held_line: Any
) -> None:
    visitor.bring(make_zip(zip_files("cat", "dog")))
    visitor.call("start_training", *recipe_values(1))
    before = session.pictures.collection
    with pytest.raises(Refused) as refused:
        put(f"role-{mark('cat')}", Role.OUT)
    assert str(refused.value) == ENGLISH.explain(TrainingRunning())
    assert session.pictures.collection is before
    held_line.set()


def test_classes_of_the_page_can_be_renamed_and_have_nothing_else_to_put_right(visitor: Visitor, put: Put) -> None:
    visitor.call("make_class", "cat")
    visitor.call("make_class", "dog")
    assert put(f"name-{mark('cat')}", "lynx").switches["value"] == ["lynx", "dog"]
    with pytest.raises(Refused) as refused:
        put("reset")
    assert str(refused.value) == ENGLISH.explain(PageOutdated())
