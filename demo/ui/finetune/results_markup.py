"""The HTML of a head's results: the headline, the confusion matrix and its pictures, the classes, the reliability."""

import html
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from demo.data.dataset import Sample, Split
from demo.data.samples import EXAMPLES
from demo.models.recipe import Balance, Recipe
from demo.tasks.calibration import Calibration, Reliability, reliability
from demo.tasks.evaluate import ClassResult, Neighbour, Scores, confuse, find_cell, measure, top
from demo.tasks.novelty import Judgement, NoveltyReport
from demo.tasks.verdict import Verdict
from demo.ui.parts.markup import draw_figure, draw_picture, draw_table, draw_wide, encode_jpeg
from demo.visitors.session import Trained
from demo.words.language import Words

_MAX_PICTURES = 24  # of one cell


def draw_headline(words: Words, scores: Scores, split: Split) -> str:
    """Return the accuracy with its count, its interval, and what one picture is worth."""
    ours, accuracy = words.finetune.results, measure(scores)
    sentence = ours.headline.format(
        split=words.finetune.split_names[split],
        correct=accuracy.correct,
        count=accuracy.count,
        percent=100 * accuracy.share,
        low=100 * accuracy.low,
        high=100 * accuracy.high,
        points=accuracy.points_per_picture,
    )
    if accuracy.balanced is not None:
        sentence += f" {ours.balanced_accuracy.format(percent=100 * accuracy.balanced)}"
    note = ours.test_note if split is Split.TEST else ours.validation_note
    return f'<p class="answer">{sentence}</p><p class="hint">{note}</p>'


def describe_balance(words: Words, recipe: Recipe, counts: Sequence[int]) -> str:
    """Say whether a training balanced classes, where they have different numbers of training pictures; else ""."""
    if min(counts) == max(counts):
        return ""
    ours = words.finetune.training
    sentence = ours.trained_balanced if recipe.balance is Balance.ON else ours.trained_unbalanced
    return sentence.format(largest=max(counts), smallest=min(counts))


def draw_comparison(words: Words, trained: Trained, split: Split) -> str:
    """Return how a training of more layers did beside a head alone, and whether that may be chance; "" for a head."""
    comparison = trained.comparisons.get(split)
    if comparison is None:
        return ""
    ours, verdict = words.finetune.results, comparison.verdict
    parted = "" if verdict is Verdict.EVEN else f" {ours.parted}"
    sentences = f"{ours.alone}{parted} {ours.verdicts[verdict]}".format(
        **vars(comparison),
        chance=100 * comparison.p_value,
        train=100 * trained.head.summary.train_accuracy,
        held_out=100 * comparison.deeper / comparison.count,
    )
    return f"<p>{sentences}</p>"


def draw_origin(words: Words, trained: Trained, split: Split) -> str:
    """Return what is to be known of a head beside its numbers: how a head alone does, and whether labels were wrong."""
    shuffled = f"<p><strong>{words.finetune.training.trained_shuffled}</strong></p>"
    return draw_comparison(words, trained, split) + (shuffled if trained.head.summary.recipe.shuffled else "")


def draw_confusion(words: Words, scores: Scores) -> str:
    """Return the confusion matrix as a table whose cells can be clicked: rows are the truth, columns the answers."""
    ours, cells = words.finetune.results, confuse(scores).tolist()
    names = [html.escape(name) for name in scores.class_names]
    header = "".join(f"<th scope='col'>{name}</th>" for name in names)
    rows = ""
    for row, name in enumerate(names):
        row_cells = "".join(
            _draw_count(words, scores.class_names, cells[row], row, column) for column in range(len(names))
        )
        rows += f"<tr><th scope='row'>{name}</th>{row_cells}</tr>"
    table = (
        f'<table class="confusion"><thead><tr><th>{ours.confusion_corner}</th>{header}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    return f'<p class="hint">{ours.confusion_help}</p>{draw_wide(table, ours.confusion_corner)}'


def _draw_count(words: Words, class_names: Sequence[str], counts: Sequence[int], row: int, column: int) -> str:
    """Return one cell of the confusion matrix; its colour is the share of the row (`counts`) that lies in it."""
    count, total = counts[column], max(1, sum(counts))
    label = words.finetune.results.cell_label.format(truth=class_names[row], answer=class_names[column], count=count)
    return (
        f'<td class="{"right" if row == column else "wrong"}" style="--share: {count / total:.2f}">'
        f'<button type="button" data-pick="{row},{column}" aria-label="{html.escape(label)}"'
        f"{'' if count else ' disabled'}>{count}</button></td>"
    )


def draw_cell(words: Words, trained: Trained, scores: Scores, truth: int, answer: int) -> str:
    """Return the pictures of one cell as buttons, the surest answer first."""
    positions, names = find_cell(scores, truth, answer).tolist(), scores.class_names
    title = words.finetune.results.cell_title.format(truth=names[truth], answer=names[answer], count=len(positions))
    figures = ""
    for position in positions[:_MAX_PICTURES]:
        best = top(scores, position, 1)[0]
        picture = draw_thumbnail(words, trained.dataset.samples[int(scores.sample_idxs[position])])
        figures += draw_figure(picture, f"{best.class_name} {100 * best.probability:.0f}%", pick=str(position))
    return f'<h3>{html.escape(title)}</h3><div class="figures">{figures}</div>'


def draw_thumbnail(words: Words, sample: Sample) -> str:
    """Return the small picture of a sample."""
    return draw_picture(sample.thumbnail, words.finetune.gather.thumbnail_alt.format(name=sample.path))


def draw_detail(
    words: Words,
    trained: Trained,
    scores: Scores,
    position: int,
    *,
    seen: Image.Image,
    overlays: Sequence[tuple[int, Image.Image]],
    alike: Sequence[Neighbour],
) -> str:
    """Return what the head says of one picture.

    Args:
        words: The visitor's language.
        trained: The head and its dataset.
        scores: What the head says of the picture's split.
        position: The picture's place in them.
        seen: The picture as the network sees it.
        overlays: Class indices, each with the picture under the map of what speaks for that class.
        alike: The training samples that look alike to the network, the nearest first.
    """
    ours, names = words.finetune.results, scores.class_names
    sample = trained.dataset.samples[int(scores.sample_idxs[position])]
    title = ours.detail_title.format(name=sample.path, truth=names[int(scores.class_idxs[position])])
    answers = "".join(
        f"<li>{html.escape(each.class_name)} <span>{100 * each.probability:.1f}%</span></li>"
        for each in top(scores, position)
    )
    neighbours = "".join(
        draw_figure(
            draw_thumbnail(words, trained.dataset.samples[each.sample_idx]),
            f"{names[each.class_idx]} ({each.similarity:.2f})",
        )
        for each in alike
    )
    return (
        f"<h3>{html.escape(title)}</h3><div class='columns'><ol>{answers}</ol></div>"
        f'<div class="figures large">{_draw_overlays(words, names, seen, overlays)}</div>'
        f'<p class="hint">{ours.speaks_help}</p>'
        f'<h3>{ours.alike_title}</h3><div class="figures">{neighbours}</div>'
    )


def _draw_overlays(
    words: Words, class_names: Sequence[str], seen: Image.Image, overlays: Sequence[tuple[int, Image.Image]]
) -> str:
    ours = words.finetune.results
    captioned = [
        (ours.untinted, seen),
        *((ours.speaks_for.format(name=class_names[idx]), one) for idx, one in overlays),
    ]
    return "".join(draw_figure(draw_picture(encode_jpeg(picture), caption), caption) for caption, picture in captioned)


def draw_classes(words: Words, results: Sequence[ClassResult]) -> str:
    """Return precision and recall of each class as a table."""
    rows = [
        (each.class_name, each.count, each.answered, _percent(each.precision), _percent(each.recall), _percent(each.f1))
        for each in results
    ]
    return draw_table(words.finetune.results.class_columns, rows, css_class="counts")


def draw_reliability(words: Words, scores: Scores) -> str:
    """Return how sure the head is against how often it is right, as bars and as a table."""
    ours, measured = words.finetune.results, reliability(scores.logits, scores.class_idxs)
    rows = [
        (f"{100 * each.low:.0f}–{100 * each.high:.0f}%", each.count, _percent(each.confidence), _percent(each.accuracy))
        for each in measured.bins
        if each.count
    ]
    sentence = ours.reliability.format(error=100 * measured.calibration_error)
    table = draw_table(ours.reliability_columns, rows, css_class="counts")
    return f"{_draw_bars(words, measured)}<p>{sentence}</p>{table}"


def draw_temperature(words: Words, calibration: Calibration | None) -> str:
    """Return the temperature that suits a head, and what it does to pictures by which nothing was chosen, if any."""
    ours = words.finetune.results
    if calibration is None:
        return f'<p role="status">{ours.temperature_nothing}</p>'
    fitted = ours.temperature_one if calibration.temperature == 1 else ours.temperature
    source = ours.temperature_source.format(validation=calibration.num_validation, training=calibration.num_training)
    sentences = [fitted.format(temperature=calibration.temperature), source]
    before, after = calibration.before, calibration.after
    if before is None or after is None:
        sentences.append(ours.temperature_unjudged)
    elif calibration.temperature != 1:
        errors = {"before": 100 * before.calibration_error, "after": 100 * after.calibration_error}
        sentences.append(ours.temperature_judged.format(test=before.count, **errors))
    return f'<p role="status">{words.sentence_separator.join(sentences)}</p>'


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


def draw_novelty(words: Words, report: NoveltyReport, class_names: Sequence[str]) -> str:
    """Return how a threshold was set, what it makes of the photograph, if any, and of strangers far and near."""
    ours, left_out = words.finetune.results, list(zip(class_names, report.left_out, strict=False))
    how = ours.novelty if left_out else ours.novelty_tuned
    sentence = how.format(threshold=report.threshold, percent=100 * report.share, count=report.num_measured)
    if report.photo_distance is not None:
        verdict = ours.novelty_photo_known if report.accepts_photo else ours.novelty_photo_strange
        sentence += f" {verdict.format(distance=report.photo_distance)}"
    table = draw_table(ours.novelty_columns, list(_list_shown(words, report, left_out)), css_class="counts")
    note = ours.novelty_no_class
    if left_out:
        name, judged = max(left_out, key=lambda each: each[1].share)
        note = ours.novelty_hardest.format(name=html.escape(name), accepted=judged.accepted, count=judged.count)
    return f'<p role="status">{sentence}</p>{table}<p class="hint">{note}</p>'


def _list_shown(
    words: Words, report: NoveltyReport, left_out: Sequence[tuple[str, Judgement]]
) -> Iterator[tuple[str, str]]:
    """Yield for each kind of pictures how many are accepted; of the examples, which ones."""
    ours = words.finetune.results

    def count(judged: Judgement) -> str:
        return ours.novelty_accepted.format(accepted=judged.accepted, count=judged.count, percent=100 * judged.share)

    if report.test.count:
        yield ours.novelty_test, count(report.test)
    passed = [words.predict.example_names[EXAMPLES[place].name] for place in np.flatnonzero(report.examples)]
    yield ours.novelty_examples, " · ".join([count(Judgement(len(passed), len(EXAMPLES))), *passed])
    for name, judged in left_out:
        yield ours.novelty_class.format(name=name), count(judged)
    if left_out:
        sums = (sum(each.accepted for _, each in left_out), sum(each.count for _, each in left_out))
        yield ours.novelty_each, count(Judgement(*sums))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}%"
