"""Tab 3: what the network makes of the photograph: a bench with one panel at a time, the ladder of its stages first."""

from typing import NamedTuple

import gradio as gr

from demo.ui.inside.channel import build_channel
from demo.ui.inside.class_maps import build_class_maps
from demo.ui.inside.erase import build_erase
from demo.ui.inside.kernels import build_kernels
from demo.ui.inside.labs.blocks import build_blocks
from demo.ui.inside.labs.depth import build_depth
from demo.ui.inside.labs.neuron import build_neuron
from demo.ui.inside.ladder import build_ladder, build_resolutions, open_picked
from demo.ui.inside.moves import build_moves
from demo.ui.inside.residual import build_residual
from demo.ui.inside.statistics import build_statistics
from demo.ui.photo import build_examples, photo_input
from demo.visitors.rooms import Rooms


class InsideTab(NamedTuple):
    """The photograph of this tab, the examples with their names, and the sentence that says what is seen."""

    photo: gr.Image
    examples: list[tuple[gr.Button, gr.State]]
    answer: gr.HTML


def build_inside_tab(rooms: Rooms, ref: gr.State) -> InsideTab:
    """Lay out the tab and wire what concerns only it."""
    with gr.Tab(rooms.words.inside.tab, elem_id="inside-tab", id="inside"), gr.Row(elem_id="inside"):
        with gr.Column(scale=1, min_width=240):
            photo = photo_input(rooms.words, elem_id="inside-photo")
            examples = build_examples(rooms.words, "inside-example-")
            answer = gr.HTML("", padding=False, elem_id="inside-answer")
        with gr.Column(scale=4, min_width=320):
            _build_bench(rooms, ref)
    return InsideTab(photo, examples, answer)


def _build_bench(rooms: Rooms, ref: gr.State) -> None:
    with gr.Tabs(overflow_behavior="wrap", elem_id="bench", elem_classes="menu-on-phone"):
        ladder = build_ladder(rooms, ref)
        open_picked(rooms, ladder, build_channel(rooms, ref))
        build_resolutions(rooms, ref)
        build_kernels(rooms, ref)
        build_erase(rooms, ref, build_class_maps(rooms, ref))
        build_residual(rooms, ref)
        build_blocks(rooms, ref)
        build_moves(rooms, ref)
        build_statistics(rooms, ref)
        build_neuron(rooms, ref)
        build_depth(rooms, ref)
