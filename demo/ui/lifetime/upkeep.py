"""What is done behind a page while it is open: torch, the first networks, and a regular sweep of expired data."""

import gc
import logging
import threading
import time
from pathlib import Path
from typing import Any

import gradio as gr

from demo.data.samples import EXAMPLES
from demo.errors import log_unexpected
from demo.models.late import import_torch
from demo.models.weights import usable_backbone
from demo.ui.answer import draw_opening
from demo.ui.lifetime.garbage import Garbage
from demo.ui.lifetime.leaving import leave
from demo.ui.server.document import Document
from demo.ui.server.internals import clear_file_lists, get_upload_folder
from demo.ui.server.uploads import sweep
from demo.ui.server.visits import Visits
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH

logger = logging.getLogger("demo")

SWEEP_EVERY_S = 10.0


def keep_up(page: gr.Blocks, rooms: Rooms, visits: Visits, document: Document) -> None:
    """Begin to sweep up behind a page that is open, and to load its networks.

    Args:
        page: The page.
        rooms: The rooms behind it.
        visits: gradio's states of its visitors.
        document: Where the answers to the examples are put.
    """
    garbage = Garbage()
    garbage.look_at_all()

    def forget(session: Session) -> None:
        for each in session.presence.open | session.presence.closed:
            visits.forget(each)
        garbage.note_end(session.presence.began_at)

    rooms.sessions.when_over = forget
    rooms.arrival.is_waking = True
    _start(_sweep_for_ever, page, rooms, visits, garbage)
    _start(_warm_up, rooms, document, garbage)


def sweep_up(page: gr.Blocks, rooms: Rooms, visits: Visits, folder: Path) -> None:
    """End expired sessions, and drop files and states that are no longer needed."""
    settings = rooms.settings
    rooms.sessions.sweep()
    sweep(folder, settings.unread_upload_s)
    visits.sweep(closed_s=settings.session_closed_s, idle_s=settings.session_idle_s)
    clear_file_lists(page)


def _start(work: Any, *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name=work.__name__.strip("_"), daemon=True).start()


def _sweep_for_ever(page: gr.Blocks, rooms: Rooms, visits: Visits, garbage: Garbage) -> None:
    folder = Path(get_upload_folder())
    while True:
        time.sleep(SWEEP_EVERY_S)
        try:
            sweep_up(page, rooms, visits, folder)
            garbage.sweep(is_anybody_there=len(rooms.sessions) > 0)
        except Exception as error:  # the next sweep may succeed
            log_unexpected(error, "a sweep")


def _warm_up(rooms: Rooms, document: Document, garbage: Garbage) -> None:
    """Show a network the examples, so that the first visitors need not wait; then fetch the preferred one."""
    _import_torch()
    garbage.look_at_all()
    name = usable_backbone(rooms.settings.backbone)
    try:
        with rooms.backbones.lend(name) as backbone:
            first = rooms.exhibits.see(backbone, EXAMPLES[0], rooms.settings)
            document.examples = {words.language: draw_opening(words, first) for words in (ENGLISH, CHINESE)}
            rooms.arrival.is_warm.set()
    finally:
        rooms.arrival.is_waking = False  # from now on who asks is answered, or told why not
    with rooms.backbones.lend(name) as backbone:
        for example in EXAMPLES[1:]:
            rooms.exhibits.see(backbone, example, rooms.settings)
    rooms.backbones.begin_measuring()
    garbage.look_at_all()
    rooms.arrival.run()


def _import_torch() -> None:
    """Import torch; where that is not possible the page would never answer, and the process ends."""
    gc.disable()  # for some seconds: what is imported stays
    try:
        import_torch()
    except Exception:  # what a broken installation raises is of many kinds
        logger.exception("torch cannot be imported, without which the page would never answer")
        leave(1)
