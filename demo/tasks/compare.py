"""Several networks on the same pictures: side by side, and as a table."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from demo.data.errors import UploadError
from demo.data.formats.tones import Note
from demo.tasks.predict import Prediction

MIN_NETWORKS, MAX_NETWORKS = 2, 4
# A cell that begins with one of these is a formula to a spreadsheet (OWASP, "CSV Injection").
_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, eq=False)
class PictureRow:
    """One picture of a batch: its name, and the prediction of each network, or the reason why it cannot be read.

    The prediction of a network whose weights are not here is None. `notes` are on how the picture was read.
    """

    name: str
    predictions: tuple[Prediction | None, ...] | UploadError
    notes: tuple[Note, ...] = ()


def find_agreed(predictions: Sequence[Prediction]) -> set[str]:
    """Return the class names that are among the best of every network."""
    counted = Counter(name for each in predictions for name in {best.class_name for best in each.top})
    return {name for name, count in counted.items() if count == len(predictions)}


def agree(predictions: Sequence[Prediction]) -> bool:
    """Say whether all networks put the same class first."""
    return len({each.top[0].class_name for each in predictions}) == 1


def to_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Write a table that spreadsheets read as text, never as formulas.

    Returns:
        CSV in UTF-8 with a byte order mark, without which Excel garbles Chinese.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_BEGINNINGS) else cell
