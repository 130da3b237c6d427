"""The fast way to a network's features and logits, for calls that need no stage."""

import logging
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from demo.models.batching import Answers, set_num_threads
from demo.models.graph import copy_sharing_memory, replace_module
from demo.models.plan import MAX_BATCH
from demo.models.zoo import BackboneSpec

# torch calls these operators private; without them the convolutions are not packed.
_OPERATORS = ("_reorder_convolution_weight", "_convolution_pointwise", "_is_mkldnn_bf16_supported")

_log = logging.getLogger(__name__)


class _FeaturesAndLogits(nn.Module):
    """A last layer that also returns its input, the features."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: Tensor) -> Answers:
        return Answers(features, self.layer(features))


class _PackedConvolution(nn.Module):
    """A convolution whose weights are kept in the memory layout that oneDNN computes with.

    With plain weights oneDNN reorders them at every call, which takes a quarter of the time for one picture. The layout
    depends on the size of the input and on the number of threads; with others the result is the same, only slower.
    """

    def __init__(self, convolution: nn.Conv2d, input_size: torch.Size) -> None:
        super().__init__()
        padding = convolution.padding
        assert not isinstance(padding, str), "no network of the zoo pads by a word"
        self._how = (padding, convolution.stride, convolution.dilation, convolution.groups)
        weight = convolution.weight.contiguous()
        self._weight = torch.ops.mkldnn._reorder_convolution_weight(weight, *self._how, list(input_size))
        self._bias = convolution.bias

    def forward(self, activation: Tensor) -> Tensor:
        convolved: Tensor = torch.ops.mkldnn._convolution_pointwise(
            activation, self._weight, self._bias, *self._how, "none", [], ""
        )
        return convolved


class FastForward:
    """A network's features and logits, by way of packed convolutions where there are any.

    What is packed for one thread and `MAX_BATCH` pictures answers whatever runs in one thread, so that the digits of
    features depend on nothing that is measured. A picture alone in more threads has a packing for these.
    """

    def __init__(self, network: nn.Module, spec: BackboneSpec, device: torch.device, dtype: torch.dtype) -> None:
        """Fold and pack.

        Args:
            network: The network, in `eval()`; left unchanged.
            spec: Its row of the zoo's table.
            device: Device that computes.
            dtype: Type of the numbers it computes with.
        """
        self._network, self._spec, self._device, self._dtype = network, spec, device, dtype
        folded = self._fold()
        self._sizes: dict[str, torch.Size] = {}
        if device.type == "cpu" and can_pack(dtype):
            example = torch.zeros(1, 3, *spec.build_transforms().crop_size * 2, dtype=dtype)
            self._sizes = _input_sizes(folded, example)
        self._together = _pack(folded, self._sizes, MAX_BATCH, 1)
        self._alone, self._num_threads = self._together, 1

    def pack_alone(self, num_threads: int) -> None:
        """Be ready for pictures alone in a number of threads; calls that are on their way end as they began."""
        if num_threads == self._num_threads:
            return
        alone = self._together
        if num_threads > 1 and self._sizes:
            alone = _pack(self._fold(), self._sizes, 1, num_threads)
        self._alone, self._num_threads = alone, num_threads

    def __call__(self, batch: Tensor) -> Answers:
        """Return the answers to transformed pictures (N, 3, H, W), float32 on the CPU, in the threads that are set."""
        is_alone = len(batch) == 1 and torch.get_num_threads() == self._num_threads
        answering = self._alone if is_alone else self._together
        with torch.inference_mode():
            answers = answering(batch.to(self._device, self._dtype, memory_format=torch.channels_last))
            return Answers(*(each.to("cpu", torch.float32) for each in answers))

    def _fold(self) -> nn.Module:
        folded, logits = _fold_batch_norms(self._network), self._spec.logits
        replace_module(folded, logits, _FeaturesAndLogits(folded.get_submodule(logits)))
        return folded.to(self._device, self._dtype).to(memory_format=torch.channels_last)


def _fold_batch_norms(network: nn.Module) -> nn.Module:
    """Return a copy whose convolutions include the batch norms right after them; it shares the memory of the rest.

    In `eval()` a batch norm multiplies each channel by a factor and adds a summand.
    """
    folded = copy_sharing_memory(network)
    for parent in list(folded.modules()):
        for (_, convolution), (name, norm) in pairwise(parent.named_children()):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                assert norm.running_mean is not None and norm.running_var is not None
                convolution.weight, convolution.bias = fuse_conv_bn_weights(
                    convolution.weight,
                    convolution.bias,
                    norm.running_mean,
                    norm.running_var,
                    norm.eps,
                    norm.weight,
                    norm.bias,
                )
                replace_module(parent, name, getattr(norm, "act", nn.Identity()))  # timm's batch norms include a ReLU
    return folded


def can_pack(dtype: torch.dtype) -> bool:
    """Say whether oneDNN packs convolutions here; bfloat16 needs a processor with instructions for it."""
    if not (torch.backends.mkldnn.is_available() and has_packed_convolutions()):
        return False
    return dtype is not torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()


@cache
def has_packed_convolutions() -> bool:
    """Say whether torch has the operators of packed convolutions; the first call logs those that are missing."""
    missing = [name for name in _OPERATORS if not hasattr(torch.ops.mkldnn, name)]
    if missing:
        _log.warning(
            "torch %s lacks torch.ops.mkldnn.%s: convolutions stay plain, and answers take longer",
            torch.__version__,
            " and ".join(missing),
        )
    return not missing


def _pack(network: nn.Module, sizes: dict[str, torch.Size], batch_size: int, num_threads: int) -> nn.Module:
    """Pack the convolutions of a network, in place, for a batch size and a number of threads."""
    with set_num_threads(num_threads), torch.inference_mode():
        for name, size in sizes.items():
            convolution = network.get_submodule(name)
            assert isinstance(convolution, nn.Conv2d)
            replace_module(network, name, _PackedConvolution(convolution, torch.Size([batch_size, *size[1:]])))
    return network


def _input_sizes(network: nn.Module, example: Tensor) -> dict[str, torch.Size]:
    """Return the input size of each plain convolution, by its name; subclasses, which do more, are left out."""
    sizes: dict[str, torch.Size] = {}
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs, name=name: sizes.__setitem__(name, inputs[0].shape))
        for name, module in network.named_modules()
        if type(module) is nn.Conv2d
    ]
    with torch.inference_mode():
        network(example.to(memory_format=torch.channels_last))
    for hook in hooks:
        hook.remove()
    return sizes
