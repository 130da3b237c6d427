"""Files that say which class each picture has, in the ways that programs and people write them."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence

Rows = Sequence[tuple[str, str]]  # what a picture is called, and its class


def write_csv(rows: Rows, *, delimiter: str = ",", header: Sequence[str] = ("file", "label")) -> str:
    """Write two columns, with a header or none."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([*([header] if header else []), *rows])
    return buffer.getvalue()


def write_wide_csv(rows: Rows) -> str:
    """Write labels among other columns: a number, a size, a caption."""
    wide = [(n, f"{n} of {file}", 640 + n % 2, label, file) for n, (file, label) in enumerate(rows)]
    return write_csv(wide, header=("", "caption", "width", "category", "image"))  # type: ignore[arg-type]


def write_one_hot(rows: Rows) -> str:
    """Write a column for each class, as Roboflow does."""
    labels = sorted({label for _, label in rows})
    lines = [", ".join(("filename", *labels))]
    lines += [", ".join((file, *(str(int(label == each)) for each in labels))) for file, label in rows]
    return "\n".join(lines) + "\n"


def write_lines(rows: Rows) -> str:
    """Write a path and a label a line, with a blank between them."""
    return "".join(f"{file} {label.replace(' ', '_')}\n" for file, label in rows)


def write_json_lines(rows: Rows) -> str:
    """Write a record a line, as Hugging Face does."""
    return "".join(json.dumps({"file_name": file, "label": label}, ensure_ascii=False) + "\n" for file, label in rows)


def write_mapping(rows: Rows) -> str:
    """Write one JSON object of files and labels."""
    return json.dumps(dict(rows))


def write_groups(rows: Rows) -> str:
    """Write one JSON object of labels and lists of files."""
    labels = sorted({label for _, label in rows})
    return json.dumps({each: [file for file, label in rows if label == each] for each in labels})


def write_keyed(rows: Rows) -> str:
    """Write one JSON object with a record for each file."""
    return json.dumps({file: {"label": label, "size": 1000 + number} for number, (file, label) in enumerate(rows)})


def write_coco(rows: Rows) -> str:
    """Write COCO's boxes: two of the same class in each picture."""
    labels = sorted({label for _, label in rows})
    boxes = [{"image_id": n, "category_id": labels.index(rows[n][1]), "bbox": [0, 0, 4, 4]} for n in range(len(rows))]
    return json.dumps(
        {
            "images": [{"id": number, "file_name": file} for number, (file, _) in enumerate(rows)],
            "annotations": [*boxes, *boxes],
            "categories": [{"id": number, "name": each} for number, each in enumerate(labels)],
        }
    )


# Name of the file -> what writes its text.
WRITERS: Mapping[str, Callable[[Rows], str]] = {
    "labels.csv": write_csv,
    "annotations.csv": lambda rows: write_csv(rows, delimiter=";", header=("Dateiname", "Klasse")),
    "标签.csv": lambda rows: write_csv(rows, header=("文件名", "标签")),
    "data.tsv": lambda rows: write_csv(rows, delimiter="\t", header=("image_id", "target")),
    "train.csv": write_wide_csv,
    "headless.csv": lambda rows: write_csv(rows, header=()),
    "_classes.csv": write_one_hot,
    "list.txt": write_lines,
    "metadata.jsonl": write_json_lines,
    "labels.json": write_mapping,
    "classes.json": write_groups,
    "annotations.json": write_keyed,
    "_annotations.coco.json": write_coco,
}
