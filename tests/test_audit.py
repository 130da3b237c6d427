"""The check of dependencies for known vulnerabilities: it goes red for one, and says so where it could not ask."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import PROJECT

SAFE = {"name": "safe", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}
KNOWN = {"name": "old", "version": "0.9", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.0", "1.1"]}]}


@pytest.fixture
def audit() -> ModuleType:
    module = ModuleType("audit")
    exec(Path(PROJECT, ".ci", "audit.py").read_text(encoding="utf-8"), module.__dict__)
    return module


def reported(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> None:
    """Let pip-audit say this."""
    done = subprocess.CompletedProcess([sys.executable], 0, stdout, stderr)
    monkeypatch.setattr(subprocess, "run", lambda *_arguments, **_options: done)


@pytest.mark.parametrize(
    ("packages", "status", "said"),
    [
        ([SAFE, UNKNOWN], 0, "no known vulnerability in 1 of 2 packages"),
        ([SAFE, KNOWN], 1, "old 0.9: PYSEC-1, mended in 1.0, 1.1"),
        ([UNKNOWN, UNKNOWN], 0, "SKIPPED: the database knows none of the packages"),
    ],
    ids=["safe", "known", "unreachable"],
)
def test_a_known_vulnerability_is_red(
    packages: list[dict[str, Any]],
    status: int,
    said: str,
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reported(monkeypatch, json.dumps({"dependencies": packages}))
    assert audit.main() == status
    assert said in capsys.readouterr().out


def test_no_answer_is_a_skip_that_says_why(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reported(monkeypatch, "", "a traceback\nConnectionError: no route")
    assert audit.main() == 0
    assert "SKIPPED: known vulnerabilities were not looked up: ConnectionError: no route" in capsys.readouterr().out


def test_an_accepted_one_is_not_red(audit: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    audit.ACCEPTED["PYSEC-1"] = "not reached"
    reported(monkeypatch, json.dumps({"dependencies": [KNOWN]}))
    assert audit.main() == 0
