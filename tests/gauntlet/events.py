"""Wrong values for every function of the page, public and private, and for the doors beside them.

    python -m tests.gauntlet events

Each is answered with one of the page's own sentences or as any other event; none ends in an empty error, in a status
of 500, or in a line of the log.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx

from tests.gauntlet.values import Function, Maker, Request, list_functions
from tests.visitor import Visitor

SEED = 19
EVENTS = 5_000
PER_PAGE = 100  # requests after which another page is opened
THREADS = 3
PATIENCE_S = 20.0  # after which an event is cancelled: some compute in earnest


class Fault(NamedTuple):
    """A request, and what was wrong with its answer."""

    request: Request
    answer: str

    def __str__(self) -> str:
        return f"{self.answer[:300]}\n    {self.request}"


class Outcome(NamedTuple):
    """How many requests ended in which way, which functions had a turn, and the faults."""

    counts: Counter[str]
    called: frozenset[int]
    faults: list[Fault]
    functions: Sequence[Function]


class Prober:
    """One page that sends requests and looks at the answers."""

    def __init__(self, url: str) -> None:
        self._page = Visitor(url)
        self.session_hash: str = self._page._session_hash
        self._http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60.0, verify=False)

    def close(self) -> None:
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
            return "refused at the door", "" if _says_something(answer, text) else f"{answer.status_code}: {text}"
        if not request.is_event or not answer.is_success:
            return "answered", ""
        return self._follow(request, answer.json().get("event_id"))

    def _follow(self, request: Request, event_id: Any) -> tuple[str, str]:
        """Wait for the end of an event."""
        body = json.loads(request.body or b"{}")
        session_hash = body.get("session_hash") if isinstance(body, dict) else None
        stream = {"session_hash": session_hash or event_id}
        deadline, is_cancelled = time.monotonic() + PATIENCE_S, False
        with self._http.stream("GET", "/queue/data", params=stream) as answer:
            for line in answer.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_streaming":
                    self._http.post(f"/stream/{message['event_id']}/close")
                if message.get("msg") == "process_completed":
                    fault = _look(line)
                    return ("refused with a sentence" if not message["success"] else "answered"), fault
                if message.get("msg") == "unexpected_error":
                    return "failed", f"the stream says {message}"
                if time.monotonic() > deadline and not is_cancelled:
                    is_cancelled = True
                    cancel = {
                        "session_hash": stream["session_hash"],
                        "fn_index": body["fn_index"],
                        "event_id": event_id,
                    }
                    self._http.post("/cancel", json=cancel)
                    return "cancelled, for it computes", ""
        return "failed", "the stream ended without an answer"


def _says_something(answer: httpx.Response, text: str) -> bool:
    """Say whether a refusal is a sentence, and not gradio's list of what its types miss."""
    try:
        told = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        told = text
    return isinstance(told, str) and len(told) > 5


def _look(line: str) -> str:
    """Return what is wrong with a line of a stream; empty if nothing is."""
    if "null" in line and re.fullmatch(r'data: \{"error": null.*', line):
        return line
    if not line.startswith("data: {"):
        return ""
    message = json.loads(line.removeprefix("data: "))
    if message.get("msg") != "process_completed" or message.get("success"):
        return ""
    told = (message.get("output") or {}).get("error")
    is_sentence = isinstance(told, str) and len(told) > 5 and "our side" not in told
    return "" if is_sentence else f"an event ends with {told!r}"


def probe(url: str, count: int, *, seed: int = SEED, threads: int = THREADS) -> Outcome:
    """Send so many requests.

    Args:
        url: The page's address.
        count: Number of requests; all functions have had their turn after as many as there are.
        seed: What the requests are drawn from.
        threads: Pages that send at the same time.
    """
    functions = list_functions(httpx.get(f"{url}/config", verify=False).json())
    shares = [len(range(each, count, threads)) for each in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        parts = [functions[each::threads] for each in range(threads)]
        done = list(
            pool.map(
                lambda part, share, each: _probe_share(url, part, share, each),
                parts,
                shares,
                [seed + i for i in range(threads)],
            )
        )
    counts = sum((each.counts for each in done), Counter[str]())
    called = frozenset().union(*(each.called for each in done))
    return Outcome(counts, called, [fault for each in done for fault in each.faults], functions)


def _probe_share(url: str, functions: Sequence[Function], count: int, seed: int) -> Outcome:
    counts, called, faults = Counter[str](), set[int](), list[Fault]()
    prober = Prober(url)
    maker = Maker(functions, seed)
    for number in range(count):
        if number and number % PER_PAGE == 0:
            prober.close()
            prober = Prober(url)
        (request,) = maker.draw(1, prober.session_hash)
        try:
            ending, fault = prober.send(request)
        except httpx.HTTPError as error:
            ending, fault = "failed", repr(error)
        counts[ending] += 1
        if fault:
            faults.append(Fault(request, fault))
    prober.close()
    return Outcome(counts, frozenset(called), faults, functions)
