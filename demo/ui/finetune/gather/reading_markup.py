"""How a visitor's files were read, as HTML: in short, and, unfolded, exactly."""

import html
import re
from collections.abc import Iterator

from demo.data.collection import Collection
from demo.data.reading import FOLDERS, NAMES, Reading, Role
from demo.words.language import Words

_MAX_SHOWN = 12  # names or lines of a kind
_SPLITS = (Role.TRAIN, Role.VALIDATION, Role.TEST)
# What a name in the wrong encoding is full of: replacements, and the boxes of old code pages.
_GARBLED = re.compile("[\ufffd\u2500-\u259f]")


def draw_summary(words: Words, collection: Collection, reading: Reading) -> str:
    """Return in one or two sentences what the classes and the splits are, and what is not used."""
    return f"<p>{html.escape(words.sentence_separator.join(_summarise(words, collection, reading)))}</p>"


def draw_details(words: Words, reading: Reading) -> str:
    """Return, folded, what was joined, flattened, left out and counted once."""
    lines = [html.escape(each) for each in _explain(words, reading)]
    items = "".join(f"<li>{each}</li>" for each in lines)
    ours = words.finetune.reading
    return f'<details data-keep="how"><summary>{ours.how}</summary><ul>{items}</ul></details>' if items else ""


def draw_name_hint(words: Words, collection: Collection) -> str:
    """Return how a class gets another name, and that one may need it."""
    ours = words.finetune.reading
    is_garbled = any(_GARBLED.search(each.name) for each in collection.classes)
    return f'<p class="hint">{ours.garbled if is_garbled else ours.rename_hint}</p>'


def _summarise(words: Words, collection: Collection, reading: Reading) -> Iterator[str]:
    ours, separator = words.finetune.reading, words.list_separator
    if len(reading.sources) > 1:
        yield ours.joined_zips.format(names=separator.join(reading.sources))
    folders = {role: [each.path for each in reading.folders if each.role is role] for role in Role}
    has_splits = any(folders[role] for role in _SPLITS)
    if not has_splits or reading.labels != FOLDERS:
        yield _name_labels(words, reading)
    for role in _SPLITS:
        if named := folders[role]:
            yield ours.splits[role].format(folders=_name_some(words, named))
    if has_splits and reading.labels == FOLDERS:
        yield ours.by_inner
    if named := folders[Role.OUT]:
        yield ours.splits[Role.OUT].format(folders=_name_some(words, named))
    if collection.classes and not any(picture.split for picture in collection.pictures):
        yield ours.by_lot
    if reading.drawn_of:
        yield ours.drawn.format(count=len(collection.pictures), total=reading.drawn_of)


def _name_labels(words: Words, reading: Reading) -> str:
    ours = words.finetune.reading
    if reading.labels == FOLDERS:
        return ours.by_folders
    if reading.labels == NAMES:
        return ours.by_names
    path, _, column = reading.labels.rpartition("#")
    return ours.by_table.format(path=path, column=column)


def _explain(words: Words, reading: Reading) -> Iterator[str]:
    ours = words.finetune.reading
    for joined in reading.joined:
        yield ours.joined.format(name=joined.class_name, spellings=_name_some(words, joined.spellings))
    for name, folders in reading.flattened.items():
        yield ours.flattened.format(name=name, folders=_name_some(words, folders))
    for each in reading.left_out[:_MAX_SHOWN]:
        reason = words.explain(each.reason)
        yield ours.left_out.format(folder=each.folder, count=each.num_pictures, reason=reason, example=each.example)
    if reading.num_twins:
        yield ours.twins.format(count=reading.num_twins)
    if reading.outer:
        yield ours.outer.format(folders=_name_some(words, reading.outer))
    for table in reading.tables:
        if reading.labels not in {table.key(column) for column in table.columns}:
            yield ours.other_table.format(path=table.path)


def _name_some(words: Words, names: tuple[str, ...] | list[str]) -> str:
    """Return names as text; of many the first."""
    named = list(names[:_MAX_SHOWN])
    if more := len(names) - len(named):
        named.append(words.finetune.reading.more.format(count=more))
    return words.list_separator.join(named)
