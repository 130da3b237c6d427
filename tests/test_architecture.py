"""Imports point one way, and only the page knows gradio."""

import ast
from pathlib import Path

import pytest

from tests.conftest import PROJECT

# Each room may import from itself and from those before it.
ROOMS = ["system", "errors", "settings", "data", "models", "tasks", "ui"]
MODULES = sorted((PROJECT / "demo").rglob("*.py"))
# What Windows, or macOS, lacks.
SOME_SYSTEMS = {"ctypes", "resource", "fcntl", "pwd", "pread", "pwrite", "sched_getaffinity", "setpriority", "geteuid"}
OUTSIDE_UI = [path for path in MODULES if "ui" not in path.parts]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(dotted: str) -> str:
    return dotted.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_point_one_way(path: Path) -> None:
    here = path.relative_to(PROJECT).with_suffix("").parts[1]
    theirs = {room(name) for name in imported(path) if name.startswith("demo.")}
    if here == "figures":
        assert not theirs, "figures knows values only"
    elif here in ROOMS:
        allowed = {*ROOMS[: ROOMS.index(here) + 1], *(["figures"] if here == "ui" else [])}
        assert theirs <= allowed, f"{path.name} imports from {theirs - allowed}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_one_module_asks_for_what_only_some_systems_have(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)} | imported(path)
    assert path.name == "system.py" or not SOME_SYSTEMS & used


@pytest.mark.parametrize("path", OUTSIDE_UI, ids=lambda path: str(path.relative_to(PROJECT)))
def test_only_the_page_knows_gradio(path: Path) -> None:
    assert not any(name.split(".")[0] == "gradio" for name in imported(path))


@pytest.mark.parametrize("path", sorted((PROJECT / "demo" / "ui").glob("*.py")), ids=lambda path: path.name)
def test_the_page_never_looks_inside_a_tensor(path: Path) -> None:
    assert not any(name.split(".")[0] in ("torch", "torchvision", "timm") for name in imported(path))


def test_tabs_do_not_import_each_other() -> None:
    for path in (PROJECT / "demo" / "ui").glob("*_tab.py"):
        assert not any(name.split(".")[2].endswith("_tab") for name in imported(path) if name.startswith("demo.ui."))


def test_the_entry_point_stays_short() -> None:
    assert len((PROJECT / "app.py").read_text(encoding="utf-8").splitlines()) <= 20
