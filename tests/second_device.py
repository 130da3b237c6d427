"""A device that is none: torch takes it for an accelerator, and the CPU computes.

It finds what a GPU would find: a tensor that was left on the CPU, a CPU's generator that should fill a tensor of the
device, numbers that are read without a copy. The numbers are the CPU's own, behind tensors of the device.

Source:
    https://docs.pytorch.org/tutorials/advanced/privateuseone.html
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "second"

calls: Counter[str] = Counter()  # how often each of torch's functions ran on the device

_KEY = "PrivateUse1"  # torch's name for a device that it does not know
_TAKE_INDICES = ("aten::index", "aten::_index_put_impl_")  # as on CUDA, indices may be the CPU's
# Views that torch would make from strides, which are not those of the numbers behind a tensor of the device, and what
# it would compute into a tensor that it resizes.
_DIRECT = (
    "abs alias detach diagonal expand permute select.int slice.Tensor split.Tensor split_with_sizes squeeze "
    "squeeze.dim squeeze.dims t transpose.int unbind.int unfold unsqueeze view_as_complex view_as_real"
)
_kept: list[torch.library.Library] = []  # what is registered lasts as long as these


@cache
def open_second_device() -> torch.device:
    """Make the device known to torch, for the rest of the process."""
    _setup_privateuseone_for_python_backend(NAME)
    # `torch.random.fork_rng` keeps the state of every device's generator, and this device has none.
    vars(getattr(torch, NAME)).update(get_rng_state=lambda _: None, set_rng_state=lambda *_: None)
    others, aten = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    others.fallback(lambda op, *arguments, **options: _run(op, arguments, options), _KEY)
    for name in _DIRECT.split():
        aten.impl(name, _run_by(name), _KEY)
    for name in ("view", "_unsafe_view", "_reshape_alias"):
        aten.impl(name, lambda tensor, size, *_: _run(torch.ops.aten.reshape.default, (tensor, size), {}), _KEY)
    aten.impl("as_strided", _refuse_strides, _KEY)
    aten.impl("_copy_from", _copy, _KEY)
    aten.impl("convolution_overrideable", _convolve, _KEY)
    aten.impl("convolution_backward_overrideable", _convolve_back, _KEY)
    _kept.extend([others, aten])
    return torch.device(NAME)


class _Second(Tensor):
    """A tensor of the device; torch copies one of a class that is not its own by `clone`, without its storage."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]


def _run(op: Any, arguments: Any, options: Any) -> Any:
    """Run one of torch's functions on the CPU's tensors behind those of the device."""
    name = op._schema.name
    calls[name] += 1
    given: dict[int, Tensor] = {}  # tensors of the device, by the CPU's tensor behind each

    def take(value: Any) -> Any:
        if isinstance(value, torch.device):
            return torch.device("cpu")
        if isinstance(value, torch.Generator):
            raise RuntimeError(f"{name}: a generator of {value.device} cannot fill a tensor of {NAME}")
        if isinstance(value, Tensor) and value.device.type == NAME:
            numbers = _read(value)
            if name.startswith("aten::_fused_"):  # an optimizer goes through memory; a gradient may be a view
                numbers = numbers.contiguous()
            given[id(numbers)] = value
            return numbers
        if isinstance(value, Tensor) and value.dim() and name not in _TAKE_INDICES:
            raise RuntimeError(f"{name}: a tensor of {value.device} among tensors of {NAME}")
        return value

    def give(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if id(value) in given:
            return given[id(value)]
        return _wrap(value if is_view else value.contiguous())

    is_view = any(each.alias_info for each in op._schema.returns)
    results = op(*_each(take, arguments), **{key: _each(take, value) for key, value in options.items()})
    # torch refuses a view of a tensor from outside inference mode that is itself from inside.
    is_inside = all(each.is_inference() for each in given.values()) if is_view else torch.is_inference_mode_enabled()
    with torch.inference_mode(is_inside):
        return _each(give, results)


def _each(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_each(function, each) for each in value)
    return function(value)


def _wrap(numbers: Tensor) -> Tensor:
    wrapped: Tensor = torch._C._acc.create_empty_tensor(tuple(numbers.shape), numbers.dtype)
    wrapped.__class__ = _Second
    # A storage keeps its Python attributes, and all tensors that share its memory share it.
    wrapped.untyped_storage().numbers = numbers  # type: ignore[attr-defined]
    return wrapped


def _read(tensor: Tensor) -> Tensor:
    """Return the CPU's tensor behind one of the device."""
    numbers: Tensor = tensor.untyped_storage().numbers  # type: ignore[attr-defined]
    return numbers


def _copy(source: Tensor, target: Tensor, _non_blocking: bool = False) -> Tensor:
    """Copy numbers to the device, from it, or within it."""
    calls["aten::_copy_from"] += 1
    there, here = (_read(each) if each.device.type == NAME else each for each in (target, source))
    there.copy_(here)
    return target


def _run_by(name: str) -> Callable[..., Any]:
    packet, _, overload = name.partition(".")
    op = getattr(getattr(torch.ops.aten, packet), overload or "default")
    return lambda *arguments, **options: _run(op, arguments, options)


def _refuse_strides(*_: Any) -> Any:
    raise NotImplementedError("a tensor of this device does not have the strides of the numbers behind it")


def _convolve(*arguments: Any) -> Any:
    return _run(torch.ops.aten.convolution.default, arguments, {})


def _convolve_back(upper: Tensor, inputs: Tensor, weight: Tensor, *others: Any) -> Any:
    arguments = (upper, inputs, weight, [upper.shape[1]], *others)  # torch's own function also takes the bias's shape
    return _run(torch.ops.aten.convolution_backward.default, arguments, {})
