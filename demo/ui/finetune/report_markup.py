"""The report of a training as one HTML file: a sheet to print, and all details."""

import html
from dataclasses import asdict
from typing import Any

from demo.data.dataset import Split
from demo.models.zoo import find_spec
from demo.tasks.code import write_code
from demo.tasks.evaluate import Scores, confuse, find_cell, per_class, top
from demo.ui.finetune.keep.sheet import draw_sheet
from demo.ui.finetune.results_markup import (
    describe_balance,
    draw_classes,
    draw_comparison,
    draw_headline,
    draw_reliability,
    draw_temperature,
    draw_thumbnail,
)
from demo.ui.parts.markup import draw_figure, draw_table
from demo.ui.parts.paper import draw_paper
from demo.visitors.session import Trained
from demo.words.language import Words

_MAX_WRONG = 24


def draw_report(words: Words, trained: Trained) -> str:
    """Return the report of a training as an HTML document that needs no other file."""
    title, head = words.finetune.keep.report_title, trained.head
    parts = [
        f"<h2>{words.finetune.keep.sheet.details}</h2>",
        _draw_counts(words, trained),
        _draw_recipe(words, trained),
    ]
    parts += [_draw_split(words, trained, split) for split in trained.held_out]
    parts += [f"<h2>{words.finetune.results.reliability_title}</h2>", draw_temperature(words, trained.calibration)]
    code = html.escape(write_code(head.summary.recipe, find_spec(head.backbone_name), len(head.class_names)))
    parts.append(f"<h2>{words.finetune.recipe.code_title}</h2><pre>{code}</pre>")
    hint = f'<p class="hint on-screen">{words.finetune.keep.sheet.hint}</p>'
    return draw_paper(
        words, title, f'{hint}{draw_sheet(words, trained)}<section class="more">{"".join(parts)}</section>'
    )


def _draw_split(words: Words, trained: Trained, split: Split) -> str:
    scores = trained.score(split)
    parts = [
        f"<h2>{words.finetune.split_names[split]}</h2>",
        draw_headline(words, scores, split),
        draw_comparison(words, trained, split),
        _draw_confusion(words, scores),
        draw_classes(words, per_class(scores)),
        draw_reliability(words, scores),
        _draw_wrong(words, trained, scores),
    ]
    return "".join(parts)


def _draw_counts(words: Words, trained: Trained) -> str:
    counts = trained.dataset.counts
    header = [words.finetune.gather.dataset_class, *(words.finetune.splits[split] for split in Split)]
    rows = [[name, *(each.get(split, 0) for split in Split)] for name, each in counts.items()]
    return draw_table(header, rows, css_class="counts")


def _draw_recipe(words: Words, trained: Trained) -> str:
    summary = trained.head.summary
    recipe: dict[str, Any] = asdict(summary.recipe)
    recipe |= {f"head_{name}": value for name, value in recipe.pop("head").items()}
    rows = [("backbone", find_spec(trained.head.backbone_name).display_name), *recipe.items()]
    rows += [("trained_parameters", f"{trained.head.num_parameters:,}"), ("seconds", f"{summary.seconds:.1f}")]
    balance = html.escape(describe_balance(words, summary.recipe, trained.dataset.training_counts))
    table = draw_table(("", ""), rows, css_class="counts")
    return f"<h2>{words.finetune.recipe.title}</h2>{table}<p>{balance}</p>"


def _draw_confusion(words: Words, scores: Scores) -> str:
    rows = [[name, *cells] for name, cells in zip(scores.class_names, confuse(scores).tolist(), strict=True)]
    return draw_table([words.finetune.results.confusion_corner, *scores.class_names], rows, css_class="confusion")


def _draw_wrong(words: Words, trained: Trained, scores: Scores) -> str:
    """Return pictures that were taken for something else: cell by cell, the surest answer first."""
    num_classes = len(scores.class_names)
    cells = [(truth, answer) for truth in range(num_classes) for answer in range(num_classes) if truth != answer]
    positions = [int(each) for cell in cells for each in find_cell(scores, *cell)][:_MAX_WRONG]
    figures = ""
    for position in positions:
        sample = trained.dataset.samples[int(scores.sample_idxs[position])]
        best = top(scores, position, 1)[0]
        truth = scores.class_names[int(scores.class_idxs[position])]
        caption = f"{truth} → {best.class_name} {100 * best.probability:.0f}%"
        figures += draw_figure(draw_thumbnail(words, sample), caption)
    return f'<div class="figures">{figures}</div>'
