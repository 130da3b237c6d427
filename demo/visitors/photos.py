"""The photographs that a visitor looks at: the one that all tabs share, and one that it is compared with."""

from dataclasses import dataclass, replace

from PIL import Image

from demo.data.formats.tones import Note
from demo.data.images import pack_image, unpack_image
from demo.data.samples import Example, read_example
from demo.settings import Settings

_KEPT = Settings()  # an example is well within every limit


@dataclass(frozen=True)
class Photos:
    """Two photographs, packed without loss; `number` tells one shared photograph from the next.

    The shared one may be an example, which is nobody's data and takes no memory here. `notes` are on the shared one.
    """

    example: Example | None = None
    packed: bytes | None = None
    packed_second: bytes | None = None
    number: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def photo(self) -> Image.Image | None:
        """The photograph that all tabs look at."""
        if self.example:
            return read_example(self.example, _KEPT)
        return unpack_image(self.packed) if self.packed else None

    @property
    def second(self) -> Image.Image | None:
        """The picture that the photograph is compared with."""
        return unpack_image(self.packed_second) if self.packed_second else None

    @property
    def num_bytes(self) -> int:
        """What both take of the memory."""
        return len(self.packed or b"") + len(self.packed_second or b"")

    def with_photo(self, photo: Image.Image | None, notes: tuple[Note, ...] = ()) -> "Photos":
        """Return them with another shared photograph, and what there is to know of it, or without one."""
        packed = pack_image(photo) if photo else None
        return replace(self, example=None, packed=packed, number=self.number + 1, notes=notes)

    def with_example(self, example: Example) -> "Photos":
        """Return them with an example as the shared photograph."""
        return replace(self, example=example, packed=None, number=self.number + 1, notes=())

    def with_second(self, second: Image.Image | None) -> "Photos":
        """Return them with another second picture, or without one."""
        return replace(self, packed_second=pack_image(second) if second else None)
