"""Tab 1: what a network pretrained on ImageNet, or the visitor's own head, sees in a photograph."""

from typing import Any, NamedTuple

import gradio as gr

from demo.data.samples import EXAMPLES, Example, find_example, read_example
from demo.tasks.predict import Prediction
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.picture import build_picture
from demo.ui.photo import Photos, answer_line, photo_input
from demo.ui.predict.network import Notice, backbone_choices, build_history, build_network_choice
from demo.ui.predict.side_by_side import build_side_by_side
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

_IMAGENET, _OWN = "imagenet", "own"


class Answered(NamedTuple):
    """What the tab says of the photograph: the network in use, whose classes answer, the five best, and so on."""

    backbone: Any
    answers: Any
    top: Any
    answer: Any
    network_input: Any


class PredictTab(NamedTuple):
    """The photograph, the examples with their names, what tells of weights on their way, and the answer."""

    photo: gr.Image
    examples: list[tuple[gr.Button, gr.State]]
    notice: Notice
    answered: Answered


@costs(Cost.LIGHT)
def choose_answers(rooms: Rooms, ref: Ref, answers: str) -> Ref:
    """Let ImageNet's classes answer, or the visitor's own."""
    return rooms.sessions.find(ref).change_state(lambda state: state.with_answers(own=answers == _OWN))


@costs(Cost.PREDICT)
def choose_example(rooms: Rooms, ref: Ref, name: str) -> tuple[Ref, Photos]:
    """Make an example the visitor's photograph."""
    photo = read_example(find_example(name), rooms.settings)
    return rooms.sessions.find(ref).choose_photo(photo), Photos(photo, photo)


def show_prediction(rooms: Rooms, session: Session, prediction: Prediction | None) -> Answered:
    """Return the answer to a photograph, or what to do next where there is none."""
    state, words = session.state, rooms.words
    return Answered(
        gr.Dropdown(choices=backbone_choices(words), value=state.backbone_name),
        gr.Radio(visible=state.head_fits, value=_OWN if state.answering_head else _IMAGENET),
        _unique_labels(prediction) if prediction else None,
        answer_line(words, prediction),
        prediction.network_input if prediction else None,
    )


def build_predict_tab(rooms: Rooms, ref: gr.State) -> PredictTab:
    """Lay out the tab and wire what concerns only it."""
    words = rooms.words.predict
    with gr.Tab(words.tab, elem_id="predict-tab", id="predict"):
        gr.Markdown(words.help, elem_classes="help")
        with gr.Row():
            with gr.Column(min_width=300):
                photo = photo_input(rooms.words, elem_id="predict-photo")
                gr.HTML(f'<p class="hint">{words.examples}</p>', padding=False)
                with gr.Row(elem_id="examples"):
                    examples = [_build_example(rooms.words, each) for each in EXAMPLES]
            with gr.Column(min_width=300):
                choice = build_network_choice(rooms, ref)
                answered = _build_answered(rooms.words, choice.backbone)
        build_history(rooms, choice)
        build_side_by_side(rooms, ref)
    listen(rooms, answered.answers.input, choose_answers, (ref, answered.answers), ref)
    return PredictTab(photo, examples, choice.notice, answered)


def _build_answered(words: Words, backbone: gr.Dropdown) -> Answered:
    predict = words.predict
    return Answered(
        backbone,
        gr.Radio(
            [(predict.answers_imagenet, _IMAGENET), (predict.answers_own, _OWN)],
            value=_IMAGENET,
            label=predict.answers,
            visible=False,
            interactive=True,
            elem_id="answers",
        ),
        answer=gr.HTML(answer_line(words, None), padding=False, elem_id="answer"),
        top=gr.Label(label=predict.top_classes, num_top_classes=5, show_heading=False, elem_id="top-classes"),
        network_input=build_picture(
            label=predict.network_input,
            alt_text=predict.network_input_alt,
            format="png",
            interactive=False,
            buttons=["download"],
            height=224,
            elem_id="network-input",
        ),
    )


def _build_example(words: Words, example: Example) -> tuple[gr.Button, gr.State]:
    name = words.predict.example_names[example.name]
    button = gr.Button(name, min_width=0, elem_id=f"example-{example.name}", elem_classes="example")
    return button, gr.State(example.name)


def _unique_labels(prediction: Prediction) -> dict[str, float]:
    """Return the probability of each label; an index tells apart ImageNet's two classes "crane", and two "maillot"."""
    names = [best.class_name for best in prediction.top]
    return {
        best.class_name if names.count(best.class_name) == 1 else f"{best.class_name} ({best.class_idx})": (
            best.probability
        )
        for best in prediction.top
    }
