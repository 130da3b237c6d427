"""torch is there once something is asked of it, and not before; whoever asks meanwhile waits for all of it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from demo.models.late import functional, import_torch, nn
from demo.models.late import torch as late_torch
from demo.models.weights import cache_folder
from tests.conftest import PROJECT

# Many threads ask for torch at once, in a process that has none.
TOGETHER = """
import faulthandler, sys
faulthandler.dump_traceback_later(240, exit=True)
from concurrent.futures import ThreadPoolExecutor
from demo.models.late import functional, import_torch, nn, torch
from demo.models.zoo import ZOO, find_spec
assert "torch" not in sys.modules and "torchvision" not in sys.modules
asked = [lambda: nn.Linear(2, 1), lambda: functional.relu(torch.ones(2)), import_torch, lambda: torch.Generator()]
with ThreadPoolExecutor(12) as pool:
    for done in [pool.submit(each) for each in 3 * asked]:
        done.result()
"""


def test_it_is_what_torch_is() -> None:
    import_torch()
    assert (nn.Module, functional.relu, late_torch.float32) == (
        torch.nn.Module,
        torch.nn.functional.relu,
        torch.float32,
    )


def test_threads_that_ask_at_once_get_all_of_it() -> None:
    run = subprocess.run([sys.executable, "-c", TOGETHER], cwd=PROJECT, capture_output=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr.decode()


@pytest.mark.parametrize(("home", "cache"), [(None, None), ("~/t", "/x"), (None, "/x"), (None, "x"), ("", "")])
def test_weights_are_kept_where_torch_keeps_them(
    home: str | None, cache: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is found without torch, whose import takes seconds."""
    for name, value in (("TORCH_HOME", home), ("XDG_CACHE_HOME", cache)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert cache_folder() == Path(torch.hub.get_dir(), "checkpoints")
