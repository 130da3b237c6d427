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
from demo.tasks.patches import Candidate, Patch, PatchProgress, find_patches
from demo.ui.handlers import LIGHT, bind, bind_slow
from demo.ui.inside.panel import Look, Paper, build_panel, draw_figures, draw_shown, look_into, say_no_photo
from demo.ui.parts.markup import draw_status
from demo.ui.parts.values import parse_choice, parse_whole
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

PAPER = Paper("Zeiler & Fergus 2014; Olah et al. 2017", "https://distill.pub/2017/feature-visualization")
MAX_PICTURES = 120  # of the visitor's own that are looked through
_SIDE_PX, _PATCH_PX = 336, 112
# What takes seconds has a line of its own, so that quick answers never wait for it.
_SEARCH: dict[str, Any] = {
    "api_visibility": "private",
    "concurrency_id": "search",
    "concurrency_limit": 1,
    "preprocess": False,
}
_DREAM: dict[str, Any] = {
    "api_visibility": "private",
    "concurrency_id": "dream",
    "concurrency_limit": 1,
    "preprocess": False,
}


class ChannelChoice(NamedTuple):
    """The panel, its state, and the choice of a channel."""

    panel: gr.Accordion
    shown: gr.State
    stage: gr.Radio
    number: gr.Number


def draw_channel(rooms: Rooms, ref: Ref, shown: int | None, stage: str, number: float) -> Iterator[list[Any]]:
    """Show a channel's map at once, and its patches as soon as all pictures were looked through."""
    session, words = rooms.sessions.find(ref), rooms.words
    label = parse_choice(words.inside.channel.stage, StageLabel, stage)
    channel_idx = parse_whole(words.inside.channel.channel, number)
    with look_into(rooms, session, shown) as look:
        if look is None:
            yield [gr.skip() if shown is None else say_no_photo(words), gr.skip()]
            return
        feature_map = _draw_map(words, look, label, channel_idx)
        search = find_patches(
            look.backbone,
            label,
            channel_idx,
            list_candidates(rooms, session),
            rooms.settings,
            cache=session.peaks,
        )
        for found in search:
            yield [feature_map, _draw_found(words, found)]


def dream(rooms: Rooms, ref: Ref, stage: str, number: float) -> Iterator[str]:
    """Climb the gradient of a channel, and show the picture as it grows, until it is done or stopped."""
    session, words = rooms.sessions.find(ref), rooms.words.inside.channel
    label, channel_idx = parse_choice(words.stage, StageLabel, stage), parse_whole(words.channel, number)
    mine = session.begin_ascent()
    yield draw_status(words.dreaming)
    with rooms.lend(session.state) as backbone:
        for step in rooms.ascents.ascend(backbone, label, channel_idx):
            if not session.is_ascending(mine):
                yield draw_status(words.stopped.format(step=step.step, count=step.num_steps))
                return
            if step.picture is not None:
                yield _draw_step(rooms.words, step, step.picture, channel_idx)


def stop_dream(rooms: Rooms, ref: Ref) -> None:
    """End the picture that is being made."""
    rooms.sessions.find(ref).begin_ascent()


def list_candidates(rooms: Rooms, session: Session) -> list[Candidate]:
    """Return where to look for patches: the visitor's own pictures, evenly chosen where they are many, and examples."""
    settings, names = rooms.settings, rooms.words.predict.example_names
    samples = session.pictures.dataset.samples if session.pictures.dataset else ()
    chosen = [samples[int(idx)] for idx in np.linspace(0, len(samples) - 1, min(len(samples), MAX_PICTURES))]
    own = [Candidate(each.path, each.digest, partial(read_sample, each, settings)) for each in chosen]
    examples = [
        Candidate(names[each.name], f"example {each.name}", partial(read_example, each, settings)) for each in EXAMPLES
    ]
    return [*own, *examples]


def build_channel(rooms: Rooms, ref: gr.State) -> ChannelChoice:
    """Lay out the panel and wire it."""
    words = rooms.words
    channel = words.inside.channel
    with build_panel(rooms, ref, channel, PAPER, elem_id="channel-panel") as panel:
        with gr.Row():
            stage = gr.Radio(
                [(words.inside.stage_names[each], each.value) for each in StageLabel],
                value=StageLabel.HIGH.value,
                label=channel.stage,
                elem_id="channel-stage",
            )
            number = gr.Number(0, precision=0, minimum=0, label=channel.channel, min_width=120, elem_id="channel")
        feature_map = gr.HTML("", padding=False, elem_id="channel-map")
        patches = gr.HTML("", padding=False, elem_id="patches")
        with gr.Row():
            start = gr.Button(channel.dream, elem_id="dream")
            stop = gr.Button(channel.stop, elem_id="stop-dream")
        made = gr.HTML("", padding=False, elem_id="dreamed")
        gr.on(
            [panel.shown.change, stage.change, number.change],
            bind_slow(rooms, draw_channel),
            [ref, panel.shown, stage, number],
            [feature_map, patches],
            show_progress="minimal",
            trigger_mode="always_last",
            **_SEARCH,
        )
        start.click(bind_slow(rooms, dream), [ref, stage, number], made, show_progress="minimal", **_DREAM)
        stop.click(bind(rooms, stop_dream), ref, None, **LIGHT)
    return ChannelChoice(panel.accordion, panel.shown, stage, number)


def _draw_map(words: Words, look: Look, label: StageLabel, channel_idx: int) -> str:
    activations = capture_stages(look.backbone, look.photo)
    stage = activations.of(label)
    check_channel(channel_idx, len(stage.values))
    values = np.abs(stage.values[channel_idx])
    caption = words.inside.channel.map_caption.format(
        channel=channel_idx, count=len(stage.values), largest=float(values.max())
    )
    overlay = draw_overlay(values, activations.network_input, side_px=_SIDE_PX)
    return draw_figures(
        [draw_shown(overlay, caption, words.inside.channel.map_alt.format(channel=channel_idx))], size="sheet"
    )


def _draw_found(words: Words, found: PatchProgress | tuple[Patch, ...]) -> str:
    channel = words.inside.channel
    if isinstance(found, PatchProgress):
        return draw_status(channel.searching.format(done=found.done, total=found.total))
    if not found:
        return draw_status(channel.no_patches)
    figures = draw_figures([_draw_patch(words, each) for each in found], size="patches")
    return f"<h4>{channel.patches}</h4>{figures}"


def _draw_patch(words: Words, patch: Patch) -> str:
    """Draw a patch; where it is all of the picture, a box marks the place in it that counts."""
    channel = words.inside.channel
    picture, (left, top, right, bottom) = patch.picture, patch.box
    if min(right - left, bottom - top) > _PATCH_PX:
        x, y = ((at - edge) / side for at, edge, side in zip(patch.centre, (left, top), picture.size, strict=True))
        picture = draw_box(picture, (max(0, x - 0.1), max(0, y - 0.1), min(1, x + 0.1), min(1, y + 0.1)))
    else:
        picture = picture.resize(
            (_PATCH_PX, round(_PATCH_PX * picture.height / picture.width)), Image.Resampling.BICUBIC
        )
    caption = channel.patch_caption.format(value=patch.value, name=patch.name)
    return draw_shown(picture, caption, channel.patch_alt.format(name=patch.name, value=patch.value))


def _draw_step(words: Words, step: AscentStep, picture: Image.Image, channel_idx: int) -> str:
    channel = words.inside.channel
    caption = channel.dream_caption.format(step=step.step, count=step.num_steps, activation=step.activation)
    large = picture.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    return draw_figures([draw_shown(large, caption, channel.dream_alt.format(channel=channel_idx))], size="sheet")
