"""The fast way to a network's features and logits alone: nothing else has to be kept apart."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from demo.models.batching import MAX_BATCH, Answers, set_num_threads
from demo.models.graph import copy_sharing_memory, replace_module
from demo.models.zoo import BackboneSpec
from demo.system import num_cores

BYTES_PER_PARAMETER = 8  # at most: float32, in a copy for one picture and in one for a batch


class _FeaturesAndLogits(nn.Module):
    """A last layer that also gives what goes into it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: Tensor) -> Answers:
        return Answers(features, self.layer(features))


class _PackedConvolution(nn.Module):
    """A convolution whose weights lie in the order that the processor wants them in.

    Otherwise oneDNN puts them into that order at every call, which for one picture takes a quarter of the time. The
    order depends on the size of the input and on the number of threads; with others the result is the same, later.
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


def build_fast_forward(
    network: nn.Module, spec: BackboneSpec, device: torch.device, dtype: torch.dtype
) -> Callable[[Tensor], Answers]:
    """Return a function from transformed pictures (N, 3, H, W) to the network's answers, float32 on the CPU.

    Args:
        network: In `eval()`; left unchanged.
        spec: Its row of the zoo's table.
        device: Where to compute.
        dtype: What to compute in.
    """
    folded = _fold_batch_norms(network)
    replace_module(folded, spec.logits, _FeaturesAndLogits(folded.get_submodule(spec.logits)))
    folded.to(device, dtype).to(memory_format=torch.channels_last)
    alone = together = folded
    if device.type == "cpu" and torch.backends.mkldnn.is_available():
        sizes = _input_sizes(folded, torch.zeros(1, 3, *spec.build_transforms().crop_size * 2, dtype=dtype))
        alone = _pack(copy_sharing_memory(folded), sizes, 1, num_cores())
        together = _pack(folded, sizes, MAX_BATCH, 1)

    def forward(batch: Tensor) -> Answers:
        with torch.inference_mode():
            answering = alone if len(batch) == 1 else together  # each for what it was packed for
            answers = answering(batch.to(device, dtype, memory_format=torch.channels_last))
            return Answers(*(each.to("cpu", torch.float32) for each in answers))

    return forward


def _fold_batch_norms(network: nn.Module) -> nn.Module:
    """Return a copy in which each convolution also does what the batch norm right after it did.

    In `eval()` a batch norm is a factor and a summand for each channel. The copy shares the memory of the rest.
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
                replace_module(parent, name, getattr(norm, "act", nn.Identity()))  # timm's rectify as well
    return folded


def _pack(network: nn.Module, sizes: dict[str, torch.Size], batch_size: int, num_threads: int) -> nn.Module:
    """Pack the convolutions of a network, in place, for a batch size and a number of threads."""
    with set_num_threads(num_threads), torch.inference_mode():
        for name, size in sizes.items():
            convolution = network.get_submodule(name)
            assert isinstance(convolution, nn.Conv2d)
            replace_module(network, name, _PackedConvolution(convolution, torch.Size([batch_size, *size[1:]])))
    return network


def _input_sizes(network: nn.Module, example: Tensor) -> dict[str, torch.Size]:
    """Return the size of what goes into each plain convolution, by its name; subclasses do more and are left out."""
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
