"""The first sheet of a report: what a training made and what it gets wrong, on one printed page."""

import html
from collections.abc import Sequence

from demo.models.zoo import find_spec
from demo.tasks.evaluate import Scores, confuse, top
from demo.ui.finetune.keep.card import describe_recipe, describe_shape, list_results
from demo.ui.finetune.results_markup import draw_comparison, draw_headline, draw_thumbnail
from demo.ui.parts.markup import draw_figure, draw_table, draw_wide
from demo.ui.parts.paper import draw_lines
from demo.visitors.session import Trained
from demo.words.language import Words

_MAX_WRONG, _ROOM_LINES = 8, 5  # with the matrix of twenty classes this fills the page


def draw_sheet(words: Words, trained: Trained) -> str:
    """Return what is printed of a report, as HTML; it is judged by the test pictures, or else those of validation."""
    ours, head, split = words.finetune.keep.sheet, trained.head, trained.held_out[0]
    scores = trained.score(split)
    made = ours.made.format(
        network=find_spec(head.backbone_name).display_name,
        shape=describe_shape(words.finetune.keep.card, head),
        trains=words.finetune.keep.card.trains[head.summary.recipe.trains],
        parameters=head.num_parameters,
        seconds=head.summary.seconds,
    )
    header, rows = list_results(words, head.summary)
    parts = [
        f"<h1>{words.finetune.keep.report_title}</h1>",
        draw_lines(ours.fill),
        f"<p>{made}</p><p>{describe_recipe(words.finetune.keep.card, head.summary.recipe)}</p>",
        draw_table(header, rows, css_class="counts"),
        draw_headline(words, scores, split),
        draw_comparison(words, trained, split),
        _draw_matrix(words, scores),
        f"<h2>{ours.wrong}</h2>{_draw_wrong(words, trained, scores)}",
        f"<h2>{ours.conclude}</h2>" + _ROOM_LINES * '<div class="room"></div>',
    ]
    return f'<main class="sheet">{"".join(parts)}</main>'


def _draw_matrix(words: Words, scores: Scores) -> str:
    """Return the confusion matrix; its columns are numbers, so that it stays narrow."""
    numbers = "".join(f"<th>{number}</th>" for number in range(1, len(scores.class_names) + 1))
    rows = "".join(
        f"<tr><th>{place + 1} {html.escape(name)}</th>{_draw_counts(counts, place)}</tr>"
        for place, (name, counts) in enumerate(zip(scores.class_names, confuse(scores).tolist(), strict=True))
    )
    corner = words.finetune.results.confusion_corner
    table = f'<table class="confusion"><thead><tr><th>{corner}</th>{numbers}</tr></thead><tbody>{rows}</tbody></table>'
    return draw_wide(table, corner)


def _draw_counts(counts: Sequence[int], place: int) -> str:
    kinds = ('class="wrong"', 'class="right"')
    return "".join(f"<td {kinds[column == place]}>{count or '·'}</td>" for column, count in enumerate(counts))


def _draw_wrong(words: Words, trained: Trained, scores: Scores) -> str:
    """Return the pictures that were taken for something else, the surest first."""
    best = [top(scores, position, 1)[0] for position in range(len(scores.sample_idxs))]
    truths = [scores.class_names[int(idx)] for idx in scores.class_idxs]
    wrong = [place for place, truth in enumerate(truths) if best[place].class_name != truth]
    if not wrong:
        return f"<p>{words.finetune.keep.sheet.no_wrong}</p>"
    wrong.sort(key=lambda place: -best[place].probability)
    figures = "".join(
        draw_figure(
            draw_thumbnail(words, trained.dataset.samples[int(scores.sample_idxs[place])]),
            f"{truths[place]} → {best[place].class_name} {100 * best[place].probability:.0f}%",
        )
        for place in wrong[:_MAX_WRONG]
    )
    return f'<div class="figures">{figures}</div>'
