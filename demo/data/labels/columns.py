"""Columns of a table, by content: which names the pictures, which gives their labels, which their splits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from demo.data.labels.mentions import PICTURE_SUFFIXES, Finder
from demo.data.labels.tables import Row, Table
from demo.data.names import clean_name
from demo.data.reading import Role
from demo.data.split_words import find_split

_MIN_SHARE = 0.5  # share of the pictures, or of a column's values, that makes it the column of the files
# Distinct values for each picture that a column of labels has at most, if it is called as labels are, and if not.
_MAX_SHARE_HINTED, _MAX_SHARE = 0.7, 0.45
_MAX_SEVERAL_SHARE = 0.05  # pictures with several labels that a column of labels may have; they have none then
_MAX_COLUMN_LENGTH = 40
_MAX_SPLIT_WORDS = 10  # words for splits in one column
# What columns of labels are called, or a part of it.
_LABEL_WORDS = (
    *("label", "class", "klasse", "categor", "target", "species", "breed", "diagnos", "grade", "digit", "etiquet"),
    *("标签", "類", "类", "品种", "品種", "ラベル", "クラス", "라벨", "레이블"),
)
_TRUTHS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Named:
    """A row of a table, and the path of the picture that it names."""

    picture: str
    cells: Row


@dataclass(frozen=True)
class Columns:
    """What the columns of a table say.

    Attributes:
        labels: Column -> path of a picture -> its label; the likeliest column first.
        splits: Path of a picture -> its split.
        has_several: Whether there are columns that would be labels if each picture had only one.
    """

    labels: Mapping[str, Labels] = field(default_factory=dict)
    splits: Mapping[str, Role] = field(default_factory=dict)
    has_several: bool = False


def is_hinted(column: str) -> bool:
    """Say whether a column is called as labels are."""
    return any(word in column.casefold() for word in _LABEL_WORDS)


def find_file_column(table: Table, finder: Finder) -> int | None:
    """Return the column that names most pictures, or None if none names enough of them.

    Values that end as pictures' names do count for more than numbers, and shorter ones for more than sentences.
    """
    ranked = []
    for column, cells in enumerate(zip(*table.rows, strict=True)):
        distinct = set(cells)
        found = {picture for cell in distinct if (picture := finder.find(cell))}
        if len(found) > 1 and len(found) >= _MIN_SHARE * min(len(distinct), finder.num_pictures):
            num_suffixes = sum(map(_has_picture_suffix, distinct))
            ranked.append((num_suffixes < len(found), -len(found), sum(map(len, distinct)), column))
    return min(ranked)[-1] if ranked else None


def _has_picture_suffix(cell: str) -> bool:
    return cell.rpartition(".")[2].lower() in PICTURE_SUFFIXES


def part_header(table: Table, file_column: int, finder: Finder) -> tuple[Row, Sequence[Row]]:
    """Return the names of the columns and the rows below; columns without a name have their number."""
    header, rows = table.header, table.rows
    first = rows[0][file_column]
    if not header and not finder.find(first) and not _has_picture_suffix(first):
        header, rows = rows[0], rows[1:]
    names: dict[str, None] = {}
    for number in range(len(table.rows[0])):
        name = clean_name(header[number])[:_MAX_COLUMN_LENGTH] if header else ""
        names[name if name and name not in names else str(number + 1)] = None
    return tuple(names), rows


def read_columns(header: Row, rows: Sequence[Named], *, file_column: int, has_boxes: bool) -> Columns:
    """Tell labels from splits and from all else.

    Args:
        header: Names of the columns.
        rows: The rows that name a picture.
        file_column: The column of the files.
        has_boxes: Whether the rows are boxes in pictures: then each picture must have boxes of one class only.

    Returns:
        The columns of labels and the splits.
    """
    columns = {name: column for column, name in enumerate(header) if column != file_column}
    values = {name: _distinct(rows, column) for name, column in columns.items()}
    splits: dict[str, Role] = {}
    plain, truths = [], []
    for name, column in columns.items():
        if roles := _find_splits(name, values[name]):
            told = ((row.picture, roles.get(_fold(row.cells[column]))) for row in rows)
            splits |= {picture: role for picture, role in told if role}
        elif _is_truth(name, values[name]):
            truths.append(name)
        else:
            plain.append(name)
    one_hot, has_several = _read_one_hot({name: columns[name] for name in truths}, rows) if truths[1:] else ({}, False)
    found: dict[str, Labels] = {}
    most = 0.0 if has_boxes else _MAX_SEVERAL_SHARE
    for name in (*plain, *(truths if len(truths) == 1 else ())):
        labels, num_several = _collect(rows, columns[name])
        if num_several > most * (len(labels) + num_several):
            has_several = has_several or is_hinted(name)
        elif _are_labels(labels, _MAX_SHARE_HINTED if is_hinted(name) else _MAX_SHARE):
            found[name] = labels
    likely = {
        name: found[name] for name in sorted(filter(is_hinted, found), key=lambda name: _are_numbers(values[name]))
    }
    words = {name: found[name] for name in found if not _may_be_measured(name, values[name])}
    measured = {} if has_boxes or not (likely or words or one_hot) else found
    return Columns({**likely, **one_hot, **words, **measured}, splits, has_several)


def _distinct(rows: Iterable[Named], column: int) -> set[str]:
    return {_fold(row.cells[column]) for row in rows} - {""}


def _fold(cell: str) -> str:
    return cell.strip().casefold()


def _find_splits(name: str, values: set[str]) -> Mapping[str, Role]:
    """Return the split that each value of a column means, or nothing if the column is of something else."""
    if _fold(name).startswith("is_") and values <= _TRUTHS.keys() and (split := find_split(name[3:])):
        return {value: split if _TRUTHS[value] else Role.TRAIN for value in values}
    roles = {value: find_split(value) for value in values} if len(values) <= _MAX_SPLIT_WORDS else {}
    return {value: role for value, role in roles.items() if role} if all(roles.values()) else {}


def _is_truth(name: str, values: set[str]) -> bool:
    return bool(values) and values <= _TRUTHS.keys() and _fold(name) not in _LABEL_WORDS


def _read_one_hot(columns: Mapping[str, int], rows: Sequence[Named]) -> tuple[Mapping[str, Labels], bool]:
    """Read a column of noughts and ones for each class; say as well whether pictures are in several classes."""
    labels: dict[str, str] = {}
    several: set[str] = set()
    for row in rows:
        true = [name for name, column in columns.items() if _TRUTHS.get(_fold(row.cells[column]))]
        if len(true) > 1 or labels.get(row.picture, *true[:1]) not in true[:1]:
            several.add(row.picture)
        elif true:
            labels[row.picture] = true[0]
    if len(several) > _MAX_SEVERAL_SHARE * (len(labels) + len(several)):
        return {}, True
    kept = {picture: name for picture, name in labels.items() if picture not in several}
    if len(set(kept.values())) < 2:
        return {}, False
    title = ", ".join(columns)
    return {title if len(title) <= _MAX_COLUMN_LENGTH else title[: _MAX_COLUMN_LENGTH - 1] + "…": kept}, False


def _collect(rows: Iterable[Named], column: int) -> tuple[Labels, int]:
    """Return the label of each picture that has one, and the number of those that have several."""
    names: dict[str, str] = {}
    labels: dict[str, str] = {}
    several: set[str] = set()
    for row in rows:
        cell = row.cells[column]
        name = names[cell] if cell in names else names.setdefault(cell, clean_name(cell))
        if name and labels.setdefault(row.picture, name) != name:
            several.add(row.picture)
    return {picture: name for picture, name in labels.items() if picture not in several}, len(several)


def _are_labels(labels: Labels, share: float) -> bool:
    distinct = set(labels.values())
    has_fractions = all(_is_fraction(label) for label in distinct)
    return 2 <= len(distinct) <= share * len(labels) and not has_fractions


def _may_be_measured(name: str, values: set[str]) -> bool:
    """Say whether a column of numbers may be widths, ages or places: labels only where there are others beside them."""
    is_named = not name.isdecimal()
    return is_named and not is_hinted(name) and _are_numbers(values) and not values <= _TRUTHS.keys()


def _are_numbers(values: Iterable[str]) -> bool:
    return all(value.replace(".", "", 1).lstrip("-").isdecimal() for value in values)


def _is_fraction(value: str) -> bool:
    whole, _, fraction = value.partition(".")
    return whole.lstrip("-").isdecimal() and fraction.isdecimal() and bool(fraction.strip("0"))
