"""The report of a visitor's pictures as HTML: counts, warnings, thumbnails, and the files that are left out."""

import html
from collections.abc import Sequence

from demo.data.collection import MAX_CLASS_NAME_LENGTH, Collection, PictureClass
from demo.data.dataset import DataReport, Dataset, Skipped, Split
from demo.data.formats.tones import Note
from demo.data.starters import STARTERS
from demo.ui.finetune.gather.picks import mark
from demo.ui.finetune.gather.question_markup import is_asked
from demo.ui.finetune.gather.reading_markup import draw_details, draw_name_hint, draw_summary
from demo.ui.finetune.gather.right_markup import draw_right
from demo.ui.parts.markup import draw_picture, draw_status, draw_wide
from demo.visitors.pictures import Pictures
from demo.words.finetune import GatherWords
from demo.words.language import Words

_MAX_SKIPPED_SHOWN = 10
_MAX_THUMBNAILS = 6  # of each class
_MAX_ALL_THUMBNAILS = 40
_MIN_NAME_SIZE, _MAX_NAME_SIZE = 4, 24  # characters that a name's field shows


def draw_report(words: Words, pictures: Pictures) -> str:
    """Return what a visitor has gathered and how it was read, or what is missing before it can be learned from."""
    collection, dataset, error = pictures.collection, pictures.dataset, pictures.error
    if collection is None:
        return f'<p class="hint">{words.finetune.gather.no_dataset}</p>'
    parts = [_draw_reading(words, collection, dataset)]
    parts.append(_draw_list(describe_notes(words, collection)))
    if dataset is not None:
        parts.append(_draw_warnings(words, dataset.report))
    elif error is not None and not is_asked(pictures):  # the answer may be what is missing
        parts.insert(0, draw_status(words.explain(error)))  # of the kind "running": what is missing is no failure
    parts += [_draw_thumbnails(words.finetune.gather, collection), _draw_skipped(words, collection.skipped)]
    if collection.source not in STARTERS:
        return f"<div>{''.join(parts)}</div>"
    story = f'<p class="hint">{words.finetune.gather.starter_stories[collection.source]}</p>'
    return f'<div data-set="{collection.source}">{story}{"".join(parts)}</div>'


def _draw_reading(words: Words, collection: Collection, dataset: Dataset | None) -> str:
    """Return the counts; for the files of zips also how they were read, and what can be put right of that."""
    num_classes, num_pictures = len(collection.classes), len(collection.pictures)
    if dataset is not None:
        num_classes, num_pictures = len(dataset.class_names), len(dataset.samples)
    title = words.finetune.gather.dataset_report.format(classes=num_classes, count=num_pictures)
    counts, reading = _draw_counts(words, collection, dataset), collection.reading
    if reading is None:
        return f"<h3>{title}</h3>{counts}" if dataset else counts
    return (
        f'<section class="reading"><h3>{words.finetune.reading.title}</h3><p><b>{title}</b></p>'
        f"{draw_summary(words, collection, reading)}{counts}{draw_name_hint(words, collection)}"
        f"{draw_details(words, reading)}{draw_right(words, collection, reading)}</section>"
    )


def _draw_counts(words: Words, collection: Collection, dataset: Dataset | None) -> str:
    """Return the number of pictures by class and split, before there are splits by class alone; names can be changed.

    Classes that are off are counted in a dataset's place only where there is none.
    """
    if not collection.classes:
        return ""
    gather = words.finetune.gather
    counts = dataset.counts if dataset else {each.name: {"": len(each.pictures)} for each in collection.classes}
    splits = [split for split in Split if any(split in each for each in counts.values())]
    header = [gather.dataset_class, *(words.finetune.splits[split] for split in splits), gather.dataset_total]
    head = "".join(f"<th>{html.escape(each)}</th>" for each in header)
    rows = "".join(
        f"<tr><td>{_draw_name(words, name)}</td>"
        + "".join(f"<td>{number}</td>" for number in (*(each.get(split, 0) for split in splits), sum(each.values())))
        + "</tr>"
        for name, each in counts.items()
    )
    table = f'<table class="counts"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f"<form>{draw_wide(table, ', '.join(header))}</form>"


def _draw_name(words: Words, name: str) -> str:
    """Return a class's name as a field of a form: a click changes it."""
    label = html.escape(words.finetune.reading.name_label.format(name=name))
    size = min(max(len(name), _MIN_NAME_SIZE), _MAX_NAME_SIZE)
    return (
        f'<input class="name" data-pick="name-{mark(name)}" value="{html.escape(name)}" aria-label="{label}" '
        f'maxlength="{MAX_CLASS_NAME_LENGTH}" size="{size}" autocomplete="off">'
    )


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
    return _draw_list(found)


def describe_notes(words: Words, collection: Collection) -> list[str]:
    """Return what is to be known of how pictures were decoded, and which ones: made brighter, put on grey, cut off."""
    noted: dict[Note, list[str]] = {}
    for picture in collection.pictures:
        for note in picture.notes:
            noted.setdefault(note, []).append(picture.path)
    sentences = words.finetune.reading.notes
    return [sentences[note].format(count=len(paths), example=paths[0]) for note, paths in noted.items()]


def _draw_list(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(each)}</li>" for each in sentences)
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
