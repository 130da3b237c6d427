"""Messages in protobuf's wire format, of which ONNX files consist.

Source:
    https://protobuf.dev/programming-guides/encoding
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

Field: TypeAlias = "tuple[int, int | float | str | Numbers | Message]"


@dataclass(frozen=True, eq=False)
class Numbers:
    """The bytes of a tensor's numbers in their order, which are read when they are written."""

    tensor: Tensor

    @property
    def num_bytes(self) -> int:
        """The length."""
        return self.tensor.nbytes

    def pieces(self) -> Iterator[bytes]:
        """Yield all at once: the copies of many tensors never lie in memory together."""
        yield self.tensor.cpu().contiguous().numpy().tobytes()


class Message:
    """Numbered fields in their order; integers are varints, floats have 32 bits, all else is led by its length."""

    def __init__(self, fields: Iterable[Field] = ()) -> None:
        self.num_bytes = 0
        self._pieces: list[bytes | Numbers | Message] = []
        for field in fields:
            self.add(*field)

    def add(self, number: int, value: "int | float | str | Numbers | Message") -> None:
        """Append a field."""
        if isinstance(value, int):
            self._append(_varint(number << 3) + _varint(value & (1 << 64) - 1))
        elif isinstance(value, float):
            self._append(_varint(number << 3 | 5) + struct.pack("<f", value))
        else:
            content = value.encode() if isinstance(value, str) else value
            self._append(_varint(number << 3 | 2) + _varint(_length(content)))
            self._append(content)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, to be written one piece after the other."""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece.pieces()

    def _append(self, piece: "bytes | Numbers | Message") -> None:
        self.num_bytes += _length(piece)
        self._pieces.append(piece)


def _length(piece: bytes | Numbers | Message) -> int:
    return len(piece) if isinstance(piece, bytes) else piece.num_bytes


def _varint(number: int) -> bytes:
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])
