"""What a trained head gets right and wrong, which pictures those are, and how far its word can be trusted."""

import html
import re
from collections.abc import Sequence
from typing import Any

import gradio as gr
import numpy as np

from demo.data.dataset import Split, read_sample
from demo.data.samples import EXAMPLES, read_example
from demo.errors import OptionOutOfRange, check_range
from demo.figures import draw_overlay, scatter_points
from demo.tasks.calibration import Reliability, fit_temperature, reliability
from demo.tasks.cam import map_classes
from demo.tasks.evaluate import ClassResult, Scores, confuse, find_cell, measure, nearest, per_class, top
from demo.tasks.finetune import score
from demo.tasks.novelty import fit_novelty, judge, threshold_for
from demo.tasks.projection import project
from demo.ui.handlers import COMPUTE, LIGHT, bind, bind_slow
from demo.ui.parts.markup import PICK_SCRIPT, draw_figure, draw_picture, draw_table, encode_jpeg
from demo.ui.parts.values import read_event
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session, Trained
from demo.words.language import Words

_MAX_PICTURES = 24  # of one cell
_ACCEPTED_SHARE = 0.95
_OVERLAY_PX = 224
_PICK = re.compile(r"\d{1,9}(,\d{1,9})?", re.ASCII)


def choose_split(session: Session, split: str) -> Split | None:
    """Return the split whose results are shown: the one asked for if it has samples, else test, else validation."""
    trained = session.results
    if trained is None:
        return None
    there = [each for each in (Split.TEST, Split.VALIDATION) if trained.features.chosen(each).any()]
    return Split(split) if split in there else next(iter(there), None)


def show_results(rooms: Rooms, ref: Ref, split: str, drawn: int) -> list[Any]:
    """Fill the panel for the head in use, unless just that is shown."""
    session = rooms.sessions.find(ref)
    trained, number = session.results, session.results.number if session.results else -1
    if number == drawn:
        return [gr.skip()] * 11
    return [number, *_fill(rooms, session, trained, split)]


def change_split(rooms: Rooms, ref: Ref, split: str) -> list[Any]:
    """Show the results of another split."""
    session = rooms.sessions.find(ref)
    trained = session.results
    return [trained.number if trained else -1, *_fill(rooms, session, trained, split)]


def show_cell(rooms: Rooms, ref: Ref, split: str, event: gr.EventData) -> list[Any]:
    """Show the pictures of a cell of the confusion matrix that was clicked."""
    session = rooms.sessions.find(ref)
    trained, chosen = session.results, choose_split(session, split)
    if trained is None or chosen is None:
        return [gr.skip(), gr.skip()]
    truth, answer = _parse_pick(event, len(trained.head.class_names), len(trained.head.class_names))
    scores = score(trained.head, trained.features, chosen)
    return [draw_cell(rooms.words, trained, scores, truth, answer), ""]


def show_picture(rooms: Rooms, ref: Ref, split: str, event: gr.EventData) -> Any:
    """Show what speaks for the right and the wrong class of a picture that was clicked, and what is alike."""
    session = rooms.sessions.find(ref)
    trained, chosen = session.results, choose_split(session, split)
    if trained is None or chosen is None:
        return gr.skip()
    scores = score(trained.head, trained.features, chosen)
    (position,) = _parse_pick(event, len(scores.class_idxs))
    return _draw_detail(rooms, trained, scores, position)


def show_novelty(rooms: Rooms, ref: Ref, percent: float) -> str:
    """Say what a "none of these" threshold accepts and rejects."""
    session = rooms.sessions.find(ref)
    trained = session.results
    if trained is None:
        return ""
    return _draw_novelty(rooms, session, trained, percent)


def draw_headline(words: Words, scores: Scores, split: Split) -> str:
    """Return the accuracy with its count, its interval, and what one picture is worth."""
    accuracy = measure(scores)
    sentence = words.finetune.results.headline.format(
        split=words.finetune.split_names[split],
        correct=accuracy.correct,
        count=accuracy.count,
        percent=100 * accuracy.share,
        low=100 * accuracy.low,
        high=100 * accuracy.high,
        points=accuracy.points_per_picture,
    )
    note = words.finetune.results.test_note if split is Split.TEST else words.finetune.results.validation_note
    return f'<p class="answer">{sentence}</p><p class="hint">{note}</p>'


def draw_confusion(words: Words, scores: Scores) -> str:
    """Return the confusion matrix as a table whose cells can be clicked: rows are the truth, columns the answers."""
    cells = confuse(scores)
    names = [html.escape(name) for name in scores.class_names]
    header = "".join(f"<th scope='col'>{name}</th>" for name in names)
    rows = ""
    for row, name in enumerate(names):
        row_cells = "".join(_draw_cell(words, scores, cells, row, column) for column in range(len(names)))
        rows += f"<tr><th scope='row'>{name}</th>{row_cells}</tr>"
    return (
        f'<p class="hint">{words.finetune.results.confusion_help}</p><div class="wide"><table class="confusion">'
        f"<thead><tr><th>{words.finetune.results.confusion_corner}</th>{header}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def draw_cell(words: Words, trained: Trained, scores: Scores, truth: int, answer: int) -> str:
    """Return the pictures of one cell as buttons, the surest answer first."""
    positions = find_cell(scores, truth, answer)
    names = scores.class_names
    title = words.finetune.results.cell_title.format(truth=names[truth], answer=names[answer], count=len(positions))
    figures = "".join(_draw_thumbnail(words, trained, scores, int(each)) for each in positions[:_MAX_PICTURES])
    return f'<h4>{html.escape(title)}</h4><div class="figures">{figures}</div>'


def draw_classes(words: Words, results: Sequence[ClassResult]) -> str:
    """Return precision and recall of each class as a table."""
    rows = [
        (each.class_name, each.count, each.answered, _percent(each.precision), _percent(each.recall), _percent(each.f1))
        for each in results
    ]
    return draw_table(words.finetune.results.class_columns, rows, css_class="counts")


def draw_reliability(words: Words, before: Reliability, after: Reliability, temperature: float) -> str:
    """Return how sure the head is against how often it is right, as bars and as a table."""
    rows = [
        (
            f"{100 * each.low:.0f}–{100 * each.high:.0f}%",
            each.count,
            _percent(each.confidence),
            _percent(each.accuracy),
        )
        for each in before.bins
        if each.count
    ]
    sentence = words.finetune.results.reliability.format(
        error=100 * before.calibration_error, temperature=temperature, after=100 * after.calibration_error
    )
    return f"{_draw_bars(words, before)}<p>{sentence}</p>{draw_table(words.finetune.results.reliability_columns, rows, css_class='counts')}"


def build_results(rooms: Rooms, ref: gr.State, model: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words
    with gr.Accordion(words.finetune.results.title, open=True, visible=False, elem_id="results") as panel:
        drawn = gr.State(-1)
        headline = gr.HTML("", padding=False, elem_id="results-headline")
        split = gr.Radio(
            [(words.finetune.split_names[each], each.value) for each in (Split.TEST, Split.VALIDATION)],
            label=words.finetune.results.split,
            value=Split.TEST.value,
            interactive=True,
            visible=False,
            elem_id="results-split",
        )
        with gr.Row():
            with gr.Column(min_width=300):
                confusion = gr.HTML("", padding=False, js_on_load=PICK_SCRIPT, elem_id="confusion")
                cell = gr.HTML("", padding=False, js_on_load=PICK_SCRIPT, elem_id="cell")
            with gr.Column(min_width=300):
                detail = gr.HTML("", padding=False, elem_id="picture-detail")
        with gr.Accordion(words.finetune.results.classes_title, open=False):
            classes = gr.HTML("", padding=False, elem_id="class-results")
        with gr.Accordion(words.finetune.results.reliability_title, open=False):
            gr.HTML(f'<p class="help">{words.finetune.results.reliability_help}</p>', padding=False)
            trust = gr.HTML("", padding=False, elem_id="reliability")
        with gr.Accordion(words.finetune.results.novelty_title, open=False) as strangers:
            gr.HTML(f'<p class="help">{words.finetune.results.novelty_help}</p>', padding=False)
            share = gr.Slider(
                50,
                100,
                value=100 * _ACCEPTED_SHARE,
                step=1,
                label=words.finetune.results.novelty_share,
                elem_id="share",
            )
            novelty = gr.HTML("", padding=False, elem_id="novelty")
        with gr.Accordion(words.finetune.results.projection_title, open=False):
            gr.HTML(f'<p class="help">{words.finetune.results.projection_help}</p>', padding=False)
            points = gr.ScatterPlot(
                x="x", y="y", color="class", x_title=" ", y_title=" ", color_title=" ", height=320, elem_id="projection"
            )
    shown = [panel, headline, split, confusion, cell, detail, classes, trust, points, novelty]
    model.change(bind(rooms, show_results), [ref, split, drawn], [drawn, *shown], **LIGHT)
    split.input(bind(rooms, change_split), [ref, split], [drawn, *shown], **LIGHT)
    confusion.click(bind(rooms, show_cell), [ref, split], [cell, detail], **LIGHT)
    cell.click(bind_slow(rooms, show_picture), [ref, split], detail, **{**COMPUTE, "show_progress": "minimal"})
    ask = bind_slow(rooms, show_novelty)
    gr.on([strangers.expand, share.release], ask, [ref, share], novelty, **{**COMPUTE, "show_progress": "minimal"})


def _fill(rooms: Rooms, session: Session, trained: Trained | None, split: str) -> list[Any]:
    """Return what each component of the panel shows for a head, or hide the panel where there is none."""
    words, chosen = rooms.words, choose_split(session, split)
    if trained is None or chosen is None:
        return [gr.Accordion(visible=False), "", gr.skip(), "", "", "", "", "", None, ""]
    scores, validation = (
        score(trained.head, trained.features, chosen),
        score(trained.head, trained.features, Split.VALIDATION),
    )
    has_both = all(trained.features.chosen(each).any() for each in (Split.TEST, Split.VALIDATION))
    truth, answer = _most_confused(scores)
    return [
        gr.Accordion(visible=True),
        draw_headline(words, scores, chosen),
        gr.Radio(visible=has_both, value=chosen.value),
        draw_confusion(words, scores),
        draw_cell(words, trained, scores, truth, answer),
        f'<p class="hint">{words.finetune.results.detail_hint}</p>',
        draw_classes(words, per_class(scores)),
        draw_trust(words, scores, validation),
        _project(scores),
        f'<p class="hint">{words.finetune.results.novelty_hint}</p>',
    ]


def _most_confused(scores: Scores) -> tuple[int, int]:
    """Return the cell to show first: where most pictures are wrong, else where most are right."""
    cells = confuse(scores)
    wrong = cells - np.diag(np.diag(cells))
    row, column = divmod(int((wrong if wrong.any() else cells).argmax()), len(cells))
    return row, column


def draw_trust(words: Words, scores: Scores, validation: Scores) -> str:
    """Return the reliability of a split, before and after a temperature that the validation pictures chose."""
    if not len(validation.class_idxs):
        return ""
    temperature = fit_temperature(validation.logits, validation.class_idxs)
    before = reliability(scores.logits, scores.class_idxs)
    after = reliability(scores.logits, scores.class_idxs, temperature=temperature)
    return draw_reliability(words, before, after, temperature)


def _project(scores: Scores) -> dict[str, Any]:
    points = project(scores.features).points  # (n, 2)
    return scatter_points([scores.class_names[idx] for idx in scores.class_idxs], points)


def _draw_cell(words: Words, scores: Scores, cells: Any, row: int, column: int) -> str:
    count, total = int(cells[row, column]), max(1, int(cells[row].sum()))
    kind = "right" if row == column else "wrong"
    label = words.finetune.results.cell_label.format(
        truth=scores.class_names[row], answer=scores.class_names[column], count=count
    )
    style = f"--share: {count / total:.2f}"
    disabled = "" if count else " disabled"
    return (
        f'<td class="{kind}" style="{style}"><button type="button" data-pick="{row},{column}" '
        f'aria-label="{html.escape(label)}"{disabled}>{count}</button></td>'
    )


def _draw_thumbnail(words: Words, trained: Trained, scores: Scores, position: int) -> str:
    sample = trained.dataset.samples[int(scores.sample_idxs[position])]
    best = top(scores, position, 1)[0]
    picture = draw_picture(sample.thumbnail, words.finetune.gather.thumbnail_alt.format(name=sample.path))
    return draw_figure(picture, f"{best.class_name} {100 * best.probability:.0f}%", pick=str(position))


def _draw_detail(rooms: Rooms, trained: Trained, scores: Scores, position: int) -> str:
    words, head = rooms.words, trained.head
    sample = trained.dataset.samples[int(scores.sample_idxs[position])]
    best, truth = top(scores, position), int(scores.class_idxs[position])
    shown = list(dict.fromkeys([best[0].class_idx, truth if best[0].class_idx != truth else best[1].class_idx]))
    picture = read_sample(sample, rooms.settings)
    with rooms.backbones.lend(head.backbone_name) as shared:
        backbone = shared.for_head(head)
        maps = map_classes(backbone, picture, shown, head=head)
        seen = backbone.draw_input(picture)
    overlays = "".join(
        draw_figure(draw_picture(encode_jpeg(draw_overlay(each, seen, side_px=_OVERLAY_PX)), caption), caption)
        for idx, each in zip(shown, maps, strict=True)
        for caption in [words.finetune.results.speaks_for.format(name=head.class_names[idx])]
    )
    answers = "".join(
        f"<li>{html.escape(each.class_name)} <span>{100 * each.probability:.1f}%</span></li>" for each in best
    )
    alike = "".join(
        _draw_neighbour(words, trained, each)
        for each in nearest(scores, score(head, trained.features, Split.TRAIN), position)
    )
    title = words.finetune.results.detail_title.format(name=sample.path, truth=head.class_names[truth])
    return (
        f"<h4>{html.escape(title)}</h4><div class='columns'><ol>{answers}</ol></div>"
        f'<div class="figures large">{overlays}</div><p class="hint">{words.finetune.results.speaks_help}</p>'
        f'<h4>{words.finetune.results.alike_title}</h4><div class="figures">{alike}</div>'
    )


def _draw_neighbour(words: Words, trained: Trained, neighbour: Any) -> str:
    sample = trained.dataset.samples[neighbour.sample_idx]
    caption = f"{trained.head.class_names[neighbour.class_idx]} ({neighbour.similarity:.2f})"
    return draw_figure(
        draw_picture(sample.thumbnail, words.finetune.gather.thumbnail_alt.format(name=sample.path)), caption
    )


def _draw_novelty(rooms: Rooms, session: Session, trained: Trained, percent: float) -> str:
    check_range("share", percent, 1, 100)
    words, head = rooms.words, trained.head
    training, validation = (score(head, trained.features, split) for split in (Split.TRAIN, Split.VALIDATION))
    if not len(validation.class_idxs):
        return ""
    novelty = fit_novelty(training)
    known = novelty.distance(validation.features)
    threshold = threshold_for(known, percent / 100)
    strangers = [read_example(example, rooms.settings) for example in EXAMPLES]
    photo = session.photo
    with rooms.backbones.lend(head.backbone_name) as shared:
        backbone = shared.for_head(head)
        features = backbone.run([*strangers, *([photo] if photo else [])]).features.numpy()
    distances = novelty.distance(features)
    accepted, rejected = judge(known, threshold), judge(distances[: len(strangers)], threshold)
    sentences = [
        words.finetune.results.novelty.format(
            accepted=accepted.accepted,
            known=len(known),
            rejected=rejected.rejected,
            strangers=len(strangers),
            threshold=threshold,
        )
    ]
    if photo is not None:
        verdict = (
            words.finetune.results.novelty_photo_known
            if distances[-1] <= threshold
            else words.finetune.results.novelty_photo_strange
        )
        sentences.append(verdict.format(distance=distances[-1]))
    return f'<p role="status">{" ".join(sentences)}</p>'


def _draw_bars(words: Words, measured: Reliability) -> str:
    """Return the reliability diagram as an inline picture; the table beside it has the same numbers."""
    width = 100 / len(measured.bins)
    bars = "".join(
        f'<rect x="{place * width + 1:.1f}" y="{100 - 100 * each.accuracy:.1f}" width="{width - 2:.1f}" '
        f'height="{100 * each.accuracy:.1f}" fill="currentColor" opacity="{min(0.9, 0.25 + each.count / 20):.2f}"/>'
        for place, each in enumerate(measured.bins)
        if each.accuracy is not None
    )
    alt_text = html.escape(words.finetune.results.reliability_alt)
    return (
        f'<svg class="reliability" viewBox="-2 -2 104 104" role="img" aria-label="{alt_text}">'
        f'<rect width="100" height="100" fill="none" stroke="currentColor" opacity="0.3"/>{bars}'
        '<line x1="0" y1="100" x2="100" y2="0" stroke="currentColor" stroke-dasharray="3"/></svg>'
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}%"


def _parse_pick(event: gr.EventData, *limits: int) -> list[int]:
    """Return the numbers of a click, each from 0 to below its limit; whoever calls by hand may send anything."""
    pick = read_event(event, "pick")
    numbers = [int(part) for part in pick.split(",")] if _PICK.fullmatch(pick) else []
    if len(numbers) != len(limits) or any(number >= limit for number, limit in zip(numbers, limits, strict=True)):
        raise OptionOutOfRange(option="pick", value=pick[:20], low=0, high=max(limits) - 1)
    return numbers
