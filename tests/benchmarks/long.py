"""Long work of known size, beside a plain PyTorch loop: seconds, memory, and how both grow with the pictures.

Each training is a process of its own, so that its peak is its own:

    python -m tests.benchmarks.long page everything pictures.zip

All train the embedded network, deeper recipes for one epoch: further ones are like it. Beside what the plain loop does
the page looks at each picture once before more than the head is trained, for a head to begin with, and once at the end,
for features that its answers are drawn from; and after each epoch it measures what is right among the training
pictures as well.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from demo.data.dataset import make_dataset
from demo.data.folders import read_collection
from demo.models.backbone import load_backbone
from demo.models.cache import give_back_memory
from demo.models.graph import replace_module
from demo.models.recipe import SUGGESTED_RECIPES, Trains
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import MEGABYTE, Settings
from demo.system import keep_memory_together
from demo.tasks.finetune import FineTuned, fine_tune
from tests.conftest import PROJECT

PHONE, SMALL = (4000, 3000), (320, 240)
SIZES = ((PHONE, 250), (PHONE, 500), (SMALL, 2000), (SMALL, 5000))  # two of each, between which the slope is taken
LONGEST_S = 6 * 3600

Rows = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Run:
    """What one training took: until its pictures are read, in all, and the most memory that it held more than before.

    `cpu_s` is the time of all cores. `left_megabytes` are held at the end, with the pictures and the head still there.
    """

    reading_s: float
    seconds: float
    cpu_s: float
    peak_megabytes: float
    left_megabytes: float

    def __str__(self) -> str:
        took = f"{self.seconds:.0f} s ({self.reading_s:.0f} s of it reading), {self.cpu_s:.0f} s of CPU"
        return f"{took}, {self.peak_megabytes:.0f} MB more, {self.left_megabytes:.0f} MB at the end"


class Slope(NamedTuple):
    """What each further picture takes."""

    milliseconds: float
    cpu_milliseconds: float
    kilobytes: float

    def __str__(self) -> str:
        return f"{self.milliseconds:.0f} ms, {self.cpu_milliseconds:.0f} ms of CPU, {self.kilobytes:.0f} kB"


class Meter:
    """Measures this process from when its network is loaded."""

    def __init__(self) -> None:
        give_back_memory()
        self.before, self._cpu_s, self._start = resident_megabytes("VmRSS"), sum(os.times()[:4]), time.perf_counter()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from now on

    @property
    def seconds(self) -> float:
        """The seconds until now."""
        return time.perf_counter() - self._start

    def read(self, reading_s: float) -> Run:
        """Return what was taken until now."""
        seconds, cpu_s = self.seconds, sum(os.times()[:4]) - self._cpu_s
        peak = resident_megabytes("VmHWM") - self.before
        give_back_memory()
        return Run(reading_s, seconds, cpu_s, peak, resident_megabytes("VmRSS") - self.before)


def write_pictures(path: Path, size: tuple[int, int], count: int) -> None:
    """Write a zip of two classes of pictures: a few soft colours of their own, and structure at all scales.

    Camera files of twelve megapixels have two to five megabytes, and so have these.
    """
    generator = np.random.default_rng(0)
    width, height = size
    grain = sum(
        np.asarray(
            Image.fromarray(generator.integers(0, 256, (2 * height // step, 2 * width // step), dtype=np.uint8)).resize(
                (2 * width, 2 * height), Image.Resampling.BILINEAR
            ),
            np.float32,
        )
        for step in (4, 16, 64)
    )
    grain = np.asarray(grain / 3 - 127.5, np.int16)  # (2 H, 2 W)
    with zipfile.ZipFile(path, "w") as files:
        for number in range(count):
            colours = generator.integers(30, 226, (6, 8, 3), dtype=np.uint8)
            colours[..., number % 2] = np.minimum(colours[..., number % 2], 120)  # what tells the classes apart
            soft = np.asarray(Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC), np.int16)
            top, left = generator.integers(0, height), generator.integers(0, width)
            pixels = soft + grain[top : top + height, left : left + width, None]
            picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            with files.open(f"class{number % 2}/{number}.jpg", "w") as file:
                picture.save(file, "JPEG", quality=85)


def train_as_the_page(archive: Path, trains: Trains) -> Run:
    """Read a zip and train as the page does, within limits that it does not meet."""
    many = 10**9
    settings = replace(
        Settings(),
        max_pictures=many,
        max_archive_entries=many,
        max_archive_bytes=100 * many,
        max_unpacked_bytes=100 * many,
        max_decoded_pixels=1000 * many,
        max_reading_s=LONGEST_S,
        max_training_s=LONGEST_S,
    )
    recipe = SUGGESTED_RECIPES[trains]
    keep_memory_together()
    backbone, meter = load_backbone(ZOO[EMBEDDED]), Meter()
    dataset = make_dataset(read_collection(archive, settings), settings)
    reading_s = meter.seconds
    *_, last = fine_tune(
        backbone, dataset, replace(recipe, epochs=1) if trains is not Trains.HEAD else recipe, settings
    )
    assert isinstance(last, FineTuned)
    return meter.read(reading_s)


def train_plainly(archive: Path, trains: Trains) -> Run:
    """Unpack a zip and train as PyTorch's tutorial does: each picture goes through the whole network, one epoch.

    Pictures are read in the same process: workers would be forked from one whose threads have computed, and may hang.

    Source:
        https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
    """
    backbone, meter = load_backbone(ZOO[EMBEDDED]), Meter()
    network, recipe = backbone.network, SUGGESTED_RECIPES[trains]
    replace_module(network, backbone.spec.logits, nn.Linear(backbone.spec.num_features, 2))
    names = {name for name, _ in backbone.subgraph(StageLabel.MIDDLE).named_parameters()}
    for name, parameter in network.named_parameters():
        is_deep = trains is Trains.EVERYTHING or (trains is Trains.LAST_STAGE and name in names)
        parameter.requires_grad_(is_deep or name.startswith(backbone.spec.logits))
    optimizer = optim.SGD([each for each in network.parameters() if each.requires_grad], lr=0.001, momentum=0.9)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as files:
            files.extractall(folder)
        reading_s = meter.seconds
        pictures = ImageFolder(folder, backbone.spec.build_transforms())
        order = torch.randperm(len(pictures)).tolist()
        train, val = order[len(order) // 5 :], order[: len(order) // 5]
        load = partial(DataLoader[Any], batch_size=recipe.batch_size)
        network.train(trains is Trains.EVERYTHING)
        for inputs, labels in load(torch.utils.data.Subset(pictures, train), shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs), labels).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for inputs, _labels in load(torch.utils.data.Subset(pictures, val)):
                network(inputs)
    return meter.read(reading_s)


def resident_megabytes(field: str) -> float:
    """Return how much memory this process holds now (VmRSS), or has held at most (VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{field}:")[1].split()[0]) / 1000


WAYS: dict[str, Callable[[Path, Trains], Run]] = {"page": train_as_the_page, "plain loop": train_plainly}


def run_apart(way: str, trains: Trains, archive: Path) -> Run:
    """Train in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.long", way, trains.value, str(archive)]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=LONGEST_S,
        text=True,
    )
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def measure(share: float = 1.0) -> Rows:
    """Train with few and with many pictures, as the page does and plainly, each after the other.

    Args:
        share: The part of the pictures that is used; all of it takes two hours on two cores.
    """
    rows, runs = Rows(), dict[tuple[tuple[int, int], int, Trains, str], Run]()
    sizes = [(size, max(count // 25, round(share * count))) for size, count in SIZES]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for size, count in sizes:
            archive = Path(folder, "pictures.zip")
            write_pictures(archive, size, count)
            megabytes = archive.stat().st_size / MEGABYTE
            for trains in Trains:
                for way in WAYS:
                    runs[size, count, trains, way] = run = run_apart(way, trains, archive)
                    named = f"{count} pictures of {size[0]}x{size[1]} ({megabytes:.0f} MB), {trains.value}: {way}"
                    rows.append((named, "-", str(run)))
                    print(f"{named}: {run}", file=sys.stderr, flush=True)  # hours may pass until all is done
    for size in (PHONE, SMALL):
        few, many = (count for each, count in sizes if each == size)
        for trains in Trains:
            slopes = {
                way: _slope(runs[size, few, trains, way], runs[size, many, trains, way], many - few) for way in WAYS
            }
            told = "; ".join(f"{way} {slope}" for way, slope in slopes.items())
            rows.append((f"each further picture of {size[0]}x{size[1]}, {trains.value}", "like the plain loop", told))
    return rows


def _slope(few: Run, many: Run, further: int) -> Slope:
    def grow(name: str) -> float:
        return float(1000 * (getattr(many, name) - getattr(few, name)) / further)

    return Slope(grow("seconds"), grow("cpu_s"), grow("peak_megabytes"))


BENCHMARKS: tuple[Callable[[float], Rows], ...] = (measure,)

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](Path(sys.argv[3]), Trains(sys.argv[2])).__dict__))
