"""What the panels of tab 3 have in common: one is open at a time, and only that one is drawn.

What is open, and whether it shows the session as it is, the browser knows (demo/ui/scripts/bench.js). An open panel
that does not is asked to draw itself: its title is then clicked by the script.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from demo.models.backbone import Backbone
from demo.models.head import Head
from demo.tasks.predict import ClassProbability
from demo.ui.handlers import listen
from demo.ui.parts.markup import draw_download, draw_link, encode_png
from demo.ui.parts.outputs import unchanged
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref, Session
from demo.words.inside import InsideWords
from demo.words.language import Words
from demo.words.panel import PanelWords

# Handlers check what is sent, and say what is wrong with it in the visitor's language; gradio's own checks are in
# English, and do not know the choices of this visitor.
_DRAWS: dict[str, Any] = {"preprocess": False, "show_progress": "minimal", "trigger_mode": "always_last"}
_RENEW_SCRIPT = "demo.bench.add(element, () => trigger('click'));"


class Paper(NamedTuple):
    """The publication that a panel's idea is from."""

    name: str
    url: str


class Subject(NamedTuple):
    """What a panel is about: a session, its network on loan, the head that answers, and the photograph."""

    session: Session
    backbone: Backbone
    head: Head | None
    photo: Image.Image

    def name_class(self, words: Words, best: ClassProbability) -> str:
        """Return what a class is called: ImageNet's in the page's language, their own as visitors named them."""
        return best.class_name if self.head else words.class_name(best.class_idx, best.class_name)


@dataclass(frozen=True, eq=False)
class Panel:
    """A tab of the bench, and its title, which says that something is being drawn."""

    rooms: Rooms
    ref: gr.State
    title: gr.HTML

    @property
    def renewed(self) -> Any:
        """The event at which the panel draws itself anew."""
        return self.title.click

    def listen(self, trigger: Any, handler: Callable[..., Any], inputs: list[Any], outputs: Any, **options: Any) -> Any:
        """Let a handler draw in this panel; before its inputs it is given the session's reference."""
        options = _DRAWS | {"show_progress_on": self.title} | options
        return listen(self.rooms, trigger, handler, [self.ref, *inputs], outputs, **options)


def needs_photo(
    outputs: type[Any] | None = None, *, without_photo: Callable[[str], Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a handler run only while there is a photograph.

    The handler takes the rooms, a Subject, and the values of its inputs. What is returned takes the session's reference
    in place of the Subject.

    Args:
        outputs: The group (a NamedTuple class) that the handler fills; None if that is a single component.
        without_photo: Makes the outputs from a sentence (HTML) that asks for a photograph; None if nothing changes
            then.
    """

    def blank(rooms: Rooms) -> Any:
        if without_photo is not None:
            return without_photo(draw_no_photo(rooms.words))
        return gr.skip() if outputs is None else unchanged(outputs)

    def decorate(draw: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(draw)
        def once(rooms: Rooms, ref: Ref, *values: Any) -> Any:
            with _lend_subject(rooms, ref) as subject:
                return blank(rooms) if subject is None else draw(rooms, subject, *values)

        @functools.wraps(draw)
        def in_steps(rooms: Rooms, ref: Ref, *values: Any) -> Iterator[Any]:
            with _lend_subject(rooms, ref) as subject:
                if subject is None:
                    yield blank(rooms)
                else:
                    yield from draw(rooms, subject, *values)

        handler: Any = in_steps if inspect.isgeneratorfunction(draw) else once
        handler.__signature__ = _replace_subject(inspect.signature(draw))
        wrapped: Callable[..., Any] = handler
        return wrapped

    return decorate


@contextmanager
def build_panel(rooms: Rooms, ref: gr.State, words: PanelWords, paper: Paper, *, elem_id: str) -> Iterator[Panel]:
    """Lay out a tab of the bench: its title, behind which its help is folded, what is built inside, what to try.

    Args:
        rooms: The rooms.
        ref: The reference to the session.
        words: What the panel says about itself.
        paper: Where its idea is from.
        elem_id: Of the tab; its name and "-panel".

    Returns:
        The panel; wire `renewed` to what draws.
    """
    with gr.Tab(words.tab, elem_id=elem_id, id=elem_id.removesuffix("-panel")):
        title = gr.HTML(draw_title(rooms.words.inside, words, paper), padding=False, js_on_load=_RENEW_SCRIPT)
        yield Panel(rooms, ref, title)
        gr.HTML(f'<p class="try"><b>{rooms.words.inside.try_this}</b> {words.try_this}</p>', padding=False)


def own_queue(name: str) -> dict[str, Any]:
    """Return gradio's options for a handler that takes seconds: its calls wait for each other and for no others."""
    return {"concurrency_id": name, "concurrency_limit": 1, "preprocess": False}


@contextmanager
def _lend_subject(rooms: Rooms, ref: Ref) -> Iterator[Subject | None]:
    """Lend what a panel is about; None where there is no photograph."""
    session = rooms.sessions.find(ref)
    if (photo := session.photos.photo) is None:
        yield None
        return
    with rooms.lend(session.state) as backbone:
        yield Subject(session, backbone, session.state.answering_head, photo)


def _replace_subject(signature: inspect.Signature) -> inspect.Signature:
    """Return a handler's signature with a reference in place of the Subject; gradio reads it."""
    rooms, _, *values = signature.parameters.values()
    return signature.replace(parameters=[rooms, inspect.Parameter("ref", rooms.kind, annotation=Ref), *values])


def draw_title(common: InsideWords, words: PanelWords, paper: Paper) -> str:
    """Return a panel's title; a click on it unfolds what the panel says about itself, and its paper."""
    return (
        f'<details class="about"><summary><h2>{words.title}</h2></summary>'
        f'<p class="help">{words.help} {common.paper.format(link=draw_link(*paper))}</p></details>'
    )


def draw_numbers(words: InsideWords, tables: str) -> str:
    """Return the tables (HTML) behind charts, folded."""
    return f"<details><summary>{words.numbers}</summary>{tables}</details>"


def draw_figures(figures: list[str], *, size: str = "large") -> str:
    """Return figures (HTML) side by side; a size is a class of demo/ui/parts/style.py."""
    return f'<div class="figures {size}">{"".join(figures)}</div>'


def draw_captioned(picture: Image.Image, caption: str, alt_text: str) -> str:
    """Return a picture with a caption; a click on it downloads it as PNG."""
    return draw_download(encode_png(picture), caption, alt_text)


def draw_no_photo(words: Words) -> str:
    """Return the sentence that asks for a photograph."""
    return f'<p class="hint">{words.photo.missing}</p>'
