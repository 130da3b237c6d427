"""What a program sends as a file: the path of an upload or of an answer, or a data URL. It is lent, and gone."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from demo.data.errors import NoImage
from demo.data.images import Decoded, decode_image
from demo.errors import DemoError
from demo.models.errors import NoHeadFile
from demo.models.head import Head
from demo.models.headfile import max_file_bytes, read_head
from demo.settings import Settings
from demo.ui.parts.markup import encode_png
from demo.ui.server.errors import AddressRefused, DataUrlUnreadable, FileNotSent
from demo.ui.server.internals import get_upload_folder
from demo.ui.server.uploads import ANSWERS, keep_file, lies_in, taken_file

_SHOWN_LENGTH = 40  # of what is no file, in the sentence that says so
_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # two letters, for C:/ is no address


@contextmanager
def sent_file(payload: Any, nothing: type[DemoError]) -> Iterator[tuple[Path, str]]:
    """Lend what a program sent as a file, and its name; it is deleted then, but an answer stays until it is swept.

    Args:
        payload: gradio's file data without its `meta` (see `Door`): a dict with `path`, or with a data URL as `url`;
            or one of these two as a text.
        nothing: Error to raise if there is no file.

    Raises:
        UploadGone: If it was deleted, or is no upload.
        FileNotSent, AddressRefused, DataUrlUnreadable: If it is no file at all.
        DiskFull: If there is no room for the content of a data URL.
    """
    given = payload if isinstance(payload, dict) else {"path": payload}
    text = given.get("path") or given.get("url")
    if not text:
        raise nothing()
    if not isinstance(text, str):
        raise FileNotSent(value=str(text)[:_SHOWN_LENGTH])
    if _ADDRESS.match(text):
        raise AddressRefused(address=text.strip()[:_SHOWN_LENGTH])
    name = str(given.get("orig_name") or ("data" if text.startswith("data:") else Path(text).name))
    if text.startswith("data:"):
        text = str(_keep_data(text))
    elif lies_in(Path(text), ANSWERS):
        yield Path(text), name
        return
    elif not isinstance(payload, dict) and not text.startswith(get_upload_folder()):
        raise FileNotSent(value=text[:_SHOWN_LENGTH])
    with taken_file({"path": text, "orig_name": name}, nothing) as lent:
        yield lent


def read_picture(payload: Any, settings: Settings) -> Decoded:
    """Return the picture that a program sent, with notes on how it was read.

    Raises:
        NoImage, ImageError: If there is none, or it cannot be read.
        RequestError: As `sent_file`.
    """
    with sent_file(payload, NoImage) as (path, name):
        return decode_image(path, settings, name=name)


def read_sent_head(payload: Any, settings: Settings) -> Head | None:
    """Return the head that a program sent, checked like any that is brought back; None where it sent none.

    Raises:
        HeadFileError: If it is none that can be used here.
        RequestError: As `sent_file`.
    """
    if payload in (None, "", {}, []):
        return None
    with sent_file(payload, NoHeadFile) as (path, _), path.open("rb") as content:  # never more than could be right
        return read_head(content.read(max_file_bytes(settings) + 1), settings)


def answer_file(content: bytes, name: str) -> str:
    """Write a file that a program is answered with, and return its path.

    Raises:
        DiskFull: If there is no room for it.
    """
    return str(keep_file(content, name, place=ANSWERS))


def answer_picture(picture: Image.Image, name: str) -> str:
    """Write a picture that a program is answered with as a PNG, and return its path."""
    return answer_file(encode_png(picture), f"{name}.png")


def _keep_data(url: str) -> Path:
    """Decode a data URL into a folder of its own among the uploads."""
    kind, _, encoded = url.partition(",")
    try:
        if not kind.endswith(";base64"):
            raise ValueError
        content = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise DataUrlUnreadable(value=url[:_SHOWN_LENGTH]) from error
    return keep_file(content, "data", place="")
