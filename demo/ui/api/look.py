"""What lies behind an answer, for programs: where the evidence for a class is, what the stages make of a picture."""

from typing import Any, TypedDict

from demo.figures import draw_grid, draw_overlay, join_pictures
from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.zoo import StageLabel
from demo.tasks.activations import StageActivations, capture_stages
from demo.tasks.cam import Method, map_stages
from demo.ui.api.errors import NoSuchClass
from demo.ui.api.files import answer_picture, read_picture, read_sent_head
from demo.ui.api.networks import lend_network
from demo.ui.handlers import Cost, costs
from demo.ui.inside.ladder import NUM_MAPS
from demo.ui.parts.errors import UnknownChoice
from demo.ui.parts.values import parse_choice
from demo.visitors.rooms import Rooms

ALL_STAGES = "all"
_SHOWN_LENGTH = 40


class ClassMapAnswer(TypedDict):
    """Where the evidence for a class lies: `values` are rows of numbers from 0 on, in units of the class's logit."""

    backbone: str
    class_index: int
    class_name: str
    probability: float
    stage: str
    method: str
    values: list[list[float]]


class StageAnswer(TypedDict):
    """One stage: the layer that is looked at, its shape (C, H, W), and its stride in pixels."""

    label: str
    name: str
    shape: list[int]
    stride: int


class Activations(TypedDict):
    """The stages that were asked for, from the picture on."""

    backbone: str
    stages: list[StageAnswer]


@costs(Cost.COMPUTE)
def answer_class_map(
    rooms: Rooms,
    image: Any,
    backbone: Any = "",
    target: Any = "",
    stage: Any = StageLabel.HIGH.value,
    method: Any = Method.LAYER_CAM.value,
    head: Any = None,
) -> tuple[ClassMapAnswer, str]:
    """Show where in one picture the evidence for a class lies, as one stage sees it."""
    picture, label = read_picture(image, rooms.settings).image, parse_choice("stage", StageLabel, stage)
    how, own = parse_choice("method", Method, method), read_sent_head(head, rooms.settings)
    if how is Method.GRAD_CAM and label is not StageLabel.HIGH:
        raise UnknownChoice(option="stage", value=f"{label} (method {how})", known=StageLabel.HIGH)
    with lend_network(rooms, backbone, own) as network:
        idx = _find_class(network, own, target)
        maps = map_stages(network, picture, None if idx is None else [idx], head=own)
        names = own.class_names if own else network.spec.class_names
        name = network.spec.name
    found = maps.of(maps.maps[0].class_idx, label, how)
    drawn = draw_overlay(found.values, maps.network_input)
    answer: ClassMapAnswer = {
        "backbone": name,
        "class_index": found.class_idx,
        "class_name": names[found.class_idx],
        "probability": found.probability,
        "stage": label.value,
        "method": how.value,
        "values": found.values.tolist(),
    }
    return answer, answer_picture(drawn, f"class_map_{label}")


@costs(Cost.COMPUTE)
def answer_activations(
    rooms: Rooms, image: Any, backbone: Any = "", stage: Any = ALL_STAGES, head: Any = None
) -> tuple[Activations, str | None, str | None, str | None]:
    """Show what the low, middle and high stages of a network make of one picture, or one of them."""
    picture, wanted = read_picture(image, rooms.settings).image, _parse_stages(stage)
    own = read_sent_head(head, rooms.settings)
    with lend_network(rooms, backbone, own) as network:
        activations = capture_stages(network, picture)
    stages: list[StageAnswer] = [
        {
            "label": each.stage.label.value,
            "name": each.stage.module,
            "shape": list(each.values.shape),
            "stride": each.stage.stride,
        }
        for each in activations.stages
        if each.stage.label in wanted
    ]
    low, middle, high = (_draw(activations, each) if each in wanted else None for each in StageLabel)
    return {"backbone": activations.backbone_name, "stages": stages}, low, middle, high


def _parse_stages(stage: Any) -> tuple[StageLabel, ...]:
    if stage == ALL_STAGES:
        return tuple(StageLabel)
    for each in StageLabel:
        if each == stage:
            return (each,)
    known = ", ".join([ALL_STAGES, *StageLabel])
    raise UnknownChoice(option="stage", value=str(stage)[:_SHOWN_LENGTH], known=known)


def _draw(activations: StageActivations, label: StageLabel) -> str:
    """Draw a stage's mean activation on the picture, beside its strongest feature maps."""
    stage = activations.of(label)
    grid = draw_grid(stage.values[stage.strongest(NUM_MAPS)])
    overlay = draw_overlay(stage.mean, activations.network_input, side_px=grid.height)
    return answer_picture(join_pictures(overlay, grid), label.value)


def _find_class(network: Backbone, head: Head | None, target: Any) -> int | None:
    """Return the index of the class that a program names, or gives by its number; None for the most probable one.

    Raises:
        NoSuchClass: If there is no such class.
    """
    if target in ("", None):
        return None
    names = head.class_names if head else network.spec.class_names
    if isinstance(target, str) and target in names:
        return names.index(target)
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < len(names):
        return target
    shown = str(target)[:_SHOWN_LENGTH]
    raise NoSuchClass(value=shown, first=names[0], last=names[-1], count=len(names))
