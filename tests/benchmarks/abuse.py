"""What strangers do to the app through its own HTTP doors: floods of bytes, slow ones, and bad files by hundreds.

    python3 -m tests.benchmarks.abuse [floods | doors]

The app runs in a process of its own, with a folder of its own for uploads.
"""

import html
import json
import os
import re
import resource
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from string import Formatter
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from demo.errors import DemoError
from demo.sentences import forms_of
from demo.settings import MEGABYTE
from demo.words.language import ENGLISH
from tests.conftest import PROJECT
from tests.pictures import encode, files_below, noise
from tests.ui.server.test_gate import BOUNDARY, FIELD_PART, FILE_PART, FORM, JSON
from tests.visitor import Refused, Visitor

FLOOD_MEGABYTES = 50  # by how much memory may grow under any of them
NUM_AT_ONCE = 50  # of slow uploads, of slow bodies, and of uploads that are cut
CUT_S = 60  # after which nothing slow is left
DOORS_S, DOORS_MEGABYTES = 60, 1_000  # what is promised of all bad files together
ADDRESS_SPACE_BYTES = 20_000_000_000  # a mistake ends the app here, and not the machine
NUM_THREADS = 3
MIN_WORDING = 12  # letters of a sentence beside what fills it; with fewer it would fit anything
PHOTO_EVERY = 4  # one picture in so many is brought to a page, too

HUNG_UP, TAKEN, REFUSED, UNEXPECTED = "hung up", "taken", "refused", "unexpected"

Rows = list[tuple[str, str, str]]


class App(NamedTuple):
    """The app in a process of its own: its address, where its uploads lie, and what it writes on stderr."""

    url: str
    pid: int
    uploads: Path
    log: Path

    def files(self) -> set[Path]:
        """Return what lies among the uploads."""
        return files_below(self.uploads)

    def files_left(self, patience_s: float = 10.0) -> int:
        """Return how many uploads are there once those that are being deleted are gone."""
        wait_for(lambda: not self.files(), patience_s)
        return len(self.files())


@contextmanager
def watched_app() -> Iterator[App]:
    """Start the app; its uploads and what it writes on stderr can be looked at."""
    from tests.benchmarks.__main__ import running_app

    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        uploads, log = Path(folder, "uploads"), Path(folder, "stderr")
        with pytest.MonkeyPatch.context() as environment, stderr_into(log):
            environment.setenv("GRADIO_TEMP_DIR", str(uploads))
            url, process, _ = running.enter_context(running_app())
        yield App(url, process.pid, uploads, log)


@contextmanager
def stderr_into(path: Path) -> Iterator[None]:
    """Let processes that are started meanwhile write on a file what they would write on stderr."""
    ours = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)


def wait_for(is_there: Callable[[], object], patience_s: float) -> None:
    """Wait until something is there, or patience ends."""
    deadline = time.monotonic() + patience_s
    while not is_there() and time.monotonic() < deadline:
        time.sleep(0.05)


def verdict(holds: bool) -> str:
    """Put in a word whether a promise holds."""
    return "holds" if holds else "FAILS"


# ---- who asks by HTTP, as a program does


def patterns_of_errors() -> Iterator[str]:
    """Yield a pattern for the sentence of each of the app's own errors."""
    kinds = [DemoError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        for form in forms_of(kind.message):
            parts = list(Formatter().parse(form))
            if sum(len(literal) for literal, *_ in parts) >= MIN_WORDING:
                yield "".join(re.escape(literal) + (".*" if field is not None else "") for literal, field, *_ in parts)


# A sentence may end in another, of which it says hardly more than a name: "cat.dds" is not a picture that ...
_OWN = re.compile(rf"(?:.* is )?(?:{'|'.join(patterns_of_errors())})\.?", re.DOTALL)


def is_own(sentence: str) -> bool:
    """Say whether a sentence is that of one of the app's errors, and not the one for what nobody has foreseen."""
    text = html.unescape(sentence)
    return _OWN.fullmatch(text) is not None and ENGLISH.unexpected not in text


def judge(sentence: str) -> str:
    """Return what it means that the app says no in these words."""
    return REFUSED if is_own(sentence) else f"{UNEXPECTED}: {sentence[:200]}"


class Program:
    """A program that calls `/predict`; any number of threads may use it."""

    def __init__(self, url: str) -> None:
        """Open no connection yet."""
        limits = httpx.Limits(max_connections=100)
        self._http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60.0, verify=False, limits=limits)

    def ask(self, content: bytes, name: str = "photo.png") -> str:
        """Upload a picture and ask what it shows; return TAKEN, REFUSED, or what was unexpected."""
        uploaded = self._http.post("/upload", files={"files": (name, content)})
        if not uploaded.is_success:
            return judge(uploaded.text)
        file = {"path": uploaded.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        asked = self._http.post("/call/predict", json={"data": [file, "", 1]})
        if not asked.is_success:
            return judge(asked.json().get("detail", asked.text))
        return self._fetch(asked.json()["event_id"])

    def _fetch(self, event_id: str) -> str:
        answer = self._http.get(f"/call/predict/{event_id}").text
        kind, _, data = answer.strip().rpartition("\n")
        value = json.loads(data.removeprefix("data: "))
        if kind.endswith("event: complete"):
            return TAKEN if value[0]["predictions"] else f"{UNEXPECTED}: no prediction"
        return judge((value or {}).get("error") or "")


# ---- floods


def form(part: bytes, count: int, num_bytes: int) -> Iterator[bytes]:
    """Yield a form with so many parts of so many bytes."""
    for _ in range(count):
        yield part
        yield from fill(num_bytes)
        yield b"\r\n"
    yield BOUNDARY + b"--\r\n"


def event(num_bytes: int) -> Iterator[bytes]:
    """Yield an event whose one value is a long text."""
    yield b'{"fn_index": 0, "session_hash": "flood", "data": ["'
    yield from fill(num_bytes)
    yield b'"]}'


def fill(num_bytes: int) -> Iterator[bytes]:
    """Yield so many letters, in pieces."""
    piece = b"a" * 50_000
    return repeat(piece, num_bytes // len(piece))


Body = Callable[[], Iterator[bytes]]

FLOODS: tuple[tuple[str, str, dict[str, str], Body], ...] = (
    ("one form field of 300 MB", "/upload", FORM, partial(form, FIELD_PART, 1, 300 * MEGABYTE)),
    ("300 MB of JSON to /queue/join", "/queue/join", JSON, partial(event, 300 * MEGABYTE)),
    ("300 MB of JSON to /call/predict", "/call/predict", JSON, partial(event, 300 * MEGABYTE)),
    ("one upload of 1,000 files of 100 kB", "/upload", FORM, partial(form, FILE_PART, 1_000, 100_000)),
    ("one upload of 20 files of 4 MB", "/upload", FORM, partial(form, FILE_PART, 20, 4 * MEGABYTE)),
)


def floods() -> Rows:
    """Send far more than is taken, at once and slowly, and look at memory and disk."""
    photo = encode(noise(0, (640, 480)), "JPEG")
    with watched_app() as app:
        program = Program(app.url)
        for _ in range(10):
            program.ask(photo)
        rows = [flood_row(app, *flood, is_stated=is_stated) for flood in FLOODS for is_stated in (True, False)]
        rows.append(crowd_row(app, "uploads cut by the client", partial(cut_by_client, app)))
        for check, slow in (("slow uploads", slow_uploads), ("slow bodies of nearly 1 MB", slow_bodies)):
            rows.append(crowd_row(app, check, partial(beside_others, program, photo, partial(slow, app.url))))
        return [*rows, log_row(app)]


def flood_row(
    app: App, check: str, path: str, headers: dict[str, str], body: Body, *, is_stated: bool
) -> tuple[str, str, str]:
    """Send one flood and put in a row how it ended."""
    length = {"Content-Length": str(sum(map(len, body())))} if is_stated else {}
    outcome, grown = measure(app, lambda: send(app.url + "/gradio_api" + path, headers | length, body()))
    left = app.files_left()
    is_refused = outcome in (HUNG_UP, "400", "413")
    holds = is_refused and grown < FLOOD_MEGABYTES and not left
    return (
        f"{check}, length {'stated' if is_stated else 'unstated'}",
        f"refused or cut; memory grows under {FLOOD_MEGABYTES} MB",
        f"{verdict(holds)}: {outcome}, {grown:+.1f} MB, {left} files left",
    )


def send(url: str, headers: dict[str, str], body: Iterator[bytes]) -> str:
    """Send a body as far as it is taken; return the status, or that the server has hung up."""
    try:
        return str(httpx.post(url, content=body, headers=headers, timeout=60, verify=False).status_code)
    except httpx.TransportError:
        return HUNG_UP


def measure(app: App, attack: Callable[[], str]) -> tuple[str, float]:
    """Do something; return how it ended, and by how many MB the app's memory grew at most."""
    from tests.benchmarks.__main__ import resident_megabytes

    before = resident_megabytes(app.pid)
    Path(f"/proc/{app.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak counts from now on
    outcome = attack()
    return outcome, resident_megabytes(app.pid, "VmHWM") - before


def crowd_row(app: App, check: str, attack: Callable[[], str]) -> tuple[str, str, str]:
    """Let many do the same at once and put in a row how it ended; what begins with "FAILS" has failed."""
    outcome, grown = measure(app, attack)
    left = app.files_left()
    holds = not outcome.startswith("FAILS") and grown < FLOOD_MEGABYTES and not left
    return (
        f"{NUM_AT_ONCE} {check} at once",
        f"all closed within {CUT_S} s, others are answered; memory grows under {FLOOD_MEGABYTES} MB",
        f"{verdict(holds)}: {outcome.removeprefix('FAILS: ')}, {grown:+.1f} MB, {left} files left",
    )


def log_row(app: App) -> tuple[str, str, str]:
    """Put in a row whether the app wrote that something was unexpected."""
    found = re.findall(r"unexpected .*|Traceback .*", app.log.read_text(encoding="utf-8"))
    told = ", ".join(f"{count} of {line!r}" for line, count in Counter(found).most_common(3)) or "0"
    return "the same: errors in the app's log", "0", f"{verdict(not found)}: {told}"


# ---- many at once, by hand


class Slow:
    """A request by hand, which is begun and then goes on by a few bytes a second."""

    def __init__(self, url: str, path: str, content_type: str, first: bytes, num_bytes: int) -> None:
        """Send the head and the first bytes.

        Args:
            url: The app's address.
            path: Where to send it.
            content_type: What it is said to be.
            first: What is sent at once.
            num_bytes: How many bytes are said to come.
        """
        place = urlsplit(url)
        head = f"POST /gradio_api{path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {num_bytes}\r\n"
        self._connection = socket.create_connection((place.hostname or "", place.port or 0), timeout=30)
        self._connection.sendall(f"{head}Content-Type: {content_type}\r\n\r\n".encode() + first)
        self._connection.setblocking(False)
        self._began = time.monotonic()
        self._answer = b""
        self.seconds: float | None = None  # until the server closed it

    def go_on(self) -> None:
        """Send a few bytes more, and look whether the server has closed the connection."""
        try:
            while received := self._connection.recv(4096):
                self._answer += received
        except BlockingIOError:
            with suppress(OSError):
                self._connection.send(b"aaaaa")
            return
        except OSError:
            pass
        self.seconds = time.monotonic() - self._began

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    @property
    def outcome(self) -> str:
        """The answer's status, or that there was none."""
        return self._answer[9:12].decode() or (HUNG_UP if self.seconds else "still open")


def slow_uploads(url: str) -> list[Slow]:
    """Begin uploads of 1 MB."""
    return [Slow(url, "/upload", FORM["Content-Type"], FILE_PART, MEGABYTE) for _ in range(NUM_AT_ONCE)]


def slow_bodies(url: str) -> list[Slow]:
    """Send nearly all of an event, which the app has to keep in memory until it is there."""
    most = b"".join(event(900_000))[:-3]
    return [Slow(url, "/queue/join", JSON["Content-Type"], most, len(most) + 50_000) for _ in range(NUM_AT_ONCE)]


def beside_others(program: Program, photo: bytes, begin: Callable[[], list[Slow]]) -> str:
    """Let slow requests go on until all are closed, while somebody else asks `/predict`; say how both went."""
    is_over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = begin()
        others = pool.submit(ask_until, is_over, program, photo)
        go_on_until_closed(slow)
        is_over.set()
        answers = others.result()
    seconds = [each.seconds for each in slow if each.seconds is not None]
    ends = ", ".join(f"{count} {outcome}" for outcome, count in Counter(each.outcome for each in slow).items())
    last = f"the last after {max(seconds):.0f} s" if seconds else "none closed"
    told = f"{ends} ({last}), {answers[TAKEN]} of {answers.total()} calls of others answered"
    return told if len(seconds) == len(slow) and answers[TAKEN] == answers.total() else f"FAILS: {told}"


def go_on_until_closed(slow: Sequence[Slow]) -> None:
    """Let slow requests go on, each by a few bytes a second."""
    deadline = time.monotonic() + CUT_S
    while (still := [each for each in slow if each.seconds is None]) and time.monotonic() < deadline:
        for each in still:
            each.go_on()
        time.sleep(1.0)
    for each in slow:
        each.close()


def ask_until(is_over: threading.Event, program: Program, photo: bytes) -> Counter[str]:
    """Ask `/predict` twice a second; count the answers."""
    answers: Counter[str] = Counter()
    while not is_over.wait(0.5):
        answers[program.ask(photo)] += 1
    return answers


def cut_by_client(app: App) -> str:
    """Begin uploads, and hang up when their first bytes lie on the disk."""
    begun = [
        Slow(app.url, "/upload", FORM["Content-Type"], FILE_PART + bytes(300_000), MEGABYTE) for _ in range(NUM_AT_ONCE)
    ]
    wait_for(lambda: len(app.files()) >= NUM_AT_ONCE, 2.0)
    there = len(app.files())
    for each in begun:
        each.close()
    return f"{there} were on the disk"


# ---- bad files


class Tally:
    """What became of files, counted by many threads."""

    def __init__(self) -> None:
        """Count from zero."""
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self.unexpected: list[str] = []

    def add(self, door: str, outcome: str, path: Path) -> None:
        """Count what became of a file at a door."""
        with self._lock:
            self._counts[door, outcome.partition(":")[0]] += 1
            if outcome not in (TAKEN, REFUSED):
                self.unexpected.append(f"{door}, {path.name}: {outcome}")

    def row(self, door: str, check: str) -> tuple[str, str, str]:
        """Put one door in a row."""
        taken, refused, unexpected = (self._counts[door, each] for each in (TAKEN, REFUSED, UNEXPECTED))
        measured = f"{verdict(not unexpected)}: {taken} taken, {refused} refused, {unexpected} unexpected"
        return f"{check}: {taken + refused + unexpected} files", "0 unexpected", measured


def doors() -> Rows:
    """Bring all odd, broken and hostile files of other projects' tests to the app's own doors."""
    data = Path(os.environ.get("DEMO_SHARED_DATA") or PROJECT.parent / "shared" / "data") / "bad_inputs"
    images, zips = (sorted(path for path in (data / kind).rglob("*") if path.is_file()) for kind in ("images", "zips"))
    tally = Tally()
    with watched_app() as app:
        resource.prlimit(app.pid, resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
        with ThreadPoolExecutor(NUM_THREADS) as pool:
            good = good_photographs(app, pool)
            start = time.perf_counter()
            shares = [(images[number::NUM_THREADS], zips[number::NUM_THREADS]) for number in range(NUM_THREADS)]
            for done in [pool.submit(bring, app.url, *share, tally) for share in shares]:
                done.result()
        return doors_rows(app, tally, time.perf_counter() - start, good)


def good_photographs(app: App, pool: ThreadPoolExecutor) -> float:
    """Let as many ask for good photographs; return how many MB the app holds then at most."""
    from tests.benchmarks.__main__ import resident_megabytes

    program, photo = Program(app.url), encode(noise(0, (640, 480)), "JPEG")
    list(pool.map(program.ask, repeat(photo, 100)))
    return resident_megabytes(app.pid, "VmHWM")


def doors_rows(app: App, tally: Tally, seconds: float, good: float) -> Rows:
    """Put in rows what became of all files, and what that cost."""
    from tests.benchmarks.__main__ import resident_megabytes

    for each in tally.unexpected:
        print(each, file=sys.stderr)
    peak, left = resident_megabytes(app.pid, "VmHWM"), app.files_left()
    return [
        tally.row("/predict", "bad_inputs/images through /predict"),
        tally.row("choose_photo", f"every {PHOTO_EVERY}th of them as the page's photograph"),
        tally.row("choose_archive", "bad_inputs/zips as the page's pictures to learn from"),
        ("all of them: time", f"{DOORS_S} s", f"{verdict(seconds < DOORS_S)}: {seconds:.1f} s"),
        (
            "all of them: the app's memory at most",
            f"under {DOORS_MEGABYTES} MB",
            f"{verdict(peak < DOORS_MEGABYTES)}: {peak:.0f} MB, {good:.0f} MB after good photographs alone",
        ),
        ("all of them: uploads left", "none", f"{verdict(not left)}: {left}"),
        log_row(app),
    ]


def bring(url: str, images: Sequence[Path], zips: Sequence[Path], tally: Tally) -> None:
    """Be one of those who bring bad files: a program and a page."""
    program, page = Program(url), Visitor(url)
    for number, path in enumerate(images):
        tally.add("/predict", program.ask(path.read_bytes(), path.name), path)
        if number % PHOTO_EVERY == 0:
            tally.add("choose_photo", show(page, "choose_photo", path), path)
    for path in zips:
        tally.add("choose_archive", show(page, "choose_archive", path), path)
    page.close()


def show(page: Visitor, handler: str, path: Path) -> str:
    """Bring a file to a page; return TAKEN, REFUSED, or what was unexpected."""
    try:
        sent = page.upload(path)
        outputs = page.call(handler, [sent] if handler == "choose_archive" else sent)
    except Refused as refused:
        return judge(str(refused))
    except httpx.HTTPStatusError as error:
        return judge(error.response.text) if error.response.is_client_error else f"{UNEXPECTED}: {error}"
    return f"{UNEXPECTED}: in the report" if ENGLISH.unexpected in html.unescape(str(outputs)) else TAKEN


BENCHMARKS: tuple[Callable[[], Rows], ...] = (floods, doors)


def main(names: Sequence[str]) -> None:
    """Print the rows of the benchmarks that are named, or of all."""
    by_name = {each.__name__: each for each in BENCHMARKS}
    for row in chain.from_iterable(by_name[name]() for name in names or by_name):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
