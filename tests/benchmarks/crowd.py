"""A crowd on one page: a hog beside others, forty visitors whose things must not mix, and thousands of requests.

    python3 -m tests.benchmarks.crowd hog 600
    python3 -m tests.benchmarks.crowd mixed 1000
    python3 -m tests.benchmarks.crowd soak 5000

Each prints the rows of the benchmark's table. The app runs in a process of its own; so does the hog, for what its own
side computes is not to slow down those who measure.
"""

import base64
import html
import io
import itertools
import json
import multiprocessing
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
from PIL import Image, ImageOps
from safetensors import safe_open

from demo.data.samples import EXAMPLES
from demo.ui.lifetime.upkeep import SWEEP_EVERY_S
from demo.ui.page import Refreshed
from demo.ui.photo import Chosen
from tests.benchmarks import throughput
from tests.pictures import encode, files_below, noise, write_zip
from tests.visitor import Refused, Visitor, best_classes, fill, recipe_values

NUM_SESSIONS = 40
THINK_S = 5.0  # the mean, between two photographs of one visitor
PROMISED_S = 5.0  # for 95 of 100 predictions
FLOOD_S = 10.0  # how long the hog opens requests at once, and how long it then does not
NUM_AT_ONCE = 16  # mixed calls
SOAK_THREADS = 8
SAMPLE_EVERY = 250  # requests of the soak
REST_S = SWEEP_EVERY_S + 2  # by when the app has swept up; before that, memory that is free counts as the process's own
PAGE_EVERY = 4  # one in so many requests of the soak is a visit to the page; the warm-up fills all sessions
SLOPE_MEGABYTES = 1.0  # what is promised for 1,000 requests
FLAT = 8  # by how many a number may differ and still be called flat

_LEVELS = (28, 78, 128, 178, 228)  # of red, green and blue
_TOLERANCE = 20  # JPEG moves a level by less, and the next level is 50 away
_NAME = re.compile(r"owner(\d+)")
_DATA_URL = re.compile(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)")
# Of the small pictures of an answer the first is the photograph; the others are coloured by what a stage responds to.
_OVERLAYS = re.compile(r'(class="stages".*?</figure>).*?</a>', re.S)
_PICTURE_FILES = (".png", ".jpg", ".jpeg", ".webp")

Rows = list[tuple[str, str, str]]


class Crossed(Exception):
    """Something came back that is not the visitor's own."""


class Missing(Exception):
    """Something of the visitor's own did not come back."""


# ---- what marks a visitor's things


@dataclass(frozen=True)
class Fingerprint:
    """The number of a visitor, which is in the names and in the pictures of all that the visitor brings.

    In a picture it is a colour in the middle, which neither JPEG, nor a smaller size, nor the square that a network is
    shown takes away.
    """

    number: int

    @property
    def name(self) -> str:
        """What the names of files and classes begin with."""
        return f"owner{self.number}"

    @property
    def class_names(self) -> tuple[str, str]:
        """The classes of the zip."""
        return f"{self.name} blue", f"{self.name} red"

    @property
    def colour(self) -> tuple[int, int, int]:
        """The colour of the number."""
        base = len(_LEVELS)
        digits = (self.number // base**2, self.number // base % base, self.number % base)
        red, green, blue = (_LEVELS[digit] for digit in digits)
        return red, green, blue

    def mark(self, picture: Image.Image) -> Image.Image:
        """Return a picture with the colour in its middle."""
        marked, side = picture.copy(), min(picture.size) // 2
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        marked.paste(self.colour, (left, top, left + side, top + side))
        return marked

    def draw_pictures(self, num_pictures: int = 5) -> dict[str, bytes]:
        """Return the files of a zip that a head can learn from."""
        return {
            f"{name}/{self.name}-{number}.png": encode(self.mark(_draw_plain(name.endswith("red"), number)))
            for name in self.class_names
            for number in range(num_pictures)
        }


def _draw_plain(is_red: bool, number: int) -> Image.Image:
    red, blue = (200 + 9 * number, 20) if is_red else (20, 200 + 9 * number)
    return Image.new("RGB", (96, 72), (red, 20 + 5 * number, blue))


def decode(picture: Image.Image) -> int | None:
    """Return the number of the fingerprint in a picture; None where there is none."""
    width, height = picture.size
    side = max(1, min(picture.size) // 8)  # well within the colour, even in the square that a network is shown
    box = ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2)
    colour = np.asarray(picture.convert("RGB").crop(box), dtype=np.float64).mean(axis=(0, 1))  # (3,)
    distances = np.abs(colour[:, None] - np.array(_LEVELS))  # (3, number of levels)
    if distances.min(axis=1).max() > _TOLERANCE:
        return None
    red, green, blue = distances.argmin(axis=1).tolist()
    return int((red * len(_LEVELS) + green) * len(_LEVELS) + blue)


class Seen(NamedTuple):
    """What fingerprints came back: the numbers in names, and those in pictures, None for a picture without one."""

    names: list[int]
    pictures: list[int | None]


def look(value: Any, fetch: Callable[[str], bytes]) -> Seen:
    """Find the fingerprints in all strings and pictures of an answer, however deep they lie.

    Args:
        value: Outputs of an event.
        fetch: Returns the content of an address.
    """
    seen = Seen([], [])
    for each in _leaves(value):
        if not isinstance(each, str):
            seen.pictures.append(decode(read_picture(each, fetch)))
            continue
        text = _OVERLAYS.sub(r"\1", html.unescape(each))
        seen.names.extend(int(number) for number in _NAME.findall(text))
        seen.pictures.extend(decode(_open(base64.b64decode(encoded))) for encoded in _DATA_URL.findall(text))
    return seen


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the strings of an answer, and the descriptions of its pictures, which stay whole."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        if _is_picture(value):
            yield value
        for key, each in value.items():
            if not (_is_picture(value) and key == "url"):
                yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)


def _is_picture(value: dict[str, Any]) -> bool:
    url = value.get("url")
    if isinstance(url, str) and url.startswith("examples/"):  # nobody's
        return False
    return isinstance(url, str) and (url.startswith("data:image/") or url.lower().endswith(_PICTURE_FILES))


def read_picture(shown: dict[str, Any], fetch: Callable[[str], bytes]) -> Image.Image:
    """Return a picture that the page shows, be it a file or a data URL."""
    embedded = _DATA_URL.fullmatch(shown["url"])
    return _open(base64.b64decode(embedded[1]) if embedded else fetch(shown["url"]))


def _open(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


# ---- a visitor who knows what is their own


class Customer:
    """A visitor whose things carry a fingerprint, and who looks for it in all that comes back.

    Each action makes first what it needs. It raises Crossed for what is somebody else's and Missing for what is not
    there.
    """

    def __init__(self, url: str, fingerprint: Fingerprint, photo: bytes, folder: Path) -> None:
        """Open a page.

        Args:
            url: The app's address.
            fingerprint: A number that nobody else has.
            photo: A JPEG with that fingerprint.
            folder: Where the files to upload may lie.
        """
        self._url, self.fingerprint = url, fingerprint
        self._folder = folder
        self._photo = folder / f"{fingerprint.name}.jpg"
        self._photo.write_bytes(photo)
        self.cookies = CookieJar()  # of the browser: a balancer knows by one to which server its pages belong
        self.page = self._open_page()
        self._http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60.0, verify=False, cookies=self.cookies)
        self._acting = threading.Lock()
        self._has_pictures = self._has_head = False
        self._export: Path | None = None
        self.answer = self._ask_program()  # of ImageNet's classes; nobody else's photograph has the same
        self.choose_photo()  # a page opens with an example, which has nobody's fingerprint

    def act(self, name: str) -> str:
        """Do one of ACTIONS; return what was wrong, empty if nothing was. One at a time, as on one page."""
        try:
            with self._acting:
                getattr(self, name)()
        except Exception as error:  # whatever it was, it is part of the result
            return f"{self.fingerprint.name}, {name}: {type(error).__name__}: {error}"
        return ""

    def choose_photo(self) -> None:
        """Bring the photograph to the page."""
        self._check(self.page.call("choose_photo", self.page.upload(self._photo)), pictures=1)

    def refresh(self) -> None:
        """Look at what all tabs share: the answer, the network's input, whose classes they are."""
        outputs = self.page.call("refresh")
        shown = fill(Refreshed, outputs)
        self._check(outputs, names=2 * self._has_head, pictures=1)
        if self._has_head and not all(name in shown.strip for name in self.fingerprint.class_names):
            raise Missing(f"the head's names in {shown.strip!r}")
        self._check_answer(best_classes(shown.shown.answer))

    def reload(self) -> None:
        """Open the page anew with the token; the photograph is there in both tabs."""
        token = self.page.token
        self.page.close()
        self.page = self._open_page(token)
        if self.page.token != token:
            raise Missing("the session")
        self._check(self.page.call("attach", token), pictures=2)

    def bring(self) -> None:
        """Bring a zip, and look at its report."""
        archive = self._folder / f"{self.fingerprint.name}.zip"
        if not archive.exists():
            write_zip(archive, self.fingerprint.draw_pictures())
        self._check(self.page.call("choose_archive", [self.page.upload(archive)]), names=2, pictures=2)
        self._has_pictures = True

    def edit_classes(self) -> None:
        """Make a class, rename it and remove it."""
        made, renamed = (f"{self.fingerprint.name} {word}" for word in ("new", "newer"))
        self._check(self.page.call("make_class", made), names=1)
        self._check(self.page.call("name_class", made, renamed), names=1)
        self._check(self.page.call("drop_class", renamed), names=2 * self._has_pictures)

    def train(self) -> None:
        """Train a head by own pictures."""
        if not self._has_pictures:
            self.bring()
        self._check(self.page.call("start_training", *recipe_values(3)))
        self._check(self.page.call("watch_training"))
        self._has_head = True
        self.refresh()

    def show_session(self) -> None:
        """Look at the pictures and the training again."""
        expected = 2 * self._has_pictures
        self._check(self.page.call("show_session"), names=expected, pictures=expected)

    def show_results(self) -> None:
        """Look at what the head gets right, and at the pictures of one cell."""
        self.train()
        self._check(self.page.call("show_results", "validation", None), names=2, pictures=1)

    def export(self) -> None:
        """Take the head along, and read whose it is."""
        if not self._has_head:
            self.train()
        content = self._download(self.page.call("export_trained")[0])
        self._export = self._folder / f"{self.fingerprint.name}-head.zip"
        self._export.write_bytes(content)
        names = self._read_class_names(content)
        if names != self.fingerprint.class_names:
            raise Crossed(f"a head of {names}")

    def import_head(self) -> None:
        """Drop the head and bring it back."""
        if self._export is None:
            self.export()
        self.forget_head()
        self.refresh()
        self._check(self.page.call("import_head", self.page.upload(self._export or self._photo)), names=2)
        self._has_head = True
        self.refresh()

    def forget_head(self) -> None:
        """Let ImageNet's classes answer again."""
        self.page.call("back_to_imagenet")
        self._has_head = False

    def report(self) -> None:
        """Take the report of the run along."""
        self.train()  # a head that was imported has no run
        text = self._download(self.page.call("make_report")[0]).decode()
        self._check(text, names=2)

    def ask_program(self) -> None:
        """Ask the public API about the photograph; no session is touched, and ImageNet's classes answer."""
        _compare(self._ask_program(), self.answer)

    def see(self) -> float:
        """Choose the photograph and look; return the seconds from the first byte to the answer."""
        start = time.perf_counter()
        outputs = self.page.call("choose_photo", self.page.upload(self._photo))
        seconds = time.perf_counter() - start
        self._check(outputs, pictures=2)
        self._check_answer(best_classes(fill(Chosen, outputs).shown.answer))
        return seconds

    def close(self) -> None:
        """Close the page."""
        self.page.close()
        self._http.close()

    def _open_page(self, token: str = "") -> Visitor:
        language = "zh" if self.fingerprint.number % 5 == 4 else "en"
        return Visitor(self._url, token=token, language=language, cookies=self.cookies)

    def _fetch(self, address: str) -> bytes:
        return self._http.get(address).raise_for_status().content

    def _download(self, shown: dict[str, Any]) -> bytes:
        self._check(shown)
        return self.page.download(shown)

    def _check(self, value: Any, *, names: int = 0, pictures: int = 0) -> None:
        """Raise Crossed for another's fingerprint, and Missing if there are less names or pictures than these."""
        seen = look(value, self._fetch)
        if others := {each for each in (*seen.names, *seen.pictures) if each != self.fingerprint.number}:
            raise Crossed(f"fingerprints {others}")
        if len(seen.names) < names or len(seen.pictures) < pictures:
            raise Missing(f"{names} names and {pictures} pictures in {str(value)[:500]}")

    def _check_answer(self, answer: dict[str, float]) -> None:
        if self._has_head:
            if set(answer) != set(self.fingerprint.class_names):
                raise Crossed(f"an answer of {set(answer)}")
        else:
            _compare(answer, self.answer)

    def _ask_program(self) -> dict[str, float]:
        with self._photo.open("rb") as file:
            (path,) = self._http.post("/upload", files={"files": (self._photo.name, file)}).raise_for_status().json()
        image = {"path": path, "orig_name": self._photo.name, "meta": {"_type": "gradio.FileData"}}
        asked = self._http.post("/call/predict", json={"data": [image, "", 5]}).raise_for_status().json()
        text = self._http.get(f"/call/predict/{asked['event_id']}").raise_for_status().text
        if "event: complete" not in text:
            raise Refused(text)
        answer = json.loads(text.split("data: ")[-1])[0]
        return {each["class_name"]: each["probability"] for each in answer["predictions"]}

    def _read_class_names(self, export: bytes) -> tuple[str, ...]:
        path = self._folder / f"{self.fingerprint.name}.safetensors"
        with zipfile.ZipFile(io.BytesIO(export)) as archive:
            path.write_bytes(archive.read("head.safetensors"))
        with safe_open(path, framework="numpy") as head:
            return tuple(json.loads(head.metadata()["classes"]))


# Those that are done most often on a page come more than once.
ACTIONS = (
    *("choose_photo", "choose_photo", "refresh", "refresh", "reload", "bring", "edit_classes", "train"),
    *("show_session", "show_results", "export", "import_head", "report", "ask_program", "ask_program"),
)


def _compare(answer: dict[str, float], expected: dict[str, float]) -> None:
    """Raise Crossed where an answer is not the one to the own photograph; a batch moves the last digits only."""
    if not is_same(answer, expected):
        raise Crossed(f"the answer {answer} where {expected} is right")


def is_same(answer: dict[str, float], expected: dict[str, float]) -> bool:
    """Say whether two answers are to the same photograph."""
    # Of classes that are as good as equal either may come last.
    common = answer.keys() & expected.keys()
    return len(common) >= len(expected) - 1 and all(abs(answer[each] - expected[each]) < 0.002 for each in common)


@contextmanager
def customers(
    url: str, count: int, sizes: Sequence[tuple[int, int]] = ((320, 240),), pictures: Sequence[Image.Image] = ()
) -> Iterator[list[Customer]]:
    """Open pages for visitors; close them in the end.

    Args:
        url: The app's address.
        count: How many visitors.
        sizes: Of their photographs, in turn.
        pictures: What is in the photographs around the fingerprints, in turn; noise unless given.
    """
    opened: list[Customer] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number in range(count):
                size = sizes[number % len(sizes)]
                around = ImageOps.fit(pictures[number % len(pictures)], size) if pictures else noise(number, size)
                fingerprint = Fingerprint(number)
                photo = encode(fingerprint.mark(around), "JPEG")
                opened.append(Customer(url, fingerprint, photo, Path(folder)))
            yield opened
        finally:
            for each in opened:
                each.close()


# ---- mixed calls


def run_mixed(crowd: Sequence[Customer], num_calls: int, *, seed: int = 0, at_once: int = NUM_AT_ONCE) -> list[str]:
    """Let visitors do things in a seeded order, many at once; return what was wrong, a line for each."""
    order = random.Random(seed)
    # Each action equally often but for the rest, in any order, whoever it falls to.
    names = [ACTIONS[call % len(ACTIONS)] for call in range(num_calls)]
    order.shuffle(names)
    calls = [(order.choice(crowd), name) for name in names]
    with ThreadPoolExecutor(at_once) as pool:
        return [wrong for wrong in pool.map(lambda call: call[0].act(call[1]), calls) if wrong]


def mixed(num_calls: int = 1000) -> Rows:
    """Let forty sessions do a thousand things at once, and look whose things come back."""
    from tests.benchmarks.__main__ import running_app

    with running_app() as (url, _, _), customers(url, NUM_SESSIONS) as crowd:
        distinct = sum(not is_same(one.answer, other.answer) for one in crowd for other in crowd if one is not other)
        start = time.perf_counter()
        wrong = run_mixed(crowd, num_calls)
        seconds = time.perf_counter() - start
    crossed = [each for each in wrong if f": {Crossed.__name__}: " in each]
    _explain(wrong)
    others = len(crowd) * (len(crowd) - 1)
    told_apart = f"{distinct} of {others} pairs of answers differ"
    return [
        (
            f"{num_calls} mixed calls of {NUM_SESSIONS} sessions: what came back of another session",
            "0",
            f"{_verdict(not crossed)}: {len(crossed)} ({told_apart}; {seconds:.0f} s)",
        ),
        ("the same: calls that failed", "0", f"{_verdict(len(wrong) == len(crossed))}: {len(wrong) - len(crossed)}"),
    ]


def _explain(wrong: Sequence[str]) -> None:
    """Say what was wrong, beside the table."""
    for each in wrong[:20]:
        print(each.splitlines()[0][:600], file=sys.stderr)


def _verdict(holds: bool) -> str:
    return "holds" if holds else "FAILS"


# ---- a hog


class Hog(Visitor):
    """A page that asks for everything at once: in many threads, and often without waiting for an answer."""

    def __init__(self, url: str, folder: Path, *, num_pictures: int = 200) -> None:
        """Open the page, and write what it uploads.

        Args:
            url: The app's address.
            folder: Where the files to upload may lie.
            num_pictures: How many are in its zip.
        """
        super().__init__(url)
        self._url = url
        self.got: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._num_pending = 0
        self._ended: dict[str, bool] = {}  # events to whether they were answered
        self._is_over = False
        self._photo, self._archive = folder / "hog.jpg", folder / "hog.zip"
        self._photo.write_bytes(encode(noise(1000, (2000, 1500)).resize((4000, 3000)), "JPEG"))
        pictures = (encode(noise(seed, (320, 240)), "JPEG") for seed in range(num_pictures))
        write_zip(self._archive, {f"{seed % 2}/{seed}.jpg": picture for seed, picture in enumerate(pictures)})
        self._reader = threading.Thread(target=self._read, name="hog", daemon=True)
        self._reader.start()

    def bring_pictures(self) -> None:
        """Upload a zip and have it read."""
        self._count("zips read", self._ask("choose_archive", [self.upload(self._archive)]))

    def train_long(self) -> None:
        """Train, as long as may be."""
        if self._ask("start_training", *recipe_values(200)):
            self._count("trainings", self._ask("watch_training"))
        else:
            self._count("trainings", is_answered=False)

    def make_picture(self) -> None:
        """Have a picture made by gradient ascent, each time of another channel."""
        channel = self.got["pictures made"] + self.got["pictures made refused"]
        self._count("pictures made", self._ask("show_ascent", "middle", channel % 64))

    def show_photo(self) -> None:
        """Send a phone's photograph."""
        self._count("photographs", self._ask("choose_photo", self.upload(self._photo)))

    def flood(self, num_requests: int = 30) -> None:
        """Open requests without waiting for any answer."""
        for _ in range(num_requests):
            self._count("requests at once taken", self._join("refresh") is not None)

    def wait(self, timeout_s: float = 60.0) -> bool:
        """Wait until all that was asked has been answered; say whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: self._num_pending == 0, timeout_s)

    def close(self) -> None:
        """Leave, in the middle of everything; another page of the same visitor stops the training in progress.

        On this one the reader might take the answer away.
        """
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._reader.join(15.0)
        with suppress(Refused, httpx.HTTPError):
            other = Visitor(self._url, token=self.token)
            other.call("stop_training")
            other.close()
        super().close()

    def _count(self, what: str, is_answered: bool) -> None:
        with self._changed:
            self.got[what if is_answered else f"{what} refused"] += 1

    def _join(self, handler: str, *values: Any) -> str | None:
        """Ask for an event; return its id, None where it was refused."""
        event = {"data": [None, *values], "fn_index": self._find(handler, 0), "session_hash": self._session_hash}
        with self._changed:
            self._num_pending += 1
            self._changed.notify_all()
        joined = self._http.post("/queue/join", json=event)
        if joined.is_success:
            return str(joined.json()["event_id"])
        self._end_one()
        return None

    def _ask(self, handler: str, *values: Any) -> bool:
        """Ask for an event and wait for it; say whether it was answered."""
        event_id = self._join(handler, *values)
        if event_id is None:
            return False
        with self._changed:
            self._changed.wait_for(lambda: event_id in self._ended or self._is_over, timeout=120.0)
            return self._ended.pop(event_id, False)

    def _end_one(self, event_id: str = "", *, is_answered: bool = False) -> None:
        with self._changed:
            self._num_pending -= 1
            if event_id:
                self._ended[event_id] = is_answered
            self._changed.notify_all()

    def _read(self) -> None:
        """Read the answers to all events; the stream ends whenever there is nothing to wait for."""
        while not self._is_over:
            with self._changed:
                self._changed.wait_for(lambda: self._num_pending > 0 or self._is_over)
            with suppress(httpx.HTTPError):
                self._read_stream()
            time.sleep(0.02)

    def _read_stream(self) -> None:
        with self._http.stream("GET", "/queue/data", params={"session_hash": self._session_hash}) as stream:
            for line in stream.iter_lines():
                if self._is_over:
                    return
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("msg") == "process_completed":
                    self._end_one(message["event_id"], is_answered=message["success"])


def run_hog(url: str, seconds: float) -> dict[str, int]:
    """Be a hog for a time; return what it got."""
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        hog = Hog(url, Path(folder))
        chores = (
            *(hog.bring_pictures, hog.train_long, hog.make_picture, hog.show_photo, hog.show_photo),
            partial(_flood_in_turn, hog),
        )
        threads = [threading.Thread(target=_repeat, args=(chore, hog, end), daemon=True) for chore in chores]
        for thread in threads:
            thread.start()
        time.sleep(max(0.0, end - time.monotonic()))
        hog.close()
        for thread in threads:
            thread.join(15.0)
    return dict(hog.got)


def _flood_in_turn(hog: Hog) -> None:
    """Open many requests, then none for a while: where a page may have only so many, they keep out the dear ones."""
    if time.monotonic() % (2 * FLOOD_S) < FLOOD_S:
        hog.flood()
    else:
        time.sleep(0.1)


def _repeat(chore: Callable[[], None], hog: Hog, end: float) -> None:
    while time.monotonic() < end:
        try:
            chore()
        except (httpx.HTTPError, Refused, RuntimeError):  # refused, cut off, or the page is closed in the end
            hog.got["requests cut off or refused"] += 1


def watch_others(crowd: Sequence[Customer], seconds: float, *, seed: int = 0) -> tuple[list[float], list[str]]:
    """Let each visitor choose a photograph, think, and choose again; return the seconds of each, and what was wrong."""
    end = time.monotonic() + seconds
    took: list[float] = []
    wrong: list[str] = []

    def visit(customer: Customer) -> None:
        pause = random.Random(seed + customer.fingerprint.number)
        while (thought := pause.expovariate(1 / THINK_S)) + time.monotonic() < end:
            time.sleep(thought)
            try:
                took.append(customer.see())
            except Exception as error:  # whatever it was, it is part of the result
                wrong.append(f"{customer.fingerprint.name}: {type(error).__name__}: {error}")

    with ThreadPoolExecutor(len(crowd)) as pool:
        list(pool.map(visit, crowd))
    return took, wrong


def hog(seconds: float = 600.0) -> Rows:
    """Let one hog loop as fast as it can beside 39 visitors."""
    from tests.benchmarks.__main__ import running_app

    pictures = []
    for example in EXAMPLES:
        with Image.open(example.path) as picture:
            pictures.append(picture.convert("RGB"))
    spawn = multiprocessing.get_context("spawn")
    sizes = list(throughput.PHOTOS.values())
    with (
        running_app() as (url, _, _),
        customers(url, NUM_SESSIONS - 1, sizes, pictures) as crowd,
        ProcessPoolExecutor(1, mp_context=spawn) as other_process,
    ):
        other_process.submit(os.getpid).result()  # what it imports takes its time
        alone, _ = watch_others(crowd, max(20.0, seconds / 10))
        hogging = other_process.submit(run_hog, url, seconds)
        took, wrong = watch_others(crowd, seconds)
        got = hogging.result()
    _explain(wrong)
    what = f"{len(crowd)} visitors beside a hog, {seconds:.0f} s"
    holds = _verdict(_percentile(took) < PROMISED_S)
    return [
        (f"{len(crowd)} visitors without a hog: prediction, 95th percentile", "-", _describe(alone)),
        (f"{what}: prediction, 95th percentile", f"under {PROMISED_S} s", f"{holds}: {_describe(took)}"),
        (f"{what}: predictions that failed", "0", f"{_verdict(not wrong)}: {len(wrong)}"),
        (f"{what}: what the hog got", "-", ", ".join(f"{got[name]} {name}" for name in sorted(got))),
    ]


def _describe(took: Sequence[float]) -> str:
    median = statistics.median(took)
    return f"{_percentile(took):.2f} s (median {median:.2f} s, longest {max(took):.2f} s, {len(took)} predictions)"


def _percentile(took: Sequence[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


# ---- thousands of requests


class Footprint(NamedTuple):
    """What a process holds at one moment."""

    megabytes: float
    descriptors: int
    threads: int
    files: int


def measure(pid: int | str, folder: Path) -> Footprint:
    """Look at a process, and count the files in its temporary folder."""
    from tests.benchmarks.__main__ import resident_megabytes

    process = Path(f"/proc/{pid}")
    descriptors, threads = (len(list((process / each).iterdir())) for each in ("fd", "task"))
    return Footprint(resident_megabytes(pid), descriptors, threads, len(files_below(folder)))


class Soak:
    """Programs that ask `/predict`, and visitors who open the page, show a photograph, look and leave."""

    def __init__(self, url: str, folder: Path, *, page_every: int = PAGE_EVERY) -> None:
        """Send nothing yet.

        Args:
            url: The app's address.
            folder: Where the files to upload may lie.
            page_every: One in so many requests is a visit to the page.
        """
        self._url, self._page_every = url, page_every
        self._photos = throughput.draw_photos((320, 240))
        self._folder = folder
        self._own = threading.local()  # each thread has a program of its own
        self.failed: list[str] = []
        self._count = itertools.count()

    def run(self, num_requests: int) -> None:
        """Send requests, several at once, and wait for all answers."""
        with ThreadPoolExecutor(SOAK_THREADS) as pool:
            list(pool.map(self._request, range(num_requests)))

    def _request(self, number: int) -> None:
        send = self._visit if number % self._page_every == 0 else self._ask
        try:
            send(self._draw_photo())
        except Exception as error:  # whatever it was, it is part of the result
            self.failed.append(f"{send.__name__}: {type(error).__name__}: {error}")

    def _ask(self, photo: bytes) -> None:
        if not hasattr(self._own, "program"):
            self._own.program = throughput.Visitor(self._url, "", 5)
        self._own.program.ask(photo)

    def _draw_photo(self) -> bytes:
        """Return a file that has not been sent before: a JPEG with a number in a comment."""
        number = next(self._count)
        comment = str(number).encode()
        photo = self._photos[number % len(self._photos)]
        return photo[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2) + comment + photo[2:]

    def _visit(self, photo: bytes) -> None:
        path = self._folder / f"{threading.get_ident()}.jpg"
        path.write_bytes(photo)
        page = SoakPage(self._url)
        try:
            with page.beating():
                chosen = fill(Chosen, page.call("choose_photo", page.upload(path)))
                if len(best_classes(chosen.shown.answer)) != 5:
                    raise Missing("the five best classes")
        finally:
            page.close()


class SoakPage(Visitor):
    """A page that holds a connection open for as long as it is, as a browser does; by it gradio knows who has left."""

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Hold the connection."""
        with self._http.stream("GET", f"/heartbeat/{self._session_hash}"):
            yield


def sample_soak(
    soaking: Soak, num_requests: int, look_at_it: Callable[[], Footprint], *, every: int = SAMPLE_EVERY
) -> list[Footprint]:
    """Send requests and look at the process each time that so many have been answered, and before the first."""
    footprints = [look_at_it()]
    for _ in range(num_requests // every):
        soaking.run(every)
        footprints.append(look_at_it())
    return footprints


def soak(num_requests: int = 5000, *, warm_up: int = 1000) -> Rows:
    """Send thousands of requests, and look whether anything stays of them."""
    from tests.benchmarks.__main__ import resident_megabytes, running_app

    with (
        tempfile.TemporaryDirectory() as uploads,
        tempfile.TemporaryDirectory() as folder,
        _environment("GRADIO_TEMP_DIR", uploads),
        running_app() as (url, process, _),
    ):
        soaking = Soak(url, Path(folder))
        soaking.run(warm_up)

        def look_at_it() -> Footprint:
            time.sleep(REST_S)
            return measure(process.pid, Path(uploads))

        footprints = sample_soak(soaking, num_requests, look_at_it)
        peak = resident_megabytes(process.pid, "VmHWM")
    _explain(soaking.failed)
    what = f"{num_requests} requests after {warm_up} to warm up"
    memory = [each.megabytes for each in footprints]
    slope = 1000 * slope_of(memory) / SAMPLE_EVERY
    at_rest = ", ".join(f"{each:.0f}" for each in memory)
    measured = f"{slope:.2f} MB (at rest {at_rest} MB; at any moment {peak:.0f} MB at most)"
    return [
        (
            f"{what}: memory, slope for 1,000",
            f"under {SLOPE_MEGABYTES} MB",
            f"{_verdict(slope < SLOPE_MEGABYTES)}: {measured}",
        ),
        (f"{what}: requests that failed", "0", f"{_verdict(not soaking.failed)}: {len(soaking.failed)}"),
        _flat_row(f"{what}: open files", [each.descriptors for each in footprints]),
        _flat_row(f"{what}: threads", [each.threads for each in footprints]),
        _flat_row(f"{what}: files in the temporary folder", [each.files for each in footprints]),
    ]


def slope_of(values: Sequence[float]) -> float:
    """Return by how much values grow from one to the next: the slope of the line that fits them best."""
    return float(np.polyfit(range(len(values)), values, 1)[0])


def is_flat(numbers: Sequence[int]) -> bool:
    """Say whether numbers stay about where they are: the last quarter beside the first, for single ones jump."""
    quarter = max(1, len(numbers) // 4)
    return statistics.median(numbers[-quarter:]) - statistics.median(numbers[:quarter]) <= FLAT


def _flat_row(check: str, numbers: Sequence[int]) -> tuple[str, str, str]:
    measured = f"{numbers[0]} at first, {numbers[-1]} in the end, most {max(numbers)}"
    return check, "flat", f"{_verdict(is_flat(numbers))}: {measured}"


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable for the processes that are started meanwhile."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


BENCHMARKS: tuple[Callable[[], Rows], ...] = (hog, mixed, soak)


def main(names: Sequence[str]) -> None:
    """Print the rows of one of the benchmarks, shorter or longer where a number follows, or of all."""
    by_name: dict[str, Callable[..., Rows]] = {each.__name__: each for each in BENCHMARKS}
    chosen = [by_name[names[0]]] if names else list(BENCHMARKS)
    for benchmark in chosen:
        for row in benchmark(*(int(each) for each in names[1:])):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
