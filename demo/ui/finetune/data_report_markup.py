"""The report of a visitor's pictures as HTML: counts, warnings, thumbnails, and the files that are left out."""

import html
from collections.abc import Sequence

from demo.data.collection import Collection, PictureClass
from demo.data.dataset import DataReport, Dataset, Skipped, Split
from demo.ui.parts.markup import draw_picture, draw_status, draw_table
from demo.visitors.pictures import Pictures
from demo.words.finetune import GatherWords
from demo.words.language import Words

_MAX_SKIPPED_SHOWN = 10
_MAX_THUMBNAILS = 6  # of each class
_MAX_ALL_THUMBNAILS = 40


def draw_report(words: Words, pictures: Pictures) -> str:
    """Return what a visitor has gathered, or what is missing before anything can be learned from it."""
    collection, dataset, error = pictures.collection, pictures.dataset, pictures.error
    if collection is None:
        return f'<p class="hint">{words.finetune.gather.no_dataset}</p>'
    parts = []
    if dataset is not None:
        parts += [_draw_counts(words, dataset), _draw_warnings(words, dataset.report)]
    elif error is not None:
        parts.append(draw_status(words.explain(error)))  # of the kind "running": what is missing is no failure
    parts += [_draw_thumbnails(words.finetune.gather, collection), _draw_skipped(words, collection.skipped)]
    return "".join(parts)


def _draw_counts(words: Words, dataset: Dataset) -> str:
    gather, splits = (
        words.finetune.gather,
        [split for split in Split if any(split in each for each in dataset.counts.values())],
    )
    header = [gather.dataset_class, *(words.finetune.splits[split] for split in splits), gather.dataset_total]
    rows = [
        [name, *(counts.get(split, 0) for split in splits), sum(counts.values())]
        for name, counts in dataset.counts.items()
    ]
    title = gather.dataset_report.format(classes=len(dataset.class_names), count=len(dataset.samples))
    return f"<h4>{title}</h4>{draw_table(header, rows, css_class='counts')}"


def _draw_warnings(words: Words, report: DataReport) -> str:
    """Return what is to be known of the pictures before anything is learned from them."""
    gather, separator, found = words.finetune.gather, words.list_separator, []
    if report.small_classes:
        found.append(gather.warn_small.format(names=separator.join(report.small_classes)))
    if report.is_imbalanced:
        found.append(gather.warn_imbalance.format(times=report.imbalance))
    if report.num_near_duplicates:
        found.append(gather.warn_duplicates.format(count=report.num_near_duplicates, groups=report.num_groups))
    if count := len(report.across_splits):
        pair = report.across_splits[0]
        found.append(gather.warn_across_splits.format(count=count, first=pair.first.path, second=pair.second.path))
    if count := len(report.across_classes):
        pair = report.across_classes[0]
        classes = f"{pair.first.class_name}{separator}{pair.second.class_name}"
        found.append(
            gather.warn_across_classes.format(
                count=count, first=pair.first.path, second=pair.second.path, classes=classes
            )
        )
    if report.split_by_picture:
        found.append(gather.warn_split_by_picture.format(names=separator.join(report.split_by_picture)))
    items = "".join(f"<li>{html.escape(each)}</li>" for each in found)
    return f'<ul class="warnings">{items}</ul>' if items else ""


def _draw_thumbnails(words: GatherWords, collection: Collection) -> str:
    num_classes = max(1, len(collection.classes))
    count = max(1, min(_MAX_THUMBNAILS, _MAX_ALL_THUMBNAILS // num_classes))
    return "".join(_draw_class(words, each, count) for each in collection.classes)


def _draw_class(words: GatherWords, each: PictureClass, count: int) -> str:
    """Return a class's name and its first pictures."""
    pictures = "".join(
        draw_picture(picture.thumbnail, words.thumbnail_alt.format(name=picture.path))
        for picture in each.pictures[:count]
    )
    state = "" if each.is_on else f" {words.class_off}"
    return f'<div class="thumbnails"><b>{html.escape(each.name)} ({len(each.pictures)}){state}</b>{pictures}</div>'


def _draw_skipped(words: Words, skipped: Sequence[Skipped]) -> str:
    if not skipped:
        return ""
    gather, last = words.finetune.gather, skipped[-_MAX_SKIPPED_SHOWN:]
    items = "".join(f"<li>{html.escape(each.path)}: {html.escape(words.explain(each.reason))}</li>" for each in last)
    more = len(skipped) - len(last)
    rest = f"<li>{gather.skipped_more.format(count=more)}</li>" if more else ""
    title = gather.skipped.format(count=len(skipped))
    return f"<details><summary>{title}</summary><ul>{items}{rest}</ul></details>"
