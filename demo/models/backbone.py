"""A loaded, frozen network: stages, features and logits in one forward pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor

from demo.models.answering import open_answers
from demo.models.batching import Answers, Batcher, num_cores, threads
from demo.models.weights import load_weights
from demo.models.zoo import BackboneSpec, StageLabel

MAX_ASPECT = 8  # long side to short side


class Outputs(NamedTuple):
    """What one forward pass of N pictures gives: stages (N, C, H, W), features (N, D), logits (N, K)."""

    stages: dict[StageLabel, Tensor]
    features: Tensor
    logits: Tensor


@dataclass(frozen=True, eq=False)
class Backbone:
    """One pretrained network, shared by all visitors and written to by nobody.

    It stays in `eval()` without gradients and is never hooked: two threads would see each other's tensors.
    `precision` is what answers are computed in: "float32" or "bfloat16"; all else is float32.
    """

    spec: BackboneSpec
    network: nn.Module
    device: torch.device
    _forward: Callable[[Tensor], Outputs]
    precision: str = "float32"
    _batcher: Batcher = field(init=False, repr=False)

    def __post_init__(self) -> None:
        answer = open_answers(self.network, self.spec, self.device, getattr(torch, self.precision))
        object.__setattr__(self, "_batcher", Batcher(answer, num_passes=2 if self.device.type == "cpu" else 1))

    def run(self, pictures: Sequence[Image.Image]) -> Outputs:
        """Run RGB pictures of any size through the weights' own transforms and the network.

        Args:
            pictures: N RGB images.

        Returns:
            float32 tensors on the CPU, for inference only.
        """
        batch = torch.stack([self.transform(picture) for picture in pictures])  # (N, 3, H, W)
        with threads(num_cores()), torch.inference_mode():
            stages, features, logits = self._forward(batch.to(self.device, memory_format=torch.channels_last))
            stages = {label: stage.cpu().contiguous() for label, stage in stages.items()}
            return Outputs(stages, features.cpu(), logits.cpu())

    def answer(self, batch: Tensor) -> Answers:
        """Run transformed pictures (N, 3, H, W) together with those of others who ask at the same time.

        Returns:
            float32 features (N, D) and logits (N, K) on the CPU, as `run` gives them; in bfloat16 they differ by
            its rounding.
        """
        return self._batcher.run(batch)

    def transform(self, picture: Image.Image) -> Tensor:
        """Return what the network is given for one RGB picture: float32 (3, H, W), normalised."""
        with threads(1):
            transformed: Tensor = self.spec.build_transforms()(_crop_long(picture))
        return transformed

    def draw_input(self, picture: Image.Image) -> Image.Image:
        """Return the picture as the network sees it: resized and cropped, colours put back."""
        return draw_transformed(self.spec, self.transform(picture))


def draw_transformed(spec: BackboneSpec, transformed: Tensor) -> Image.Image:
    """Return what `Backbone.transform` gave, float32 (3, H, W), as a picture: colours put back."""
    transforms = spec.build_transforms()
    mean = torch.tensor(transforms.mean).view(3, 1, 1)
    std = torch.tensor(transforms.std).view(3, 1, 1)
    with threads(1):
        pixels = (transformed * std + mean).clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())  # (H, W, 3)


def _crop_long(picture: Image.Image) -> Image.Image:
    """Cut the ends off a very long picture: the centre crop drops them, but only after enlarging all of it."""
    width, height = (min(side, MAX_ASPECT * min(picture.size)) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def load_backbone(spec: BackboneSpec, device: str = "cpu", *, precision: str = "float32") -> Backbone:
    """Build a backbone with its pretrained weights; a network with random weights is never returned.

    Args:
        spec: Row of the zoo's table.
        device: Where it computes, in torch's words: "cpu", "cuda".
        precision: What answers are computed in: "float32" or "bfloat16".

    Raises:
        WeightsError: If the weights are missing or damaged.
    """
    tensors = load_weights(spec)
    with torch.device("meta"):  # the checkpoint brings the numbers; random ones would cost time and memory
        network = spec.build()
    if spec.library == "timm":
        tensors = _rename_by_order(tensors, network)
    network.load_state_dict(
        {name: each for name, each in tensors.items() if not name.startswith(spec.training_only)}, assign=True
    )
    network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
    open_network = _open_timm if spec.library == "timm" else _open_torchvision
    return Backbone(spec, network, torch.device(device), open_network(network, spec), precision)


def _rename_by_order(tensors: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Give a checkpoint's tensors the network's names; the two list the same tensors in the same order."""
    return dict(zip(network.state_dict(), tensors.values(), strict=True))


def _open_torchvision(network: nn.Module, spec: BackboneSpec) -> Callable[[Tensor], Outputs]:
    nodes = {stage.module: stage.label.value for stage in spec.stages}
    extractor = create_feature_extractor(network, {**nodes, spec.features: "features", spec.logits: "logits"})

    def forward(batch: Tensor) -> Outputs:
        outputs = extractor(batch)
        stages = {stage.label: outputs[stage.label.value] for stage in spec.stages}
        return Outputs(stages, outputs["features"], outputs["logits"])

    return forward


def _open_timm(network: nn.Module, spec: BackboneSpec) -> Callable[[Tensor], Outputs]:
    """Open timm's network in timm's own way: torchvision's extractor cannot trace its padding."""
    modules = [info["module"] for info in network.feature_info]  # type: ignore[union-attr]
    low, middle, high = spec.stages
    indices = [modules.index(low.module), modules.index(middle.module)]

    def forward(batch: Tensor) -> Outputs:
        last, intermediates = network.forward_intermediates(batch, indices=indices)  # type: ignore[operator]
        features = network.forward_head(last, pre_logits=True)  # type: ignore[operator]
        stages = {low.label: intermediates[0], middle.label: intermediates[1], high.label: last}
        return Outputs(stages, features, network.classifier(features))  # type: ignore[operator]

    return forward
