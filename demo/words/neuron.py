"""What the panel of one neuron says."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.words.panel import PanelWords


@dataclass(frozen=True)
class NeuronWords(PanelWords):
    """One neuron in numbers, the map of many, and simple and complex cells."""

    kernel: str
    kernels: Mapping[str, str]
    weight: str
    picture: str
    pictures: Mapping[str, str]
    degrees: str
    shift: str
    threshold: str
    row: str
    column: str
    place: str
    nine: Mapping[str, str]
    total: str
    answer: str
    fires: str
    maps: str
    maps_help: str
    captions: Mapping[str, str]
    pooled: str
    largest: str
    angles: str
    angles_help: str
    angles_said: str
    shifts: str
    shifts_help: str
    shifts_said: str
    one_place: str
    over: str
    angle_axis: str
    shift_axis: str
    answer_axis: str
