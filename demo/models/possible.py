"""Which backbone and device are possible here: what needs the table of backbones, or torch."""

from __future__ import annotations

import os
from collections.abc import Mapping

from demo.errors import SettingWrong
from demo.models.late import torch
from demo.models.zoo import ZOO
from demo.settings import AUTO, Settings
from demo.system import may_have_gpu


def check_possible(settings: Settings) -> None:
    """Check that the backbone and the device of the settings exist, and that the device has the precisions.

    Raises:
        SettingWrong: If one does not; the sentence names the environment variable.
    """
    if settings.backbone not in ZOO:
        raise SettingWrong(variable="DEMO_BACKBONE", value=settings.backbone, possible=f"one of {', '.join(ZOO)}")
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SettingWrong(variable="DEMO_DEVICE", value="cuda", possible="auto or cpu, for torch finds no GPU here")
    if settings.device == "mps" and not torch.backends.mps.is_available():
        possible = "auto or cpu, for torch finds no Apple GPU here"
        raise SettingWrong(variable="DEMO_DEVICE", value="mps", possible=possible)
    if settings.features_precision == "bfloat16" != settings.precision and choose_device(settings.device) == "cpu":
        from demo.models.answering import can_pack

        if not can_pack(torch.bfloat16):
            possible = "float32, for this processor computes no faster in bfloat16"
            raise SettingWrong(variable="DEMO_FEATURES_PRECISION", value="bfloat16", possible=possible)


def choose_device(device: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the device that computes: the one that is named, or for AUTO a GPU that torch finds, else the CPU.

    On ZeroGPU there is a GPU for the length of a call only, so what is always there is the CPU. An Apple GPU has to be
    named: this program was never tried on one.
    """
    if device != AUTO:
        return device
    may_be = may_have_gpu() and not environment.get("SPACES_ZERO_GPU")  # to ask torch takes its import, of seconds
    return "cuda" if may_be and torch.cuda.is_available() else "cpu"
