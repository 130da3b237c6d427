"""Tab 3: what the network makes of the photograph: the ladder of its stages, and panels with things to try."""

from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.figures import colour_stops, draw_box, draw_grid, draw_overlay, find_tile
from demo.models.zoo import StageLabel, find_spec
from demo.tasks.activations import Measure, StageActivation, StageActivations, capture_stages, field_box
from demo.ui.handlers import COMPUTE, LIGHT, bind
from demo.ui.inside.channel import ChannelChoice, build_channel
from demo.ui.inside.class_maps import build_class_maps
from demo.ui.inside.erase import build_erase
from demo.ui.inside.kernels import build_kernels
from demo.ui.inside.moves import build_moves
from demo.ui.inside.panel import Paper, draw_link, renew_panels
from demo.ui.inside.residual import build_residual
from demo.ui.inside.stages import build_stages
from demo.ui.inside.statistics import build_statistics
from demo.ui.parts.picture import build_picture
from demo.ui.parts.values import parse_choice
from demo.ui.photo import answer_line, photo_input
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

NUM_MAPS = 16
PAPER = Paper("Zeiler & Fergus 2014", "https://arxiv.org/abs/1311.2901")


class InsideTab(NamedTuple):
    """The photograph of this tab, and the line that says what the network in use sees in it."""

    photo: gr.Image
    answer: gr.HTML


def open_tab() -> bool:
    """Note that the visitor has looked at this tab; before that its pictures are not worth drawing."""
    return True


def draw_stages(
    rooms: Rooms, ref: Ref, was_opened: bool, drawn: tuple[int, str, int, str] | None, measure: str
) -> list[Any]:
    """Draw the stages, if this tab was opened and something else was drawn last."""
    session = rooms.sessions.find(ref)
    ranked_by = parse_choice(rooms.words.inside.ladder.measure, Measure, measure)
    wanted = (*_identify(session), ranked_by.value)
    if not was_opened or drawn == wanted:
        return [gr.skip()] * (2 + 3 * len(StageLabel))
    if (photo := session.photo) is None:
        return [wanted, "", *["", None, None] * len(StageLabel)]
    with rooms.lend(session.state) as backbone:
        activations = capture_stages(backbone, photo)
    stages = [part for stage in activations.stages for part in _draw_stage(rooms.words, activations, stage, ranked_by)]
    return [wanted, _draw_legend(rooms.words, activations), *stages]


def pick_channel(rooms: Rooms, ref: Ref, stage: str, measure: str, event: gr.SelectData) -> list[Any]:
    """Return stage and number of the channel whose map was clicked in a grid."""
    session = rooms.sessions.find(ref)
    words = rooms.words.inside
    label = parse_choice(words.channel.stage, StageLabel, stage)
    ranked_by = parse_choice(words.ladder.measure, Measure, measure)
    if (photo := session.photo) is None:
        return [gr.skip(), gr.skip(), gr.skip()]
    with rooms.lend(session.state) as backbone:
        activation = capture_stages(backbone, photo).of(label)
    strongest = activation.strongest(NUM_MAPS, ranked_by)
    place = event.index if isinstance(event.index, list | tuple) and len(event.index) == 2 else (-1, -1)
    tile = find_tile((int(place[0]), int(place[1])), len(strongest))
    if tile is None:
        return [gr.skip(), gr.skip(), gr.skip()]
    return [gr.Accordion(open=True), label.value, int(strongest[tile])]


def build_inside_tab(rooms: Rooms, ref: gr.State) -> InsideTab:
    """Lay out the tab and wire what concerns only it."""
    words = rooms.words
    with gr.Tab(words.inside.tab, elem_id="inside-tab", id="inside") as tab:
        was_opened, drawn = gr.State(False), gr.State(None)
        gr.Markdown(words.inside.help, elem_classes="help")
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                photo = photo_input(words, elem_id="inside-photo")
            with gr.Column(scale=2, min_width=300):
                answer = gr.HTML(answer_line(words, None), padding=False, elem_id="inside-answer")
                legend = gr.HTML("", padding=False, elem_id="legend")
                measure = _choose_measure(words)
        with gr.Row(elem_id="stages"):
            stages = [part for label in StageLabel for part in _build_stage(words, label)]
        gr.HTML(_say_what_to_try(words), padding=False)
        channel = build_channel(rooms, ref)
        _build_panels(rooms, ref, channel)
    tab.select(open_tab, None, was_opened, **LIGHT)
    gr.on(
        [ref.change, was_opened.change, measure.input],
        bind(rooms, draw_stages),
        [ref, was_opened, drawn, measure],
        [drawn, legend, *stages],
        show_progress="minimal",
        trigger_mode="always_last",
        **COMPUTE,
    )
    _wire_grids(rooms, ref, measure, stages[2::3], channel)
    return InsideTab(photo, answer)


def _build_panels(rooms: Rooms, ref: gr.State, channel: ChannelChoice) -> None:
    """Lay out the panels below the ladder, and let the open ones follow the session."""
    stages = build_stages(rooms, ref)
    kernels = build_kernels(rooms, ref)
    maps = build_class_maps(rooms, ref)
    panels = [
        channel.shown,
        stages,
        kernels,
        maps.shown,
        build_erase(rooms, ref, maps.first),
        build_residual(rooms, ref),
        build_moves(rooms, ref),
        build_statistics(rooms, ref),
    ]
    ref.change(bind(rooms, renew_panels), [ref, *panels], panels, **LIGHT)


def _wire_grids(rooms: Rooms, ref: gr.State, measure: gr.Radio, grids: list[gr.Image], channel: ChannelChoice) -> None:
    """Let a click on a map choose its channel."""
    for label, grid in zip(StageLabel, grids, strict=True):
        name = gr.State(label.value)
        grid.select(
            bind(rooms, pick_channel),
            [ref, name, measure],
            [channel.panel, channel.stage, channel.number],
            show_progress="hidden",
            **COMPUTE,
        )


def _say_what_to_try(words: Words) -> str:
    ladder = words.inside.ladder
    return (
        f'<p class="hint">{ladder.field} {ladder.pick}</p>'
        f'<p class="help">{words.inside.paper.format(link=draw_link(PAPER))}</p>'
        f'<p class="try"><b>{words.inside.try_this}</b> {ladder.try_this}</p>'
    )


def _choose_measure(words: Words) -> gr.Radio:
    ladder = words.inside.ladder
    return gr.Radio(
        [(ladder.measures[each], each.value) for each in Measure],
        label=ladder.measure,
        value=Measure.MEAN.value,
        elem_id="measure",
    )


def _build_stage(words: Words, label: StageLabel) -> list[Any]:
    name = words.inside.stage_names[label]
    with gr.Column(min_width=280, elem_classes="stage"):
        gr.Markdown(f"### {name}\n{words.inside.stage_sentences[label]}")
        shape = gr.HTML("", padding=False, elem_id=f"shape-{label}")
        overlay = _build_picture(
            words.inside.ladder.overlay, words.inside.ladder.overlay_alt.format(stage=name), elem_id=f"overlay-{label}"
        )
        grid = _build_picture(
            words.inside.ladder.grid, words.inside.ladder.grid_alt.format(stage=name), elem_id=f"grid-{label}"
        )
    return [shape, overlay, grid]


def _build_picture(label: str, alt_text: str, *, elem_id: str) -> gr.Image:
    gr.HTML(f'<p class="hint">{label}</p>', padding=False)  # gradio's own label would cover the picture
    return build_picture(
        label=label,
        show_label=False,
        alt_text=alt_text,
        format="png",
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_id=elem_id,
    )


def _identify(session: Session) -> tuple[int, str, int]:
    """Return what the ladder depends on; a head that was trained with layers below it has stages of its own."""
    head = session.state.answering_head
    return session.photo_number, session.state.backbone_name, session.ref.revision if head and head.tuned else 0


def _draw_stage(
    words: Words, activations: StageActivations, stage: StageActivation, measure: Measure
) -> tuple[str, Image.Image, Image.Image]:
    channels, height, width = stage.values.shape
    shape = words.inside.ladder.stage_shape.format(
        backbone=find_spec(activations.backbone_name).display_name,
        channels=channels,
        height=height,
        width=width,
        stride=stage.stage.stride,
    )
    facts = words.inside.ladder.facts.format(
        field=stage.stage.receptive_field_px,
        zeros=100 * stage.zero_share,
        silent=int(stage.silent.sum()),
        channels=channels,
    )
    overlay = _draw_field(draw_overlay(stage.mean, activations.network_input), activations.network_input, stage)
    grid = draw_grid(stage.values[stage.strongest(NUM_MAPS, measure)])
    return f'<p class="shape">{shape}</p><p class="shape">{facts}</p>', overlay, grid


def _draw_field(overlay: Image.Image, network_input: Image.Image, stage: StageActivation) -> Image.Image:
    """Draw what the cell in the middle can see at most, where that is not all of the picture."""
    height, width = stage.values.shape[1:]
    box = field_box(stage.stage, (height // 2, width // 2), (height, width), network_input.size)
    if box == (0, 0, *network_input.size):
        return overlay
    sides = (*network_input.size, *network_input.size)
    left, top, right, bottom = (edge / side for edge, side in zip(box, sides, strict=True))
    return draw_box(overlay, (left, top, right, bottom))


def _draw_legend(words: Words, activations: StageActivations) -> str:
    largest = {stage.stage.label.value: float(stage.mean.max()) for stage in activations.stages}
    gradient = f"linear-gradient(90deg, {', '.join(colour_stops())})"
    return (
        f'<div class="scale"><span>{words.inside.ladder.scale_zero}</span>'
        f'<span class="colours" style="background: {gradient}"></span><span>{words.inside.ladder.scale_largest}</span></div>'
        f'<p class="hint">{words.inside.ladder.scale_overlay.format(**largest)}</p><p class="hint">{words.inside.ladder.scale_grid}</p>'
    )
