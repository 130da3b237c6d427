"""The photographs that a visitor looks at: the one that all tabs share, and one that it is compared with."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from PIL import Image

from demo.data.formats.tones import Note
from demo.data.samples import Example, read_example
from demo.settings import Settings

_KEPT = Settings()  # an example is well within every limit


class Pixels(NamedTuple):
    """An RGB picture as it is kept: three bytes a pixel, where Pillow takes four.

    Every panel reads it anew, in half a millisecond. A PNG of it would be half as long, and takes ten times as long to
    read and twenty times as long to write; a JPEG would show and answer other pixels than those that came.
    """

    size: tuple[int, int]
    content: bytes

    @staticmethod
    def of(picture: Image.Image) -> "Pixels":
        """Return the pixels of an RGB picture."""
        return Pixels(picture.size, picture.tobytes())

    @property
    def picture(self) -> Image.Image:
        """The picture, a new one at each time."""
        return Image.frombytes("RGB", self.size, self.content)


@dataclass(frozen=True)
class Photos:
    """Two photographs, kept without loss; `number` tells one shared photograph from the next.

    The shared one may be an example, which is nobody's data and takes no memory here. `notes` are on the shared one.
    """

    example: Example | None = None
    kept: Pixels | None = None
    kept_second: Pixels | None = None
    number: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def photo(self) -> Image.Image | None:
        """The photograph that all tabs look at."""
        if self.example:
            return read_example(self.example, _KEPT)
        return self.kept.picture if self.kept else None

    @property
    def second(self) -> Image.Image | None:
        """The picture that the photograph is compared with."""
        return self.kept_second.picture if self.kept_second else None

    @property
    def num_bytes(self) -> int:
        """What both take of the memory."""
        return sum(len(each.content) for each in (self.kept, self.kept_second) if each)

    def with_photo(self, photo: Image.Image | None, notes: tuple[Note, ...] = ()) -> "Photos":
        """Return them with another shared photograph, and what there is to know of it, or without one."""
        kept = Pixels.of(photo) if photo else None
        return replace(self, example=None, kept=kept, number=self.number + 1, notes=notes)

    def with_example(self, example: Example) -> "Photos":
        """Return them with an example as the shared photograph."""
        return replace(self, example=example, kept=None, number=self.number + 1, notes=())

    def with_second(self, second: Image.Image | None) -> "Photos":
        """Return them with another second picture, or without one."""
        return replace(self, kept_second=Pixels.of(second) if second else None)
