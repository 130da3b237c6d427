"""What deeper layers are trained on: computed once for each view of a picture, and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo.data.store import StoredPicture
from demo.models.late import Tensor, torch


@dataclass(frozen=True, eq=False)
class StoredInputs:
    """Inputs (n, ...) in half precision, of which only those are in memory that are asked for.

    Each takes a third of a megabyte, and up to one more where the last stage of a large network is trained.
    """

    rows: Sequence[StoredPicture]
    shape: Sequence[int]  # of one

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ndim(self) -> int:
        """The number of dimensions, as a tensor has it."""
        return 1 + len(self.shape)

    def __getitem__(self, which: slice | Tensor) -> Tensor:
        """Read inputs by a slice, or by their indices (N,)."""
        rows = self.rows[which] if isinstance(which, slice) else [self.rows[idx] for idx in which.tolist()]
        content = bytearray().join(row.read() for row in rows)
        return torch.frombuffer(content, dtype=torch.float16).view(len(rows), *self.shape)
