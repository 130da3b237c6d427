"""Which backbone and device are possible here: what needs the table of backbones, or torch."""

import os
from collections.abc import Mapping

import torch

from demo.errors import SettingWrong
from demo.models.answering import can_pack
from demo.models.zoo import ZOO
from demo.settings import AUTO, Settings


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
    is_half = settings.features_precision == "bfloat16" != settings.precision
    if is_half and choose_device(settings.device) == "cpu" and not can_pack(torch.bfloat16):
        possible = "float32, for this processor computes no faster in bfloat16"
        raise SettingWrong(variable="DEMO_FEATURES_PRECISION", value="bfloat16", possible=possible)


def choose_device(device: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the device that computes: the one that is named, or for AUTO a GPU that torch finds, else the CPU.

    On ZeroGPU there is a GPU for the length of a call only, so what is always there is the CPU. An Apple GPU has to be
    named: this program was never tried on one.
    """
    if device != AUTO:
        return device
    return "cuda" if torch.cuda.is_available() and not environment.get("SPACES_ZERO_GPU") else "cpu"
