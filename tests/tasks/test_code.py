"""The code of a recipe: it runs as shown, and trains what the page trains."""

import contextlib
import io
import os
import re
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models

from demo.data.dataset import Dataset, read_dataset
from demo.models.backbone import Backbone
from demo.models.graph import cut_graph, open_graph
from demo.models.recipe import SUGGESTED_RECIPES, Balance, HeadConfig, Optimizer, Recipe, Trains, lesson_recipe
from demo.models.zoo import EMBEDDED, ZOO, BackboneSpec, StageLabel
from demo.settings import Settings
from demo.tasks import views
from demo.tasks.code import _names_after_middle, write_code
from demo.tasks.finetune import fine_tune
from demo.tasks.fit import EpochResult
from tests.conftest import names_to_try
from tests.pictures import encode, noise

SPEC = ZOO[EMBEDDED]
EPOCHS = 2
RECIPES = {
    "default": Recipe(epochs=EPOCHS),
    "two hidden layers": Recipe(head=HeadConfig(2, 32, 0.25), epochs=EPOCHS, seed=7, batch_size=3, learning_rate=0.002),
    "lesson": lesson_recipe(epochs=EPOCHS),
    "ridge": Recipe(optimizer=Optimizer.RIDGE),
    "shuffled": Recipe(epochs=EPOCHS, shuffled=True, seed=5),
    "last stage": Recipe(Trains.LAST_STAGE, learning_rate=0.0001, epochs=EPOCHS, batch_size=4),
    "everything": lesson_recipe(Trains.EVERYTHING, epochs=EPOCHS),
    "head first": Recipe(
        Trains.LAST_STAGE, head=HeadConfig(1, 16, 0.25), epochs=EPOCHS, batch_size=4, warm_start=True, seed=3
    ),
    "everything after the head": replace(SUGGESTED_RECIPES[Trains.EVERYTHING], epochs=EPOCHS),
}
DEEP = ("last stage", "everything", "head first", "everything after the head")
UNEVEN = {name: RECIPES[name] for name in ("default", "lesson", *DEEP)}
LONGEST = Recipe(head=HeadConfig(3, 256, 0.5), optimizer=Optimizer.SGD, crops=4, patience=5, epochs=25, batch_size=8)
ALL = {
    **RECIPES,
    "longest": LONGEST,
    "ridge of more": Recipe(optimizer=Optimizer.RIDGE, crops=2, patience=3),
    "longest of everything": Recipe(Trains.EVERYTHING, patience=2, crops=1, batch_size=8),
    "balanced": Recipe(balance=Balance.ON, patience=2),
    "shuffled as they are": Recipe(shuffled=True, flips=False),
    "everything balanced": Recipe(Trains.EVERYTHING, batch_size=8, balance=Balance.ON),
}
EVERY_RECIPE = pytest.mark.parametrize("recipe", ALL.values(), ids=ALL)
EVERY_NETWORK = pytest.mark.parametrize("spec", ZOO.values(), ids=ZOO)
LINE = re.compile(r"^(?:epoch (\d+), )?(train|val): loss (\d+\.\d{4}), accuracy (\d\.\d{3})$", re.MULTILINE)

Printed = list[tuple[int, str, float, float]]  # epoch, split, loss, accuracy


def picture(number: int, *, is_bright: bool) -> bytes:
    """Return dark or bright noise, which a head does not tell apart at once."""
    levels = np.asarray(noise(number + 50 * is_bright, (96, 72))) // 2
    return encode(Image.fromarray((levels + 128 * is_bright).astype(np.uint8)))


FILES = {
    f"{split}/{name}/{number}.png": picture(first + number, is_bright=is_bright)
    for split, first, count in (("train", 0, 4), ("val", 20, 2))
    for name, is_bright in (("bright", True), ("dark", False))
    for number in range(count)
}


def write_and_read(folder: Path, files: Mapping[str, bytes], settings: Settings) -> Dataset:
    """Put pictures where a script looks for them; return what the page makes of the same in a zip."""
    with zipfile.ZipFile(folder / "noise.zip", "w") as archive:
        for name, content in files.items():
            path = folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            archive.writestr(name, content)
    return read_dataset(folder / "noise.zip", settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("student")


@pytest.fixture(scope="module")
def dataset(folder: Path, settings: Settings) -> Dataset:
    return write_and_read(folder, FILES, settings)


def run(code: str, folder: Path) -> Printed:
    """Run a script in its folder, in this process: torch is imported already. Return what it printed."""
    (folder / "train.py").write_text(code, encoding="utf-8")
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        runpy.run_path("train.py", run_name="__main__")
    return parse(printed.getvalue())


def run_alone(code: str, folder: Path) -> Printed:
    """Run a script as a student does, without this project and without a graphics card."""
    (folder / "train.py").write_text(code, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-I", "train.py"]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return parse(result.stdout)


def parse(printed: str) -> Printed:
    lines = LINE.findall(printed)
    return [(int(epoch or 1), split, float(loss), float(accuracy)) for epoch, split, loss, accuracy in lines]


def fine_tuned(backbone: Backbone, dataset: Dataset, recipe: Recipe, settings: Settings) -> Printed:
    epochs = [step for step in fine_tune(backbone, dataset, recipe, settings) if isinstance(step, EpochResult)]
    return [
        (each.epoch, split, loss, accuracy)
        for each in epochs
        for split, loss, accuracy in (
            ("train", each.train_loss, each.train_accuracy),
            ("val", each.val_loss, each.val_accuracy),
        )
    ]


@pytest.mark.parametrize("name", names_to_try(RECIPES, slow=DEEP))
def test_the_code_trains_what_the_page_trains(
    name: str, folder: Path, dataset: Dataset, embedded: Backbone, settings: Settings
) -> None:
    """The same pictures, order, first weights, batches and dropout: the same losses in every epoch.

    Where deeper layers learn, the page keeps their inputs in half precision.
    """
    recipe = RECIPES[name]
    theirs = (run_alone if name == "default" else run)(write_code(recipe, SPEC, 2), folder)
    ours = fine_tuned(embedded, dataset, recipe, settings)
    assert [each[:2] for each in theirs] == [each[:2] for each in ours]
    assert len(theirs) == 2 * (1 if recipe.is_closed_form else EPOCHS)
    tolerance = 0.03 if name in DEEP else 2e-4
    assert [each[2] for each in theirs] == pytest.approx([each[2] for each in ours], rel=tolerance, abs=1e-4)
    if name not in DEEP:
        assert [each[3] for each in theirs] == pytest.approx([each[3] for each in ours], abs=5e-4)


@pytest.mark.parametrize("name", names_to_try(UNEVEN, slow=DEEP))
def test_the_code_balances_classes_as_the_page_does(
    name: str, tmp_path: Path, embedded: Backbone, settings: Settings
) -> None:
    """Four bright pictures and one dark one, which is enough for the automatic choice."""
    files = {path: content for path, content in FILES.items() if not re.match(r"train/dark/[123]", path)}
    recipe, dataset = UNEVEN[name], write_and_read(tmp_path, files, settings)
    assert dataset.training_counts == (4, 1)
    ours = fine_tuned(embedded, dataset, recipe, settings)
    theirs = run(write_code(recipe.settle(dataset.training_counts), SPEC, 2), tmp_path)
    assert [each[:2] for each in theirs] == [each[:2] for each in ours]
    tolerance = 0.03 if name in DEEP else 2e-4
    assert [each[2] for each in theirs] == pytest.approx([each[2] for each in ours], rel=tolerance, abs=1e-4)
    unbalanced = fine_tuned(embedded, dataset, replace(recipe, balance=Balance.OFF), settings)
    assert ours[-1][2] != pytest.approx(unbalanced[-1][2], rel=0.005)


@pytest.mark.slow
@pytest.mark.usefixtures("dataset")
def test_random_crops_and_early_stopping_run(folder: Path) -> None:
    recipe = Recipe(head=HeadConfig(1, 16, 0.1), crops=2, epochs=12, learning_rate=0.02, patience=2)
    printed = run(write_code(recipe, SPEC, 2), folder)
    losses = [loss for _, split, loss, _ in printed if split == "val"]
    best = min(range(len(losses)), key=losses.__getitem__)
    assert len(losses) in (12, best + 3)
    assert printed[-2][2] < printed[0][2]


@pytest.mark.slow
@pytest.mark.usefixtures("dataset")
def test_a_network_with_a_second_classifier_is_trained_without_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of torchvision's, with random weights in the place of the downloaded ones, which lie in torch's cache."""
    checkpoints = tmp_path / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    published = models.inception_v3(init_weights=False)
    torch.save(published.state_dict(), checkpoints / ZOO["inception_v3"].file_name)
    recipe = lesson_recipe(Trains.EVERYTHING, epochs=1)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    printed = run(write_code(recipe, ZOO["inception_v3"], 2), folder)
    assert [each[:2] for each in printed] == [(1, "train"), (1, "val")]


@EVERY_NETWORK
@EVERY_RECIPE
def test_the_code_is_python_of_a_page(recipe: Recipe, spec: BackboneSpec) -> None:
    code = write_code(recipe, spec, 3)
    compile(code, "train.py", "exec")
    lines = code.splitlines()
    assert len(lines) <= (90 if recipe in RECIPES.values() else 104)
    assert max(map(len, lines)) <= 88
    assert code.endswith("\n")
    assert "demo" not in code


@pytest.mark.parametrize("width", [88, 120])
def test_the_code_is_formatted_and_uses_all_that_it_imports(width: int, tmp_path: Path) -> None:
    for (name, recipe), spec in product(ALL.items(), ZOO.values()):
        (tmp_path / f"{name} {spec.name}.py").write_text(write_code(recipe, spec, 3), encoding="utf-8")
    how = ["--isolated", "--no-cache", f"--line-length={width}"]
    rules = ["--select=E,F,I,B,C4,SIM,UP,W", "--target-version=py311"]
    for command in (["format", "--diff", *how], ["check", *rules, *how]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout


def test_the_numbers_are_the_recipes() -> None:
    code = write_code(LONGEST, ZOO["resnet50"], 7)
    for line in (
        "weights = models.ResNet50_Weights.IMAGENET1K_V1",
        "network.fc = nn.Identity()",
        "    nn.Linear(2048, 256),",
        "    nn.Dropout(0.5),",
        "    nn.Linear(256, 7),",
        "torch.manual_seed(0)",
        "looks = [[], [mirror], [crop], [crop, mirror], [crop], [crop, mirror]]",
        "optimizer = torch.optim.SGD(",
        "for epoch in range(1, 26):",
        "    for batch in torch.randperm(len(inputs)).split(8):",
        "    if epoch - best_epoch >= 5:",
    ):
        assert line in code
    assert code.count("nn.Linear(256, 256),") == 2
    lesson = write_code(lesson_recipe(Trains.EVERYTHING, epochs=3, seed=5), ZOO["alexnet"], 2)
    assert "torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9)" in lesson
    assert "network.classifier[6] = head" in lesson
    assert ".split(4):" in lesson
    assert "torch.manual_seed(5)" in lesson
    adamw = write_code(Recipe(learning_rate=0.002, weight_decay=0.0), SPEC, 2)
    assert "torch.optim.AdamW(head.parameters(), lr=0.002, weight_decay=0.0)" in adamw


@pytest.mark.parametrize(
    ("recipe", "absent"),
    [
        (
            Recipe(flips=False),
            ("mirror", "views", "crop", "random", "Dropout", "Sequential", "best", "copy", "train()"),
        ),
        (Recipe(optimizer=Optimizer.RIDGE), ("optimizer", "epoch", "best", "backward", "randperm")),
        (Recipe(head=HeadConfig(1, 8)), ("Dropout", "head.train()", "head.eval()")),
        (Recipe(Trains.EVERYTHING, batch_size=8), ("requires_grad_", "Identity", "ModuleList")),
        (Recipe(Trains.LAST_STAGE), ("network.train()", "Identity", "math")),
    ],
    ids=["plain", "ridge", "no dropout", "everything", "last stage"],
)
def test_what_a_recipe_does_not_use_is_not_there(recipe: Recipe, absent: tuple[str, ...]) -> None:
    code = write_code(recipe, SPEC, 2)
    assert [word for word in absent if re.search(rf"(?<!\w){re.escape(word)}", code)] == []


@EVERY_NETWORK
def test_the_last_stage_is_what_the_page_trains(spec: BackboneSpec) -> None:
    with torch.device("meta"):
        network = spec.build().eval()
    tail = cut_graph(open_graph(network, spec), StageLabel.MIDDLE)
    names = _names_after_middle(spec)
    listed = {f"{name}.{each}" for name in names for each, _ in network.get_submodule(name).named_parameters()}
    assert listed == {name for name, _ in tail.named_parameters()}
    assert listed


def test_crops_are_as_large_as_the_pages() -> None:
    code = write_code(LONGEST, SPEC, 2)
    assert f"random.uniform({views._MIN_CROP_AREA}, 1), (4 / 3) ** random.uniform(-1, 1)" in code
    assert views._MAX_CROP_ASPECT == 4 / 3
