"""The pictures that a visitor has brought to learn from."""

from dataclasses import dataclass, field
from functools import cached_property

from demo.data.collection import Collection
from demo.data.dataset import Dataset, make_dataset
from demo.data.errors import DatasetError, NoDataset
from demo.errors import forget_origin
from demo.settings import Settings


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
        return {picture.stored.digest for picture in self.collection.pictures} if self.collection else set()

    @property
    def memory_bytes(self) -> int:
        """What they take of the memory; the pictures themselves lie on the disk."""
        pictures = self.collection.pictures if self.collection else ()
        return sum(len(picture.thumbnail) + len(picture.fingerprint) for picture in pictures)

    @property
    def disk_bytes(self) -> int:
        """What they take of the disk."""
        return self.collection.store.num_bytes if self.collection else 0

    def find_dataset(self) -> Dataset:
        """Return the dataset.

        Raises:
            DatasetError: If there are no pictures yet, or something is missing.
        """
        if self.dataset is None:
            missing = self.error or NoDataset()
            raise type(missing)(
                **missing.values
            )  # raising the kept error would give it a traceback that holds the caller's values
        return self.dataset

    @cached_property
    def _made(self) -> Dataset | DatasetError | None:
        if self.collection is None:
            return None
        try:
            return make_dataset(self.collection, self.settings)
        except DatasetError as error:
            forget_origin(error)
            return error
