"""What travels between a page and its engine: crops, encoded pictures, numbers; never a name of a visitor's.

A parcel is a line of JSON, which names the sizes of what follows it, and then the parts themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from demo.models.batching import Answers
from demo.models.late import Tensor, torch
from demo.models.zoo import BackboneSpec

ANSWERS, FEATURES, TRAINING = "/answers", "/features", "/training"
MODEL = "serve_multiplexed_model_id"  # the header by which Ray Serve finds a replica that has a network
FINGERPRINT = "x-demo-fingerprint"
MAX_LINE_BYTES = 1_000_000  # of a parcel: 500 pictures take 30,000

Parcel = tuple[dict[str, Any], list[bytes]]  # what the line says, and the parts

_PACKAGES = ("torch", "torchvision", "timm", "pillow")  # whose versions decide about digits
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True)
class Network:
    """A network of the zoo, and the precision of its answers."""

    spec: BackboneSpec
    precision: str

    @property
    def model(self) -> str:
        """What the engine knows it by."""
        return f"{self.spec.name}:{self.precision}"

    @property
    def fingerprint(self) -> str:
        """Its weights, whose file has digits of its checksum for a name, and what it is computed with."""
        return f"{self.spec.file_name} {self.precision} {_list_versions()}"


@lru_cache(maxsize=1)
def _list_versions() -> str:
    # What follows a plus sign is the build, for the processor or for a kind of GPU.
    versions = [f"{each} {version(each).partition('+')[0]}" for each in _PACKAGES]
    return " ".join([*versions, f"program {_digest_program()}"])


def _digest_program() -> str:
    """Return some digits for what decodes, transforms and trains."""
    digest, root = sha256(), Path(__file__).parents[2]
    for path in sorted(path for room in ("data", "models", "tasks") for path in (root / room).rglob("*.py")):
        digest.update(path.read_text(encoding="utf-8").encode())  # the same however a system ends its lines
    return digest.hexdigest()[:12]


def to_crops(spec: BackboneSpec, batch: Tensor) -> Tensor | None:
    """Return transformed pictures, float32 (N, 3, H, W), as uint8; None if they are not to the last digit pictures."""
    transforms = spec.build_transforms()
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (transforms.mean, transforms.std))
    crops = batch.mul(std).add_(mean).mul_(255).round_().to(torch.uint8)
    return crops if torch.equal(from_crops(spec, crops), batch) else None


def from_crops(spec: BackboneSpec, crops: Tensor) -> Tensor:
    """Return uint8 pictures (N, 3, H, W) as the network's transforms do after the crop, float32."""
    from torchvision.transforms import functional

    transforms = spec.build_transforms()
    scaled = functional.convert_image_dtype(crops, torch.float)
    batch: Tensor = functional.normalize(scaled, mean=transforms.mean, std=transforms.std)
    return batch


def pack_answers(answers: Answers) -> bytes:
    """Return features and logits as bytes: those of all pictures, then these."""
    return pack_table(answers.features) + pack_table(answers.logits)


def unpack_answers(spec: BackboneSpec, content: bytes, *, num_pictures: int) -> Answers:
    """Return what `pack_answers` packed.

    Raises:
        ValueError: If it is of another size.
    """
    num_features = num_pictures * spec.num_features
    table = np.frombuffer(content, _FLOAT).astype(np.float32)
    if len(table) != num_features + num_pictures * len(spec.class_names):
        raise ValueError("answers of another size")
    features, logits = torch.from_numpy(table).split([num_features, len(table) - num_features])
    return Answers(features.view(num_pictures, -1), logits.view(num_pictures, -1))


def pack_table(table: Tensor) -> bytes:
    """Return a table of float32 as bytes."""
    return table.numpy().astype(_FLOAT).tobytes()


def unpack_table(content: bytes, *, num_rows: int, num_columns: int) -> Tensor:
    """Return what `pack_table` packed, (rows, columns).

    Raises:
        ValueError: If it is of another size.
    """
    return torch.from_numpy(np.frombuffer(content, _FLOAT).astype(np.float32).reshape(num_rows, num_columns))


def pack(about: dict[str, Any], parts: Sequence[bytes] = ()) -> bytes:
    """Return a parcel."""
    line = json.dumps(about | {"sizes": [len(each) for each in parts]}, separators=(",", ":"))
    return b"".join([line.encode(), b"\n", *parts])


def unpack(content: bytes) -> Parcel:
    """Return what `pack` packed.

    Raises:
        ValueError: If it is no parcel, or more than one.
    """
    parcels = list(unpack_stream([content]))
    if len(parcels) != 1:
        raise ValueError("one parcel is needed")
    return parcels[0]


def unpack_stream(chunks: Iterable[bytes]) -> Iterator[Parcel]:
    """Return parcels one after the other, as they come in.

    Raises:
        ValueError: If what comes is no parcel, or the last one is cut off.
    """
    buffer = bytearray()
    about: dict[str, Any] | None = None
    for chunk in chunks:
        buffer += chunk
        while True:
            if about is None:
                about = _take_line(buffer)
            if about is None or len(buffer) < sum(about["sizes"]):
                break
            yield about, [_take(buffer, size) for size in about.pop("sizes")]
            about = None
    if buffer or about is not None:
        raise ValueError("the end is missing")


def _take_line(buffer: bytearray) -> dict[str, Any] | None:
    end = buffer.find(b"\n", 0, MAX_LINE_BYTES)
    if end < 0:
        if len(buffer) >= MAX_LINE_BYTES:
            raise ValueError("a line is too long")
        return None
    about = json.loads(_take(buffer, end + 1))
    sizes = about.get("sizes") if isinstance(about, dict) else None
    if not isinstance(sizes, list) or not all(type(each) is int and each >= 0 for each in sizes):
        raise ValueError("sizes are missing")
    return dict(about)


def _take(buffer: bytearray, num_bytes: int) -> bytes:
    taken = bytes(buffer[:num_bytes])
    del buffer[:num_bytes]
    return taken
