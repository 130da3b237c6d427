"""What class maps are worth, and what looking inside costs on top of a pass through the network."""

import csv
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from demo.data.images import read_image
from demo.models.backbone import Backbone, load_backbone
from demo.models.batching import set_num_threads
from demo.models.zoo import EMBEDDED, ZOO, StageLabel
from demo.settings import Settings
from demo.system import num_cores
from demo.tasks.activations import capture_stages
from demo.tasks.ascent import ascend
from demo.tasks.cam import Method, map_stages
from demo.tasks.erase import Part, erase_by_map
from tests.tasks.test_cam import untrained

SHARE = 0.2
MAPS = ((StageLabel.HIGH, Method.GRAD_CAM), *((stage, Method.LAYER_CAM) for stage in StageLabel))
METHOD_NAMES = {Method.GRAD_CAM: "Grad-CAM", Method.LAYER_CAM: "LayerCAM"}
EXTRA_S = 0.5  # what is promised on top of the passes
ASCENT_S = 20  # and for a picture that is made for a channel

Rows = list[tuple[str, str, str]]
Use = Callable[[Backbone, Image.Image], object]


class Left(NamedTuple):
    """What is left of the top-1 probability of one picture when a part of it is erased."""

    before: float
    hottest: float
    random: float
    coldest: float


def erasures(photos: Path) -> Rows:
    """Erase the hottest, random and the coldest fifth of each photograph by each map of its top-1 class."""
    backbone = load_backbone(ZOO[EMBEDDED])
    pictures = list(read_photos(photos))
    left = [erase(backbone, picture) for picture in pictures]
    return [
        (
            f"{METHOD_NAMES[method]} {stage.value}: top-1 probability, {SHARE:.0%} of {len(pictures)} pictures erased",
            "hottest < random < coldest",
            describe([each[number] for each in left]),
        )
        for number, (stage, method) in enumerate(MAPS)
    ]


def read_photos(photos: Path) -> Iterator[Image.Image]:
    """Yield the photographs that the table lists."""
    with (photos / "labels.csv").open(encoding="utf-8") as file:
        for label in csv.DictReader(file):
            yield read_image(photos / label["file"], Settings())


def erase(backbone: Backbone, picture: Image.Image) -> list[Left]:
    """Erase by each of the maps."""
    maps = map_stages(backbone, picture)
    top = maps.maps[0].class_idx
    left = []
    for stage, method in MAPS:
        erasure = erase_by_map(backbone, picture, top, maps.of(top, stage, method).values, shares=[SHARE])
        by_part = {each.part: each.probability for each in erasure.erased}
        left.append(Left(erasure.before, by_part[Part.HOTTEST], by_part[Part.RANDOM], by_part[Part.COLDEST]))
    return left


def describe(left: list[Left]) -> str:
    """Put means in a row, and in how many pictures the hottest part counts for more than a random one."""
    before, hottest, random, coldest = (statistics.mean(each) for each in zip(*left, strict=True))
    verdict = "holds" if hottest < random < coldest else "FAILS"
    wins = sum(each.hottest < each.random for each in left)
    numbers = f"{hottest:.3f} < {random:.3f} < {coldest:.3f}, of {before:.3f}"
    return f"{verdict}: {numbers}; hottest below random in {wins}"


def looks(photos: Path) -> Rows:
    """Look into a network in turn with the passes through it that this cannot do without."""
    picture, rows = next(read_photos(photos)), []
    for backbone in networks():
        for use, what, floor, passes in (
            (capture_stages, "ladder of one picture", run_forward, "one forward pass"),
            (map_stages, "class maps of three stages", run_both_ways, "one forward and one backward pass"),
        ):
            check = f"{backbone.spec.display_name}: {what}, on top of {passes}"
            rows.append(compare(check, *in_turn(floor, use, backbone, picture)))
    return rows


def networks() -> Iterator[Backbone]:
    """Yield a small network and a large one; random weights stand in, for they take as long."""
    yield load_backbone(ZOO[EMBEDDED])
    yield untrained("resnet50")


def run_forward(backbone: Backbone, picture: Image.Image) -> None:
    """Do what no look at a picture can do without: transforms and a forward pass."""
    batch = backbone.transform(picture)[None].to(memory_format=torch.channels_last)
    with set_num_threads(num_cores()), torch.inference_mode():
        backbone.network(batch)


def run_both_ways(backbone: Backbone, picture: Image.Image) -> None:
    """Go through the network and back to the picture, as plainly as torch can."""
    batch = backbone.transform(picture)[None].to(memory_format=torch.channels_last).requires_grad_(True)
    with set_num_threads(num_cores()):
        torch.autograd.grad(backbone.network(batch).max(), batch)


def in_turn(floor: Use, use: Use, backbone: Backbone, picture: Image.Image, rounds: int = 15) -> list[list[float]]:
    """Return the seconds of two things that are done in turn; the first round of each is not counted."""
    seconds: list[list[float]] = [[], []]
    for _ in range(rounds + 1):
        for each, kept in zip((floor, use), seconds, strict=True):
            start = time.perf_counter()
            each(backbone, picture)
            kept.append(time.perf_counter() - start)
    return [each[1:] for each in seconds]


def compare(check: str, floors: list[float], walls: list[float]) -> tuple[str, str, str]:
    """Put in a row by how much something takes longer than the passes alone."""
    extra = statistics.median(wall - floor for floor, wall in zip(floors, walls, strict=True))
    floor, wall = statistics.median(floors), statistics.median(walls)
    verdict = "holds" if extra <= EXTRA_S else "FAILS"
    return check, f"{EXTRA_S} s", f"{verdict}: {extra:+.3f} s ({wall:.3f} to {floor:.3f} s)"


def ascents(_photos: Path, rounds: int = 3) -> Rows:
    """Make pictures for channels of each stage, from the first step to the last."""
    rows = []
    for backbone in networks():
        for stage in StageLabel:
            seconds = []
            for channel_idx in range(rounds):
                start = time.perf_counter()
                for _ in ascend(backbone, stage, channel_idx):
                    pass
                seconds.append(time.perf_counter() - start)
            check = f"{backbone.spec.display_name}: gradient ascent, one channel of the {stage.value} stage, 128 px"
            measured = statistics.median(seconds)
            verdict = "holds" if measured < ASCENT_S else "FAILS"
            rows.append((check, f"under {ASCENT_S} s", f"{verdict}: {measured:.1f} s (longest {max(seconds):.1f} s)"))
    return rows


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (erasures, looks, ascents)
