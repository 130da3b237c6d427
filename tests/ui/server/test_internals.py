"""gradio's private names: all there today, and missed aloud where one is not."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import gradio
import gradio as gr
import gradio.queueing
import pytest
from gradio.queueing import Queue
from gradio.state_holder import SessionState

from demo.ui.server import internals
from demo.ui.server.errors import GradioDiffers
from demo.ui.server.internals import TRIED, check_internals, print_internals
from tests.conftest import PROJECT
from tests.opened import free_port
from tests.served import Server
from tests.visitor import Refused, Visit

PRIVATE = re.compile(r"^\s*(from|import) (gradio|gradio_client)\b(?! as gr$)|(page|blocks|event|parser)\._\w+")


@pytest.fixture(autouse=True)
def look_again() -> Iterator[None]:
    internals._members.cache_clear()
    yield
    internals._members.cache_clear()


def start_without(name: str) -> subprocess.CompletedProcess[str]:
    """Start the page with a gradio that lacks a name."""
    program = f"import runpy, gradio; del gradio.{name}; runpy.run_path('app.py', run_name='__main__')"
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(free_port())}
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120)


def test_the_installed_gradio_has_every_name(capsys: pytest.CaptureFixture[str]) -> None:
    check_internals()
    assert print_internals() == 0
    printed = capsys.readouterr().out
    assert "gradio.queueing:Queue.active_jobs: turns between visitors" in printed
    assert "MISSING" not in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("queueing.Queue.get_events", "gradio.queueing:Queue.get_events (it buys turns between visitors"),
        ("route_utils.GradioMultiPartParser", "gradio.route_utils:GradioMultiPartParser.parse (it buys uploads"),
    ],
)
def test_a_missing_name_ends_the_start_with_one_sentence(name: str, told: str) -> None:
    run = start_without(name)
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"gradio {TRIED} lacks {told}")
    assert line.endswith(f"; use {TRIED}.")


def test_an_attribute_that_no_method_sets_any_more_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queue, "__init__", lambda _self: None)
    with pytest.raises(GradioDiffers, match=r"lacks gradio\.queueing:Queue\.event_queue_per_concurrency_id"):
        check_internals()


def test_a_new_method_where_visitors_are_kept_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(SessionState, "_keep_more", lambda _self: None, raising=False)
    with pytest.raises(GradioDiffers, match=r"has gradio\.state_holder:SessionState\._keep_more"):
        check_internals()
    assert print_internals() == 1
    assert "NEW      gradio.state_holder:SessionState._keep_more" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_ends_with_1_where_a_name_is_missing() -> None:
    program = (
        "import runpy, gradio.routes; del gradio.state_holder.SessionState; del gradio.utils.get_upload_folder;"
        "runpy.run_module('demo.ui.server.internals', run_name='__main__')"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 1, run.stderr
    missing = [line for line in run.stdout.splitlines() if line.startswith("MISSING")]
    assert "MISSING  gradio.utils:get_upload_folder: one folder for all files, which is swept" in missing
    assert all("SessionState" in line or "get_upload_folder" in line for line in missing)


def test_what_an_error_inside_gradio_says_stays_out_of_the_log(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_values: object) -> None:
        raise ValueError("secret.png")

    visitor = visit()
    monkeypatch.setattr(gr.HTML, "postprocess", fail)
    with caplog.at_level(logging.ERROR), pytest.raises(Refused):
        visitor.refresh()
    printed = "".join(capfd.readouterr())
    assert re.search(r"unexpected \w+Error in gradio\n.*in postprocess_data", caplog.text, re.DOTALL)
    assert "secret" not in caplog.text + printed


def test_the_rest_of_traceback_is_as_it_was(server: Server) -> None:
    assert server.page._queue is not None
    quiet = gradio.queueing.traceback
    assert "secret" in "".join(quiet.format_exception_only(ValueError("secret")))


def test_no_other_file_imports_gradios_insides() -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {line}"
        for path in (PROJECT / "demo").rglob("*.py")
        if path.name != "internals.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if PRIVATE.search(line)
    ]
    assert found == []
