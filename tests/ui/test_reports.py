"""Zips made after public reports of people who train on their own pictures, through the API: read right, or refused."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from demo.data.errors import ArchiveDamaged, ArchiveEncrypted, TooFewClasses, TooManyClasses
from tests.served import Server

# What a refusal says, by the zip that is refused.
REFUSALS = {
    "rar-named": "RAR",
    "targz-named": "gzip",
    "sevenz-named": "7z",
    "bzip2": "bzip2",
    "password": str(ArchiveEncrypted()),
    "cut": str(ArchiveDamaged()),
    "one-class": str(TooFewClasses(count=1, names="a", limit=2)),
    "twenty-one": str(TooManyClasses(count=21, limit=20)),
    "yolo-roboflow": "boxes",
    "yolo-ultralytics": "boxes",
    "segmentation-masks": 'answers = {"masks": "leave_out"}',
    "only-loose": "folder for each class",
}
# What is asked before the others are trained, and what is answered here.
ANSWERS = {
    "hierarchy": {"nested": "keep"},
    "labels-in-names": {"names": "names"},
    "copied-50": {"copies": "keep"},
}


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    client = Client(server.url, verbose=False, analytics_enabled=False, download_files=False)
    yield client
    client.close()


def ask(client: Client, archive: Path, **right: Any) -> dict[str, Any] | str:
    """Train on a zip; return the report, or the sentence by which it is refused."""
    try:
        report, *_ = client.predict(dataset_zip=handle_file(archive), epochs=1, api_name="/fine_tune", **right)
    except AppError as refused:
        return str(refused)
    answer: dict[str, Any] = report
    return answer


def count(answer: dict[str, Any] | str) -> dict[str, int] | str:
    """Return the pictures of each class that were trained on."""
    if isinstance(answer, str):
        return answer
    return {name: sum(counts.values()) for name, counts in answer["counts"].items()}


def find_wrong(client: Client, archive: Path, expected: str) -> str:
    """Return what is wrong with the answer to a zip, or nothing."""
    name = archive.stem
    answer = ask(client, archive)
    if name in ANSWERS:
        example = re.search(r"answers = (\{.*\})", str(answer))
        if example is None or json.loads(example[1]).keys() != ANSWERS[name].keys():
            return f"{name}: nothing of that is asked: {answer}"
        answer = ask(client, archive, answers=ANSWERS[name])
    if name in REFUSALS:
        return "" if isinstance(answer, str) and REFUSALS[name] in answer else f"{name}: {count(answer)}"
    if isinstance(answer, str) or count(answer) != json.loads(expected):
        return f"{name}: {count(answer)}"
    read = {each["name"]: each["pictures"] for each in answer["reading"]["classes"]}
    return "" if read == count(answer) else f"{name}: {read}"


@pytest.mark.ways
@pytest.mark.slow
def test_every_zip_of_the_reports_is_read_right_or_refused_with_its_sentence(client: Client, shared_data: Path) -> None:
    folder = shared_data / "reports"
    rows = [line.split("\t") for line in (folder / "EXPECT.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) > 50
    assert [wrong for row in rows if (wrong := find_wrong(client, folder / row[0], row[2]))] == []
