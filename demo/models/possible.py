"""Checks of settings that need the table of backbones, or torch."""

import torch

from demo.errors import SettingWrong
from demo.models.zoo import ZOO
from demo.settings import Settings


def check_possible(settings: Settings) -> None:
    """Check that the backbone and the device of the settings exist.

    Raises:
        SettingWrong: If one does not; the sentence names the environment variable.
    """
    if settings.backbone not in ZOO:
        raise SettingWrong(variable="DEMO_BACKBONE", value=settings.backbone, possible=f"one of {', '.join(ZOO)}")
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SettingWrong(variable="DEMO_DEVICE", value="cuda", possible="cpu, for torch finds no GPU here")
