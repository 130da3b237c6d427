"""The door of programs: a call is checked and filled up, and its files laid bare, before gradio sees it."""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import gradio as gr

from demo.ui.api.endpoints import ENDPOINTS, Endpoint
from demo.ui.api.errors import TooManyValues, UnknownFunction, UnknownParameter, ValueMissing, ValuesUnordered
from demo.ui.events.requests import Requests
from demo.ui.server.internals import API_PREFIX

_CALL = re.compile(rf"{API_PREFIX}/call/(?P<second>v2/)?(?P<name>[^/]*)/?$")
_JOIN = re.compile(rf"{API_PREFIX}/queue/join/?$")
_AGENTS = re.compile(rf"{API_PREFIX}/mcp/?$")
_SHOWN_LENGTH = 40


class Door:
    """Reads the bodies of programs' calls, whichever of gradio's three ways they take.

    gradio's file data is recognised by its `meta`. Without it gradio fetches, checks and copies nothing, and leaves it
    to us to say what is wrong with a file.
    """

    def __init__(self, page: gr.Blocks) -> None:
        self._requests = Requests(page)
        public = {number: each for number, each in page.fns.items() if each.api_visibility == "public"}
        self._by_number: dict[int | None, Endpoint] = {
            number: ENDPOINTS[each.api_name] for number, each in public.items()
        }

    def read(self, path: str, body: Any) -> Any:
        """Return the body of a program's call, checked; None for what is none.

        Raises:
            CallError: One of its kinds, if the call cannot be answered.
            RequestError: One of its kinds, if no event can say what the body says.
        """
        self._requests.check(path, body)
        if _AGENTS.search(path):
            return body
        if match := _CALL.search(path):
            if (endpoint := ENDPOINTS.get(match["name"])) is None:
                raise UnknownFunction(name=match["name"][:_SHOWN_LENGTH], known=", ".join(ENDPOINTS))
            return _fill_names(endpoint, body) if match["second"] else _fill_list(endpoint, body)
        if _JOIN.search(path) and isinstance(body, dict):
            endpoint = self._by_number.get(_read_number(body.get("fn_index")))
            return _fill_list(endpoint, body) if endpoint else None
        return None


def _read_number(value: Any) -> int | None:
    """Return a number as gradio would read it, who takes "7" and 7.0 for 7."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _fill_list(endpoint: Endpoint, body: Any) -> dict[str, Any]:
    """Return a body with a value for each parameter."""
    values = body.get("data") if isinstance(body, dict) else None
    if not isinstance(values, list):
        raise ValuesUnordered(function=endpoint.name, known=endpoint.known)
    defaults = endpoint.defaults
    if len(values) > len(defaults):
        raise TooManyValues(function=endpoint.name, count=len(values), known=endpoint.known)
    return {**body, "data": [*_bare(values), *_defaults_of(endpoint, list(defaults)[len(values) :]).values()]}


def _fill_names(endpoint: Endpoint, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ValuesUnordered(function=endpoint.name, known=endpoint.known)
    for name in body:
        if name not in endpoint.defaults:
            raise UnknownParameter(function=endpoint.name, name=name[:_SHOWN_LENGTH], known=endpoint.known)
    missing = [name for name in endpoint.defaults if name not in body]
    sent: Mapping[str, Any] = _bare(body)
    return {**sent, **_defaults_of(endpoint, missing)}


def _defaults_of(endpoint: Endpoint, names: Iterable[str]) -> dict[str, Any]:
    chosen = {name: endpoint.defaults[name] for name in names}
    for name, default in chosen.items():
        if default is inspect.Parameter.empty:
            raise ValueMissing(function=endpoint.name, name=name, known=endpoint.known)
    return chosen


def _bare(sent: Any) -> Any:
    """Take `meta` off all file data in a JSON value, without recursion."""
    left = [sent]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            if "path" in each:
                each.pop("meta", None)
            left += each.values()
        elif isinstance(each, list):
            left += each
    return sent
