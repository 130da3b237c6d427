"""Values that fit nowhere, and requests made of them: drawn from a seed, so that a case can be had again."""

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

DEPTHS = (3, 3, 3, 3, 40, 40, 40, 400, 3_000)
CLICKED = (
    "go",
    "show_cell",
    "show_picture",
    "put_right",
    "choose_place",
    "pick_channel",
    "choose_answer",
    "go_to_step",
)
SHARE_OF_OTHERS = 0.12  # requests that begin no event of the page, or not by the door of pages
TEXTS = (
    *("", " ", "\0", "‮abc", "０", "-1", "1e9", "nan", "None", "true", "{}", "[1]", "a,b", "0,0", "1,999999"),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "file:///etc/passwd",
        "https://example.com/a.png",
        "data:image/png,x",
    ),
    *("<img src=x onerror=alert(1)>", "=1+1", "%s%n", "resnet50", "high", "head", "a" * 5_000, "图" * 300),
    *("data:image/png;base64,AAAA", "open", "next", "name-x", "role-x", "step=2"),
)
NUMBERS = (0, -1, 1, 2, 7, 1000, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308, -1e308, float("nan"), float("inf"))
PATHS: tuple[Any, ...] = ("/etc/passwd", "", "..", "a\0b", "/proc/self/environ", "C:\\x", 7, None, [], {"path": "x"})


class Function(NamedTuple):
    """What a page says of one of its functions: its number, its name, its first values, and what sets it off.

    `is_told` says whether it takes a value from the page, or what a script says of a click; a `gr.State` is the
    server's own, whatever is sent for it.
    """

    number: int
    name: str
    values: tuple[Any, ...]
    triggers: tuple[int, ...]
    is_told: bool


class Request(NamedTuple):
    """One request as it is sent; `body` is None where it has none, and `is_event` says that an event may come of it."""

    method: str
    path: str
    body: bytes | None = None
    is_event: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path} {(self.body or b'')[:300]!r}"


def list_functions(config: dict[str, Any]) -> list[Function]:
    """List the functions of a page's config that run on the server, in both languages."""
    first = {each["id"]: each["props"].get("value") for each in config["components"]}
    states = {each["id"] for each in config["components"] if each["type"] == "state"}
    return [
        Function(
            each["id"],
            each["api_name"] or "",
            tuple(first.get(component) for component in each["inputs"]),
            tuple(component for component, _ in each["targets"] if isinstance(component, int)),
            bool({*each["inputs"]} - states) or re.sub(r"_\d+$", "", each["api_name"] or "") in CLICKED,
        )
        for each in config["dependencies"]
        if each["backend_fn"]
    ]


class Maker:
    """Makes requests: each function in its turn, with values of which some are wrong, and now and then no event."""

    def __init__(self, functions: Sequence[Function], seed: int, *, share_wrong: float) -> None:
        self._functions, self._random, self._share_wrong = functions, random.Random(seed), share_wrong
        self._waiting = self._random.sample(functions, len(functions))

    def draw(self, session_hash: str) -> Request:
        """Draw a request of a page; each function has its turn before those that are told something have another."""
        if self._random.random() < SHARE_OF_OTHERS:
            return self._draw_other(session_hash)
        if not self._waiting:
            told = [each for each in self._functions if each.is_told]
            self._waiting = self._random.sample(told, len(told))
        return self._draw_event(self._waiting.pop(), session_hash)

    def _draw_event(self, function: Function, session_hash: str) -> Request:
        choose = self._random
        values = [self._spoil(value) for value in function.values]
        body: dict[str, Any] = {
            "data": values,
            "fn_index": function.number,
            "session_hash": session_hash,
            "event_data": self._draw_event_data(),
            "trigger_id": choose.choice([None, *function.triggers]),
        }
        if choose.random() < 0.2:
            self._spoil_one(body)
        return Request("POST", "/queue/join", _write(body), is_event=True)

    def _spoil_one(self, body: dict[str, Any]) -> None:
        choose = self._random
        match choose.randrange(8):
            case 0:
                body["data"] = body["data"][:-1]
            case 1:
                body["data"] = [*body["data"], self.draw_value()]
            case 2:
                body["data"] = self.draw_value()
            case 3:
                del body[choose.choice([*body])]
            case 4:
                body["fn_index"] = choose.choice([9_999_999, self.draw_value()])
            case 5:
                body["trigger_id"] = choose.choice([1, 9_999_999, self.draw_value()])
            case 6:
                body["session_hash"] = choose.choice([self.draw_value(), f"nobody{choose.random()}".replace(".", "")])
            case 7:
                body[choose.choice(["batched", "simple_format", "event_id", "oauth_token", "x"])] = self.draw_value()

    def _draw_event_data(self) -> Any:
        choose = self._random
        if choose.random() < 0.3:
            return self.draw_value()
        names = ("pick", "index", "value", "selected", "act", "cells", "shares", "x", "_data", "__class__", "target")
        return {name: self.draw_value() for name in choose.sample(names, choose.randrange(4))}

    def _draw_other(self, session_hash: str) -> Request:
        choose = self._random
        known = choose.choice(self._functions)
        name = choose.choice(["predict", "class_map", "fine_tune", "networks", known.name, "x", "%00", "a/b", "图"])
        wrong = {"session_hash": session_hash, "fn_index": known.number, "event_id": "x", "data": self.draw_value()}
        if choose.random() < 0.7:
            wrong[choose.choice([*wrong])] = self.draw_value()
        body = choose.choice([_write(wrong), _write(self.draw_value()), _write({}), b"", b"{", b"\xff\xfe", b"[NaN]"])
        other = choose.choice([session_hash, "nobody", "a b", "%00", "图", "x" * 3_000])
        return choose.choice(
            [
                Request("POST", f"/call/{name}", body, is_event=True),
                Request("POST", f"/call/v2/{name}", body, is_event=True),
                Request("POST", "/queue/join", body, is_event=True),
                Request("POST", "/cancel", body),
                Request("POST", "/reset", body),
                Request("POST", f"/stream/{choose.choice(['x', 'nobody', '0'])}", body),
                Request("POST", f"/stream/{choose.choice(['x', 'nobody', '0'])}/close", body),
                Request("POST", "/upload", body),
                Request("GET", f"/call/{name}/{choose.choice(['x', '0', 'a b', '%00'])}"),
                Request("GET", f"/queue/data?session_hash={other}" if other != session_hash else "/queue/data"),
                Request("GET", f"/upload_progress?upload_id={choose.choice(['x', '%00', ''])}"),
                Request("GET", f"/file={choose.choice(['/etc/passwd', '', '..', '%00', 'x' * 5_000, '图'])}"),
            ]
        )

    def _spoil(self, value: Any) -> Any:
        return self.draw_value() if self._random.random() < self._share_wrong else value

    def draw_value(self) -> Any:
        """Return a value of any shape."""
        choose = self._random
        kinds: list[Callable[[], Any]] = [
            lambda: choose.choice(TEXTS),
            lambda: choose.choice(TEXTS),
            lambda: choose.choice(NUMBERS),
            lambda: choose.choice(NUMBERS) if choose.random() < 0.95 else "\ud800",
            lambda: choose.choice([None, True, False, [], {}, [[]], [None], {"": None}]),
            self._draw_file,
            lambda: [self.draw_value() for _ in range(choose.randrange(1, 4))],
            lambda: {choose.choice(TEXTS)[:40]: self.draw_value() for _ in range(choose.randrange(1, 4))},
            lambda: _nest(choose.choice(DEPTHS), choose.choice(("list", "dict"))),
            lambda: {choose.choice(["__type__", "token", "revision", "value", "props", "headers", "data"]): "update"},
            lambda: {"background": self._draw_file(), "layers": [self._draw_file()], "composite": self.draw_value()},
        ]
        return choose.choice(kinds)()

    def _draw_file(self) -> Any:
        choose = self._random
        file: dict[str, Any] = {
            "path": choose.choice(PATHS),
            "url": choose.choice([None, *TEXTS[-8:]]),
            "orig_name": "x.png",
        }
        file["meta"] = choose.choice([{"_type": "gradio.FileData"}, {"_type": 7}, None, [], {}])
        for name in choose.sample([*file], choose.randrange(3)):
            file[name] = choose.choice([None, 7, "x", [], {}])
        return choose.choice([file, [file], file])


def _nest(depth: int, kind: str) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


def _write(value: Any) -> bytes:
    """Write JSON as a program can, which nests as deep as it likes."""
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b'{"data": ' + b"[" * 5_000 + b"]" * 5_000 + b', "fn_index": 0, "session_hash": "x"}'
