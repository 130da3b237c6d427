"""Imports point one way, and only the page knows gradio."""

import ast
from pathlib import Path

import pytest

from tests.conftest import PROJECT

# Each floor may import from itself and from those before it; figures, numpy to pictures, knows values only.
GROUND = ["sentences", "pace", "system", "errors", "logs", "environment", "entrance", "settings"]
FLOORS = [*GROUND, "data", "models", "tasks", "programs", "lesson", "words", "visitors", "ui", "command", "__main__"]
KNOW_FIGURES = ["ui", "programs"]
WINGS = ["predict", "finetune", "inside"]
# Within the page: what stands round gradio, what all tabs are made of, what joins the two, the tabs, and all of it.
PAGE = [
    "server",
    "door",
    "parts",
    "handlers",
    "answer",
    "photo",
    *WINGS,
    "bring",
    "lesson",
    "address",
    "papers",
    "privacy",
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


def named(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_one_way(path: Path) -> None:
    here = path.relative_to(PROJECT).with_suffix("").parts[1]
    theirs = {name.split(".")[1] for name in imported(path) if name.startswith("demo.")}
    if here == "figures":
        assert not theirs, "figures knows values only"
    elif here in FLOORS:
        allowed = {*FLOORS[: FLOORS.index(here) + 1], *(["figures"] if here in KNOW_FIGURES else [])}
        assert theirs <= allowed, f"{path.name} imports from {theirs - allowed}"


@pytest.mark.parametrize("path", IN_UI, ids=named)
def test_imports_point_one_way_within_the_page(path: Path) -> None:
    here = path.relative_to(PROJECT / "demo" / "ui").with_suffix("").parts[0]
    theirs = {name.split(".")[2] for name in imported(path) if name.startswith("demo.ui.")}
    if here not in PAGE or path.stem in ROUND_ALL:
        return
    allowed = {*PAGE[: PAGE.index(here) + 1]} - ({*WINGS} - {here} if here in WINGS else set())
    assert theirs <= allowed, f"{path.name} imports from {theirs - allowed}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_one_module_asks_for_what_only_some_systems_have(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)} | imported(path)
    assert path.name == "system.py" or not SOME_SYSTEMS & used


@pytest.mark.parametrize("path", OUTSIDE_UI, ids=named)
def test_only_the_page_knows_gradio(path: Path) -> None:
    assert not any(name.split(".")[0] in ("gradio", "gradio_client") for name in imported(path))


@pytest.mark.parametrize("path", IN_UI, ids=named)
def test_the_page_never_looks_inside_a_tensor(path: Path) -> None:
    assert not any(name.split(".")[0] in ("torch", "torchvision", "timm") for name in imported(path))
