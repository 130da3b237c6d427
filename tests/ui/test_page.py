"""The page's own events: what one visitor does, what it changes, and that nobody else sees it."""

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.data.errors import NotAnImage
from demo.data.formats.errors import IsText
from demo.data.samples import find_example
from demo.models.state import ModelState
from demo.models.zoo import EMBEDDED
from demo.settings import Settings
from demo.tasks.features import FeatureProgress
from demo.ui.finetune.tab import FineTuneTab
from demo.ui.page import build_page, draw_strip, refresh
from demo.ui.photo import Chosen, choose_example, choose_photo
from demo.ui.predict.network import choose_backbone
from demo.ui.predict.side_by_side import compare_networks, predict_pictures
from demo.visitors.jobs import JobKind
from demo.visitors.rooms import Rooms
from demo.words.errors import WordsWrong
from demo.words.language import CHINESE, ENGLISH
from tests.conftest import PROJECT
from tests.pictures import MakeZip, colour_folders
from tests.served import Server
from tests.visitor import Refused, Visit, Visitor, best_classes, fill, recipe_values

CAT = find_example("cat").path


def train(visitor: Visitor, archive: Path, epochs: int = 3) -> str:
    """Go through tab 2 and return the last status line."""
    visitor.call("choose_archive", [visitor.upload(archive)])
    visitor.call("start_training", *recipe_values(epochs))
    return str(visitor.call("watch_training")[1])


def test_memory_is_not_spent_on_a_compiler_that_is_never_used() -> None:
    assert sys.modules["triton"] is None


def test_a_gpus_compiler_is_left_where_there_is_a_gpu() -> None:
    environment = {**os.environ, "DEMO_DEVICE": "auto"}
    driver = "import pathlib; pathlib.Path.exists = lambda self: True"
    program = f"{driver}; import demo, sys; print('triton' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, check=True)
    assert run.stdout.strip() == b"False"


def test_a_photograph_is_seen_in_both_tabs(visit: Visit) -> None:
    visitor = visit()
    assert "espresso" in visitor.refresh().shown.answer  # the page opens answered
    chosen = fill(Chosen, visitor.call("choose_photo", visitor.upload(CAT)))
    assert visitor.call("keep_photo") == [chosen.there]
    assert chosen.there["url"].startswith("data:image/jpeg;base64,")
    assert chosen.there["path"] is None
    shown = visitor.refresh()
    assert next(iter(best_classes(shown.shown.answer))) == "tiger cat"
    assert len(best_classes(shown.shown.answer)) == 5
    assert shown.shown.inside in shown.shown.answer
    assert shown.shown.answer.count("<img") == 4  # what the network is given, and three stages


def test_the_same_photograph_from_tab_3_counts_for_tab_1(visit: Visit) -> None:
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(CAT), of="inside-photo")
    assert next(iter(best_classes(visitor.refresh().shown.answer))) == "tiger cat"


def test_a_photograph_sets_off_only_what_depends_on_it(visit: Visit) -> None:
    visitor = visit()
    visitor.refresh()
    assert visitor.follow("choose_photo", visitor.upload(CAT)) == ["choose_photo"]
    assert visitor.follow("choose_example", "coffee") == ["choose_example"]
    model_follows = sorted(visitor.follow("choose_answers", "imagenet"))
    assert model_follows == ["choose_answers", "refresh", "show_results", "show_steps", "tell_recipe"]


def test_what_loads_downloads_or_decodes_waits_in_a_line(server: Server) -> None:
    slow = [choose_photo, choose_example, choose_backbone, compare_networks, predict_pictures, refresh]
    names = {each.__name__ for each in slow}
    events = [event for event in server.page.fns.values() if event.name in names]
    assert len(events) > 2 * len(slow)
    assert all(event.concurrency_limit for event in events)


def test_an_error_without_its_sentence_stops_the_start(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr("demo.ui.page.CHINESE", replace(CHINESE, errors={}))
    with pytest.raises(WordsWrong, match="is missing"):
        build_page(Rooms.of(settings))


def test_a_photograph_can_be_taken_away(visit: Visit) -> None:
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(CAT))
    chosen = fill(Chosen, visitor.call("choose_photo", None))
    assert chosen.there is None
    assert ENGLISH.photo.missing in visitor.refresh().shown.answer


def test_a_refused_photograph_changes_nothing(visit: Visit, tmp_path: Path) -> None:
    visitor, path = visit(), tmp_path / "<b>.png"
    path.write_bytes(b"not a picture")
    visitor.call("choose_photo", visitor.upload(CAT))
    payload = {**visitor.upload(path), "orig_name": "<b>.png"}
    with pytest.raises(Refused, match=r"&lt;b&gt;\.png") as refused:
        visitor.call("choose_photo", payload)
    assert "<b>" not in str(refused.value)
    assert next(iter(best_classes(visitor.refresh().shown.answer))) == "tiger cat"
    assert visitor.call("keep_photo")[0] is not None


def test_the_sentence_of_an_error_is_in_the_language_of_the_page(visit: Visit, tmp_path: Path) -> None:
    visitor, path = visit(language="zh"), tmp_path / "text.png"
    path.write_bytes(b"not a picture")
    with pytest.raises(Refused) as refused:
        visitor.call("choose_photo", visitor.upload(path))
    assert str(refused.value) == CHINESE.explain(NotAnImage(name="text.png", what=IsText()))


def test_a_trained_head_answers_everywhere_and_for_nobody_else(visit: Visit, make_zip: MakeZip) -> None:
    one, other = visit(), visit()
    for visitor in (one, other):
        visitor.call("choose_photo", visitor.upload(CAT))
    status = train(one, make_zip(colour_folders(10)), epochs=20)
    assert "validation pictures right (100.0%, 95% interval" in status
    mine, theirs = one.refresh(), other.refresh()
    assert "your 2 classes: blue, red" in mine.strip
    assert "right (100.0%)" in mine.strip
    assert set(best_classes(mine.shown.answer)) == {"blue", "red"}
    assert ENGLISH.photo.answer_own in mine.shown.inside
    assert "blue" not in theirs.strip
    assert next(iter(best_classes(theirs.shown.answer))) == "tiger cat"
    assert "red" not in str(other.call("show_session"))


def test_a_reload_finds_everything_again_in_either_language(visit: Visit, make_zip: MakeZip) -> None:
    before = visit()
    before.call("choose_photo", before.upload(CAT))
    train(before, make_zip(colour_folders()))
    after = visit(token=before.token, language="zh")
    assert after.token == before.token
    assert "你的 2 个类别：blue, red" in after.refresh().strip
    shown = fill(FineTuneTab, after.call("show_session"))
    report, training = shown.pictures.report, shown.jobs.training
    assert "blue" in report
    assert "第 3 轮之后" in training.summary
    assert training.loss["value"]["data"][0][2] == "训练"


def test_the_answers_can_be_switched_and_the_head_dropped(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(CAT))
    train(visitor, make_zip(colour_folders()))
    visitor.call("choose_answers", "imagenet")
    shown = visitor.refresh()
    assert next(iter(best_classes(shown.shown.answer))) == "tiger cat"
    assert "is kept, but not in use" in shown.strip
    visitor.call("choose_answers", "own")
    assert next(iter(best_classes(visitor.refresh().shown.answer))) in ("blue", "red")
    visitor.call("back_to_imagenet")
    shown = visitor.refresh()
    assert "blue" not in shown.strip
    assert shown.back["visible"] is False
    assert shown.network.answers["visible"] is False
    assert ENGLISH.finetune.training.trained_next not in str(visitor.call("show_session"))


def test_a_second_head_is_trained_without_looking_again(visit: Visit, make_zip: MakeZip, server: Server) -> None:
    visitor = visit()
    train(visitor, make_zip(colour_folders()))
    session = server.rooms.sessions.attach(visitor.token)
    first = session.trained
    visitor.call("start_training", *recipe_values(2))
    visitor.call("watch_training")
    assert first is not None
    assert session.trained is not None
    assert session.trained is not first
    assert (session.trained.features.values == first.features.values).all()
    job = session.jobs[JobKind.TRAINING]
    assert not any(isinstance(point, FeatureProgress) for point in job.points)
    assert job.progress is None


def test_a_stopped_training_leaves_the_model_as_it_was(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.call("choose_archive", [visitor.upload(make_zip(colour_folders(60)))])
    visitor.call("start_training", *recipe_values(200))
    visitor.call("stop_training")
    status = visitor.call("watch_training")[1]
    assert "The training was stopped" in status
    assert "blue" not in visitor.refresh().strip


def test_a_refused_zip_keeps_the_former_one(visit: Visit, make_zip: MakeZip) -> None:
    visitor = visit()
    visitor.call("choose_archive", [visitor.upload(make_zip(colour_folders()))])
    with pytest.raises(Refused, match=r"The file in the zip cannot be used"):
        visitor.call("choose_archive", [visitor.upload(make_zip({"a/notes.txt": b""}))])
    assert "blue" in visitor.call("show_session")[0]


def test_training_needs_pictures(visit: Visit) -> None:
    with pytest.raises(Refused, match="no pictures to learn from"):
        visit().call("start_training", *recipe_values())


def test_class_and_file_names_are_text_not_html(visit: Visit, make_zip: MakeZip) -> None:
    files = {name.replace("red", "<img src=x>"): content for name, content in colour_folders().items()}
    visitor = visit()
    visitor.call("choose_photo", visitor.upload(CAT))
    visitor.call("choose_archive", [visitor.upload(make_zip({**files, "blue/<script>.txt": b""}))])
    assert "<img src=x" not in visitor.call("show_session")[0]
    assert "<script" not in visitor.call("show_session")[0]
    visitor.call("start_training", *recipe_values(1))
    visitor.call("watch_training")
    shown = visitor.refresh()
    assert "<img" not in shown.strip + shown.shown.inside
    assert shown.shown.answer.count("<img") == 4  # what the network is given, and three stages


def test_a_page_without_a_session_is_told_so(visit: Visit, server: Server) -> None:
    visitor = visit()
    session = server.rooms.sessions.attach(visitor.token)
    session.presence.touched -= 2 * server.rooms.settings.session_idle_s
    server.rooms.sessions.sweep()
    with pytest.raises(Refused, match="begins a new one"):
        visitor.refresh()


def test_an_unexpected_error_is_logged_and_named_neutrally(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_values: Any, **_options: Any) -> None:
        raise RuntimeError("secret path")

    visitor = visit()
    visitor.call("choose_photo", visitor.upload(CAT))
    monkeypatch.setattr("demo.visitors.rooms.see", fail)
    with caplog.at_level(logging.ERROR, logger="demo"), pytest.raises(Refused) as refused:
        visitor.refresh()
    assert str(refused.value) == ENGLISH.unexpected
    assert "secret path" in caplog.text


def test_the_strip_says_when_answers_are_rounded(settings: Settings) -> None:
    state = ModelState(EMBEDDED)
    exact, rounded = (Rooms.of(replace(settings, precision=precision)) for precision in ("float32", "bfloat16"))
    assert "float" not in draw_strip(exact, state)
    assert "bfloat16" in draw_strip(rounded, state)
