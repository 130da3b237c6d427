"""The requests that begin, feed and end events, checked before gradio sees them.

gradio lists what its types miss, in English, and fails where it looks up what is not there.
"""

import re
from collections.abc import Callable
from typing import Any

import gradio as gr

from demo.ui.server.errors import BodyUnreadable, EventOver, FieldNotFitting, ValuesNotFitting
from demo.ui.server.internals import API_PREFIX, queue_of

_CALL = re.compile(rf"{API_PREFIX}/call/[^/]+/?$")
_JOIN = re.compile(rf"{API_PREFIX}/queue/join/?$")
_CANCEL = re.compile(rf"{API_PREFIX}/cancel/?$")
_RESET = re.compile(rf"{API_PREFIX}/reset/?$")
_CHUNK = re.compile(rf"{API_PREFIX}/stream/(?P<event>\w+)(?P<end>/close)?/?$")
_NAME = re.compile(r"[\w-]{1,100}")  # how browsers and gradio's clients name a page and an event
_HALF = re.compile("[\ud800-\udfff]")  # half of a pair of UTF-16, which no answer can hold
_MAX_DEPTH = 60  # of lists in lists; the page nests five deep, and a head's recipe three
_SHOWN_LENGTH = 40
_NOTHING = (None, False)  # what a page, or gradio's client, says where it asks for nothing of the kind


class Requests:
    """Checks what comes for the events of one page."""

    def __init__(self, page: gr.Blocks) -> None:
        self._functions, self._queue = page.fns, queue_of(page)
        self._triggers = {None} | {place for each in page.fns.values() for place, _ in each.targets}

    def check(self, path: str, body: Any) -> None:
        """Check the body of a request; what a path that is not an event's says is only looked at for its form.

        Raises:
            BodyUnreadable: If it nests too deep, or has characters that are none.
            FieldNotFitting, ValuesNotFitting: If it says what cannot be.
            EventOver: If its event is not there, or not any more.
        """
        _check_form(body)
        if _JOIN.search(path):
            self._check_event(body)
        elif _CALL.search(path) and isinstance(body, dict):
            _check(body, {"session_hash": _is_name_or_none, "oauth_token": _is_nothing}, only_given=True)
        elif _CANCEL.search(path):
            _check(body, {"session_hash": _is_name, "event_id": _is_name, "fn_index": self._is_function})
        elif _RESET.search(path):
            _check(body, {"event_id": _is_name})
        elif chunk := _CHUNK.search(path):
            self._check_chunk(body, chunk["event"], is_end=chunk["end"] is not None)

    def _check_event(self, body: Any) -> None:
        known = {"fn_index": self._is_function, "session_hash": _is_name, "trigger_id": self._is_trigger}
        _check(body, {**known, "event_id": _is_name_or_none})
        _check(body, {"simple_format": _is_flag}, only_given=True)
        _check(body, dict.fromkeys(("batched", "oauth_token"), _is_nothing))
        function = self._functions[body["fn_index"]]
        if (
            function.api_visibility != "public" and not function.cancels
        ):  # of public ones the door of programs says more
            _check_values(body, len(function.inputs))

    def _check_chunk(self, body: Any, event_id: str, *, is_end: bool) -> None:
        event = self._queue.event_ids_to_events.get(event_id)
        if event is None:
            raise EventOver()
        if not is_end:
            _check(body, {"session_hash": _is_name_or_none, "trigger_id": self._is_trigger})
            _check(body, dict.fromkeys(("batched", "oauth_token"), _is_nothing))
            _check_values(body, len(event.fn.inputs))

    def _is_function(self, value: Any) -> bool:
        return type(value) is int and value in self._functions

    def _is_trigger(self, value: Any) -> bool:
        return value is None or (type(value) is int and value in self._triggers)


def _check(body: Any, checks: dict[str, Callable[[Any], bool]], *, only_given: bool = False) -> None:
    if not isinstance(body, dict):
        raise FieldNotFitting(name="data", value=_show(body))
    for name, fits in checks.items():
        if not fits(body.get(name)) and (name in body or not only_given):
            raise FieldNotFitting(name=name, value=_show(body.get(name)))


def _check_values(body: Any, count: int) -> None:
    values = body.get("data")
    if not isinstance(values, list):
        raise FieldNotFitting(name="data", value=_show(values))
    if len(values) != count:
        raise ValuesNotFitting(count=len(values), needed=count)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_name_or_none(value: Any) -> bool:
    return value is None or _is_name(value)


def _is_nothing(value: Any) -> bool:
    return any(value is each for each in _NOTHING)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _show(value: Any) -> str:
    match value:
        case list():
            return "[...]"
        case dict():
            return "{...}"
    return str(value)[:_SHOWN_LENGTH]


def _check_form(value: Any) -> None:
    """Refuse a JSON value that gradio could not pass on: one that nests too deep, or has characters of no text.

    Raises:
        BodyUnreadable: In these cases.
    """
    left = [(value, 0)]
    while left:
        each, depth = left.pop()
        match each:
            case str():
                _check_text(each)
            case dict():
                for key in each:
                    _check_text(key)
                left += [(one, depth + 1) for one in each.values()]
            case list():
                left += [(one, depth + 1) for one in each]
        if depth > _MAX_DEPTH:
            raise BodyUnreadable()


def _check_text(text: str) -> None:
    if "\0" in text or _HALF.search(text):
        raise BodyUnreadable()
