"""Measure what the demo promises and print it as a table: `python3 -m tests.benchmarks [name ...]`.

`long` takes hours (with `--share 0.02` minutes), `crowd` 20 minutes, `growth`, `balance`, `deeper`, `truth` and
`oracles` some. More sets of pictures, as zips of class folders, are taken from `sets` beside the others.

Timings are medians, and ratios of two things that were measured in turn in the same run.
"""

import argparse
import csv
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from gradio_client import Client, handle_file

from demo.data.dataset import read_dataset
from demo.entrance import HEALTH
from demo.models.backbone import load_backbone
from demo.models.cache import BackboneCache
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from demo.tasks.predict import predict
from tests.benchmarks import (
    abuse,
    balance,
    crowd,
    deeper,
    forward,
    growth,
    hostile,
    long,
    maps,
    oracles,
    page,
    stages,
    starters,
    strangers,
    throughput,
    training,
    truth,
    turns,
    uploads,
)
from tests.conftest import PROJECT
from tests.opened import free_port
from tests.pictures import noise
from tests.visitor import Visitor
from tests.weights_host import random_checkpoint, stand_in

DATA = Path(os.environ.get("DEMO_SHARED_DATA") or PROJECT.parent / "shared" / "data")
NUM_VISITORS = 100


class Row(NamedTuple):
    """One line of the table."""

    check: str
    promised: str
    measured: str


@contextmanager
def running_app() -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """Start `python3 app.py`; yield its address, the process, and the seconds until the page answered."""
    port = free_port()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "DEMO_BACKBONE": EMBEDDED}
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while not answers(url):
            if process.poll() is not None:
                raise RuntimeError(f"the app ended with {process.returncode} before it answered")
            time.sleep(0.05)
        yield url, process, time.perf_counter() - start
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    """Say whether the page is there."""
    try:
        return httpx.get(url, timeout=5.0).is_success
    except httpx.TransportError:
        return False


def samples() -> list[Row]:
    """Send the 111 photographs through `/predict`."""
    with (DATA / "imagenet_samples" / "labels.csv").open(encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    ranks, seconds = [], []
    with running_app() as (url, _, _):
        client = Client(url, verbose=False, analytics_enabled=False)
        for label in labels:
            picture = handle_file(DATA / "imagenet_samples" / label["file"])
            answer = client.predict(picture, EMBEDDED, 5, api_name="/predict")
            found = [each["class_index"] for each in answer["predictions"]]
            ranks.append(found.index(int(label["class_index"])) if int(label["class_index"]) in found else 5)
            seconds.append(answer["seconds"])
    best = f"{ranks.count(0)} and {sum(rank < 5 for rank in ranks)} of {len(ranks)}"
    return [
        Row("imagenet_samples through /predict, top-1 and top-5", "99 and 108 of 111", best),
        Row("one picture, transforms and forward pass, median", "-", f"{1000 * statistics.median(seconds):.0f} ms"),
    ]


def fine_tune(rounds: int = 3) -> list[Row]:
    """Send hymenoptera.zip through `/fine_tune`, in turn with reading it and one forward pass."""
    settings, archive = Settings(), DATA / "hymenoptera.zip"
    backbone = load_backbone(ZOO[EMBEDDED])
    ratios, walls, report = [], [], {}
    with running_app() as (url, _, _):
        client = Client(url, verbose=False, analytics_enabled=False)
        for _ in range(rounds):
            start = time.perf_counter()
            training.look_once(backbone, read_dataset(archive, settings), settings)
            floor = time.perf_counter() - start
            start = time.perf_counter()
            report, *_ = client.predict(handle_file(archive), EMBEDDED, 25, api_name="/fine_tune")
            walls.append(time.perf_counter() - start)
            ratios.append(walls[-1] / floor)
    right = round(report["val_accuracy"] * report["val_count"])
    wall, ratio = statistics.median(walls), statistics.median(ratios)
    return [
        Row("hymenoptera.zip through /fine_tune", "145 of 153 right", f"{right} of {report['val_count']} right"),
        Row("the same, to reading and one pass over every view", "1.2 times", f"{ratio:.2f} times ({wall:.1f} s)"),
    ]


def start_up(rounds: int = 5) -> list[Row]:
    """Start the app in turn with importing what it is built on, until its document is there, and until it is warm."""
    pages, imports, warm = [], [], []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch, torchvision, gradio"], check=True)
        imports.append(time.perf_counter() - start)
        start = time.perf_counter()
        with running_app() as (url, _, seconds):
            pages.append(seconds)
            while not httpx.get(f"{url}{HEALTH}").is_success:
                time.sleep(0.05)
            warm.append(time.perf_counter() - start)
    ratio = statistics.median(page / floor for page, floor in zip(pages, imports, strict=True))
    measured = f"{ratio:.2f} times ({statistics.median(pages):.1f} to {statistics.median(imports):.1f} s)"
    return [
        Row("from `python3 app.py` to the page answering, to imports alone", "0.8 times", measured),
        Row("the same to the first network's answers", "-", f"{statistics.median(warm):.1f} s"),
    ]


def memory() -> list[Row]:
    """Let a hundred visitors choose a photograph, 4:3 and noise, which packs worst, and look at tabs 1 and 3."""
    photo = PROJECT / "tests" / "benchmarks" / "photo.tmp.png"
    noise(0, (2000, 1500)).save(photo)
    resident: list[float] = []
    try:
        with running_app() as (url, process, _):
            for _ in range(NUM_VISITORS):
                visitor = Visitor(url)
                # The first one comes again and again, until the memory for work in progress is there.
                for _ in range(1 if resident else 20):
                    visitor.call("choose_photo", visitor.upload(photo))
                    visitor.refresh()
                    visitor.call("draw_ladder", "spread")
                visitor.close()
                resident.append(resident_megabytes(process.pid))
    finally:
        photo.unlink()
    second = resident[1] - resident[0]
    mean = (resident[-1] - resident[0]) / (NUM_VISITORS - 1)
    return [
        Row("memory of the second visitor", "2 MB", f"{second:.2f} MB"),
        Row(f"memory of each visitor up to the {NUM_VISITORS}th, mean", "2 MB", f"{mean:.2f} MB"),
    ]


def resident_megabytes(pid: int | str, field: str = "VmRSS") -> float:
    """Return how much memory a process holds now, or held at most (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split(f"{field}:")[1].split()[0]) / 1000


def networks(budget_megabytes: int = 2000) -> list[Row]:
    """Use all networks in turn, twice, within a budget that does not hold all of them; random weights stand in."""
    picture = noise(0, (640, 480))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCH_HOME"] = folder
        Path(folder, "hub", "checkpoints").mkdir(parents=True)
        for name in ZOO:
            if name != EMBEDDED:
                content = random_checkpoint(ZOO[name])
                ZOO[name] = replace(ZOO[name], weights=stand_in("http://nowhere", content).weights)
                Path(folder, "hub", "checkpoints", ZOO[name].file_name).write_bytes(content)
                del content
        gc.collect()
        cache = BackboneCache(budget_bytes=budget_megabytes * 1_000_000)
        with cache.lend(EMBEDDED) as backbone:
            predict(backbone, picture)
        before = resident_megabytes("self")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from now on
        for name in [*ZOO, *ZOO]:
            with cache.lend(name) as backbone:
                predict(backbone, picture)
    grown = resident_megabytes("self", "VmHWM") - before
    return [
        Row(
            f"peak memory of all networks in turn, budget {budget_megabytes} MB",
            f"{1.2 * budget_megabytes:.0f} MB",
            f"{grown:.0f} MB",
        )
    ]


def tests() -> list[Row]:
    """Run the default tests."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=PROJECT, stdout=subprocess.DEVNULL, check=False)
    result = "passed" if done.returncode == 0 else "FAILED"
    return [Row("the default test run", "5 minutes", f"{(time.perf_counter() - start) / 60:.1f} minutes, {result}")]


def rows_of(module: Any, *where: Any) -> Callable[[], list[Row]]:
    """Return what runs all benchmarks of a module, each with the same arguments, if any."""
    return lambda: [Row(*row) for each in module.BENCHMARKS for row in each(*where)]


PHOTOS = DATA / "imagenet_samples"
BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "samples": samples,
    "fine_tune": fine_tune,
    "heads": rows_of(training, DATA / "hymenoptera.zip"),
    "balance": rows_of(balance, DATA),
    "deeper": rows_of(deeper, DATA),
    "truth": rows_of(truth, DATA),
    "strangers": rows_of(strangers, DATA),
    "maps": rows_of(maps, PHOTOS),
    "stages": rows_of(stages, PHOTOS),
    "starters": rows_of(starters),
    "oracles": rows_of(oracles, PHOTOS),
    "start_up": start_up,
    "memory": memory,
    "networks": networks,
    "forward": rows_of(forward, DATA),
    "speed": rows_of(throughput),
    "page": rows_of(page),
    "uploads": rows_of(uploads, DATA),
    "hostile": rows_of(hostile, DATA),
    "abuse": rows_of(abuse),
    "crowd": rows_of(crowd),
    "growth": rows_of(growth),
    "turns": rows_of(turns, DATA),
    "long": rows_of(long, 1.0),
    "tests": tests,
}


def main(arguments: list[str]) -> None:
    """Print one table of the benchmarks that are named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"what is measured, all unless named: {', '.join(BENCHMARKS)}")
    parser.add_argument("--share", type=float, default=1.0, help="the part of the pictures that `long` trains with")
    options = parser.parse_args(arguments)
    benchmarks = BENCHMARKS | {"long": rows_of(long, options.share)}
    rows = [row for name in options.names or benchmarks for row in benchmarks[name]()]
    header = Row("check", "promised", "measured")
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(3)]
    for row in [header, Row(*("-" * width for width in widths)), *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
