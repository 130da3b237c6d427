"""Events that no page sends: each is refused with a sentence, and the log stays quiet."""

import asyncio
import json
import logging
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest

from demo.ui.events.failures import answer_failures
from demo.ui.server.errors import (
    BodyUnreadable,
    DiskFull,
    EventOver,
    FieldNotFitting,
    ValueNotFitting,
    ValuesNotFitting,
)
from demo.words.language import CHINESE, ENGLISH
from tests.served import Server
from tests.visitor import Refused, Visit, Visitor

NAN = float("nan")


def post(server: Server, path: str, body: Any, **headers: str) -> httpx.Response:
    headers = {"Content-Type": "application/json", **headers}
    return httpx.post(f"{server.url}/gradio_api{path}", content=json.dumps(body), headers=headers, verify=False)


def event_of(visitor: Visitor, **other: Any) -> dict[str, Any]:
    number = visitor._find("choose_photo", 0)
    return {"data": [None, None], "fn_index": number, "session_hash": visitor._session_hash, "trigger_id": None} | other


WRONG: dict[str, list[Any]] = {
    "fn_index": [None, 9_999_999, -1, "x", 1.5, True, NAN, []],
    "session_hash": [None, 7, "", "a b", [], "x" * 101],
    "trigger_id": [9_999_999, "1", {}, True],
    "data": [None, {}, "x", NAN, 7],
    "batched": [True, "x", []],
    "oauth_token": [True, "x", []],
    "simple_format": ["yes"],
    "event_id": [[1]],
}


def test_every_door_of_events_says_what_is_wrong(
    server: Server, visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    body, deep = event_of(visit()), json.loads("[" * 100 + "]" * 100)
    unreadable, nothing = BodyUnreadable(), FieldNotFitting(name="session_hash", value="None")
    told = [
        ("/queue/join", body | {"data": [None]}, ValuesNotFitting(count=1, needed=2)),
        ("/queue/join", body | {"data": [None, deep]}, unreadable),
        ("/queue/join", body | {"data": [None, "\ud800"]}, unreadable),
        ("/queue/join", body | {"data": [None, {"a\0": 1}]}, unreadable),
        ("/queue/join", [1], FieldNotFitting(name="data", value="[...]")),
        ("/cancel", {}, nothing),
        ("/cancel", {"session_hash": "x", "event_id": "x", "fn_index": 10**400}, None),
        ("/reset", {}, FieldNotFitting(name="event_id", value="None")),
        ("/reset", [NAN], FieldNotFitting(name="data", value="[...]")),
        ("/stream/nobody", {"data": []}, EventOver()),
        ("/stream/nobody/close", {}, EventOver()),
        ("/call/predict", {"data": [None], "session_hash": 7}, FieldNotFitting(name="session_hash", value="7")),
    ]
    for name, value in ((name, value) for name, values in WRONG.items() for value in values):
        shown = "[...]" if isinstance(value, list) else "{...}" if isinstance(value, dict) else str(value)[:40]
        told.append(("/queue/join", body | {name: value}, FieldNotFitting(name=name, value=shown)))
    with caplog.at_level(logging.WARNING):
        for path, sent, error in told:
            answer = post(server, path, sent)
            assert answer.status_code == (404 if isinstance(error, EventOver) else 400), (path, sent)
            assert error is None or answer.json()["detail"] == ENGLISH.explain(error)
            chinese = post(server, path, sent, Referer=f"{server.url}/zh").json()["detail"]
            assert error is None or chinese == CHINESE.explain(error)
    assert not caplog.records


def test_streams_that_are_not_there_say_so(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    api = f"{server.url}/gradio_api"
    with caplog.at_level(logging.WARNING):
        missing = httpx.get(f"{api}/queue/data", verify=False)
        assert (missing.status_code, "session_hash" in missing.json()["detail"]) == (400, True)
        gone = httpx.get(f"{api}/call/predict/nobody", verify=False)
        assert (gone.status_code, gone.json()["detail"]) == (404, ENGLISH.explain(EventOver()))
        told = httpx.get(f"{api}/queue/data?session_hash=nobody", verify=False, headers={"Referer": f"{server.url}/zh"})
        message = json.loads(told.text.removeprefix("data: "))
        assert message["session_not_found"]  # on which the page looks for its session anew
        assert message["message"] == CHINESE.explain(EventOver())
    assert not caplog.records


def test_values_that_components_refuse_end_with_a_sentence(
    server: Server, visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    page = visit()
    outside = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    with caplog.at_level(logging.WARNING):
        for value in (outside, {"path": 7, "meta": []}, [outside], {"meta": None, "path": "x"}):
            with pytest.raises(Refused) as refused:
                page.call("choose_photo", value)
            assert ENGLISH.unexpected not in str(refused.value)
        page._http.headers["Referer"] = f"{server.url}/zh"
        with pytest.raises(Refused, match=CHINESE.explain(ValueNotFitting())):
            page.call("choose_photo", outside)
    assert not caplog.records


def test_what_is_not_the_visitors_fault_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """Inputs fail by what was sent, and a full disk by itself; whatever fails after them is the program's own."""

    async def fail(error: Exception) -> None:
        raise error

    page: Any = SimpleNamespace(preprocess_data=fail, process_api=fail)
    answer_failures(page)

    def told(error: Exception) -> str:
        with pytest.raises(gr.Error) as raised:
            asyncio.run(page.process_api(error))
        assert not raised.value.print_exception
        return str(raised.value.message)

    with pytest.raises(ValueNotFitting):
        asyncio.run(page.preprocess_data(gr.Error("Value is not in the list of choices")))
    with pytest.raises(DiskFull):
        asyncio.run(page.preprocess_data(OSError(28, "No space left on device")))
    assert told(gr.Error("a file outside")) == ENGLISH.explain(ValueNotFitting())
    assert told(gr.Error("ours", print_exception=False)) == "ours"
    assert told(DiskFull()) == ENGLISH.explain(DiskFull())
    assert not caplog.records
    assert told(KeyError("cat.jpg")) == ENGLISH.unexpected
    (record,) = caplog.records
    assert "KeyError" in record.getMessage()
    assert "cat.jpg" not in record.getMessage()
