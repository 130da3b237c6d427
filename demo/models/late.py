"""torch and what is built on it, imported when one of it is first used: the page is open, and answers, seconds before.

Modules that the page imports take torch from here, and name its types in annotations alone, which are never evaluated.
What extends torch's classes, or is a program of its own, imports torch itself, and is imported within the functions
that use it. Nothing here is imported twice or half: whoever comes while one thread imports waits until it is done.
"""

from functools import cache
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import safetensors.torch
    import torch as torch
    from torch import Tensor as Tensor
    from torch import fx as fx
    from torch import nn as nn
    from torch.nn import functional as functional
    from torchvision import models as models

    safetensors_torch = safetensors.torch

_importing = RLock()


class _Late:
    """A module that is imported when one of its names is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(_load(self._name), name)


@cache
def _load(name: str) -> ModuleType:
    with _importing:
        return import_module(name)


if not TYPE_CHECKING:
    torch, nn, fx, functional = map(_Late, ("torch", "torch.nn", "torch.fx", "torch.nn.functional"))
    models, safetensors_torch = map(_Late, ("torchvision.models", "safetensors.torch"))
    Tensor = _Late("torch.Tensor")  # for annotations alone: no module has this name


def import_torch() -> None:
    """Import all of it now.

    Raises:
        ImportError: If the installation is broken.
    """
    with _importing:
        for each in ("torch", "torchvision.models", "safetensors.torch"):
            _load(each)
