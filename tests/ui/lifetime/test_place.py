"""The place in which the page is to run: each that will not do is told in a sentence that says what to do."""

import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from demo.command.serve import check
from demo.entrance import Entrance
from demo.errors import DemoError, SettingWrong, StartError
from demo.models import weights
from demo.models.zoo import find_spec
from demo.settings import MEGABYTE, Settings
from demo.ui.lifetime import place
from demo.ui.lifetime.errors import (
    DiskMissing,
    DiskSmall,
    MemorySmall,
    NetworkMissing,
    PortForbidden,
    PortTaken,
    WeightsNoRoom,
    WeightsNotKept,
    WeightsUnusable,
)
from demo.ui.lifetime.place import Finding, look, one_sentence_for_ports
from demo.ui.server.upload_folder import reserve_bytes
from demo.words.language import CHINESE, ENGLISH
from tests.conftest import PROJECT
from tests.opened import OFFLINE, command, environment

Change = Callable[["Here"], object]


class Here(NamedTuple):
    """A place that will do, and what changes it."""

    patch: pytest.MonkeyPatch
    folder: Path

    def has_free(self, num_bytes: int) -> None:
        usage = shutil.disk_usage(self.folder)._replace(free=num_bytes)
        self.patch.setattr(shutil, "disk_usage", lambda _folder: usage)

    def is_forbidden(self, port: int) -> None:
        self.patch.setenv("GRADIO_SERVER_PORT", str(port))
        refuse_port(errno.EACCES)(self)

    def file_in_the_way(self, variable: str) -> None:
        (self.folder / "file").write_bytes(b"in the way")
        self.patch.setenv(variable, str(self.folder / "file" / "below"))

    def put_weights(self, content: bytes) -> None:
        self.patch.setenv("DEMO_WEIGHTS_DIR", str(self.folder))
        (self.folder / find_spec("alexnet").file_name).write_bytes(content)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    for name in [name for name in os.environ if name.startswith(("GRADIO_SERVER_", "GRADIO_NUM_", "SPACE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(place, "try_port", lambda _address, _port: None)
    monkeypatch.setattr(place, "free_memory_bytes", lambda: 8000 * MEGABYTE)
    return Here(monkeypatch, tmp_path)


def found(settings: Settings) -> list[DemoError]:
    return [each.error for each in look(settings, ENGLISH) if each.error is not None]


def refuse_port(number: int) -> Callable[[Here], object]:
    def refuse(_address: str, port: int) -> OSError | None:
        return OSError(number, os.strerror(number)) if port < 7862 else None

    return lambda here: here.patch.setattr(place, "try_port", refuse)


WRONG: dict[type[DemoError], tuple[dict[str, Any], Change, str]] = {
    PortTaken: ({}, refuse_port(errno.EADDRINUSE), "Port 7860 of 127.0.0.1 is taken, .* --port 7862 "),
    PortForbidden: (
        {"entrance": Entrance(is_lan=True)},
        lambda here: here.is_forbidden(80),
        r"Port 80 of 0\.0\.0\.0 may not be opened here \(Permission denied\)",
    ),
    SettingWrong: (
        {},
        lambda here: here.file_in_the_way("GRADIO_TEMP_DIR"),
        r"GRADIO_TEMP_DIR is '.*/file/below'; it must be a folder in which files can be made \(Not a directory\)",
    ),
    DiskMissing: ({}, lambda here: here.has_free(3 * MEGABYTE), "has 3 MB free, and one photograph may have 15 MB"),
    DiskSmall: ({}, lambda here: here.has_free(800 * MEGABYTE), "has 800 MB free: uploads share 600 MB"),
    MemorySmall: (
        {},
        lambda here: here.patch.setattr(place, "free_memory_bytes", lambda: 700 * MEGABYTE),
        r"0\.7 GB of memory are free; EfficientNet-Lite0 and a class of 40 need 1\.\d GB",
    ),
    NetworkMissing: (
        {},
        lambda here: here.patch.setattr(weights, "_path_in_wheel", lambda _file: here.folder / "absent"),
        r"No network can be loaded \(The weights of EfficientNet-Lite0 could not be had",
    ),
    WeightsUnusable: (
        {"backbone": "alexnet"},
        lambda here: here.put_weights(b"half of it"),
        r"alexnet-.*\.pth cannot be read, or is not what the authors of AlexNet have published",
    ),
    WeightsNotKept: (
        {},
        lambda here: here.file_in_the_way("TORCH_HOME"),
        r"kept in .*/file/below/hub/checkpoints \(Not a directory\)",
    ),
    WeightsNoRoom: (
        {"backbone": "alexnet"},
        lambda here: here.has_free(200 * MEGABYTE),
        "has 200 MB free, and the weights of AlexNet take 233 MB",
    ),
}


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_each_wrong_place_is_told_in_a_sentence(kind: type[DemoError], here: Here, settings: Settings) -> None:
    options, change, sentence = WRONG[kind]
    change(here)
    told = [each for each in found(replace(settings, **options)) if isinstance(each, kind)]
    assert len(told) == 1
    with pytest.raises(kind, match=sentence):
        raise told[0]
    line = Finding(error=told[0]).tell(CHINESE)
    assert line.startswith("有误" if isinstance(told[0], StartError) else "受限")


def test_a_place_that_will_do_has_a_line_for_each_thing(here: Here, settings: Settings) -> None:
    for words in (ENGLISH, CHINESE):
        lines = [each.tell(words) for each in look(settings, words)]
        assert len(lines) == len(set(lines)) == 8
        assert all(line.startswith(f"{words.start.well}: ") for line in lines), lines
    assert [each.name for each in here.folder.iterdir()] == [], "to look leaves nothing"


def test_what_a_system_does_not_tell_is_said_to_be_unknown(here: Here, settings: Settings) -> None:
    def refuse(_folder: Path) -> Any:
        raise OSError(errno.ENOSYS, "not here")

    here.patch.setattr(place, "free_memory_bytes", lambda: None)
    here.patch.setattr(shutil, "disk_usage", refuse)
    assert found(settings) == []
    assert sum("not known" in each.said for each in look(settings, ENGLISH)) == 2


def test_more_ports_are_tried_where_they_are_asked_for(here: Here, settings: Settings) -> None:
    refuse_port(errno.EADDRINUSE)(here)
    here.patch.setenv("GRADIO_NUM_PORTS", "2")
    with pytest.raises(PortTaken, match="Port 7860-7861 of"), one_sentence_for_ports(settings.entrance):
        raise OSError("Cannot find empty port in range: 7860-7861")
    here.patch.setenv("GRADIO_NUM_PORTS", "3")
    assert "Port 7862 of" in "".join(each.said for each in look(settings, ENGLISH))


def test_of_a_small_disk_a_part_is_kept_free_and_the_rest_is_for_uploads(here: Here) -> None:
    kept = []
    for free in (100, 900, 4000, 80_000):
        here.has_free(free * MEGABYTE)
        kept.append(reserve_bytes(here.folder) / MEGABYTE)
    assert kept == [25, 225, 1000, 1000]


def test_a_wrong_setting_is_a_line_of_the_check(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    here.patch.setenv("DEMO_PRECISION", "int8")
    here.patch.setattr("demo.ui.door.announcement.find_words", lambda: ENGLISH)
    assert check() == 2
    assert capsys.readouterr().out == "wrong: DEMO_PRECISION is 'int8'; it must be float32 or bfloat16.\n"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
def test_the_check_opens_no_page_and_a_start_says_the_same(taken: int, tmp_path: Path) -> None:
    def start(*words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        variables = environment(tmp_path, **OFFLINE, **more)
        return subprocess.run(words, cwd=PROJECT, env=variables, capture_output=True, text=True, timeout=180)

    checked = start(*command("--check", "--port", str(taken)))
    assert checked.returncode == 2
    lines = checked.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["ok", "wrong", *["ok"] * 6]
    assert f"Port {taken} of 127.0.0.1 is taken" in lines[1]
    begun = start(sys.executable, "app.py", GRADIO_SERVER_PORT=str(taken))
    assert (begun.returncode, begun.stdout) == (2, "")
    assert begun.stderr == lines[1].removeprefix("wrong: ") + "\n"
    well = start(sys.executable, "app.py", "--check", GRADIO_SERVER_PORT=str(taken), GRADIO_NUM_PORTS="100")
    assert (well.returncode, well.stdout.count("ok: ")) == (0, 8)


def test_a_taken_port_is_told_before_anything_slow_is_imported(taken: int, tmp_path: Path) -> None:
    program = "import sys\nfrom demo.command.line import main\ntry: main(['serve'])\nfinally: print(*sys.modules)"
    variables = environment(tmp_path, GRADIO_SERVER_PORT=str(taken))
    words = [sys.executable, "-c", program]
    run = subprocess.run(words, cwd=PROJECT, env=variables, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert f"Port {taken} of 127.0.0.1 is taken" in run.stderr
    assert not {"torch", "gradio", "numpy", "PIL"} & set(run.stdout.split())
