"""What a GPU does that is lent for the length of a call: a deeper training, a race, or an ascent.

`compute` is what a host such as ZeroGPU calls a GPU function. It runs in a process of its own, with plain numbers and
encoded pictures in, and plain numbers out: no name of a visitor's goes there.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from demo.data.collection import Picture
from demo.data.dataset import Dataset, Sample, Split
from demo.data.store import PictureStore
from demo.models.backbone import Backbone, load_backbone
from demo.models.hardware import borrows_gpu
from demo.models.head import TrainingSummary
from demo.models.recipe import Recipe
from demo.models.zoo import StageLabel, find_spec
from demo.settings import Settings
from demo.tasks import ascent, finetune, race
from demo.tasks.finetune import FineTuned

_DEVICE = "cuda"  # the lent GPU's name, in the process that has it
_TRAINING_S, _CONTENDER_S = 40.0, 8.0  # time after which no further epoch begins, and that of each contender of a race

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Album:
    """The pictures of a dataset without any name: encoded, with class index and split."""

    pictures: tuple[tuple[bytes, int, str], ...]
    num_classes: int

    @staticmethod
    def of(dataset: Dataset) -> "Album":
        """Read a dataset's pictures from its store, which no other process has."""
        pictures = tuple((each.image_bytes, each.class_idx, each.split.value) for each in dataset.samples)
        return Album(pictures, len(dataset.class_names))

    def open(self) -> Dataset:
        """Return a dataset whose classes have numbers for names."""
        store = PictureStore()
        samples = tuple(
            Sample(Picture("", store.add(content), b"", b""), class_idx, Split(split))
            for content, class_idx, split in self.pictures
        )
        return Dataset(tuple(map(str, range(self.num_classes))), samples, ())


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training ends with, in numbers: tensors of the head and of the layers trained with it, and features."""

    head: Tensors
    tuned: Tensors
    summary: TrainingSummary
    values: NDArray[np.float32]
    class_idxs: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Training:
    """A deeper training; `seconds` is the time for which the GPU is asked."""

    backbone_name: str
    album: Album
    recipe: Recipe
    settings: Settings
    seconds: ClassVar[int] = 60  # with the time to load the network, to read the pictures, and to look at them again

    def run(self, backbone: Backbone, *, limit_s: float = _TRAINING_S) -> Generator[Any, None, None]:
        """Train as `fine_tune` does, within the limit if that is less than the settings'."""
        limited = replace(self.settings, max_training_s=min(self.settings.max_training_s, limit_s))
        for step in finetune.fine_tune(backbone, self.album.open(), self.recipe, limited):
            yield _write(step) if isinstance(step, FineTuned) else step


@dataclass(frozen=True, eq=False)
class Race:
    """A race."""

    backbone_name: str
    album: Album
    settings: Settings
    seed: int
    seconds: ClassVar[int] = 60

    def run(self, backbone: Backbone) -> Generator[Any, None, None]:
        """Run as `race` does."""
        limited = replace(self.settings, race_s=min(self.settings.race_s, _CONTENDER_S))
        return race.race(backbone, self.album.open(), limited, seed=self.seed)


@dataclass(frozen=True, eq=False)
class Ascent:
    """A gradient ascent."""

    backbone_name: str
    stage: StageLabel
    channel_idx: int
    num_steps: int
    seconds: ClassVar[int] = 20

    def run(self, backbone: Backbone) -> Generator[Any, None, None]:
        """Ascend as `ascend` does."""
        return ascent.ascend(backbone, self.stage, self.channel_idx, num_steps=self.num_steps)


Work = Training | Race | Ascent


@borrows_gpu(lambda work: work.seconds)
def compute(work: Work) -> Generator[Any, None, None]:
    """Do a piece of work with the lent GPU, on a network of this process's own, and yield plain values."""
    yield from work.run(load_backbone(find_spec(work.backbone_name), _DEVICE))


def _write(tuned: FineTuned) -> Trained:
    head, features = tuned.head, tuned.features
    return Trained(
        {name: tensor.numpy() for name, tensor in head.module.state_dict().items()},
        {name: tensor.numpy() for name, tensor in head.tuned.items()},
        head.summary,
        features.values,
        features.class_idxs,
    )
