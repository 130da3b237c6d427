"""Who waits how long while others train, race and read, as the scheduler shares the cores between them.

All in one process and without a page, so that the figures are the scheduler's own: `python3 -m tests.benchmarks turns`.
"""

import io
import random
import statistics
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from PIL import Image

from demo.data.collection import Collection
from demo.data.folders import read_collection
from demo.data.starters import read_starter
from demo.errors import DemoError
from demo.models.recipe import SUGGESTED_RECIPES, Recipe, Trains
from demo.models.zoo import EMBEDDED
from demo.settings import PUBLIC_LIMITS, Settings
from demo.tasks.fewshot import measure_curve
from demo.tasks.lease import run_race
from demo.visitors.errors import TrainingStopped
from demo.visitors.fairness import Owner
from demo.visitors.jobs import Job, JobKind
from demo.visitors.rooms import Rooms, make_training
from demo.visitors.session import Session
from tests.pictures import encode, noise, write_zip

Rows = list[tuple[str, str, str]]

SETTINGS = replace(Settings(backbone=EMBEDDED), **PUBLIC_LIMITS)
HEAD = SUGGESTED_RECIPES[Trains.HEAD]
EVERYTHING = replace(SUGGESTED_RECIPES[Trains.EVERYTHING], epochs=100, batch_size=8, patience=0)
PATIENCE_S = 900.0
_LOOK_EVERY_S = 0.4


@dataclass(eq=False)
class Wait:
    """One job, when it came and ended, and what was said of it meanwhile: when, and in how many seconds it is done."""

    job: Job
    came: float
    session: Session | None = None
    said: list[tuple[float, float]] = field(default_factory=list)
    done: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took from the press of the button to the result."""
        return self.done - self.came

    def is_right(self) -> bool:
        """Whether the first wait that was said was right within a factor of two; what was done before needs none."""
        if not self.said:
            return True
        at, seconds = self.said[0]
        return 0.5 <= seconds / max(0.5, self.done - at) <= 2


def open_rooms() -> Rooms:
    """Return rooms whose network is loaded."""
    rooms = Rooms.of(SETTINGS)
    with rooms.backbones.lend(EMBEDDED):
        return rooms


def bring(rooms: Rooms, starter: str, address: str, page: str) -> Session:
    """Open a page that has taken a starter set."""
    session = rooms.sessions.attach("", page=page)
    session.presence.address = address
    collection = _read_starter(starter)
    rooms.sessions.common.welcome(each.stored.digest for each in collection.pictures)
    session.choose_collection(collection, SETTINGS)
    return session


def bring_own(rooms: Rooms, number: int, num_pictures: int) -> Session:
    """Open a page whose visitor has pictures that nobody else has."""
    session = rooms.sessions.attach("", page=f"page {number}")
    session.presence.address = "school"
    pictures = [encode(noise(1_000 * number + idx, (96, 72)), "JPEG") for idx in range(num_pictures)]
    files = {f"{'ab'[idx % 2]}/{idx}.jpg": content for idx, content in enumerate(pictures)}
    with tempfile.TemporaryDirectory() as folder:
        collection = read_collection(write_zip(Path(folder) / "own.zip", files), SETTINGS)
    session.choose_collection(collection, SETTINGS)
    return session


@cache
def _read_starter(name: str) -> Collection:
    return read_starter(name, SETTINGS)


def train(rooms: Rooms, session: Session, recipe: Recipe = HEAD) -> Wait:
    """Press Train."""
    session.presence.touch()
    return Wait(rooms.train(session, session.pictures.find_dataset(), recipe), time.monotonic(), session)


def experiment(rooms: Rooms, session: Session, kind: JobKind) -> Wait:
    """Begin a race or a curve."""
    dataset = session.pictures.find_dataset()

    def steps() -> object:
        with rooms.backbones.lend(EMBEDDED) as backbone:
            if kind is JobKind.RACE:
                yield from run_race(backbone, dataset, SETTINGS)
            else:
                yield from measure_curve(backbone, dataset, SETTINGS, cache=session.cache)

    job = Job(steps, kind=kind, is_large=kind is JobKind.RACE)  # type: ignore[arg-type]
    session.presence.touch()
    rooms.submit(session, job)
    return Wait(job, time.monotonic(), session)


def watch(rooms: Rooms, waits: Sequence[Wait]) -> None:
    """Look at jobs until all have ended, and note what is said of each."""
    deadline = time.monotonic() + PATIENCE_S
    while (running := [each for each in waits if not each.done]) and time.monotonic() < deadline:
        watch_once(rooms, running)


def watch_once(rooms: Rooms, waits: Sequence[Wait]) -> None:
    """Look once at all jobs that came so far, as their pages do."""
    for each in list(waits):
        now = time.monotonic()
        if each.session is not None:
            each.session.presence.touch()
        if not each.job.is_running:
            each.done = each.done or now
        elif now > each.came + _LOOK_EVERY_S:
            each.said.append((now, rooms.scheduler.wait_s(each.job)))
    time.sleep(0.1)


def left_behind(_data: Path) -> Rows:
    """Five trainings of everything by one address whose pages are closed, and a visitor's head."""
    rooms = open_rooms()
    script = [bring(rooms, "digits", "script", f"page {number}") for number in range(5)]
    pupil = bring(rooms, "signs", "home", "pupil")
    left = [train(rooms, each, EVERYTHING) for each in script]
    time.sleep(3)
    for number in range(5):
        rooms.sessions.close_page(f"page {number}")
    closed, head = time.monotonic(), train(rooms, pupil)
    watch(rooms, [head, *left])
    ended = max(each.done for each in left) - closed
    return [
        ("a head beside five trainings of everything that were left", "under 20 s", f"{head.seconds:.1f} s"),
        ("the five end after their pages were closed", "60 s", f"{ended:.1f} s"),
    ]


def beside_everything(_data: Path) -> Rows:
    """A head beside a race, a curve, three trainings of programs, and a zip of large pictures that is being read."""
    rooms = open_rooms()
    racer, learner, pupil = (bring(rooms, "signs", each, each) for each in ("racer", "learner", "pupil"))
    dataset, program = pupil.pictures.find_dataset(), Owner(address="program", is_program=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_read, rooms, _write_large(Path(folder) / "large.zip", 60), racer)
        begun = [experiment(rooms, racer, JobKind.RACE), experiment(rooms, learner, JobKind.CURVE)]
        for _ in range(3):
            job = make_training(rooms, EMBEDDED, dataset, HEAD)
            rooms.scheduler.submit(job, program)
            begun.append(Wait(job, time.monotonic()))
        time.sleep(1)
        head = train(rooms, pupil)
        while not head.done:
            watch_once(rooms, [head, *begun])
        api = sum(not each.job.is_running for each in begun[2:])
        rooms.scheduler.stop_all(TrainingStopped())
        with suppress(DemoError):
            reading.result(PATIENCE_S)
    return [
        ("a head beside a race, a curve, three of programs and a large zip", "15 s", f"{head.seconds:.1f} s"),
        ("what the head itself needed of it", "-", f"{head.job.find_used_s():.1f} s"),
        ("of those three, done by then", "-", str(api)),
    ]


def class_of_forty(_data: Path, number: int = 40) -> Rows:
    """Forty visitors press Train on the signs at once, behind one address."""
    rooms = open_rooms()
    pupils = [bring(rooms, "signs", "school", f"page {each}") for each in range(number)]
    begun = threading.Barrier(number)

    def press(session: Session) -> Wait:
        begun.wait(60)
        return train(rooms, session)

    with ThreadPoolExecutor(number) as pool:
        waits = list(pool.map(press, pupils))
    watch(rooms, waits)
    seconds = sorted(each.seconds for each in waits)
    heads = sum(each.state.head is not None for each in pupils)
    return [
        ("the work of one of them", "-", f"{statistics.median(each.job.find_used_s() for each in waits):.1f} s"),
        ("forty press Train at once: have their head", "40 in 120 s", f"{heads} in {seconds[-1]:.0f} s"),
        ("the longest wait of these to the shortest", "under 3", f"{seconds[-1] / seconds[0]:.2f}"),
    ]


def said(_data: Path) -> Rows:
    """Forty who come within two minutes with pictures of their own, beside a race and a curve."""
    rooms, chance, waits = open_rooms(), random.Random(3), list[Wait]()
    pupils = [bring_own(rooms, number, chance.choice((20, 40, 80, 120))) for number in range(40)]
    watch(rooms, [train(rooms, bring(rooms, "signs", "school", "teacher"))])  # shows how fast this machine is
    others = [bring(rooms, "signs", "school", f"other {number}") for number in range(2)]
    coming = sorted((chance.uniform(0, 120), number) for number in range(40))
    experiments = [experiment(rooms, others[0], JobKind.RACE), experiment(rooms, others[1], JobKind.CURVE)]
    start, over = time.monotonic(), threading.Event()

    def arrive() -> None:
        for at, number in coming:
            time.sleep(max(0.0, start + at - time.monotonic()))
            waits.append(train(rooms, pupils[number]))
        over.set()

    with ThreadPoolExecutor(1) as pool:
        arriving = pool.submit(arrive)
        while not over.is_set():
            watch_once(rooms, [*waits, *experiments])
        arriving.result(PATIENCE_S)
    while not all(each.done for each in waits):
        watch_once(rooms, [*waits, *experiments])
    rooms.scheduler.stop_all(TrainingStopped())
    spoken = [each for each in waits if each.said]
    right = sum(each.is_right() for each in waits)
    median = statistics.median(each.seconds for each in waits)
    return [
        ("forty within two minutes: wait said to wait that was, within a factor of two", "36 of 40", f"{right} of 40"),
        ("of these, over before a wait was said; median wait", "-", f"{len(waits) - len(spoken)}; {median:.1f} s"),
    ]


def _write_large(path: Path, number: int) -> Path:
    """Write a zip of pictures of 36 megapixels, which are small files."""
    content = io.BytesIO()
    Image.new("L", (6000, 6000), 128).save(content, "PNG", compress_level=1)
    with zipfile.ZipFile(path, "w") as archive:
        for idx in range(number):
            archive.writestr(f"class {idx % 2}/{idx}.png", content.getvalue())
    return path


def _read(rooms: Rooms, path: Path, session: Session) -> None:
    with rooms.reading("choose_archive", session.ref):
        read_collection(path, SETTINGS)


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (left_behind, beside_everything, class_of_forty, said)
