"""The photographs that a visitor looks at: the one that all tabs share, and one that it is compared with."""

from dataclasses import dataclass, replace

from PIL import Image

from demo.data.images import pack_image, unpack_image


@dataclass(frozen=True)
class Photos:
    """Two photographs, packed without loss; `number` tells one shared photograph from the next."""

    packed: bytes | None = None
    packed_second: bytes | None = None
    number: int = 0

    @property
    def photo(self) -> Image.Image | None:
        """The photograph that all tabs look at."""
        return unpack_image(self.packed) if self.packed else None

    @property
    def second(self) -> Image.Image | None:
        """The picture that the photograph is compared with."""
        return unpack_image(self.packed_second) if self.packed_second else None

    @property
    def num_bytes(self) -> int:
        """What both take of the memory."""
        return len(self.packed or b"") + len(self.packed_second or b"")

    def with_photo(self, photo: Image.Image | None) -> "Photos":
        """Return them with another shared photograph, or without one."""
        return replace(self, packed=pack_image(photo) if photo else None, number=self.number + 1)

    def with_second(self, second: Image.Image | None) -> "Photos":
        """Return them with another second picture, or without one."""
        return replace(self, packed_second=pack_image(second) if second else None)
