"""Three hundred archives, combined by chance from layouts as people have them, are read as they are meant."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.data.collection import Collection
from demo.data.dataset import check_questions, make_dataset
from demo.data.errors import UploadError
from demo.data.folders import read_collection, reread
from demo.data.listing import fold
from demo.settings import Settings
from tests.data.archive_oddities import Archive, make_archive

NUM_ARCHIVES = 300

Counts = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Verdict:
    """How one archive was read, whether it is asked about in vain, and whether it would be trained without a word."""

    is_right: bool
    is_silent: bool
    is_needless: bool
    why: str


def judge(seed: int, folder: Path, settings: Settings) -> Verdict:
    """Read one archive, answer what has to be asked, and compare with what is true."""
    archive = make_archive(seed)
    paths = [(folder / f"{seed}-{number}.zip", name) for number, (name, _) in enumerate(archive.zips)]
    for (path, _), (_, content) in zip(paths, archive.zips, strict=True):
        path.write_bytes(content)
    try:
        collection = read_collection(paths, settings)
    except UploadError as error:
        return Verdict(is_right=False, is_silent=False, is_needless=False, why=f"{seed} {archive.kinds}: {error}")
    reading = collection.reading
    assert reading is not None
    asked = {question.doubt for question in reading.open_questions}
    answered, is_asked = collection, True
    if archive.talk:
        doubt, answer = archive.talk
        answered = reread(collection, reading.choices.answer(doubt, answer), settings)
        is_asked = doubt in asked
    expected = count_true(archive)
    found = count(answered, with_splits=len({split for _, split in expected}) > 1)
    is_right = found == expected and is_asked
    why = f"{seed} {archive.kinds}: {dict(found)} for {dict(expected)}, asked {asked}"
    is_silent = not is_right and is_trained(collection, settings)
    return Verdict(is_right, is_silent, is_needless=bool(asked) and archive.talk is None, why=why)


def is_trained(collection: Collection, settings: Settings) -> bool:
    """Say whether a training would begin, with no question and no refusal."""
    try:
        check_questions(collection)
        make_dataset(collection, settings)
    except UploadError:
        return False
    return True


def count_true(archive: Archive) -> Counts:
    return Counter((fold(item.label), item.split) for item in archive.items if item.label)


def count(collection: Collection, *, with_splits: bool) -> Counts:
    return Counter(
        (fold(each.name), picture.split.value if picture.split and with_splits else "")
        for each in collection.classes
        for picture in each.pictures
    )


def test_archives_are_read_as_they_are_meant_or_asked_about(tmp_path: Path, settings: Settings) -> None:
    verdicts = [judge(seed, tmp_path, settings) for seed in range(NUM_ARCHIVES)]
    wrong = [each for each in verdicts if not each.is_right]
    assert len(wrong) <= 3, "\n".join(each.why for each in wrong)
    assert not [each.why for each in verdicts if each.is_silent]
    needless = [each.why for each in verdicts if each.is_needless]
    assert len(needless) <= 3, "\n".join(needless)
