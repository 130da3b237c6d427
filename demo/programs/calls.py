"""A line of a notebook, or a command: a picture or a dataset in, a value out.

What is public here is reached as `demo.predict`, `demo.fine_tune` and so on. It runs on this machine, with the same
code and the same recipe as the page.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from demo.data.collection import Collection, Split
from demo.data.dataset import Dataset, Sample, check_questions, make_dataset
from demo.data.folders import read_collection
from demo.data.images import read_image
from demo.data.reading import Answer as SaidTo
from demo.data.reading import Choices, Doubt
from demo.data.starters import STARTERS, read_starter
from demo.models.backbone import Backbone
from demo.models.cache import BackboneCache
from demo.models.fetch import FetchProgress, fetch_weights
from demo.models.head import Head
from demo.models.headfile import read_head, write_head
from demo.models.recipe import Recipe
from demo.models.weights import usable_backbone
from demo.models.zoo import StageLabel, find_spec
from demo.programs.errors import ClassNotThere, HeadOfAnotherNetwork, NoSuchFile, NoSuchStarter
from demo.programs.values import Answer, Evaluation, Explanation, Training
from demo.settings import Settings
from demo.tasks.cam import Method, map_stages
from demo.tasks.features import FeatureProgress, Features, extract_features
from demo.tasks.finetune import FineTuned, score
from demo.tasks.fit import EpochResult
from demo.tasks.lease import Progress
from demo.tasks.predict import predict as ask
from demo.tasks.worth import fine_tune_and_compare

PictureLike = str | Path | Image.Image
PathLike = str | Path
PicturesLike = str | Path | Collection
Step = FetchProgress | Progress
Told = Callable[[Step], object]  # is told how far a call is

_NUM_KNOWN = 20  # classes that a sentence names


def _nothing(_step: Step) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False, repr=False)
class OwnHead:
    """A head of one's own on a pretrained network; `training` is None where it comes from a file."""

    head: Head
    training: Training | None = None

    def predict(self, picture: PictureLike, *, top_k: int = 5) -> Answer:
        """Name what the head sees in a picture."""
        return predict(picture, head=self, top_k=top_k)

    def explain(self, picture: PictureLike, *, class_name: str = "") -> Explanation:
        """Show where the evidence for a class lies, for the most probable one unless named."""
        return explain(picture, head=self, class_name=class_name)

    def evaluate(self, pictures: PicturesLike, *, tell: Told = _nothing) -> Evaluation:
        """Compare the head's answers with labels: a folder, or a zip, of class folders that are named as its classes.

        Where there are split folders, only the pictures for the test count, or else those for validation.

        Raises:
            UploadError: One of its kinds, if the pictures cannot be read.
            ClassNotThere: If a folder is named as none of the classes.
        """
        dataset = _held_out(_read(pictures), self.head.class_names)
        with _network(self.head.backbone_name, self, tell) as backbone:
            features = _run(extract_features(backbone.for_head(self.head), dataset, _settings()), tell)
        return Evaluation(score(self.head, features, Split.TEST), dataset.skipped)

    def save(self, path: PathLike) -> Path:
        """Write the head to a file, which the page and `load_head` open again; it holds no picture."""
        path = Path(path)
        path.write_bytes(write_head(self.head, find_spec(self.head.backbone_name)))
        return path

    def _repr_png_(self) -> bytes | None:
        return self.training._repr_png_() if self.training else None

    def __repr__(self) -> str:
        names = ", ".join(self.head.class_names)
        return f"{self.training!r}" if self.training else f"{names} on {self.head.backbone_name}"


def predict(
    picture: PictureLike, *, network: str = "", head: OwnHead | None = None, top_k: int = 5, tell: Told = _nothing
) -> Answer:
    """Name what a network pretrained on ImageNet, or a head of one's own, sees in a picture.

    Args:
        picture: File, or a picture that is open already.
        network: Name of the network; the head's own, or else DEMO_BACKBONE if its weights are here, unless given.
        head: Head that answers in place of ImageNet's classifier.
        top_k: Number of classes.
        tell: Is told how far the download of the weights is, where they are not here.

    Raises:
        ImageError: If the picture cannot be read.
        WeightsError: If the weights are not here and cannot be fetched.
        OptionError: If the network or the number of classes is none.
    """
    image = _open(picture)
    with _network(network, head, tell) as backbone:
        own = head.head if head else None
        return Answer(image, ask(backbone.for_head(own), image, head=own, top_k=top_k))


def explain(
    picture: PictureLike,
    *,
    network: str = "",
    head: OwnHead | None = None,
    class_name: str = "",
    stage: StageLabel | str = StageLabel.HIGH,
    method: Method | str = Method.GRAD_CAM,
    tell: Told = _nothing,
) -> Explanation:
    """Show where the evidence for a class lies in a picture.

    Args:
        picture: File, or a picture that is open already.
        network: As for `predict`.
        head: As for `predict`.
        class_name: Class; the most probable one unless given.
        stage: Stage whose feature maps are weighed: "low", "middle" or "high".
        method: "grad_cam", for the high stage, or "layer_cam".
        tell: As for `predict`.

    Raises:
        ClassNotThere: If there is no class of that name.
        KeyError: If the method is not computed for the stage.
    """
    image, own = _open(picture), head.head if head else None
    with _network(network, head, tell) as backbone:
        names = own.class_names if own else backbone.spec.class_names
        wanted = [_find_class(class_name, names)] if class_name else None
        maps = map_stages(backbone.for_head(own), image, wanted, head=own)
    found = maps.of(maps.maps[0].class_idx, StageLabel(stage), Method(method))
    return Explanation(names[found.class_idx], found, maps.network_input)


def fine_tune(
    pictures: PicturesLike,
    *,
    network: str = "",
    recipe: Recipe | None = None,
    answers: Mapping[str, str] | None = None,
    tell: Told = _nothing,
    **options: Any,
) -> OwnHead:
    """Train a new head on a pretrained network.

    Args:
        pictures: Folder, or zip, of a folder of pictures for each class, or a set by `starter`.
        network: As for `predict`.
        recipe: How it is trained; the page's default unless given.
        answers: What is answered to questions about the files, such as {"masks": "leave_out"}.
        tell: Is told how far the download, the pictures and the epochs are.
        options: Fields of the recipe that differ, such as `epochs=10, seed=3`.

    Raises:
        QuestionsOpen: If a reading of the files is likely nonsense, and no answer says that it is meant.
        UploadError: One of its kinds, if the pictures do not make a dataset.
        OptionError: If the recipe has an impossible value.
    """
    recipe = replace(recipe or Recipe(), **options)
    dataset = make_dataset(_read(pictures, answers), _settings())
    epochs: list[EpochResult] = []
    with _network(network, None, tell) as backbone:
        for step in fine_tune_and_compare(backbone, dataset, recipe, _settings()):
            tell(step)
            if isinstance(step, EpochResult):
                epochs.append(step)
    assert isinstance(step, FineTuned), "a training ends with a head"
    return OwnHead(step.head, _sum_up(step, dataset, epochs))


def load_head(path: PathLike) -> OwnHead:
    """Open a head that `OwnHead.save`, the page or the API wrote; nothing in the file is executed.

    Raises:
        HeadFileError: If it is none.
    """
    return OwnHead(read_head(_find(path).read_bytes(), _settings()))


def starter(name: str, *, seed: int = 0) -> Collection:
    """Return one of the page's starter sets, for `fine_tune` and `OwnHead.evaluate`; another seed, other pictures.

    Raises:
        NoSuchStarter: If there is none of that name.
    """
    if name not in STARTERS:
        raise NoSuchStarter(name=name, known=", ".join(STARTERS))
    return read_starter(name, _settings(), seed=seed)


@cache
def _settings() -> Settings:
    return Settings.from_environment()


@cache
def _backbones() -> BackboneCache:
    settings = _settings()
    return BackboneCache(
        settings.device,
        precision=settings.precision,
        features_precision=settings.features_precision,
        budget_bytes=settings.model_memory_bytes,
    )


@contextmanager
def _network(name: str, head: OwnHead | None, tell: Told) -> Iterator[Backbone]:
    """Lend a network, with its weights fetched first where they are not here."""
    belongs = head.head.backbone_name if head else ""
    if name and belongs and name != belongs:
        raise HeadOfAnotherNetwork(network=name, belongs=belongs)
    name = name or belongs or usable_backbone(_settings().backbone)
    for progress in fetch_weights(find_spec(name)):
        tell(progress)
    with _backbones().lend(name) as backbone:
        yield backbone


def _find(path: PathLike) -> Path:
    found = Path(path).expanduser()
    if not found.exists():
        raise NoSuchFile(path=str(path))
    return found


def _read(pictures: PicturesLike, answers: Mapping[str, str] | None = None) -> Collection:
    if isinstance(pictures, Collection):
        return pictures
    choices = Choices(answers={Doubt(doubt): SaidTo(said) for doubt, said in (answers or {}).items()})
    collection = read_collection(_find(pictures), _settings(), choices=choices)
    check_questions(collection)
    return collection


def _open(picture: PictureLike) -> Image.Image:
    return picture.convert("RGB") if isinstance(picture, Image.Image) else read_image(_find(picture), _settings())


def _find_class(name: str, names: Sequence[str]) -> int:
    known = [each.casefold() for each in names]
    if name.casefold() not in known:
        more = [f"... ({len(names)})"] if len(names) > _NUM_KNOWN else []
        raise ClassNotThere(class_name=name, known=", ".join([*names[:_NUM_KNOWN], *more]))
    return known.index(name.casefold())


def _held_out(collection: Collection, class_names: tuple[str, ...]) -> Dataset:
    """Return the pictures that count as a dataset whose pictures are all for the test."""
    splits = {picture.split for picture in collection.pictures}
    wanted = next((each for each in (Split.TEST, Split.VALIDATION) if each in splits), None)
    samples = tuple(
        Sample(picture, _find_class(each.name, class_names), Split.TEST)
        for each in collection.classes
        for picture in each.pictures
        if wanted is None or picture.split is wanted
    )
    return Dataset(class_names, samples, collection.skipped)


def _sum_up(done: FineTuned, dataset: Dataset, epochs: Sequence[EpochResult]) -> Training:
    def look(split: Split) -> Evaluation:
        return Evaluation(score(done.head, done.features, split))

    test = look(Split.TEST) if done.features.chosen(Split.TEST).any() else None
    return Training(done.head, dataset.counts, tuple(epochs), look(Split.VALIDATION), test, dataset.skipped)


def _run(steps: Generator[FeatureProgress, None, Features], tell: Told) -> Features:
    """Run a generator to its end; tell of its steps, and return what it returns."""
    while True:
        try:
            tell(next(steps))
        except StopIteration as end:
            features: Features = end.value
            return features
