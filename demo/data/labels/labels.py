"""Labels that are not folders: tables among the files -> the class of each picture that they name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from demo.data.errors import UploadError
from demo.data.labels.columns import Named, find_file_column, is_hinted, part_header, read_columns
from demo.data.labels.mentions import Finder, PictureIndex
from demo.data.labels.tables import Row, Table, read_table, read_yolo
from demo.data.layouts.errors import BoxesNoClasses, SeveralLabels
from demo.data.reading import LabelTable, Role
from demo.data.split_words import find_split
from demo.settings import MEGABYTE

MAX_TABLE_BYTES = 5 * MEGABYTE  # of one table
MAX_TABLES_BYTES = 10 * MEGABYTE  # of all tables together
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".yaml", ".yml", ".xml", ".names")
_YOLO_SUFFIXES = (".txt", ".yaml", ".yml", ".names")
_NUM_NAMED = 3  # files that the name of a table which consists of several has


@dataclass(frozen=True)
class Labelling:
    """What one table says, or several of one kind, such as `_classes.csv` in each split's folder.

    Attributes:
        table: Its name and columns.
        labels: Column -> path of a picture -> the name of its class, which is never empty.
        splits: Path of a picture -> its split, where a column or the tables' names say it.
        files: The paths of the tables.
    """

    table: LabelTable
    labels: Mapping[str, Mapping[str, str]]
    splits: Mapping[str, Role] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelsFound:
    """The tables of labels among the files, the likeliest first, and the files whose labels are no classes."""

    labellings: tuple[Labelling, ...] = ()
    refused: tuple[tuple[str, UploadError], ...] = ()

    def choose(self, key: str) -> tuple[Labelling, str] | None:
        """Return the labelling and the column that `LabelTable.key` names; None if there is none."""
        keys = {each.table.key(column): (each, column) for each in self.labellings for column in each.table.columns}
        return keys.get(key)


@dataclass(frozen=True)
class _Part:
    """One table of several whose rows are one's, because their columns are the same."""

    path: str
    rows: Sequence[Named]
    split: Role | None


@dataclass(frozen=True)
class _Kind:
    header: Row
    file_column: int
    has_boxes: bool


def may_have_labels(path: str) -> bool:
    """Say whether a file may be a table of labels, by its suffix."""
    return path.lower().endswith(_TABLE_SUFFIXES)


def find_labels(files: Sequence[tuple[str, bytes]], paths: Sequence[str]) -> LabelsFound:
    """Find the tables that give pictures their classes, whatever they are called.

    The column of the files is the one whose values are pictures' paths or names, with or without folders and suffix;
    a column of labels has few distinct values.

    Args:
        files: Paths and contents of the files that may have labels.
        paths: Paths of the pictures.

    Returns:
        The tables. No content raises an error, and the time is linear in the bytes.
    """
    boxes, yolo_files = read_yolo([each for each in files if each[0].lower().endswith(_YOLO_SUFFIXES)])
    tables = [boxes] if boxes else []
    refused: list[tuple[str, UploadError]] = []
    for path, content in files:
        if path.lower().endswith(".xml"):
            if b"<bndbox>" in content:  # Pascal VOC
                refused.append((path, BoxesNoClasses(name=path)))
        elif path not in yolo_files and len(content) <= MAX_TABLE_BYTES and (table := read_table(path, content)):
            tables.append(table)
    labellings = []
    for kind, parts in _group(tables, PictureIndex(paths)).items():
        found = _read_kind(kind, parts)
        if isinstance(found, UploadError):
            refused.append((parts[0].path, found))
        elif found:
            labellings.append(found)
    labellings.sort(key=lambda each: (-each.table.num_pictures, not is_hinted(each.table.column), each.table.path))
    return LabelsFound(tuple(labellings), tuple(refused))


def _group(tables: Iterable[Table], index: PictureIndex) -> Mapping[_Kind, list[_Part]]:
    """Put the tables that name pictures together if they are of one kind."""
    groups: dict[_Kind, list[_Part]] = defaultdict(list)
    for table in tables:
        folder, _, name = table.path.rpartition("/")
        split = find_split(name.partition(".")[0])
        finder = Finder(index, folder, split)
        file_column = find_file_column(table, finder)
        if file_column is None:
            continue
        header, rows = part_header(table, file_column, finder)
        named = [Named(picture, row) for row in rows if (picture := finder.find(row[file_column]))]
        groups[_Kind(header, file_column, table.has_boxes)].append(_Part(table.path, named, split))
    return groups


def _read_kind(kind: _Kind, parts: Sequence[_Part]) -> Labelling | UploadError | None:
    """Read tables of one kind; the error says why their labels cannot be classes, None that they have no labels."""
    rows = [row for part in parts for row in part.rows]
    files = tuple(part.path for part in parts)
    name = ", ".join(files[:_NUM_NAMED]) + (", …" if len(files) > _NUM_NAMED else "")
    columns = read_columns(kind.header, rows, file_column=kind.file_column, has_boxes=kind.has_boxes)
    if not columns.labels:
        if kind.has_boxes:
            return BoxesNoClasses(name=name)
        return SeveralLabels(name=name) if columns.has_several else None
    are_splits = len({part.split for part in parts}) > 1  # train.csv, test.csv
    by_name = {row.picture: part.split for part in parts if part.split for row in part.rows} if are_splits else {}
    first, labels = next(iter(columns.labels.items()))
    table = LabelTable(name, first, tuple(columns.labels), len(labels))
    return Labelling(table, columns.labels, {**by_name, **columns.splits}, files)
