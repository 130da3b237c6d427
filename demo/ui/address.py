"""The place of the page that an address names: a link leads there, and a reload, a language switch and Back return.

The scripts write it (demo/ui/scripts/address.js). It may be anybody's text, so a wrong value is passed over and said;
nothing of a visitor's is ever in it.
"""

import html
from collections.abc import Container
from dataclasses import dataclass, fields, replace
from urllib.parse import parse_qsl

import gradio as gr
import segno

from demo.data.samples import EXAMPLES, find_example
from demo.data.starters import STARTERS
from demo.errors import DemoError
from demo.lesson.steps import STEPS
from demo.models.weights import has_weights
from demo.models.zoo import ZOO, find_spec
from demo.ui.finetune.recipe_form import decode_recipe
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.values import read_event
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session
from demo.words.language import Words

# The panels that can be opened in each tab, by the names that their buttons have on the page.
PANELS = {
    "predict": ("history", "side-by-side", "closing"),
    "finetune": ("pictures", "train", "wrong", "experiments", "keep"),
    "inside": (
        "ladder",
        "channel",
        "resolutions",
        "kernels",
        "class-maps",
        "erase",
        "residual",
        "blocks",
        "moves",
        "statistics",
        "neuron",
        "depth",
    ),
}
_MAX_LENGTH, _MAX_FIELDS, _SHOWN_LENGTH = 1000, 20, 30

# A fold that asks the server for its content, the address as a QR code, whenever it is opened.
_LINK_SCRIPT = """element.addEventListener("toggle", (event) => {
  if (!event.target.open) element.querySelector("[data-link]")?.remove();
  else if (!element.querySelector("[data-link]")) trigger("click", {pick: location.href});
}, true);"""


@dataclass(frozen=True)
class Place:
    """What an address can name; an empty text leaves that part of the page as it is, and lesson 0 puts it away."""

    tab: str = ""
    panel: str = ""
    example: str = ""
    network: str = ""
    set: str = ""
    recipe: str = ""
    view: str = ""
    lesson: str = ""


def read_place(query: str) -> tuple[Place, tuple[str, ...]]:
    """Return the place that the query of an address names, and each part of it that names nothing here.

    Args:
        query: What stands behind the question mark, and that, if it is there; parts with other names are gradio's.
    """
    try:
        pairs = parse_qsl(query[:_MAX_LENGTH].lstrip("?"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        return Place(), (query[:_SHOWN_LENGTH],)
    said = {name: value for name, value in pairs if name in {each.name for each in fields(Place)}}
    known = _known(said.get("tab", "predict"))
    wrong = [name for name, value in said.items() if name in known and value not in known[name]]
    place = Place(**{name: value for name, value in said.items() if name not in wrong})
    return place, tuple(f"{name}={said[name][:_SHOWN_LENGTH]}" for name in wrong)


def go_to(rooms: Rooms, session: Session, query: str) -> tuple[Place, list[str]]:
    """Let a session look at the example, use the network and be at the step of the lesson that an address names.

    Args:
        rooms: The rooms.
        session: The visitor's session.
        query: What `read_place` takes.

    Returns:
        The place, and in words what of the address could not be.
    """
    words = rooms.words.address
    place, wrong = read_place(query)
    if place.recipe:
        try:
            decode_recipe(rooms.settings, place.recipe)
        except DemoError:
            place, wrong = replace(place, recipe=""), (*wrong, f"recipe={place.recipe[:_SHOWN_LENGTH]}")
    said = [words.ignored.format(parts=", ".join(wrong))] if wrong else []
    if place.example and session.photos.example != find_example(place.example):
        session.choose_example(find_example(place.example))
    if place.lesson:
        session.lesson.go(int(place.lesson))
    if place.network and place.network != session.state.backbone_name:
        spec = find_spec(place.network)
        if not has_weights(spec):
            return place, [*said, words.network_absent.format(backbone=spec.display_name)]
        with rooms.backbones.lend(place.network):
            session.change_state(lambda state: state.with_backbone(place.network))
    return place, said


@costs(Cost.LIGHT)
def show_link(rooms: Rooms, event: gr.EventData) -> str:
    """Show the address that the page has now, to copy it, and as a QR code for phones."""
    return draw_link(rooms.words, read_event(event, "pick")[:_MAX_LENGTH])


def draw_link(words: Words, address: str = "") -> str:
    """Return the fold with the page's address, closed where none is given yet."""
    ours = words.address
    if not address:
        return f"<details><summary>{ours.link}</summary></details>"
    code = segno.make(address, micro=False).svg_inline(scale=4, border=4, light="white", dark="black")
    shown = html.escape(address)
    return (
        f"<details open><summary>{ours.link}</summary><div data-link><p>{ours.link_help}</p>"
        f'<p><input readonly aria-label="{ours.link}" value="{shown}">'
        f'<button type="button" data-copy="{shown}">{words.api.copy}</button></p>{code}</div></details>'
    )


def build_link(rooms: Rooms) -> None:
    """Lay out the link to the page as it is, and wire it."""
    link = gr.HTML(draw_link(rooms.words), padding=False, js_on_load=_LINK_SCRIPT, elem_id="link")
    listen(rooms, link.click, show_link, None, link)


def _known(tab: str) -> dict[str, Container[str]]:
    """Return which values each part of an address can have; a recipe is read where it is used."""
    return {
        "tab": PANELS,
        "panel": PANELS.get(tab, ()),
        "example": {each.name for each in EXAMPLES},
        "network": ZOO,
        "set": STARTERS,
        "view": ("projector",),
        "lesson": {str(number) for number in range(len(STEPS) + 1)},
    }
