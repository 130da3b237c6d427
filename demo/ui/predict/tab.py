"""Tab 1: what a network pretrained on ImageNet, or the visitor's own head, sees in a photograph."""

from typing import Any, NamedTuple

import gradio as gr

from demo.data.samples import EXAMPLES, Example, find_example, read_example
from demo.tasks.predict import Prediction
from demo.ui.handlers import LIGHT, bind
from demo.ui.parts.picture import build_picture
from demo.ui.photo import answer_line, photo_input
from demo.ui.predict.network import backbone_choices, build_history, build_network_choice
from demo.ui.predict.side_by_side import build_side_by_side
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.language import Words

_IMAGENET, _OWN = "imagenet", "own"


class PredictTab(NamedTuple):
    """The photograph, the examples with their names, the answer, what `watch_arrival` and `show_prediction` fill."""

    photo: gr.Image
    examples: list[tuple[gr.Button, gr.State]]
    answer: gr.HTML
    notices: list[Any]
    shown: list[Any]


def choose_answers(rooms: Rooms, ref: Ref, answers: str) -> Ref:
    """Let ImageNet's classes answer, or the visitor's own."""
    return rooms.sessions.find(ref).change_state(lambda state: state.with_answers(own=answers == _OWN))


def choose_example(rooms: Rooms, ref: Ref, name: str) -> list[Any]:
    """Make an example the visitor's photograph."""
    photo = read_example(find_example(name), rooms.settings)
    return [rooms.sessions.find(ref).choose_photo(photo), photo, photo]


def show_prediction(rooms: Rooms, session: Session, prediction: Prediction | None) -> list[Any]:
    """Fill the tab's components with an answer, or with what to do next where there is no photograph."""
    state, words = session.state, rooms.words
    return [
        gr.Dropdown(choices=backbone_choices(words), value=state.backbone_name),
        gr.Radio(visible=state.head_fits, value=_OWN if state.answering_head else _IMAGENET),
        _unique_labels(prediction) if prediction else None,
        answer_line(words, prediction),
        prediction.network_input if prediction else None,
    ]


def build_predict_tab(rooms: Rooms, ref: gr.State) -> PredictTab:
    """Lay out the tab and wire what concerns only it."""
    words = rooms.words
    with gr.Tab(words.predict.tab, elem_id="predict-tab", id="predict"):
        gr.Markdown(words.predict.help, elem_classes="help")
        with gr.Row():
            with gr.Column(min_width=300):
                photo = photo_input(words, elem_id="predict-photo")
                gr.HTML(f'<p class="hint">{words.predict.examples}</p>', padding=False)
                with gr.Row(elem_id="examples"):
                    examples = [_build_example(words, each) for each in EXAMPLES]
            with gr.Column(min_width=300):
                network = build_network_choice(rooms, ref)
                answers = gr.Radio(
                    [(words.predict.answers_imagenet, _IMAGENET), (words.predict.answers_own, _OWN)],
                    value=_IMAGENET,
                    label=words.predict.answers,
                    visible=False,
                    interactive=True,
                    elem_id="answers",
                )
                answer = gr.HTML(answer_line(words, None), padding=False, elem_id="answer")
                top_classes = gr.Label(
                    label=words.predict.top_classes, num_top_classes=5, show_heading=False, elem_id="top-classes"
                )
                network_input = build_picture(
                    label=words.predict.network_input,
                    alt_text=words.predict.network_input_alt,
                    format="png",
                    interactive=False,
                    buttons=["download"],
                    height=224,
                    elem_id="network-input",
                )
        build_history(rooms, ref, network)
        build_side_by_side(rooms, ref)
    answers.input(bind(rooms, choose_answers), [ref, answers], ref, **LIGHT)
    shown = [network.backbone, answers, top_classes, answer, network_input]
    return PredictTab(photo, examples, answer, network.notices, shown)


def _build_example(words: Words, example: Example) -> tuple[gr.Button, gr.State]:
    name = words.predict.example_names[example.name]
    button = gr.Button(name, min_width=0, elem_id=f"example-{example.name}", elem_classes="example")
    return button, gr.State(example.name)


def _unique_labels(prediction: Prediction) -> dict[str, float]:
    """Return labels to probabilities; ImageNet has two classes "crane" and two "maillot", told apart by index."""
    names = [best.class_name for best in prediction.top]
    return {
        best.class_name if names.count(best.class_name) == 1 else f"{best.class_name} ({best.class_idx})": (
            best.probability
        )
        for best in prediction.top
    }
