"""What the documents name exists, and both languages say the same."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

DOCUMENTS = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("*.md")), PROJECT / "demo/assets/README.md"]
TEXTS = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
README, CHINESE = TEXTS[PROJECT / "README.md"], TEXTS[PROJECT / "README.zh-CN.md"]
ARCHITECTURE = TEXTS[PROJECT / "docs" / "architecture.md"]
EVERY_DOCUMENT = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))

NAMED = re.compile(r"`([\w./]+\.py):([\w.]+)`")
WALKS = re.findall(r"^### (.+?)\n(.+?)(?=^##)", ARCHITECTURE, re.MULTILINE | re.DOTALL)
# gradio reads it, and would keep the process before anything is swept: nobody is told to set it.
NOT_FOR_VISITORS = {"GRADIO_DEBUG"}


def finds(file: Path, name: str) -> bool:
    """Say whether a file defines a function, class or value, or a class there a method or field, of a dotted name."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for part in name.split("."):
        owner = next((node for node in body if part in defined(node)), None)
        if owner is None:
            return False
        body = getattr(owner, "body", [])
    return True


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def rows(text: str, start: str) -> list[list[str]]:
    """Return the cells of the table whose heading begins with a text, without the heading."""
    table = re.search(rf"^\| {start}.+?\n\| ---.+?\n((?:\|.+\n)+)", text, re.MULTILINE)
    assert table, f"no table that begins with {start}"
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()]


@pytest.mark.parametrize(("title", "walk"), WALKS, ids=[title for title, _ in WALKS])
def test_each_step_of_a_walk_names_file_and_function(title: str, walk: str) -> None:
    steps = re.split(r"^\d+\. ", walk, flags=re.MULTILINE)[1:]
    assert len(steps) >= 4, title
    assert [step for step in steps if not NAMED.search(step) and "`refresh`" not in step] == []


def test_there_are_five_walks() -> None:
    assert len(WALKS) == 5


@EVERY_DOCUMENT
def test_what_a_document_names_in_a_file_is_defined_there(path: Path) -> None:
    named = NAMED.findall(TEXTS[path])
    assert [f"{file}:{name}" for file, name in named if not finds(PROJECT / file, name)] == []


@EVERY_DOCUMENT
def test_the_files_that_a_document_names_exist(path: Path) -> None:
    named = re.findall(r"`((?:demo|tests|docs|\.ci|\.github)/[\w./-]+)[`:]", TEXTS[path])
    linked = [link.partition("#")[0] for link in re.findall(r"\]\((?!https?:)(.+?)\)", TEXTS[path])]
    missing = [each for each in named if not (PROJECT / each).exists()]
    assert missing + [link for link in linked if not (path.parent / link).exists()] == []


@EVERY_DOCUMENT
def test_the_words_of_make_are_those_that_there_are(path: Path) -> None:
    words = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", TEXTS[path])) <= words


def test_every_word_of_make_is_explained() -> None:
    words = re.findall(r"^([a-z]+):.*##", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    explained = re.findall(r"`make ([a-z]+)`", TEXTS[PROJECT / "CONTRIBUTING.md"])
    assert set(words) - {"help"} == set(explained)


def test_the_floors_are_drawn_as_they_are() -> None:
    run = subprocess.run([sys.executable, "docs/floors.py", "--check"], cwd=PROJECT, timeout=60, check=False)
    assert run.returncode == 0, "python docs/floors.py draws them anew"


def test_the_table_of_settings_is_what_the_program_reads() -> None:
    nodes = [node for path in (PROJECT / "demo").rglob("*.py") for node in ast.walk(ast.parse(path.read_bytes()))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    read = {text for text in texts if re.fullmatch(r"(DEMO|GRADIO|HF)_[A-Z_]+|SPACE_ID", text)}
    read = {name for name in read if not name.startswith("GRADIO_ANALYTICS")} - NOT_FOR_VISITORS
    read |= {"HF_HOME", "HF_TOKEN", "HF_HUB_OFFLINE"}  # by the Hub's own library
    listed = " ".join(cell for row in rows(README, "environment variable") for cell in row)
    assert set(re.findall(r"(?:DEMO|GRADIO|HF)_[A-Z_]+|SPACE_ID", listed)) == read


def test_both_languages_have_the_same_code_and_pictures() -> None:
    for pattern in (r"```\w+\n.*?```", r"!\[.*?\]\((.+?)\)"):
        ours, theirs = (re.findall(pattern, text, re.DOTALL) for text in (README, CHINESE))
        assert ours
        assert ours == theirs


def test_the_readmes_link_each_other() -> None:
    assert "](README.zh-CN.md)" in README
    assert "](README.md)" in CHINESE


@pytest.mark.parametrize(
    ("english", "chinese"),
    [("network", "网络"), ("hardware", "硬件"), ("environment variable", "环境变量"), ("limit", "上限")],
)
def test_both_languages_have_the_same_tables(english: str, chinese: str) -> None:
    ours, theirs = rows(README, english), rows(CHINESE, chinese)
    assert [numbers(row) for row in ours] == [numbers(row) for row in theirs]
    assert [re.findall(r"`(.+?)`", row[0]) for row in ours] == [re.findall(r"`(.+?)`", row[0]) for row in theirs]


def numbers(row: list[str]) -> list[float]:
    """Return the numbers of a row; Chinese counts in ten thousands and their squares where English does in millions."""
    found = re.findall(r"(\d[\d,]*(?:\.\d+)?) ?(million|万|亿)?", " ".join(row))
    scales = {"": 1.0, "million": 1e6, "万": 1e4, "亿": 1e8}
    return [float(number.replace(",", "")) * scales[scale] for number, scale in found]


def test_no_workflow_names_where_packages_are_found() -> None:
    files = [path for path in (PROJECT / ".github").rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if "://" in path.read_text(encoding="utf-8")] == []
