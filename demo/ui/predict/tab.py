"""Tab 1: what a network pretrained on ImageNet, or the visitor's own head, sees in a photograph."""

from typing import Any, NamedTuple

import gradio as gr

from demo.ui.answer import draw_next_steps
from demo.ui.handlers import Cost, costs, listen
from demo.ui.photo import build_examples, photo_input
from demo.ui.predict.closing import build_closing
from demo.ui.predict.history import build_history
from demo.ui.predict.network import Notice, backbone_choices, build_network_choice
from demo.ui.predict.side_by_side import build_side_by_side
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.page import PredictWords

_IMAGENET, _OWN = "imagenet", "own"


class Network(NamedTuple):
    """What the tab says of the model state: the network in use, and whose classes answer."""

    backbone: Any
    answers: Any


class PredictTab(NamedTuple):
    """The photograph, the examples with their names, what tells of weights on their way, the network, the answer."""

    photo: gr.Image
    examples: list[tuple[gr.Button, gr.State]]
    notice: Notice
    network: Network
    answer: gr.HTML


@costs(Cost.LIGHT)
def choose_answers(rooms: Rooms, ref: Ref, answers: str) -> Ref:
    """Let ImageNet's classes answer, or the visitor's own."""
    return rooms.sessions.find(ref).change_state(lambda state: state.with_answers(own=answers == _OWN))


def show_network(rooms: Rooms, session: Session) -> Network:
    """Return the network in use, and the choice of whose classes answer where there are two kinds."""
    state = session.state
    return Network(
        gr.Dropdown(choices=backbone_choices(rooms.words), value=state.backbone_name),
        gr.Radio(visible=state.head_fits, value=_OWN if state.answering_head else _IMAGENET),
    )


def build_predict_tab(rooms: Rooms, ref: gr.State) -> PredictTab:
    """Lay out the tab and wire what concerns only it."""
    words = rooms.words.predict
    with gr.Tab(words.tab, elem_id="predict-tab", id="predict"):
        with gr.Row(elem_id="first-look"):
            with gr.Column(min_width=300):
                photo = photo_input(rooms.words, elem_id="predict-photo")
                examples = build_examples(rooms.words, "example-")
            with gr.Column(min_width=300):
                answer = gr.HTML("", padding=False, elem_id="answer")
                gr.HTML(draw_next_steps(rooms.words), padding=False, elem_id="next-steps")
        with gr.Row(elem_id="network"):
            choice = build_network_choice(rooms, ref)
            answers = _build_answers(words)
        gr.HTML(f"<details><summary>{words.help_title}</summary>{words.help}</details>", padding=False)
        build_history(rooms, choice)
        build_side_by_side(rooms, ref)
        build_closing(rooms)
    listen(rooms, answers.input, choose_answers, (ref, answers), ref)
    return PredictTab(photo, examples, choice.notice, Network(choice.backbone, answers), answer)


def _build_answers(words: PredictWords) -> gr.Radio:
    return gr.Radio(
        [(words.answers_imagenet, _IMAGENET), (words.answers_own, _OWN)],
        value=_IMAGENET,
        label=words.answers,
        visible=False,
        interactive=True,
        elem_id="answers",
    )
