"""gradio's client for JavaScript, where it is there: it is in no Python package."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["javascript", "run_javascript"]


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node finds the client: DEMO_JS_CLIENT names where `npm install @gradio/client` was called."""
    installed = Path(os.environ.get("DEMO_JS_CLIENT", ""), "node_modules")
    if shutil.which("node") is None or not (installed / "@gradio" / "client").is_dir():
        pytest.skip("no node, or no @gradio/client in the folder that DEMO_JS_CLIENT names")
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "node_modules").symlink_to(installed.resolve())
    return folder


def run_javascript(javascript: Path, program: str, folder: Path) -> str:
    """Return what a program prints that runs in a folder."""
    path = javascript / "program.mjs"
    path.write_text(program, encoding="utf-8")
    ended = subprocess.run(["node", path], cwd=folder, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
