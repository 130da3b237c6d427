"""A network and a head -> one ONNX file, which programs without torch can run."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import SimpleNamespace

from demo.models.late import nn, torch
from demo.tasks.errors import OnnxFailed

OPSET = 17  # of 2022: what reads ONNX today reads it
INPUT, OUTPUT = "pictures", "probabilities"

_PROJECT = Path(__file__).parents[2]
_LONGEST_S = 300.0
_log = logging.getLogger(__name__)

# Fields of an ONNX model: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_DOC_STRING, _METADATA, _KEY, _VALUE = 6, 14, 1, 2


def write_onnx(network: nn.Module, side_px: int, path: Path, *, card: str, metadata: Mapping[str, str]) -> None:
    """Write a network as one ONNX file.

    The input `pictures` is float32 (N, 3, H, W), transformed; the output `probabilities` is float32 (N, K), the
    softmax of the network's logits. N is open, H and W are `side_px`.

    torch's exporter runs in a process of its own: it sets switches of the whole process, holds Python's lock for
    seconds, and needs a second copy of the weights, all of which other visitors would feel.

    Args:
        network: In `eval()`, from pictures (N, 3, H, W) to logits (N, K); left unchanged.
        side_px: Height and width of the pictures.
        path: Where to write.
        card: What the file says about itself.
        metadata: More texts that go into the file.

    Raises:
        OnnxFailed: If torch's exporter cannot write the network.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "network.pt")
        torch.save(nn.Sequential(network, nn.Softmax(dim=1)), source)
        command = [sys.executable, "-m", __name__, str(source), str(path), str(side_px)]
        done = subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    if done.returncode:
        _log.error("torch's exporter ended with %s: %s", done.returncode, done.stderr)
        raise OnnxFailed(reason=done.stderr.strip().rpartition("\n")[2][:200])
    with path.open("ab") as file:  # a message of protobuf may go on with more fields
        file.write(_field(_DOC_STRING, card.encode()))
        for key, text in metadata.items():
            file.write(_field(_METADATA, _field(_KEY, key.encode()) + _field(_VALUE, text.encode())))


def _field(number: int, content: bytes) -> bytes:
    """Return a field of a protobuf message: its number and type, its length, its bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + _varint(number >> 7)


def _export(source: Path, path: Path, side_px: int) -> None:
    """Let torch write the network of a file that `write_onnx` made."""
    # torch reads its own file back with the package onnx, 36 MB with what it needs, to add functions that were written
    # in onnxscript. There are none here, and what stands for onnx finds none.
    reader = module_from_spec(ModuleSpec("onnx", loader=None))
    vars(reader)["load_model_from_string"] = lambda _: SimpleNamespace(graph=SimpleNamespace(node=[]))
    sys.modules["onnx"] = reader
    torch.onnx.export(
        torch.load(source, map_location="cpu", weights_only=False),  # a file of our own
        (torch.zeros(2, 3, side_px, side_px),),
        path,
        dynamo=False,  # the newer exporter needs onnxscript, and four more packages with it
        opset_version=OPSET,
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_axes={INPUT: {0: "N"}, OUTPUT: {0: "N"}},
    )


if __name__ == "__main__":
    _export(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
