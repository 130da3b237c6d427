"""Visitors who think, click and wait, in a process of their own: what each click takes, and what a crowd feels.

    python3 -m tests.benchmarks.pupils URL PID THINK_S 40:90 100:60

plays forty of them for 90 s and a hundred for 60 s on a page whose process is PID, and prints JSON.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from demo.data.samples import EXAMPLES
from tests.benchmarks import throughput
from tests.benchmarks.growth import Action
from tests.benchmarks.page import cpu_seconds
from tests.conftest import PROJECT
from tests.visitor import Visitor

# What ten clicks of a visitor are.
DECK = (*("photo",) * 5, *("example",) * 2, *("look",) * 2, "program")
PHOTO_SIZE = (1000, 750)
NUM_ALONE = 30  # times that each is measured alone
PLAY_S = {40: 120.0, 100: 90.0}
RUSHES, RUSH_S = (1, 2, 4, 8), 12.0  # visitors who never look, and for how long
SETTLE_S = 8.0  # at the beginning of each crowd, of which nothing counts
_REST_S = 12.0  # longer than the page's sweep comes round
_AFTER_S = 0.3  # in which the page does what is left after an answer


class Measured(NamedTuple):
    """What was measured.

    `actions` alone, the cores that the page takes `at_rest`, the answers of so many visitors who never look to those of
    one (`rates`), and the seconds to each answer of each crowd.
    """

    actions: dict[str, Action]
    at_rest: float
    rates: dict[int, float]
    crowds: dict[int, list[float]]


class Pupil:
    """One visitor, with a page and a program."""

    def __init__(self, url: str, number: int, folder: Path, photos: Sequence[bytes]) -> None:
        """Open the page.

        Args:
            url: Its address.
            number: Of the visitor, by which all that is drawn is drawn.
            folder: Where a photograph to upload may lie.
            photos: Of which one is this visitor's.
        """
        self._random = random.Random(number)
        self._deck: list[str] = []
        self._file = folder / f"{number}.jpg"
        self._photo = photos[number % len(photos)]
        self._file.write_bytes(self._photo)
        self._page, self._program = Visitor(url), throughput.Visitor(url, "", 5)

    def act(self, name: str) -> float:
        """Do one thing; return the seconds to its answer."""
        start = time.perf_counter()
        match name:
            case "photo":
                self._page.call("choose_photo", self._page.upload(self._file))
            case "example":
                self._page.call("choose_example", "", of=f"example-{self._random.choice(EXAMPLES).name}")
            case "look":
                self._page.call("draw_ladder", "spread")
            case "program":
                self._program.ask(self._photo)
        return time.perf_counter() - start

    def play(self, think_s: float, settled: float, until: float) -> list[float]:
        """Think and click until a time; return the seconds of what was clicked once the crowd had settled."""
        walls = []
        while (clicks := time.monotonic() + self._draw_pause(think_s)) < until:
            time.sleep(max(0.0, clicks - time.monotonic()))
            wall = self.act(self._draw())
            if clicks > settled:
                walls.append(wall)
        return walls

    def _draw_pause(self, mean_s: float) -> float:
        return self._random.expovariate(1 / mean_s) if mean_s else 0.0

    def _draw(self) -> str:
        if not self._deck:
            self._deck = self._random.sample(DECK, len(DECK))
        return self._deck.pop()


def measure(crowds: Sequence[int], think_s: float) -> Measured:
    """Start the page and the visitors, each in a process of its own, and return what was measured."""
    from tests.benchmarks.__main__ import running_app

    plays = [f"{count}:{PLAY_S[count]}" for count in crowds]
    with running_app() as (url, process, _):
        while httpx.get(f"{url}/healthz", timeout=60.0).status_code != 200:  # its first network has not answered yet
            time.sleep(0.2)
        command = [sys.executable, "-m", "tests.benchmarks.pupils", url, str(process.pid), str(think_s), *plays]
        told = json.loads(subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE).stdout)
    actions = {name: Action(**{**each, "walls": tuple(each["walls"])}) for name, each in told["actions"].items()}
    rates, felt = ({int(count): each for count, each in told[name].items()} for name in ("rates", "crowds"))
    return Measured(actions, told["at_rest"], rates, felt)


def run(url: str, pid: int, think_s: float, plays: Mapping[int, float]) -> dict[str, Any]:
    """Be all the visitors; return what was measured."""
    photos = throughput.draw_photos(PHOTO_SIZE)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(max(plays)) as pool:

        def come(number: int) -> Pupil:
            return Pupil(url, number, Path(folder), photos)

        first = come(0)
        for name in DECK * 2:
            first.act(name)
        taken = cpu_seconds(pid)
        time.sleep(_REST_S)
        at_rest = (cpu_seconds(pid) - taken) / _REST_S  # cores
        actions = {name: _measure_alone(first, name, pid, at_rest) for name in dict.fromkeys(DECK)}
        # A few at once: the page lets no more in at a time without a wait.
        with ThreadPoolExecutor(4) as opening:
            crowd = [first, *opening.map(come, range(1, max(plays)))]
        per_s = {count: len(_play(pool, crowd[:count], 0.0, RUSH_S)) / RUSH_S for count in RUSHES}
        felt = {count: _play(pool, crowd[:count], think_s, seconds) for count, seconds in plays.items()}
    rates = {count: each / per_s[1] for count, each in per_s.items()}
    return {"actions": actions, "at_rest": at_rest, "rates": rates, "crowds": felt}


def _play(pool: ThreadPoolExecutor, crowd: Sequence[Pupil], think_s: float, seconds: float) -> list[float]:
    """Let a crowd think and click for a time, once it has settled; return the seconds to each answer."""
    settled = time.monotonic() + SETTLE_S
    play = partial(Pupil.play, think_s=think_s, settled=settled, until=settled + seconds)
    return [wall for each in pool.map(play, crowd) for wall in each]


def _measure_alone(pupil: Pupil, name: str, pid: int, at_rest: float) -> dict[str, Any]:
    """Do one thing many times, with a pause after each, and count the cores' seconds of both processes."""
    for _ in range(3):
        pupil.act(name)
    walls = []
    start, own, taken = time.perf_counter(), time.process_time(), cpu_seconds(pid)
    for _ in range(NUM_ALONE):
        walls.append(pupil.act(name))
        time.sleep(_AFTER_S)
    seconds, client = time.perf_counter() - start, time.process_time() - own
    server = cpu_seconds(pid) - taken - at_rest * seconds
    share = DECK.count(name) / len(DECK)
    return {"share": share, "walls": walls, "server": max(0.0, server) / NUM_ALONE, "client": client / NUM_ALONE}


def main(arguments: Sequence[str]) -> None:
    """Print what was measured, as JSON."""
    url, pid, think_s, *plays = arguments
    asked = {int(count): float(seconds) for count, seconds in (each.split(":") for each in plays)}
    print(json.dumps(run(url, int(pid), float(think_s), asked)))


if __name__ == "__main__":
    main(sys.argv[1:])
