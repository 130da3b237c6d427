"""The HTML of what happens to two customers on one network: a section for each kind of event."""

import html
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from demo.tasks.customers import Fingerprints, Outcome
from demo.ui.parts.markup import draw_picture, draw_table, draw_wide
from demo.visitors.customers import Asked, Brought, Departure, Event, Held
from demo.words.language import Words

_SHOWN_DIGITS = 12  # of a fingerprint, in hexadecimal


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
    return f"<section><h3>{title}</h3>{explained}{content}</section>"


def _draw_brought(words: Words, all_brought: Sequence[Brought]) -> str:
    ours, cards = words.finetune.customers, ""
    for name, each in zip(ours.names, all_brought, strict=False):  # A comes alone at first
        sentence = ours.brought.format(
            pictures=words.finetune.gather.starters[each.starter], count=len(each.digests), classes=len(each.thumbnails)
        )
        pictures = "".join(draw_picture(thumbnail, "") for thumbnail in each.thumbnails)
        cards += f'<div class="thumbnails"><b>{name}</b><span>{sentence}</span>{pictures}</div>'
    return _draw_section(ours.arrivals, "", f'<div class="columns">{cards}</div>')


def _draw_outcomes(words: Words, outcomes: Sequence[Outcome]) -> str:
    ours = words.finetune.customers
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
    rows = [(fact, *values) for fact, *values in zip(ours.head_facts, *facts, strict=True)]
    table = draw_table(["", *ours.names[: len(outcomes)]], rows, css_class="history")
    return _draw_section(ours.heads, ours.heads_help, table)


def _draw_asked(words: Words, all_asked: Sequence[Asked]) -> str:
    ours = words.finetune.customers
    header = [ours.asked_picture, ours.asked_truth, *(ours.says.format(customer=name) for name in ours.names)]
    head = "".join(f"<th>{each}</th>" for each in header)
    rows = "".join(f"<tr>{_draw_answers(words, each)}</tr>" for each in all_asked)
    table = f'<table class="history asked"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return _draw_section(ours.asked, ours.asked_help, draw_wide(table, ours.asked))


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
            head[:_SHOWN_DIGITS] if head else (ours.head_gone if former else ours.no_head)
            for head, former in zip(each.heads, had, strict=True)
        ]
        rows.append((moment, each.network[:_SHOWN_DIGITS], *heads))
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
    rows = [(ours.checks[name], ours.yes if is_so else ours.no) for name, is_so in asdict(departure).items()]
    table = draw_table([ours.checked, ours.finding], rows, css_class="history")
    return _draw_section(ours.departure, ours.departure_help, table)
