"""A training in one HTML file: its pictures counted, its recipe, its curves' end, its results, its code."""

import html
from dataclasses import asdict
from typing import Any

from demo.data.dataset import Split
from demo.models.zoo import find_spec
from demo.tasks.code import write_code
from demo.tasks.evaluate import Scores, confuse, find_cell, per_class, top
from demo.tasks.finetune import score
from demo.ui.finetune.results import draw_classes, draw_headline, draw_trust
from demo.ui.parts.markup import draw_figure, draw_picture, draw_table
from demo.visitors.rooms import Rooms
from demo.visitors.session import Trained
from demo.words.language import Words

_MAX_WRONG = 24

_STYLE = """body { font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0; } th, td { border: 1px solid #ccc; padding: 0.2rem 0.6rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0.5rem; } figure { margin: 0; max-width: 8rem; font-size: 0.8rem; }
figure img { max-width: 100%; } .hint { color: #666; } pre { background: #f4f4f4; padding: 1rem; overflow-x: auto; }
.reliability { width: 12rem; }"""


def draw_run(rooms: Rooms, trained: Trained) -> str:
    """Return the report of a run as an HTML document that needs no other file."""
    words, head = rooms.words, trained.head
    spec = find_spec(head.backbone_name)
    splits = [split for split in (Split.TEST, Split.VALIDATION) if trained.features.chosen(split).any()]
    validation = score(head, trained.features, Split.VALIDATION)
    parts = [f"<h1>{words.finetune.keep.report_title}</h1>", _draw_counts(words, trained), _draw_recipe(words, trained)]
    for split in splits:
        scores = score(head, trained.features, split)
        parts += [
            f"<h2>{words.finetune.split_names[split]}</h2>",
            draw_headline(words, scores, split),
            _draw_confusion(words, scores),
            draw_classes(words, per_class(scores)),
            draw_trust(words, scores, validation),
            _draw_wrong(words, trained, scores),
        ]
    code = html.escape(write_code(head.summary.recipe, spec, len(head.class_names)))
    parts.append(f"<h2>{words.finetune.recipe.code_title}</h2><pre>{code}</pre>")
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{words.finetune.keep.report_title}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


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
    return f"<h2>{words.finetune.recipe.title}</h2>{draw_table(('', ''), rows, css_class='counts')}"


def _draw_confusion(words: Words, scores: Scores) -> str:
    rows = [[name, *cells] for name, cells in zip(scores.class_names, confuse(scores).tolist(), strict=True)]
    return draw_table([words.finetune.results.confusion_corner, *scores.class_names], rows, css_class="confusion")


def _draw_wrong(words: Words, trained: Trained, scores: Scores) -> str:
    """Return the pictures that were taken for something else, the surest first."""
    num_classes = len(scores.class_names)
    cells = [(truth, answer) for truth in range(num_classes) for answer in range(num_classes) if truth != answer]
    positions = [int(each) for cell in cells for each in find_cell(scores, *cell)][:_MAX_WRONG]
    figures = ""
    for position in positions:
        sample = trained.dataset.samples[int(scores.sample_idxs[position])]
        best = top(scores, position, 1)[0]
        truth = scores.class_names[int(scores.class_idxs[position])]
        caption = f"{truth} → {best.class_name} {100 * best.probability:.0f}%"
        figures += draw_figure(
            draw_picture(sample.thumbnail, words.finetune.gather.thumbnail_alt.format(name=sample.path)), caption
        )
    return f'<div class="figures">{figures}</div>'
