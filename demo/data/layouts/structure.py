"""Folders, tables of labels and labels in files' names -> the one of them that gives the classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from demo.data.errors import EntryOutsideClass, UploadError
from demo.data.labels.file_names import find_name_labels
from demo.data.labels.labels import Labelling, LabelsFound
from demo.data.layouts.errors import EntryWithoutLabel, PicturesWithoutFolders
from demo.data.layouts.labelled import lay_out_labelled
from demo.data.layouts.layout import Layout, lay_out
from demo.data.listing import ListedFile, fold, natural_key
from demo.data.reading import FOLDERS, NAMES, Answer, Choices, Doubt, Question
from demo.data.split_words import find_split, is_unlabelled

_ENOUGH = 0.1  # share of the pictures that a table names if its labels are meant: those of the test may have none
_NO_LABELS = {
    *(
        "images",
        "image",
        "img",
        "imgs",
        "pictures",
        "picture",
        "pics",
        "photos",
        "photo",
        "data",
        "files",
        "jpg",
        "jpeg",
    ),
    *("jpegimages", "png", "图片", "图像", "照片", "数据", "画像", "写真", "사진", "이미지", "bilder", "fotos"),
}
_NUM_SUBJECTS = 20  # labels in names that a question names


@dataclass(frozen=True)
class Structure:
    """A layout, where its classes come from (see `Reading.labels`), and why there are none, where that is known."""

    layout: Layout
    labels: str = FOLDERS
    obstacle: UploadError | None = None


def find_structure(files: Sequence[ListedFile], found: LabelsFound, choices: Choices) -> Structure:
    """Find the classes of files: by what the visitor says; or else by folders, by a table, or by names if they may.

    Args:
        files: The files that are, or may be, pictures.
        found: Tables of labels among the other files.
        choices: What the visitor has put right.
    """
    if told := found.choose(choices.labels):
        return _follow_table(files, *told, choices)
    by_names = choices.answers.get(Doubt.NAMES) is Answer.NAMES and not choices.labels
    if by_names or choices.labels == NAMES:
        return _follow_names(files, choices)
    by_folders = lay_out(files, choices)
    if choices.labels == FOLDERS or _is_convincing(by_folders):
        return Structure(by_folders)
    for each in found.labellings:
        if each.table.num_pictures >= _ENOUGH * len(files):
            return _follow_table(files, each, each.table.column, choices)
    if found.refused:
        as_splits = lay_out(files, choices.answer(Doubt.SPLITS, Answer.SPLITS))
        return Structure(replace(as_splits, questions=()), obstacle=found.refused[0][1])
    labels = sorted(set(find_name_labels([file.path for file in files]).values()), key=natural_key)
    if labels:
        question = Question(Doubt.NAMES, tuple(labels[:_NUM_SUBJECTS]))
        return Structure(replace(by_folders, questions=(*by_folders.questions, question)))
    obstacle = None if by_folders.classes else PicturesWithoutFolders(count=len(files))
    return Structure(by_folders, obstacle=obstacle)


def _is_convincing(layout: Layout) -> bool:
    """Say whether folders make classes, and not only splits or places."""
    return len(layout.classes) > 1 and not all(map(_is_no_label, layout.classes))


def _is_no_label(name: str) -> bool:
    return bool(find_split(name)) or is_unlabelled(name) or fold(name) in _NO_LABELS


def _follow_table(files: Sequence[ListedFile], labelling: Labelling, column: str, choices: Choices) -> Structure:
    unlabelled = EntryWithoutLabel(name=labelling.table.path)
    labels, splits = labelling.labels[column], labelling.splits
    layout = lay_out_labelled(files, choices, labels=labels, splits=splits, unlabelled=unlabelled)
    return Structure(layout, labelling.table.key(column))


def _follow_names(files: Sequence[ListedFile], choices: Choices) -> Structure:
    labels: Mapping[str, str] = find_name_labels([file.path for file in files])
    layout = lay_out_labelled(files, choices, labels=labels, splits={}, unlabelled=EntryOutsideClass())
    question = Question(Doubt.NAMES, tuple(sorted(set(labels.values()), key=natural_key)[:_NUM_SUBJECTS]))
    return Structure(replace(layout, questions=(question,)), NAMES)
