"""What bad files cost: real ones from other projects' tests, ones that are made to do harm, and random ones.

    python3 -m tests.benchmarks.hostile

Whatever is measured runs in a process of its own, and each attack in another one than it was made in, so that no memory
is there already.
"""

import csv
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from demo.data.archives import iter_archive
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.errors import DemoError
from demo.models.late import import_torch
from demo.settings import Settings
from tests.attacks import ARCHIVES, NAMES, try_picture, try_zip, zip_of_name
from tests.conftest import PROJECT
from tests.data.test_images import decode_png, odd_pictures, worst_difference
from tests.head_attacks import DOORS, try_head
from tests.test_fuzz import KINDS, NUM_CASES_IN_FULL, fuzz

SETTINGS = Settings()
CORPUS_S, CORPUS_MEGABYTES = 60, 1_000  # what is promised of the real ones together
ATTACK_S, ATTACK_MEGABYTES = 2, 100  # and of each attack
ADDRESS_SPACE_BYTES = 8_000_000_000  # a mistake ends the process here, and not the machine
UNEXPECTED = "unexpected"

Rows = list[tuple[str, str, str]]


class Cost(NamedTuple):
    """What reading came to: what it returned, how long it took, by how much memory grew at most, and to how much."""

    outcome: Any
    seconds: float
    megabytes: float
    peak_megabytes: float


def verdict(holds: bool) -> str:
    """Put in a word whether a promise holds."""
    return "holds" if holds else "FAILS"


def megabytes(field: str) -> float:
    """Return how much memory this process holds now (VmRSS), or held at most (VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split(f"{field}:")[1].split()[0]) / 1000


def apart(work: Callable[..., Any], *arguments: Any) -> Cost:
    """Do something in a process of its own, and measure it there."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=measure, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    try:
        cost: Cost = ours.recv()
    except EOFError:
        process.join(60)
        cost = Cost(f"{UNEXPECTED} end of the process, {process.exitcode}", *[float("inf")] * 3)
    process.join(60)
    return cost


def measure(answer: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Be the process that does it."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    warnings.simplefilter("ignore")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from now on
    before, start = megabytes("VmRSS"), time.perf_counter()
    try:
        outcome = work(*arguments)
    except Exception as error:
        traceback.print_exc()
        outcome = f"{UNEXPECTED} {type(error).__name__}"
    seconds, peak = time.perf_counter() - start, megabytes("VmHWM")
    answer.send(Cost(outcome, seconds, peak - before, peak))


def corpus(data: Path) -> Rows:
    """Read the odd, broken and hostile files of other projects' tests."""
    rows = []
    for kind, read, promised in (("images", look_at_picture, 795), ("zips", look_into_zip, 121)):
        paths = sorted(path for path in (data / "bad_inputs" / kind).rglob("*") if path.is_file())
        cost = apart(count_outcomes, read, paths)
        refused = ", ".join(f"{name} {count}" for name, count in cost.outcome.most_common() if name != "read")
        num_unexpected = sum(count for name, count in cost.outcome.items() if name.startswith(UNEXPECTED))
        holds = not num_unexpected and cost.seconds < CORPUS_S and cost.peak_megabytes < CORPUS_MEGABYTES
        rows.append(
            (
                f"bad_inputs/{kind}: {len(paths)} files",
                f"{promised}, 0 unexpected, {CORPUS_S} s and {CORPUS_MEGABYTES} MB",
                f"{verdict(holds and len(paths) == promised)}: {num_unexpected} unexpected, {cost.seconds:.1f} s, "
                f"{cost.peak_megabytes:.0f} MB ({cost.megabytes:.0f} more); read {cost.outcome['read']}; {refused}",
            )
        )
    return rows


def count_outcomes(read: Callable[[Path], None], paths: list[Path]) -> Counter[str]:
    """Count what becomes of files: read, refused by which error, or something unexpected."""
    outcomes: Counter[str] = Counter()
    for path in paths:
        try:
            read(path)
        except DemoError as error:
            outcomes[type(error).__name__] += 1
        except Exception as error:
            outcomes[f"{UNEXPECTED} {type(error).__name__} of {path.name}"] += 1
        else:
            outcomes["read"] += 1
    return outcomes


def look_at_picture(path: Path) -> None:
    """Read a picture."""
    read_image(path, SETTINGS)


def look_into_zip(path: Path) -> None:
    """Read a zip; files that it cannot give have an error of the demo's own."""
    for entry in iter_archive(path, SETTINGS):
        assert isinstance(entry.content, bytes | DemoError)


def odd(data: Path) -> Rows:
    """Compare odd and valid pictures with what they show, worked out by hand."""
    suite = sorted((data / "bad_inputs" / "images" / "pngsuite").iterdir())
    good = [path.read_bytes() for path in suite if not path.name.startswith("png__x")]
    made = {name: worst_difference(content, expected, SETTINGS) for name, content, expected in odd_pictures()}
    differences = {
        f"the {len(good)} good files of PngSuite": [
            worst_difference(each, decode_png(each), SETTINGS) for each in good
        ],
        f"{len(made)} odd pictures that are made here": list(made.values()),
    }
    return [
        (f"{name}: the worst difference of a pixel", "2 of 255", f"{verdict(max(found) <= 2)}: {max(found):.1f} of 255")
        for name, found in differences.items()
    ]


def attacks(_data: Path) -> Rows:
    """Read each attack where nothing else is, and look what is there afterwards."""
    import_torch()  # or the first process that needs it would seem to need its memory
    rows: Rows = []
    with tempfile.TemporaryDirectory() as folder:
        path, here = Path(folder, "attack.zip"), Path(folder, "here")
        here.mkdir()

        def cost_of(kind: str, make: Callable[[], bytes]) -> Cost:
            apart(write, make, path)
            return apart(read_attack, kind, path, here)

        for kind, table in DOORS:
            costs = {name: cost_of(kind, attack.make) for name, attack in table.items()}
            ends = {name: attack.expected.__name__ if attack.expected else "" for name, attack in table.items()}
            rows += describe(f"{len(table)} attacks by {kind}", costs, ends)
        zips = {name: attack.make for name, attack in ARCHIVES.items()}
        zips |= {f"the name {name[:20]!r}": partial(zip_of_name, name) for name in NAMES}
        rows += describe(f"{len(zips)} zips as a dataset", {name: cost_of("dataset", zips[name]) for name in zips})
        left = list(here.iterdir())
    return [*rows, ("files that all attacks left", "none", f"{verdict(not left)}: {len(left)}")]


def write(make: Callable[[], bytes], path: Path) -> None:
    """Make an attack."""
    path.write_bytes(make())


def read_attack(kind: str, path: Path, here: Path) -> str:
    """Read one attack; return the name of the error that refused it, or an empty text."""
    os.chdir(here)
    tempfile.tempdir = str(here)
    if kind == "zip":
        error = try_zip(path)
    elif kind == "dataset":
        error = try_dataset(path)
    else:
        error = (try_picture if kind == "picture" else try_head)(path.read_bytes())
    return type(error).__name__ if error else ""


def try_dataset(path: Path) -> DemoError | None:
    """Read a zip as the page does; return the error that refuses it."""
    try:
        read_collection(path, SETTINGS)
    except DemoError as error:
        return error
    return None


def describe(check: str, costs: dict[str, Cost], ends: dict[str, str] | None = None) -> Rows:
    """Put attacks in rows: how they ended, the slowest, and the one by which memory grew most."""
    slowest = max(costs, key=lambda name: costs[name].seconds)
    largest = max(costs, key=lambda name: costs[name].megabytes)
    seconds, grown = costs[slowest].seconds, costs[largest].megabytes
    wrong = [name for name in costs if ends and costs[name].outcome != ends[name]]
    wrong += [name for name, cost in costs.items() if cost.outcome.startswith(UNEXPECTED)]
    told = f"{len(wrong)} otherwise {', '.join(wrong)}".strip()
    return [
        (f"{check}: refused by name or harmless", "all", f"{verdict(not wrong)}: {told}"),
        (f"{check}: the slowest", f"{ATTACK_S} s", f"{verdict(seconds < ATTACK_S)}: {seconds:.2f} s, {slowest}"),
        (
            f"{check}: the most memory",
            f"{ATTACK_MEGABYTES} MB",
            f"{verdict(grown < ATTACK_MEGABYTES)}: {grown:.0f} MB, {largest}",
        ),
    ]


def random_files(_data: Path) -> Rows:
    """Read thousands of spoilt files."""
    rows = []
    for kind in KINDS:
        cost = apart(fuzz, kind, NUM_CASES_IN_FULL)
        holds = isinstance(cost.outcome, tuple)
        told = "{} read, {} refused".format(*cost.outcome) if holds else cost.outcome
        measured = f"{verdict(holds)}: {told}, {cost.seconds:.1f} s, {cost.megabytes:.0f} MB more"
        rows.append((f"{NUM_CASES_IN_FULL:,} random {kind}", "0 unexpected", measured))
    return rows


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (corpus, odd, attacks, random_files)


def main() -> None:
    """Print the rows."""
    data = Path(os.environ.get("DEMO_SHARED_DATA") or PROJECT.parent / "shared" / "data")
    writer = csv.writer(sys.stdout, delimiter="|")
    for benchmark in BENCHMARKS:
        writer.writerows(benchmark(data))


if __name__ == "__main__":
    main()
