"""Do near-copies on both sides of the split flatter the result? The same heads, judged both ways."""

import html
from collections.abc import AsyncIterator
from typing import Any

from demo.tasks.copies import NUM_DEALS, CopiesResult, Deals, measure_copies
from demo.ui.finetune.steps import Controls
from demo.ui.finetune.trials.lab import Trial, show, start, watch
from demo.ui.handlers import Cost, costs
from demo.ui.parts.markup import draw_table
from demo.visitors.jobs import JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words


@costs(Cost.LIGHT)
def start_copies(rooms: Rooms, ref: Ref) -> None:
    """Begin to compare the two ways to split."""
    start(rooms, ref, JobKind.COPIES, measure_copies)


@costs(Cost.LIGHT)
async def watch_copies(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Trial, Controls]]:
    """Show how the comparison goes until it ends."""
    async for each in watch(rooms, ref, JobKind.COPIES, draw_copies):
        yield each


def show_copies(rooms: Rooms, session: Session) -> Trial:
    """Return what is shown of the session's comparison."""
    return show(rooms, session, JobKind.COPIES, draw_copies)


def draw_copies(words: Words, points: list[Any]) -> str:
    """Return both numbers side by side, and what they say."""
    ours, result = words.finetune.copies, points[-1]
    rows = [_row(name, deals) for name, deals in ((ours.by_chance, result.by_chance), (ours.together, result.together))]
    columns = [each.format(deals=NUM_DEALS) for each in ours.columns]
    return f"<p>{html.escape(_judge(words, result))}</p>{draw_table(columns, rows, css_class='counts')}"


def _row(name: str, deals: Deals) -> tuple[str, str, str]:
    lowest, highest = 100 * min(deals.shares), 100 * max(deals.shares)
    return name, f"{100 * deals.mean:.1f}%", f"{lowest:.1f}–{highest:.1f}%"


def _judge(words: Words, result: CopiesResult) -> str:
    """Say from the numbers what happened here."""
    ours = words.finetune.copies
    if not result.num_copies:
        return ours.nothing.format(count=result.num_pictures)
    sentence = ours.leaking if result.is_leaking else ours.unclear
    return sentence.format(
        copies=result.num_copies,
        count=result.num_pictures,
        groups=result.num_groups,
        by_chance=100 * result.by_chance.mean,
        together=100 * result.together.mean,
    )
