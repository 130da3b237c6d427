"""A Dockerfile read and followed without Docker, as far as its steps go: COPY, ENV, ARG, WORKDIR and RUN."""

import fnmatch
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import NamedTuple


class Step(NamedTuple):
    """One instruction, with what stands behind it on all its lines."""

    word: str
    rest: str


def read_steps(text: str) -> list[Step]:
    """Return the instructions; comments are left out, and lines that go on are joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


class Build:
    """An image's files below a folder that stands for its home, and its environment."""

    def __init__(self, context: Path, home: Path, arguments: dict[str, str]) -> None:
        self.home, self._context, self._arguments = home, context, arguments
        self._folder = home
        kept = {
            name: value for name, value in os.environ.items() if name in ("PATH", "LANG") or name.startswith("PIP_")
        }
        self.environment = kept | {"HOME": str(home)}

    def follow(self, steps: list[Step]) -> None:
        """Do what the steps say; users are not made, and Python's environment also has what the tests' has."""
        for step in steps:
            match step.word:
                case "ARG":
                    name, _, value = step.rest.partition("=")
                    self.environment[name] = self._arguments.get(name, value.strip('"'))
                case "ENV":
                    for name, value in re.findall(r"(\w+)=(\S+)", step.rest):
                        self.environment[name] = os.path.expandvars(
                            self._place(value).replace("$PATH", os.environ["PATH"])
                        )
                case "WORKDIR":
                    self._folder = Path(self._place(step.rest))
                    self._folder.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(step.rest)
                case "RUN" if "useradd" not in step.rest:
                    self.run(["sh", "-ec", self._place(step.rest)])
                    self._lend_packages()

    def run(self, command: list[str]) -> None:
        subprocess.run(command, cwd=self._folder, env=self.environment, check=True, timeout=900)

    def start(self, command: list[str], log: Path, **more: str) -> "subprocess.Popen[bytes]":
        with log.open("wb") as file:
            environment = self.environment | more
            return subprocess.Popen(command, cwd=self._folder, env=environment, stdout=file, stderr=file)

    def _place(self, text: str) -> str:
        return text.replace("/home/demo", str(self.home))

    def _copy(self, rest: str) -> None:
        *sources, target = [word for word in rest.split() if not word.startswith("--")]
        for source in sources:
            for path in sorted(each for each in self._context.glob(source.rstrip("/")) if is_sent(self._context, each)):
                place = self._folder / target / ("" if path.is_dir() else path.name)
                if path.is_dir():
                    shutil.copytree(path, place, ignore=self._left_out, dirs_exist_ok=True)
                else:
                    shutil.copy(path, place)

    def _left_out(self, folder: str, names: list[str]) -> list[str]:
        return [name for name in names if not is_sent(self._context, Path(folder, name))]

    def _lend_packages(self) -> None:
        """Let the environment that was made see the tests' packages, so that nothing is downloaded again."""
        for site in self.home.glob("venv/lib/python*/site-packages"):
            (site / "tests.pth").write_text(sysconfig.get_paths()["purelib"])


def is_sent(context: Path, path: Path) -> bool:
    """Say whether .dockerignore lets a file or folder go to the builder; the last line that fits decides."""
    name, sent = path.relative_to(context).as_posix(), True
    for line in (context / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        lets, pattern = pattern.startswith("!"), pattern.removeprefix("!")
        parts = [name, *map(str, Path(name).parents)]
        if any(
            fnmatch.fnmatch(each, pattern) or fnmatch.fnmatch(f"/{each}", pattern.replace("**/", "*/"))
            for each in parts
        ):
            sent = lets
    return sent
