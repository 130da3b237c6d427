"""One channel of a stage: its map, the patches that excite it most, and the picture that it looks for."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from demo.data.dataset import read_sample
from demo.data.samples import EXAMPLES, read_example
from demo.figures import draw_box, draw_overlay
from demo.models.zoo import StageLabel
from demo.tasks.activations import capture_stages, check_channel
from demo.tasks.ascent import AscentStep
from demo.tasks.errors import GpuNotLent
from demo.tasks.lease import ascend
from demo.tasks.patches import Candidate, Patch, PatchProgress, find_patches
from demo.ui.handlers import Cost, costs, listen
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, needs_photo, own_queue
from demo.ui.parts.markup import draw_status
from demo.ui.parts.outputs import unchanged
from demo.ui.parts.values import parse_choice, parse_whole
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.inside import ChannelWords, InsideWords

PAPER = Paper("Zeiler & Fergus 2014; Olah et al. 2017", "https://distill.pub/2017/feature-visualization")
MAX_PICTURES = 120  # of the visitor's own that are searched
_SIDE_PX, _PATCH_PX = 336, 112


class ChannelChoice(NamedTuple):
    """The controls that choose a channel."""

    stage: Any
    number: Any


class ChannelOutputs(NamedTuple):
    """A channel's map, and the patches that excite it most."""

    feature_map: Any
    patches: Any


@costs(Cost.READ)
@needs_photo(ChannelOutputs, without_photo=lambda sentence: unchanged(ChannelOutputs)._replace(feature_map=sentence))
def draw_channel(rooms: Rooms, subject: Subject, stage: str, number: float) -> Iterator[ChannelOutputs]:
    """Draw a channel's map at once, and its patches as soon as all pictures are searched."""
    words = rooms.words.inside.channel
    label, channel_idx = parse_choice(words.stage, StageLabel, stage), parse_whole(words.channel, number)
    feature_map = _draw_map(words, subject, label, channel_idx)
    candidates, peaks = list_candidates(rooms, subject.session), subject.session.peaks
    for found in find_patches(subject.backbone, label, channel_idx, candidates, rooms.settings, cache=peaks):
        yield ChannelOutputs(feature_map, _draw_found(words, found))


@costs(Cost.READ)
def show_ascent(rooms: Rooms, ref: Ref, stage: str, number: float) -> Iterator[str]:
    """Ascend the gradient of a channel, and draw the picture as it grows, until it is done or stopped."""
    session, words = rooms.sessions.find(ref), rooms.words.inside.channel
    label, channel_idx = parse_choice(words.stage, StageLabel, stage), parse_whole(words.channel, number)
    mine = session.ascents.begin()
    yield draw_status(words.ascending)
    with rooms.lend(session.state) as backbone:
        for step in rooms.ascents.ascend(backbone, label, channel_idx, by=ascend):
            if isinstance(step, GpuNotLent):
                yield draw_status(rooms.words.explain(step))
                continue
            if not session.ascents.is_latest(mine):
                yield draw_status(words.stopped.format(step=step.step, count=step.num_steps))
                return
            if step.picture is not None:
                yield _draw_step(words, step, step.picture, channel_idx)


@costs(Cost.LIGHT)
def stop_ascent(rooms: Rooms, ref: Ref) -> None:
    """End the ascent that is running."""
    rooms.sessions.find(ref).ascents.begin()


def list_candidates(rooms: Rooms, session: Session) -> list[Candidate]:
    """Return the pictures to search for patches: the visitor's own, evenly chosen where they are many, and examples."""
    settings, names = rooms.settings, rooms.words.predict.example_names
    samples = session.pictures.dataset.samples if session.pictures.dataset else ()
    chosen = [samples[int(idx)] for idx in np.linspace(0, len(samples) - 1, min(len(samples), MAX_PICTURES))]
    own = [Candidate(each.path, each.digest, partial(read_sample, each, settings)) for each in chosen]
    examples = [
        Candidate(names[each.name], f"example {each.name}", partial(read_example, each, settings)) for each in EXAMPLES
    ]
    return [*own, *examples]


def build_channel(rooms: Rooms, ref: gr.State) -> ChannelChoice:
    """Lay out the panel and wire it; return the choice of its channel."""
    words = rooms.words.inside.channel
    with build_panel(rooms, ref, words, PAPER, elem_id="channel-panel") as panel:
        choice = _build_choice(rooms.words.inside)
        with gr.Row():
            with gr.Column(min_width=260):
                feature_map = gr.HTML("", padding=False, elem_id="channel-map")
            with gr.Column(min_width=260):
                patches = gr.HTML("", padding=False, elem_id="patches")
        with gr.Row():
            start = gr.Button(words.ascent, min_width=120, elem_id="start-ascent")
            stop = gr.Button(words.stop, min_width=120, elem_id="stop-ascent")
        made = gr.HTML("", padding=False, elem_id="ascent")
    triggers = [panel.renewed, choice.stage.input, choice.number.input]
    panel.listen(triggers, draw_channel, [*choice], ChannelOutputs(feature_map, patches), **own_queue("search"))
    ascends: dict[str, Any] = {"reveals": made, "show_progress": "minimal", **own_queue("ascent")}
    listen(rooms, start.click, show_ascent, [ref, *choice], made, **ascends)
    listen(rooms, stop.click, stop_ascent, ref, None)
    return choice


def _build_choice(words: InsideWords) -> ChannelChoice:
    with gr.Row():
        stage = gr.Radio(
            [(words.stage_names[each], each.value) for each in StageLabel],
            value=StageLabel.HIGH.value,
            label=words.channel.stage,
            elem_id="channel-stage",
        )
        number = gr.Number(0, precision=0, minimum=0, label=words.channel.channel, min_width=120, elem_id="channel")
    return ChannelChoice(stage, number)


def _draw_map(words: ChannelWords, subject: Subject, label: StageLabel, channel_idx: int) -> str:
    activations = capture_stages(subject.backbone, subject.photo)
    stage = activations.of(label)
    check_channel(channel_idx, len(stage.values))
    values = np.abs(stage.values[channel_idx])
    caption = words.map_caption.format(channel=channel_idx, count=len(stage.values), largest=float(values.max()))
    overlay = draw_overlay(values, activations.network_input, side_px=_SIDE_PX)
    return draw_figures([draw_captioned(overlay, caption, words.map_alt.format(channel=channel_idx))], size="sheet")


def _draw_found(words: ChannelWords, found: PatchProgress | tuple[Patch, ...]) -> str:
    if isinstance(found, PatchProgress):
        return draw_status(words.searching.format(done=found.done, total=found.total))
    if not found:
        return draw_status(words.no_patches)
    figures = draw_figures([_draw_patch(words, each) for each in found], size="patches")
    return f"<h3>{words.patches}</h3>{figures}"


def _draw_patch(words: ChannelWords, patch: Patch) -> str:
    """Draw a patch; where it is all of the picture, a box marks the place in it that counts."""
    picture, (left, top, right, bottom) = patch.picture, patch.box
    if min(right - left, bottom - top) > _PATCH_PX:
        x, y = ((at - edge) / side for at, edge, side in zip(patch.centre, (left, top), picture.size, strict=True))
        picture = draw_box(picture, (max(0, x - 0.1), max(0, y - 0.1), min(1, x + 0.1), min(1, y + 0.1)))
    else:
        picture = picture.resize(
            (_PATCH_PX, round(_PATCH_PX * picture.height / picture.width)), Image.Resampling.BICUBIC
        )
    caption = words.patch_caption.format(value=patch.value, name=patch.name)
    return draw_captioned(picture, caption, words.patch_alt.format(name=patch.name, value=patch.value))


def _draw_step(words: ChannelWords, step: AscentStep, picture: Image.Image, channel_idx: int) -> str:
    caption = words.ascent_caption.format(step=step.step, count=step.num_steps, activation=step.activation)
    large = picture.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    return draw_figures([draw_captioned(large, caption, words.ascent_alt.format(channel=channel_idx))], size="sheet")
