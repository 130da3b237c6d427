"""A network and a head -> one ONNX file, which programs without torch can run.

The file is written here, because torch's exporters need packages of a hundred megabytes and change the state of the
whole process, in which other visitors ask their networks at the same time. Here one pass of a copy without numbers is
recorded, in this thread alone: what torch calls its operators, ONNX calls much the same.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from demo.tasks.protobuf import Message, Numbers

OPSET, IR_VERSION = 17, 8  # of 2022: what reads ONNX today reads these
INPUT, OUTPUT = "pictures", "probabilities"

_FLOAT, _INT64 = 1, 7  # ONNX's numbers of types


def write_onnx(network: nn.Module, side_px: int, path: Path, *, card: str, metadata: Mapping[str, str]) -> None:
    """Write a network as one ONNX file.

    The input `pictures` is float32 (N, 3, H, W), transformed; the output `probabilities` is float32 (N, K), the
    softmax of the network's logits. N is open, H and W are `side_px`.

    Args:
        network: In `eval()`, from pictures (N, 3, H, W) to logits (N, K); left unchanged.
        side_px: Height and width of the pictures.
        path: Where to write.
        card: What the file says about itself.
        metadata: More texts that go into the file.

    Source:
        https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
    """
    recorder, logits = _record(network, side_px)
    recorder.add("Softmax", [logits], OUTPUT, axis=1)
    graph = Message([*((1, node) for node in recorder.nodes), (2, "classifier")])
    for name, tensor in {**network.state_dict(), **recorder.constants}.items():
        if name in recorder.used:
            graph.add(5, _describe_tensor(name, tensor))
    graph.add(11, _describe_value(INPUT, ["N", 3, side_px, side_px]))
    graph.add(12, _describe_value(OUTPUT, ["N", logits.shape[1]]))
    model = Message([(1, IR_VERSION), (6, card), (7, graph), (8, Message([(2, OPSET)]))])
    for key, text in metadata.items():
        model.add(14, Message([(1, key), (2, text)]))
    with path.open("wb") as file:
        file.writelines(model.pieces())


def _record(network: nn.Module, side_px: int) -> tuple["_Recorder", Tensor]:
    """Return what one pass calls, and its logits (2, K), which like all tensors of the pass have no numbers."""
    tensors = [*network.parameters(), *network.buffers()]
    hollow: dict[int, Any] = {
        id(each): nn.Parameter(each.to("meta"), requires_grad=False)
        if isinstance(each, nn.Parameter)
        else each.to("meta")
        for each in tensors
    }
    copied, pictures = copy.deepcopy(network, hollow), torch.empty(2, 3, side_px, side_px, device="meta")
    recorder = _Recorder()
    for name, tensor in {**copied.state_dict(keep_vars=True), INPUT: pictures}.items():
        recorder.name(tensor, name)
    with torch.inference_mode(), recorder:
        return recorder, copied(pictures)


class _Recorder(TorchDispatchMode):
    """What one pass calls, as nodes of an ONNX graph; tensors are known by their identity, and so kept."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Message] = []
        self.names: dict[int, str] = {}
        self.constants: dict[str, Tensor] = {}
        self.used: set[str] = set()
        self._kept: list[Tensor] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Record a call of torch's; the name and the arguments are torch's."""
        output: Tensor = function(*args, **(kwargs or {}))
        write = _OPERATORS[function.overloadpacket.__name__.removesuffix("_")]
        return self.name(output, write(self, *args, **(kwargs or {})))

    def name(self, tensor: Tensor, name: str) -> Tensor:
        """Name a tensor, or rename one that was changed in place."""
        self._kept.append(tensor)
        self.names[id(tensor)] = name
        return tensor

    def add(self, kind: str, inputs: Sequence[Any], output: str = "", **attributes: int | float | Sequence[int]) -> str:
        """Add a node and return the name of its output; numbers among the inputs become constants."""
        names = [self._find(each) for each in inputs if each is not None]
        self.used.update(names)
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        node = Message([*((1, name) for name in names), (2, output), (4, kind)])
        for name, value in attributes.items():
            node.add(5, _describe_attribute(name, value))
        self.nodes.append(node)
        return output

    def _find(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, Tensor):
            return self.names[id(value)]
        kind = torch.float32 if isinstance(value, float) else torch.int64
        name = f"constant_{len(self.constants)}"
        self.constants[name] = torch.tensor(value, dtype=kind)
        return name


def _convolve(
    r: _Recorder,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = (1, 1),
    padding: Any = (0, 0),
    dilation: Any = (1, 1),
    groups: int = 1,
) -> str:
    return r.add("Conv", [x, weight, bias], strides=stride, pads=[*padding] * 2, dilations=dilation, group=groups)


def _normalize(r: _Recorder, x: Tensor, *arguments: Any) -> str:
    weight, bias, mean, variance, is_training, _, epsilon, _ = arguments
    assert not is_training
    return r.add("BatchNormalization", [x, weight, bias, mean, variance], epsilon=epsilon)


def _pool_max(
    r: _Recorder,
    x: Tensor,
    size: Any,
    stride: Any = None,
    padding: Any = (0, 0),
    dilation: Any = (1, 1),
    ceil_mode: bool = False,
) -> str:
    how = {"kernel_shape": size, "strides": stride or size, "pads": [*padding] * 2, "dilations": dilation}
    return r.add("MaxPool", [x], **how, ceil_mode=int(ceil_mode))


def _pool_mean(r: _Recorder, x: Tensor, size: Any, stride: Any = None, padding: Any = (0, 0)) -> str:
    how = {"kernel_shape": size, "strides": stride or size, "pads": [*padding] * 2}
    return r.add("AveragePool", [x], **how, count_include_pad=1)


def _pool_adaptively(r: _Recorder, x: Tensor, size: Sequence[int]) -> str:
    if tuple(size) == tuple(x.shape[2:]):  # AlexNet's, for pictures of 224 px
        return r.names[id(x)]
    assert tuple(size) == (1, 1)
    return r.add("GlobalAveragePool", [x])


def _pad(r: _Recorder, x: Tensor, sides: Sequence[int], mode: str = "constant", value: float = 0.0) -> str:
    assert mode == "constant" and value == 0
    left, right, top, bottom = sides
    return r.add("Pad", [x, [0, 0, top, left, 0, 0, bottom, right]])


# torch's operators, without the underscore of those that change their input in place.
_OPERATORS: dict[str, Callable[..., str]] = {
    "conv2d": _convolve,
    "batch_norm": _normalize,
    "relu": lambda r, x: r.add("Relu", [x]),
    "hardtanh": lambda r, x, low, high: r.add("Clip", [x, low, high]),
    "max_pool2d": _pool_max,
    "avg_pool2d": _pool_mean,
    "adaptive_avg_pool2d": _pool_adaptively,
    "pad": _pad,
    "dropout": lambda r, x, *_: r.names[id(x)],
    "flatten": lambda r, x, axis: r.add("Flatten", [x], axis=axis),
    "linear": lambda r, x, weight, bias: r.add("Gemm", [x, weight, bias], transB=1),
    "cat": lambda r, parts, axis=0: r.add("Concat", parts, axis=axis),
    "add": lambda r, x, y: r.add("Add", [x, y]),
    "mul": lambda r, x, y: r.add("Mul", [x, y]),
    "select": lambda r, x, axis, idx: r.add("Gather", [x, idx], axis=axis),
    "unsqueeze": lambda r, x, axis: r.add("Unsqueeze", [x, [axis]]),
}


def _describe_attribute(name: str, value: int | float | Sequence[int]) -> Message:
    """Return an AttributeProto: FLOAT is 1, INT 2, INTS 7."""
    if isinstance(value, float):
        return Message([(1, name), (2, value), (20, 1)])
    if isinstance(value, int):
        return Message([(1, name), (3, value), (20, 2)])
    return Message([(1, name), *((8, int(each)) for each in value), (20, 7)])


def _describe_tensor(name: str, tensor: Tensor) -> Message:
    """Return a TensorProto."""
    kind = _FLOAT if tensor.is_floating_point() else _INT64
    return Message([*((1, side) for side in tensor.shape), (2, kind), (8, name), (9, Numbers(tensor))])


def _describe_value(name: str, shape: Sequence[int | str]) -> Message:
    """Return a ValueInfoProto of float32 numbers; a text names a side that is open."""
    sides = Message((1, Message([(1 if isinstance(side, int) else 2, side)])) for side in shape)
    return Message([(1, name), (2, Message([(1, Message([(1, _FLOAT), (2, sides)]))]))])
