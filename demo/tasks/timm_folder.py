"""A network and a head -> the folder from which timm and huggingface_hub load a model."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.late import nn, safetensors_torch
from demo.models.zoo import BackboneSpec
from demo.tasks.errors import HeadNotLinear, NotInTimm
from demo.tasks.export import OLDEST


def check_timm(spec: BackboneSpec, head: Head) -> None:
    """Check that timm can load a network with this head: its networks end in one linear layer.

    Raises:
        NotInTimm: If it does not have the network.
        HeadNotLinear: If the head has hidden layers.
    """
    if not spec.timm_name:
        raise NotInTimm(backbone=spec.display_name)
    if head.summary.recipe.head.hidden_layers:
        raise HeadNotLinear()


def write_timm_folder(backbone: Backbone, head: Head, folder: Path, *, card: str) -> None:
    """Write what `timm.create_model("local-dir:...", pretrained=True)` loads: config, tensors and card; no picture.

    Args:
        backbone: The network of the head; left unchanged.
        head: One linear layer.
        folder: Where to write; it exists.
        card: What README.md says.

    Raises:
        NotInTimm, HeadNotLinear: As `check_timm`.

    Source:
        https://huggingface.co/docs/timm/hf_hub
    """
    check_timm(backbone.spec, head)
    network = backbone.join(head)
    tensors = {name: each.cpu().contiguous() for name, each in network.state_dict().items()}
    safetensors_torch.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.dumps(_describe(backbone.spec, network, head), ensure_ascii=False, indent=2)
    (folder / "config.json").write_text(f"{config}\n", encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")


def zip_folder(folder: Path, path: Path) -> None:
    """Write a folder's files as a zip, without a time and uncompressed: trained numbers hardly shrink."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            with file.open("rb") as content, archive.open(zipfile.ZipInfo(file.name, OLDEST), "w") as member:
                shutil.copyfileobj(content, member)


def _describe(spec: BackboneSpec, network: nn.Module, head: Head) -> dict[str, Any]:
    """Return timm's config; `crop_pct` is the crop's side in parts of the short side that pictures are resized to."""
    transforms = spec.build_transforms()
    crop_px, resize_px = transforms.crop_size[0], transforms.resize_size[0]
    mean, std = transforms.mean, transforms.std
    if getattr(network, "transform_input", False):  # torchvision's Inception turns the one normalisation into another
        mean = std = [0.5] * 3
    num_classes = len(head.class_names)
    return {
        "architecture": spec.timm_name,
        "num_classes": num_classes,
        "num_features": spec.num_features,
        "label_names": list(head.class_names),
        "pretrained_cfg": {
            "input_size": [3, crop_px, crop_px],
            "fixed_input_size": False,
            "interpolation": transforms.interpolation.value,
            "crop_pct": crop_px / resize_px,
            "crop_mode": "center",
            "mean": list(mean),
            "std": list(std),
            "num_classes": num_classes,
            "first_conv": next(name for name, each in network.named_modules() if isinstance(each, nn.Conv2d)),
            "classifier": spec.logits,
        },
    }
