"""What three panels of tab 3 say: the residual lab, moving the picture, and the statistics of activations."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.words.panel import PanelWords


@dataclass(frozen=True)
class ResidualWords(PanelWords):
    """The residual lab."""

    absent: str
    absent_reasons: Mapping[str, str]
    block: str
    block_choice: str
    kinds: Mapping[str, str]
    places: Mapping[str, str]
    map_caption: str
    map_alt: str
    scale: str
    ratio: str
    ratio_infinite: str
    norm_columns: tuple[str, ...]
    drawing_alt: str
    drawing_layer: str
    drawing_identity: str
    drawing_ends: Mapping[str, str]
    drawing_help: str
    save_drawing: str
    shortcuts_off: str
    blocks_off: str
    nothing_off: str
    answers: str
    answer_columns: tuple[str, ...]
    before: str
    after: str
    count: str
    count_hint: str
    counting: str
    counted: str
    count_columns: tuple[str, ...]


@dataclass(frozen=True)
class MoveWords(PanelWords):
    """What becomes of activations and answers while the picture is moved."""

    move: str
    moves: Mapping[str, str]
    reach: str
    reach_help: str
    stages: Mapping[str, str]
    steps: Mapping[str, str]
    top: str
    likewise: str
    likewise_help: str
    unmoved: str
    unmoved_help: str
    step_axis: str
    similarity_axis: str
    features: str
    probability: str
    pictures: str
    picture_alt: str


@dataclass(frozen=True)
class StatisticsWords(PanelWords):
    """The statistics of two activations, side by side."""

    beside: str
    untuned: str
    own: str
    second: str
    second_alt: str
    no_second: str
    first_look: str
    second_look: str
    picture_alt: str
    columns: tuple[str, ...]
    strongest: str
    silent_help: str
    histogram: str
    histogram_help: str
    mean_axis: str
    count_axis: str
    bin: str
    numbers: str
