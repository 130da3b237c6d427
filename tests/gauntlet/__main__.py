"""All that has ever tried to bring the page down, again: `python -m tests.gauntlet [corpus|attacks|events|...]`.

Prints a table of what is promised and what was measured; ends with 1 if anything fails. All of it takes half an hour.
"""

import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from tests.benchmarks import abuse, hostile
from tests.benchmarks.abuse import Rows, log_row, verdict, watched_app
from tests.conftest import PROJECT
from tests.gauntlet import chaos, pixels
from tests.gauntlet.events import probe

DATA = Path(os.environ.get("DEMO_SHARED_DATA") or PROJECT.parent / "shared" / "data")
NUM_EVENTS = 5_000


def corpus() -> Rows:
    """Bring the odd, broken and hostile files of other projects' tests by the page's own doors, and read them apart."""
    return [*abuse.doors(), *hostile.corpus(DATA)]


def attacks() -> Rows:
    """Read each attack that is made here, by itself and under a limit of time and memory."""
    return [*hostile.attacks(DATA), *pixels.measure(DATA)]


def events() -> Rows:
    """Send wrong values to all functions of the page."""
    start = time.monotonic()
    with watched_app() as app:
        outcome = probe(app.url, NUM_EVENTS)
        logged = log_row(app)
        num_lines = len(re.findall(rb"\n", app.log.read_bytes()))
    for fault in outcome.faults:
        print(fault, file=sys.stderr)
    told = ", ".join(f"{count} {ending}" for ending, count in outcome.counts.most_common())
    measured = f"{verdict(not outcome.faults)}: {len(outcome.faults)} faults; {told}; {time.monotonic() - start:.0f} s"
    lines = ("the same: lines in the log", "under 100", f"{verdict(num_lines < 100)}: {num_lines}")
    return [(f"{NUM_EVENTS:,} events with wrong values", "each a sentence or an answer", measured), logged, lines]


def connections() -> Rows:
    """Hold thousands of connections that ask nothing."""
    module = import_module("tests.gauntlet.connections")
    return [
        (
            each.attack,
            "others answered in 1 s, log under 100 lines",
            f"{verdict(each.holds())}: {each.longest_s:.2f} s, {each.num_refused} refused, {each.num_lines} lines",
        )
        for each in module.measure()
    ]


GAUNTLET: dict[str, Callable[[], Rows]] = {
    "corpus": corpus,
    "attacks": attacks,
    "events": events,
    "pixels": partial(pixels.measure, DATA),
    "chaos": chaos.measure,
    **{each.__name__: partial(each) for each in chaos.CHAOS},
    "connections": connections,
    "floods": abuse.floods,
}
IN_ALL = ("corpus", "attacks", "events", "chaos", "connections", "floods")


def main(names: list[str]) -> int:
    """Print a row for each check of what is named, or of all; return 1 if one fails."""
    failed = 0
    for name in names or IN_ALL:
        for row in GAUNTLET[name]():
            print("| " + " | ".join((name, *row)) + " |", flush=True)
            failed += row[2].startswith("FAILS")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
