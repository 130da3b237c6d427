"""What four panels of tab 3 say: the residual lab, designs of blocks, moving the picture, and statistics."""

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
    trial: str
    trial_verdicts: Mapping[str, str]
    trial_unsure: str
    trial_columns: tuple[str, ...]
    trial_rows: Mapping[str, str]
    turned: str
    to_blocks: str
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
class BlockWords(PanelWords):
    """Designs of blocks, drawn and counted without any weights."""

    width: str
    side: str
    saving: str
    names: Mapping[str, str]
    ideas: Mapping[str, str]
    inception_alt: str
    dense_alt: str
    columns: tuple[str, ...]
    counted: str


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
    verdicts: Mapping[str, str]
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
