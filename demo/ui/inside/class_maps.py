"""Class maps of one or two classes, of ImageNet's or the visitor's own, at every stage."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gradio as gr

from demo.figures import draw_overlay
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.zoo import StageLabel, find_spec
from demo.tasks.cam import ClassMap, ClassMaps, Method, map_stages
from demo.tasks.erase import Erasure, erase_by_map
from demo.tasks.map_verdict import MapTest
from demo.tasks.predict import predict
from demo.ui.handlers import Cost, costs
from demo.ui.inside.panel import Paper, Subject, build_panel, draw_captioned, draw_figures, needs_photo
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.outputs import unchanged
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session
from demo.words.language import Words

PAPER = Paper("Selvaraju et al. 2017 (Grad-CAM), Jiang et al. 2021 (LayerCAM)", "https://arxiv.org/abs/1610.02391")
METHOD_NAMES = {Method.LAYER_CAM: "LayerCAM", Method.GRAD_CAM: "Grad-CAM"}
_NOBODY, _OWN, _IMAGENET = "nobody", "own", "imagenet"
_CHOICE = re.compile(rf"({_OWN}|{_IMAGENET}):(\d{{1,5}})", re.ASCII)
_SIDE_PX = 224
_TESTED_SHARE = 0.2  # of the picture, erased by the map of the high stage
# A click on a choice selects its text, so that what is typed to find another class replaces it.
_SELECT_SCRIPT = """document.addEventListener('focusin', ({target}) => {
  if (target.matches('#first-class input, #second-class input')) setTimeout(() => target.select());
});"""


class ClassMapOutputs(NamedTuple):
    """The maps, and the choices of the two classes."""

    drawn: Any
    first: Any
    second: Any


class Choice(NamedTuple):
    """A class, and the head that knows it; the head is None for a class of ImageNet."""

    head: Head | None
    class_idx: int


@costs(Cost.COMPUTE)
@needs_photo(ClassMapOutputs, without_photo=lambda sentence: unchanged(ClassMapOutputs)._replace(drawn=sentence))
def open_class_maps(rooms: Rooms, subject: Subject) -> ClassMapOutputs:
    """Offer the classes there are, choose the best ones, and draw their maps."""
    first, second = suggest(rooms, subject)
    choices = list_choices(rooms.words, subject.session)
    nobody = (rooms.words.inside.class_maps.nobody, _NOBODY)
    return ClassMapOutputs(
        drawn=_draw_rows(rooms, subject, first, second),
        first=gr.Dropdown(choices, value=first),
        second=gr.Dropdown([nobody, *choices], value=second),
    )


@costs(Cost.COMPUTE)
@needs_photo()
def draw_class_maps(rooms: Rooms, subject: Subject, first: str | None, second: str | None) -> str:
    """Return the maps of the chosen classes as HTML, a row for each."""
    return _draw_rows(rooms, subject, first, second)


def suggest(rooms: Rooms, subject: Subject) -> tuple[str, str]:
    """Return the best class of the network in use, and beside a class of the visitor's own ImageNet's best."""
    best = predict(subject.backbone, subject.photo, head=subject.head, top_k=1).top[0].class_idx
    if subject.head is None:
        return f"{_IMAGENET}:{best}", _NOBODY
    with rooms.backbones.lend(subject.backbone.spec.name) as backbone:
        before = predict(backbone, subject.photo, top_k=1).top[0].class_idx
    return f"{_OWN}:{best}", f"{_IMAGENET}:{before}"


def list_choices(words: Words, session: Session) -> list[tuple[str, str]]:
    """Return names and values of all classes: the visitor's own first."""
    head, own = session.state.answering_head, words.inside.class_maps.own
    choices = [(own.format(name=name), f"{_OWN}:{idx}") for idx, name in enumerate(head.class_names if head else ())]
    known = enumerate(find_spec(session.state.backbone_name).class_names)
    return [*choices, *((words.class_name(idx, name), f"{_IMAGENET}:{idx}") for idx, name in known)]


def find_choice(words: Words, session: Session, value: Any) -> Choice:
    """Return the class that a value of `list_choices` stands for.

    Raises:
        UnknownChoice: If there is no such class.
    """
    match = _CHOICE.fullmatch(str(value))
    head = session.state.answering_head if match and match[1] == _OWN else None
    known = head.class_names if head else find_spec(session.state.backbone_name).class_names
    if match is None or (match[1] == _OWN and head is None) or int(match[2]) >= len(known):
        names = f"{known[0]}, …, {known[-1]}"
        raise UnknownChoice(option=words.inside.class_maps.first, value=str(value)[:20], known=names)
    return Choice(head, int(match[2]))


def build_class_maps(rooms: Rooms, ref: gr.State) -> gr.Dropdown:
    """Lay out the panel and wire it; return the choice of its first class."""
    words = rooms.words.inside.class_maps
    with build_panel(rooms, ref, words, PAPER, elem_id="class-maps-panel") as panel:
        with gr.Row():
            first = gr.Dropdown([], label=words.first, interactive=True, min_width=200, elem_id="first-class")
            second = gr.Dropdown([], label=words.second, interactive=True, min_width=200, elem_id="second-class")
        drawn = gr.HTML("", padding=False, js_on_load=_SELECT_SCRIPT, elem_id="class-maps")
        panel.listen(panel.renewed, open_class_maps, [], ClassMapOutputs(drawn, first, second))
        panel.listen([first.input, second.input], draw_class_maps, [first, second], drawn)
        first.input(None, None, None, js="() => demo.bench.forget('erase-panel')")  # which erases by its map
    return first


@contextmanager
def lend_for(rooms: Rooms, subject: Subject, choice: Choice) -> Iterator[Backbone]:
    """Lend the network that knows a class: the shared one knows ImageNet's, whatever a head was trained with."""
    if choice.head is not None:
        yield subject.backbone
        return
    with rooms.backbones.lend(subject.backbone.spec.name) as backbone:
        yield backbone


def name_choice(words: Words, backbone: Backbone, choice: Choice) -> str:
    """Return what a class is called, with whose it is."""
    if choice.head is None:
        return words.class_name(choice.class_idx, backbone.spec.class_names[choice.class_idx])
    return words.inside.class_maps.own.format(name=choice.head.class_names[choice.class_idx])


def _draw_rows(rooms: Rooms, subject: Subject, *values: str | None) -> str:
    chosen = [value for value in values if value not in (None, _NOBODY)]
    return "".join(_draw_row(rooms, subject, find_choice(rooms.words, subject.session, value)) for value in chosen)


def _draw_row(rooms: Rooms, subject: Subject, choice: Choice) -> str:
    words = rooms.words
    with lend_for(rooms, subject, choice) as backbone:
        maps = map_stages(backbone, subject.photo, [choice.class_idx], head=choice.head)
        values = maps.of(choice.class_idx, StageLabel.HIGH, Method.GRAD_CAM).values
        erasure = erase_by_map(
            backbone, subject.photo, choice.class_idx, values, head=choice.head, shares=[_TESTED_SHARE]
        )
    name = name_choice(words, subject.backbone, choice)
    heading = words.inside.class_maps.heading.format(name=name, percent=100 * maps.maps[0].probability)
    figures = [_draw_map(words, maps, each, name) for each in maps.maps]
    tested = words.inside.class_maps.tested.format(verdict=judge_map(words, erasure))
    return f"<h3>{html.escape(heading)}</h3><p>{html.escape(tested)}</p>{draw_figures(figures)}"


def judge_map(words: Words, erasure: Erasure) -> str:
    """Say from the curves of an erased picture whether the map held here, also where it did not."""
    found = MapTest.of(erasure)
    percents = {name: 100 * share for name, share in vars(found).items()}
    return words.inside.erase.verdicts[found.verdict].format(**percents)


def _draw_map(words: Words, maps: ClassMaps, each: ClassMap, name: str) -> str:
    stage, method = words.inside.stage_names[each.stage.value], METHOD_NAMES[each.method]
    overlay = draw_overlay(each.values, maps.network_input, side_px=_SIDE_PX)
    caption = words.inside.class_maps.caption.format(stage=stage, method=method)
    return draw_captioned(overlay, caption, words.inside.class_maps.alt.format(stage=stage, method=method, name=name))
