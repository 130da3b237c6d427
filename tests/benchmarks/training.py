"""What fine-tuning promises: what the default recipe gets right, how long it takes, what it weighs."""

import io
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision import datasets, transforms

from demo.data.collection import Collection
from demo.data.dataset import Dataset, Sample, Split, make_dataset, read_dataset
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.models.backbone import Backbone, load_backbone
from demo.models.head import Head
from demo.models.recipe import HeadConfig, Recipe, Trains, lesson_recipe
from demo.models.zoo import EMBEDDED, ZOO
from demo.settings import MEGABYTE, Settings
from demo.tasks.evaluate import Scores, wilson
from demo.tasks.export import SelfCheck, check_pictures, check_synthetic, export_head
from demo.tasks.features import FeatureCache, View, extract_features
from demo.tasks.finetune import FineTuned, fine_tune, score
from demo.tasks.onnx import INPUT, write_onnx
from demo.tasks.timm_folder import write_timm_folder
from demo.visitors.jobs import Job
from tests.pictures import encode

NUM_SEEDS = 5
TUTORIAL_EPOCHS = 25
MEASURED_EPOCHS = 2  # of the tutorial's, which are all alike
MANY = 5_000

Rows = list[tuple[str, str, str]]


def finish(backbone: Backbone, dataset: Dataset, recipe: Recipe, cache: FeatureCache | None = None) -> FineTuned:
    """Train to the end."""
    *_, last = fine_tune(backbone, dataset, recipe, Settings(), cache=cache)
    assert isinstance(last, FineTuned)
    return last


def accuracy(archive: Path) -> Rows:
    """Train the default recipe and the lesson's with five seeds."""
    backbone, dataset, cache = load_backbone(ZOO[EMBEDDED]), read_dataset(archive, Settings()), FeatureCache()
    rows = []
    for name, promised, recipe in (("default", 145, Recipe()), ("lesson's", 141, lesson_recipe())):
        runs = [finish(backbone, dataset, replace(recipe, seed=seed), cache).head.summary for seed in range(NUM_SEEDS)]
        right, count = [run.val_correct for run in runs], runs[0].val_count
        middle = sorted(right)[NUM_SEEDS // 2]
        low, high = wilson(middle, count)
        measured = f"{middle} of {count} (seeds: {right}; 95% interval {low:.1%} to {high:.1%})"
        rows.append(
            (f"hymenoptera.zip, the {name} recipe, median of {NUM_SEEDS} seeds", f"{promised} of 153", measured)
        )
    return rows


def speed(archive: Path, rounds: int = 3) -> Rows:
    """Train the default recipe in turn with reading and one pass over its views, and with the tutorial's own code."""
    settings, backbone = Settings(), load_backbone(ZOO[EMBEDDED])
    floors, walls, tutorials = [], [], []
    for _ in range(rounds):
        start = time.perf_counter()
        dataset = read_dataset(archive, settings)
        look_once(backbone, dataset, settings)
        floors.append(time.perf_counter() - start)
        start = time.perf_counter()
        finish(backbone, read_dataset(archive, settings), Recipe())
        walls.append(time.perf_counter() - start)
        tutorials.append(run_tutorial(archive) * TUTORIAL_EPOCHS / MEASURED_EPOCHS)
    wall = statistics.median(walls)
    ratio = statistics.median(wall / floor for wall, floor in zip(walls, floors, strict=True))
    times = statistics.median(theirs / ours for theirs, ours in zip(tutorials, walls, strict=True))
    return [
        (
            "the same, wall time to reading and one pass over every view",
            "1.2 times",
            f"{ratio:.2f} times ({wall:.1f} s)",
        ),
        (
            f"the same, to the tutorial's frozen recipe ({MEASURED_EPOCHS} of its {TUTORIAL_EPOCHS} epochs measured)",
            "20 times faster",
            f"{times:.0f} times faster ({statistics.median(tutorials):.0f} s)",
        ),
    ]


def look_once(backbone: Backbone, dataset: Dataset, settings: Settings) -> None:
    """Decode every picture and run it through the network, training pictures mirrored as well; eight at a time."""
    looks = [(sample, View()) for sample in dataset.samples]
    looks += [(sample, View(flip=True)) for sample in dataset.samples if sample.split is Split.TRAIN]
    for first in range(0, len(looks), 8):
        pictures = [
            view.show(read_image(sample.image_bytes, settings), sample.digest)
            for sample, view in looks[first : first + 8]
        ]
        backbone.answer(torch.stack([backbone.transform(picture) for picture in pictures]))


def run_tutorial(archive: Path) -> float:
    """Run some epochs of the tutorial's frozen recipe, as it is written there; return their seconds."""
    import timm

    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    looks = {
        "train": transforms.Compose(
            [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalize]
        ),
        "val": transforms.Compose(
            [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalize]
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as files:
            files.extractall(folder)
        loaders = {
            split: torch.utils.data.DataLoader(
                datasets.ImageFolder(Path(folder, "hymenoptera_data", split), look),
                batch_size=4,
                shuffle=True,
                num_workers=4,
            )
            for split, look in looks.items()
        }
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False).requires_grad_(False)
        network.classifier = nn.Linear(network.num_features, 2)
        optimizer = torch.optim.SGD(network.classifier.parameters(), lr=0.001, momentum=0.9)
        start = time.perf_counter()
        for _ in range(MEASURED_EPOCHS):
            for split, loader in loaders.items():
                network.train(split == "train")
                for inputs, labels in loader:
                    optimizer.zero_grad()
                    with torch.set_grad_enabled(split == "train"):
                        loss = nn.functional.cross_entropy(network(inputs), labels)
                        if split == "train":
                            loss.backward()
                            optimizer.step()
        return time.perf_counter() - start


def second_head(archive: Path, rounds: int = 5) -> Rows:
    """Train another head, with two hidden layers, on pictures that have been looked at."""
    backbone, dataset, cache = load_backbone(ZOO[EMBEDDED]), read_dataset(archive, Settings()), FeatureCache()
    finish(backbone, dataset, Recipe(), cache)
    recipe, seconds = Recipe(head=HeadConfig(hidden_layers=2), epochs=50), []
    for _ in range(rounds):
        start = time.perf_counter()
        finish(backbone, dataset, recipe, cache)
        seconds.append(time.perf_counter() - start)
    return [("a second head, 50 epochs, two hidden layers, median", "1 s", f"{statistics.median(seconds):.2f} s")]


def stop(archive: Path) -> Rows:
    """Stop a training of each depth at several moments; measure until it has ended, and until the line is free."""
    backbone, dataset = load_backbone(ZOO[EMBEDDED]), read_dataset(archive, Settings())
    ended, freed = [], []
    recipes = [Recipe(), lesson_recipe(Trains.LAST_STAGE), lesson_recipe(Trains.EVERYTHING)]
    for recipe in recipes:
        for moment in (0.05, 1.0, 6.0, 12.0):
            job = Job(lambda recipe=recipe: fine_tune(backbone, dataset, recipe, Settings()))  # type: ignore[misc]
            thread = threading.Thread(target=job.run)
            thread.start()
            job.done.wait(moment)
            start = time.perf_counter()
            job.request_stop()
            job.done.wait()
            ended.append(time.perf_counter() - start)
            thread.join()
            freed.append(time.perf_counter() - start)
    return [
        ("Stop, at twelve moments of three depths, longest", "1 s", f"{max(ended):.3f} s"),
        ("the same, until the next training can begin, longest", "-", f"{max(freed):.2f} s"),
    ]


def exported(archive: Path) -> Rows:
    """Compare each kind of export with the page on all validation pictures."""
    backbone, dataset = load_backbone(ZOO[EMBEDDED]), read_dataset(archive, Settings())
    rows = []
    for name, recipe in (("head only", Recipe()), ("last stage", lesson_recipe(Trains.LAST_STAGE, epochs=2))):
        tuned = finish(backbone, dataset, recipe)
        scores = score(tuned.head, tuned.features, Split.VALIDATION)
        samples = [dataset.samples[idx] for idx in scores.sample_idxs.tolist()]
        checks = check_pictures(dataset.samples, scores)
        checks.append(check_synthetic(backbone.for_head(tuned.head), tuned.head))
        with tempfile.TemporaryDirectory() as folder:
            differences = {
                "predict.py": ask_script(backbone, tuned.head, Path(folder), samples, checks),
                "ONNX": f"{ask_onnx(backbone, tuned.head, Path(folder), samples, scores):.1e}",
                "timm folder": f"{ask_timm(backbone, tuned.head, Path(folder), samples, scores):.1e}",
            }
        for kind, difference in differences.items():
            rows.append((f"{kind} to the page, {name}, {len(samples)} pictures", "under 1e-5", difference))
    return rows + large_export()


def ask_script(
    backbone: Backbone, head: Head, folder: Path, samples: Sequence[Sample], checks: Sequence[SelfCheck]
) -> str:
    """Let the exported predict.py compare itself; return what it prints."""
    zipfile.ZipFile(io.BytesIO(export_head(head, backbone.spec, card="", checks=checks))).extractall(folder)
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, sample in enumerate(samples):
        (pictures / f"{number}.jpg").write_bytes(sample.image_bytes)
    command = [sys.executable, "predict.py", "--self-test", "pictures"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


def ask_onnx(backbone: Backbone, head: Head, folder: Path, samples: Sequence[Sample], scores: Scores) -> float:
    """Return the largest difference of an ONNX file's probabilities, by onnxruntime, from the page's."""
    import onnxruntime

    path, side_px = folder / "model.onnx", backbone.spec.build_transforms().crop_size[0]
    write_onnx(backbone.join(head), side_px, path, card="", metadata={})
    session, largest = onnxruntime.InferenceSession(path), 0.0
    for sample, expected in zip(samples, scores.probabilities, strict=True):
        batch = backbone.transform(read_image(sample.image_bytes, Settings()))[None].numpy()
        largest = max(largest, float(np.abs(session.run(None, {INPUT: batch})[0][0] - expected).max()))
    return largest


def ask_timm(backbone: Backbone, head: Head, folder: Path, samples: Sequence[Sample], scores: Scores) -> float:
    """Return the largest difference of what timm loads, with timm's own transforms, from the page's probabilities."""
    import timm
    from timm.data import create_transform, resolve_data_config

    place, largest = folder / "timm", 0.0
    place.mkdir()
    write_timm_folder(backbone, head, place, card="")
    model = timm.create_model(f"local-dir:{place}", pretrained=True).eval()
    transform = create_transform(**resolve_data_config(model=model))
    for sample, expected in zip(samples, scores.probabilities, strict=True):
        with torch.inference_mode():
            answer = torch.softmax(model(transform(read_image(sample.image_bytes, Settings()))[None]), dim=1)[0]
        largest = max(largest, float(np.abs(answer.numpy() - expected).max()))
    return largest


def large_export() -> Rows:
    """Write the largest network, with random weights, as an ONNX file; measure time and memory above the network."""
    script = (
        "import resource, sys, tempfile, time, torch, pathlib\n"
        "from demo.models.zoo import ZOO\n"
        "from demo.tasks.onnx import write_onnx\n"
        "network = ZOO['resnet152'].build().eval().requires_grad_(False).to(memory_format=torch.channels_last)\n"
        "before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    path = pathlib.Path(folder, 'model.onnx')\n"
        "    write_onnx(network, 224, path, card='', metadata={})\n"
        "    size = path.stat().st_size / 1e6\n"
        "seconds = time.perf_counter() - start\n"
        "more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000\n"
        "print(f'{more:.0f} MB more at most, {seconds:.1f} s, file of {size:.0f} MB')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return [("ResNet-152 as ONNX", "60 MB", done.stdout.strip())]


def many(archive: Path) -> Rows:
    """Read 5,000 pictures within raised limits and compute their features; measure what stays in memory."""
    settings = replace(
        Settings(), max_pictures=MANY, max_archive_entries=MANY, max_archive_bytes=10**9, max_unpacked_bytes=10**9
    )
    backbone, cache = load_backbone(ZOO[EMBEDDED]), FeatureCache()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "many.zip")
        write_many(archive, path)
        size = path.stat().st_size / MEGABYTE
        before = resident()
        collection = read_collection(path, settings)
    dataset = make_dataset(collection, settings)
    read = resident() - before
    for _ in extract_features(backbone, dataset, settings, cache=cache):
        pass
    return [
        (
            f"{MANY} pictures ({size:.0f} MB): memory after reading",
            "thumbnails",
            f"{read:.0f} MB ({thumbnails(collection):.0f} MB of thumbnails)",
        ),
        (
            "the same: after their features",
            "and features",
            f"{resident() - before:.0f} MB ({MANY * 1280 * 4 / MEGABYTE:.0f} MB of features)",
        ),
    ]


def thumbnails(collection: Collection) -> float:
    """Return the megabytes of all thumbnails."""
    return sum(len(picture.thumbnail) for picture in collection.pictures) / MEGABYTE


def write_many(archive: Path, path: Path) -> None:
    """Write a zip of crops of the real pictures, each a little different."""
    pictures = list(decode(archive))
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as files:
        for number in range(MANY):
            picture = pictures[number % len(pictures)]
            left, top = generator.integers(0, 100, 2).tolist()
            crop = picture.crop((left, top, picture.width - 20, picture.height - 20))
            files.writestr(f"class{number % 2}/{number}.jpg", encode(crop, "JPEG"))


def decode(archive: Path) -> Iterator[Image.Image]:
    """Yield the pictures of a zip."""
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            if name.endswith(".jpg"):
                yield Image.open(io.BytesIO(files.read(name))).convert("RGB")


def resident() -> float:
    """Return the megabytes that this process holds now."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) / 1000


BENCHMARKS: tuple[Callable[[Path], Rows], ...] = (accuracy, speed, second_head, stop, exported, many)
