"""The pictures that a visitor has brought to learn from."""

from dataclasses import dataclass

from demo.data.collection import Collection
from demo.data.dataset import Dataset, make_dataset
from demo.data.errors import DatasetError, NoDataset
from demo.errors import forget_origin
from demo.settings import Settings


@dataclass(frozen=True)
class Pictures:
    """The pictures to learn from, and either the dataset that they make or the reason why they make none yet."""

    collection: Collection | None = None
    dataset: Dataset | None = None
    error: DatasetError | None = None

    @staticmethod
    def of(collection: Collection | None, settings: Settings) -> "Pictures":
        """Make a dataset of a collection, or keep the reason why it makes none."""
        if collection is None:
            return Pictures()
        try:
            return Pictures(collection, make_dataset(collection, settings))
        except DatasetError as error:
            forget_origin(error)
            return Pictures(collection, error=error)

    @property
    def digests(self) -> set[str]:
        """The digests of the dataset's pictures."""
        return {sample.digest for sample in self.dataset.samples} if self.dataset else set()

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
