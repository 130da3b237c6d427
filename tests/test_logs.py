"""The log, for people and for programs, and what of an error never gets there."""

import json
import logging
from collections.abc import Iterator

import pytest

from demo.logs import Seldom, set_up, take_over

SECRET = "grandmother's birthday.jpg"


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Begin with uvicorn's loggers as they are made, whatever this process has served, and leave all as they are."""
    root, theirs = logging.getLogger(), [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error")]
    loggers = root, logging.getLogger("demo"), *theirs
    before = [(each.handlers[:], each.filters[:], each.level, each.propagate, each.disabled) for each in loggers]
    for each in theirs:
        each.handlers[:], each.filters[:], each.propagate, each.disabled = [], [], True, False
        each.setLevel(logging.NOTSET)
    yield
    for each, (handlers, filters, level, propagate, disabled) in zip(loggers, before, strict=True):
        each.handlers[:], each.filters[:], each.propagate, each.disabled = handlers, filters, propagate, disabled
        each.setLevel(level)
    logging.captureWarnings(False)


def fail() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")


def test_json_is_one_object_a_line_with_what_programs_look_for(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("json")
    logging.getLogger("demo").info("a %s of\ntwo lines", "message")
    take_over("uvicorn.error")
    fail()
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("info", "demo", "a message of\ntwo lines")
    assert first["time"].endswith("Z")
    assert second["error"] == "ValueError"
    assert "in fail" in second["trace"]


@pytest.mark.parametrize("kind", ["text", "json"])
def test_what_an_error_says_is_not_in_the_log(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(kind)
    fail()
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert SECRET not in told


def test_text_is_a_line_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("text")
    logging.getLogger("demo").warning("late")
    logging.getLogger("others").info("chatter")
    assert capsys.readouterr().err.rstrip().endswith("WARNING demo: late")


def test_of_each_kind_one_line_a_minute_is_written_and_the_others_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    logger = logging.getLogger("seldom")
    logger.filters = [Seldom(clock=lambda: now[0])]
    for second in range(120):
        now[0] = float(second)
        logger.warning("out of files\nsocket %d", second)
        logger.warning("%s are refused", "streams" if second % 2 else "uploads")
    lines = [each.partition("\n")[0] for each in caplog.messages]
    assert lines[:3] == ["out of files", "uploads are refused", "streams are refused"]
    assert caplog.messages[3] == "out of files\nsocket 60 (59 more since the last such line)"
    assert len(lines) == 6
