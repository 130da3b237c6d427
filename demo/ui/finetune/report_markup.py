"""The report of a training as one HTML file: pictures counted, recipe, results, wrong pictures, code."""

import html
from dataclasses import asdict
from typing import Any

from demo.data.dataset import Split
from demo.models.zoo import find_spec
from demo.tasks.code import write_code
from demo.tasks.evaluate import Scores, confuse, find_cell, per_class, top
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
from demo.visitors.session import Trained
from demo.words.language import Words

_MAX_WRONG = 24

_STYLE = """body { font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0; } th, td { border: 1px solid #ccc; padding: 0.2rem 0.6rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0.5rem; } figure { margin: 0; max-width: 8rem; font-size: 0.8rem; }
figure img { max-width: 100%; } .hint { color: #666; } pre { background: #f4f4f4; padding: 1rem; overflow-x: auto; }
.reliability { width: 12rem; }"""


def draw_report(words: Words, trained: Trained) -> str:
    """Return the report of a training as an HTML document that needs no other file."""
    title, head = words.finetune.keep.report_title, trained.head
    parts = [f"<h1>{title}</h1>", _draw_counts(words, trained), _draw_recipe(words, trained)]
    parts += [_draw_split(words, trained, split) for split in trained.held_out]
    parts += [f"<h2>{words.finetune.results.reliability_title}</h2>", draw_temperature(words, trained.calibration)]
    code = html.escape(write_code(head.summary.recipe, find_spec(head.backbone_name), len(head.class_names)))
    parts.append(f"<h2>{words.finetune.recipe.code_title}</h2><pre>{code}</pre>")
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
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
