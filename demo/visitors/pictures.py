"""The pictures that a visitor has brought to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from demo.data.collection import Collection, Picture
from demo.data.dataset import Dataset, check_questions, make_dataset
from demo.data.errors import DatasetError, NoDataset
from demo.data.starters import translate_starter
from demo.errors import forget_origin
from demo.settings import Settings

_LISTED_BYTES = 500  # of a file that is listed and not kept, or of its label: its path, and what Python needs for it


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures to learn from, and either the dataset that they make or the reason why they make none yet.

    The dataset is made when it is first asked for: each frame of a recording changes the pictures, and only after the
    last one does anybody look.
    """

    collection: Collection | None = None
    settings: Settings = field(default_factory=Settings)

    @property
    def dataset(self) -> Dataset | None:
        """What can be learned from, if the pictures make a dataset."""
        made = self._made
        return made if isinstance(made, Dataset) else None

    @property
    def error(self) -> DatasetError | None:
        """Why there are pictures, and no dataset yet."""
        made = self._made
        return made if isinstance(made, DatasetError) else None

    @property
    def digests(self) -> set[str]:
        """The pictures of all classes, of those that are off too, by their digests."""
        return {picture.stored.digest for picture in self._kept}

    @property
    def memory_bytes(self) -> int:
        """What they take of the memory; the pictures themselves lie on the disk."""
        pictures = sum(len(picture.thumbnail) + len(picture.fingerprint) for picture in self._kept)
        return pictures + (self.collection.num_listed * _LISTED_BYTES if self.collection else 0)

    @property
    def disk_bytes(self) -> int:
        """What they take of the disk."""
        return self.collection.store.num_bytes if self.collection else 0

    def translated(self, names: Mapping[str, str]) -> "Pictures":
        """Return them with the class names of a starter set in another language."""
        if self.collection is None:
            return self
        return Pictures(translate_starter(self.collection, names), self.settings)

    def find_dataset(self) -> Dataset:
        """Return the dataset.

        Raises:
            QuestionsOpen: If the visitor has not answered yet what is asked about the files.
            DatasetError: If there are no pictures yet, or something is missing.
        """
        if self.collection:
            check_questions(self.collection)
        if self.dataset is None:
            missing = self.error or NoDataset()
            raise type(missing)(
                **missing.values
            )  # raising the kept error would give it a traceback that holds the caller's values
        return self.dataset

    @property
    def _kept(self) -> tuple[Picture, ...]:
        return (*self.collection.pictures, *self.collection.unused) if self.collection else ()

    @cached_property
    def _made(self) -> Dataset | DatasetError | None:
        if self.collection is None:
            return None
        try:
            return make_dataset(self.collection, self.settings)
        except DatasetError as error:
            forget_origin(error)
            return error
