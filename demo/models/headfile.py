"""A head as a file that cannot contain code: safetensors, with everything about the head as texts in its header."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import safetensors

from demo.errors import DemoError
from demo.models.errors import (
    HeadFileDamaged,
    HeadFileTooLarge,
    HeadTensorDiffers,
    HeadTensorMissing,
    HeadTensorUnknown,
    HeadTooManyTuned,
    HeadValuesWrong,
    NotAHeadFile,
)
from demo.models.head import BUFFERS, Head, build_head, count_parameters
from demo.models.head_metadata import About, read_json, read_metadata, shorten, to_json, write_metadata
from demo.models.late import Tensor, nn, safetensors_torch, torch
from demo.models.recipe import MAX_HIDDEN_LAYERS, MAX_WIDTH, HeadConfig, Trains
from demo.models.zoo import ZOO, BackboneSpec
from demo.settings import MEGABYTE, Settings

FILE_NAME = "head.safetensors"  # name of the file in an export, too

MAX_HEADER_BYTES = 256_000  # enough for all of DenseNet-121, whose over seven hundred tensors take 80,000
MAX_LONE_HEADER_BYTES = 64_000  # limit for a head without layers of the network
MAX_DIRECTORY_BYTES = 64_000  # limit for the directory of a zip; an export's has five entries
MAX_RATIO = 50  # largest ratio of a head's size to its packed size in a zip: trained numbers hardly shrink
MAX_VALUE = 1e4

_HEAD, _NETWORK = "head.", "network."  # prefixes of the tensors' names
_ITEM_BYTES = {"F32": 4, "I64": 8}

_Kind = tuple[str, tuple[int, ...]]  # a tensor's dtype, by safetensors' name, and shape


def write_head(head: Head, spec: BackboneSpec) -> bytes:
    """Write a head and the layers of the network that were trained with it; the file holds no picture.

    Args:
        head: The head.
        spec: The row of its network in the zoo's table.

    Returns:
        A safetensors file; the same head always gives the same bytes. Tensors are float32, but for counts.
    """
    tensors = {f"{_HEAD}{name}": tensor for name, tensor in head.module.state_dict().items()}
    tensors |= {f"{_NETWORK}{name}": tensor for name, tensor in head.tuned.items()}
    content = safetensors_torch.save({name: _to_plain(tensor) for name, tensor in tensors.items()})
    # The header is written again, because safetensors' own writer changes the order of the texts each time.
    header = _find_header(content)
    packed = to_json({"__metadata__": write_metadata(head, spec), **json.loads(header)}).encode()
    packed += b" " * (-len(packed) % 8)
    return len(packed).to_bytes(8, "little") + packed + content[8 + len(header) :]


def read_head(content: bytes, settings: Settings) -> Head:
    """Read an untrusted file that should hold a head.

    Nothing in the file is executed. Its texts are checked against the zoo's table before its numbers are read; its
    author remains unknown.

    Args:
        content: A file by `write_head`, or the zip of an export.
        settings: Limits on the classes and on the size.

    Returns:
        The head, on the CPU, as it was written.

    Raises:
        HeadFileError: One of its kinds.
    """
    limit_bytes = max_file_bytes(settings)
    _check_bytes(len(content), limit_bytes)
    if content.startswith(b"PK\x03\x04"):
        content = _unpack(content, limit_bytes)
    header = _find_header(content)
    entries = read_json(header, "header", dict)
    about = read_metadata(entries.pop("__metadata__", None), settings)
    if about.summary.recipe.trains is Trains.HEAD and len(header) > MAX_LONE_HEADER_BYTES:
        raise HeadFileDamaged(part="header")
    module = _build_module(about)
    kinds = {f"{_HEAD}{name}": _kind(tensor) for name, tensor in module.state_dict().items()}
    kinds |= _find_tuned(entries, about, settings)
    _check_entries(entries, kinds, len(content) - len(header) - 8)
    tensors = _load_tensors(content)
    module.load_state_dict(_take(tensors, _HEAD))
    module.eval().requires_grad_(False)
    return Head(module, about.class_names, about.spec.name, about.summary, _take(tensors, _NETWORK))


def max_file_bytes(settings: Settings) -> int:
    """Return how many bytes a head's file may have, with the layers that were trained with it."""
    widest = max(spec.num_features for spec in ZOO.values())
    largest = count_parameters(widest, settings.max_classes, HeadConfig(MAX_HIDDEN_LAYERS, MAX_WIDTH))
    return 4 * (largest + settings.max_tuned_parameters) + MAX_HEADER_BYTES


def _to_plain(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.float() if tensor.is_floating_point() else tensor


def _check_bytes(num_bytes: int, limit_bytes: int) -> None:
    if num_bytes > limit_bytes:
        raise HeadFileTooLarge(megabytes=num_bytes / MEGABYTE, limit=limit_bytes / MEGABYTE)


def _unpack(content: bytes, limit_bytes: int) -> bytes:
    """Return the head's file in a zip; the rest of the zip is not read."""
    _check_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [info for info in archive.infolist() if PurePosixPath(info.filename).name == FILE_NAME]
            if len(members) != 1:
                raise NotAHeadFile()
            _check_member(members[0], limit_bytes)
            with archive.open(members[0]) as file:
                return file.read(limit_bytes)  # zipfile reads no more than the size in the directory
    except (DemoError, MemoryError):
        raise
    except Exception as error:  # zipfile raises many kinds on hostile files
        raise HeadFileDamaged(part="zip") from error


def _check_member(info: zipfile.ZipInfo, limit_bytes: int) -> None:
    """Check the directory's entry of a head in a zip before it is unpacked."""
    _check_bytes(info.file_size, limit_bytes)
    is_bomb = info.file_size > max(MEGABYTE, MAX_RATIO * info.compress_size)
    if is_bomb or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise HeadFileDamaged(part="zip")


def _check_directory(content: bytes) -> None:
    """Refuse a zip with a large directory before ZipFile() builds an object for each of its entries."""
    end = content.rfind(b"PK\x05\x06")
    is_zip64 = content[max(0, end - 20) : max(0, end)].startswith(b"PK\x06\x07")  # zip64 keeps its sizes elsewhere
    num_bytes = int.from_bytes(content[end + 12 : end + 16], "little")
    if end < 0:
        raise HeadFileDamaged(part="zip")
    if is_zip64 or num_bytes > MAX_DIRECTORY_BYTES:
        raise NotAHeadFile()


def _find_header(content: bytes) -> bytes:
    """Return the header, which is JSON: the first eight bytes hold its size, and the tensors follow it.

    Source:
        https://github.com/huggingface/safetensors#format
    """
    num_bytes = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + num_bytes] if num_bytes <= MAX_HEADER_BYTES else b""
    if not header.startswith(b"{") or len(header) < num_bytes:
        raise NotAHeadFile()
    return header


def _build_module(about: About) -> nn.Module:
    config, num_features = about.summary.recipe.head, about.spec.num_features
    return build_head(num_features, len(about.class_names), config, generator=torch.Generator())


def _find_tuned(names: Collection[str], about: About, settings: Settings) -> dict[str, _Kind]:
    """Return the kinds of the network's tensors that are among the names, within the limit on their number."""
    recipe, spec = about.summary.recipe, about.spec
    if recipe.trains is Trains.HEAD:
        return {}
    kinds = _network_kinds(spec)
    tuned = {name: kinds[name] for name in names if name in kinds}
    if not tuned:
        raise HeadTensorMissing(name=f"{_NETWORK}*")
    num_trained = count_parameters(spec.num_features, len(about.class_names), recipe.head)
    num_trained += sum(_numel(kind) for name, kind in tuned.items() if not name.endswith(BUFFERS))
    if num_trained > settings.max_tuned_parameters:
        raise HeadTooManyTuned(millions=num_trained / 1e6, limit=settings.max_tuned_parameters / 1e6)
    return tuned


@lru_cache
def _network_kinds(spec: BackboneSpec) -> dict[str, _Kind]:
    """Return the kinds of all of a network's tensors except the last layer's."""
    with torch.device("meta"):
        tensors = spec.build().state_dict()
    last = f"{spec.logits}."
    return {f"{_NETWORK}{name}": _kind(each) for name, each in tensors.items() if not name.startswith(last)}


def _kind(tensor: Tensor) -> _Kind:
    dtypes = {torch.float32: "F32", torch.int64: "I64"}
    return dtypes[tensor.dtype], tuple(tensor.shape)


def _numel(kind: _Kind) -> int:
    return torch.Size(kind[1]).numel()


def _check_entries(entries: Mapping[str, Any], kinds: Mapping[str, _Kind], num_bytes: int) -> None:
    """Compare the header's entries with the kinds that the tensors must have, and the number of bytes with the sum."""
    for name in entries:
        if name not in kinds:
            raise HeadTensorUnknown(name=shorten(name))
    for name, (dtype, shape) in kinds.items():
        if name not in entries:
            raise HeadTensorMissing(name=name)
        entry = entries[name] if isinstance(entries[name], dict) else {}
        found, expected = (entry.get("dtype"), entry.get("shape")), (dtype, list(shape))
        if found != expected:
            raise HeadTensorDiffers(name=name, found=_show_kind(found), expected=_show_kind(expected))
    if num_bytes != sum(_ITEM_BYTES[kind[0]] * _numel(kind) for kind in kinds.values()):
        raise HeadFileDamaged(part="tensors")


def _show_kind(kind: tuple[Any, Any]) -> str:
    dtype, shape = kind
    is_flat = isinstance(shape, list) and all(isinstance(side, int) for side in shape)  # anything else is not shown
    return shorten(f"{dtype if isinstance(dtype, str) else '?'} {shape if is_flat else '?'}")


def _load_tensors(content: bytes) -> dict[str, Tensor]:
    try:
        tensors = safetensors_torch.load(content)
    except safetensors.SafetensorError as error:
        raise HeadFileDamaged(part="tensors") from error
    for name, tensor in tensors.items():
        # Variances and counts may exceed every weight, but are never negative.
        is_buffer = name.endswith(BUFFERS)
        limit = float("inf") if is_buffer and name.startswith(_NETWORK) else MAX_VALUE
        is_negative = name.endswith(("running_var", "num_batches_tracked")) and bool((tensor < 0).any())
        if is_negative or not bool((tensor.isfinite() & (tensor.abs() <= limit)).all()):
            raise HeadValuesWrong(name=name)
    return tensors


def _take(tensors: Mapping[str, Tensor], beginning: str) -> dict[str, Tensor]:
    return {name.removeprefix(beginning): each for name, each in tensors.items() if name.startswith(beginning)}
