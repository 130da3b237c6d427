"""What the API says of how a zip was read, and what it takes to put that right."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from demo.data.reading import ANSWERS, Answer, Choices, Doubt, Role
from demo.ui.parts.errors import OptionNotObject, UnknownChoice
from demo.ui.reading_report import parse_choices
from tests.pictures import MakeZip, encode, noise
from tests.served import Server


def draw(*folders: str, num_pictures: int = 4) -> dict[str, bytes]:
    """Return pictures of noise in folders, each of its own."""
    return {
        f"{folder}/{number}.png": encode(noise(50 * place + number))
        for place, folder in enumerate(folders)
        for number in range(num_pictures)
    }


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    client = Client(server.url, verbose=False, analytics_enabled=False, download_files=False)
    yield client
    client.close()


def fine_tune(client: Client, archive: Path, **right: Any) -> dict[str, Any]:
    report, *_ = client.predict(dataset_zip=handle_file(archive), epochs=1, api_name="/fine_tune", **right)
    answer: dict[str, Any] = report
    return answer


def test_the_api_says_how_a_zip_was_read(client: Client, make_zip: MakeZip) -> None:
    files = draw("data/seg_train/Cat", "data/seg_train/dog", "data/seg_test/cat", "data/seg_test/dog", "data/seg_pred")
    archive = make_zip(files)
    reading = fine_tune(client, archive)["reading"]
    assert reading["sources"] == [archive.name]
    assert (reading["labels"], reading["outer"]) == ("folders", ["data"])
    assert {role: len(folders) for role, folders in reading["splits"].items()} == {"train": 1, "test": 1}
    assert [each["name"].casefold() for each in reading["classes"]] == ["cat", "dog"]
    cat, dog = reading["classes"]
    assert cat["splits"] == dog["splits"] == {"train": 4, "test": 4}
    assert {*cat["spellings"]} == {"Cat", "cat"}
    assert dog["spellings"] == []
    assert [each["role"] for each in reading["folders"] if each["folder"].endswith("seg_pred")] == ["out"]
    (left_out,) = reading["left_out"]
    assert (left_out["pictures"], left_out["example"] in files) == (4, True)
    assert left_out["reason"]
    assert (reading["twins"], reading["drawn_of"], reading["tables"], reading["questions"]) == (0, 0, [], [])


def test_what_the_page_would_ask_is_refused_until_it_is_answered(client: Client, make_zip: MakeZip) -> None:
    archive = make_zip(draw("animals/cats", "animals/dogs", "plants/oaks", "plants/elms"))
    with pytest.raises(AppError, match=re.escape('answers = {"nested": "keep"}')) as refused:
        fine_tune(client, archive)
    assert all(name in str(refused.value) for name in ("animals", "plants", "keep = ", "inner = "))
    answer = fine_tune(client, archive, answers={"nested": "inner"})
    assert answer["classes"] == ["cats", "dogs", "elms", "oaks"]
    (question,) = answer["reading"]["questions"]
    assert (question["name"], question["answer"]) == ("nested", "inner")
    assert list(question["answers"]) == [each.value for each in ANSWERS[Doubt.NESTED]]


def test_roles_and_labels_are_taken(client: Client, make_zip: MakeZip) -> None:
    archive = make_zip(draw("cat", "dog", "owl"))
    assert fine_tune(client, archive, roles={"owl": "out"})["classes"] == ["cat", "dog"]
    for right, sentence in (
        ({"roles": {"cow": "out"}}, "roles is cow; choose one of: cat, dog, owl."),
        ({"labels": "cow.csv#label"}, "labels is cow.csv#label; choose one of: folders, names."),
        ({"answers": ["keep"]}, "answers is ['keep']; it must be a JSON object"),
    ):
        with pytest.raises(AppError, match=re.escape(sentence)):
            fine_tune(client, archive, **right)


def test_choices_are_parsed() -> None:
    assert parse_choices(None, None, None) == parse_choices({}, {}, "") == Choices()
    chosen = parse_choices({"masks": "leave_out"}, {"a/b": "test"}, "names")
    assert chosen == Choices(roles={"a/b": Role.TEST}, labels="names", answers={Doubt.MASKS: Answer.LEAVE_OUT})


@pytest.mark.parametrize(
    ("answers", "roles", "error"),
    [
        ("masks", {}, OptionNotObject),
        ([], {}, OptionNotObject),
        ({}, 3, OptionNotObject),
        ({"king": "keep"}, {}, UnknownChoice),
        ({"masks": "inner"}, {}, UnknownChoice),
        ({"masks": ["leave_out"]}, {}, UnknownChoice),
        ({}, {"cat": "king"}, UnknownChoice),
        ({}, {"cat": None}, UnknownChoice),
    ],
)
def test_what_is_no_choice_is_refused(answers: Any, roles: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_choices(answers, roles, "")
