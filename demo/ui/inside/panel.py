"""What the panels of tab 3 have in common: a panel computes only while it is open.

A panel is an accordion with a state: the revision of the session that it shows, None while the panel is closed. Opening
the panel sets the state, and so does a change of the session while it is open; a change of the state makes it draw.
"""

import functools
import html
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.markup import draw_download, encode_png
from demo.ui.parts.outputs import unchanged
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.inside import InsideWords
from demo.words.language import Words
from demo.words.panel import PanelWords

# Handlers check what is sent, and say what is wrong with it in the visitor's language; gradio's own checks are in
# English, and do not know the choices of this visitor.
_DRAWS: dict[str, Any] = {"preprocess": False, "show_progress": "minimal", "trigger_mode": "always_last"}


class Paper(NamedTuple):
    """The publication that a panel's idea is from."""

    name: str
    url: str


class Subject(NamedTuple):
    """What an open panel is about: a session, its network on loan, the head that answers, and the photograph."""

    session: Session
    backbone: Backbone
    head: Head | None
    photo: Image.Image


@dataclass(frozen=True, eq=False)
class Panel:
    """An accordion, and the state that holds the revision it shows."""

    rooms: Rooms
    ref: gr.State
    accordion: gr.Accordion
    revision: gr.State

    def listen(self, trigger: Any, handler: Callable[..., Any], inputs: list[Any], outputs: Any, **options: Any) -> Any:
        """Let a handler draw in this panel; before its inputs it is given the session's reference and the revision."""
        given = [self.ref, self.revision, *inputs]
        return listen(self.rooms, trigger, handler, given, outputs, **(_DRAWS | options))


def while_open(
    outputs: type[Any] | None = None, *, without_photo: Callable[[str], Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a handler run only while its panel is open and there is a photograph.

    The handler takes the rooms, a Subject, and the values of its inputs. What is returned takes the session's reference
    and the panel's revision in place of the Subject; while the panel is closed it changes nothing.

    Args:
        outputs: The group (a NamedTuple class) that the handler fills; None if that is a single component.
        without_photo: Makes the outputs of an open panel from a sentence (HTML) that asks for a photograph; None if
            nothing changes then.
    """

    def blank(rooms: Rooms, revision: int | None) -> Any:
        if revision is not None and without_photo is not None:
            return without_photo(draw_no_photo(rooms.words))
        return gr.skip() if outputs is None else unchanged(outputs)

    def decorate(draw: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(draw)
        def once(rooms: Rooms, ref: Ref, revision: int | None, *values: Any) -> Any:
            with _lend_subject(rooms, ref, revision) as subject:
                return blank(rooms, revision) if subject is None else draw(rooms, subject, *values)

        @functools.wraps(draw)
        def in_steps(rooms: Rooms, ref: Ref, revision: int | None, *values: Any) -> Iterator[Any]:
            with _lend_subject(rooms, ref, revision) as subject:
                if subject is None:
                    yield blank(rooms, revision)
                else:
                    yield from draw(rooms, subject, *values)

        handler: Any = in_steps if inspect.isgeneratorfunction(draw) else once
        handler.__signature__ = _replace_subject(inspect.signature(draw))
        wrapped: Callable[..., Any] = handler
        return wrapped

    return decorate


@costs(Cost.LIGHT)
def open_panel(rooms: Rooms, ref: Ref) -> int:
    """Return the revision that an opened panel shows."""
    return rooms.sessions.find(ref).ref.revision


@costs(Cost.LIGHT)
def close_panel(_: Rooms) -> None:
    """Let a closed panel show no revision: nothing is computed for it any more."""


@contextmanager
def build_panel(rooms: Rooms, ref: gr.State, words: PanelWords, paper: Paper, *, elem_id: str) -> Iterator[Panel]:
    """Lay out a closed panel with its help; what is built inside the `with` lies below it.

    Args:
        rooms: The rooms.
        ref: The reference to the session.
        words: What the panel says about itself.
        paper: Where its idea is from.
        elem_id: Of the accordion.

    Returns:
        The panel; wire the `change` of its revision to what draws.
    """
    revision = gr.State(None)
    with gr.Accordion(words.title, open=False, elem_id=elem_id) as accordion:
        gr.HTML(draw_help(rooms.words.inside, words, paper), padding=False)
        yield Panel(rooms, ref, accordion, revision)
    listen(rooms, accordion.expand, open_panel, ref, revision)
    listen(rooms, accordion.collapse, close_panel, None, revision)


def own_queue(name: str) -> dict[str, Any]:
    """Return gradio's options for a handler that takes seconds: its calls wait for each other and for no others."""
    return {"concurrency_id": name, "concurrency_limit": 1, "preprocess": False}


@contextmanager
def _lend_subject(rooms: Rooms, ref: Ref, revision: int | None) -> Iterator[Subject | None]:
    """Lend what a panel is about; None where the panel is closed or there is no photograph."""
    session = rooms.sessions.find(ref)
    if revision is None or (photo := session.photos.photo) is None:
        yield None
        return
    with rooms.lend(session.state) as backbone:
        yield Subject(session, backbone, session.state.answering_head, photo)


def _replace_subject(signature: inspect.Signature) -> inspect.Signature:
    """Return a handler's signature with a reference and a revision in place of the Subject; gradio reads it."""
    rooms, _, *values = signature.parameters.values()
    given = [inspect.Parameter(name, rooms.kind, annotation=kind) for name, kind in (("ref", Ref), ("revision", Any))]
    return signature.replace(parameters=[rooms, *given, *values])


def draw_help(common: InsideWords, words: PanelWords, paper: Paper) -> str:
    """Return what a panel says about itself, its paper, and what to try."""
    return (
        f'<p class="help">{words.help} {common.paper.format(link=draw_link(paper))}</p>'
        f'<p class="try"><b>{common.try_this}</b> {words.try_this}</p>'
    )


def draw_link(paper: Paper) -> str:
    """Return a link to a paper; it opens beside the page."""
    return f'<a href="{paper.url}" target="_blank" rel="noopener">{html.escape(paper.name)}</a>'


def draw_figures(figures: list[str], *, size: str = "large") -> str:
    """Return figures (HTML) side by side; a size is a class of demo/ui/parts/style.py."""
    return f'<div class="figures {size}">{"".join(figures)}</div>'


def draw_captioned(picture: Image.Image, caption: str, alt_text: str) -> str:
    """Return a picture with a caption; a click on it downloads it as PNG."""
    return draw_download(encode_png(picture), caption, alt_text)


def draw_no_photo(words: Words) -> str:
    """Return the sentence that asks for a photograph."""
    return f'<p class="hint">{words.photo.missing}</p>'
