"""Tab 3: what the low, middle and high stages of the network make of the photograph."""

from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.figures import colour_stops, draw_grid, draw_overlay
from demo.models.zoo import StageLabel, find_spec
from demo.tasks.activations import StageActivation, StageActivations, capture_stages
from demo.ui.context import COMPUTE, LIGHT, Context
from demo.ui.photo import answer_line, photo_input
from demo.ui.sessions import Ref
from demo.ui.text import Words

NUM_MAPS = 16


class ActivationsTab(NamedTuple):
    """The photograph of this tab, and the line that says what the network in use sees in it."""

    photo: gr.Image
    answer: gr.HTML


def open_tab() -> bool:
    """Note that the visitor has looked at this tab; before that its pictures are not worth drawing."""
    return True


def draw_stages(context: Context, ref: Ref, was_opened: bool, drawn: tuple[int, str, int] | None) -> list[Any]:
    """Draw the stages, if this tab was opened and another photograph or network was drawn last."""
    session = context.sessions.find(ref)
    head = session.state.answering_head
    # A head that was trained with layers below it has stages of its own.
    wanted = (session.photo_number, session.state.backbone_name, session.ref.revision if head and head.tuned else 0)
    if not was_opened or drawn == wanted:
        return [gr.skip()] * (2 + 3 * len(StageLabel))
    if (photo := session.photo) is None:
        return [wanted, "", *["", None, None] * len(StageLabel)]
    with context.lend(session.state) as backbone:
        activations = capture_stages(backbone, photo)
    stages = [part for stage in activations.stages for part in _draw_stage(context.words, activations, stage)]
    return [wanted, _draw_legend(context.words, activations), *stages]


def build_activations_tab(context: Context, ref: gr.State) -> ActivationsTab:
    """Lay out the tab and wire what concerns only it."""
    words = context.words
    with gr.Tab(words.inside_tab, elem_id="inside-tab", id="inside") as tab:
        was_opened, drawn = gr.State(False), gr.State(None)
        gr.Markdown(words.inside_help, elem_classes="help")
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                photo = photo_input(words, elem_id="inside-photo")
            with gr.Column(scale=2, min_width=300):
                answer = gr.HTML(answer_line(words, None), padding=False, elem_id="inside-answer")
                legend = gr.HTML("", padding=False, elem_id="legend")
        with gr.Row(elem_id="stages"):
            stages = [part for label in StageLabel for part in _build_stage(words, label)]
    tab.select(open_tab, None, was_opened, **LIGHT)
    gr.on(
        [ref.change, was_opened.change],
        context.bind(draw_stages),
        [ref, was_opened, drawn],
        [drawn, legend, *stages],
        show_progress="minimal",
        trigger_mode="always_last",
        **COMPUTE,
    )
    return ActivationsTab(photo, answer)


def _build_stage(words: Words, label: StageLabel) -> list[Any]:
    name = words.stage_names[label]
    with gr.Column(min_width=280, elem_classes="stage"):
        gr.Markdown(f"### {name}\n{words.stage_sentences[label]}")
        shape = gr.HTML("", padding=False, elem_id=f"shape-{label}")
        overlay = _build_picture(words.overlay, words.overlay_alt.format(stage=name), elem_id=f"overlay-{label}")
        grid = _build_picture(words.grid, words.grid_alt.format(stage=name), elem_id=f"grid-{label}")
    return [shape, overlay, grid]


def _build_picture(label: str, alt_text: str, *, elem_id: str) -> gr.Image:
    gr.HTML(f'<p class="hint">{label}</p>', padding=False)  # gradio's own label would cover the picture
    return gr.Image(
        label=label,
        show_label=False,
        alt_text=alt_text,
        format="png",
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_id=elem_id,
    )


def _draw_stage(
    words: Words, activations: StageActivations, stage: StageActivation
) -> tuple[str, Image.Image, Image.Image]:
    channels, height, width = stage.values.shape
    shape = words.stage_shape.format(
        backbone=find_spec(activations.backbone_name).display_name,
        channels=channels,
        height=height,
        width=width,
        stride=stage.stage.stride,
    )
    overlay = draw_overlay(stage.mean, activations.network_input)
    return f'<p class="shape">{shape}</p>', overlay, draw_grid(stage.values[stage.strongest(NUM_MAPS)])


def _draw_legend(words: Words, activations: StageActivations) -> str:
    largest = {stage.stage.label.value: float(stage.mean.max()) for stage in activations.stages}
    gradient = f"linear-gradient(90deg, {', '.join(colour_stops())})"
    return (
        f'<div class="scale"><span>{words.scale_zero}</span>'
        f'<span class="colours" style="background: {gradient}"></span><span>{words.scale_largest}</span></div>'
        f'<p class="hint">{words.scale_overlay.format(**largest)}</p><p class="hint">{words.scale_grid}</p>'
    )
