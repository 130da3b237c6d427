"""The networks that a program can name, and the one that answers it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.models.weights import has_weights, usable_backbone
from demo.models.zoo import ZOO, BackboneSpec, find_spec
from demo.ui.api.errors import HeadOfAnother
from demo.ui.handlers import Cost, costs
from demo.visitors.rooms import Rooms

_SHOWN_LENGTH = 40


class Network(TypedDict):
    """What there is to know of one network. `top1`, on ImageNet, is from 0 to 1."""

    name: str
    display_name: str
    year: int
    paper: str
    parameters: int
    gflops: float
    top1: float
    file_megabytes: float
    input_px: int
    features: int
    is_here: bool
    is_loaded: bool
    is_default: bool


class Networks(TypedDict):
    """All networks, in the order in which the page lists them."""

    networks: list[Network]


@costs(Cost.LIGHT)
def answer_networks(rooms: Rooms) -> Networks:
    """Tell of all networks: what they are, whether their weights are on this machine, and which are loaded."""
    loaded, default = rooms.backbones.names, usable_backbone(rooms.settings.backbone)
    return {"networks": [_describe(spec, loaded, default) for spec in ZOO.values()]}


def find_network(rooms: Rooms, name: Any) -> str:
    """Return the key of the network that a program names by its key or as the page does; the default for "".

    Raises:
        UnknownBackbone: If there is no such network.
    """
    if name in ("", None):
        return usable_backbone(rooms.settings.backbone)
    wanted = str(name).casefold()
    for spec in ZOO.values():
        if wanted in (spec.name.casefold(), spec.display_name.casefold()):
            return spec.name
    return find_spec(str(name)[:_SHOWN_LENGTH]).name


@contextmanager
def lend_network(rooms: Rooms, name: Any, head: Head | None) -> Iterator[Backbone]:
    """Lend the network that a program names; with a head the one that it was trained on, and its own layers.

    Raises:
        UnknownBackbone: If there is no such network.
        HeadOfAnother: If the head was trained on another one.
        WeightsError: If its weights are missing or damaged.
    """
    if head is None:
        with rooms.backbones.lend(find_network(rooms, name)) as backbone:
            yield backbone
        return
    if name not in ("", None) and (wanted := find_network(rooms, name)) != head.backbone_name:
        raise HeadOfAnother(head=head.backbone_name, network=wanted)
    with rooms.backbones.lend(head.backbone_name) as shared:
        yield shared.for_head(head)


def _describe(spec: BackboneSpec, loaded: tuple[str, ...], default: str) -> Network:
    return {
        "name": spec.name,
        "display_name": spec.display_name,
        "year": spec.year,
        "paper": spec.paper,
        "parameters": spec.facts.num_parameters,
        "gflops": spec.facts.gflops,
        "top1": spec.facts.top1,
        "file_megabytes": spec.facts.file_megabytes,
        "input_px": spec.build_transforms().crop_size[0],
        "features": spec.num_features,
        "is_here": has_weights(spec),
        "is_loaded": spec.name in loaded,
        "is_default": spec.name == default,
    }
