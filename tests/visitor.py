"""A visitor without a browser: opens the page, uploads, and calls the page's own events as its script does."""

import html
import inspect
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import httpx

from demo.ui.page import Attached, Refreshed

Group = TypeVar("Group", bound=tuple[Any, ...])

PATIENCE_S = 180.0  # for an answer, or any sign that it is being worked on

# Where nothing else is said httpx gives up after five seconds, in gradio's client too.
vars(inspect.signature(httpx.get).parameters["timeout"].default).update(connect=60.0, read=60.0, write=60.0, pool=60.0)


class Refused(Exception):
    """The page answered with an error message."""


def recipe_values(epochs: int = 3, **other: Any) -> list[Any]:
    """Return what the controls of a training say, as the page sends it: the default recipe but for what is named."""
    values = {
        "trains": "head",
        "optimizer": "adamw",
        "hidden_layers": 0,
        "width": 128,
        "dropout": 0,
        "epochs": epochs,
        "batch_size": 24,
        "learning_rate": 0.001,
        "weight_decay": 0.01,
        "flips": True,
        "crops": 0,
        "patience": 0,
        "balance": "auto",
        "warm_start": False,
        "shuffled": False,
        "seed": 0,
    }
    assert other.keys() <= values.keys()
    return list((values | other).values())


def is_left(output: Any) -> bool:
    """Say whether an output leaves its component as it is; of a state nothing is ever said."""
    return output is None or (isinstance(output, dict) and output.keys() <= {"__type__", "props"})


class Visitor:
    """One open page. Each has a session of gradio's own, as each browser tab has."""

    def __init__(
        self,
        url: str,
        *,
        language: str = "en",
        token: str = "",
        waits: bool = True,
        cookies: CookieJar | None = None,
    ) -> None:
        """Open the page; `waits` until the first network is there, as whoever reads the answer does."""
        # Plain HTTP: to read the certificates of all the world would take longer than the page.
        self._http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60.0, verify=False, cookies=cookies)
        self._session_hash = secrets.token_hex(8)
        self._config = self._http.get(f"{url}/config").json()
        self._states = {each["id"] for each in self._config["components"] if each["type"] == "state"}
        self._elem_ids = {each["id"]: each["props"].get("elem_id") for each in self._config["components"]}
        self._language = language
        self._changed_states: list[int] = []  # the states that the last event changed
        self.attached = fill(Attached, self.call("attach", token))
        self.token: str = self.attached.token
        if waits and self.attached.arriving:
            self.call("await_network")

    def call(self, handler: str, *values: Any, turn: int = 0, of: str = "", event_data: Any = None) -> Any:
        """Call an event and return its outputs.

        Args:
            handler: Its handler's name.
            values: What its inputs say, but for the session's reference, which is the first where there is one.
            turn: Which of those with this handler in this language; the first unless given.
            of: The `elem_id` of the component whose event it is; any unless given.
            event_data: What a script on the page sends along: of a click, `{"pick": ...}`.
        """
        event = self._find(handler, turn, of)
        inputs = next(each["inputs"] for each in self._config["dependencies"] if each["id"] == event)
        data = [None, *values] if inputs and inputs[0] in self._states else list(values)
        data += [None] * (len(inputs) - len(data))  # states at the end, of which a page sends nothing either
        return self._run(event, data, event_data)

    def follow(self, handler: str, *values: Any) -> list[str]:
        """Call an event, and as a browser does whatever listens to the states that it changes; return all handlers."""
        self.call(handler, *values)
        first = {each["id"]: each["props"].get("value") for each in self._config["components"]}
        handlers, changed = [handler], self._changed_states
        while changed:
            told, changed = {(state, "change") for state in changed}, []
            for each in self._config["dependencies"]:
                if each["backend_fn"] and told & {tuple(target) for target in each["targets"]}:
                    self._run(each["id"], [first[component] for component in each["inputs"]])
                    handlers.append(re.sub(r"_\d+$", "", each["api_name"]))
                    changed += self._changed_states
        return handlers

    def _run(self, fn_index: int, data: list[Any], event_data: Any = None) -> Any:
        event = {"data": data, "fn_index": fn_index, "session_hash": self._session_hash, "event_data": event_data}
        # As text, for Python's own JSON has NaN, which whoever calls by hand may send.
        headers = {"Content-Type": "application/json"}
        joined = self._http.post("/queue/join", content=json.dumps(event), headers=headers)
        if joined.is_client_error:
            raise Refused(joined.json()["detail"])
        joined.raise_for_status()
        with self._http.stream("GET", "/queue/data", params={"session_hash": self._session_hash}) as stream:
            deadline = time.monotonic() + PATIENCE_S
            for line in stream.iter_lines():
                message: dict[str, Any] = json.loads(line.removeprefix("data: ")) if line else {"msg": "heartbeat"}
                if message["msg"] != "heartbeat":
                    deadline = time.monotonic() + PATIENCE_S
                elif time.monotonic() > deadline:
                    raise TimeoutError(f"no answer to event {fn_index} within {PATIENCE_S:.0f} s")
                if message.get("msg") == "process_streaming":  # a camera's event waits for more until it is closed
                    self._http.post(f"/stream/{message['event_id']}/close").raise_for_status()
                if message.get("msg") == "process_completed":
                    if not message["success"]:
                        raise Refused(message["output"]["error"])
                    self._changed_states = message["output"].get("changed_state_ids", [])
                    return message["output"]["data"]
        raise Refused("the stream ended without an answer")

    def upload(self, path: Path) -> dict[str, Any]:
        """Upload a file and return what the page then hands to an event."""
        with path.open("rb") as file:
            (stored,) = self._http.post("/upload", files={"files": (path.name, file)}).raise_for_status().json()
        return {"path": stored, "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def download(self, shown: dict[str, Any]) -> bytes:
        """Return the bytes of a file that the page offers."""
        return self._http.get(shown["value"]["url"]).raise_for_status().content

    def bring(self, archive: Path) -> str:
        """Upload a zip of class folders to learn from; return the report."""
        return str(self.call("choose_archive", [self.upload(archive)])[0])

    def train(self, *values: Any) -> str:
        """Train by what the controls say, to the end; return the last status."""
        self.call("start_training", *(values or recipe_values()))
        return str(self.call("watch_training")[1])

    def without_photo(self) -> "Visitor":
        """Take away the example with which the page opens; return the page."""
        self.call("choose_photo", None)
        return self

    def refresh(self) -> Refreshed:
        """Return what the page shows of the shared state."""
        return fill(Refreshed, self.call("refresh"))

    def close(self) -> None:
        """Close the page."""
        self._http.close()

    def _find(self, handler: str, turn: int, of: str = "") -> int:
        # gradio numbers the events that have the same handler, first those of the English page, then the others.
        found = [
            int(each["id"])
            for each in self._config["dependencies"]
            if re.fullmatch(rf"{handler}(_\d+)?", each["api_name"])
            and (not of or of in (self._elem_ids.get(target) for target, _ in each["targets"]))
        ]
        return found[turn + (len(found) // 2 if self._language == "zh" else 0)]


Visit = Callable[..., Visitor]


def fill(group: type[Group], outputs: Iterable[Any]) -> Group:
    """Return outputs, which gradio gives as a flat list, as a group (a NamedTuple class) of them by name."""
    values = iter(outputs)

    def take(kind: type[Any]) -> Any:
        nested = getattr(kind, "_fields", None)
        return kind(*map(take, get_type_hints(kind).values())) if nested else next(values)

    filled: Group = take(group)
    assert not list(values)
    return filled


def best_classes(answer: str) -> dict[str, float]:
    """Return the best classes that an answer shows, the best first, with their probabilities, 0 to 1.

    ImageNet's have their English names, which the Chinese page gives beside its own.
    """
    bars = re.findall(r"<li [^>]*><span>(.*?)</span> <b>(.*?)%</b>", answer)
    names = [re.sub(r'.*<span lang="en">(.*?)</span>.*', r"\1", name) for name, _ in bars]
    return {html.unescape(name): float(percent) / 100 for name, (_, percent) in zip(names, bars, strict=True)}


class Markup(HTMLParser):
    """What a browser makes of HTML: the names of its elements, their attributes, and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        """Return what the attributes of a name say, in their order."""
        return [value or "" for each, value in self.attributes if each == name]
