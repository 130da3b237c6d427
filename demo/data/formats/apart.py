"""Pictures of rare formats, decoded in a process of their own: what goes wrong there ends that process alone.

The decoders of HEIC and TIFF have a record of holes, and a hostile file can make them compute for minutes.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from demo.data.errors import ImageDamaged, NotAnImage
from demo.data.formats import worker
from demo.data.formats.errors import IsOddKind, IsUndecoded
from demo.data.formats.limits import too_large
from demo.data.formats.loaded import Loaded
from demo.data.formats.worker import HEADER, PLANE
from demo.data.kinds import Kind
from demo.settings import MEGABYTE, Settings

APART = (Kind.HEIC, Kind.TIFF)

# A phone's photograph of 48 million pixels takes a tenth of the time, and half of the memory.
_MAX_S = 30
_MAX_BYTES = 1000 * MEGABYTE
_PROJECT = Path(__file__).resolve().parents[3]

# Of the many items that a HEIC file may hold, a photograph is one coded picture, or a grid of them, and its opacity.
# All else that could be decoded, and the tracks of a video, is given names that nobody knows.
_HEIC_ITEM = re.compile(rb"(infe\x02.{7}|infe\x03.{9})(?!hvc1|grid|iden)....", re.DOTALL)
_HEVC = b"hvc1"  # how the pictures of phones are coded; there are HEIF files of others


def decode_apart(content: bytes, kind: Kind, settings: Settings, *, name: str) -> Loaded:
    """Decode a HEIC picture, or the first page of a TIFF, upright.

    Args:
        content: The file.
        kind: HEIC or TIFF.
        settings: Limits on pixels and sides, and the size that is kept.
        name: Name of the picture in errors.

    Returns:
        The picture, upright, at no less than twice the size that is kept unless it is smaller.

    Raises:
        ImageTooLarge: If it has too many pixels by its header.
        ImageDamaged: If it cannot be decoded, or not within memory and time.
        NotAnImage: If it is of a kind that is not decoded, or there is no decoder.
    """
    needed = narrow_heic(content) if kind is Kind.HEIC else content
    if needed is None:
        raise ImageDamaged(name=name)
    if kind is Kind.HEIC and _HEVC not in needed:
        raise NotAnImage(name=name, what=IsOddKind(format=kind.value))
    answer = _ask(needed, kind, settings)
    status, *size = HEADER.unpack_from(answer)
    match status:
        case worker.DONE:
            image, *low = _unpack(answer, (size[0], size[1]))
            return Loaded(image, low[0] if low else None)
        case worker.TOO_LARGE:
            raise too_large(f"{size[0]} x {size[1]}", settings, name)
        case worker.NO_DECODER:
            raise NotAnImage(name=name, what=IsUndecoded())
        case worker.UNKNOWN:
            raise NotAnImage(name=name, what=IsOddKind(format=kind.value))
    raise ImageDamaged(name=name)


def _ask(content: bytes, kind: Kind, settings: Settings) -> bytes:
    """Return what the process answers; one that was ended has found the picture damaged."""
    limits = {
        "kind": kind,
        "pixels": settings.max_image_pixels,
        "side": settings.max_image_side_px,
        "short": settings.photo_short_side_px,
        "long": settings.photo_long_side_px,
        "bytes": _MAX_BYTES,
        "seconds": _MAX_S,
    }
    command = [sys.executable, "-m", worker.__name__, json.dumps(limits)]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join([str(_PROJECT), *sys.path])}
    try:
        return subprocess.run(
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=paths,
            timeout=2 * _MAX_S,
            check=True,
        ).stdout
    except subprocess.SubprocessError:
        return HEADER.pack(worker.DAMAGED, 0, 0)


def _unpack(answer: bytes, size: tuple[int, int]) -> Iterator[Image.Image]:
    place = HEADER.size
    while place < len(answer):
        mode, length = PLANE.unpack_from(answer, place)
        place += PLANE.size
        yield Image.frombytes(mode.rstrip(b"\0").decode(), size, memoryview(answer)[place : place + length])
        place += length


def narrow_heic(content: bytes) -> bytes | None:
    """Rename what is not needed of a HEIC file, without changing any byte's place; None if its end is missing.

    Of a grid whose end is missing the decoder would return the part that is there.
    """
    narrow, place = bytearray(_HEIC_ITEM.sub(rb"\1none", content)), 0
    while place + 16 <= len(narrow):
        length, kind = int.from_bytes(narrow[place : place + 4], "big"), bytes(narrow[place + 4 : place + 8])
        if length == 1:
            length = int.from_bytes(narrow[place + 8 : place + 16], "big")
        if kind in (b"meta", b"mdat") and place + length > len(narrow):
            return None
        if kind == b"moov":
            narrow[place + 4 : place + 8] = b"free"
        place += length if length >= 8 else len(narrow)
    return bytes(narrow)
