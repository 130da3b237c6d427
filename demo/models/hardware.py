"""What computes here: the processor, a GPU, or the processor with a GPU that is lent for the length of a call.

Hugging Face's ZeroGPU lends one: the process of the page has none, and a function that its package `spaces` wraps runs
in a process of its own, with a GPU and for a number of seconds that it has asked for. The package exchanges functions
of torch's, so it is imported before torch: by `demo/models/__init__.py`, which comes before all that imports torch.

Source:
    https://huggingface.co/docs/hub/spaces-zerogpu
"""

import os
from collections.abc import Callable
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_TOKEN = "x-ip-token"

IS_LENT = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")  # as the package itself reads it
if IS_LENT:
    import spaces
    import torch

    # The package says in this process that there is a GPU, for networks that wait for theirs. None of ours does, and
    # torch's AdamW would ask it for its stream and fail, on the processor too. The process that has one asks CUDA.
    torch.cuda.is_available = lambda: False


class Hardware(StrEnum):
    """What computes: LENT is the processor, and for long work a GPU that is lent."""

    CPU = "cpu"
    GPU = "gpu"
    LENT = "lent"


def find_hardware(device: str) -> Hardware:
    """Return what computes where networks are on a device, by torch's name."""
    if device != "cpu":
        return Hardware.GPU
    return Hardware.LENT if IS_LENT else Hardware.CPU


def name_device(device: str) -> str:
    """Return the name of a device as its maker gives it, such as "NVIDIA L4"; torch's own where there is none."""
    if not device.startswith("cuda"):
        return device
    import torch

    return torch.cuda.get_device_name(device)


def find_token() -> str | None:
    """Return what ZeroGPU knows the visitor by whose event this is, and counts the seconds for; None outside of any."""
    request = spaces.utils.gradio_request_var().get(None)
    headers = getattr(request, "headers", None)
    return headers.get(_TOKEN) if headers is not None else None


def ask_as(token: str | None) -> None:
    """Let this thread ask for a GPU as the visitor of a token."""
    headers = _Headers({_TOKEN: token} if token else {})
    spaces.utils.gradio_request_var().set(SimpleNamespace(headers=headers))


class _Headers(dict[str, str]):
    """A request's headers as the package takes them."""


def borrows_gpu(seconds: Callable[..., int]) -> Callable[[Function], Function]:
    """Let a generator function run with a lent GPU, in a process of its own; elsewhere it stays as it is.

    What goes in and what it yields is pickled. Locks that are held elsewhere at that moment stay held in its process.

    Args:
        seconds: The function's arguments to the time after which the GPU may be taken away.
    """

    def wrap(function: Function) -> Function:
        wrapped: Function = spaces.GPU(duration=seconds)(function) if IS_LENT else function
        return wrapped

    return wrap
