"""Heads that mean harm, made here, so that none lies in the repository; `tests/attacks.py` has the other files."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Sequence
from typing import Any

from demo.errors import DemoError
from demo.models.errors import HeadClassCount, HeadClassName, HeadFileDamaged, HeadTensorUnknown, NotAHeadFile
from demo.models.headfile import FILE_NAME, max_file_bytes, read_head
from demo.settings import Settings
from tests.attacks import (
    ARCHIVES,
    PICTURES,
    SETTINGS,
    Attack,
    End,
    Outcome,
    Raw,
    many_entries,
    nested,
    overlapping,
    pack,
)
from tests.models.test_headfile import GOOD, in_zip, put_together, take_apart


def try_head(content: bytes, settings: Settings = SETTINGS) -> Outcome:
    """Read a head; return the error that refuses it."""
    try:
        read_head(content, settings)
    except DemoError as error:
        return error
    return None


# Pictures


MARKER = "pickle-was-opened"


class Payload:
    """What a pickle does when it is opened: it writes a file."""

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (MARKER, "w")


def in_torch_zip(content: bytes) -> bytes:
    """Return what torch.save writes, with another pickle in it, as a zip that holds a head's name as well."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr(FILE_NAME, content)
    return buffer.getvalue()


def with_header(**values: Any) -> bytes:
    header, data = take_apart(GOOD)
    return put_together(header | values, data)


def with_texts(**texts: str) -> bytes:
    header, _ = take_apart(GOOD)
    return with_header(__metadata__=header["__metadata__"] | texts)


def beginning_well(num_bytes: int) -> bytes:
    """Return a head that goes on with zeros."""
    return GOOD + bytes(num_bytes - len(GOOD))


LARGEST = max_file_bytes(SETTINGS)

HEADS: dict[str, Attack] = {
    "a pickle": Attack(lambda: pickle.dumps(Payload()), NotAHeadFile),
    "a pickle in torch's zip": Attack(lambda: in_torch_zip(pickle.dumps(Payload())), NotAHeadFile),
    "a pickle behind a header": Attack(lambda: put_together(pickle.dumps(Payload()), b""), NotAHeadFile),
    "a header of 2^63 bytes": Attack(lambda: struct.pack("<Q", 2**63) + GOOD[8:], NotAHeadFile),
    "a header of 2^64 - 1 bytes": Attack(lambda: struct.pack("<Q", 2**64 - 1) + GOOD[8:], NotAHeadFile),
    "a header of 200 kB of brackets": Attack(
        lambda: put_together(b'{"a":' + b"[" * 200_000 + b"]" * 40_000 + b"}", b""), HeadFileDamaged
    ),
    "a header of 30,000 tensors": Attack(
        lambda: put_together(json.dumps({str(each): 0 for each in range(20_000)}).encode(), b""), NotAHeadFile
    ),
    "a header of numbers of 4,000 digits": Attack(
        lambda: put_together(b'{"a":[' + b",".join([b"9" * 4_000] * 60) + b"]}", b""), NotAHeadFile
    ),
    "a tensor of 2^62 numbers": Attack(
        lambda: with_header(more={"dtype": "F32", "shape": [2**62], "data_offsets": [0, 2**64 - 1]}), HeadTensorUnknown
    ),
    "20,000 classes": Attack(lambda: with_texts(classes=json.dumps([str(n) for n in range(20_000)])), HeadClassCount),
    "a class of 100,000 letters": Attack(lambda: with_texts(classes=json.dumps(["a", "b" * 100_000])), HeadClassName),
    "a class that takes long to compose": Attack(
        lambda: with_texts(classes=json.dumps(["a", "a" + "\u0301\u0316" * 10_000])), HeadClassName
    ),
    "170 MB of zeros in a zip": Attack(lambda: in_zip(bytes(LARGEST)), HeadFileDamaged),
    "a head and 170 MB of zeros in a zip": Attack(lambda: in_zip(beginning_well(LARGEST)), HeadFileDamaged),
    "zeros that say they are few": Attack(
        lambda: pack([Raw.deflated(FILE_NAME.encode(), bytes(50_000_000), size=1000)]), HeadFileDamaged
    ),
    "a thousand files in the same bytes": Attack(lambda: overlapping(1_000, 100_000), NotAHeadFile),
    "60,000 entries that say they are one": Attack(lambda: many_entries(60_000, End(count=1)), NotAHeadFile),
    "60,000 entries behind a record of zip64": Attack(
        lambda: many_entries(60_000, End(count=1, num_bytes=0, count_64=1)), NotAHeadFile
    ),
    "a head in a zip in a zip": Attack(lambda: in_zip(in_zip(GOOD), "head.zip"), NotAHeadFile),
    "zips in zips in zips": Attack(lambda: in_zip(nested(3)), NotAHeadFile),
    "a header beyond the end of the file": Attack(
        lambda: pack([Raw(FILE_NAME.encode(), GOOD, offset=2**31)]), HeadFileDamaged
    ),
}

DOORS: Sequence[tuple[str, dict[str, Attack]]] = (("picture", PICTURES), ("zip", ARCHIVES), ("head", HEADS))
