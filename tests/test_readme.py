"""README says what the project does: its versions, commands, code and pictures."""

import re

import pytest

from demo.data.samples import EXAMPLES
from demo.models.zoo import ZOO
from demo.settings import Settings
from tests.conftest import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
REQUIREMENTS = [
    line.split("#")[0].strip()
    for file in PROJECT.glob("requirements*.txt")
    for line in file.read_text(encoding="utf-8").splitlines()
    if line.split("#")[0].strip() and not line.startswith("-r")
]


def code(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_space_runs_the_gradio_that_is_pinned() -> None:
    (pinned,) = [line for line in REQUIREMENTS if line.startswith("gradio")]
    assert pinned == f"gradio=={re.search(r'^sdk_version: (.+)$', README, re.MULTILINE)[1]}"  # type: ignore[index]


def test_every_dependency_says_why_it_is_here() -> None:
    names = {re.split(r"[\[=<>!]", line)[0] for line in REQUIREMENTS}
    explained = set(re.findall(r"[\w-]+", " ".join(re.findall(r"^\| ([\w, -]+) \| .+ \|$", README, re.MULTILINE))))
    assert names <= explained


def test_the_commands_name_files_that_exist() -> None:
    words = {word.strip(";") for block in [*code("bash"), *code("powershell")] for word in block.split()}
    assert {"requirements.txt", "requirements-dev.txt", "constraints.txt", "app.py"} <= words
    assert all((PROJECT / word).exists() for word in words if word.endswith((".txt", ".py")))


@pytest.mark.parametrize("last", [".venv/bin/python app.py", ".venv/bin/python -m pytest"])
def test_each_command_is_one_line_with_an_environment_of_its_own(last: str) -> None:
    (line,) = [line for block in code("bash") for line in block.splitlines() if line.endswith(last)]
    assert line.startswith("python3 -m venv .venv && ")
    assert code("bash").count(line + "\n") == 1, "nothing else stands in its block"


def test_every_requirement_is_locked() -> None:
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0] for line in lines if line and not line.startswith("#")}
    assert {re.split(r"[\[=<>!]", line)[0] for line in REQUIREMENTS} <= locked
    assert not [line for line in lines if "://" in line], "where the packages were found is nobody else's"


def test_the_pictures_exist() -> None:
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", README)
    assert pictures
    assert all((PROJECT / picture).is_file() for picture in pictures)


def test_every_network_and_licence_is_named() -> None:
    for spec in ZOO.values():
        family, _, depth = spec.display_name.partition("-")
        assert family in README
        assert depth in README
        assert spec.paper in README
    assert all(example.licence.split(" (")[0] in README for example in EXAMPLES)


def test_the_limits_are_those_of_the_settings() -> None:
    settings = Settings()
    assert f"{settings.max_archive_bytes // 10**6} MB, {settings.max_unpacked_bytes // 10**6} MB unpacked" in README
    assert f"{settings.min_classes} to {settings.max_classes} classes" in README
    assert f"{settings.max_pictures} pictures" in README
    assert f"| {settings.max_epochs} |" in README
    assert f"after {settings.session_idle_s / 60:.0f} minutes" in README
