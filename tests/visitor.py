"""A visitor without a browser: opens the page, uploads, and calls the page's own events as its script does."""

import json
import re
import secrets
from pathlib import Path
from typing import Any

import httpx


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
        "seed": 0,
    }
    assert other.keys() <= values.keys()
    return list((values | other).values())


class Visitor:
    """One open page. Each has a session of gradio's own, as each browser tab has."""

    def __init__(self, url: str, *, language: str = "en", token: str = "") -> None:
        self._http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60.0)
        self._session_hash = secrets.token_hex(8)
        self._config = httpx.get(f"{url}/config").json()
        self._language = language
        self.token = self.call("attach", token)[0]

    def call(self, handler: str, *values: Any, turn: int = 0) -> Any:
        """Call an event by its handler's name (the first in this language, or a later `turn`); return its outputs."""
        fn_index = self._find(handler, turn)
        event = {"data": [None, *values] if handler != "attach" else list(values), "fn_index": fn_index}
        self._http.post("/queue/join", json={**event, "session_hash": self._session_hash}).raise_for_status()
        with self._http.stream("GET", "/queue/data", params={"session_hash": self._session_hash}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_completed":
                    if not message["success"]:
                        raise Refused(message["output"]["error"])
                    return message["output"]["data"]
        raise Refused("the stream ended without an answer")

    def upload(self, path: Path) -> dict[str, Any]:
        """Upload a file and return what the page then hands to an event."""
        with path.open("rb") as file:
            (stored,) = self._http.post("/upload", files={"files": (path.name, file)}).raise_for_status().json()
        return {"path": stored, "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def refresh(self) -> "Shown":
        """Return what the page shows of the shared state."""
        return Shown(self.call("refresh"))

    def close(self) -> None:
        """Close the page."""
        self._http.close()

    def _find(self, handler: str, turn: int) -> int:
        # gradio numbers the events that have the same handler, first those of the English page, then the others.
        found = [
            int(each["id"])
            for each in self._config["dependencies"]
            if re.fullmatch(rf"{handler}(_\d+)?", each["api_name"])
        ]
        return found[turn + (len(found) // 2 if self._language == "zh" else 0)]


class Shown:
    """The outputs of the page's refresh, by name."""

    def __init__(self, outputs: list[Any]) -> None:
        self.strip, self.back, self.backbone, self.answers, self.top, self.answer, self.network_input = outputs[:7]
        self.inside_answer = outputs[7]
