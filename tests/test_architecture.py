"""Imports point one way, and only the page knows gradio."""

import ast
from functools import cache
from pathlib import Path

from tests.conftest import PROJECT

# Each floor may import from itself and from those before it; figures, numpy to pictures, knows values only.
GROUND = ["sentences", "pace", "system", "errors", "logs", "environment", "entrance", "settings"]
FLOORS = [*GROUND, "data", "models", "tasks", "engine", "programs", "lesson", "words", "visitors", "ui"]
FLOORS += ["command", "__main__"]
KNOW_FIGURES = ["ui", "programs"]
WINGS = ["predict", "finetune", "inside"]
# Within the page: what stands round gradio, what all tabs are made of, what joins the two, the tabs, and all of it.
PAGE = [
    "server",
    "budgets",
    "events",
    "door",
    "parts",
    "handlers",
    "answer",
    "lifetime",
    "photo",
    *WINGS,
    "bring",
    "lesson",
    "address",
    "papers",
    "privacy",
    "survival",
    "reading_report",
    "api",
    "api_panel",
    "page",
]
ROUND_ALL = ["launch"]  # of the server: it opens the whole page
MODULES = sorted((PROJECT / "demo").rglob("*.py"))
# What Windows, or macOS, lacks.
SOME_SYSTEMS = {"ctypes", "resource", "fcntl", "pwd", "pread", "pwrite", "sched_getaffinity", "setpriority", "geteuid"}
OUTSIDE_UI = [path for path in MODULES if "ui" not in path.parts]
IN_UI = [path for path in MODULES if "ui" in path.parts]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def allow(here: str) -> set[str]:
    """Return from which rooms of the project a room may import."""
    below = {*FLOORS[: FLOORS.index(here)]} - {"engine"}  # pages ask it over HTTP, and have no Ray
    return {here, *below, *(["figures"] if here in KNOW_FIGURES else [])}


def allow_within_the_page(here: str) -> set[str]:
    return {*PAGE[: PAGE.index(here) + 1]} - ({*WINGS} - {here} if here in WINGS else set())


def test_imports_point_one_way() -> None:
    wrong = {}
    for path in MODULES:
        here = path.relative_to(PROJECT).with_suffix("").parts[1]
        theirs = {name.split(".")[1] for name in imported(path) if name.startswith("demo.")}
        if here == "figures":  # it knows values only
            wrong[str(path)] = theirs
        elif here in FLOORS:
            wrong[str(path)] = theirs - allow(here)
    assert not {path: rooms for path, rooms in wrong.items() if rooms}


def test_imports_point_one_way_within_the_page() -> None:
    wrong = {}
    for path in IN_UI:
        here = path.relative_to(PROJECT / "demo" / "ui").with_suffix("").parts[0]
        theirs = {name.split(".")[2] for name in imported(path) if name.startswith("demo.ui.")}
        if here in PAGE and path.stem not in ROUND_ALL:
            wrong[str(path)] = theirs - allow_within_the_page(here)
    assert not {path: rooms for path, rooms in wrong.items() if rooms}


def test_one_module_asks_for_what_only_some_systems_have() -> None:
    for path in MODULES:
        used = {node.attr for node in ast.walk(parse(path)) if isinstance(node, ast.Attribute)} | imported(path)
        assert path.name == "system.py" or not SOME_SYSTEMS & used, path


def test_only_the_page_knows_gradio() -> None:
    knows = {"gradio", "gradio_client"}
    assert not [path for path in OUTSIDE_UI if knows & {name.split(".")[0] for name in imported(path)}]


def test_only_the_engine_knows_ray() -> None:
    assert {path.stem for path in MODULES if "ray" in {name.split(".")[0] for name in imported(path)}} == {"engine"}


def test_the_page_never_looks_inside_a_tensor() -> None:
    knows = {"torch", "torchvision", "timm"}
    assert not [path for path in IN_UI if knows & {name.split(".")[0] for name in imported(path)}]
