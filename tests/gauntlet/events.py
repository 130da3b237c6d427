"""Wrong values for every function of the page, public and private, and for the doors beside them.

    python -m tests.gauntlet events

Each request is drawn from a fixed seed, and is answered with a sentence or as any other; none ends in an empty error,
in a status of 500, or in a line of the log.
"""

import json
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from demo.words.language import ENGLISH
from tests.gauntlet.values import Function, Maker, Request, list_functions
from tests.visitor import Visitor

SEED = 19
PER_PAGE = 100  # requests after which another page is opened
CANCELLED = "cancelled, for it computes"
_BEGINS = re.compile("start_|try_step|show_ascent|let_customers_in")
_FEWEST_LETTERS = 10  # of a sentence


@dataclass
class Outcome:
    """How many requests ended in which way, and what was wrong with the answers of some."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def probe(url: str, count: int, *, threads: int = 3, patience_s: float = 20.0, only_told: bool = False) -> Outcome:
    """Send so many requests.

    Args:
        url: The page's address.
        count: Number of requests.
        threads: Pages that send at the same time; each asks functions of its own.
        patience_s: Seconds after which an event is cancelled: some compute in earnest.
        only_told: Leave out functions that take nothing from the page, and compute as ever, and those that begin what
            goes on after its event; nearly all values of the others are wrong then.
    """
    functions = _ask_for_functions(url)
    if only_told:
        functions = [each for each in functions if each.is_told and not _BEGINS.match(each.name)]
    whole = Outcome()

    def send_share(number: int) -> Outcome:
        maker = Maker(functions[number::threads], SEED + number, share_wrong=0.95 if only_told else 0.6)
        return _send_share(url, maker, len(range(number, count, threads)), patience_s)

    with ThreadPoolExecutor(threads) as pool:
        for each in pool.map(send_share, range(threads)):
            whole.counts += each.counts
            whole.faults += each.faults
    return whole


def _ask_for_functions(url: str) -> list[Function]:
    return list_functions(httpx.get(f"{url}/config", verify=False).json())


def _send_share(url: str, maker: Maker, count: int, patience_s: float) -> Outcome:
    outcome, prober = Outcome(), Prober(url, patience_s)
    for number in range(1, count + 1):
        request = maker.draw(prober.session_hash)
        try:
            ending, fault = prober.send(request)
        except httpx.HTTPError as error:
            ending, fault = "failed", repr(error)
        outcome.counts[ending] += 1
        if fault:
            outcome.faults.append(f"{fault[:300]}\n    {request}")
        if number % PER_PAGE == 0:
            print(f"{number} of {count}: {len(outcome.faults)} faults", file=sys.stderr)
        if number % PER_PAGE == 0 and number < count:
            prober.close()
            prober = Prober(url, patience_s)
    prober.close()
    return outcome


class Prober:
    """One page that sends requests and looks at the answers."""

    def __init__(self, url: str, patience_s: float) -> None:
        self._page, self._patience_s = Visitor(url), patience_s
        self.session_hash: str = self._page._session_hash
        self._http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60.0, verify=False)

    def close(self) -> None:
        """Close the page."""
        self._http.close()
        self._page.close()

    def send(self, request: Request) -> tuple[str, str]:
        """Send one request; return how it ended and, if that is a fault, what came."""
        headers = {"Content-Type": "application/json"} if request.body is not None else {}
        with self._http.stream(request.method, request.path, content=request.body, headers=headers) as answer:
            if answer.is_success and "event-stream" in answer.headers.get("content-type", ""):
                return "a stream", next((fault for line in answer.iter_lines() if (fault := _look(line))), "")
            text = answer.read().decode(errors="replace")
        if answer.status_code >= 500:
            return "failed", f"status {answer.status_code}: {text}"
        if answer.is_client_error:
            if (answer.status_code, text) == (404, "Not found"):
                return "not there", ""
            return "refused at the door", "" if _is_sentence(_read_detail(text)) else f"{answer.status_code}: {text}"
        return self._follow(request, json.loads(text)["event_id"]) if request.is_event else ("answered", "")

    def _follow(self, request: Request, event_id: str) -> tuple[str, str]:
        """Wait for the end of an event."""
        body = json.loads(request.body or b"{}")
        session_hash = body.get("session_hash") or event_id
        deadline = time.monotonic() + self._patience_s
        with self._http.stream("GET", "/queue/data", params={"session_hash": session_hash}) as answer:
            for line in answer.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                match message.get("msg"):
                    case "process_completed":
                        return "answered" if message["success"] else "refused with a sentence", _look(line)
                    case "process_streaming":  # a camera's event waits for more until it is closed
                        self._http.post(f"/stream/{message['event_id']}/close")
                    case "unexpected_error":
                        return "failed", f"the stream says {line}"
                if time.monotonic() > deadline:
                    place = {"session_hash": session_hash, "event_id": event_id, "fn_index": body.get("fn_index", 0)}
                    self._http.post("/cancel", json=place)
                    return CANCELLED, ""
        return "failed", "the stream ended without an answer"


def _read_detail(text: str) -> Any:
    """Return what a refusal says: text for an upload, else JSON."""
    try:
        told = json.loads(text)
    except ValueError:
        return text
    return told.get("detail") if isinstance(told, dict) else None


def _is_sentence(told: Any) -> bool:
    """Say whether something is a sentence: no list of what gradio's types miss, and not the one for our own faults."""
    return isinstance(told, str) and len(told) >= _FEWEST_LETTERS and ENGLISH.unexpected not in told


def _look(line: str) -> str:
    """Return what is wrong with a line of a stream; empty if nothing is."""
    if not re.match(r"data: \{", line):
        return ""
    told = json.loads(line.removeprefix("data: "))
    output = told.get("output") if told.get("msg") == "process_completed" and not told.get("success") else None
    if output is None:
        return line if told.get("error", "") is None else ""
    return "" if _is_sentence(output.get("error")) else f"an event ends with {output}"
