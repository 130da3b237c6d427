"""A forward pass as the page runs it: what the kernel takes of it, its threads beside busy neighbours, and bfloat16.

    python3 -m tests.benchmarks.forward batch kept

is one of the processes that are measured: the allocator as the page sets it (`kept`) or as it comes (`default`).
"""

import json
import multiprocessing
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from demo.data.dataset import Dataset, make_dataset, read_dataset
from demo.data.starters import STARTERS, read_starter
from demo.models.backbone import Backbone, load_backbone
from demo.models.batching import set_num_threads
from demo.models.plan import MAX_BATCH
from demo.models.recipe import Recipe
from demo.models.untrained import sample_weights
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import Settings
from demo.system import keep_memory_together
from demo.tasks.features import FeatureCache, extract_features
from demo.tasks.finetune import FineTuned, fine_tune
from tests.benchmarks.hostile import verdict
from tests.conftest import PROJECT

Rows = list[tuple[str, str, str]]

ROUNDS = 3
PASSES = 12  # of each process and size, after two that are not counted
SIZES = (1, 2, 4, MAX_BATCH)
NUM_PICTURES = 100  # one after the other, beside neighbours
NUM_NEIGHBOURS = 2
SEEDS = range(5)


# ---- memory


def memory(_data: Path) -> Rows:
    """Run batches with the allocator as the page sets it, and as it comes, in turn."""
    kept, default = ([_ask_apart(how) for _ in range(ROUNDS)] for how in ("kept", "default"))
    rows = []
    for size in map(str, SIZES):
        ours, theirs = ([each[size] for each in runs] for runs in (kept, default))
        share = statistics.median(each["system_ms"] / (each["system_ms"] + each["user_ms"]) for each in ours)
        least, least_default = (min(each["least_ms"] for each in runs) for runs in (ours, theirs))
        faults = statistics.median(each["faults"] for each in ours)
        what = f"embedded network, {size} at a time, one thread"
        promised = size == str(MAX_BATCH)
        rows += [
            (
                f"{what}: of its time in the kernel",
                "under 10%" if promised else "-",
                f"{share:.1%}; {faults:.0f} page faults a picture",
            ),
            (
                f"{what}: least wall for each picture, to the allocator's default",
                "at most 1" if promised else "-",
                f"{least / least_default:.2f} times ({least:.1f} to {least_default:.1f} ms)",
            ),
        ]
    return rows


def _ask_apart(how: str) -> dict[str, dict[str, float]]:
    command = [sys.executable, "-m", "tests.benchmarks.forward", "batch", how]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=600)
    answer: dict[str, dict[str, float]] = json.loads(done.stdout)
    return answer


def measure_batches(how: str) -> dict[int, dict[str, float]]:
    """Measure batches in this process, in a thread of its own as the page's are: milliseconds for each picture."""
    if how == "kept":
        keep_memory_together()
    backbone = load_backbone(ZOO[EMBEDDED])
    with ThreadPoolExecutor(1) as pool:
        return {size: pool.submit(_measure, backbone, size).result() for size in SIZES}


def _measure(backbone: Backbone, size: int) -> dict[str, float]:
    batch = torch.randn(size, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    for _ in range(2):
        backbone.features(batch)
    before, walls = resource.getrusage(resource.RUSAGE_SELF), []
    for _ in range(PASSES):
        start = time.perf_counter()
        backbone.features(batch)
        walls.append(time.perf_counter() - start)
    after, count = resource.getrusage(resource.RUSAGE_SELF), PASSES * size
    return {
        "user_ms": 1000 * (after.ru_utime - before.ru_utime) / count,
        "system_ms": 1000 * (after.ru_stime - before.ru_stime) / count,
        "faults": (after.ru_minflt - before.ru_minflt) / count,
        "least_ms": 1000 * min(walls) / size,
    }


# ---- threads


def threads(_data: Path) -> Rows:
    """Ask about pictures, alone and beside busy neighbours, in one thread, in two, and as planned."""
    keep_memory_together()
    rows = []
    for name in (EMBEDDED, "resnet50"):
        backbone = _open(name)
        backbone.measure()
        plan = backbone.plan
        rows.append(
            (
                f"{name}: as measured at rest",
                "-",
                f"{plan.num_threads} threads, {1000 * plan.alone_s:.0f} ms alone; up to {plan.max_batch} at a time, "
                f"{1000 * plan.picture_s:.0f} ms each",
            )
        )
        rows += _rows(f"{name}, nobody else", _ask_in_turn(backbone), is_promised=False)
        with busy_neighbours():
            rows += _rows(
                f"{name}, beside {NUM_NEIGHBOURS} busy neighbours", _ask_in_turn(backbone), is_promised=name == EMBEDDED
            )
    return rows


def _open(name: str) -> Backbone:
    """Return a network with its own weights where they are everywhere, else with random ones."""
    if name == EMBEDDED:
        return load_backbone(ZOO[name])
    network = ZOO[name].build().eval().requires_grad_(False)
    sample_weights(network, torch.Generator().manual_seed(0))
    return Backbone(ZOO[name], network, torch.device("cpu"))


def _rows(what: str, times: dict[str, list[float]], *, is_promised: bool) -> Rows:
    one = statistics.median(times["one thread"])
    rows = []
    for how, seconds in times.items():
        middle, longest = statistics.median(seconds), max(seconds)
        rows.append(
            (
                f"{what}, {how}: median to that of one thread; longest of {NUM_PICTURES}",
                "at most 1.5 times; under 150 ms" if is_promised and how == "as planned" else "-",
                f"{middle / one:.2f} times ({1000 * middle:.0f} ms); {1000 * longest:.0f} ms",
            )
        )
    return rows


def _ask_in_turn(backbone: Backbone) -> dict[str, list[float]]:
    """Return the seconds of each picture in each of the ways, which take turns."""
    batch = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))

    def ask_in(number: int) -> None:
        with set_num_threads(number):
            backbone._answer(batch)

    ways: dict[str, Callable[[], Any]] = {
        "one thread": lambda: ask_in(1),
        "two threads": lambda: ask_in(2),
        "as planned": lambda: backbone.answer(batch),
    }
    times: dict[str, list[float]] = {how: [] for how in ways}
    for _ in range(NUM_PICTURES):
        for how, ask in ways.items():
            start = time.perf_counter()
            ask()
            times[how].append(time.perf_counter() - start)
    return times


@contextmanager
def busy_neighbours(number: int = NUM_NEIGHBOURS) -> Iterator[None]:
    """Let other processes compute all the time."""
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    neighbours = [context.Process(target=compute_until, args=(over,), daemon=True) for _ in range(number)]
    for each in neighbours:
        each.start()
    time.sleep(2.0)  # until they have started
    try:
        yield
    finally:
        over.set()
        for each in neighbours:
            each.join(60)


def compute_until(over: threading.Event) -> None:
    """Be such a process."""
    while not over.is_set():
        sum(range(20_000))


# ---- bfloat16


def half_precision(data: Path) -> Rows:
    """Train heads on features in bfloat16 and in float32, with the same seeds; compute the features twice."""
    settings, rows = Settings(), []
    sets = {"ants and bees": read_dataset(data / "hymenoptera.zip", settings)}
    for name in list(STARTERS)[:2]:
        sets[name] = make_dataset(read_starter(name, settings), settings)
    exact, half = (load_backbone(ZOO[EMBEDDED], features_precision=each) for each in ("float32", "bfloat16"))
    for name, dataset in sets.items():
        first, second = _features(half, dataset), _features(half, dataset)
        rows.append((f"{name}: features in bfloat16, computed twice", "equal", str(bool((first == second).all()))))
        right = [
            [_count_right(each, dataset, seed, cache) for seed in SEEDS]
            for each, cache in ((exact, FeatureCache()), (half, FeatureCache()))
        ]
        rows.append(
            (
                f"{name}: right by features in bfloat16, five seeds",
                "not one fewer than in float32",
                f"{verdict(all(b >= a for a, b in zip(*right, strict=True)))}: {right[1]} to {right[0]}",
            )
        )
    return rows


def _features(backbone: Backbone, dataset: Dataset) -> Any:
    steps = extract_features(backbone, dataset, Settings())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value.values


def _count_right(backbone: Backbone, dataset: Dataset, seed: int, cache: FeatureCache) -> int:
    *_, last = fine_tune(backbone, dataset, replace(Recipe(), seed=seed), Settings(), cache=cache)
    assert isinstance(last, FineTuned)
    return last.head.summary.val_correct


if __name__ == "__main__":
    print(json.dumps(measure_batches(sys.argv[2])))


BENCHMARKS = (memory, threads, half_precision)
