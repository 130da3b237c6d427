"""What a visitor can put right of a reading, as HTML: folders, the place of the labels, joins, zips, answers."""

import html
from collections.abc import Iterable

from demo.data.collection import Collection
from demo.data.questions import put_question
from demo.data.reading import FOLDERS, NAMES, Doubt, FolderRead, Reading, Role
from demo.ui.finetune.gather.picks import draw_button, mark
from demo.words.language import Words

_MAX_FOLDERS = 60


def draw_right(words: Words, collection: Collection, reading: Reading) -> str:
    """Return, folded, the controls that put a reading right."""
    ours = words.finetune.reading.right
    parts = [
        _draw_folders(words, reading),
        _draw_labels(words, reading),
        _draw_join(words, collection),
        _draw_sources(words, reading),
        _draw_answered(words, reading),
        f"<p>{draw_button('reset', ours.reset)}</p>",
    ]
    return f'<details class="right" data-keep="right"><summary>{ours.title}</summary>{"".join(parts)}</details>'


def _draw_folders(words: Words, reading: Reading) -> str:
    ours, shown = words.finetune.reading.right, reading.folders[:_MAX_FOLDERS]
    if not shown:
        return ""
    rows = "".join(_draw_folder(words, each) for each in shown)
    more = len(reading.folders) - len(shown)
    rest = f'<p class="hint">{ours.more_folders.format(count=more)}</p>' if more else ""
    return f"<h4>{ours.folders}</h4><form>{rows}{rest}</form>"


def _draw_folder(words: Words, folder: FolderRead) -> str:
    ours, name = words.finetune.reading.right, html.escape(folder.path)
    options = "".join(_draw_option(role, ours.roles[role], is_chosen=role is folder.role) for role in Role)
    label = html.escape(ours.role.format(folder=folder.path))
    return (
        f'<p class="row"><span>{name} ({folder.num_pictures})</span>'
        f'<select data-pick="role-{mark(folder.path)}" aria-label="{label}">{options}</select></p>'
    )


def _draw_labels(words: Words, reading: Reading) -> str:
    """Return the choice of where the classes stand, where there is more than one place."""
    ours = words.finetune.reading.right
    places = {FOLDERS: ours.labels_folders}
    if reading.labels == NAMES or any(each.doubt is Doubt.NAMES for each in reading.questions):
        places[NAMES] = ours.labels_names
    for table in reading.tables:
        for column in table.columns:
            label = ours.labels_table.format(path=table.path, column=column, count=table.num_pictures)
            places[table.key(column)] = label
    if len(places) == 1:
        return ""
    options = "".join(_draw_option(mark(key), label, is_chosen=key == reading.labels) for key, label in places.items())
    return (
        f'<h4>{ours.labels}</h4><form><p><select data-pick="labels" aria-label="{ours.labels}">{options}</select></p>'
        "</form>"
    )


def list_places(reading: Reading) -> Iterable[str]:
    """Return all that `Choices.labels` can say of a reading."""
    return (FOLDERS, NAMES, *(table.key(column) for table in reading.tables for column in table.columns))


def _draw_join(words: Words, collection: Collection) -> str:
    ours, names = words.finetune.reading.right, [each.name for each in collection.classes]
    if len(names) < 2:
        return ""
    boxes = "".join(
        f'<label><input type="checkbox" data-pick="tick-{mark(each)}" value="{mark(each)}"> {html.escape(each)}</label>'
        for each in names
    )
    return (
        f'<h4>{ours.join}</h4><p class="hint">{ours.join_help}</p>'
        f'<form><div class="ticks" role="group" aria-label="{ours.join}">{boxes}</div>'
        f"<p>{draw_button('join', ours.join_button)}</p></form>"
    )


def _draw_sources(words: Words, reading: Reading) -> str:
    if len(reading.sources) < 2:
        return ""
    ours = words.finetune.reading.right
    buttons = "".join(
        f"<p>{draw_button(f'source-{mark(each)}', ours.remove_source.format(name=each))}</p>"
        for each in reading.sources
    )
    return f"<h4>{ours.sources}</h4>{buttons}"


def _draw_answered(words: Words, reading: Reading) -> str:
    """Return the answers that were given, each with a way to take it back."""
    ours, answers = words.finetune.reading, reading.choices.answers
    rows = "".join(
        f"<p>{html.escape(_describe(words, words.explain(put_question(each)), ours.ask.answers[each.doubt][said]))} "
        f"{draw_button(f'ask-{each.doubt}', ours.right.ask_again)}</p>"
        for each in reading.questions
        if (said := answers.get(each.doubt)) is not None
    )
    return f"<h4>{ours.right.answered}</h4>{rows}" if rows else ""


def _describe(words: Words, question: str, answer: str) -> str:
    return words.finetune.reading.right.answer.format(question=question, answer=answer)


def _draw_option(value: str, label: str, *, is_chosen: bool) -> str:
    return f'<option value="{html.escape(value)}"{" selected" * is_chosen}>{html.escape(label)}</option>'
