"""What is done behind a page while it is open: the first networks, and a regular sweep of expired data."""

import threading
import time
from pathlib import Path
from typing import Any

import gradio as gr

from demo.data.samples import EXAMPLES
from demo.errors import log_unexpected
from demo.models.cache import give_back_memory
from demo.models.weights import usable_backbone
from demo.ui.answer import draw_opening
from demo.ui.server.document import Document
from demo.ui.server.internals import clear_file_lists, get_upload_folder
from demo.ui.server.uploads import sweep
from demo.ui.server.visits import Visits
from demo.visitors.rooms import Rooms
from demo.visitors.session import Session
from demo.words.language import CHINESE, ENGLISH

SWEEP_EVERY_S = 10.0
_WORTH_GIVING_BACK_S = 0.5  # seconds of computing after which there is memory to give back; to do so takes 0.1 s


def keep_up(page: gr.Blocks, rooms: Rooms, visits: Visits, document: Document, is_warm: threading.Event) -> None:
    """Begin to sweep up behind a page that is open, and to load its networks.

    Args:
        page: The page.
        rooms: The rooms behind it.
        visits: gradio's states of its visitors.
        document: Where the answers to the examples are put.
        is_warm: Set once the first network has answered.
    """

    def forget_pages(session: Session) -> None:
        for each in session.presence.open | session.presence.closed:
            visits.forget(each)

    rooms.sessions.when_over = forget_pages
    _start(_sweep_for_ever, page, rooms, visits)
    _start(_warm_up, rooms, document, is_warm)


def sweep_up(page: gr.Blocks, rooms: Rooms, visits: Visits, folder: Path) -> None:
    """End expired sessions, and drop files and states that are no longer needed."""
    settings = rooms.settings
    rooms.sessions.sweep()
    sweep(folder, settings.unread_upload_s)
    visits.sweep(closed_s=settings.session_closed_s, idle_s=settings.session_idle_s)
    clear_file_lists(page)


def _start(work: Any, *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name=work.__name__.strip("_"), daemon=True).start()


def _sweep_for_ever(page: gr.Blocks, rooms: Rooms, visits: Visits) -> None:
    folder, given_back_s = Path(get_upload_folder()), 0.0
    while True:
        time.sleep(SWEEP_EVERY_S)
        try:
            sweep_up(page, rooms, visits, folder)
            if time.process_time() - given_back_s > _WORTH_GIVING_BACK_S:
                give_back_memory()  # decoded pictures leave holes in memory, and streams are in reference cycles
                given_back_s = time.process_time()
        except Exception as error:  # the next sweep may succeed
            log_unexpected(error, "a sweep")


def _warm_up(rooms: Rooms, document: Document, is_warm: threading.Event) -> None:
    """Show a network the examples, so that the first visitors need not wait; then fetch the preferred one."""
    with rooms.backbones.lend(usable_backbone(rooms.settings.backbone)) as backbone:
        first = rooms.exhibits.see(backbone, EXAMPLES[0], rooms.settings)
        document.examples = {words.language: draw_opening(words, first) for words in (ENGLISH, CHINESE)}
        is_warm.set()
        for example in EXAMPLES[1:]:
            rooms.exhibits.see(backbone, example, rooms.settings)
    rooms.backbones.begin_measuring()
    rooms.arrival.run()
