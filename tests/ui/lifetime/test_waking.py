"""The page answers before torch is there, says so where an answer should stand, and gives it by itself."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.words.language import ENGLISH
from tests.conftest import PROJECT
from tests.opened import environment, opened
from tests.visitor import Visitor

# A page in a process in which torch cannot be imported: where it is asked for, an error says by whom.
WITHOUT_TORCH = """
import sys
from importlib.machinery import PathFinder

LATE = {"torch", "torchvision", "timm", "sklearn"}

class Wall:
    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path) if name in LATE else None
        if spec:
            spec.loader = self
        return spec

    def create_module(self, spec):
        raise AssertionError(f"{spec.name} is imported")

    exec_module = None

sys.meta_path.insert(0, Wall())

import httpx
from demo.command.serve import prepare
from demo.ui.lifetime import upkeep
upkeep._warm_up = lambda *_: None
page, open_page = prepare()
url = open_page(wait=False, quiet=True).rstrip("/")
document = httpx.get(url)
assert document.status_code == 200 and "gradio_config" in document.text

from demo.words.language import ENGLISH
from tests.visitor import Visitor
visitor = Visitor(url, waits=False)
waking = ENGLISH.photo.waking
assert waking in visitor.attached.opened.refreshed.shown.answer
assert waking in visitor.call("choose_example", "", of="example-cat")[2]
assert waking not in visitor.call("choose_photo", None)[2], "there is nothing to answer"
assert not LATE & {each.partition(".")[0] for each in sys.modules if sys.modules[each]}
from demo.ui.lifetime.leaving import leave
leave(0)
"""

# What stands in the place of torch cannot be imported.
BROKEN = "raise OSError('libtorch_cpu.so: cannot open shared object file')"


def run(program: str, uploads: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *program.split("\0")]
    environ = environment(uploads, **variables)
    return subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, timeout=280, check=False)


def test_the_page_answers_without_torch(tmp_path: Path) -> None:
    done = run(f"-c\0{WITHOUT_TORCH}", tmp_path / "uploads")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_who_comes_before_the_network_is_answered_once_it_is_there(tmp_path: Path) -> None:
    with opened(tmp_path / "uploads") as page:
        early = Visitor(page.url, waits=False)
        before = early.attached.opened.refreshed.shown.answer
        assert ENGLISH.photo.waking in before or "espresso" in before  # a fast machine may have it
        early.call("choose_example", "", of="example-cat")
        early.call("await_network")
        assert "tabby" in early.refresh().shown.answer


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process that is sent a signal")
def test_a_page_that_still_imports_ends_in_order(tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    with opened(uploads) as page:
        page.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert page.process.wait(60) == 0
        assert time.monotonic() - began < 20
    assert list(uploads.glob("demo-*")) == []


@pytest.mark.slow
def test_a_torch_that_cannot_be_imported_ends_the_page(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(BROKEN, encoding="utf-8")
    done = run("app.py", tmp_path / "uploads", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "torch cannot be imported" in done.stderr
    assert "libtorch_cpu.so" in done.stderr
