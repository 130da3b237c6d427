"""What the page shows of two customers: step by step, and what came of it as tables."""

from dataclasses import replace
from typing import Any

import pytest

from demo.data.starters import STARTERS
from demo.models.errors import WeightsDamaged
from demo.tasks.customers import Answer, Fingerprints, Outcome
from demo.ui.finetune.customers import CustomersPanel, let_customers_in
from demo.ui.finetune.customers_markup import draw_events
from demo.visitors import customers
from demo.visitors.customers import (
    Asked,
    Asking,
    Bringing,
    Brought,
    Customer,
    Departure,
    Event,
    Held,
    Leaving,
    Training,
)
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH, Words
from tests.served import Server
from tests.visitor import Markup, Refused, Visit, is_left

CLEAN = Departure(True, True, True, True, True)
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.language)


@pytest.fixture
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "_PICTURES_PER_CLASS", 2)


def kept_by(session: Session) -> list[Any]:
    """Return what a visitor would notice of their session if it were another."""
    photo, pictures, jobs = session.photos.number, session.pictures.collection, dict(session.jobs)
    return [session.ref, session.state, photo, pictures, session.trained, jobs]


def sessions_of(server: Server) -> set[str]:
    """Return the tokens of all sessions; where there are many, those of other tests make room for new ones."""
    return set(server.rooms.sessions._sessions)


def rows(words: Words, story: str, title: str) -> list[list[str]]:
    """Return the texts of the rows of one section's table, the header first."""
    heading = f"<h3>{getattr(words.finetune.customers, title)}</h3>"
    (section,) = [each for each in story.split("<section>") if heading in each]
    return [Markup(row).texts for row in section.split("<tr>")[1:]]


@pytest.mark.usefixtures("few_pictures")
@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.slow)])
def test_the_page_tells_all_and_leaves_the_visitors_own_session_alone(
    visit: Visit, server: Server, language: str
) -> None:
    words, other = (ENGLISH, CHINESE) if language == "en" else (CHINESE, ENGLISH)
    visitor = visit(language=language)
    own = server.rooms.sessions.attach(visitor.token)
    before, sessions = kept_by(own), sessions_of(server)
    panel = CustomersPanel(*visitor.call("let_customers_in"))
    assert kept_by(own) == before
    assert sessions_of(server) <= sessions
    ours = words.finetune.customers
    assert panel.start["interactive"]
    assert Markup(panel.status).texts == [ours.done]
    assert rows(words, panel.story, "departure")[1:] == [[check, ours.yes] for check in ours.checks.values()]
    assert [row[1:] for row in rows(words, panel.story, "held")[1:]] == [["20", "0"], ["0", "12"]]
    header, *facts = rows(words, panel.story, "heads")
    assert header == list(ours.names)
    assert facts[0][2].split(words.list_separator) == [
        words.finetune.gather.starter_classes[name] for name in STARTERS["signs"].class_names
    ]
    theirs = other.finetune.gather.starter_classes
    assert not any(theirs[name] in panel.story for name in STARTERS["signs"].class_names)


@LANGUAGES
def test_each_moment_has_its_fingerprints(words: Words) -> None:
    network, a, b = "0123456789abcdef", "a" * 16, "b" * 16
    taken = [Fingerprints(network, heads) for heads in ((None, None), (a, None), (a, b), (None, b))]
    ours, shown = words.finetune.customers, network[:12]
    assert rows(words, draw_events(words, taken), "fingerprints")[1:] == [
        [ours.moments[0], shown, ours.no_head, ours.no_head],
        [ours.moments[1], shown, a[:12], ours.no_head],
        [ours.moments[2], shown, a[:12], b[:12]],
        [ours.moments[3], shown, ours.head_gone, b[:12]],
    ]


@LANGUAGES
def test_what_each_got_stands_side_by_side(words: Words) -> None:
    outcomes = [Outcome(("0", "1"), 24, 5, 6, 2562, 3_371_024), Outcome(("stop", "go"), 12, 2, 3, 1281, 3_371_024)]
    header, *facts = rows(words, draw_events(words, outcomes), "heads")
    assert header == list(words.finetune.customers.names)
    assert [row[0] for row in facts] == list(words.finetune.customers.head_facts)
    assert [row[1:] for row in facts] == [
        [words.list_separator.join("01"), words.list_separator.join(("stop", "go"))],
        ["24", "12"],
        ["5/6", "2/3"],
        ["3,371,024", "3,371,024"],
        ["2,562", "1,281"],
        ["0.076%", "0.038%"],
    ]


@LANGUAGES
def test_the_answers_of_both_stand_beside_the_truth(words: Words) -> None:
    digit, sign = Answer(("3", "8"), (0.25, 0.75)), Answer(("stop", "go"), (0.9, 0.1))
    drawn = draw_events(words, [Asked("8", b"", (digit, sign)), Asked("go", b"", (digit, sign))])
    answer = words.finetune.customers.answer
    said = [answer.format(name="8", percent=75), answer.format(name="stop", percent=90)]
    assert rows(words, drawn, "asked")[1:] == [["8", *said], ["go", *said]]
    assert drawn.count("<td><b>") == 1  # the one right answer
    assert f"<td><b>{said[0]}</b></td>" in drawn


@LANGUAGES
def test_what_is_held_and_brought_is_counted_for_each(words: Words) -> None:
    events: list[Event] = [Brought("digits", frozenset("abc"), (b"", b"")), Held(((3, 0), (0, 4)))]
    drawn, ours = draw_events(words, events), words.finetune.customers
    name = words.finetune.gather.starters["digits"]
    assert ours.brought.format(pictures=name, count=3, classes=2) in Markup(drawn).texts
    names = ours.names
    assert rows(words, drawn, "held")[1:] == [[names[0], "3", "0"], [names[1], "0", "4"]]


@pytest.mark.usefixtures("few_pictures")
@pytest.mark.parametrize(
    "error", [WeightsDamaged(backbone="EfficientNet", file="a.pth"), ValueError("secret")], ids=type
)
def test_an_error_in_the_middle_is_told_and_ends_both_sessions(
    visit: Visit, server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(customers, "take_fingerprints", fail)
    visitor = visit()
    before = sessions_of(server)
    with pytest.raises(Refused) as refused:
        visitor.call("let_customers_in")
    assert str(refused.value) == ENGLISH.explain(error)
    assert sessions_of(server) <= before


@pytest.mark.usefixtures("held_line", "few_pictures")
@LANGUAGES
def test_a_page_that_closes_in_the_middle_ends_both_sessions(
    server: Server, monkeypatch: pytest.MonkeyPatch, words: Words
) -> None:
    monkeypatch.setattr(customers, "_WATCH_EVERY_S", 0.01)
    before = sessions_of(server)
    story = let_customers_in(replace(server.rooms, words=words))
    statuses = (Markup(panel.status).texts for panel in story)
    training = words.finetune.customers.training.format(customer=words.finetune.customers.names[0])
    waiting = f"{training} {words.finetune.training.waiting.format(count=1, seconds='|').partition('|')[0]}"
    assert any(len(texts) == 1 and texts[0].startswith(waiting) for texts in statuses)
    assert len(sessions_of(server) - before) == 2
    statuses.close()
    story.close()
    assert sessions_of(server) <= before


@LANGUAGES
def test_each_step_has_its_sentence(server: Server, monkeypatch: pytest.MonkeyPatch, words: Words) -> None:
    a, b = Customer
    steps = [Bringing(b, "signs"), Training(a), Asking(), Leaving(a)]
    monkeypatch.setattr("demo.ui.finetune.customers.tell", lambda _: (each for each in steps))
    *panels, _ = let_customers_in(replace(server.rooms, words=words))
    ours, signs = words.finetune.customers, words.finetune.gather.starters["signs"]
    assert [Markup(panel.status).texts for panel in panels] == [
        [ours.bringing.format(customer=ours.names[1], pictures=signs)],
        [ours.training.format(customer=ours.names[0])],
        [ours.asking],
        [ours.leaving.format(customer=ours.names[0])],
    ]


def test_a_check_that_fails_is_not_hidden(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    crossed = replace(CLEAN, head_unchanged=False)
    monkeypatch.setattr("demo.ui.finetune.customers.tell", lambda _: (each for each in [crossed]))
    *_, panel = let_customers_in(server.rooms)
    words = ENGLISH.finetune.customers
    assert Markup(panel.status).texts == [words.crossed]
    assert "failed" in panel.status
    findings = dict(rows(ENGLISH, panel.story, "departure")[1:])
    assert findings.pop(words.checks["head_unchanged"]) == words.no
    assert list(findings.values()) == [words.yes] * 4


def test_names_are_shown_as_text() -> None:
    answer = Answer(("<b>x</b>", "y"), (0.9, 0.1))
    drawn = draw_events(ENGLISH, [Asked("<i>truth</i>", b"", (answer, answer))])
    assert "i" not in Markup(drawn).elements
    assert "<i>truth</i>" in Markup(drawn).texts
    assert "<b>x</b> (90%)" in Markup(drawn).texts


def test_while_it_waits_its_button_cannot_be_pressed(visit: Visit) -> None:
    visitor = visit()
    panel = CustomersPanel(*visitor.call("open_door"))
    assert (panel.start["interactive"], panel.story) == (False, "")
    assert Markup(panel.status).texts == [ENGLISH.finetune.customers.opening]
    panel = CustomersPanel(*visitor.call("close_door"))
    assert (panel.start["interactive"], panel.status) == (True, "")
    assert is_left(panel.story)  # what was told before the error
