"""The ladder: the photograph's three stages at a glance, and a panel with one stage for each resolution."""

import html

import gradio as gr
from PIL import Image

from demo.figures import colour_stops, draw_box, draw_grid, draw_overlay
from demo.models.zoo import StageLabel, find_spec
from demo.tasks.activations import (
    Measure,
    StageActivation,
    StageActivations,
    capture_resolutions,
    capture_stages,
    field_box,
    mean_activation,
    rank_channels,
)
from demo.ui.handlers import Cost, costs, listen
from demo.ui.inside.channel import ChannelChoice
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, needs_photo
from demo.ui.parts.markup import PICK_SCRIPT, draw_picture, draw_save_link, draw_saved, encode_jpeg
from demo.ui.parts.values import parse_choice, parse_whole, read_event
from demo.visitors.rooms import Rooms
from demo.words.inside import InsideWords, LadderWords

PAPER = Paper("Zeiler & Fergus 2014", "https://arxiv.org/abs/1311.2901")
RESOLUTIONS_PAPER = Paper("LeCun et al. 1998", "https://doi.org/10.1109/5.726791")
NUM_MAPS = 16
_OVERLAY_PX, _TILE_PX = 336, 112
_NUM_OF_RESOLUTION, _RESOLUTION_PX = 4, 224


@costs(Cost.COMPUTE)
@needs_photo(without_photo=str)
def draw_ladder(rooms: Rooms, subject: Subject, measure: str) -> str:
    """Return the low, the middle and the high stage as HTML, with the strongest maps by a measure to pick from."""
    words = rooms.words.inside
    ranked_by = parse_choice(words.ladder.measure, Measure, measure)
    activations = capture_stages(subject.backbone, subject.photo)
    stages = "".join(_draw_stage(words, activations, each, ranked_by) for each in activations.stages)
    legend = _draw_legend(words.ladder, activations)
    return f'<div class="ladder">{stages}</div><p class="hint">{words.ladder.pick}</p>{legend}'


@costs(Cost.LIGHT)
def pick_channel(rooms: Rooms, event: gr.EventData) -> ChannelChoice:
    """Choose the channel whose map was clicked."""
    words = rooms.words.inside.channel
    stage, _, number = read_event(event, "pick").partition(" ")
    channel_idx = parse_whole(words.channel, int(number[:6]) if number.isdecimal() else number)
    return ChannelChoice(parse_choice(words.stage, StageLabel, stage).value, channel_idx)


@costs(Cost.COMPUTE)
@needs_photo(without_photo=str)
def draw_resolutions(rooms: Rooms, subject: Subject) -> str:
    """Return each resolution's mean activation and strongest channels as HTML."""
    words = rooms.words.inside.resolutions
    network_input = subject.backbone.draw_input(subject.photo)
    figures = []
    for each in capture_resolutions(subject.backbone, subject.photo):
        channels, height, width = each.values.shape
        size = {"height": height, "width": width}
        overlay = draw_overlay(mean_activation(each.values), network_input, side_px=_RESOLUTION_PX)
        caption = words.caption.format(**size, channels=channels, name=each.name)
        strongest = rank_channels(each.values, _NUM_OF_RESOLUTION, Measure.SPREAD)
        grid = draw_grid(each.values[strongest], side_px=_RESOLUTION_PX // 2)
        figures += [
            draw_captioned(overlay, caption, words.overlay_alt.format(**size)),
            draw_captioned(grid, words.grid_alt.format(**size), words.grid_alt.format(**size)),
        ]
    return draw_figures(figures)


def build_ladder(rooms: Rooms, ref: gr.State) -> gr.HTML:
    """Lay out the panel and wire it; return the ladder, of which maps are picked."""
    words = rooms.words.inside.ladder
    with build_panel(rooms, ref, words, PAPER, elem_id="ladder-panel") as panel:
        ladder = gr.HTML("", padding=False, js_on_load=PICK_SCRIPT, elem_id="ladder")
        measures = [(words.measures[each], each.value) for each in Measure]
        measure = gr.Radio(measures, label=words.measure, value=Measure.SPREAD.value, elem_id="measure")
        panel.listen([panel.renewed, measure.input], draw_ladder, [measure], ladder)
    return ladder


def open_picked(rooms: Rooms, ladder: gr.HTML, choice: ChannelChoice) -> None:
    """Let a click on a map of the ladder open the panel of its channel."""
    picked = listen(rooms, ladder.click, pick_channel, None, choice)
    picked.success(None, None, None, js="() => demo.bench.open('channel-panel')")


def build_resolutions(rooms: Rooms, ref: gr.State) -> None:
    """Lay out the panel and wire it."""
    words = rooms.words.inside.resolutions
    with build_panel(rooms, ref, words, RESOLUTIONS_PAPER, elem_id="resolutions-panel") as panel:
        drawn = gr.HTML("", padding=False, elem_id="resolutions")
        panel.listen(panel.renewed, draw_resolutions, [], drawn)


def _draw_stage(words: InsideWords, activations: StageActivations, stage: StageActivation, measure: Measure) -> str:
    label, ladder = stage.stage.label, words.ladder
    name = words.stage_names[label]
    overlay = _draw_field(draw_overlay(stage.mean, activations.network_input), activations.network_input, stage)
    overlay = overlay.resize((_OVERLAY_PX, _OVERLAY_PX), Image.Resampling.LANCZOS)
    alt_text = ladder.overlay_alt.format(stage=name)
    seen = draw_saved(draw_picture(encode_jpeg(overlay), alt_text), ladder.overlay, alt_text, kind="jpg")
    facts = "".join(f"<p>{each}</p>" for each in _list_facts(ladder, activations.backbone_name, stage))
    return (
        f'<section class="stage"><h3>{name}</h3><p class="sentence">{words.stage_sentences[label]}</p>'
        f'<div id="overlay-{label}">{seen}</div>{_draw_maps(words, stage, measure)}'
        f'<details class="shape" id="shape-{label}"><summary>{ladder.in_numbers}</summary>{facts}</details></section>'
    )


def _draw_maps(words: InsideWords, stage: StageActivation, measure: Measure) -> str:
    """Return the strongest maps of a stage as one picture with a button on each; one of them is a stop of the Tab key.

    The arrow keys lead to the others (demo/ui/scripts/bench.js).
    """
    ladder, label = words.ladder, stage.stage.label
    strongest = stage.strongest(NUM_MAPS, measure)
    sheet = encode_jpeg(draw_grid(stage.values[strongest], side_px=_TILE_PX))
    names = [ladder.map.format(channel=each) for each in strongest]
    buttons = "".join(
        f'<button type="button" data-pick="{label} {channel}" tabindex="{-1 if place else 0}"'
        f' aria-label="{name}" title="{name}"></button>'
        for place, (channel, name) in enumerate(zip(strongest, names, strict=True))
    )
    alt_text = ladder.grid_alt.format(stage=words.stage_names[label])
    return (
        f'<figure class="maps" id="grid-{label}"><div>{draw_picture(sheet, alt_text)}{buttons}</div>'
        f"<figcaption>{draw_save_link(ladder.grid, alt_text, kind='jpg')}</figcaption></figure>"
    )


def _list_facts(words: LadderWords, backbone_name: str, stage: StageActivation) -> tuple[str, str, str]:
    """Return, as HTML, what the numbers of a stage are: its shape, the layer that is shown, and what is 0 in it."""
    channels, height, width = stage.values.shape
    shape = words.stage_shape.format(
        backbone=find_spec(backbone_name).display_name,
        channels=channels,
        height=height,
        width=width,
        stride=stage.stage.stride,
    )
    facts = words.facts.format(
        field=stage.stage.receptive_field_px,
        zeros=100 * stage.zero_share,
        silent=int(stage.silent.sum()),
        channels=channels,
    )
    layer = words.layers["expansion" if stage.stage.last_block else "end"]
    return shape, layer.format(module=_draw_code(stage.stage.module), end=_draw_code(stage.stage.end)), facts


def _draw_code(name: str) -> str:
    return f"<code>{html.escape(name)}</code>"


def _draw_field(overlay: Image.Image, network_input: Image.Image, stage: StageActivation) -> Image.Image:
    """Draw the receptive field of the cell in the middle, where that is not all of the picture."""
    height, width = stage.values.shape[1:]
    box = field_box(stage.stage, (height // 2, width // 2), (height, width), network_input.size)
    if box == (0, 0, *network_input.size):
        return overlay
    sides = (*network_input.size, *network_input.size)
    left, top, right, bottom = (edge / side for edge, side in zip(box, sides, strict=True))
    return draw_box(overlay, (left, top, right, bottom))


def _draw_legend(words: LadderWords, activations: StageActivations) -> str:
    """Return what the colours mean: the scale, and behind it what is shown of each stage."""
    largest = {stage.stage.label.value: float(stage.mean.max()) for stage in activations.stages}
    gradient = f"linear-gradient(90deg, {', '.join(colour_stops())})"
    sentences = (words.field, words.scale_overlay.format(**largest), words.scale_grid)
    return (
        f'<details class="shape" id="legend"><summary><span class="scale"><span>{words.scale_zero}</span>'
        f'<span class="colours" style="background: {gradient}"></span><span>{words.scale_largest}</span></span>'
        "</summary>"
        f"{''.join(f'<p>{each}</p>' for each in sentences)}</details>"
    )
