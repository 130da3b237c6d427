"""Tab 3: what the network makes of the photograph: the ladder of its stages, and panels with things to try."""

import html
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.figures import colour_stops, draw_box, draw_grid, draw_overlay, find_tile
from demo.models.zoo import StageLabel, find_spec
from demo.tasks.activations import Measure, StageActivation, StageActivations, capture_stages, field_box
from demo.ui.handlers import Cost, costs, listen
from demo.ui.inside.channel import ChannelChoice, ChannelPanel, build_channel
from demo.ui.inside.class_maps import build_class_maps
from demo.ui.inside.erase import build_erase
from demo.ui.inside.kernels import build_kernels
from demo.ui.inside.moves import build_moves
from demo.ui.inside.panel import Paper, draw_link
from demo.ui.inside.residual import build_residual
from demo.ui.inside.resolutions import build_resolutions
from demo.ui.inside.statistics import build_statistics
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.picture import build_picture
from demo.ui.parts.values import parse_choice
from demo.ui.photo import answer_line, photo_input
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.inside import InsideWords, LadderWords

NUM_MAPS = 16
PAPER = Paper("Zeiler & Fergus 2014", "https://arxiv.org/abs/1311.2901")


class InsideTab(NamedTuple):
    """The photograph of this tab, and the sentence that says what the network in use sees in it."""

    photo: gr.Image
    answer: gr.HTML


class StageOutputs(NamedTuple):
    """One stage of the ladder: its shape and facts, its mean activation, and its strongest maps."""

    shape: Any
    overlay: Any
    grid: Any


class LadderOutputs(NamedTuple):
    """The state that says what is drawn, the legend, and the stages."""

    drawn: Any
    legend: Any
    low: StageOutputs
    middle: StageOutputs
    high: StageOutputs


class Revisions(NamedTuple):
    """The states of the panels: the revision of the session that each shows, None while it is closed."""

    channel: Any
    resolutions: Any
    kernels: Any
    class_maps: Any
    erase: Any
    residual: Any
    moves: Any
    statistics: Any


@costs(Cost.LIGHT)
def open_tab(_: Rooms) -> bool:
    """Note that the tab was opened; before that its pictures are not drawn."""
    return True


@costs(Cost.COMPUTE)
def draw_stages(
    rooms: Rooms, ref: Ref, was_opened: bool, drawn: tuple[int, str, int, str] | None, measure: str
) -> LadderOutputs:
    """Draw the stages, if this tab was opened and something else was drawn last."""
    session, words = rooms.sessions.find(ref), rooms.words.inside
    ranked_by = parse_choice(words.ladder.measure, Measure, measure)
    wanted = (*_identify(session), ranked_by.value)
    if not was_opened or drawn == wanted:
        return unchanged(LadderOutputs)
    if (photo := session.photos.photo) is None:
        empty = StageOutputs("", None, None)
        return LadderOutputs(wanted, "", low=empty, middle=empty, high=empty)
    with rooms.lend(session.state) as backbone:
        activations = capture_stages(backbone, photo)
    stages = {
        stage.stage.label.value: _draw_stage(words.ladder, activations, stage, ranked_by)
        for stage in activations.stages
    }
    return LadderOutputs(wanted, _draw_legend(words.ladder, activations), **stages)


@costs(Cost.COMPUTE)
def pick_channel(rooms: Rooms, ref: Ref, stage: str, measure: str, event: gr.SelectData) -> ChannelChoice:
    """Choose the channel whose map was clicked in a grid, and open its panel."""
    session, words = rooms.sessions.find(ref), rooms.words.inside
    label = parse_choice(words.channel.stage, StageLabel, stage)
    ranked_by = parse_choice(words.ladder.measure, Measure, measure)
    if (photo := session.photos.photo) is None:
        return unchanged(ChannelChoice)
    with rooms.lend(session.state) as backbone:
        activation = capture_stages(backbone, photo).of(label)
    strongest = activation.strongest(NUM_MAPS, ranked_by)
    place = event.index if isinstance(event.index, list | tuple) and len(event.index) == 2 else (-1, -1)
    tile = find_tile((int(place[0]), int(place[1])), len(strongest))
    if tile is None:
        return unchanged(ChannelChoice)
    return ChannelChoice(gr.Accordion(open=True), label.value, int(strongest[tile]))


@costs(Cost.LIGHT)
def renew_panels(rooms: Rooms, ref: Ref, *revisions: int | None) -> Revisions:
    """Let each open panel show the session as it is now."""
    revision = rooms.sessions.find(ref).ref.revision
    return Revisions(*(gr.skip() if each is None else revision for each in revisions))


def build_inside_tab(rooms: Rooms, ref: gr.State) -> InsideTab:
    """Lay out the tab and wire what concerns only it."""
    words = rooms.words.inside
    with gr.Tab(words.tab, elem_id="inside-tab", id="inside") as tab:
        was_opened, drawn = gr.State(False), gr.State(None)
        gr.Markdown(words.help, elem_classes="help")
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                photo = photo_input(rooms.words, elem_id="inside-photo")
            with gr.Column(scale=2, min_width=300):
                answer = gr.HTML(answer_line(rooms.words, None), padding=False, elem_id="inside-answer")
                legend = gr.HTML("", padding=False, elem_id="legend")
                measure = _choose_measure(words.ladder)
        stages = {label.value: _build_stage(words, label) for label in StageLabel}
        gr.HTML(_say_what_to_try(words), padding=False)
        channel = _build_panels(rooms, ref)
    listen(rooms, tab.select, open_tab, None, was_opened)
    triggers = [ref.change, was_opened.change, measure.input]
    inputs, outputs = [ref, was_opened, drawn, measure], LadderOutputs(drawn, legend, **stages)
    listen(rooms, triggers, draw_stages, inputs, outputs, trigger_mode="always_last")
    for label, stage in stages.items():  # a click on a map chooses its channel
        chosen = [ref, gr.State(label), measure]
        listen(rooms, stage.grid.select, pick_channel, chosen, channel.choice, show_progress="hidden")
    return InsideTab(photo, answer)


def _build_panels(rooms: Rooms, ref: gr.State) -> ChannelPanel:
    """Lay out the panels below the ladder, and let the open ones follow the session; return the first of them."""
    channel = build_channel(rooms, ref)
    resolutions = build_resolutions(rooms, ref)
    kernels = build_kernels(rooms, ref)
    maps = build_class_maps(rooms, ref)
    revisions = Revisions(
        channel=channel.revision,
        resolutions=resolutions,
        kernels=kernels,
        class_maps=maps.revision,
        erase=build_erase(rooms, ref, maps.first),
        residual=build_residual(rooms, ref),
        moves=build_moves(rooms, ref),
        statistics=build_statistics(rooms, ref),
    )
    listen(rooms, ref.change, renew_panels, [ref, *revisions], revisions)
    return channel


def _say_what_to_try(words: InsideWords) -> str:
    return (
        f'<p class="hint">{words.ladder.field} {words.ladder.pick}</p>'
        f'<p class="help">{words.paper.format(link=draw_link(PAPER))}</p>'
        f'<p class="try"><b>{words.try_this}</b> {words.ladder.try_this}</p>'
    )


def _choose_measure(words: LadderWords) -> gr.Radio:
    return gr.Radio(
        [(words.measures[each], each.value) for each in Measure],
        label=words.measure,
        value=Measure.MEAN.value,
        elem_id="measure",
    )


def _build_stage(words: InsideWords, label: StageLabel) -> StageOutputs:
    name, ladder = words.stage_names[label], words.ladder
    with gr.Row(elem_classes="stage"):
        with gr.Column(scale=2, min_width=280):
            gr.Markdown(f"### {name}\n{words.stage_sentences[label]}")
            shape = gr.HTML("", padding=False, elem_id=f"shape-{label}")
            overlay = _build_picture(ladder.overlay, ladder.overlay_alt.format(stage=name), elem_id=f"overlay-{label}")
        with gr.Column(scale=3, min_width=300):
            grid = _build_picture(ladder.grid, ladder.grid_alt.format(stage=name), elem_id=f"grid-{label}")
    return StageOutputs(shape, overlay, grid)


def _build_picture(label: str, alt_text: str, *, elem_id: str) -> gr.Image:
    gr.HTML(f'<p class="hint">{label}</p>', padding=False)  # gradio's own label would cover the picture
    return build_picture(
        label=label,
        show_label=False,
        alt_text=alt_text,
        format="jpeg",  # a third of a PNG
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_id=elem_id,
    )


def _identify(session: Session) -> tuple[int, str, int]:
    """Return what the ladder depends on; a head that was trained with layers below it has stages of its own."""
    head = session.state.answering_head
    return session.photos.number, session.state.backbone_name, session.ref.revision if head and head.tuned else 0


def _draw_stage(
    words: LadderWords, activations: StageActivations, stage: StageActivation, measure: Measure
) -> StageOutputs:
    channels, height, width = stage.values.shape
    shape = words.stage_shape.format(
        backbone=find_spec(activations.backbone_name).display_name,
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
    layer = layer.format(module=_draw_code(stage.stage.module), end=_draw_code(stage.stage.end))
    overlay = _draw_field(draw_overlay(stage.mean, activations.network_input), activations.network_input, stage)
    grid = draw_grid(stage.values[stage.strongest(NUM_MAPS, measure)])
    return StageOutputs("".join(f'<p class="shape">{each}</p>' for each in (shape, layer, facts)), overlay, grid)


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
    largest = {stage.stage.label.value: float(stage.mean.max()) for stage in activations.stages}
    gradient = f"linear-gradient(90deg, {', '.join(colour_stops())})"
    return (
        f'<div class="scale"><span>{words.scale_zero}</span>'
        f'<span class="colours" style="background: {gradient}"></span><span>{words.scale_largest}</span></div>'
        f'<p class="hint">{words.scale_overlay.format(**largest)}</p><p class="hint">{words.scale_grid}</p>'
    )
