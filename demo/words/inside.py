"""What tab 3 says."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.words.depth import DepthWords
from demo.words.labs import BlockWords, MoveWords, ResidualWords, StatisticsWords
from demo.words.neuron import NeuronWords
from demo.words.panel import PanelWords


@dataclass(frozen=True)
class LadderWords(PanelWords):
    """The stage ladder, the first of the panels."""

    measure: str
    measures: Mapping[str, str]
    layers: Mapping[str, str]
    facts: str
    field: str
    pick: str
    map: str
    in_numbers: str
    stage_shape: str
    overlay: str
    overlay_alt: str
    grid: str
    grid_alt: str
    scale_overlay: str
    scale_grid: str
    scale_zero: str
    scale_largest: str


@dataclass(frozen=True)
class ResolutionWords(PanelWords):
    """The last activation at each resolution."""

    caption: str
    overlay_alt: str
    grid_alt: str


@dataclass(frozen=True)
class ChannelWords(PanelWords):
    """One channel: its map, the patches that excite it, and what it looks for."""

    stage: str
    channel: str
    map_caption: str
    map_alt: str
    patches: str
    no_patches: str
    searching: str
    patch_caption: str
    patch_alt: str
    ascent: str
    stop: str
    ascent_caption: str
    ascent_alt: str
    ascending: str
    stopped: str


@dataclass(frozen=True)
class KernelWords(PanelWords):
    """The kernels of the first layer."""

    layer: str
    tiles: str
    tiles_alt: str
    maps: str
    maps_alt: str
    kernel: str
    tile_caption: str
    tile_alt: str
    map_caption: str
    map_alt: str


@dataclass(frozen=True)
class ClassMapWords(PanelWords):
    """Class maps of one or two classes."""

    first: str
    second: str
    nobody: str
    own: str
    heading: str
    caption: str
    alt: str
    tested: str


@dataclass(frozen=True)
class EraseWords(PanelWords):
    """The test of a heatmap."""

    map_kind: str
    map_choices: Mapping[str, str]
    parts: Mapping[str, str]
    share_axis: str
    probability_axis: str
    heading: str
    columns: tuple[str, ...]
    caption: str
    alt: str
    control: str
    control_help: str
    agreement: str
    trained_caption: str
    untrained_caption: str
    paint: str
    paint_help: str
    measure_painted: str
    nothing_painted: str
    verdicts: Mapping[str, str]
    painted_verdicts: Mapping[str, str]


@dataclass(frozen=True)
class InsideWords:
    """The words of all panels, and what they share."""

    tab: str
    look_at: str
    numbers: str
    stage_names: Mapping[str, str]
    stage_sentences: Mapping[str, str]
    paper: str
    try_this: str
    ladder: LadderWords
    resolutions: ResolutionWords
    channel: ChannelWords
    kernels: KernelWords
    class_maps: ClassMapWords
    erase: EraseWords
    residual: ResidualWords
    blocks: BlockWords
    moves: MoveWords
    statistics: StatisticsWords
    neuron: NeuronWords
    depth: DepthWords
