"""What is possible on this machine, as far as the table of backbones and torch know."""

import torch

from demo.errors import SettingWrong
from demo.models.zoo import ZOO
from demo.settings import Settings


def check_possible(settings: Settings) -> None:
    """Check that there is such a backbone, and such a device.

    Raises:
        SettingWrong: If there is not; the sentence names the environment variable.
    """
    if settings.backbone not in ZOO:
        raise SettingWrong(variable="DEMO_BACKBONE", value=settings.backbone, possible=f"one of {', '.join(ZOO)}")
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SettingWrong(variable="DEMO_DEVICE", value="cuda", possible="cpu, for torch finds no GPU here")
