"""The homework: heads with zero to three hidden layers side by side, with right labels and with shuffled ones."""

import html
from collections.abc import AsyncIterator, Sequence
from typing import Any

from demo.tasks.evaluate import Accuracy
from demo.tasks.layers import LayersPoint, judge_layers, measure_layers
from demo.ui.finetune.steps import Controls
from demo.ui.finetune.trials.lab import Trial, show, start, watch
from demo.ui.handlers import Cost, costs
from demo.ui.parts.markup import draw_table
from demo.visitors.jobs import JobKind
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words
from demo.words.trials import LayersWords


@costs(Cost.LIGHT)
def start_layers(rooms: Rooms, ref: Ref) -> None:
    """Begin to train all these heads."""
    start(rooms, ref, JobKind.LAYERS, measure_layers)


@costs(Cost.LIGHT)
async def watch_layers(rooms: Rooms, ref: Ref) -> AsyncIterator[tuple[Trial, Controls]]:
    """Show head after head until all are trained."""
    async for each in watch(rooms, ref, JobKind.LAYERS, draw_layers):
        yield each


def show_layers(rooms: Rooms, session: Session) -> Trial:
    """Return what is shown of the session's heads."""
    return show(rooms, session, JobKind.LAYERS, draw_layers)


def draw_layers(words: Words, points: list[Any]) -> str:
    """Return the heads as a table, and what their numbers say as soon as they are there."""
    ours = words.finetune.layers
    rows = [
        (
            each.hidden_layers,
            ours.labels[each.is_shuffled],
            *(_describe(accuracy) for accuracy in (each.train, each.val)),
            f"{each.num_parameters:,}",
        )
        for each in points
    ]
    sentences = "".join(f"<p>{html.escape(each)}</p>" for each in _judge(ours, points))
    return f"{sentences}{draw_table(ours.columns, rows, css_class='counts')}"


def _describe(accuracy: Accuracy) -> str:
    return f"{accuracy.correct}/{accuracy.count} ({100 * accuracy.share:.0f}%)"


def _judge(words: LayersWords, points: Sequence[LayersPoint]) -> list[str]:
    """Say whether more layers helped, and what became of shuffled labels; each once all its heads are there."""
    right, shuffled = ([each for each in points if each.is_shuffled is is_shuffled] for is_shuffled in (False, True))
    if not shuffled:
        return []
    linear, best, verdict = judge_layers(right)
    counts = {"linear": linear.val.correct, "best": best.val.correct, "count": linear.val.count}
    said = [words.verdicts[verdict].format(layers=best.hidden_layers, **counts)]
    if len(shuffled) == len(right):
        last = max(shuffled, key=lambda each: each.train.share)
        sentence = words.by_heart if last.is_by_heart else words.not_by_heart
        shares = {"train": last.train.share, "val": last.val.share, "chance": last.chance}
        said.append(sentence.format(**{name: 100 * share for name, share in shares.items()}))
    return said
