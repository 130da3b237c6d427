"""How the accuracy grows with the number of training pictures: a dataset -> features -> a learning curve."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.data.dataset import Dataset, Split
from demo.models.backbone import Backbone
from demo.models.ridge import fit_ridge
from demo.pace import rest
from demo.settings import Settings
from demo.tasks.evaluate import Accuracy
from demo.tasks.features import FeatureCache, FeatureProgress, extract_features

COUNTS = (1, 2, 5, 10, 20)


@dataclass(frozen=True)
class FewShotPoint:
    """The accuracies of heads that were fitted on a number of pictures of each class; None means all pictures.

    `accuracies` (0 to 1) are those of heads that were fitted on different random samples, on the same held-out
    pictures. Their spread shows the choice of training pictures; it does not show that the held-out pictures are few.
    `balanced` are the balanced accuracies; empty where classes have equally many held-out pictures.
    """

    pictures_per_class: int | None
    accuracies: tuple[float, ...]
    balanced: tuple[float, ...] = ()

    @staticmethod
    def of(pictures_per_class: int | None, accuracies: Iterable[Accuracy]) -> "FewShotPoint":
        """Return the point of the accuracies of some heads."""
        found = list(accuracies)
        balanced = tuple(each.balanced for each in found if each.balanced is not None)
        return FewShotPoint(pictures_per_class, tuple(each.share for each in found), balanced)

    @property
    def num_repeats(self) -> int:
        """How many heads were fitted; one if all pictures are used."""
        return len(self.accuracies)

    @property
    def mean(self) -> float:
        """The mean accuracy of the heads."""
        return float(np.mean(self.accuracies))

    @property
    def lowest(self) -> float:
        """The accuracy of the worst head."""
        return min(self.accuracies)

    @property
    def highest(self) -> float:
        """The accuracy of the best head."""
        return max(self.accuracies)


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """The features float32 (n, D) of one split and their class indices (n,)."""

    values: NDArray[np.float32]
    class_idxs: NDArray[np.int64]


def measure_curve(
    backbone: Backbone, dataset: Dataset, settings: Settings, *, cache: FeatureCache
) -> Generator[FeatureProgress | FewShotPoint, None, None]:
    """Compute the features that are missing, then the learning curve of heads on them.

    Args:
        backbone: Network whose features the heads answer by; left unchanged.
        dataset: Heads are fitted on its training split, and tried on its validation split.
        settings: Limits how many pictures are decoded at once.
        cache: The features that are known; completed here.

    Yields:
        FeatureProgress while pictures are looked at, then a FewShotPoint for each count; see `learning_curve`.
    """
    features = yield from extract_features(backbone, dataset, settings, cache=cache)
    training, held_out = (
        LabelledFeatures(*(np.asarray(each) for each in features.of(split)))
        for split in (Split.TRAIN, Split.VALIDATION)
    )
    yield from learning_curve(training, held_out, len(dataset.class_names))


def learning_curve(
    training: LabelledFeatures,
    held_out: LabelledFeatures,
    num_classes: int,
    *,
    counts: Sequence[int] = COUNTS,
    num_repeats: int = 10,
    seed: int = 0,
) -> Generator[FewShotPoint, None, None]:
    """Fit closed-form heads on few pictures of each class, then on more, then on all.

    Args:
        training: Samples from which each head's pictures are sampled without replacement.
        held_out: At least one sample that no head is fitted on.
        num_classes: K.
        counts: Pictures of each class; a count is left out if a class has fewer, or if it takes all pictures.
        num_repeats: Random samples for each count.
        seed: Source of the samples of a count, together with the count alone.

    Yields:
        A FewShotPoint for each count, and at the end one for all pictures.
    """
    by_class = [np.flatnonzero(training.class_idxs == idx) for idx in range(num_classes)]
    smallest, largest = min(map(len, by_class)), max(map(len, by_class))
    for count in counts:
        if count > smallest or count == largest:
            continue
        generator = np.random.default_rng([seed, count])
        samples = (_sample(by_class, count, generator) for _ in range(num_repeats))
        yield FewShotPoint.of(count, (_judge(training, sample, held_out, num_classes) for sample in samples))
    everything = np.arange(len(training.class_idxs))
    yield FewShotPoint.of(None, [_judge(training, everything, held_out, num_classes)])


def _sample(by_class: Sequence[NDArray[np.int64]], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    return np.concatenate([generator.choice(idxs, count, replace=False) for idxs in by_class])


def _judge(
    training: LabelledFeatures, idxs: NDArray[np.int64], held_out: LabelledFeatures, num_classes: int
) -> Accuracy:
    rest()
    weight, bias = fit_ridge(training.values[idxs], training.class_idxs[idxs], num_classes)
    answers = (held_out.values @ weight.T + bias).argmax(axis=1)
    return Accuracy.of_answers(held_out.class_idxs, answers)
