"""What the depth lab says."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.words.panel import PanelWords


@dataclass(frozen=True)
class DepthWords(PanelWords):
    """Plain and residual networks of several depths: gradients before training, errors after."""

    seed: str
    seed_help: str
    kinds: Mapping[str, str]
    gradients: str
    gradients_help: str
    gradients_said: str
    gradient_columns: tuple[str, ...]
    block_axis: str
    power_axis: str
    training: str
    training_help: str
    start: str
    stop: str
    starting: str
    running: str
    stopped: str
    step_axis: str
    error_axis: str
    columns: tuple[str, ...]
    plain_grew: str
    plain_kept: str
    residual_grew: str
    residual_kept: str
