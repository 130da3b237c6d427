"""What the panels of tab 3 have in common: they compute while they are open, and say what to see and where it is from.

A panel is an accordion with a state: the revision of the session that it shows, None while it is closed. Opening it
sets the state, and so does, in all open panels, a change of the session; a change of the state makes the panel draw.
"""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.ui.handlers import COMPUTE, LIGHT, bind
from demo.ui.parts.markup import draw_download, encode_png
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.inside import InsideWords
from demo.words.language import Words
from demo.words.panel import PanelWords

# How a panel draws. The tasks check what is sent, and say what is wrong with it in the visitor's language; gradio's own
# checks are in English, and do not know the choices of this visitor.
DRAW: dict[str, Any] = {**COMPUTE, "preprocess": False, "show_progress": "minimal", "trigger_mode": "always_last"}


class Paper(NamedTuple):
    """Where a panel's idea is from."""

    name: str
    url: str


class Panel(NamedTuple):
    """An accordion, and the state that says what it shows."""

    accordion: gr.Accordion
    shown: gr.State


class Look(NamedTuple):
    """What a panel looks into: the network in use, the head that answers, and the photograph."""

    backbone: Backbone
    head: Head | None
    photo: Image.Image


def open_panel(rooms: Rooms, ref: Ref) -> int:
    """Return what an open panel has to show."""
    return rooms.sessions.find(ref).ref.revision


def close_panel() -> None:
    """Note that a panel is closed: nothing is computed for it any more."""


def renew_panels(rooms: Rooms, ref: Ref, *shown: int | None) -> list[Any]:
    """Let each open panel show the session as it is now."""
    revision = rooms.sessions.find(ref).ref.revision
    return [gr.skip() if each is None else revision for each in shown]


@contextmanager
def look_into(rooms: Rooms, session: Session, shown: int | None) -> Iterator[Look | None]:
    """Lend what a panel looks into; None where it is closed or there is no photograph."""
    photo = session.photo if shown is not None else None
    if photo is None:
        yield None
        return
    with rooms.lend(session.state) as backbone:
        yield Look(backbone, session.state.answering_head, photo)


def say_no_photo(words: Words) -> str:
    """Return, as HTML, what is missing."""
    return f'<p class="hint">{words.photo.missing}</p>'


@contextmanager
def build_panel(rooms: Rooms, ref: gr.State, words: PanelWords, paper: Paper, *, elem_id: str) -> Iterator[Panel]:
    """Lay out a closed panel with its sentences; what is built inside the `with` lies below them.

    Args:
        rooms: The rooms.
        ref: The reference to the session.
        words: What the panel says about itself.
        paper: Where its idea is from.
        elem_id: Of the accordion.

    Returns:
        The panel; wire the `change` of what it shows to what draws.
    """
    common: InsideWords = rooms.words.inside
    shown = gr.State(None)
    with gr.Accordion(words.title, open=False, elem_id=elem_id) as accordion:
        gr.HTML(
            f'<p class="help">{words.help} {common.paper.format(link=draw_link(paper))}</p>'
            f'<p class="try"><b>{common.try_this}</b> {words.try_this}</p>',
            padding=False,
        )
        yield Panel(accordion, shown)
    accordion.expand(bind(rooms, open_panel), ref, shown, **LIGHT)
    accordion.collapse(close_panel, None, shown, **LIGHT)


def draw_link(paper: Paper) -> str:
    """Return a link to a paper as HTML; it opens beside the page."""
    return f'<a href="{paper.url}" target="_blank" rel="noopener">{html.escape(paper.name)}</a>'


def draw_figures(figures: list[str], *, size: str = "large") -> str:
    """Return figures (HTML) side by side; their size is a class of demo/ui/parts/style.py: patches, large or sheet."""
    return f'<div class="figures {size}">{"".join(figures)}</div>'


def draw_shown(picture: Image.Image, caption: str, alt_text: str) -> str:
    """Return a picture with a caption as HTML; a click on it downloads it as PNG."""
    return draw_download(encode_png(picture), caption, alt_text)
