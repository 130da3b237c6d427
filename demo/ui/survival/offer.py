"""The head that the visitor's browser has kept, offered back after its session was lost."""

import html
from typing import Any, NamedTuple

import gradio as gr

from demo.models.errors import NoHeadFile
from demo.models.headfile import max_file_bytes
from demo.ui.finetune.keep.panel import use_head
from demo.ui.handlers import Cost, costs, listen
from demo.ui.parts.notice import draw_notice
from demo.ui.parts.values import read_event
from demo.ui.server.uploads import taken_file
from demo.visitors.rooms import Rooms
from demo.visitors.session import Ref
from demo.words.language import Words

_MAX_NAMES = 120  # characters of the names of a kept head's classes that are shown: whoever asks may say any
# The browser sends what it has kept, and what becomes of it is a click of this element.
_SCRIPT = """
demo.bringBack = (told) => trigger("submit", told);
demo.decline = (told) => trigger("clear", told);
"""
_FAILED = "() => demo.keepsake.failed()"


class Back(NamedTuple):
    """What a head that is taken back changes."""

    ref: Any
    offer: Any


@costs(Cost.READ)
def bring_back(rooms: Rooms, ref: Ref, event: gr.EventData) -> Back:
    """Use the head that the visitor's browser has kept; it passes all checks of one that is brought as a file."""
    keepsakes, words = rooms.keepsakes, rooms.words.notice
    session, max_bytes = rooms.sessions.find(ref), max_file_bytes(rooms.settings)
    with taken_file({"path": read_event(event, "path")}, NoHeadFile) as (path, _), path.open("rb") as file:
        opened = keepsakes.open(file.read(max_bytes + 1), read_event(event, "secret"))
    changed, head = use_head(rooms, session, opened.content)
    keepsakes.accept(opened.manifest)
    sentence = words.back if opened.is_sealed else words.back_unsealed
    names = rooms.words.list_separator.join(head.class_names)
    return Back(changed, draw_notice(rooms.words, sentence.format(names=names)))


@costs(Cost.LIGHT)
def decline(rooms: Rooms, event: gr.EventData) -> str:
    """Take that head from nobody any more; the browser has deleted it."""
    rooms.keepsakes.forget(read_event(event, "secret"))
    return ""


def draw_offer(words: Words, kept: str, *, is_anew: bool) -> str:
    """Return what is gone, what is not, and the way back, as HTML; nothing if no head was kept.

    Args:
        words: In which language.
        kept: The classes of the kept head, a line each, as the browser says them; empty if it has kept none.
        is_anew: Whether an earlier session is over, and what it held is gone.
    """
    if not kept:
        return ""
    names = words.list_separator.join(kept.splitlines())
    shown = names if len(names) <= _MAX_NAMES else f"{names[:_MAX_NAMES]}…"
    is_kept = html.escape(words.notice.kept.format(names=shown))
    gone = f"<p>{html.escape(words.notice.anew_but)}</p>" if is_anew else ""
    buttons = "".join(
        f'<button type="button" class="{kind}" data-keepsake="{act}">{html.escape(label)}</button>'
        for act, kind, label in (
            ("bring", "primary", words.notice.bring),
            ("decline", "", words.notice.decline),
        )
    )
    return f'<div class="notice offer" role="status"><div>{gone}<p><b>{is_kept}</b></p></div><div>{buttons}</div></div>'


def build_offer() -> gr.HTML:
    """Lay out the place of the offer; it takes no room while there is none."""
    return gr.HTML("", padding=False, js_on_load=_SCRIPT, elem_id="offer")


def wire_offer(rooms: Rooms, ref: gr.State, offer: gr.HTML) -> Any:
    """Wire it; return the event after which there is a head."""
    brought = listen(rooms, offer.submit, bring_back, ref, Back(ref, offer), show_progress="hidden")
    brought.failure(None, None, None, js=_FAILED)
    listen(rooms, offer.clear, decline, None, offer)
    return brought
