"""What happens to two customers on one network, as plain values, and how the page shows it."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from demo.tasks.customers import SHOWN_DIGITS, Answer
from demo.ui.parts.markup import draw_picture, draw_table
from demo.words.language import Words


@dataclass(frozen=True)
class Brought:
    """One customer's pictures by their digests, and a small one of each class."""

    starter: str
    digests: frozenset[str]
    thumbnails: tuple[bytes, ...]


@dataclass(frozen=True)
class Outcome:
    """The head that one customer got: its classes, what it gets right of the validation pictures, and its size."""

    class_names: tuple[str, ...]
    num_pictures: int
    correct: int
    count: int
    num_own: int
    num_shared: int


@dataclass(frozen=True)
class Fingerprints:
    """Of the shared network, and of each customer's head or None, at one moment."""

    network: str
    heads: tuple[str | None, ...]


@dataclass(frozen=True)
class Asked:
    """One picture, what it shows, and what each customer's head says."""

    truth: str
    thumbnail: bytes
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Held:
    """How many pictures of each customer (columns) each customer's session (rows) has anything of."""

    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Departure:
    """What was found after A had left, in the order of the words' `checks`."""

    findings: tuple[bool, ...]


Event = Brought | Outcome | Fingerprints | Asked | Held | Departure


def draw_events(words: Words, events: Sequence[Event]) -> str:
    """Return what has happened so far as HTML, a section for each kind of event."""
    sections: list[tuple[type[Event], Callable[[Words, Any], str]]] = [
        (Brought, _draw_brought),
        (Outcome, _draw_outcomes),
        (Asked, _draw_asked),
        (Fingerprints, _draw_fingerprints),
        (Held, _draw_held),
        (Departure, _draw_departure),
    ]
    found = [(draw, [each for each in events if isinstance(each, kind)]) for kind, draw in sections]
    return "".join(draw(words, chosen) for draw, chosen in found if chosen)


def _draw_section(title: str, hint: str, content: str) -> str:
    explained = f'<p class="hint">{hint}</p>' if hint else ""
    return f"<section><h4>{title}</h4>{explained}{content}</section>"


def _draw_brought(words: Words, all_brought: Sequence[Brought]) -> str:
    cards = ""
    for name, each in zip(words.finetune.customers.names, all_brought, strict=False):
        sentence = words.finetune.customers.brought.format(
            pictures=words.finetune.gather.starters[each.starter], count=len(each.digests), classes=len(each.thumbnails)
        )
        pictures = "".join(draw_picture(thumbnail, "") for thumbnail in each.thumbnails)
        cards += f'<div class="thumbnails"><b>{name}</b><span>{sentence}</span>{pictures}</div>'
    return _draw_section(words.finetune.customers.arrivals, "", f'<div class="columns">{cards}</div>')


def _draw_outcomes(words: Words, outcomes: Sequence[Outcome]) -> str:
    facts = [
        (
            words.list_separator.join(each.class_names),
            each.num_pictures,
            f"{each.correct}/{each.count}",
            f"{each.num_shared:,}",
            f"{each.num_own:,}",
            f"{100 * each.num_own / each.num_shared:.2g}%",
        )
        for each in outcomes
    ]
    rows = [(fact, *values) for fact, *values in zip(words.finetune.customers.head_facts, *facts, strict=True)]
    header = ["", *words.finetune.customers.names[: len(outcomes)]]
    table = draw_table(header, rows, css_class="history")
    return _draw_section(words.finetune.customers.heads, words.finetune.customers.heads_help, table)


def _draw_asked(words: Words, all_asked: Sequence[Asked]) -> str:
    ours = words.finetune.customers
    header = [ours.asked_picture, ours.asked_truth, *(ours.says.format(customer=name) for name in ours.names)]
    head = "".join(f"<th>{each}</th>" for each in header)
    rows = "".join(f"<tr>{_draw_answers(words, each)}</tr>" for each in all_asked)
    table = f'<table class="history asked"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return _draw_section(ours.asked, ours.asked_help, f'<div class="wide">{table}</div>')


def _draw_answers(words: Words, asked: Asked) -> str:
    """Return the cells of one picture; the right answer is set in bold."""
    cells = f"<td>{draw_picture(asked.thumbnail, asked.truth)}</td><td>{html.escape(asked.truth)}</td>"
    for each in asked.answers:
        said = html.escape(words.finetune.customers.answer.format(name=each.class_name, percent=100 * each.probability))
        cells += f"<td><b>{said}</b></td>" if each.class_name == asked.truth else f"<td>{said}</td>"
    return cells


def _draw_fingerprints(words: Words, taken: Sequence[Fingerprints]) -> str:
    ours, rows = words.finetune.customers, []
    for number, (moment, each) in enumerate(zip(ours.moments, taken, strict=False)):
        had = taken[number - 1].heads if number else each.heads
        heads = [
            head[:SHOWN_DIGITS] if head else (ours.head_gone if former else ours.no_head)
            for head, former in zip(each.heads, had, strict=True)
        ]
        rows.append((moment, each.network[:SHOWN_DIGITS], *heads))
    header = [ours.moment, ours.shared_network, *(ours.head_of.format(customer=name) for name in ours.names)]
    return _draw_section(
        ours.fingerprints, ours.fingerprints_help, draw_table(header, rows, css_class="history fingerprints")
    )


def _draw_held(words: Words, all_held: Sequence[Held]) -> str:
    ours, (held,) = words.finetune.customers, all_held
    header = [ours.session_of, *(ours.pictures_of.format(customer=name) for name in ours.names)]
    rows = [(name, *counts) for name, counts in zip(ours.names, held.counts, strict=True)]
    return _draw_section(ours.held, ours.held_help, draw_table(header, rows, css_class="history"))


def _draw_departure(words: Words, departures: Sequence[Departure]) -> str:
    ours, (departure,) = words.finetune.customers, departures
    rows = [
        (check, ours.yes if finding else ours.no)
        for check, finding in zip(ours.checks, departure.findings, strict=True)
    ]
    table = draw_table([ours.checked, ours.finding], rows, css_class="history")
    return _draw_section(ours.departure, ours.departure_help, table)
