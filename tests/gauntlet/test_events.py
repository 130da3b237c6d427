"""Whatever is sent as an event, the answer is a sentence, and the log stays quiet."""

import logging
from collections.abc import Iterator

import pytest

from tests.benchmarks.abuse import watched_app
from tests.gauntlet.events import Outcome, probe
from tests.served import Server

# What Pillow and gradio only warn of, a server goes on with.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if anything is logged that is a warning or worse."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.records] == []


def check(outcome: Outcome, count: int) -> None:
    assert outcome.faults == [], "\n".join(outcome.faults[:5])
    assert sum(outcome.counts.values()) == count
    assert outcome.counts["refused at the door"] > count / 10
    assert outcome.counts["refused with a sentence"] > count / 10


@pytest.mark.usefixtures("quiet_log")
def test_wrong_values_end_with_a_sentence(server: Server) -> None:
    check(probe(server.url, 150, only_told=True, patience_s=2.0), 150)


@pytest.mark.slow
def test_wrong_values_of_all_functions_end_with_a_sentence() -> None:
    with watched_app() as app:  # what some of them begin would outlive a test of this process
        check(probe(app.url, 450, patience_s=2.0), 450)
        assert app.log.read_text(encoding="utf-8").count("unexpected") == 0
