"""Untrusted text files -> rows of cells: CSV and its kin, JSON, JSON lines, COCO's and YOLO's boxes."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Any

from demo.data.names import decode_text

# A table of five hundred pictures needs a hundredth of these; what is beyond them is not read.
_MAX_ROWS = 200_000
_MAX_COLUMNS = 200
_MAX_CELLS = 2_000_000
_MAX_CELL_LENGTH = 300
_SAMPLE_LENGTH = 20_000  # characters by which the character between the cells is found
_DELIMITERS = ",;\t|"
_SHARE_OF_ROWS = 0.8  # rows that have to have the same number of cells
_BOX_COLUMNS = {"xmin", "ymin", "xmax", "ymax", "bbox", "box", "x_min", "y_min", "x_max", "y_max"}
_NUMBER = re.compile(r"-?\d{0,9}(\.\d{0,20})?([eE]-?\d{1,3})?")
_YAML_NAMES = re.compile(r"^names[ \t]*:[ \t]*(\[[^\]]*\])?", re.MULTILINE)
_YAML_NAME = re.compile(r"[ \t]*(?:-|\d+[ \t]*:)[ \t]+(.*)")

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of as many cells each; `header` names the columns, or is empty where the first row may do so.

    `has_boxes` says that its rows are boxes in pictures, and not pictures.
    """

    path: str
    rows: Sequence[Row]
    header: Row = ()
    has_boxes: bool = False


def read_table(path: str, content: bytes) -> Table | None:
    """Read the rows of an untrusted file; the suffix of its path says how. None if there are none.

    The time is linear in the bytes, and no content raises an error.
    """
    suffix = path.rpartition(".")[2].lower()
    text = decode_text(content)
    if suffix in ("csv", "tsv", "txt"):
        rows = _split_rows(text, is_list=suffix == "txt")
        return _make_table(path, rows)
    with suppress(ValueError, RecursionError):  # broken, or nested without end
        if suffix == "jsonl":
            return _read_records(path, [json.loads(line) for line in islice(text.splitlines(), _MAX_ROWS) if line])
        if suffix == "json":
            return _read_json(path, json.loads(text))
    return None


def read_yolo(files: Iterable[tuple[str, bytes]]) -> tuple[Table | None, list[str]]:
    """Read the boxes that stand in a text file for each picture, and the names of their classes.

    Args:
        files: Paths and contents of text files, and of data.yaml or classes.txt.

    Returns:
        A table of the pictures' paths, without their suffixes, and the classes of their boxes, or None; and the paths
        of the files that have boxes.

    Source:
        https://docs.ultralytics.com/datasets/detect/
    """
    names: list[str] = []
    boxes: list[tuple[str, int]] = []
    used: list[str] = []
    for path, content in files:
        name = path.rpartition("/")[2].lower()
        if name.endswith((".yaml", ".yml")):
            names = _read_yaml_names(decode_text(content)) or names
        elif name in ("classes.txt", "obj.names"):
            names = names or [line.strip() for line in islice(decode_text(content).splitlines(), _MAX_COLUMNS)]
        elif found := _read_boxes(content):
            boxes += [(_picture_of(path), number) for number in found]
            used.append(path)
    numbered = [(path, names[number] if number < len(names) else str(number)) for path, number in boxes]
    folder = used[0].rpartition("/")[0] + "/*.txt" if used else ""
    return (Table(folder, numbered, ("file", "class"), has_boxes=True) if numbered else None), used


def _picture_of(path: str) -> str:
    """Return the path of the picture to which a file of boxes belongs: it lies in `images` instead of `labels`."""
    *folders, name = path.rpartition(".")[0].split("/")
    return "/".join([*("images" if folder.lower() == "labels" else folder for folder in folders), name])


def _read_boxes(content: bytes) -> list[int]:
    """Return the numbers of the classes of boxes, without repeats; empty if there is any line that is no box."""
    numbers: set[int] = set()
    for line in content.decode("ascii", "replace").splitlines():
        first, *places = line.split() or [""]
        if first and not (first.isdigit() and len(first) < 6 and len(places) > 3 and all(map(_is_number, places))):
            return []
        numbers |= {int(first)} if first else set()
    return sorted(numbers)


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text))


def _read_yaml_names(text: str) -> list[str]:
    """Return the list `names` of a data.yaml, in one line or in several; nothing else of YAML is read."""
    start = _YAML_NAMES.search(text)
    if start is None:
        return []
    if start[1]:
        names = start[1][1:-1].split(",")
    else:
        lines = text[start.end() :].splitlines()[1:]
        found = [_YAML_NAME.fullmatch(line) for line in islice(lines, _MAX_COLUMNS)]
        end = found.index(None) if None in found else len(found)
        names = [each[1] for each in found[:end] if each]
    return [name.strip().strip("'\"") for name in names[:_MAX_COLUMNS]]


def _make_table(path: str, rows: Sequence[Row]) -> Table | None:
    """Make a table of the rows that have as many cells as most."""
    rows = list(dropwhile(lambda row: sum(map(bool, row)) < 2, rows))  # a title, or Excel's "sep=;"
    if not rows or (width := _find_width(rows)) < 2:
        return None
    padded = [(*row, *[""] * (width - len(row)))[:width] for row in rows[: _MAX_CELLS // width]]
    return Table(path, padded, has_boxes=_has_boxes(rows[0]))


def _has_boxes(header: Iterable[str]) -> bool:
    return any(cell.lower() in _BOX_COLUMNS for cell in header)


def _find_width(rows: Sequence[Row]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _split_rows(text: str, *, is_list: bool) -> list[Row]:
    """Split a text into cells, by the character that gives most rows the same number of them.

    In a list, blanks may do so: then the last of the words in a line is one cell, and the words before it the other.
    """
    sample = text[:_SAMPLE_LENGTH]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1] or sample
    best = max(_DELIMITERS, key=lambda delimiter: _rate(_split_by(sample, delimiter)))
    share, width = _rate(_split_by(sample, best))
    if share >= _SHARE_OF_ROWS and width > 1:
        return _split_by(text, best)
    lines = islice(text.splitlines(), _MAX_ROWS)
    return [tuple(_shorten(line.rsplit(None, 1))) for line in lines if line.strip()] if is_list else []


def _rate(rows: Sequence[Row]) -> tuple[float, int]:
    """Return the share of rows that have as many cells as most, 0 to 1 (0 if that is one cell), and that number."""
    if not rows:
        return 0.0, 0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return (count / len(rows) if width > 1 else 0.0), width


def _split_by(text: str, delimiter: str) -> list[Row]:
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):  # a quote that is never closed makes one cell of all the rest
        with suppress(csv.Error):
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
            rows = [tuple(_shorten(row)) for row in islice(reader, _MAX_ROWS)]
            return [row for row in rows if any(row)]
    return []


def _shorten(cells: Iterable[str]) -> Iterable[str]:
    return (cell[:_MAX_CELL_LENGTH].strip() for cell in islice(cells, _MAX_COLUMNS))


def _read_json(path: str, value: Any) -> Table | None:
    """Read records, a mapping from pictures to labels or the other way round, or COCO's file of boxes."""
    if isinstance(value, list):
        return _read_records(path, value)
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("images"), list) and isinstance(value.get("annotations"), list):
        return _read_coco(path, value)
    if value and all(isinstance(each, dict) for each in value.values()):
        return _read_records(path, [{"file": key, **each} for key, each in islice(value.items(), _MAX_ROWS)])
    lists = [each for each in value.values() if isinstance(each, list)]
    if len(lists) == 1 and lists[0] and isinstance(lists[0][0], dict):
        return _read_records(path, lists[0])
    pairs: list[Row] = []
    for key, each in islice(value.items(), _MAX_ROWS):
        if isinstance(each, list):
            pairs += [(_put_in_cell(one), key) for one in islice(each, _MAX_ROWS - len(pairs))]
        elif not isinstance(each, dict):
            pairs.append((key, _put_in_cell(each)))
    return Table(path, [tuple(_shorten(pair)) for pair in pairs], ("file", "label")) if pairs else None


def _read_records(path: str, records: Sequence[Any]) -> Table | None:
    """Make a table of records: a column for each key, and a row for each label of a record that lists several."""
    dicts = [each for each in islice(records, _MAX_ROWS) if isinstance(each, dict)]
    header = tuple(islice(dict.fromkeys(key for each in dicts[:100] for key in each), _MAX_COLUMNS))
    if len(header) < 2:
        return None
    rows: list[Row] = []
    for each in dicts:
        columns = [value if isinstance(value := each.get(key), list) else [value] for key in header]
        depth = max(1, *(len(column) for column in columns))
        last = min(depth, _MAX_COLUMNS, _MAX_CELLS // len(header) - len(rows))
        rows += [
            tuple(_shorten(_put_in_cell(column[min(number, len(column) - 1)] if column else "") for column in columns))
            for number in range(last)
        ]
    return Table(path, rows, tuple(_shorten(header)), has_boxes=_has_boxes(header))


def _put_in_cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else ""


def _read_coco(path: str, value: Mapping[str, Any]) -> Table:
    """Make a table of pictures and the categories of their boxes.

    Source:
        https://cocodataset.org/#format-data
    """

    def look_up(key: str, name: str) -> dict[str, str]:
        found = value.get(key)
        records = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        return {_put_in_cell(each.get("id")): _put_in_cell(each.get(name)) for each in records}

    pictures, categories = look_up("images", "file_name"), look_up("categories", "name")
    boxes = [each for each in islice(value["annotations"], _MAX_ROWS) if isinstance(each, dict)]
    places = [(_put_in_cell(each.get("image_id")), _put_in_cell(each.get("category_id"))) for each in boxes]
    rows = [(pictures.get(picture, ""), categories.get(category, category)) for picture, category in places]
    return Table(path, [tuple(_shorten(row)) for row in rows], ("file_name", "categories"), has_boxes=True)
